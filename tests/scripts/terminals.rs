//! The three-terminal way: a daemon, two workers, and somebody who edits schedule.json; by hand, and in tmux.

use serde_json::json;

use super::support::{Project, WAITS, ended, phases, ran};
use super::{HOSTILE, program, scripts, start};
use crate::in_every_shell;

/// `jq … > tmp && mv`, as people do it.
#[track_caller]
fn jq(project: &Project, expression: &str) {
    let script = "jq \"$1\" .wf/schedule.json > .wf/mine.tmp && mv .wf/mine.tmp .wf/schedule.json";
    let ran = ran(program(project, "sh").args(["-c", script, "sh", expression]));
    assert_eq!(ran.code, 0, "{ran:?}");
}

fn edits_by_hand_are_taken_in(words: &[&str]) {
    let mut config = phases(&["one"], "agent");
    config["batch"]["max_step_failures"] = 1.into();
    config["worktree"] = json!({"enabled": false});
    let project = Project::named(HOSTILE, config);
    project.script(
        "agent",
        &format!("{WAITS} echo $WF0_WORK_ID >> \"$AROUND/calls\"; await \"go-$WF0_WORK_ID\"; [ $WF0_WORK_ID != BAD ] || [ -e \"$AROUND/mended\" ]"),
    );
    project.create(&[("A", &[]), ("BAD", &[]), ("C", &["A", "BAD"])]);
    let calls = |id: &str| project.lines("calls").iter().filter(|line| *line == id).count();
    let mut all = [
        start(&project, words, "batch-worker.sh", &["1"], "worker-1").spawn().unwrap(),
        start(&project, words, "batch-daemon.sh", &[], "daemon").spawn().unwrap(),
        start(&project, words, "batch-worker.sh", &["2"], "worker-2").spawn().unwrap(),
    ];
    project.until("both run", || calls("A") == 1 && calls("BAD") == 1);
    project.touch("go-BAD");
    // Nobody calls wf0: the daemon sees it by itself.
    project.until("BAD fails", || project.document()["works"]["BAD"]["status"] == "failed");
    project.touch("mended");
    jq(&project, ".works.BAD.status = \"pending\" | .works.NEW = {\"priority\": 0}");
    project.touch("go-NEW");
    project.until("the failed one is tried again", || calls("BAD") == 2 && calls("NEW") == 1);
    jq(&project, ".status = \"paused\"");
    project.until("it is paused", || {
        std::fs::read_to_string(project.around().join("daemon")).unwrap().contains("The schedule is paused")
    });
    project.touch("go-A");
    project.until("what runs comes to its end", || {
        let works = project.document()["works"].clone();
        ["A", "BAD", "NEW"].iter().all(|id| works[id]["status"] == "completed")
    });
    assert_eq!(calls("C"), 0, "nothing is started");
    project.touch("go-C");
    jq(&project, ".status = \"running\"");
    for child in &mut all {
        assert_eq!(ended(child), Some(0));
    }
    assert_eq!(project.document()["status"], "completed");
    assert_eq!(["A", "BAD", "C", "NEW"].map(calls), [1, 2, 1, 1]);
}
in_every_shell!(edits_by_hand_are_taken_in);

#[test]
fn callers_that_open_tmux_themselves_are_seen_and_refused_a_second_time() {
    let project = Project::named(HOSTILE, phases(&["one"], "agent"));
    project.script("agent", &format!("{WAITS} echo the agent speaks; await go"));
    project.create(&[("A", &[])]);
    let open = |session: &str, command: String| {
        let mut tmux = program(&project, "tmux");
        let ran = ran(tmux.args(["new-session", "-d", "-s", session, "-e", "VERBOSE=true", &command]));
        assert_eq!(ran.code, 0, "{ran:?}");
    };
    let scripts = scripts();
    open("wf-batch-worker-1", format!("'{}' 1", scripts.join("batch-worker.sh").display()));
    open("wf-batch-scheduler", format!("'{}'", scripts.join("batch-daemon.sh").display()));
    project.until("A runs", || {
        project.tmux(&["capture-pane", "-p", "-t", "=wf-batch-worker-1:"]).out.contains("the agent speaks")
    });
    let summary = project.summary();
    assert_eq!(summary["scheduler"]["session"], "wf-batch-scheduler");
    assert_eq!(
        (&summary["workers"][0]["session"], &summary["workers"][0]["state"]),
        (&json!("wf-batch-worker-1"), &json!("running"))
    );
    assert!(project.ok(&["batch", "status"]).contains("📋 Scheduler: ✅ running (wf-batch-scheduler)"));
    let pid = summary["workers"][0]["pid"].clone();
    let second = ran(program(&project, scripts.join("batch-worker.sh").to_str().unwrap()).arg("1"));
    assert!(
        second.err.starts_with(&format!(
            "ERROR: worker-1 is already running (pid {pid}, session wf-batch-worker-1)\n"
        )),
        "{}",
        second.err
    );
    project.touch("go");
    project.until("both sessions end with the batch", || !project.tmux(&["ls"]).out.contains("wf-batch"));
    assert_eq!(project.state("A"), "completed");
}
