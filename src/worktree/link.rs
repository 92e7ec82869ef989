//! The link `.wf` of a worktree, which leads to the project's own `.wf`.
//!
//! Untracked, `/.wf` in the common `info/exclude` keeps it out of sight. Where `.wf` is tracked on the branch,
//! a checkout brings a folder of that name: its entries in the index get the skip-worktree bit and the link
//! takes its place. With a sparse checkout git would look through the link and take the bit off again, unless
//! told to expect files outside of its patterns. A merge that touches `.wf` refuses to run while the link is
//! there, so it is taken away for that and made again. Nothing is deleted that git could not bring back.

use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};

use super::git::Git;
use super::repository::{Repository, first_few};
use super::status::Status;
use crate::error::{Code, Error, Result};
use crate::platform::children::{Interrupt, Never};

/// The name in the worktree.
pub(super) const NAME: &str = ".wf";

/// What is known of the files that the link takes the place of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Files {
    /// git has just written every tracked one of them.
    JustCheckedOut,
    /// Somebody may have changed them since.
    Used,
}

impl Repository {
    /// Makes the link, or mends it.
    pub(super) fn link(
        &self,
        worktree: &Path,
        wf: &Path,
        files: Files,
        interrupt: &mut dyn Interrupt,
    ) -> Result<()> {
        let link = worktree.join(NAME);
        let to = self.link_text(worktree, wf);
        let tracked = tracked(worktree, interrupt)?;
        let right = fs::read_link(&link).is_ok_and(|now| now == to);
        if right && tracked.iter().all(|entry| entry.skipped) {
            return Ok(());
        }
        if fs::symlink_metadata(&link).is_ok_and(|it| !it.is_symlink()) {
            refuse_foreign(worktree, &tracked, files, interrupt)?;
        }
        if !tracked.is_empty() {
            self.expect_link_through_sparse_checkout(worktree)?;
            set_bits(worktree, &tracked, "--skip-worktree", interrupt)?;
        }
        if right {
            return Ok(());
        }
        for entry in &tracked {
            delete_file(&worktree.join(&entry.path))?;
        }
        // Only links, and folders that are empty by now, are left to be deleted.
        match fs::symlink_metadata(&link) {
            Ok(it) if it.is_dir() => delete_empty_folders(&link)?,
            Ok(_) => delete_file(&link)?,
            Err(_) => {}
        }
        std::os::unix::fs::symlink(&to, &link).map_err(|error| Error::file("make the link", &link, &error))
    }

    /// Takes the link away and brings back what is tracked in its place, so that git may merge.
    pub(super) fn unlink(&self, worktree: &Path, interrupt: &mut dyn Interrupt) -> Result<()> {
        let link = worktree.join(NAME);
        if !fs::symlink_metadata(&link).is_ok_and(|it| it.is_symlink()) {
            return Ok(());
        }
        let tracked = tracked(worktree, interrupt)?;
        delete_file(&link)?;
        if !tracked.is_empty() {
            set_bits(worktree, &tracked, "--no-skip-worktree", interrupt)?;
            Git::new(worktree, format!("bring back {NAME} in {}", worktree.display()))
                .without_hooks()
                .args(["checkout-index", "-q", "-f", "--"])
                .args(tracked.iter().map(|entry| &entry.path))
                .output(interrupt)?;
        }
        Ok(())
    }

    /// Relative within the project, so that the project can be moved; absolute elsewhere.
    fn link_text(&self, worktree: &Path, wf: &Path) -> PathBuf {
        let wf = fs::canonicalize(wf).unwrap_or_else(|_| wf.to_owned());
        let within = wf.parent().and_then(|root| worktree.strip_prefix(root).ok());
        match (within, wf.file_name()) {
            (Some(within), Some(name)) => {
                let mut to: PathBuf = within.components().map(|_| Component::ParentDir).collect();
                to.push(name);
                to
            }
            _ => wf,
        }
    }

    /// In the worktree's own settings where the repository has such, otherwise in those of the repository.
    fn expect_link_through_sparse_checkout(&self, worktree: &Path) -> Result<()> {
        let is_set = |name: &str| {
            Git::new(worktree, format!("read the setting {name}"))
                .reading()
                .args(["config", "--type=bool", "--get", name])
                .run(&mut Never)
                .map(|done| done.stdout.trim_ascii() == b"true")
        };
        const EXPECT: &str = "sparse.expectFilesOutsideOfPatterns";
        if !is_set("core.sparseCheckout")? || is_set(EXPECT)? {
            return Ok(());
        }
        let place = if is_set("extensions.worktreeConfig")? { "--worktree" } else { "--local" };
        let _lock = self.lock(&mut Never)?;
        Git::new(worktree, format!("set {EXPECT}"))
            .args(["config", place, EXPECT, "true"])
            .output(&mut Never)
            .map(drop)
    }
}

struct Tracked {
    path: PathBuf,
    skipped: bool,
}

fn tracked(worktree: &Path, interrupt: &mut dyn Interrupt) -> Result<Vec<Tracked>> {
    let out = Git::new(worktree, format!("look for tracked files below {NAME}"))
        .reading()
        .args(["ls-files", "-t", "-z", "--", NAME])
        .output(interrupt)?;
    Ok(out
        .split(|byte| *byte == 0)
        .filter_map(|entry| {
            let path = super::git::path_of(entry.get(2..)?);
            Some(Tracked { path, skipped: entry.first() == Some(&b'S') })
        })
        .collect())
}

fn set_bits(worktree: &Path, tracked: &[Tracked], bit: &str, interrupt: &mut dyn Interrupt) -> Result<()> {
    // Far below what one command line may hold, for paths of any length that git accepts.
    for some in tracked.chunks(200) {
        Git::new(worktree, format!("hide the tracked files below {NAME} of {}", worktree.display()))
            .args(["update-index", bit, "--"])
            .args(some.iter().map(|entry| &entry.path))
            .output(interrupt)?;
    }
    Ok(())
}

/// A folder `.wf` may give way only where git has all of it.
fn refuse_foreign(
    worktree: &Path,
    tracked: &[Tracked],
    files: Files,
    interrupt: &mut dyn Interrupt,
) -> Result<()> {
    let mut foreign = untracked_below(worktree, tracked);
    if files == Files::Used && !tracked.is_empty() {
        set_bits(worktree, tracked, "--no-skip-worktree", interrupt)?;
        let changed = Status::read_below(worktree, NAME, interrupt)?.changed;
        // A tracked file that is gone was deleted here, half-way to a link.
        foreign.extend(changed.into_iter().filter(|path| fs::symlink_metadata(worktree.join(path)).is_ok()));
    }
    if foreign.is_empty() {
        return Ok(());
    }
    Err(Error::new(
        Code::WouldLose,
        format!("{} holds files of its own: {}", worktree.join(NAME).display(), first_few(&foreign)),
        format!(
            "move what you need of them into the project's {NAME}, delete the rest, then run the same command again"
        ),
    ))
}

fn untracked_below(worktree: &Path, tracked: &[Tracked]) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![PathBuf::from(NAME)];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = fs::read_dir(worktree.join(&folder)) else {
            if !tracked.iter().any(|it| it.path == folder) {
                found.push(folder.display().to_string());
            }
            continue;
        };
        for entry in entries.flatten() {
            let path = folder.join(entry.file_name());
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                folders.push(path);
            } else if !tracked.iter().any(|it| it.path == path) {
                found.push(path.display().to_string());
            }
        }
    }
    found
}

fn delete_file(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(error) if !matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            Err(Error::file("delete", path, &error))
        }
        _ => Ok(()),
    }
}

fn delete_empty_folders(folder: &Path) -> Result<()> {
    let entries = fs::read_dir(folder).map_err(|error| Error::file("read the folder", folder, &error))?;
    for entry in entries.flatten() {
        delete_empty_folders(&entry.path())?;
    }
    fs::remove_dir(folder).map_err(|error| Error::file("delete the folder", folder, &error))
}
