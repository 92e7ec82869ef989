//! Stopping leaves nothing running; killing loses nothing and runs nothing twice.

mod support;

use std::time::{Duration, Instant};

use serde_json::json;
use support::{Project, WAITS, phases};
use wf0::platform::filelock::FileLock;
use wf0::schedule::WorkerNumber;
use wf0::store::processes::Place;

/// An agent with a child that ignores SIGTERM and one that has left its session, each marked in `pids`.
const STUBBORN: &str = r#"
echo "$WF0_WORK_ID $WF0_PHASE" >> "$AROUND/calls"
trap '' TERM
sh -c 'trap "" TERM; echo $$ >> "$AROUND/pids"; while :; do sleep 1; done' &
setsid sh -c 'echo $$ >> "$AROUND/pids"; while :; do sleep 1; done' &
( setsid env -i sh -c 'while :; do sleep 1; done' & )
echo $$ >> "$AROUND/pids"
await "go-$WF0_WORK_ID"
"#;

fn stubborn(works: &[(&str, &[&str])], tmux: bool) -> Project {
    let mut config = phases(&["one", "two"], "agent");
    config["batch"]["tmux"] = tmux.into();
    let project = Project::new(config);
    project.script("agent", &format!("export AROUND\n{WAITS}{STUBBORN}"));
    project.create(works);
    project
}

fn calls(project: &Project, call: &str) -> usize {
    project.lines("calls").iter().filter(|line| *line == call).count()
}

fn alive(pid: &str) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    !stat.is_empty() && !stat.contains(") Z")
}

fn assert_trees_are_gone(project: &Project) {
    for pid in project.lines("pids") {
        assert!(!alive(&pid), "{pid} lives");
    }
    let loops = support::ran(project.program("pgrep").args(["-f", "while :; do sleep 1; done"])).out;
    let ours: Vec<&str> = loops
        .lines()
        .filter(|pid| {
            let place = std::fs::read_link(format!("/proc/{pid}/cwd")).unwrap_or_default();
            place.starts_with(project.root())
        })
        .collect();
    assert!(ours.is_empty(), "left in the project: {ours:?}");
}

#[test]
fn stop_ends_whole_trees_sessions_and_locks_and_keeps_the_worktrees() {
    for tmux in [true, false] {
        let project = stubborn(&[("A", &[]), ("B", &[]), ("C", &["A"])], tmux);
        project.ok(&["batch", "start", "--parallel", "2"]);
        project.until("both agents are there", || project.lines("pids").len() == 6);
        let begin = Instant::now();
        assert_eq!(project.ok(&["batch", "stop"]), "all: stopped\n");
        assert!(begin.elapsed() < Duration::from_secs(15), "{:?}", begin.elapsed());
        assert_trees_are_gone(&project);
        assert!(project.pids("").is_empty(), "no process is left");
        assert_eq!(project.tmux(&["ls"]).out, "");
        let summary = project.summary();
        assert_eq!(summary["status"], "paused");
        assert_eq!(summary["workers"], json!([]));
        assert_eq!(project.state("A"), "pending");
        assert!(project.root().join(".worktrees/feat-A/.wf").exists());
        assert!(project.root().join(".worktrees/feat-B").exists());
        assert_eq!(project.ok(&["batch", "stop"]), "all: not running\n");

        for work in ["A", "B", "C"] {
            project.touch(&format!("go-{work}"));
        }
        project.ok(&["batch", "resume"]);
        assert_eq!(project.until_over(), "completed");
        assert_trees_are_gone(&project);
    }
}

/// An agent that is ended, at its first call, while its git makes lock files: that of all packed refs, which every commit
/// takes, and one of its worktree.
const LEAVES_LOCKS: &str = r#"
echo "$WF0_WORK_ID" >> "$AROUND/calls"
if [ "$(wc -l < "$AROUND/calls")" = 1 ]; then
    touch "$(git rev-parse --path-format=absolute --git-common-dir)/packed-refs.lock"
    touch "$(git rev-parse --absolute-git-dir)/AUTO_MERGE.lock"
    touch "$AROUND/locked"
    await go
    exit 1
fi
git commit -q --allow-empty -m "$WF0_PHASE"
"#;

/// git would wait a minute for each of them, in every worktree.
#[test]
fn locks_that_a_killed_git_left_hold_nobody_up() {
    for how in ["it is stopped", "its runner is killed", "it fails"] {
        let mut config = phases(&["one"], "agent");
        config["batch"]["tmux"] = false.into();
        let project = Project::new(config);
        project.script("agent", &format!("{WAITS}{LEAVES_LOCKS}"));
        project.create(&[("A", &[]), ("B", &["A"])]);
        project.ok(&["batch", "start"]);
        project.until("the locks are there", || project.around().join("locked").exists());
        let begin = Instant::now();
        match how {
            "it is stopped" => {
                project.ok(&["batch", "stop"]);
                project.ok(&["batch", "resume"]);
            }
            "its runner is killed" => project.kill("batch runner"),
            _ => project.touch("go"),
        }
        assert_eq!(project.until_over(), "completed", "{how}\n{}", project.story());
        assert!(begin.elapsed() < Duration::from_secs(40), "{how}: {:?}", begin.elapsed());
    }
}

#[test]
fn stopping_one_work_leaves_the_others_alone() {
    let project = stubborn(&[("A", &[]), ("B", &[]), ("C", &["A"])], false);
    project.ok(&["batch", "start", "--parallel", "2"]);
    project.until("both agents are there", || project.lines("pids").len() == 6);
    assert_eq!(project.ok(&["batch", "stop", "A"]), "A: stopped\n");
    let status = project.status();
    assert_eq!(status["A"]["state"], "paused");
    assert_eq!(status["B"]["state"], "running");
    assert_eq!(calls(&project, "B one"), 1);
    let said = project.fails(&["batch", "stop", "Bx", "B"]);
    assert!(said.contains("did you mean B"), "{said}");
    assert_eq!(project.state("B"), "running", "a wrong name stops nothing");
    project.touch("go-B");
    assert_eq!(project.until_over(), "paused");
    assert_eq!(project.state("B"), "completed");
    for work in ["A", "C"] {
        project.touch(&format!("go-{work}"));
    }
    project.ok(&["batch", "resume", "A"]);
    assert_eq!(project.until_over(), "completed");
    assert_eq!(calls(&project, "A one"), 2, "the phase that was cut short, again");
    assert_eq!(calls(&project, "B one") + calls(&project, "B two"), 2);
}

#[test]
fn agents_outlive_scheduler_workers_and_tmux_and_nothing_is_run_twice() {
    let project = stubborn(&[("A", &[]), ("B", &[])], true);
    project.ok(&["batch", "start", "--parallel", "2"]);
    project.until("both agents are there", || project.lines("pids").len() == 6);
    let agents = project.lines("pids");

    project.kill("batch worker 1");
    project.until("the scheduler opens the worker again", || {
        project.tmux(&["capture-pane", "-p", "-t", "=wf-batch-worker-1:"]).out.contains("▶ A · one")
            || project.tmux(&["capture-pane", "-p", "-t", "=wf-batch-worker-1:"]).out.contains("▶ B · one")
    });
    let before = project.pids("batch daemon");
    project.kill("batch daemon");
    project.until("a worker opens the scheduler again", || {
        let now = project.pids("batch daemon");
        !now.is_empty() && now != before && project.summary()["scheduler"]["state"] == "running"
    });
    assert!(project.fails(&["batch", "start"]).contains("already serves"));

    let workers = project.pids("batch worker");
    project.tmux(&["kill-server"]);
    project.until("the scheduler opens its workers again", || {
        let now = project.pids("batch worker");
        now.len() == 2 && !now.iter().any(|pid| workers.contains(pid))
    });
    assert!(agents.iter().all(|pid| alive(pid)), "the agents go on");

    project.until("nobody is there but the runners", || {
        let pids =
            [project.pids("batch worker"), project.pids("batch daemon"), project.pids("__relaunch")].concat();
        pids.iter().copied().for_each(support::kill);
        pids.is_empty()
    });
    assert_eq!(project.summary()["workers"][0]["state"], "detached");
    project.touch("go-A");
    project.touch("go-B");
    assert_eq!(project.until_over(), "completed", "the runners go on without anybody");
    for call in ["A one", "A two", "B one", "B two"] {
        assert_eq!(calls(&project, call), 1, "{call}");
    }
    assert_trees_are_gone(&project);
}

#[test]
fn a_killed_runner_takes_its_tree_with_it_and_the_work_goes_on_at_its_phase() {
    let project = stubborn(&[("A", &[])], false);
    project.ok(&["batch", "start", "--parallel", "1"]);
    project.until("the agent is there", || project.lines("pids").len() == 3);
    let before = project.lines("pids");
    project.kill("batch runner");
    project.until("the phase runs again", || calls(&project, "A one") == 2);
    assert!(before.iter().all(|pid| !alive(pid)), "what the first try left is gone before the second begins");
    assert_eq!(project.status()["A"]["attempts"], 1, "an interruption is no failure");
    project.touch("go-A");
    assert_eq!(project.until_over(), "completed");
    assert_eq!(calls(&project, "A two"), 1);
    assert_trees_are_gone(&project);
}

#[test]
fn a_run_is_taken_up_also_where_its_slot_has_another_runner_by_then() {
    let project = stubborn(&[("A", &[])], false);
    project.ok(&["batch", "start", "--parallel", "1"]);
    project.until("the agent is there", || project.lines("pids").len() == 3);
    // While that is held nobody opens the scheduler again. Stopped instead of killed, it might hold what others need.
    let store = project.store();
    let held = FileLock::exclusive(&store.folder().lock("start")).unwrap();
    project.kill("batch daemon");
    let slot = Place::Runner(WorkerNumber::new(1).unwrap());
    let before = project.pids("batch runner");
    project.kill("batch runner");
    project.until("the worker opens another runner", || {
        let serving = project.store().serving(slot).unwrap();
        serving.is_some_and(|runner| !before.contains(&runner.process.pid))
    });
    drop(held);
    project.until("the phase runs again", || calls(&project, "A one") == 2);
    project.touch("go-A");
    assert_eq!(project.until_over(), "completed");
    assert_eq!(calls(&project, "A two"), 1);
    assert_trees_are_gone(&project);
}

#[test]
fn everything_killed_at_once_is_taken_up_by_the_next_start() {
    let project = stubborn(&[("A", &[]), ("B", &["A"])], false);
    project.ok(&["batch", "start", "--parallel", "2"]);
    project.until("the agent is there", || project.lines("pids").len() == 3);
    project.kill_all();
    project.until("only the agent is left", || project.pids(" batch ").is_empty());
    let status = project.summary();
    assert_eq!(status["status"], "running");
    assert_eq!(status["scheduler"]["state"], "stopped");
    project.touch("go-A");
    project.touch("go-B");
    project.ok(&["batch", "start"]);
    assert_eq!(project.until_over(), "completed");
    assert_eq!(calls(&project, "B one"), 1);
    assert_trees_are_gone(&project);
}

#[test]
fn whoever_waits_is_told_when_nobody_is_left_to_go_on() {
    let project = stubborn(&[("A", &[])], false);
    project.ok(&["batch", "start", "--parallel", "1"]);
    project.until("the agent is there", || project.lines("pids").len() == 3);
    let watch = |arguments: &[&str]| {
        project
            .wf0(arguments)
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::piped())
            .spawn()
            .unwrap()
    };
    let mut watching = watch(&["batch", "watch"]);
    project.kill_all();
    assert_eq!(support::ended(&mut watching), Some(1));
    let said = watching.wait_with_output().unwrap().stderr;
    assert!(String::from_utf8_lossy(&said).contains("wf0 batch start"), "{said:?}");
    project.touch("go-A");
    project.ok(&["batch", "start"]);
    assert_eq!(project.until_over(), "completed");
}

#[test]
fn recovery_in_one_project_touches_nothing_of_another() {
    let (one, other) = (stubborn(&[("A", &[])], false), stubborn(&[("A", &[])], false));
    for project in [&one, &other] {
        project.ok(&["batch", "start", "--parallel", "1"]);
        project.until("the agent is there", || project.lines("pids").len() == 3);
    }
    one.kill("batch runner");
    one.until("the phase runs again", || calls(&one, "A one") == 2);
    assert!(other.lines("pids").iter().all(|pid| alive(pid)), "the other project's first run");
    for project in [&one, &other] {
        project.touch("go-A");
        assert_eq!(project.until_over(), "completed");
    }
    assert_eq!(calls(&other, "A one"), 1);
}

#[test]
fn a_runner_that_does_not_obey_is_ended_by_stop_all_the_same() {
    let project = stubborn(&[("A", &[])], false);
    project.ok(&["batch", "start", "--parallel", "1"]);
    project.until("the agent is there", || project.lines("pids").len() == 3);
    // From then on it only waits: stopped in the middle of a change it would hold up everybody's.
    let (store, work) = (project.store(), wf0::schedule::WorkId::new("A").unwrap());
    project.until("its group is noted", || {
        store.attempts(&work).unwrap().last().is_some_and(|attempt| attempt.agent_group.is_some())
    });
    let runner = project.pids("batch runner")[0];
    let pid = rustix::process::Pid::from_raw(i32::try_from(runner).unwrap()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::STOP).unwrap();
    project.ok(&["batch", "stop"]);
    assert!(project.pids("").is_empty());
    assert_trees_are_gone(&project);
    assert_eq!(project.state("A"), "pending");
}

#[test]
fn nobody_waits_for_a_scheduler_that_nobody_opens_again() {
    let project = stubborn(&[("A", &[]), ("B", &["A"])], false);
    let mut worker =
        project.wf0(&["batch", "worker", "1"]).stdout(std::process::Stdio::null()).spawn().unwrap();
    let mut daemon = project.wf0(&["batch", "daemon"]).stdout(std::process::Stdio::null()).spawn().unwrap();
    project.until("the agent is there", || project.lines("pids").len() == 3);
    support::kill(daemon.id());
    daemon.wait().unwrap();
    let mut watching = project.wf0(&["batch", "watch"]).stderr(std::process::Stdio::piped()).spawn().unwrap();
    project.until("it is said", || project.summary()["reason"].to_string().contains("wf0 batch start"));
    assert!(watching.try_wait().unwrap().is_none(), "a phase still runs");
    project.touch("go-A");
    assert_eq!(support::ended(&mut watching), Some(1));
    let said = watching.wait_with_output().unwrap().stderr;
    assert!(String::from_utf8_lossy(&said).contains("wf0 batch start"), "{said:?}");
    assert!(worker.try_wait().unwrap().is_none(), "it waits for another scheduler");
    project.touch("go-B");
    project.ok(&["batch", "start"]);
    assert_eq!(project.until_over(), "completed");
    support::kill(worker.id());
    worker.wait().unwrap();
}

#[test]
fn a_scheduler_and_workers_started_by_hand_end_as_asked() {
    let project = stubborn(&[("A", &[])], false);
    let mut worker =
        project.wf0(&["batch", "worker", "1"]).stdout(std::process::Stdio::null()).spawn().unwrap();
    let mut daemon = project.wf0(&["batch", "daemon"]).stdout(std::process::Stdio::piped()).spawn().unwrap();
    project.until("the agent is there", || project.lines("pids").len() == 3);
    let taken = project.fails(&["batch", "worker", "1"]);
    assert!(taken.contains(&format!("worker-1 is already running (pid {})", worker.id())), "{taken}");
    assert!(project.fails(&["batch", "daemon"]).contains("already serves"));
    let end = |pid: u32| {
        let pid = rustix::process::Pid::from_raw(i32::try_from(pid).unwrap()).unwrap();
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    };
    end(worker.id());
    assert_eq!(support::ended(&mut worker), Some(0));
    assert_trees_are_gone(&project);
    assert_eq!(project.state("A"), "pending", "back, for another worker");

    let mut worker =
        project.wf0(&["batch", "worker", "7"]).stdout(std::process::Stdio::null()).spawn().unwrap();
    project.until("the second worker has it", || calls(&project, "A one") == 2);
    end(daemon.id());
    assert_eq!(support::ended(&mut daemon), Some(0));
    let output = daemon.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        said.contains("[INFO] Assigned A to worker-1") && said.contains("[INFO] Assigned A to worker-7"),
        "{said}"
    );
    assert_eq!(project.summary()["status"], "paused");
    assert_eq!(project.state("A"), "running", "phases come to their end");
    project.touch("go-A");
    project.until("its phase ends", || project.state("A") == "pending");
    assert_eq!(project.status()["A"]["phase"], "two", "what is paused starts none");
    let mut daemon = project.wf0(&["batch", "daemon"]).stdout(std::process::Stdio::null()).spawn().unwrap();
    project.until("the scheduler serves", || project.summary()["scheduler"]["state"] == "running");
    project.ok(&["batch", "stop"]);
    assert_eq!(support::ended(&mut worker), Some(0));
    assert_eq!(support::ended(&mut daemon), Some(0));
}
