//! The daemon and the worker by themselves: what they say, how they end, what becomes of what runs.

use std::path::Path;

use rustix::process::Signal;
use serde_json::json;

use super::support::{self, COMMITS, Project, WAITS, ended, phases, ran};
use super::{HOSTILE, scripts, shell, start};
use crate::in_every_shell;

const SH: &[&str] = &["sh"];

/// Two phases that commit, the second of which waits for a file.
fn project(works: &[(&str, &[&str])]) -> Project {
    let project = Project::named(HOSTILE, phases(&["one", "two"], "agent"));
    project.script(
        "agent",
        &format!("{WAITS}{COMMITS}\necho \"agent says $WF0_PHASE\"\n[ \"$WF0_PHASE\" = one ] || {{ sleep 1000 & await \"go-$WF0_WORK_ID\"; }}"),
    );
    project.create(works);
    project
}

fn said(project: &Project, log: &str) -> String {
    std::fs::read_to_string(project.around().join(log)).unwrap()
}

fn signal(pid: u32, signal: Signal) {
    let pid = rustix::process::Pid::from_raw(i32::try_from(pid).unwrap()).unwrap();
    rustix::process::kill_process(pid, signal).unwrap();
}

fn calls(project: &Project, call: &str) -> usize {
    project.lines("calls").iter().filter(|line| *line == call).count()
}

fn wrong_calls_are_told(words: &[&str]) {
    let project = Project::named(HOSTILE, json!({}));
    let call = |script: &str, arguments: &[&str], variables: &[(&str, &str)]| {
        let mut command = shell(&project, words, &scripts().join(script));
        let ran = ran(command.args(arguments).envs(variables.iter().copied()));
        assert_eq!((ran.code, ran.out.as_str()), (1, ""), "{script} {arguments:?}: {}", ran.err);
        ran.err
    };
    let usage = "Usage: batch-worker.sh <worker-number>\n";
    for none in [&[][..], &[""]] {
        assert_eq!(call("batch-worker.sh", none, &[]), format!("ERROR: worker number is required\n{usage}"));
    }
    for wrong in ["x", "0", "-1", "1.5", "worker-1", "99999", "$(touch x)", "1; true"] {
        let said = call("batch-worker.sh", &[wrong], &[]);
        assert!(said.starts_with(&format!("ERROR: Invalid worker number: {wrong}\n")), "{said}");
    }
    let said = call("batch-worker.sh", &["a\nb\u{1b}[31m"], &[]);
    assert!(said.starts_with("ERROR: Invalid worker number: a\\nb\\u{1b}[31m\n"), "{said}");
    assert!(
        call("batch-worker.sh", &["1", "2"], &[]).starts_with("ERROR: batch-worker.sh takes one argument\n")
    );
    assert!(call("batch-daemon.sh", &["1"], &[]).starts_with("ERROR: batch-daemon.sh takes no arguments\n"));
    for (script, arguments) in [("batch-daemon.sh", &[][..]), ("batch-worker.sh", &["1"])] {
        let said = call(script, arguments, &[]);
        assert!(
            said.starts_with("ERROR: schedule.json not found\ncreate one: `wf0 schedule create"),
            "{said}"
        );
    }
    project.create(&[("A", &[])]);
    for (variable, value) in [
        ("POLL_INTERVAL", "often"),
        ("POLL_INTERVAL", "0"),
        ("POLL_INTERVAL", "-1"),
        ("MAX_STEP_FAILURES", "0"),
    ] {
        let said = call("batch-worker.sh", &["1"], &[(variable, value)]);
        assert!(
            said.starts_with(&format!("ERROR: invalid value '{value}' of {variable}: expected")),
            "{said}"
        );
    }
    assert!(!project.root().join("x").exists());
}
in_every_shell!(wrong_calls_are_told);

#[test]
fn a_second_one_is_refused_with_who_is_there_and_disturbs_nothing() {
    let project = project(&[("A", &[])]);
    let mut worker = start(&project, SH, "batch-worker.sh", &["1"], "worker").spawn().unwrap();
    let mut daemon = start(&project, SH, "batch-daemon.sh", &[], "daemon").spawn().unwrap();
    project.until("the second phase runs", || calls(&project, "A two 1") == 1);
    let second = |script: &str, arguments: &[&str]| {
        let ran = ran(shell(&project, SH, &scripts().join(script)).args(arguments));
        assert_eq!(ran.code, 1);
        ran.err
    };
    let there = format!("ERROR: worker-1 is already running (pid {})\n", worker.id());
    assert!(second("batch-worker.sh", &["1"]).starts_with(&there));
    let there = format!("ERROR: a scheduler already serves this project (pid {})\n", daemon.id());
    assert!(second("batch-daemon.sh", &[]).starts_with(&there));
    project.touch("go-A");
    assert_eq!(
        (ended(&mut daemon), ended(&mut worker)),
        (Some(0), Some(0)),
        "the batch ends, and both with it"
    );
    assert_eq!(project.lines("calls"), ["A one 1", "A two 1"]);
}

#[test]
fn the_daemon_says_what_happens_and_how_it_went() {
    let mut config = phases(&["one"], "agent");
    config["batch"]["max_step_failures"] = 1.into();
    let project = Project::named(HOSTILE, config);
    project.script("agent", "[ \"$WF0_WORK_ID\" != BAD ] || { printf 'no \\033[31mluck'; exit 3; }");
    project.create(&[("A", &[]), ("BAD", &[]), ("C", &["BAD"])]);
    let mut worker = start(&project, SH, "batch-worker.sh", &["3"], "worker").spawn().unwrap();
    let mut daemon = start(&project, SH, "batch-daemon.sh", &[], "daemon");
    let mut daemon = daemon.env("POLL_INTERVAL", "7").env("VERBOSE", "true").spawn().unwrap();
    assert_eq!((ended(&mut daemon), ended(&mut worker)), (Some(0), Some(0)));
    let said = said(&project, "daemon");
    let (banner, lines) = said.split_once("[20").unwrap();
    let name = project.root().to_string_lossy().replace('\n', " ");
    assert!(banner.contains(&format!("  Project:  {name}\n  Interval: 7s\n  Verbose:  true\n")), "{banner}");
    let lines: Vec<&str> = lines.lines().collect();
    for expected in [
        "] [INFO] Assigned A to worker-3",
        "] [INFO] A one phase-started",
        "] [INFO] A completed",
        "] [ERROR] BAD failed: one failed after 1 attempt: exit status 3: no [31mluck",
    ] {
        let found = lines.iter().any(|line| line.ends_with(expected));
        assert!(found, "{expected} is not in\n{said}");
    }
    let end = "\nCompleted: 1\nFailed: 1\n  BAD: one failed after 1 attempt: exit status 3: no [31mluck\nBlocked: 1\n  C: BAD failed\n";
    assert!(said.ends_with(end), "{said}");
}

#[test]
fn the_daemon_waits_for_resume_and_pauses_when_it_is_asked_to_end() {
    let project = project(&[("A", &[]), ("B", &[])]);
    let mut worker = start(&project, SH, "batch-worker.sh", &["1"], "worker").spawn().unwrap();
    let mut daemon = start(&project, SH, "batch-daemon.sh", &[], "daemon").spawn().unwrap();
    project.until("A's second phase runs", || calls(&project, "A two 1") == 1);
    signal(daemon.id(), Signal::INT);
    assert_eq!(ended(&mut daemon), Some(0));
    assert_eq!(project.document()["status"], "paused");
    assert_eq!(project.state("A"), "running");
    project.touch("go-A");
    project.until("its phase comes to its end", || project.state("A") == "completed");

    let mut daemon = start(&project, SH, "batch-daemon.sh", &[], "again").spawn().unwrap();
    project.until("it waits", || said(&project, "again").contains("[INFO] The schedule is paused: waiting"));
    assert_eq!(project.state("B"), "pending");
    project.touch("go-B");
    project.ok(&["batch", "resume"]);
    assert_eq!((ended(&mut daemon), ended(&mut worker)), (Some(0), Some(0)));
    assert_eq!(project.state("B"), "completed");
}

#[test]
fn a_schedule_paused_before_it_began_is_not_begun() {
    let project = project(&[("A", &[])]);
    let edit = "jq '.status = \"paused\"' .wf/schedule.json > new && mv new .wf/schedule.json";
    assert_eq!(ran(project.program("sh").args(["-c", edit])).code, 0);
    let mut daemon = start(&project, SH, "batch-daemon.sh", &[], "daemon").spawn().unwrap();
    project.until("it waits", || said(&project, "daemon").contains("[INFO] The schedule is paused: waiting"));
    let log = said(&project, "daemon");
    assert!(log.contains("schedule.json: schedule paused"), "{log}");
    signal(daemon.id(), Signal::TERM);
    assert_eq!(ended(&mut daemon), Some(0));
    assert_eq!(project.state("A"), "pending");
}

#[test]
fn a_worker_has_nothing_to_wait_for_where_everything_is_completed() {
    let project = project(&[("A", &[])]);
    project.ok(&["work", "claim", "A", "7"]);
    project.ok(&["work", "complete", "A", "7"]);
    let mut worker = start(&project, SH, "batch-worker.sh", &["1"], "worker").spawn().unwrap();
    assert_eq!(ended(&mut worker), Some(0));
}

/// The scheduler looks at the file itself, but seldom: whoever takes an edit in before tells it.
#[test]
fn an_edit_that_a_command_takes_in_is_acted_on_at_once() {
    let mut config = phases(&["one"], "agent");
    config["batch"]["max_step_failures"] = 1.into();
    let project = Project::named(HOSTILE, config);
    project.script(
        "agent",
        &format!("{WAITS}echo \"$WF0_WORK_ID\" >> \"$AROUND/calls\"; [ \"$WF0_WORK_ID\" = A ] && await go-A"),
    );
    project.create(&[("A", &[]), ("BAD", &[])]);
    let mut workers = ["1", "2"].map(|number| {
        let log = format!("worker-{number}");
        start(&project, SH, "batch-worker.sh", &[number], &log).spawn().unwrap()
    });
    let mut daemon = start(&project, SH, "batch-daemon.sh", &[], "daemon");
    let mut daemon = daemon.env("POLL_INTERVAL", "3600").spawn().unwrap();
    // As the scheduler itself has written it: it has nothing to do from then on.
    project.until("BAD failed", || project.document()["works"]["BAD"]["status"] == "failed");
    let edit = "jq '.works.BAD.status = \"pending\"' .wf/schedule.json > new && mv new .wf/schedule.json";
    assert_eq!(ran(project.program("sh").args(["-c", edit])).code, 0);
    project.until("it is tried again", || {
        project.ok(&["schedule", "show"]);
        calls(&project, "BAD") == 2
    });
    project.touch("go-A");
    assert_eq!(ended(&mut daemon), Some(0));
    assert!(workers.iter_mut().all(|worker| ended(worker) == Some(0)));
}

#[test]
fn a_worker_goes_by_its_environment() {
    let mut config = phases(&["one"], "agent");
    config["batch"]["max_step_failures"] = 4.into();
    let project = Project::new(config);
    project.script(
        "agent",
        "echo \"$WF0_WORK_ID\" >> \"$AROUND/calls\"; echo \"agent says\"; git commit -q --allow-empty -m x; [ \"$WF0_WORK_ID\" != BAD ]",
    );
    project.create(&[("A", &[]), ("BAD", &["A"])]);
    let mut worker = start(&project, SH, "batch-worker.sh", &["1"], "worker");
    worker.env("MAX_STEP_FAILURES", "2").env("CLEANUP_WORKTREE", "false");
    let mut worker = worker.spawn().unwrap();
    let mut daemon = start(&project, SH, "batch-daemon.sh", &[], "daemon").spawn().unwrap();
    assert_eq!((ended(&mut daemon), ended(&mut worker)), (Some(0), Some(0)));
    assert_eq!(project.lines("calls"), ["A", "BAD", "BAD"]);
    assert!(project.root().join(".worktrees/feat-A").exists(), "the worktree is kept");
    let shown = said(&project, "worker");
    assert!(shown.contains("▶ BAD · one (attempt 2)\n") && !shown.contains("\nagent says"), "{shown}");

    // The next one under that number goes by its own, and by the configuration.
    project.create(&[("A", &[]), ("BAD", &["A"])]);
    let mut worker = start(&project, SH, "batch-worker.sh", &["1"], "worker");
    let mut worker = worker.env("VERBOSE", "true").spawn().unwrap();
    let mut daemon = start(&project, SH, "batch-daemon.sh", &[], "daemon").spawn().unwrap();
    assert_eq!((ended(&mut daemon), ended(&mut worker)), (Some(0), Some(0)));
    assert_eq!(project.lines("calls").len(), 3 + 1 + 4);
    assert!(!project.root().join(".worktrees/feat-A").exists());
    let shown = said(&project, "worker");
    assert!(shown.contains("▶ A · one\nagent says\n\n◼ A completed\n"), "{shown}");
}

#[test]
fn a_quiet_worker_says_how_each_work_ended() {
    let mut config = phases(&["one"], "agent");
    config["batch"]["max_step_failures"] = 1.into();
    let project = Project::named(HOSTILE, config);
    project.script(
        "agent",
        &format!("{WAITS} [ \"$WF0_WORK_ID\" != BAD ] || {{ echo 'no luck'; exit 3; }}; echo > \"$AROUND/at-$WF0_WORK_ID\"; await \"go-$WF0_WORK_ID\""),
    );
    project.create(&[("A", &[]), ("BAD", &["A"]), ("C", &["A"])]);
    let mut worker = start(&project, SH, "batch-worker.sh", &["1"], "worker").spawn().unwrap();
    let mut daemon = start(&project, SH, "batch-daemon.sh", &[], "daemon").spawn().unwrap();
    project.touch("go-A");
    project.until("C runs", || project.around().join("at-C").exists());
    signal(worker.id(), Signal::TERM);
    assert_eq!(ended(&mut worker), Some(0));
    let said = said(&project, "worker");
    let ends: Vec<&str> =
        said.lines().filter(|line| line.starts_with("[20")).map(|line| &line[21..]).collect();
    assert_eq!(
        ends,
        [
            " [INFO] A completed",
            " [ERROR] BAD failed: one failed after 1 attempt: exit status 3: no luck",
            " [INFO] C returned: stopped"
        ],
        "{said}"
    );
    project.ok(&["batch", "stop"]);
    assert_eq!(ended(&mut daemon), Some(0));
}

#[test]
fn a_worker_asked_to_end_gives_its_work_back_and_another_goes_on_at_that_phase() {
    let project = project(&[("A", &[])]);
    let mut daemon = start(&project, SH, "batch-daemon.sh", &[], "daemon").spawn().unwrap();
    for (number, asked) in [("1", Signal::TERM), ("2", Signal::INT)] {
        let before = calls(&project, "A two 1");
        let mut worker = start(&project, SH, "batch-worker.sh", &[number], "worker").spawn().unwrap();
        project.until("the second phase runs", || calls(&project, "A two 1") == before + 1);
        signal(worker.id(), asked);
        assert_eq!(ended(&mut worker), Some(0));
        assert!(
            project.pids("agent").is_empty() && project.pids("sleep 1000").is_empty(),
            "the tree is ended"
        );
        assert_eq!(project.state("A"), "pending");
        assert_eq!(
            project.document()["execution"]["sessions"][format!("worker-{number}")]["work_id"],
            json!(null)
        );
    }
    project.touch("go-A");
    let mut worker = start(&project, SH, "batch-worker.sh", &["3"], "worker").spawn().unwrap();
    assert_eq!((ended(&mut daemon), ended(&mut worker)), (Some(0), Some(0)));
    assert_eq!(project.lines("calls"), ["A one 1", "A two 1", "A two 1", "A two 1"]);
}

#[test]
fn a_killed_worker_takes_nothing_with_it_and_the_next_one_shows_the_same_run() {
    let project = project(&[("A", &[]), ("B", &["A"])]);
    let mut daemon = start(&project, SH, "batch-daemon.sh", &[], "daemon").spawn().unwrap();
    let mut worker = start(&project, SH, "batch-worker.sh", &["1"], "worker").spawn().unwrap();
    project.until("the second phase runs", || calls(&project, "A two 1") == 1);
    support::kill(worker.id());
    assert_eq!(worker.wait().unwrap().code(), None);
    let begin = std::time::Instant::now();
    let shown = project.summary()["workers"][0].clone();
    assert!(begin.elapsed() < std::time::Duration::from_secs(1));
    assert_eq!((&shown["state"], &shown["work_id"]), (&json!("detached"), &json!("A")));
    let mut worker = start(&project, SH, "batch-worker.sh", &["1"], "worker");
    let mut worker = worker.env("VERBOSE", "true").spawn().unwrap();
    project.until("it shows the run", || said(&project, "worker").contains("▶ A · two\nagent says two\n"));
    assert_eq!(project.summary()["workers"][0]["state"], "running");
    support::kill(worker.id());
    worker.wait().unwrap();
    project.touch("go-A");
    project.touch("go-B");
    project.until("its runner takes A to its end", || project.state("A") == "completed");
    let mut worker = start(&project, SH, "batch-worker.sh", &["1"], "worker").spawn().unwrap();
    assert_eq!((ended(&mut daemon), ended(&mut worker)), (Some(0), Some(0)));
    assert_eq!(project.lines("calls"), ["A one 1", "A two 1", "B one 1", "B two 1"], "nothing is run twice");
    assert!(Path::new(&project.around().join("daemon")).exists());
}
