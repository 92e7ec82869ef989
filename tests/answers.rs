//! What other programs read: columns, types and formats of every table, as the contract fixes them.

mod support;

use serde_json::{Value, json};
use support::{Project, phases};

fn keys(row: &Value) -> Vec<&str> {
    row.as_object().unwrap().keys().map(String::as_str).collect()
}

fn parsed(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

fn project() -> Project {
    let project = Project::new(phases(&["one", "two"], "agent"));
    project.script("agent", r#"[ "$WF0_WORK_ID" != BAD ] || { echo broken; exit 1; }"#);
    let works = json!([
        {"work_id": "FEAT-1-a", "title": "First", "url": "http://localhost/1"},
        {"work_id": "FEAT-2-b", "dependencies": ["FEAT-1-a", "GONE"]},
        {"work_id": "BAD"}
    ]);
    let path = project.around().join("works.json");
    std::fs::write(&path, works.to_string()).unwrap();
    project.ok(&["schedule", "create", "--from", path.to_str().unwrap()]);
    project
}

#[test]
fn every_table_has_the_contracts_columns() {
    let project = project();
    let rows = |arguments: &[&str]| parsed(&project.ok(&[arguments, &["--format", "json"]].concat()));
    assert_eq!(
        keys(&rows(&["schedule", "show"])[0]),
        ["work_id", "priority", "status", "dependencies", "source", "title"]
    );
    assert_eq!(keys(&rows(&["schedule", "validate"])[0]), ["severity", "code", "work_id", "message", "hint"]);
    assert_eq!(
        keys(&rows(&["batch", "start", "--dry-run"])[0]),
        [
            "order",
            "wave",
            "work_id",
            "priority",
            "dependencies",
            "critical",
            "branch",
            "base",
            "worktree",
            "phases"
        ]
    );
    assert_eq!(keys(&rows(&["work", "next"])), ["work_id", "branch", "worktree", "phases", "source"]);
    let waiting = &rows(&["batch", "status"])[0];
    assert_eq!(waiting["elapsed"], 0.0, "a true zero, no null");
    assert!(
        ["phase", "worker", "started_at", "finished_at", "worktree", "error"]
            .iter()
            .all(|it| waiting[it].is_null())
    );
    let started = rows(&["batch", "start"]);
    assert_eq!(keys(&started), ["status", "scheduler", "workers", "pending", "attach"]);
    project.until_over();
    let status = rows(&["batch", "status"]);
    assert_eq!(
        keys(&status[0]),
        [
            "work_id",
            "state",
            "priority",
            "phase",
            "worker",
            "attempts",
            "waiting_on",
            "dependencies",
            "started_at",
            "finished_at",
            "elapsed",
            "branch",
            "worktree",
            "source",
            "error"
        ]
    );
    let summary = rows(&["batch", "status", "--summary"]);
    assert_eq!(keys(&summary), ["status", "reason", "created_at", "progress", "scheduler", "workers"]);
    assert_eq!(
        summary["progress"],
        json!({"total": 3, "completed": 1, "in_progress": 0, "pending": 0, "failed": 1, "blocked": 1, "paused": 0})
    );
    assert_eq!(keys(&summary["scheduler"]), ["state", "pid", "session"]);
    let done = status.as_array().unwrap().iter().find(|row| row["work_id"] == "FEAT-1-a").unwrap();
    assert!(done["finished_at"].as_str().unwrap().ends_with('Z') && done["elapsed"].as_f64().unwrap() > 0.0);
    assert_eq!(done["source"]["url"], "http://localhost/1");
    let blocked = status.as_array().unwrap().iter().find(|row| row["work_id"] == "FEAT-2-b").unwrap();
    assert_eq!(
        (blocked["state"].as_str(), blocked["waiting_on"].clone()),
        (Some("blocked"), json!(["GONE"]))
    );
    assert_eq!(rows(&["batch", "stop"]), json!([{"target": "all", "result": "not running"}]));
    assert_eq!(
        rows(&["batch", "stop", "FEAT-1-a"]),
        json!([{"target": "FEAT-1-a", "result": "not running"}])
    );
}

#[test]
fn flat_rows_hold_neither_lists_nor_records_and_ndjson_is_a_row_a_line() {
    let project = project();
    for command in [&["batch", "status"][..], &["schedule", "show"], &["batch", "start", "--dry-run"]] {
        let text = project.ok(&[command, &["--flat", "--format", "ndjson"]].concat());
        assert!(text.lines().count() >= 2);
        for line in text.lines() {
            let row = parsed(line);
            assert!(
                row.as_object().unwrap().values().all(|cell| !cell.is_array() && !cell.is_object()),
                "{line}"
            );
        }
    }
    let row = parsed(project.ok(&["schedule", "show", "--flat", "--format", "json"]).as_str());
    let second = row.as_array().unwrap().iter().find(|row| row["work_id"] == "FEAT-2-b").unwrap();
    assert_eq!(
        (second["dependencies"].as_str(), second["source"].as_str()),
        (Some("FEAT-1-a GONE"), Some("FEAT-2-b"))
    );
}

#[test]
fn plans_are_drawn_for_other_tools() {
    let project = project();
    project.ok(&["schedule", "edit", "FEAT-2-b", "remove-dep=GONE"]);
    let dot = project.ok(&["batch", "start", "--dry-run", "--format", "dot"]);
    assert!(dot.starts_with("digraph plan {") && dot.contains(r#""FEAT-1-a" -> "FEAT-2-b";"#), "{dot}");
    let mermaid = project.ok(&["batch", "start", "--dry-run", "--format", "mermaid"]);
    assert!(mermaid.starts_with("flowchart LR\n") && mermaid.contains(" --> "), "{mermaid}");
    assert_eq!(project.run(&["batch", "status", "--format", "dot"]).code, 2);
}

#[test]
fn events_come_as_they_happen_until_the_batch_ends_and_ctrl_c_gives_130() {
    let project = project();
    project.script("agent", &format!("{} await go", support::WAITS));
    project.ok(&["batch", "start", "--parallel", "2"]);
    let watch = |arguments: &[&str]| {
        project
            .wf0(arguments)
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::null())
            .spawn()
            .unwrap()
    };
    let mut interrupted = watch(&["batch", "watch"]);
    let mut following = watch(&["batch", "logs", "FEAT-1-a", "--follow"]);
    let mut waiting = watch(&["batch", "watch", "--format", "ndjson"]);
    let bells = project.root().join(".git/wf0/bell");
    project.until("all three listen", || {
        let names = std::fs::read_dir(&bells).unwrap().flatten();
        names.filter(|it| it.file_name().to_string_lossy().starts_with("watch-")).count() == 3
    });
    for child in [&mut interrupted, &mut following] {
        let pid = rustix::process::Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap();
        rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
        assert_eq!(support::ended(child), Some(130));
    }
    project.touch("go");
    assert_eq!(support::ended(&mut waiting), Some(0));
    let text = String::from_utf8(waiting.wait_with_output().unwrap().stdout).unwrap();
    let events: Vec<Value> = text.lines().map(parsed).collect();
    assert_eq!(keys(&events[0]), ["at", "event", "work_id", "phase", "worker", "state", "message"]);
    assert!(events.iter().any(|row| row["event"] == "completed" && row["work_id"] == "FEAT-1-a"));
    assert_eq!(events.last().unwrap()["event"], "ended");
}

#[test]
fn status_reads_like_this() {
    let project = project();
    project.ok(&["batch", "start"]);
    project.until_over();
    let text = project.ok(&["batch", "status"]);
    let times = |line: &str| {
        let words = line.split(' ').map(|word| {
            if word.ends_with('s') && word.starts_with(|c: char| c.is_ascii_digit()) { "TIME" } else { word }
        });
        words.collect::<Vec<_>>().join(" ")
    };
    let text: Vec<String> = text.lines().map(times).collect();
    insta::assert_snapshot!(text.join("\n"));
}
