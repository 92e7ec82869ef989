//! Tests of removing worktrees: whatever could be lost keeps them.

use std::os::unix::fs::PermissionsExt;
use std::process::Stdio;

use super::super::make::Made;
use super::super::order::Order;
use super::super::testing::{Project, commit_in, git_in, try_git_in};
use super::*;

fn made(project: &Project) -> (Order, Made) {
    let order = project.order("FEAT-1-a", &[]);
    let made = project.repository().make(&order, &mut Never).unwrap();
    (order, made)
}

fn remove(project: &Project, order: &Order) -> Removal {
    project.repository().remove(&order.path, &order.branch, &project.trash(), &mut Never).unwrap()
}

fn reason(project: &Project, order: &Order) -> String {
    match remove(project, order) {
        Removal::Kept(reason) => {
            assert!(order.path.join(".git").exists());
            reason
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_clean_worktree_goes_with_what_tools_make_again() {
    for name in ["plain", "a ' b\nc é"] {
        let project = Project::named(name);
        project.repository().exclude(&["node_modules/", "*.pyc", "target/", "/.venv"]).unwrap();
        let (order, made) = made(&project);
        let head = commit_in(&made.path, &[("work", "w")]);
        for (file, text) in [
            ("node_modules/a/b", "x"),
            ("packages/x/node_modules/c", "x"),
            ("py/__pycache__/m.pyc", "x"),
            ("target/CACHEDIR.TAG", "Signature: 8a477f597d28d172789f06886806bc55\n# made by a tool"),
            ("target/debug/x", "x"),
        ] {
            let path = made.path.join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        fs::set_permissions(made.path.join("node_modules/a"), fs::Permissions::from_mode(0o500)).unwrap();
        let Removal::Gone(place) = remove(&project, &order) else { panic!("kept") };
        assert!(place.starts_with(project.trash()) && place.join("work").exists());
        assert!(!order.path.exists());
        assert_eq!(project.git(&["worktree", "list", "--porcelain"]).matches("branch").count(), 1);
        assert_eq!(project.repository().tip(&order.branch).unwrap(), Some(head));
        assert_eq!(remove(&project, &order), Removal::Absent);
        super::super::empty_trash(&project.trash()).unwrap();
        assert!(!project.trash().exists());
        assert!(project.root.join(".wf/config.json").exists(), "nothing behind the link");
    }
}

#[test]
fn whatever_could_be_lost_keeps_it() {
    let project = Project::new();
    project.repository().exclude(&["*.env", "target/", "node_modules"]).unwrap();
    let (order, made) = made(&project);
    let at = |name: &str| made.path.join(name);

    fs::write(at("file"), "changed").unwrap();
    assert!(reason(&project, &order).contains("uncommitted changes: file"));
    git_in(&made.path, &["update-index", "--assume-unchanged", "file"]);
    assert!(reason(&project, &order).contains("told not to look at: file"));
    git_in(&made.path, &["update-index", "--no-assume-unchanged", "file"]);
    git_in(&made.path, &["checkout", "-q", "file"]);

    fs::write(at("new é\n'"), "x").unwrap();
    git_in(&made.path, &["config", "status.showUntrackedFiles", "no"]);
    assert!(reason(&project, &order).contains("untracked files: new é"));
    fs::remove_file(at("new é\n'")).unwrap();

    fs::write(at("secret.env"), "x").unwrap();
    assert!(reason(&project, &order).contains("ignored files that may matter: secret.env"));
    fs::remove_file(at("secret.env")).unwrap();
    fs::create_dir(at("target")).unwrap();
    fs::write(at("target/CACHEDIR.TAG"), "not the signature").unwrap();
    assert!(reason(&project, &order).contains("target/"));
    fs::remove_dir_all(at("target")).unwrap();
    fs::write(at("node_modules"), "a file of that name").unwrap();
    assert!(reason(&project, &order).contains("node_modules"));
    fs::remove_file(at("node_modules")).unwrap();

    fs::remove_file(at(".wf")).unwrap();
    fs::create_dir(at(".wf")).unwrap();
    fs::write(at(".wf/state.json"), "{}").unwrap();
    assert!(reason(&project, &order).contains(".wf"));
    fs::remove_dir_all(at(".wf")).unwrap();

    git_in(&made.path, &["checkout", "-q", "--detach"]);
    assert!(reason(&project, &order).contains("not on its branch 'feat/1-a'"));
    git_in(&made.path, &["checkout", "-q", "feat/1-a"]);
    git_in(&made.path, &["bisect", "start"]);
    assert!(reason(&project, &order).contains("a bisection is in progress"));
    git_in(&made.path, &["bisect", "reset"]);

    let admin = entry::admin_of(&made.path).unwrap();
    fs::create_dir_all(admin.join("modules/sub")).unwrap();
    assert!(reason(&project, &order).contains("submodules"));
    fs::remove_dir_all(admin.join("modules")).unwrap();

    git_in(&made.path, &["worktree", "unlock", "."]);
    assert!(reason(&project, &order).contains("unlocked by hand"));
    git_in(&made.path, &["worktree", "lock", "--reason", "mine", "."]);
    assert!(reason(&project, &order).contains("'mine'"));
    fs::write(admin.join("locked"), "wf0").unwrap();

    if cfg!(target_os = "linux") {
        let mut inside = std::process::Command::new("cat")
            .current_dir(&made.path)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        assert_eq!(reason(&project, &order), format!("process {} works in it", inside.id()));
        drop(inside.stdin.take());
        inside.wait().unwrap();
    }
    assert!(matches!(remove(&project, &order), Removal::Gone(_)));
}

#[test]
fn what_is_no_worktree_of_the_repository_is_kept() {
    let project = Project::new();
    let order = project.order("FEAT-1-a", &[]);
    assert_eq!(remove(&project, &order), Removal::Absent);
    fs::create_dir_all(&order.path).unwrap();
    assert!(matches!(remove(&project, &order), Removal::Kept(_)));
    git_in(&order.path, &["init", "-q"]);
    assert!(matches!(remove(&project, &order), Removal::Kept(_)));
}

#[test]
fn a_removal_cut_short_is_finished_by_the_next_one() {
    let project = Project::new();
    let (order, made) = made(&project);
    trash::throw(&made.path, &project.trash()).unwrap();
    assert_eq!(remove(&project, &order), Removal::Absent);
    assert!(project.repository().entry_for(&order.path).is_none());
    let (ok, _) = try_git_in(&project.root, &["branch", "-D", "feat/1-a"]);
    assert!(ok, "git no longer sees it checked out");
}

#[test]
fn a_git_that_reads_the_entry_meanwhile_comes_to_its_end() {
    use std::time::{Duration, SystemTime};
    let project = Project::new();
    let (order, made) = made(&project);
    let admin = entry::admin_of(&made.path).unwrap();
    assert!(matches!(remove(&project, &order), Removal::Gone(_)));
    assert!(!project.git(&["worktree", "list"]).contains("1-a"));
    project.git(&["checkout", "-q", &order.branch]);
    project.git(&["checkout", "-q", "main"]);
    // What git looks at once it has read `gitdir`.
    let common = admin.to_str().unwrap();
    let read = git_in(&project.root, &["--git-dir", common, "rev-parse", "--git-common-dir"]);
    assert_eq!(fs::canonicalize(read.trim()).unwrap(), project.repository().common_dir());
    project.git(&["worktree", "prune"]);
    assert!(admin.join("HEAD").exists() && admin.join("locked").exists(), "nor do agents take it away");

    let again = project.repository().make(&order, &mut Never).unwrap();
    assert!(!again.reused && entry::admin_of(&again.path).unwrap() != admin && admin.exists());
    let past = SystemTime::now() - Duration::from_secs(3600);
    fs::File::open(&admin).unwrap().set_modified(past).unwrap();
    project.repository().make(&project.order("FEAT-2-b", &[]), &mut Never).unwrap();
    assert!(!admin.exists(), "nobody reads for an hour");

    let admin = entry::admin_of(&again.path).unwrap();
    assert!(matches!(remove(&project, &order), Removal::Gone(_)));
    assert!(admin.exists());
    project.repository().sweep_entries(&mut Never).unwrap();
    assert!(!admin.exists());
    assert_eq!(project.git(&["worktree", "list"]).lines().count(), 2);
}
