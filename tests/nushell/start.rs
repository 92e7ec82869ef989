//! What is started from Nushell goes on without it, and holds nothing of it.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::Stdio;

use serde_json::json;

use crate::fixture;
use crate::nu::{NU, Running, plugins, ran};
use crate::support::{Project, WAITS, kill, phases};

fn waiting(tmux: bool) -> Project {
    let mut config = phases(&["wf1-kickoff"], "agent");
    config["batch"]["tmux"] = tmux.into();
    let project = Project::new(config);
    project.script("agent", &format!("{WAITS}\nawait go"));
    project.create(&[("A", &[]), ("B", &["A"])]);
    project
}

/// The pipes and sockets that a process has open.
fn channels(pid: u32) -> BTreeSet<String> {
    let open = std::fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten();
    let links = open.filter_map(|entry| std::fs::read_link(entry.path()).ok());
    let names = links.map(|link| link.to_string_lossy().into_owned());
    names.filter(|name| name.starts_with("pipe:") || name.starts_with("socket:")).collect()
}

fn parent(pid: u32) -> u32 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("PPid:")).unwrap();
    line.trim().parse().unwrap()
}

fn returns_at_once_and_leaves_a_scheduler(tmux: bool) {
    let project = waiting(tmux);
    let code = format!(
        "'{}' -n --no-std-lib --plugins '{}' -c 'wf0 batch start | get status' 2>&1 | cat",
        NU.display(),
        plugins()
    );
    let said = ran(project.at_home("sh").args(["-c", &code]));
    assert_eq!(said.out.trim(), "running", "{said:?}");
    assert_eq!(project.pids("batch daemon").len(), 1);
    project.until("the plugin has gone", || project.plugins().is_empty());
    project.touch("go");
    assert_eq!(project.until_over(), "completed");
}

#[test]
fn a_pipe_behind_it_ends_at_once() {
    returns_at_once_and_leaves_a_scheduler(false);
}

#[test]
fn a_pipe_behind_it_ends_at_once_with_tmux() {
    returns_at_once_and_leaves_a_scheduler(true);
}

fn nobody_holds_anything_of_the_session(tmux: bool) {
    let project = waiting(tmux);
    let code = "let s = wf0 batch start; print ($s | to json --raw); while true { sleep 10ms }";
    let mut session = Running::new(project.nu(code).stderr(Stdio::piped()));
    let started: serde_json::Value = serde_json::from_str(&session.line()).unwrap();
    assert_eq!(started["scheduler"]["session"].is_string(), tmux, "{started}");
    let attach: Vec<&str> =
        started["attach"].as_array().unwrap().iter().filter_map(|it| it.as_str()).collect();
    assert_eq!(attach.contains(&"tmux attach -t wf-batch-scheduler"), tmux, "{attach:?}");
    project.until("a phase runs", || !project.pids("bin/agent").is_empty());
    let nu = session.child.id();
    let plugin = project.plugins();
    let shell: BTreeSet<String> = plugin.iter().chain([&nu]).flat_map(|pid| channels(*pid)).collect();
    assert!(!plugin.is_empty() && shell.len() >= 3, "{shell:?}");
    let mut ours = Vec::new();
    for part in ["batch daemon", "batch worker", "batch runner", "bin/agent"] {
        let pids = project.pids(part);
        assert!(!pids.is_empty(), "{part}");
        for pid in pids {
            let shared: Vec<_> = channels(pid).intersection(&shell).cloned().collect();
            assert_eq!(shared, Vec::<String>::new(), "{part} holds them");
            assert!(pid != nu && parent(pid) != nu && !plugin.contains(&parent(pid)), "{part}");
            ours.push(pid);
        }
    }
    kill(nu);
    let _ = session.child.wait();
    project.until("the plugin has gone", || project.plugins().is_empty());
    assert!(!project.pids("batch daemon").is_empty());
    project.touch("go");
    assert_eq!(project.until_over(), "completed");
}

#[test]
fn nobody_holds_anything_of_a_session_that_is_killed() {
    nobody_holds_anything_of_the_session(false);
}

#[test]
fn nobody_holds_anything_of_a_session_that_is_killed_with_tmux() {
    nobody_holds_anything_of_the_session(true);
}

#[test]
fn waiting_gives_the_summary_of_the_end() {
    let project = fixture::fresh();
    let summary = project.nu_value("wf0 batch start --wait --parallel 3");
    assert_eq!(summary["status"], "completed");
    assert_eq!(summary["progress"]["completed"], json!(5));
    assert_eq!(summary["scheduler"]["state"], "stopped");
}

#[test]
fn what_people_should_know_stands_beside_the_data() {
    let project = fixture::fresh();
    let ran = project.nu_ran("wf0 batch start --parallel 99 | get workers | length");
    assert_eq!((ran.code, ran.out.trim()), (0, "5"), "{ran:?}");
    assert_eq!(ran.err.trim(), "wf0: 99 workers were asked for; batch.max_parallel allows 5");
}

/// The project of the one demo that was run.
fn demo(project: &Project) -> PathBuf {
    let folders = std::fs::read_dir(project.around().join("tmp")).unwrap().flatten();
    let mut demos = folders.filter(|it| it.file_name().to_string_lossy().starts_with("wf0-demo-"));
    demos.next().unwrap().path().join("project")
}

#[test]
fn a_demo_that_is_left_is_stopped() {
    for kills in [false, true] {
        let project = Project::scratch("elsewhere");
        if kills {
            let session = Running::new(
                project
                    .nu("wf0 demo --pace 2sec | each {|e| print $e.event } | ignore")
                    .stderr(Stdio::null()),
            );
            session.line();
            kill(session.child.id());
        } else {
            project.nu_ok("wf0 demo --pace 2sec | first 2 | ignore");
        }
        project.until("all of it has ended", || project.pids("").is_empty());
        let root = demo(&project);
        let root = root.to_str().unwrap();
        // Sixty seconds of pretended thinking were left.
        let summary =
            project.nu_value(&format!("wf0 batch status --summary --project '{root}' | get status"));
        assert_eq!(summary, "paused", "killed: {kills}");
    }
}
