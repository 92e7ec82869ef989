//! Plans as drawings for other tools.

use std::collections::HashMap;
use std::fmt::Write;

use crate::commands::plan::Row;
use crate::schedule::WorkId;

/// Graphviz: an arrow from what comes first to what waits for it, the longest chain in bold.
pub fn dot(rows: &[Row]) -> String {
    let mut out = String::from("digraph plan {\n  rankdir=LR;\n  node [shape=box];\n");
    for row in rows {
        let style = if row.critical { ", style=bold" } else { "" };
        // A work's identifier holds nothing that needs escaping.
        let _ = writeln!(out, "  \"{}\" [label=\"{}. {}\"{style}];", row.work_id, row.order, row.work_id);
    }
    for (from, to) in edges(rows) {
        let _ = writeln!(out, "  \"{from}\" -> \"{to}\";");
    }
    out.push_str("}\n");
    out
}

/// Mermaid: the same as a flowchart.
pub fn mermaid(rows: &[Row]) -> String {
    let place: HashMap<&WorkId, u32> = rows.iter().map(|row| (&row.work_id, row.order)).collect();
    let mut out = String::from("flowchart LR\n");
    for row in rows {
        let _ = writeln!(
            out,
            "  w{}[\"{}\"]{}",
            row.order,
            row.work_id,
            if row.critical { ":::critical" } else { "" }
        );
    }
    for (from, to) in edges(rows) {
        let _ = writeln!(out, "  w{} --> w{}", place[from], place[to]);
    }
    out.push_str("  classDef critical stroke-width:3px\n");
    out
}

fn edges(rows: &[Row]) -> impl Iterator<Item = (&WorkId, &WorkId)> {
    let planned: std::collections::HashSet<&WorkId> = rows.iter().map(|row| &row.work_id).collect();
    rows.iter().flat_map(move |row| {
        let shown: Vec<_> = row.dependencies.iter().filter(|on| planned.contains(on)).collect();
        shown.into_iter().map(move |on| (on, &row.work_id))
    })
}
