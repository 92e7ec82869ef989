//! Titles come from trackers, where anybody may write them: they reach a phase as one text, no shell, no terminal.

use std::process::Stdio;

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
        "while [ -e \"$AROUND/wait\" ]; do sleep 0.02; done
        printf %s \"$WF0_TITLE\" > \"$AROUND/$WF0_WORK_ID.env\"; printf %s \"$1\" > \"$AROUND/$WF0_WORK_ID.arg\"
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

    // A second round, which begins to print only when somebody watches it.
    project.touch("wait");
    project.ok(&["batch", "resume"]);
    let watcher =
        project.wf0(&["batch", "watch"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let bell = project.root().join(format!(".git/wf0/bell/watch-{}-0", watcher.id()));
    project.until("somebody watches", || bell.exists());
    std::fs::remove_file(project.around().join("wait")).unwrap();
    let watched = watcher.wait_with_output().unwrap();
    let watched = String::from_utf8(watched.stdout).unwrap() + &String::from_utf8(watched.stderr).unwrap();
    assert!(
        titles().iter().all(|(id, _, _)| watched.contains(&format!("failed             {id}"))),
        "{watched}"
    );
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
        let ran = project.run(command);
        shown.push((command[1], ran.out + &ran.err));
    }
    for (what, text) in &shown {
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
    insta::assert_snapshot!(project.ok(&["batch", "start", "--dry-run"]), @r"
    ORDER  WAVE  WORK           PRIORITY  CRITICAL  BRANCH         BASE           WORKTREE
    1      1     FEAT-1-auth    1         yes       feat/1-auth    main           .worktrees/feat-1-auth
    2      1     FIX-9-typo     1                   fix/9-typo     main           .worktrees/fix-9-typo
    3      2     FEAT-2-export  2         yes       feat/2-export  feat/1-auth    .worktrees/feat-2-export
    4      3     FEAT-3-ui      3         yes       feat/3-ui      feat/2-export  .worktrees/feat-3-ui

    4 works in 3 waves; each: build → check. Nothing was changed.
    ");
    assert_eq!(project.run(&["batch", "start", "--wait"]).code, 1);
    project.until_over();
    project.until("its workers are gone", || project.summary()["workers"].as_array().unwrap().is_empty());
    let status = project.ok(&["batch", "status"]);
    let steady: Vec<String> = status.lines().map(without_elapsed).collect();
    insta::assert_snapshot!(steady.join("\n"), @r"
    📊 Batch Execution Status
    ═══════════════════════════════════════

    Status: failed (2 of 4 works completed)

    Progress:
      ✅ Completed:   2
      🔄 In Progress: 0
      ⏳ Pending:     0
      ❌ Failed:      1
      ⛔ Blocked:     1

    Workers:
      📋 Scheduler: ⏹  stopped

    WORK           STATE         PHASE  TRIES  ELAPSED  WAITING ON
    FEAT-1-auth    ✅ completed  check         (some)
    FIX-9-typo     ✅ completed  check         (some)
    FEAT-2-export  ❌ failed     build         (some)
    FEAT-3-ui      ⛔ blocked                           FEAT-2-export

    ❌ FEAT-2-export: build failed after 1 attempt: exit status 3: no such table
    ⛔ FEAT-3-ui: FEAT-2-export failed

    Next: `wf0 batch logs ID` shows what happened, `wf0 batch resume` tries again
    ");
    insta::assert_snapshot!(project.run(&["batch", "start"]).err, @r"
    error: there is nothing to run: 1 failed, 1 blocked of 4 works [wf0::batch::nothing]
    help: `wf0 batch resume` would take up the one that failed
    ");
}

/// A line of the table without the time that a work took.
fn without_elapsed(line: &str) -> String {
    let took = line.rsplit(' ').next().unwrap_or_default();
    let is_time = took.ends_with('s') && took.starts_with(|c: char| c.is_ascii_digit());
    let kept = line.strip_suffix(took).filter(|_| is_time);
    kept.map_or(line.to_owned(), |kept| format!("{kept}(some)"))
}
