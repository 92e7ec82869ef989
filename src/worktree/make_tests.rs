//! Tests of making worktrees, on real repositories.

use std::fs;

use super::super::testing::{Project, commit_in, git_in, try_git_in};
use super::*;
use crate::schedule::id::WorkId;

fn status(path: &Path) -> String {
    git_in(path, &["status", "--porcelain", "--untracked-files=all"])
}

pub(super) fn assert_good(order: &Order, made: &Made) {
    assert_eq!(status(&made.path), "");
    assert_eq!(git_in(&made.path, &["symbolic-ref", "--short", "HEAD"]).trim(), order.branch);
    assert_eq!(git_in(&made.path, &["rev-parse", "HEAD"]).trim(), made.head.as_str());
    assert_eq!(fs::canonicalize(made.path.join(".wf")).unwrap(), fs::canonicalize(&order.wf).unwrap());
    let admin = entry::admin_of(&made.path).unwrap();
    assert!(!entry::is_half_made(&admin) && entry::is_ours(&admin));
    assert!(!try_git_in(&made.path, &["add", "-A", "--dry-run"]).1.contains(".wf"));
}

pub(super) fn assert_no_litter(project: &Project) {
    for entry in fs::read_dir(project.repository().common_dir()).unwrap().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        assert!(!name.starts_with("wf0-entry"), "{name}");
    }
}

#[test]
fn a_worktree_stands_on_its_branch_wherever_the_project_lies() {
    for name in ["plain", "with space", "quote ' and \"", "line\nend", "é-日本"] {
        let project = Project::named(name);
        let order = project.order("FEAT-1-a", &[]);
        let made = project.repository().make(&order, &mut Never).unwrap();
        assert_good(&order, &made);
        assert!(!made.reused && made.warnings.is_empty());
        assert_eq!(made.head, project.commit("main"));
        assert_eq!(fs::read_link(made.path.join(".wf")).unwrap(), Path::new("../../.wf"));
        assert_eq!(project.git(&["status", "--porcelain"]), "");
        let again = project.repository().make(&order, &mut Never).unwrap();
        assert!(again.reused);
        assert_eq!(project.repository().checked_out().unwrap()["feat/1-a"], made.path, "{name:?}");
        assert_no_litter(&project);
    }
}

#[test]
fn a_link_out_of_the_project_is_absolute() {
    let project = Project::new();
    let outside = tempfile::tempdir().unwrap();
    let mut order = project.order("FEAT-1-a", &[]);
    order.path = outside.path().join("deep/er/1-a");
    let made = project.repository().make(&order, &mut Never).unwrap();
    assert_good(&order, &made);
    assert_eq!(fs::read_link(made.path.join(".wf")).unwrap(), order.wf);
}

#[test]
fn a_branch_starts_from_what_it_depends_on() {
    let project = Project::new();
    let repository = project.repository();
    let one = project.commit_on("feat/1-a", "main", &[("one", "1")]);
    let two = project.commit_on("feat/2-b", "main", &[("two", "2")]);
    let three = project.commit_on("feat/3-c", "feat/1-a", &[("three", "3")]);
    project.commit_on("main", "main", &[("later", "l")]);

    let single = repository.make(&project.order("FEAT-10-x", &["FEAT-1-a"]), &mut Never).unwrap();
    assert_eq!(single.head, one);

    let order = project.order("FEAT-11-y", &["FEAT-1-a", "FEAT-2-b", "FEAT-3-c"]);
    let several = repository.make(&order, &mut Never).unwrap();
    assert_good(&order, &several);
    for name in ["one", "two", "three", "later"] {
        assert!(several.path.join(name).exists(), "{name}");
    }
    for commit in [&one, &two, &three] {
        assert!(repository.contains(&several.head, commit).unwrap());
    }
    let log = project.git(&["log", "--format=%s|%an", "feat/11-y"]);
    assert!(log.contains("Merge feat/2-b into feat/11-y|Test"), "{log}");
}

#[test]
fn a_dependency_without_a_branch_is_found_by_its_record_or_said_to_be_missing() {
    let project = Project::new();
    let repository = project.repository();
    let done = project.commit_on("feat/1-a", "main", &[("one", "1")]);
    repository.record_done(&WorkId::new("FEAT-1-a").unwrap(), &done).unwrap();
    repository.record_done(&WorkId::new("FEAT-2-b").unwrap(), &project.commit("main")).unwrap();
    project.git(&["branch", "-D", "feat/1-a"]);

    let recorded = repository.make(&project.order("FEAT-10-x", &["FEAT-1-a"]), &mut Never).unwrap();
    assert_eq!(recorded.head, done);
    assert!(recorded.warnings.is_empty());
    let contained = repository.make(&project.order("FEAT-11-x", &["FEAT-2-b"]), &mut Never).unwrap();
    assert_eq!(contained.head, project.commit("main"));
    assert!(contained.warnings.is_empty());
    let by_hand = repository.make(&project.order("FEAT-12-x", &["FEAT-9-z"]), &mut Never).unwrap();
    assert_eq!(by_hand.head, project.commit("main"));
    assert_eq!(by_hand.warnings.len(), 1);
    assert!(by_hand.warnings[0].contains("FEAT-9-z"));
}

#[test]
fn a_conflict_names_the_files_and_leaves_nothing() {
    let project = Project::new();
    project.commit_on("feat/1-a", "main", &[("same", "1")]);
    project.commit_on("feat/2-b", "main", &[("same", "2")]);
    let order = project.order("FEAT-3-c", &["FEAT-1-a", "FEAT-2-b"]);
    let error = project.repository().make(&order, &mut Never).unwrap_err();
    assert_eq!(error.code(), Code::Conflict);
    assert!(error.what().contains("same") && error.what().contains("feat/2-b"), "{}", error.what());
    assert!(error.hint().contains("from feat/1-a"), "{}", error.hint());
    assert!(!order.path.exists());
    assert_eq!(project.repository().tip("feat/3-c").unwrap(), None);
    assert_eq!(project.git(&["worktree", "list"]).lines().count(), 1);
}

#[test]
fn a_branch_that_is_there_is_used_with_what_it_lacks_merged_in() {
    let project = Project::new();
    let repository = project.repository();
    let mine = project.commit_on("feat/2-b", "main", &[("mine", "m")]);
    let one = project.commit_on("feat/1-a", "main", &[("one", "1")]);
    let order = project.order("FEAT-2-b", &["FEAT-1-a"]);
    let made = repository.make(&order, &mut Never).unwrap();
    assert_good(&order, &made);
    assert!(
        repository.contains(&made.head, &mine).unwrap() && repository.contains(&made.head, &one).unwrap()
    );

    // Whole: what a dependency gained is merged while the worktree is clean, and left out while it is not.
    project.commit_on("feat/1-a", "main", &[("more", "1")]);
    fs::write(made.path.join("mine"), "changed").unwrap();
    let dirty = repository.make(&order, &mut Never).unwrap();
    assert!(dirty.reused && dirty.warnings.len() == 1 && dirty.head == made.head);
    assert_eq!(fs::read_to_string(made.path.join("mine")).unwrap(), "changed");
    git_in(&made.path, &["checkout", "-q", "mine"]);
    let clean = repository.make(&order, &mut Never).unwrap();
    assert!(clean.reused && clean.warnings.is_empty() && made.path.join("more").exists());
    assert_good(&order, &clean);

    // An ignored file in the way is not overwritten.
    project.commit_on("feat/1-a", "main", &[("ignored", "theirs")]);
    repository.exclude(&["ignored"]).unwrap();
    fs::write(made.path.join("ignored"), "precious").unwrap();
    let kept = repository.make(&order, &mut Never).unwrap();
    assert_eq!(kept.warnings.len(), 1, "{:?}", kept.warnings);
    assert_eq!(fs::read_to_string(made.path.join("ignored")).unwrap(), "precious");
    assert_good(&order, &kept);
}

#[test]
fn what_is_not_ours_is_never_touched() {
    let project = Project::new();
    let repository = project.repository();
    let order = project.order("FEAT-1-a", &[]);
    fs::create_dir_all(&order.path).unwrap();
    fs::write(order.path.join("note"), "mine").unwrap();
    let error = repository.make(&order, &mut Never).unwrap_err();
    assert_eq!(error.code(), Code::WorktreeTaken);
    assert_eq!(fs::read_to_string(order.path.join("note")).unwrap(), "mine");
    fs::remove_file(order.path.join("note")).unwrap();
    assert!(!repository.make(&order, &mut Never).unwrap().reused, "an empty folder is no hindrance");

    // A branch that somebody else works on.
    let order = project.order("FEAT-2-b", &[]);
    let elsewhere = project.root.join("elsewhere é");
    project.git(&["worktree", "add", "-q", "-b", "feat/2-b", elsewhere.to_str().unwrap()]);
    let error = repository.make(&order, &mut Never).unwrap_err();
    assert_eq!(error.code(), Code::WorktreeTaken);
    assert!(error.what().contains("elsewhere é") && error.what().contains("feat/2-b"));

    // A rebase keeps the branch although HEAD is detached.
    project.git(&["branch", "feat/3-c"]);
    let admin = entry::admin_of(&elsewhere).unwrap();
    git_in(&elsewhere, &["checkout", "-q", "--detach"]);
    fs::create_dir(admin.join("rebase-merge")).unwrap();
    fs::write(admin.join("rebase-merge/head-name"), "refs/heads/feat/3-c\n").unwrap();
    let error = repository.make(&project.order("FEAT-3-c", &[]), &mut Never).unwrap_err();
    assert_eq!(error.code(), Code::WorktreeTaken);

    // A branch in the way of the name, and another repository in the way of the folder.
    project.git(&["branch", "fix"]);
    let mut order = project.order("FIX-4-d", &[]);
    order.branch = "fix/4-d".into();
    let error = repository.make(&order, &mut Never).unwrap_err();
    assert_eq!(error.code(), Code::WorktreeTaken);
    assert!(error.what().contains("'fix'"), "{}", error.what());
    let order = project.order("FEAT-5-e", &[]);
    fs::create_dir_all(&order.path).unwrap();
    git_in(&order.path, &["init", "-q"]);
    assert_eq!(repository.make(&order, &mut Never).unwrap_err().code(), Code::WorktreeTaken);
}

#[test]
fn a_folder_that_was_deleted_is_made_again_and_no_other_entry_is_touched() {
    let project = Project::new();
    let repository = project.repository();
    let (order, other) = (project.order("FEAT-1-a", &[]), project.order("FEAT-2-b", &[]));
    let made = repository.make(&order, &mut Never).unwrap();
    repository.make(&other, &mut Never).unwrap();
    let head = commit_in(&made.path, &[("work", "w")]);
    fs::remove_dir_all(&order.path).unwrap();
    fs::remove_dir_all(&other.path).unwrap();
    let made = repository.make(&order, &mut Never).unwrap();
    assert_eq!(made.head, head);
    assert_good(&order, &made);
    assert!(repository.entry_for(&other.path).is_some(), "a bystander");
    // The same when the configuration has moved the worktrees meanwhile.
    let mut moved = project.order("FEAT-2-b", &[]);
    moved.path = project.root.join(".worktrees/other/place");
    assert_good(&moved, &repository.make(&moved, &mut Never).unwrap());
}

#[test]
fn a_failure_takes_back_what_the_call_made() {
    let project = Project::new();
    project.git(&["config", "filter.broken.smudge", "false"]);
    project.git(&["config", "filter.broken.required", "true"]);
    project.commit_on("feat/1-a", "main", &[(".gitattributes", "bad filter=broken\n")]);
    let tree = project.git(&["hash-object", "-w", "file"]);
    project.git(&["checkout", "-q", "feat/1-a"]);
    project.git(&["update-index", "--add", "--cacheinfo", &format!("100644,{},bad", tree.trim())]);
    project.git(&["commit", "-q", "-m", "Bad"]);
    project.git(&["checkout", "-q", "main"]);
    let order = project.order("FEAT-2-b", &["FEAT-1-a"]);
    let error = project.repository().make(&order, &mut Never).unwrap_err();
    assert_eq!(error.code(), Code::Git);
    assert!(!order.path.exists());
    assert_eq!(project.repository().tip("feat/2-b").unwrap(), None);
    assert_eq!(project.git(&["worktree", "list"]).lines().count(), 1);
}

#[test]
fn where_wf_is_tracked_the_link_takes_its_place_unseen() {
    for sparse in [None, Some("config"), Some("patterns"), Some("cone")] {
        let project = Project::new();
        let repository = project.repository();
        commit_in(&project.root, &[(".wf/config.json", "{}\n"), (".wf/deep/é \"q\"", "x"), ("src/a", "a")]);
        match sparse {
            Some("config") => drop(project.git(&["config", "core.sparseCheckout", "true"])),
            Some("cone") => drop(project.git(&["sparse-checkout", "set", "--cone", ".wf/deep"])),
            Some(_) => drop(project.git(&["sparse-checkout", "set", "--no-cone", "/file", "/.wf"])),
            None => {}
        }
        let order = project.order("FEAT-1-a", &[]);
        let made = repository.make(&order, &mut Never).unwrap();
        assert_good(&order, &made);
        assert_eq!(
            made.path.join("src/a").exists(),
            matches!(sparse, None | Some("config")),
            "as sparse as the project"
        );
        git_in(&made.path, &["reset", "-q", "--hard"]);
        git_in(&made.path, &["checkout", "-q", "-b", "side"]);
        git_in(&made.path, &["checkout", "-q", &order.branch]);
        fs::write(made.path.join("file"), "changed\n").unwrap();
        git_in(&made.path, &["add", "-A"]);
        git_in(&made.path, &["commit", "-q", "-a", "-m", "Change"]);
        assert_eq!(git_in(&made.path, &["show", "--name-only", "--format="]).trim(), "file");
        assert!(fs::symlink_metadata(made.path.join(".wf")).unwrap().is_symlink(), "{sparse:?}");
        assert!(order.wf.join("config.json").exists());

        // The link lost, the folder back: mended, but not where the folder holds something new.
        fs::remove_file(made.path.join(".wf")).unwrap();
        git_in(&made.path, &["update-index", "--no-skip-worktree", ".wf/config.json"]);
        git_in(&made.path, &["checkout", "-f", "--", ".wf/config.json"]);
        fs::write(made.path.join(".wf/new"), "mine").unwrap();
        let error = repository.make(&order, &mut Never).unwrap_err();
        assert_eq!(error.code(), Code::WouldLose);
        assert!(error.what().contains(".wf/new"), "{}", error.what());
        fs::remove_file(made.path.join(".wf/new")).unwrap();
        fs::write(made.path.join(".wf/config.json"), "mine").unwrap();
        assert_eq!(repository.make(&order, &mut Never).unwrap_err().code(), Code::WouldLose);
        git_in(&made.path, &["checkout", "-f", "--", ".wf/config.json"]);
        assert_good(&order, &repository.make(&order, &mut Never).unwrap());
    }
}

#[test]
fn an_interrupt_leaves_nothing_that_hinders() {
    struct Soon(u32);
    impl Interrupt for Soon {
        fn fds(&self) -> Vec<std::os::fd::BorrowedFd<'_>> {
            Vec::new()
        }
        fn raised(&mut self) -> bool {
            self.0 = self.0.saturating_sub(1);
            self.0 == 0
        }
    }
    let project = Project::new();
    project.commit_on("feat/1-a", "main", &[("one", "1")]);
    project.commit_on("feat/2-b", "main", &[("two", "2")]);
    let order = project.order("FEAT-3-c", &["FEAT-1-a", "FEAT-2-b"]);
    for looks in 1..40 {
        match project.repository().make(&order, &mut Soon(looks)) {
            Ok(made) => return assert_good(&order, &made),
            Err(error) => assert_eq!(error.code(), Code::Interrupted, "{error}"),
        }
    }
    panic!("never ready");
}

#[test]
fn many_at_once_disturb_neither_each_other_nor_an_agent_elsewhere() {
    use std::sync::atomic::{AtomicBool, Ordering};
    let project = Project::new();
    let repository = project.repository();
    project.commit_on("feat/1-a", "main", &[("one", "1")]);
    project.commit_on("feat/2-b", "main", &[("two", "2")]);
    let agents = repository.make(&project.order("FEAT-0-agent", &[]), &mut Never).unwrap();
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let agent = scope.spawn(|| {
            let mut failures = Vec::new();
            for number in 0_u32.. {
                for args in [
                    &["branch", &format!("side{number}")][..],
                    &["commit", "-q", "--allow-empty", "-m", "x"],
                    &["checkout", "-q", &format!("side{number}")],
                    &["worktree", "list"],
                    &["worktree", "prune"],
                    &["checkout", "-q", "feat/0-agent"],
                ] {
                    let (ok, text) = try_git_in(&agents.path, args);
                    if !ok {
                        failures.push(format!("{args:?}: {text}"));
                    }
                }
                if over.load(Ordering::Relaxed) {
                    break;
                }
            }
            failures
        });
        let makers: Vec<_> = (0..8)
            .map(|thread| {
                let (project, repository) = (&project, &repository);
                scope.spawn(move || {
                    for round in 0..4 {
                        let id = format!("FEAT-{thread}{round}-same");
                        let order = project.order(&id, &["FEAT-1-a", "FEAT-2-b"]);
                        let made = repository.make(&order, &mut Never).unwrap();
                        assert_good(&order, &made);
                        if round % 2 == 0 {
                            let removed = repository
                                .remove(&made.path, &order.branch, &project.trash(), &mut Never)
                                .unwrap();
                            assert!(matches!(removed, super::super::Removal::Gone(_)), "{removed:?}");
                            super::super::empty_trash(&project.trash()).unwrap();
                        }
                    }
                })
            })
            .collect();
        let outcomes: Vec<_> = makers.into_iter().map(|it| it.join()).collect();
        over.store(true, Ordering::Relaxed);
        assert_eq!(agent.join().unwrap(), Vec::<String>::new());
        assert!(outcomes.iter().all(|it| it.is_ok()));
    });
    assert_no_litter(&project);
    assert_eq!(project.git(&["worktree", "list"]).lines().count(), 2 + 16);
}
