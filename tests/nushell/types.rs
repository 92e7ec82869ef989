//! What signatures promise is what commands give: in variables, in loops, through typed commands of one's own, with
//! nulls in it and with no rows.

use serde_json::json;

use crate::fixture;
use crate::support::Project;

/// Everything that only looks and gives rows.
const TABLES: [&str; 11] = [
    "wf0 batch status",
    "wf0 batch status --flat",
    "wf0 batch status --state failed",
    "wf0 batch start --dry-run",
    "wf0 batch start --dry-run --flat",
    "wf0 schedule show",
    "wf0 schedule show --flat",
    "wf0 schedule show --edges",
    "wf0 schedule validate",
    "wf0 schedule why FEAT-124-export",
    "wf0 doctor",
];

/// Everything that only looks and gives something else.
const OTHERS: [&str; 4] =
    ["wf0 batch status --summary", "wf0 batch start --dry-run --format dot", "wf0 work next", "wf0 batch"];

/// Puts what each gives wherever Nushell compares it with what was promised.
fn is_what_was_promised(project: &Project, commands: &[&str], tables: &[&str]) {
    use std::fmt::Write;
    let mut code = String::new();
    for (n, command) in commands.iter().chain(tables).enumerate() {
        let _ = writeln!(code, "let x{n} = {command}; $x{n} | ignore");
        let _ = writeln!(code, "mut y{n} = {command}; $y{n} | ignore");
        let _ = writeln!(code, "do {{|it| $it | ignore }} ({command})");
    }
    for command in tables {
        let _ = writeln!(code, "for row in ({command}) {{ $row | ignore }}");
        let _ = writeln!(code, "{command} | each {{|row| $row }} | ignore");
    }
    project.nu_ok(&code);
}

#[test]
fn tables_without_rows() {
    let project = fixture::fresh();
    let empty =
        ["wf0 batch status --state running", "wf0 batch status --flat --state failed", "wf0 batch watch"];
    is_what_was_promised(&project, &[], &empty);
    for command in empty {
        assert_eq!(project.nu_value(&format!("let x = {command}; $x")), json!([]), "{command}");
    }
}

#[test]
fn a_schedule_of_which_nothing_has_run() {
    let project = fixture::fresh();
    is_what_was_promised(&project, &OTHERS, &TABLES);
    // What changes something, once each.
    project.nu_ok(
        "let a = wf0 init; $a | ignore
        let z = wf0 schedule create --dry-run local=A; $z | ignore
        let b = [[work_id dependencies]; [A []] [B [A]]] | wf0 schedule create --force; $b | ignore
        let c = wf0 schedule edit B --priority 3; $c | ignore
        let d = wf0 work claim A 7; $d | ignore
        let e = wf0 work release 7; $e | ignore
        let f = wf0 work claim A 7; let g = wf0 work fail A 7 'no'; $g | ignore
        let h = wf0 batch resume A --parallel 1; $h | ignore
        let i = wf0 batch watch; $i | ignore
        let j = wf0 batch logs A; $j | ignore
        let k = wf0 batch stop; $k | ignore
        for row in (wf0 batch stop A) { $row | ignore }
        let l = wf0 schedule clear; $l | ignore
        let m = wf0 schedule create local=FEAT-1-a; $m | ignore
        let n = wf0 batch start; $n | ignore
        for row in (wf0 batch watch) { $row | ignore }
        let o = wf0 schedule create local=FEAT-1-a --force; $o | ignore
        let p = wf0 batch start --wait; $p | ignore
        let q = wf0 schedule create local=FEAT-1-a --force; let r = wf0 work claim FEAT-1-a 7
        let s = wf0 work complete FEAT-1-a 7; $s | ignore
        let t = wf0 demo --pace 10ms; $t | ignore",
    );
}

#[test]
fn a_batch_that_runs() {
    let project = fixture::running();
    is_what_was_promised(&project, &OTHERS, &TABLES);
    project.nu_ok("let l = wf0 batch logs FEAT-125-api; $l | ignore; let n = wf0 batch watch --pulse 10ms | first 2; $n | ignore");
    let states = project.nu_value("wf0 batch status | get state | uniq | sort");
    assert_eq!(states, json!(["blocked", "completed", "failed", "paused", "pending", "running"]));
}

#[test]
fn a_batch_that_is_over() {
    let project = fixture::ended();
    is_what_was_promised(&project, &OTHERS, &TABLES);
    project.nu_ok(
        "let w = wf0 batch watch; $w | ignore; for row in (wf0 batch watch) { $row | ignore }
        let l = wf0 batch logs FEAT-123-auth; $l | ignore; let f = wf0 batch logs FEAT-123-auth --follow; $f | ignore",
    );
}

#[test]
fn cells_are_typed() {
    let project = fixture::ended();
    let row = "wf0 batch status | where work_id == FEAT-123-auth | first";
    for (cell, expected) in [
        ("work_id", "string"),
        ("state", "string"),
        ("priority", "int"),
        ("attempts", "int"),
        ("waiting_on", "list<any>"),
        ("dependencies", "list<string>"),
        ("started_at", "datetime"),
        ("finished_at", "datetime"),
        ("elapsed", "duration"),
        ("source", "record<type: string, id: string, title: string, url: nothing>"),
        ("error", "string"),
        ("worker", "nothing"),
    ] {
        assert_eq!(project.nu_value(&format!("{row} | get {cell} | describe")), expected, "{cell}");
    }
    let never_ran = "wf0 batch status | where state == paused | first";
    for (cell, expected) in [("started_at", "nothing"), ("elapsed", "duration"), ("attempts", "int")] {
        assert_eq!(project.nu_value(&format!("{never_ran} | get {cell} | describe")), expected, "{cell}");
    }
    // True zeros where there are any: arithmetic over all rows.
    project.nu_ok("wf0 batch status | get elapsed | math sum; wf0 batch status | where elapsed > 10min and attempts > 0");
    assert_eq!(project.nu_value("wf0 batch status --summary | get created_at | describe"), "datetime");
    assert_eq!(project.nu_value("wf0 schedule show | get 0.source.title"), "Create the database");
    // As others read it: nanoseconds, RFC 3339.
    let first = project.nu_value("wf0 batch status | first | select elapsed started_at");
    assert!(first["elapsed"].as_u64().unwrap() > 1_000_000, "{first}");
    assert!(first["started_at"].as_str().unwrap().starts_with("20"), "{first}");
}

#[test]
fn the_columns_are_those_of_the_command_line() {
    let project = fixture::running();
    for (command, arguments) in [
        ("wf0 batch status", &["batch", "status"][..]),
        ("wf0 batch start --dry-run", &["batch", "start", "--dry-run"]),
        ("wf0 schedule show", &["schedule", "show"]),
        ("wf0 doctor", &["doctor"]),
        ("wf0 batch status --summary", &["batch", "status", "--summary"]),
    ] {
        let said = project.run(&[arguments, &["--format", "json"]].concat()).out;
        let rows: serde_json::Value = serde_json::from_str(&said).unwrap();
        let row = if rows.is_array() { &rows[0] } else { &rows };
        let expected: Vec<&String> = row.as_object().unwrap().keys().collect();
        assert_eq!(project.nu_value(&format!("{command} | columns")), json!(expected), "{command}");
    }
}

#[test]
fn a_variable_knows_its_columns() {
    let project = fixture::running();
    // At the next prompt, by the value. (Of a list without rows Nushell knows no columns, whatever its type was.)
    for (command, columns) in [
        (
            "wf0 batch status",
            "attempts branch dependencies elapsed error finished_at phase priority source started_at state waiting_on work_id worker worktree",
        ),
        (
            "wf0 batch start --dry-run",
            "base branch critical dependencies order phases priority wave work_id worktree",
        ),
        ("wf0 schedule show", "dependencies priority source status title work_id"),
        ("wf0 schedule show --edges", "from origin resolved text to"),
    ] {
        let later =
            project.nu_value(&format!("let s = {command}; \"$s.\" | commandline complete | str join ' '"));
        assert_eq!(later, columns, "{command}");
    }
    // On the same line, by the type, whether there will be rows or not.
    for (command, columns) in [
        ("wf0 schedule why FEAT-126-ui", "because depth needed_by origin state text work_id"),
        ("wf0 schedule validate", "code hint message severity work_id"),
        ("wf0 batch watch", "at event message phase state work_id worker"),
        ("wf0 batch stop FEAT-126-ui", "result target"),
        ("wf0 batch resume", "attach pending scheduler status workers"),
        ("wf0 doctor", "check hint message state"),
    ] {
        let typed =
            project.nu_value(&format!("\"let s = {command}; $s.\" | commandline complete | str join ' '"));
        assert_eq!(typed, columns, "{command}");
    }
    let of_summary = project
        .nu_value(r#"let s = wf0 batch status --summary; "$s.progress." | commandline complete | length"#);
    assert_eq!(of_summary, 7);
}

#[test]
fn typed_commands_of_ones_own_take_it() {
    let project = fixture::ended();
    let out = project.nu_value(
        "def failed []: table<work_id: string, state: string, elapsed: duration> -> list<string> {
            where state == failed | get work_id
        }
        def count [rows: table<work_id: string>]: nothing -> int { $rows | length }
        def hosts []: record<scheduler: record<state: string>> -> string { $in.scheduler.state }
        [(wf0 batch status | failed) (count (wf0 batch status)) (wf0 batch status --summary | hosts)]",
    );
    assert_eq!(out, json!([["FEAT-123-auth"], 5, "stopped"]));
}

#[test]
fn whatever_names_works_can_be_piped_on_as_it_is() {
    let project = fixture::fresh();
    // Nushell refuses what does not fit before anything runs.
    for from in
        TABLES.iter().chain(&["wf0 work next", "wf0 work claim A 7", "wf0 schedule show | first", "ls"])
    {
        for to in ["wf0 batch stop", "wf0 batch resume", "wf0 schedule create"] {
            project.nu_ok(&format!("if false {{ {from} | {to} }}"));
        }
    }
    let refused = project.nu_ran("if false { 7 | wf0 batch stop }");
    assert!(refused.code != 0 && refused.err.contains("does not support int"), "{refused:?}");
}

#[test]
fn flat_tables_are_what_others_read() {
    let project = fixture::ended();
    for command in ["wf0 batch status --flat", "wf0 schedule show --flat"] {
        let csv = project.nu_ok(&format!("{command} | to csv"));
        assert_eq!(csv.lines().count(), 6, "{csv}");
        assert!(csv.starts_with("work_id,"), "{csv}");
        let back = project.nu_value(&format!("{command} | to csv | from csv | get work_id | length"));
        assert_eq!(back, 5);
    }
    let fresh = fixture::fresh();
    let csv = fresh.nu_ok("wf0 batch start --dry-run --flat | to csv");
    assert!(csv.lines().next().unwrap().starts_with("order,wave,work_id"), "{csv}");
    assert!(csv.contains("wf1-kickoff wf2-spec wf3-plan"), "{csv}");
}

#[test]
fn the_columns_that_matter_stay_whole_on_a_narrow_terminal() {
    let project = fixture::ended();
    for (command, cells) in [
        (
            "wf0 batch status",
            [["FEAT-100-database", "completed"], ["FEAT-123-auth", "failed"], ["FEAT-124-export", "blocked"]],
        ),
        (
            "wf0 schedule show",
            [["FEAT-100-database", "completed"], ["FEAT-123-auth", "failed"], ["FEAT-124-export", "pending"]],
        ),
    ] {
        let table = project.nu_ok(&format!("{command} | table --width 60"));
        assert!(table.lines().all(|line| line.chars().count() <= 60), "{table}");
        for [id, state] in cells {
            assert!(table.lines().any(|line| line.contains(id) && line.contains(state)), "{table}");
        }
    }
}
