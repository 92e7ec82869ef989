//! What lies at the place where a worktree is to be, told apart without touching any of it.

use std::fs;
use std::path::{Path, PathBuf};

use super::entry;
use super::repository::{Listed, Repository};
use crate::error::{Code, Error, Result};
use crate::schedule::id::quoted;

/// What lies at the worktree's place.
pub(super) enum Found {
    /// Nothing, or an empty folder.
    Nothing,
    /// An entry in the repository, but no folder.
    EntryOnly(PathBuf),
    /// A worktree of wf0's whose filling was cut short.
    HalfMade(PathBuf),
    /// A worktree that was once handed out, or is somebody else's.
    Whole(PathBuf),
}

impl Repository {
    /// Looks at it; whatever is neither empty nor this worktree is refused.
    pub(super) fn look(&self, path: &Path, listed: &[Listed]) -> Result<Found> {
        let entry = self.entry_for(path);
        if let Some(admin) = &entry
            && entry::is_half_made(admin)
        {
            return Ok(Found::HalfMade(admin.clone()));
        }
        if !path.exists() || is_empty(path) {
            return match entry {
                None => Ok(Found::Nothing),
                Some(admin) => match entry::lock_reason(&admin) {
                    Some(reason) if !entry::is_ours(&admin) => Err(taken(
                        format!(
                            "the worktree {} is missing but locked by somebody ({})",
                            path.display(),
                            quoted(&reason)
                        ),
                        format!("bring it back, or run `git worktree unlock {}`", path.display()),
                    )),
                    _ => Ok(Found::EntryOnly(admin)),
                },
            };
        }
        let named = entry::admin_of(path);
        match (entry, named) {
            (Some(entry), Some(named)) if entry == named => Ok(Found::Whole(named)),
            (_, Some(_)) if listed.iter().any(|it| it.path == path) => Err(taken(
                format!("{} is a work tree of its own", path.display()),
                "set worktree.root_dir in .wf/config.json to another folder".to_owned(),
            )),
            (_, Some(_)) => Err(taken(
                format!("{} belongs to another worktree or repository", path.display()),
                format!(
                    "move it away, or run `git worktree repair` in {}, if it was moved here",
                    path.display()
                ),
            )),
            (_, None) => Err(taken(
                format!(
                    "{} is in the way: it is not empty and no worktree of this repository",
                    path.display()
                ),
                "move it away, or delete it if nothing in it is needed".to_owned(),
            )),
        }
    }
}

/// Where the worktree really lies, its parent folder made.
pub(super) fn place(path: &Path) -> Result<PathBuf> {
    if let Ok(real) = fs::canonicalize(path) {
        return Ok(real);
    }
    let (Some(parent), Some(name), true) = (path.parent(), path.file_name(), path.is_absolute()) else {
        return Err(Error::file("make a worktree at", path, &std::io::ErrorKind::InvalidInput.into()));
    };
    if fs::symlink_metadata(path).is_ok() {
        return Err(taken(
            format!("{} is a symbolic link that leads nowhere", path.display()),
            "delete it, or make what it leads to".to_owned(),
        ));
    }
    fs::create_dir_all(parent).map_err(|error| Error::file("create the folder", parent, &error))?;
    let parent = fs::canonicalize(parent).map_err(|error| Error::file("open the folder", parent, &error))?;
    Ok(parent.join(name))
}

fn is_empty(path: &Path) -> bool {
    fs::read_dir(path).is_ok_and(|mut entries| entries.next().is_none())
}

/// The error for what belongs to something else.
pub(super) fn taken(what: String, hint: String) -> Error {
    Error::new(Code::WorktreeTaken, what, hint)
}
