//! The README's worker: eight of it at once, one in each shell, beside real workers.

use std::collections::BTreeSet;

use serde_json::json;

use super::support::{Project, ended};
use super::{SHELLS, program, scripts, shell, start};

/// The worker as the README has it.
fn worker() -> String {
    let readme = include_str!("../../README.md");
    let (_, rest) = readme.split_once("cat > worker.sh <<'END'\n").unwrap();
    let (text, _) = rest.split_once("\nEND\n").unwrap();
    assert_eq!(text.lines().count(), 23, "as the README says:\n{text}");
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

/// The README's worker as number 11, in the project's environment.
fn start_worker(project: &Project) -> std::process::Command {
    let path = project.around().join("worker.sh");
    std::fs::write(&path, worker()).unwrap();
    let mut command = shell(project, &["sh"], &path);
    command.env("WF_BATCH_DIR", scripts()).args(["11", "job"]);
    command
}

#[test]
fn what_a_killed_one_left_is_done_by_the_next_of_its_number() {
    let project = Project::new(json!({"worktree": {"enabled": false}}));
    project.script("job", "true");
    project.create(&[("A", &[]), ("B", &[])]);
    project.ok(&["work", "claim", "A", "worker-11"]);
    let ran = super::support::ran(&mut start_worker(&project));
    assert_eq!(ran.err, "");
    assert_eq!(project.document()["progress"]["completed"], 2);
}

#[test]
fn one_that_waits_takes_nothing_from_another_of_its_number() {
    let project = Project::new(json!({"worktree": {"enabled": false}}));
    let job = "echo \"$NAME\" > \"$AROUND/begun\"; while [ ! -e \"$AROUND/go\" ]; do /bin/sleep 0.05; done";
    project.script("job", job);
    project.script("sleep", "echo \"$NAME\" >> \"$AROUND/slept\"; exec /bin/sleep \"$@\"");
    project.create(&[("Z", &[]), ("A", &["Z"])]);
    project.ok(&["work", "claim", "Z", "worker-12"]);
    let log = |name: &str| std::fs::File::create(project.around().join(name)).unwrap();
    let start = |name: &str| start_worker(&project).env("NAME", name).stderr(log(name)).spawn().unwrap();
    let begun = || project.lines("begun");
    let slept = || project.lines("slept");
    let mut both = [start("0"), start("1")];
    project.until("both wait", || ["0", "1"].iter().all(|name| slept().iter().any(|it| it == name)));
    project.ok(&["work", "complete", "Z", "worker-12"]);
    project.until("one works", || !begun().is_empty());
    let busy: usize = begun()[0].parse().unwrap();
    let idle = &mut both[1 - busy];
    assert_eq!(super::support::ran(program(&project, "kill").arg(idle.id().to_string())).code, 0);
    ended(idle);
    assert_eq!(project.state("A"), "running");
    project.touch("go");
    ended(&mut both[busy]);
    assert_eq!(project.state("A"), "completed");
}

#[test]
fn a_merge_conflict_fails_that_work_only() {
    let project = Project::new(json!({}));
    project.script("job", "echo \"$1\" > file && git add . && git commit -qm \"$1\"");
    project.create(&[("A", &[]), ("B", &[]), ("C", &["A", "B"]), ("D", &[]), ("E", &["D"])]);
    project.ok(&["schedule", "edit", "D", "--priority", "9"]);
    project.ok(&["schedule", "edit", "E", "--priority", "9"]);
    project.ok(&["work", "claim", "A", "worker-11"]);
    let ran = super::support::ran(&mut start_worker(&project));
    assert!(
        ran.err.contains("B does not merge into") || ran.err.contains("both sides changed"),
        "{}",
        ran.err
    );
    let all: Vec<String> = ["A", "B", "C", "D", "E"].iter().map(|id| project.state(id)).collect();
    assert_eq!(all, ["completed", "completed", "failed", "completed", "completed"], "{}", ran.err);
    assert_eq!(project.document()["works"]["C"]["error"], "it has no worktree");
}

#[test]
fn a_push_that_fails_is_not_laid_to_the_command() {
    let project = Project::new(json!({}));
    project.script("job", "git commit -q --allow-empty -m \"$1\"");
    project.create(&[("A", &[])]);
    project.git(&["remote", "add", "origin", project.around().join("nowhere").to_str().unwrap()]);
    project.ok(&["work", "claim", "A", "worker-11"]);
    super::support::ran(&mut start_worker(&project));
    assert_eq!(project.document()["works"]["A"]["error"], "its branch could not be pushed");
}
