//! Programs that are not installed.

use std::ffi::OsStr;
use std::path::PathBuf;

use serde_json::json;

use crate::answers::{holds, meaning, one_phase, refusal, unchanged, with_works};
use crate::support::{Project, Ran, ran};

/// A folder with only these programs in it, for PATH.
fn only(project: &Project, programs: &[&str]) -> PathBuf {
    let folder = project.around().join(format!("only-{}", programs.len()));
    std::fs::create_dir_all(&folder).unwrap();
    for program in programs {
        let path = std::env::var_os("PATH").unwrap();
        let found = std::env::split_paths(&path).map(|it| it.join(program)).find(|it| it.exists()).unwrap();
        let _ = std::os::unix::fs::symlink(found, folder.join(program));
    }
    folder
}

fn run(project: &Project, path: impl AsRef<OsStr>, command: &[&str]) -> Ran {
    ran(project.wf0(command).env("PATH", path))
}

#[test]
fn without_the_agent_nothing_starts() {
    let project = with_works();
    project.config(json!({}));
    let path = only(&project, &["sh", "true", "git"]);
    let before = meaning(&project);
    for command in [&["batch", "start"][..], &["batch", "resume"]] {
        let case = format!("{command:?}");
        let text = refusal(&case, &project, &run(&project, &path, command));
        holds(
            &case,
            &text,
            &["claude, which phase wf1-kickoff runs, is not installed", "help: install Claude Code"],
        );
        unchanged(&case, &project, &before);
    }
    // A plan needs no agent; it says all the same that one will be needed.
    let plan = run(&project, &path, &["batch", "start", "--dry-run"]);
    assert_eq!(plan.code, 0, "{plan:?}");
    holds(
        "plan",
        &plan.err,
        &["claude, which phase wf1-kickoff runs, is not installed: `start` would refuse"],
    );
    let doctor = run(&project, &path, &["doctor"]);
    assert_eq!(doctor.code, 1);
    holds("doctor", &doctor.out, &["❌ agent", "claude, which phase wf1-kickoff runs, is not installed"]);
}

#[test]
fn a_program_of_a_phase_that_is_missing_is_named_with_its_phase() {
    let project = with_works();
    project.config(json!({"batch": {"phases": [{"name": "a", "command": ["no-such-program"]}]}}));
    let before = meaning(&project);
    let text = refusal("start", &project, &project.run(&["batch", "start"]));
    let parts =
        ["no-such-program, which phase a runs, is not installed", "help: install it, or correct the command"];
    holds("start", &text, &parts);
    unchanged("start", &project, &before);
}

#[test]
fn without_git_what_needs_it_says_so_and_the_rest_works() {
    let project = with_works();
    let path = only(&project, &["sh", "true"]);
    let before = meaning(&project);
    for command in
        [&["batch", "start"][..], &["batch", "start", "--dry-run"], &["batch", "resume"], &["init"]]
    {
        let case = format!("{command:?}");
        let text = refusal(&case, &project, &run(&project, &path, command));
        holds(&case, &text, &["git is not installed, or not on PATH", "help: install git"]);
        unchanged(&case, &project, &before);
    }
    let temporary = project.around().join("temporary");
    std::fs::create_dir(&temporary).unwrap();
    let demo = ran(project.wf0(&["demo", "--pace", "1"]).env("PATH", &path).env("TMPDIR", &temporary));
    let demo = refusal("demo", &project, &demo);
    assert_eq!(std::fs::read_dir(&temporary).unwrap().count(), 0);
    holds("demo", &demo, &["git is not installed", "help: install git"]);
    let doctor = run(&project, &path, &["doctor"]);
    assert_eq!(doctor.code, 1);
    holds("doctor", &doctor.out, &["❌ git", "help: install git"]);
    let works: [&[&str]; 11] = [
        &["schedule", "show"],
        &["schedule", "validate"],
        &["schedule", "edit", "FIX-9-typo", "priority=7"],
        &["batch", "status"],
        &["batch", "stop"],
        &["batch", "logs", "FIX-9-typo"],
        &["batch", "watch"],
        &["work", "next"],
        &["work", "claim", "FIX-9-typo", "7"],
        &["work", "release", "7"],
        &["schedule", "clear"],
    ];
    for command in works {
        let done = run(&project, &path, command);
        assert_eq!(done.code, 0, "{command:?}: {done:?}");
    }
}

#[test]
fn without_git_works_run_where_worktrees_are_off() {
    let mut config = one_phase();
    config["worktree"] = json!({"enabled": false});
    let project = Project::plain(config);
    project.create(&[("A-1", &[])]);
    let path = only(&project, &["sh", "true"]);
    let done = run(&project, &path, &["batch", "start", "--wait"]);
    assert_eq!(done.code, 0, "{done:?}");
    assert_eq!(project.state("A-1"), "completed");
}
