//! Repositories that works can't branch from, or whose branches and folders are in use.

use serde_json::json;

use crate::answers::{holds, meaning, one_phase, refusal, unchanged};
use crate::support::Project;

/// `start`, `start --dry-run` and `resume` refuse, and nothing is changed.
#[track_caller]
fn keeps_from_starting(project: &Project, parts: &[&str]) {
    project.create(&[("FEAT-1-a", &[])]);
    let before = meaning(project);
    for command in [&["batch", "start", "--dry-run"][..], &["batch", "start"], &["batch", "resume"]] {
        let case = format!("{command:?}");
        holds(&case, &refusal(&case, project, &project.run(command)), parts);
        unchanged(&case, project, &before);
    }
    let doctor = project.run(&["doctor"]);
    if doctor.code == 0 {
        // Only `start` looks at the branches of works.
        assert!(parts[0].contains("checked out"), "{doctor:?}");
    }
}

#[test]
fn a_folder_that_is_no_repository() {
    let project = Project::plain(one_phase());
    keeps_from_starting(&project, &["~/project is not in a git repository", "help: run `git init` there"]);
}

#[test]
fn a_repository_without_a_commit() {
    let project = Project::unborn("project", one_phase());
    keeps_from_starting(&project, &["~/project has no commit yet", "help: commit something first"]);
}

#[test]
fn no_branch_to_begin_from() {
    let project = Project::new(one_phase());
    project.git(&["branch", "-m", "trunk"]);
    keeps_from_starting(
        &project,
        &["none of the branches main, master and develop", "help: set default_base_branch"],
    );
    for name in ["nowhere", "-x", "a b", "\u{1b}[31m", "main..main", "HEAD"] {
        let mut config = one_phase();
        config["default_base_branch"] = json!(name);
        project.config(config);
        let shown = if name.starts_with('\u{1b}') { r"\u{1b}[31m" } else { name };
        let what = format!("the base branch '{shown}' does not exist, neither here nor at origin");
        keeps_from_starting(&project, &[&what, "help: set default_base_branch in .wf/config.json"]);
    }
}

#[test]
fn a_branch_that_is_checked_out_elsewhere() {
    let project = Project::new(one_phase());
    let elsewhere = project.around().join("elsewhere");
    project.git(&["worktree", "add", "-q", "-b", "feat/1-a", elsewhere.to_str().unwrap()]);
    keeps_from_starting(
        &project,
        &[
            "branch feat/1-a of 'FEAT-1-a' is checked out in ~/elsewhere",
            "help: check out another branch there",
        ],
    );
}

#[test]
fn a_project_below_the_top_of_its_repository() {
    let project = Project::new(one_phase());
    std::fs::create_dir_all(project.root().join("below/.wf")).unwrap();
    project.write("below/.wf/config.json", one_phase().to_string());
    let below = project.root().join("below");
    let mut create = project.wf0(&["schedule", "create", "local=A-1"]);
    assert!(create.current_dir(&below).stdout(std::process::Stdio::null()).status().unwrap().success());
    let started = crate::support::ran(project.wf0(&["batch", "start"]).current_dir(&below));
    let text = refusal("below", &project, &started);
    holds(
        "below",
        &text,
        &["~/project/below is not the top of its git repository; that is ~/project", "help: move .wf"],
    );
}

#[test]
fn a_detached_head_is_no_trouble() {
    let project = Project::new(one_phase());
    project.git(&["checkout", "-q", "--detach"]);
    project.create(&[("FEAT-1-a", &[])]);
    project.ok(&["batch", "start", "--wait"]);
    assert_eq!(project.state("FEAT-1-a"), "completed");
    assert_eq!(project.git(&["rev-parse", "--abbrev-ref", "HEAD"]), "HEAD\n");
}

#[test]
fn what_is_in_a_works_way_fails_that_work_with_its_name_and_stays() {
    type Make = fn(&Project);
    let cases: [(&str, Make); 4] = [
        ("the branch 'feat' keeps 'feat/1-a' from being created", |project| {
            project.git(&["branch", "feat"]);
        }),
        ("feat/1-a/x", |project| {
            project.git(&["branch", "feat/1-a/x"]);
        }),
        ("/.worktrees/feat-1-a is in the way", |project| {
            std::fs::create_dir_all(project.root().join(".worktrees/feat-1-a")).unwrap();
            project.write(".worktrees/feat-1-a/mine", "x");
        }),
        ("/.worktrees", |project| project.write(".worktrees", "mine")),
    ];
    for (part, make) in cases {
        let mut config = one_phase();
        config["batch"]["max_step_failures"] = json!(1);
        let project = Project::new(config);
        make(&project);
        project.create(&[("FEAT-1-a", &[])]);
        let refs = project.git(&["for-each-ref"]);
        let files = project.git(&["ls-files", "--others", "--ignored", "--exclude-standard", ".worktrees"]);
        let done = project.run(&["batch", "start", "--wait"]);
        assert_eq!(done.code, 1, "{part}: {done:?}");
        let row = project.status().remove("FEAT-1-a").unwrap();
        assert_eq!(row["state"], "failed", "{part}: {row}");
        let error = row["error"].as_str().unwrap();
        assert!(error.contains(part) && !error.contains("os error"), "{part}: {error}");
        assert_eq!(project.git(&["for-each-ref"]), refs, "{part}");
        let left = project.git(&["ls-files", "--others", "--ignored", "--exclude-standard", ".worktrees"]);
        assert_eq!(left, files, "{part}");
    }
}
