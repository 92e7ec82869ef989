//! The README's worker in twenty lines: eight of it at once, one in each shell, beside real workers.

use std::collections::BTreeSet;

use serde_json::json;

use super::support::{Project, ended};
use super::{SHELLS, program, scripts, shell, start};

/// The worker as the README has it.
fn worker() -> String {
    let readme = include_str!("../../README.md");
    let (_, rest) = readme.split_once("cat > worker.sh <<'END'\n").unwrap();
    let (text, _) = rest.split_once("\nEND\n").unwrap();
    assert!(text.lines().count() <= 20, "{text}");
    text.to_owned()
}

#[test]
fn eight_shells_and_real_workers_share_two_hundred_works() {
    let project = Project::named(
        super::HOSTILE,
        json!({
            "worktree": {"enabled": false},
            "batch": {"phases": [{"name": "one", "command": ["job", "{work_id}"]}]},
        }),
    );
    project.script("job", "echo \"$1 ${WF0_PHASE:-script}\" >> \"$AROUND/done\"");
    let names: Vec<String> = (0..200).map(|n| format!("W{n}")).collect();
    let works: Vec<(&str, Vec<&str>)> = (0..200)
        .map(|n| (names[n].as_str(), if n % 10 == 9 { vec![names[n - 9].as_str()] } else { vec![] }))
        .collect();
    let works: Vec<(&str, &[&str])> = works.iter().map(|(id, on)| (*id, on.as_slice())).collect();
    project.create(&works);
    let path = project.around().join("worker.sh");
    std::fs::write(&path, worker()).unwrap();
    let mut daemon = start(&project, &["sh"], "batch-daemon.sh", &[], "daemon").spawn().unwrap();
    project.until("it serves", || project.summary()["scheduler"]["state"] == "running");
    let mut all: Vec<_> = SHELLS
        .iter()
        .zip(11..)
        .map(|(words, number)| {
            let mut command = shell(&project, words, &path);
            command.env("WF_BATCH_DIR", scripts()).args([&number.to_string(), "job"]).spawn().unwrap()
        })
        .collect();
    for number in ["1", "2"] {
        all.push(start(&project, &["sh"], "batch-worker.sh", &[number], number).spawn().unwrap());
    }
    for child in &mut all {
        ended(child);
    }
    assert_eq!(ended(&mut daemon), Some(0));
    assert_eq!(project.document()["progress"]["completed"], 200);
    let done = project.lines("done");
    assert_eq!(done.len(), 200, "none is done twice");
    let ids: BTreeSet<&str> = done.iter().filter_map(|line| line.split(' ').next()).collect();
    assert_eq!(ids.len(), 200, "none is left");
    for who in ["one", "script"] {
        assert!(done.iter().any(|line| line.ends_with(who)), "{who} had a part");
    }
}

#[test]
fn one_that_is_ended_gives_its_work_back() {
    for words in SHELLS {
        let project = Project::new(json!({"worktree": {"enabled": false}}));
        project.script("job", "echo > \"$AROUND/begun\"; sleep 0.5");
        project.create(&[("A", &[]), ("B", &["A"])]);
        let path = project.around().join("worker.sh");
        std::fs::write(&path, worker()).unwrap();
        let mut daemon = start(&project, &["sh"], "batch-daemon.sh", &[], "daemon").spawn().unwrap();
        project.until("it serves", || project.summary()["scheduler"]["state"] == "running");
        let mut command = shell(&project, words, &path);
        let mut shell = command.env("WF_BATCH_DIR", scripts()).args(["11", "job"]).spawn().unwrap();
        project.until("it works", || project.around().join("begun").exists());
        let ran = super::support::ran(program(&project, "kill").arg(shell.id().to_string()));
        assert_eq!(ran.code, 0);
        // With what status is the shell's affair: mksh takes that of its trap.
        ended(&mut shell);
        assert_eq!(project.state("A"), "pending", "{words:?}");
        project.ok(&["batch", "stop"]);
        assert_eq!(ended(&mut daemon), Some(0));
    }
}
