//! Titles come from trackers, where anybody may write them: they reach a phase as one text, no shell, no terminal.

use serde_json::{Value, json};

use crate::answers::fit_for_people;
use crate::support::Project;

fn titles() -> Vec<(&'static str, String, String)> {
    let same = |name, text: &str| (name, text.to_owned(), text.to_owned());
    let huge = "y".repeat(1 << 20);
    let cut = format!("{}…", &huge[..32_768]);
    vec![
        same("T-shell", "$(touch PWNED) `touch PWNED` \"; touch PWNED; ' && touch PWNED\\"),
        same("T-emoji", "🎉 é 漢字"),
        same("T-lines", "one\ntwo\r\nthree\tfour"),
        same("T-escape", "\u{1b}[31mred\u{1b}[2J\u{1b}]0;title\u{7}\u{9b}31m\u{202e}"),
        same("T-braces", "{work_id} {{title}} {"),
        same("T-dash", "--help"),
        same("T-empty", ""),
        ("T-nul", "a\0b".to_owned(), "ab".to_owned()),
        ("T-huge", huge, cut),
    ]
}

#[test]
fn a_title_reaches_its_phase_whole_and_no_terminal_raw() {
    // What the phase prints last becomes the work's error, which is shown.
    let project = Project::new(json!({"batch": {"max_step_failures": 1, "phases": [
        {"name": "keep", "command": ["keep", "{title}"]}
    ]}}));
    project.script(
        "keep",
        "printf %s \"$WF0_TITLE\" > \"$AROUND/$WF0_WORK_ID.env\"; printf %s \"$1\" > \"$AROUND/$WF0_WORK_ID.arg\"
        printf '%s\\n' \"$WF0_TITLE\" | head -c 2000; exit 1",
    );
    let records: Vec<Value> = titles()
        .iter()
        .map(|(id, title, _)| json!({"work_id": id, "title": title, "url": title, "dependencies": []}))
        .collect();
    let input = Value::from(records).to_string();
    let created = project.run_with_input(&["schedule", "create", "--from", "-"], input.as_bytes());
    assert_eq!(created.code, 0, "{created:?}");
    let done = project.run(&["batch", "start", "--wait"]);
    assert_eq!(done.code, 1, "{done:?}");

    for (id, _, expected) in titles() {
        for how in ["env", "arg"] {
            let got = std::fs::read(project.around().join(format!("{id}.{how}"))).unwrap();
            assert!(
                got == expected.as_bytes(),
                "{id} by {how}: {}",
                String::from_utf8_lossy(&got[..got.len().min(200)])
            );
        }
    }
    let found = project.snapshot();
    assert!(!found.keys().any(|path| path.ends_with("PWNED")), "{found:?}");
    assert!(!project.around().join("PWNED").exists());

    // A watcher sees everything from the start of a second round.
    project.ok(&["batch", "resume"]);
    let watched = project.run(&["batch", "watch"]);
    project.until_over();
    let mut shown = vec![("watch", watched)];
    for command in [
        &["batch", "status"][..],
        &["batch", "status", "--flat"],
        &["batch", "status", "--summary"],
        &["schedule", "show"],
        &["schedule", "show", "--flat"],
        &["schedule", "validate"],
        &["batch", "resume", "T-none"],
    ] {
        shown.push((command[1], project.run(command)));
    }
    for (what, ran) in &shown {
        let text = format!("{}{}", ran.out, ran.err);
        let bad = text.chars().find(|c| (c.is_control() && *c != '\n') || *c == '\u{202e}');
        assert_eq!(bad, None, "{what}: {text:?}");
        assert!(text.lines().all(|line| line.chars().count() < 600), "{what}: {text}");
    }
    // Programs get it as it was.
    let rows: Vec<Value> =
        serde_json::from_str(&project.ok(&["schedule", "show", "--format", "json"])).unwrap();
    for (id, title, _) in titles() {
        let row = rows.iter().find(|row| row["work_id"] == id).unwrap();
        assert!(row["title"] == title.as_str(), "{id}");
        assert!(project.document()["works"][id]["source"]["title"] == title.as_str(), "{id}");
    }
    fit_for_people("doctor", &project.run(&["doctor"]));
}

#[test]
fn what_people_read() {
    let project = Project::new(json!({"batch": {"max_step_failures": 1, "phases": [
        {"name": "build", "command": ["build"]}, {"name": "check", "command": ["true"]}
    ]}}));
    project.script("build", "[ \"$WF0_WORK_ID\" != FEAT-2-export ] || { echo 'no such table'; exit 3; }");
    project.create(&[
        ("FEAT-1-auth", &[]),
        ("FEAT-2-export", &["FEAT-1-auth"]),
        ("FEAT-3-ui", &["FEAT-2-export"]),
        ("FIX-9-typo", &[]),
    ]);
    insta::assert_snapshot!(project.ok(&["batch", "start", "--dry-run"]), @"");
    assert_eq!(project.run(&["batch", "start", "--wait"]).code, 1);
    project.until_over();
    project.until("its workers are gone", || project.summary()["workers"].as_array().unwrap().is_empty());
    let status = project.ok(&["batch", "status"]);
    let steady: Vec<&str> =
        status.lines().map(|line| line.split("           0.").next().unwrap_or(line)).collect();
    insta::assert_snapshot!(steady.join("\n"), @"");
    let nothing = project.run(&["batch", "start"]);
    insta::assert_snapshot!(nothing.err, @"");
}
