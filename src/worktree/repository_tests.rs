//! Tests of finding the repository, its base branch, and of what is excluded.

use super::super::testing::{Project, commit_in, git_in};
use super::*;

#[test]
fn a_folder_that_cannot_hold_worktrees_is_refused_with_the_reason() {
    let folder = tempfile::tempdir().unwrap();
    let code = |path: &Path| Repository::open(path).unwrap_err().code();
    assert_eq!(code(folder.path()), Code::Repository);
    assert_eq!(code(&folder.path().join("missing")), Code::File);
    let bare = folder.path().join("bare");
    std::fs::create_dir(&bare).unwrap();
    git_in(&bare, &["init", "-q", "--bare"]);
    assert_eq!(code(&bare), Code::Repository);
    let empty = folder.path().join("line\nend");
    std::fs::create_dir(&empty).unwrap();
    git_in(&empty, &["init", "-q"]);
    let error = Repository::open(&empty).unwrap_err();
    assert!(error.code() == Code::Repository && error.what().contains("no commit"), "{error}");
    assert_eq!(code(&empty.join(".git")), Code::Repository);

    let project = Project::named("line\nend");
    let below = project.root.join("a\nb/c");
    std::fs::create_dir_all(&below).unwrap();
    let error = Repository::open(&below).unwrap_err();
    assert_eq!(error.code(), Code::ProjectPlace);
    assert!(error.what().ends_with(&format!("that is {}", project.root.display())), "{error}");
    assert_eq!(project.repository().top(), project.root);
    assert_eq!(project.repository().common_dir(), project.root.join(".git"));
    // The project may be a worktree itself.
    let made = project.repository().make(&project.order("FEAT-1-a", &[]), &mut Never).unwrap();
    let inner = Repository::open(&made.path).unwrap();
    assert_eq!(inner.common_dir(), project.repository().common_dir());
    assert_ne!(inner.git_dir(), inner.common_dir());
}

#[test]
fn the_base_is_the_configured_branch_or_origins_or_a_usual_one() {
    let origin = Project::named("origin");
    origin.git(&["branch", "-m", "trunk-\u{e9}"]);
    origin.git(&["branch", "odd"]);
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path().join("clone");
    git_in(folder.path(), &["clone", "-q", origin.root.to_str().unwrap(), "clone"]);
    let repository = Repository::open(&here).unwrap();
    let base = |name: Option<&str>| repository.base(name).unwrap();
    let first = base(None);
    assert_eq!(first.name, "trunk-\u{e9}");

    // Origin further on; then the two apart; then no local branch at all.
    let further = commit_in(&origin.root, &[("more", "m")]);
    git_in(&here, &["fetch", "-q"]);
    assert_eq!(base(None).commit, further);
    git_in(&here, &["config", "user.name", "Test"]);
    git_in(&here, &["config", "user.email", "test@localhost"]);
    let own = commit_in(&here, &[("own", "o")]);
    assert_eq!(base(None).commit, own);
    assert_eq!(base(Some("odd")).commit, first.commit);
    git_in(&here, &["checkout", "-q", "--detach"]);
    assert_eq!(base(None).commit, own, "a detached HEAD hinders nobody");
    let error = repository.base(Some("no*where")).unwrap_err();
    assert_eq!(error.code(), Code::Repository);
    assert!(error.what().contains("no*where") && error.hint().contains("default_base_branch"));

    git_in(&here, &["remote", "remove", "origin"]);
    assert!(repository.base(None).is_err());
    git_in(&here, &["branch", "develop"]);
    assert_eq!(base(None).name, "develop");
    git_in(&here, &["branch", "master"]);
    assert_eq!(base(None).name, "master");
}

#[test]
fn a_completed_works_commit_is_recorded_and_a_missing_branch_has_no_tip() {
    let project = Project::new();
    let repository = project.repository();
    let id = WorkId::new("FEAT-1-a").unwrap();
    repository.record_done(&id, &project.commit("main")).unwrap();
    assert_eq!(project.commit("refs/wf0/done/FEAT-1-a"), project.commit("main"));
    assert_eq!(repository.tip("main").unwrap(), Some(project.commit("main")));
    assert_eq!(repository.tip("mai").unwrap(), None);
    assert_eq!(repository.checked_out().unwrap()["main"], project.root);
}
