//! One worktree's entry in the repository: the folder `worktrees/NAME` of the common git folder, the file `.git` that
//! points to it, and what can be read in it. Who enters and retires entries is [`super::register`].

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::git::path_of;
use crate::error::{Error, Result};

/// The reason in `locked`; also how wf0 knows a worktree that it made.
pub(super) const REASON: &str = "wf0";
/// In an entry: its worktree is being filled.
pub(super) const MARK: &str = "wf0-making";
/// In an entry: the branch that its worktree was handed out on.
const BRANCH: &str = "wf0-branch";

/// The git folder of the worktree at `path`, as its `.git` names it; `None` where there is no such folder.
pub(super) fn admin_of(path: &Path) -> Option<PathBuf> {
    let dot_git = path.join(".git");
    let admin = if dot_git.is_dir() {
        dot_git
    } else {
        let text = fs::read(&dot_git).ok()?;
        path.join(path_of(text.strip_prefix(b"gitdir: ")?.trim_ascii_end()))
    };
    fs::canonicalize(admin).ok().filter(|admin| admin.join("HEAD").is_file())
}

/// The branch that a rebase or a bisection in progress will come back to.
pub(super) fn branch_kept(admin: &Path) -> Option<String> {
    ["rebase-merge/head-name", "rebase-apply/head-name", "BISECT_START"].iter().find_map(|name| {
        let text = fs::read_to_string(admin.join(name)).ok()?;
        let text = text.trim();
        match text.strip_prefix("refs/heads/") {
            Some(branch) => Some(branch.to_owned()),
            None => (*name == "BISECT_START" && !text.is_empty()).then(|| text.to_owned()),
        }
    })
}

/// What is under way in a worktree, in git's words; `None` where nothing is.
pub(super) fn operation(admin: &Path) -> Option<&'static str> {
    [
        ("rebase-merge", "a rebase"),
        ("rebase-apply", "a rebase"),
        ("MERGE_HEAD", "a merge"),
        ("CHERRY_PICK_HEAD", "a cherry-pick"),
        ("REVERT_HEAD", "a revert"),
        ("sequencer", "a cherry-pick or revert"),
        ("BISECT_LOG", "a bisection"),
    ]
    .into_iter()
    .find(|(name, _)| admin.join(name).exists())
    .map(|(_, words)| words)
}

/// Why the worktree is locked; `None` where it is not.
pub(super) fn lock_reason(admin: &Path) -> Option<String> {
    fs::read_to_string(admin.join("locked")).ok().map(|text| text.trim().to_owned())
}

/// Whether wf0 made the worktree of that entry.
pub(super) fn is_ours(admin: &Path) -> bool {
    lock_reason(admin).as_deref() == Some(REASON)
}

/// Whether the worktree of that entry was being filled when its maker ended.
pub(super) fn is_half_made(admin: &Path) -> bool {
    // Made by git itself (reftable), the entry is there a moment before its mark; there is no index by then.
    admin.join(MARK).exists()
        || (is_ours(admin) && admin.join("reftable").exists() && !admin.join("index").exists())
}

/// Marks a worktree as being filled.
pub(super) fn mark(admin: &Path) -> Result<()> {
    let path = admin.join(MARK);
    fs::write(&path, "").map_err(|error| Error::file("write", &path, &error))
}

/// Takes the mark off.
pub(super) fn unmark(admin: &Path) -> Result<()> {
    let path = admin.join(MARK);
    match fs::remove_file(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(Error::file("delete", &path, &error)),
        _ => Ok(()),
    }
}

/// Notes the branch that a worktree is handed out on.
pub(super) fn note_branch(admin: &Path, branch: &str) -> Result<()> {
    let path = admin.join(BRANCH);
    fs::write(&path, branch).map_err(|error| Error::file("write", &path, &error))
}

/// The branch that a worktree was handed out on last, where that was noted.
pub(super) fn noted_branch(admin: &Path) -> Option<String> {
    fs::read_to_string(admin.join(BRANCH)).ok().filter(|branch| !branch.is_empty())
}

/// The `.git` file of a worktree.
pub(super) fn point_to(admin: &Path, path: &Path) -> Result<()> {
    use std::os::unix::ffi::OsStrExt;
    let mut text = b"gitdir: ".to_vec();
    text.extend_from_slice(admin.as_os_str().as_bytes());
    text.push(b'\n');
    let file = path.join(".git");
    write_through(&file, &text).map_err(|error| Error::file("write", &file, &error))
}

/// Writes a file, through to the disk.
pub(super) fn write_through(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = fs::File::create(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}
