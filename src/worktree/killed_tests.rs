//! Tests of making a worktree whose maker was killed: by steps, and by the system at any moment.

use std::fs;
use std::os::fd::BorrowedFd;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use super::super::testing::{Project, try_git_in};
use super::tests::{assert_good, assert_no_litter};
use super::*;

fn die_at(step: Step, work: impl FnOnce()) {
    DIE_AT.set(Some(step));
    let died = catch_unwind(AssertUnwindSafe(work));
    DIE_AT.set(None);
    assert!(died.is_err(), "{step:?} was never passed");
}

#[test]
fn killed_at_any_step_the_next_call_succeeds() {
    for init in [&[][..], &["--ref-format=reftable"]] {
        if !init.is_empty() && !try_git_in(tempfile::tempdir().unwrap().path(), &[&["init"], init].concat()).0
        {
            continue;
        }
        let project = Project::with("reftable or files", init);
        let repository = project.repository();
        project.commit_on("feat/1-a", "main", &[("one", "1")]);
        project.commit_on("feat/2-b", "main", &[("two", "2"), (".wf/config.json", "{}\n")]);
        let steps =
            [Step::Branch, Step::Registered, Step::Folder, Step::Pointed, Step::CheckedOut, Step::Linked];
        for (number, step) in steps.into_iter().enumerate() {
            let order = project.order(&format!("FEAT-1{number}-x"), &["FEAT-1-a", "FEAT-2-b"]);
            die_at(step, || drop(repository.make(&order, &mut Never)));
            if let Some(admin) = entry::admin_of(&order.path) {
                fs::write(admin.join("index.lock"), "").unwrap();
                fs::write(order.path.join("one"), "half").unwrap();
            }
            project.git(&["worktree", "list"]);
            let made = repository.make(&order, &mut Never).unwrap();
            assert_good(&order, &made);
            assert_eq!(fs::read_to_string(made.path.join("one")).unwrap(), "1");
        }
        assert_no_litter(&project);
    }
}

/// git itself would wait a minute for it, and meanwhile nobody could make a worktree.
#[test]
fn a_lock_of_the_branch_that_a_killed_git_left_holds_nobody_up_for_long() {
    let project = Project::new();
    let repository = project.repository();
    project.commit_on("feat/1-a", "main", &[("one", "1")]);
    let order = project.order("FEAT-2-b", &["FEAT-1-a"]);
    let lock = repository.common_dir().join("refs/heads/feat/2-b.lock");
    fs::write(&lock, "").unwrap();
    let begin = Instant::now();
    let made = repository.make(&order, &mut Never).unwrap();
    assert_good(&order, &made);
    assert!(!lock.exists() && begin.elapsed() < Duration::from_secs(30), "{:?}", begin.elapsed());
    // One that somebody holds is waited for.
    let order = project.order("FEAT-3-c", &["FEAT-1-a"]);
    let lock = repository.common_dir().join("refs/heads/feat/3-c.lock");
    fs::write(&lock, "").unwrap();
    let mut holder = Holder(Some(lock));
    let made = repository.make(&order, &mut holder).unwrap();
    assert_good(&order, &made);
    assert!(holder.0.is_none());
}

/// Takes its lock away at the first look of whoever waits for it.
struct Holder(Option<PathBuf>);

impl Interrupt for Holder {
    fn fds(&self) -> Vec<BorrowedFd<'_>> {
        Vec::new()
    }
    fn raised(&mut self) -> bool {
        if let Some(lock) = self.0.take_if(|lock| lock.exists()) {
            fs::remove_file(lock).unwrap();
        }
        false
    }
}

#[test]
fn killed_while_it_brings_a_worktree_forward_the_next_call_succeeds() {
    for step in [Step::Unlinked, Step::Marked, Step::Forwarded] {
        let project = Project::new();
        let repository = project.repository();
        project.commit_on("feat/1-a", "main", &[("one", "1"), (".wf/config.json", "{}\n")]);
        let order = project.order("FEAT-2-b", &["FEAT-1-a"]);
        repository.make(&order, &mut Never).unwrap();
        project.commit_on("feat/1-a", "main", &[("more", "1"), (".wf/config.json", "{ }\n")]);
        die_at(step, || drop(repository.make(&order, &mut Never)));
        let made = repository.make(&order, &mut Never).unwrap();
        assert_good(&order, &made);
        assert!(made.path.join("more").exists(), "{step:?}");
    }
}

/// Runs itself again as the process that is killed.
#[test]
fn killed_at_any_moment_the_next_call_succeeds() {
    use crate::platform::children::{Waited, wait};
    use crate::platform::tree::{Traces, end};
    use std::os::unix::process::CommandExt;
    use std::process::{Command, Stdio};
    const ROOT: &str = "WF0_TEST_MAKE_IN";
    let order_of = |project: &Project, number: &str| {
        project.order(&format!("FEAT-{number}-x"), &["FEAT-1-a", "FEAT-2-b"])
    };
    if let Some(root) = std::env::var_os(ROOT) {
        let project = Project::at(root.into());
        let number = std::env::var("WF0_TEST_NUMBER").unwrap();
        project.repository().make(&order_of(&project, &number), &mut Never).unwrap();
        return;
    }
    if !cfg!(target_os = "linux") {
        return; // Elsewhere the git that the killed process leaves behind cannot be found.
    }
    let project = Project::new();
    let many: Vec<String> = (0..300).map(|number| format!("many/{number}")).collect();
    let files: Vec<(&str, &str)> = many.iter().map(|name| (name.as_str(), "text\n")).collect();
    project.commit_on("feat/1-a", "main", &files[..150]);
    project.commit_on("feat/2-b", "main", &files[150..]);
    let mut killed = 0;
    for number in 0..40_u64 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "worktree::make::killed::killed_at_any_moment_the_next_call_succeeds"])
            .env(ROOT, &project.root)
            .env("WF0_TEST_NUMBER", number.to_string())
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let moment = Duration::from_millis(2 + number * 2);
        killed += usize::from(wait(&mut child, &mut Never, Some(moment)).unwrap() == Waited::TimedOut);
        child.kill().unwrap();
        child.wait().unwrap();
        let cookie = Some(format!("{ROOT}={}", project.root.display()));
        let left = end(&Traces { cookie, ..Traces::default() }, Duration::from_secs(20));
        assert!(left.is_empty());
        let order = order_of(&project, &number.to_string());
        let (listed, text) = try_git_in(&project.root, &["worktree", "list"]);
        assert!(listed, "{text}");
        let made = project.repository().make(&order, &mut Never).unwrap();
        assert_good(&order, &made);
        assert_eq!(fs::read_dir(made.path.join("many")).unwrap().count(), 300);
    }
    assert!(killed > 5, "{killed} were killed on their way");
    assert_no_litter(&project);
}
