//! Many calls at once of one plugin process.

use serde_json::json;

use crate::fixture;
use crate::nu::Running;

#[test]
fn calls_run_side_by_side_in_one_process() {
    let project = fixture::ended();
    let lengths = project.nu_value("1..8 | par-each --threads 8 {|| wf0 batch status | length }");
    assert_eq!(lengths, json!([5, 5, 5, 5, 5, 5, 5, 5]));
    // Different folders and environments do not mix.
    let other = fixture::fresh();
    let roots = [project.root(), other.root()].map(|it| it.display().to_string());
    let states = project.nu_value(&format!(
        "1..8 | par-each --keep-order --threads 8 {{|i|
            if ($i mod 2) == 0 {{ cd '{}'; wf0 batch status --summary | get status }} else {{ with-env {{WF0_PROJECT_ROOT: '{}'}} {{ wf0 batch status --summary | get status }} }}
        }}",
        roots[0], roots[1]
    ));
    assert_eq!(
        states,
        json!(["pending", "failed", "pending", "failed", "pending", "failed", "pending", "failed"])
    );
}

#[test]
fn two_watch_at_once() {
    let project = fixture::running();
    let code = "1..2 | par-each --threads 2 {|i|
        wf0 batch watch --pulse 20ms | each {|e|
            if $e.event == pulse { print watching }
            if $e.event == completed { print $\"completed ($e.work_id)\" }
            $e
        } | where event == ended | length
    } | each {|it| print $it } | ignore; print over";
    let watching = Running::new(&mut project.nu(code));
    // Each sees the end of the same work.
    let mut lines = vec![watching.line()];
    assert_eq!(lines[0], "watching");
    while lines.len() < 10 {
        lines.push(watching.line());
    }
    assert_eq!(project.plugins().len(), 1, "one process serves both");
    project.touch("go");
    while lines.last().is_none_or(|line| line != "over") {
        lines.push(watching.line());
    }
    let count = |text: &str| lines.iter().filter(|line| *line == text).count();
    assert_eq!((count("1"), count("completed FEAT-125-api")), (2, 2), "each saw it end: {lines:?}");
}
