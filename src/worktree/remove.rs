//! Removing the worktree of a completed work, only where nothing in it could be lost.
//!
//! Everything that is not in a commit on its branch, and cannot be made again by a tool that says so, keeps
//! the worktree, and so does everybody who works in it. Commits stay on the branch, which is never touched.
//! The folder is renamed into the trash; deleting it is for later.

use std::fs;
use std::path::{Component, Path, PathBuf};

use super::entry;
use super::git::Git;
use super::link;
use super::repository::{Repository, branch_ref, first_few};
use super::status::Status;
use super::trash;
use crate::error::Result;
use crate::platform::children::{Interrupt, Never};
use crate::schedule::id::quoted;

/// What became of a worktree that was to be removed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Removal {
    /// It is no worktree any more; its files lie in the trash, at this path.
    Gone(PathBuf),
    /// It stays, for this reason (a part of a sentence: "it has …").
    Kept(String),
    /// There was none.
    Absent,
}

/// Folders that tools fill again; nobody keeps work there.
const DISPOSABLE: &[&str] = &["node_modules", "__pycache__"];
/// How a file `CACHEDIR.TAG` begins, by its specification.
const CACHE_SIGNATURE: &[u8] = b"Signature: 8a477f597d28d172789f06886806bc55";

impl Repository {
    /// Removes the worktree at `path` if it is wf0's, stands on `branch` and holds nothing that could be lost.
    ///
    /// # Errors
    /// git or the file system refuses; the worktree is then still there, or in the trash.
    pub fn remove(
        &self,
        path: &Path,
        branch: &str,
        trash: &Path,
        interrupt: &mut dyn Interrupt,
    ) -> Result<Removal> {
        let path = match fs::canonicalize(path) {
            Ok(path) => path,
            Err(_) => return self.forget(path),
        };
        let Some(admin) =
            entry::admin_of(&path).filter(|admin| self.entry_for(&path).as_ref() == Some(admin))
        else {
            return Ok(Removal::Kept("it is no worktree of this repository".to_owned()));
        };
        if let Some(reason) = self.reason_to_keep(&path, &admin, branch, interrupt)? {
            return Ok(Removal::Kept(reason));
        }
        let _lock = self.lock(interrupt)?;
        let place = trash::throw(&path, trash)?;
        self.unregister(&admin)?;
        Ok(Removal::Gone(place))
    }

    /// The entry of a folder that is gone.
    fn forget(&self, path: &Path) -> Result<Removal> {
        let real = path.parent().and_then(|parent| fs::canonicalize(parent).ok());
        let real = real.zip(path.file_name()).map(|(parent, name)| parent.join(name));
        let path = real.as_deref().unwrap_or(path);
        if let Some(admin) = self.entry_for(path).filter(|admin| entry::is_ours(admin)) {
            let _lock = self.lock(&mut Never)?;
            self.unregister(&admin)?;
        }
        Ok(Removal::Absent)
    }

    fn reason_to_keep(
        &self,
        path: &Path,
        admin: &Path,
        branch: &str,
        interrupt: &mut dyn Interrupt,
    ) -> Result<Option<String>> {
        match entry::lock_reason(admin) {
            Some(_) if entry::is_ours(admin) => {}
            Some(reason) => return Ok(Some(format!("it is locked ({})", quoted(&reason)))),
            None => return Ok(Some("wf0 did not make it, or it was unlocked by hand".to_owned())),
        }
        if let Some(operation) = entry::operation(admin) {
            return Ok(Some(format!("{operation} is in progress")));
        }
        let mut git = Git::new(path, format!("read HEAD of {}", path.display())).reading().args([
            "symbolic-ref",
            "-q",
            "HEAD",
        ]);
        let head = git.run(&mut Never)?;
        if String::from_utf8_lossy(&head.stdout).trim_end() != branch_ref(branch) {
            return Ok(Some(format!("it is not on its branch {}", quoted(branch))));
        }
        if fs::read_dir(admin.join("modules")).is_ok_and(|mut it| it.next().is_some()) {
            return Ok(Some("it has submodules with repositories of their own".to_owned()));
        }
        let status = Status::read(path, interrupt)?;
        if !status.changed.is_empty() {
            return Ok(Some(format!("it has uncommitted changes: {}", first_few(&status.changed))));
        }
        if !status.untracked.is_empty() {
            return Ok(Some(format!("it has untracked files: {}", first_few(&status.untracked))));
        }
        let precious: Vec<String> =
            status.ignored.into_iter().filter(|name| !is_disposable(path, name)).collect();
        if !precious.is_empty() {
            return Ok(Some(format!("it has ignored files that may matter: {}", first_few(&precious))));
        }
        if !fs::symlink_metadata(path.join(link::NAME)).map_or(true, |it| it.is_symlink()) {
            return Ok(Some(format!("it has a {} of its own", link::NAME)));
        }
        let hidden = hidden(path, interrupt)?;
        if !hidden.is_empty() {
            return Ok(Some(format!(
                "it has files that git was told not to look at: {}",
                first_few(&hidden)
            )));
        }
        Ok(process_inside(path).map(|pid| format!("process {pid} works in it")))
    }
}

/// Whether a tool makes an ignored file or folder again.
fn is_disposable(worktree: &Path, name: &str) -> bool {
    let relative = Path::new(name);
    let link = worktree.join(relative);
    if relative == Path::new(link::NAME) {
        return fs::symlink_metadata(link).is_ok_and(|it| it.is_symlink());
    }
    let mut folder = PathBuf::new();
    relative.components().any(|part| {
        let Component::Normal(part) = part else { return false };
        folder.push(part);
        let here = worktree.join(&folder);
        fs::symlink_metadata(&here).is_ok_and(|it| it.is_dir())
            && (DISPOSABLE.iter().any(|name| part == *name)
                || fs::read(here.join("CACHEDIR.TAG")).is_ok_and(|text| text.starts_with(CACHE_SIGNATURE)))
    })
}

/// Files that `git status` is blind for: those with the skip-worktree or assume-unchanged bit, and what lies in
/// a submodule's folder.
fn hidden(worktree: &Path, interrupt: &mut dyn Interrupt) -> Result<Vec<String>> {
    let out = Git::new(worktree, format!("look for hidden files in {}", worktree.display()))
        .reading()
        .args(["ls-files", "-v", "-s", "-z"])
        .output(interrupt)?;
    Ok(out
        .split(|byte| *byte == 0)
        .filter_map(|entry| {
            let at = entry.iter().position(|byte| *byte == b'\t')?;
            let path = super::git::path_of(&entry[at + 1..]);
            let full = worktree.join(&path);
            let submodule = entry.get(2..8) == Some(b"160000");
            let bit = entry.first().is_some_and(|tag| *tag == b'S' || tag.is_ascii_lowercase());
            let there = match (submodule, bit) {
                (true, _) => fs::read_dir(&full).is_ok_and(|mut it| it.next().is_some()),
                (false, true) => !path.starts_with(link::NAME) && fs::symlink_metadata(&full).is_ok(),
                (false, false) => false,
            };
            there.then(|| path.display().to_string())
        })
        .collect())
}

/// A process whose working folder lies in the worktree. Only Linux tells.
fn process_inside(path: &Path) -> Option<u32> {
    fs::read_dir("/proc").ok()?.flatten().find_map(|entry| {
        let pid: u32 = entry.file_name().to_str()?.parse().ok()?;
        fs::read_link(entry.path().join("cwd")).ok()?.starts_with(path).then_some(pid)
    })
}

#[cfg(test)]
#[path = "remove_tests.rs"]
mod tests;
