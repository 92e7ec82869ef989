//! The worktrees' entries in the repository, as they come and go.
//!
//! An entry is prepared elsewhere and renamed into its place whole, so that no other git process ever reads half of
//! one. It is retired by deleting its `gitdir`: git passes over it from then on. The rest stays for a while, because
//! a git that was reading the entry, an agent's `git checkout` say, dies where it vanishes under its hands.
//! While a worktree is being filled its entry holds a mark; what carries the mark was never handed to anybody, so it
//! may be made again. All of this happens under the repository's lock, which the caller holds. It knows nothing of
//! branches' contents.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::{CWD, RenameFlags, renameat_with};

use super::entry::{MARK, REASON, admin_of, is_ours, mark, write_through};
use super::git::{Git, path_of};
use super::repository::Repository;
use crate::error::{Error, Result};
use crate::platform::children::Interrupt;

/// Entries on their way in or out, next to `worktrees/`. Whoever holds the lock may delete what lies there.
const ASIDE: &str = "wf0-entry-";
/// How long a retired entry stays for those who were reading it: they need a moment, and far more where the machine
/// gives them no time. Nobody waits for it.
const RETIRED: Duration = Duration::from_secs(60);

impl Repository {
    /// The entry whose worktree is to lie at `path`, whether or not anything lies there.
    pub(super) fn entry_for(&self, path: &Path) -> Option<PathBuf> {
        let dot_git = path.join(".git");
        fs::read_dir(self.common_dir().join("worktrees")).ok()?.flatten().map(|it| it.path()).find(|admin| {
            fs::read(admin.join("gitdir")).is_ok_and(|text| {
                let named = admin.join(path_of(text.trim_ascii_end()));
                named == dot_git
                    || named.parent().and_then(|it| fs::canonicalize(it).ok()).is_some_and(|it| it == path)
            })
        })
    }

    /// Registers a worktree at `path` on `branch`, marked as being filled. The branch must exist, and the lock
    /// be held.
    pub(super) fn register(
        &self,
        path: &Path,
        branch: &str,
        interrupt: &mut dyn Interrupt,
    ) -> Result<PathBuf> {
        self.sweep(RETIRED);
        if self.common_dir().join("reftable").is_dir() {
            return self.register_through_git(path, branch, interrupt);
        }
        let aside = self.common_dir().join(format!("{ASIDE}{}", std::process::id()));
        self.prepare(&aside, path, branch)
            .and_then(|()| self.bring_in(&aside, path))
            .map_err(|error| Error::file("register the worktree", path, &error))
    }

    fn prepare(&self, aside: &Path, path: &Path, branch: &str) -> io::Result<()> {
        use std::os::unix::ffi::OsStrExt;
        fs::create_dir(aside)?;
        let mut gitdir = path.join(".git").as_os_str().as_bytes().to_vec();
        gitdir.push(b'\n');
        // On the disk before the entry is: an empty HEAD after a power cut breaks every worktree command.
        write_through(&aside.join("HEAD"), format!("ref: refs/heads/{branch}\n").as_bytes())?;
        write_through(&aside.join("commondir"), b"../..\n")?;
        write_through(&aside.join("gitdir"), &gitdir)?;
        write_through(&aside.join("locked"), REASON.as_bytes())?;
        write_through(&aside.join(MARK), b"")?;
        self.copy_sparse_settings(aside)
    }

    /// As `git worktree add` does: a sparse checkout stays as sparse in the new worktree.
    fn copy_sparse_settings(&self, aside: &Path) -> io::Result<()> {
        let patterns = self.git_dir().join("info").join("sparse-checkout");
        if patterns.is_file() {
            fs::create_dir(aside.join("info"))?;
            let patterns = without_link(&fs::read(&patterns)?);
            fs::write(aside.join("info").join("sparse-checkout"), patterns)?;
        }
        let settings = self.git_dir().join("config.worktree");
        if settings.is_file() {
            let copy = aside.join("config.worktree");
            fs::copy(&settings, &copy)?;
            for name in ["core.worktree", "core.bare"] {
                // 5, the answer where it is not set, is as good.
                let _ = Git::new(aside, "copy the worktree's settings")
                    .args(["config", "--file"])
                    .arg(&copy)
                    .args(["--unset-all", name])
                    .run(&mut crate::platform::children::Never);
            }
        }
        Ok(())
    }

    fn bring_in(&self, aside: &Path, path: &Path) -> io::Result<PathBuf> {
        let folder = self.common_dir().join("worktrees");
        let base = entry_name(path);
        let mut number = 0_u32;
        loop {
            // git deletes the folder together with its last entry, so it may go at any time.
            match fs::create_dir(&folder) {
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
                _ => {}
            }
            let place = folder.join(if number == 0 { base.clone() } else { format!("{base}{number}") });
            match rename_into_nothing(aside, &place) {
                Ok(()) => return fs::canonicalize(&place),
                Err(error) if error.kind() == io::ErrorKind::NotFound && aside.exists() => {}
                Err(error)
                    if matches!(
                        error.kind(),
                        io::ErrorKind::AlreadyExists | io::ErrorKind::DirectoryNotEmpty
                    ) =>
                {
                    number += 1;
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Where refs lie in reftables an entry is more than a few files, and git has to make it.
    fn register_through_git(
        &self,
        path: &Path,
        branch: &str,
        interrupt: &mut dyn Interrupt,
    ) -> Result<PathBuf> {
        Git::new(self.top(), format!("register the worktree {}", path.display()))
            .without_hooks()
            .args(["worktree", "add", "-q", "--no-checkout", "--lock", "--reason", REASON, "--"])
            .arg(path)
            .arg(branch)
            .output(interrupt)?;
        let admin = admin_of(path).ok_or_else(|| {
            Error::file("find the entry of the worktree", path, &io::ErrorKind::NotFound.into())
        })?;
        mark(&admin)?;
        Ok(admin)
    }

    /// Takes one entry out. The lock must be held.
    pub(super) fn unregister(&self, admin: &Path) -> Result<()> {
        match fs::remove_file(admin.join("gitdir")) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(Error::file("unregister the worktree of", admin, &error));
            }
            _ => {}
        }
        self.sweep(RETIRED);
        Ok(())
    }

    /// Deletes what is left of all entries that were taken out, however short ago: for when no agent is there to be
    /// disturbed.
    ///
    /// # Errors
    /// The lock can't be had.
    pub fn sweep_entries(&self, interrupt: &mut dyn Interrupt) -> Result<()> {
        let _lock = self.lock(interrupt)?;
        self.sweep(Duration::ZERO);
        Ok(())
    }

    /// Deletes entries that were retired that long ago. Harmless where one stays: the next holder of the lock tries
    /// again.
    fn sweep(&self, age: Duration) {
        for (number, admin) in self.retired().into_iter().enumerate() {
            let since =
                fs::metadata(&admin).and_then(|it| it.modified()).ok().and_then(|at| at.elapsed().ok());
            if since.is_some_and(|since| since >= age) {
                let aside = format!("{ASIDE}gone-{}-{number}", std::process::id());
                let _ = fs::rename(&admin, self.common_dir().join(aside));
            }
        }
        self.sweep_aside();
    }

    /// Entries that git passes over, and that were wf0's.
    fn retired(&self) -> Vec<PathBuf> {
        let Ok(folder) = fs::read_dir(self.common_dir().join("worktrees")) else { return Vec::new() };
        let entries = folder.flatten().map(|it| it.path());
        entries.filter(|admin| is_ours(admin) && !admin.join("gitdir").exists()).collect()
    }

    /// Deletes entries that a killed process left on their way.
    fn sweep_aside(&self) {
        let Ok(folder) = fs::read_dir(self.common_dir()) else { return };
        for entry in folder.flatten() {
            if entry.file_name().to_string_lossy().starts_with(ASIDE) {
                // Harmless where it stays: the next holder of the lock tries again.
                let _ = fs::remove_dir_all(entry.path());
            }
        }
    }
}

/// Sparse patterns that leave out `.wf`, in whose place a link will lie: git would check it out over the link.
fn without_link(patterns: &[u8]) -> Vec<u8> {
    // Patterns in this form ("cone") take folders by name only; a negative one would make git warn at each step.
    let by_name = patterns.starts_with(b"/*\n!/*/\n");
    let kept = patterns
        .split_inclusive(|byte| *byte == b'\n')
        .filter(|line| !(by_name && (line.starts_with(b"/.wf/") || line.starts_with(b"!/.wf/"))));
    let mut kept = kept.collect::<Vec<_>>().concat();
    if !by_name {
        kept.extend_from_slice(b"\n!/.wf\n");
    }
    kept
}

/// Renames a folder where nothing lies yet. An empty folder counts as something: git makes it first when it
/// adds a worktree itself.
pub(super) fn rename_into_nothing(from: &Path, to: &Path) -> io::Result<()> {
    match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        Err(rustix::io::Errno::INVAL | rustix::io::Errno::NOSYS | rustix::io::Errno::NOTSUP) => {
            if fs::symlink_metadata(to).is_ok() {
                return Err(io::ErrorKind::AlreadyExists.into());
            }
            fs::rename(from, to)
        }
        other => Ok(other?),
    }
}

/// A name for the entry that git accepts as part of a ref (`worktrees/NAME/HEAD`).
fn entry_name(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let plain: String =
        name.chars().map(|c| if c.is_ascii_alphanumeric() || c == '_' { c } else { '-' }).take(100).collect();
    if plain.trim_matches('-').is_empty() { "work".to_owned() } else { plain }
}
