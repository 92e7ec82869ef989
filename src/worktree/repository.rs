//! One git repository as wf0 sees it: its folders, its refs, its lock, and who has which branch checked out.
//!
//! Refs are read through git, whatever form they are stored in. It knows nothing of works but the name of the
//! ref that keeps a completed one's commit.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::entry;
use super::git::{Commit, Git, path_of};
use crate::error::{Code, Error, Result};
use crate::platform::children::{Interrupt, Never, wait_readable};
use crate::platform::filelock::FileLock;
use crate::schedule::id::{WorkId, printable, quoted};

/// The git repository that a project lies in.
#[derive(Debug, Clone)]
pub struct Repository {
    top: PathBuf,
    git_dir: PathBuf,
    common_dir: PathBuf,
}

/// What works branch from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Base {
    /// The branch's name.
    pub name: String,
    /// The commit that it stands at, here or at origin, whichever is further.
    pub commit: Commit,
}

/// A worktree that the repository knows of.
#[derive(Debug, Clone)]
pub(super) struct Listed {
    pub path: PathBuf,
    pub branch: Option<String>,
}

/// How long the lock may be another's. It is held for milliseconds; only a stopped process keeps it longer.
const LOCK_PATIENCE: Duration = Duration::from_secs(60);

impl Repository {
    /// The repository whose work tree begins at `root`.
    ///
    /// # Errors
    /// [`Code::Repository`]: no git repository, a bare one, or one without a commit. [`Code::ProjectPlace`]:
    /// the work tree begins further up. [`Code::NoGit`], [`Code::Git`].
    pub fn open(root: &Path) -> Result<Repository> {
        let (repository, has_head) = Self::locate(root)?;
        if has_head || repository.has_commit()? {
            return Ok(repository);
        }
        Err(Error::new(
            Code::Repository,
            format!("the git repository {} has no commit yet", repository.top.display()),
            "commit something first, for instance with `git commit --allow-empty -m Begin`",
        ))
    }

    /// The same, also where nothing has been committed yet.
    ///
    /// # Errors
    /// As [`Repository::open`], but for the missing commit.
    pub fn open_unborn(root: &Path) -> Result<Repository> {
        Self::locate(root).map(|(repository, _)| repository)
    }

    /// Whether the worktree at `path` is whole: its `.git` leads to its entry in this repository, and that one back.
    /// Anything may have happened to it in an agent's hands.
    pub fn is_whole(&self, path: &Path) -> bool {
        self.entry_for(path).is_some_and(|entry| entry::admin_of(path) == Some(entry))
    }

    /// The repository, and whether its HEAD is a commit.
    fn locate(root: &Path) -> Result<(Repository, bool)> {
        let root =
            std::fs::canonicalize(root).map_err(|error| Error::file("open the folder", root, &error))?;
        // `--is-bare-repository` between the paths is a separator: a path may hold line ends, but hardly this.
        let bare = "--is-bare-repository";
        let mut git = Git::new(&root, format!("look at the git repository of {}", root.display()))
            .also_above()
            .reading()
            .args([
                "rev-parse",
                bare,
                "--is-inside-work-tree",
                "--show-prefix",
                bare,
                "--absolute-git-dir",
                bare,
                "--git-common-dir",
                bare,
                "HEAD",
            ]);
        let done = git.run(&mut Never)?;
        if done.stdout.is_empty() {
            let text = String::from_utf8_lossy(&done.stderr);
            return Err(if text.contains("not a git repository") {
                no_repository(&root)
            } else {
                git.failed(&done).with_hint("do what git says, then run the same command again")
            });
        }
        let lines = done.stdout.strip_prefix(b"false\ntrue\n").ok_or_else(|| without_work_tree(&root))?;
        let parts = separated(lines, b"\nfalse\n");
        let [prefix, git_dir, common_dir, _head] = parts.as_slice() else { return Err(git.failed(&done)) };
        if !prefix.is_empty() {
            return Err(not_the_top(&root, &path_of(prefix)));
        }
        let real = |path: &[u8]| {
            let path = root.join(path_of(path));
            std::fs::canonicalize(&path).map_err(|error| Error::file("open the git folder", &path, &error))
        };
        let repository =
            Repository { git_dir: real(git_dir)?, common_dir: real(common_dir)?, top: root.clone() };
        Ok((repository, done.status.success()))
    }

    /// Where the main work tree of the project begins; every symbolic link resolved.
    pub fn top(&self) -> &Path {
        &self.top
    }

    /// The git folder of that work tree.
    pub fn git_dir(&self) -> &Path {
        &self.git_dir
    }

    /// The git folder that all worktrees of the repository share.
    pub fn common_dir(&self) -> &Path {
        &self.common_dir
    }

    /// What works branch from: `configured`, else what origin calls its HEAD, else the first of `main`,
    /// `master` and `develop` that exists. Its commit is the local branch's, or origin's where the local one is
    /// missing or behind.
    ///
    /// # Errors
    /// [`Code::Repository`], naming the branch and the configuration's key.
    pub fn base(&self, configured: Option<&str>) -> Result<Base> {
        let names: Vec<String> = match configured {
            Some(name) => vec![name.to_owned()],
            None => {
                let usual = ["main", "master", "develop"].map(str::to_owned);
                self.origins_head()?.into_iter().chain(usual).collect()
            }
        };
        let asked: Vec<String> = names
            .iter()
            .flat_map(|name| {
                [branch_ref(name), format!("refs/remotes/origin/{name}"), format!("refs/remotes/{name}")]
            })
            .collect();
        let found = self.refs(&asked)?;
        for name in &names {
            let here = found.get(&branch_ref(name));
            let there = found.get(&format!("refs/remotes/origin/{name}"));
            let commit = match (here, there) {
                (Some(here), Some(there)) if here != there && self.contains(there, here)? => there,
                (Some(here), _) => here,
                (None, Some(there)) => there,
                (None, None) => match found.get(&format!("refs/remotes/{name}")) {
                    Some(named) => named,
                    None => continue,
                },
            };
            return Ok(Base { name: name.clone(), commit: commit.clone() });
        }
        let what = match configured {
            Some(name) => {
                format!("the base branch {} does not exist, neither here nor at origin", quoted(name))
            }
            None => "none of the branches main, master and develop exists to branch from".to_owned(),
        };
        Err(Error::new(
            Code::Repository,
            what,
            "set default_base_branch in .wf/config.json to a branch that exists",
        ))
    }

    fn origins_head(&self) -> Result<Option<String>> {
        let out = Git::new(&self.top, "ask for origin's HEAD")
            .reading()
            .args(["for-each-ref", "--format=%(symref)", "refs/remotes/origin/HEAD"])
            .output(&mut Never)?;
        let text = String::from_utf8_lossy(&out);
        Ok(text.trim_end().strip_prefix("refs/remotes/origin/").map(str::to_owned))
    }

    /// The commit of a branch; `None` where there is no such branch.
    ///
    /// # Errors
    /// [`Code::Git`].
    pub fn tip(&self, branch: &str) -> Result<Option<Commit>> {
        let name = branch_ref(branch);
        Ok(self.refs(std::slice::from_ref(&name))?.remove(&name))
    }

    /// Keeps the commit of a completed work in `refs/wf0/done/ID`, so that dependents find it without its branch.
    ///
    /// # Errors
    /// [`Code::Git`].
    pub fn record_done(&self, id: &WorkId, commit: &Commit) -> Result<()> {
        self.free_done(id, &mut Never)?;
        Git::new(&self.top, format!("record the commit of {id}"))
            .args(["update-ref", &done_ref(id), commit.as_str()])
            .output(&mut Never)
            .map(drop)
    }

    /// Which branch is checked out where, the main work tree included, and also where a rebase or a bisection
    /// keeps a branch for its end.
    ///
    /// # Errors
    /// [`Code::Git`].
    pub fn checked_out(&self) -> Result<BTreeMap<String, PathBuf>> {
        Ok(self.worktrees()?.into_iter().filter_map(|it| Some((it.branch?, it.path))).collect())
    }

    /// All worktrees; a branch that an operation in progress will come back to counts as checked out.
    pub(super) fn worktrees(&self) -> Result<Vec<Listed>> {
        let command = |end: &[&str]| {
            Git::new(&self.top, "list the worktrees")
                .reading()
                .args(["worktree", "list", "--porcelain"])
                .args(end)
        };
        let mut git = command(&["-z"]);
        let done = git.run(&mut Never)?;
        let (out, end) = match done.status.code() {
            Some(0) => (done.stdout, 0),
            // Before 2.36 there was no -z.
            Some(129) => (command(&[]).output(&mut Never)?, b'\n'),
            _ => return Err(git.failed(&done)),
        };
        let mut found: Vec<Listed> = Vec::new();
        for line in out.split(|byte| *byte == end) {
            if let Some(path) = line.strip_prefix(b"worktree ") {
                found.push(Listed { path: path_of(path), branch: None });
            } else if let (Some(name), Some(last)) =
                (line.strip_prefix(b"branch refs/heads/"), found.last_mut())
            {
                last.branch = Some(String::from_utf8_lossy(name).into_owned());
            } else if let (b"detached", Some(last)) = (line, found.last_mut()) {
                last.branch = entry::admin_of(&last.path).and_then(|admin| entry::branch_kept(&admin));
            }
        }
        Ok(found)
    }

    /// Takes the lock on the administration of the repository.
    pub(super) fn lock(&self, interrupt: &mut dyn Interrupt) -> Result<FileLock> {
        let path = self.common_dir.join("wf0.lock");
        let until = Instant::now() + LOCK_PATIENCE;
        loop {
            if let Some(lock) =
                FileLock::try_exclusive(&path).map_err(|error| Error::file("lock", &path, &error))?
            {
                return Ok(lock);
            }
            if interrupt.raised() {
                return Err(Error::new(
                    Code::Interrupted,
                    format!("interrupted while waiting for {}", path.display()),
                    "run `wf0 batch resume` to go on",
                ));
            }
            if Instant::now() > until {
                return Err(Error::new(
                    Code::Git,
                    format!("another process has held {} for a minute", path.display()),
                    "see which with `fuser` or `lsof`; it may be stopped (Ctrl-Z), then let it go on or end it",
                ));
            }
            wait_readable(&interrupt.fds(), Duration::from_millis(3));
        }
    }

    /// The commits of those refs that exist.
    pub(super) fn refs(&self, names: &[String]) -> Result<BTreeMap<String, Commit>> {
        let mut found = BTreeMap::new();
        for some in names.chunks(400) {
            let out = Git::new(&self.top, "read the refs")
                .reading()
                .args(["for-each-ref", "--format=%(refname) %(objectname)"])
                .args(some)
                .output(&mut Never)?;
            for line in String::from_utf8_lossy(&out).lines() {
                if let Some((name, commit)) = line.rsplit_once(' ')
                    && some.iter().any(|asked| asked == name)
                {
                    found.insert(name.to_owned(), Commit::new(commit)?);
                }
            }
        }
        Ok(found)
    }

    /// Whether `old` is `new` or an ancestor of it.
    pub(super) fn contains(&self, new: &Commit, old: &Commit) -> Result<bool> {
        if new == old {
            return Ok(true);
        }
        Git::new(&self.top, "compare two commits")
            .reading()
            .args(["merge-base", "--is-ancestor", old.as_str(), new.as_str()])
            .answer(&mut Never)
    }

    /// Moves a branch from `old` (`None`: it must not exist) to `new`, only if it still stands there.
    pub(super) fn move_branch(&self, branch: &str, new: &Commit, old: Option<&Commit>) -> Result<()> {
        let zero = "0".repeat(new.as_str().len());
        let old = old.map_or(zero.as_str(), Commit::as_str);
        let doing = format!("set the branch {} to {new}", quoted(branch));
        Git::new(&self.top, doing)
            .args(["update-ref", "-m", "wf0", &branch_ref(branch), new.as_str(), old])
            .output(&mut Never)
            .map(drop)
    }

    fn has_commit(&self) -> Result<bool> {
        let out = Git::new(&self.top, "look for a commit")
            .reading()
            .args(["for-each-ref", "--count=1", "--format=%(refname)", "refs/heads", "refs/remotes"])
            .output(&mut Never)?;
        Ok(!out.is_empty())
    }
}

/// The full name of a branch.
pub(super) fn branch_ref(branch: &str) -> String {
    format!("refs/heads/{branch}")
}

/// The ref that keeps a completed work's commit.
pub(super) fn done_ref(id: &WorkId) -> String {
    format!("refs/wf0/done/{id}")
}

/// The first few of many names, for a message.
pub(super) fn first_few(names: &[String]) -> String {
    let shown: Vec<String> = names.iter().take(3).map(|name| printable(name)).collect();
    match names.len().saturating_sub(3) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

fn separated<'a>(mut bytes: &'a [u8], by: &[u8]) -> Vec<&'a [u8]> {
    let mut parts = Vec::new();
    while let Some(at) = bytes.windows(by.len()).position(|window| window == by) {
        parts.push(&bytes[..at]);
        bytes = &bytes[at + by.len()..];
    }
    parts.push(bytes);
    parts
}

fn no_repository(root: &Path) -> Error {
    Error::new(
        Code::Repository,
        format!("{} is not in a git repository", root.display()),
        "run `git init` there and commit something, or set worktree.enabled to false in .wf/config.json",
    )
}

fn without_work_tree(root: &Path) -> Error {
    Error::new(
        Code::Repository,
        format!("{} belongs to a bare git repository or lies inside a git folder", root.display()),
        "work in a clone of it that has files",
    )
}

fn not_the_top(root: &Path, prefix: &Path) -> Error {
    let top = root.ancestors().nth(prefix.components().count()).unwrap_or(root);
    Error::new(
        Code::ProjectPlace,
        format!("{} is not the top of its git repository; that is {}", root.display(), top.display()),
        format!("move .wf to {}, or set worktree.enabled to false in .wf/config.json", top.display()),
    )
}

#[cfg(test)]
#[path = "repository_tests.rs"]
mod tests;
