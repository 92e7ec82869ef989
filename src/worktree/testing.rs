//! Real repositories in temporary folders, for the tests of this folder.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::git::{Commit, LOCAL_ENVIRONMENT};
use super::order::Dependency;
use super::order::Order;
use super::repository::Repository;
use crate::schedule::id::WorkId;

/// A project: a git repository with a commit on `main` and a `.wf`.
pub(super) struct Project {
    _folder: Option<tempfile::TempDir>,
    pub root: PathBuf,
}

impl Project {
    pub fn new() -> Project {
        Project::named("project")
    }

    /// In a folder of that name, as awkward as may be.
    pub fn named(name: &str) -> Project {
        Project::with(name, &[])
    }

    pub fn with(name: &str, init: &[&str]) -> Project {
        let folder = tempfile::tempdir().unwrap();
        let root = std::fs::canonicalize(folder.path()).unwrap().join(name);
        std::fs::create_dir(&root).unwrap();
        let project = Project { _folder: Some(folder), root };
        project.git(&[&["init", "-q", "-b", "main"], init].concat());
        project.git(&["config", "user.name", "Test"]);
        project.git(&["config", "user.email", "test@localhost"]);
        project.git(&["config", "commit.gpgsign", "false"]);
        std::fs::write(project.root.join("file"), "1\n").unwrap();
        project.git(&["add", "file"]);
        project.git(&["commit", "-q", "-m", "Begin"]);
        std::fs::create_dir(project.root.join(".wf")).unwrap();
        std::fs::write(project.root.join(".wf/config.json"), "{}\n").unwrap();
        project.repository().exclude(&["/.wf", "/.worktrees/"]).unwrap();
        project
    }

    /// One that another process made.
    pub fn at(root: PathBuf) -> Project {
        Project { _folder: None, root }
    }

    pub fn repository(&self) -> Repository {
        Repository::open(&self.root).unwrap()
    }

    /// Runs git in the project; it must succeed.
    pub fn git(&self, args: &[&str]) -> String {
        git_in(&self.root, args)
    }

    pub fn commit(&self, name: &str) -> Commit {
        Commit::new(self.git(&["rev-parse", name]).trim()).unwrap()
    }

    /// A commit with those files on a branch made from `from` if missing; the main tree ends on main.
    pub fn commit_on(&self, branch: &str, from: &str, files: &[(&str, &str)]) -> Commit {
        if self.repository().tip(branch).unwrap().is_none() {
            self.git(&["branch", branch, from]);
        }
        self.git(&["checkout", "-q", "-f", branch]);
        let commit = commit_in(&self.root, files);
        self.git(&["checkout", "-q", "main"]);
        // Where that branch tracks it, the way back to main has deleted it.
        std::fs::create_dir_all(self.root.join(".wf")).unwrap();
        std::fs::write(self.root.join(".wf/config.json"), "{}\n").unwrap();
        commit
    }

    /// What a work of that id asks for; the branch is `feat/` and the rest of the id.
    pub fn order(&self, id: &str, dependencies: &[&str]) -> Order {
        let branch = |id: &str| format!("feat/{}", id.split_once('-').map_or(id, |(_, rest)| rest));
        Order {
            id: WorkId::new(id).unwrap(),
            branch: branch(id),
            path: self.root.join(".worktrees").join(branch(id).replace('/', "-")),
            base: self.repository().base(Some("main")).unwrap(),
            dependencies: dependencies
                .iter()
                .map(|id| Dependency { id: WorkId::new(*id).unwrap(), branch: branch(id) })
                .collect(),
            wf: self.root.join(".wf"),
        }
    }

    pub fn trash(&self) -> PathBuf {
        self.root.join(".worktrees/.trash")
    }
}

/// Commits files in a work tree.
pub(super) fn commit_in(folder: &Path, files: &[(&str, &str)]) -> Commit {
    for (name, text) in files {
        let path = folder.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
        git_in(folder, &["add", "-f", "--", name]);
    }
    git_in(folder, &["commit", "-q", "--allow-empty", "-m", "Change"]);
    Commit::new(git_in(folder, &["rev-parse", "HEAD"]).trim()).unwrap()
}

/// Runs git in a folder; it must succeed.
pub(super) fn git_in(folder: &Path, args: &[&str]) -> String {
    let (ok, text) = try_git_in(folder, args);
    assert!(ok, "git {args:?}: {text}");
    text
}

/// Runs git in a folder and says whether it succeeded, with what it printed.
pub(super) fn try_git_in(folder: &Path, args: &[&str]) -> (bool, String) {
    let mut command = Command::new("git");
    for name in LOCAL_ENVIRONMENT {
        command.env_remove(name);
    }
    let out = command.arg("-C").arg(folder).args(args).output().unwrap();
    let text = [out.stdout, out.stderr].concat();
    (out.status.success(), String::from_utf8_lossy(&text).into_owned())
}
