//! The folder in which removed worktrees wait to be deleted.
//!
//! A rename takes a moment, a deletion seconds: who holds a lock renames, and deletes once the lock is free.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::register::rename_into_nothing;
use crate::error::{Error, Result};

/// Moves `path` into `trash`, which is made if missing, under a name that nothing else there has.
pub(super) fn throw(path: &Path, trash: &Path) -> Result<PathBuf> {
    let name = path.file_name().unwrap_or_default().to_os_string();
    for number in 0_u32.. {
        fs::create_dir_all(trash).map_err(|error| Error::file("create the folder", trash, &error))?;
        let mut unique = name.clone();
        unique.push(format!(".{}.{number}", std::process::id()));
        let place = trash.join(unique);
        match rename_into_nothing(path, &place) {
            Ok(()) => return Ok(place),
            // Somebody emptied the trash and took the folder with it.
            Err(error) if error.kind() == io::ErrorKind::NotFound && path.exists() => {}
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::AlreadyExists | io::ErrorKind::DirectoryNotEmpty
                ) => {}
            Err(error) => return Err(Error::file("move into the trash", path, &error)),
        }
    }
    Err(Error::file("move into the trash", path, &io::ErrorKind::AlreadyExists.into()))
}

/// Deletes all that the trash holds, folders without write permission included, and the trash itself. Several
/// processes may do so at once. No symbolic link is followed.
///
/// # Errors
/// The first thing that could not be deleted; everything else has been.
pub fn empty_trash(trash: &Path) -> Result<()> {
    let entries = match fs::read_dir(trash) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        other => other.map_err(|error| Error::file("read the folder", trash, &error))?,
    };
    let mut first = None;
    for entry in entries.flatten() {
        let path = entry.path();
        if let Err(error) = delete(&path) {
            first.get_or_insert(Error::file("delete", &path, &error));
        }
    }
    if let Some(error) = first {
        return Err(error);
    }
    match fs::remove_dir(trash) {
        Err(error) if !matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::DirectoryNotEmpty) => {
            Err(Error::file("delete the folder", trash, &error))
        }
        _ => Ok(()),
    }
}

fn delete(path: &Path) -> io::Result<()> {
    match delete_once(path) {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            open_up(path);
            delete_once(path)
        }
        // Another process deletes the same; what it left between our looks goes with a second one.
        Err(error) if error.kind() == io::ErrorKind::DirectoryNotEmpty => delete_once(path),
        other => other,
    }
}

fn delete_once(path: &Path) -> io::Result<()> {
    let deleted = match fs::symlink_metadata(path) {
        Ok(it) if it.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
        Err(error) => Err(error),
    };
    match deleted {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

/// Gives the owner every permission on all folders below. What cannot be changed shows in the deletion.
fn open_up(path: &Path) {
    let mut folders = vec![path.to_owned()];
    while let Some(folder) = folders.pop() {
        let _ = fs::set_permissions(&folder, fs::Permissions::from_mode(0o700));
        let Ok(entries) = fs::read_dir(&folder) else { continue };
        folders.extend(
            entries.flatten().filter(|it| it.file_type().is_ok_and(|kind| kind.is_dir())).map(|it| it.path()),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn read_only_folders_and_links_are_deleted_and_nothing_behind_a_link() {
        let folder = tempfile::tempdir().unwrap();
        let outside = folder.path().join("outside");
        fs::create_dir(&outside).unwrap();
        fs::write(outside.join("kept"), "x").unwrap();
        let tree = folder.path().join("tree\n\u{e9} '\"");
        fs::create_dir_all(tree.join("a/b")).unwrap();
        fs::write(tree.join("a/b/c"), "x").unwrap();
        std::os::unix::fs::symlink(&outside, tree.join("link")).unwrap();
        fs::set_permissions(tree.join("a/b/c"), fs::Permissions::from_mode(0o400)).unwrap();
        fs::set_permissions(tree.join("a/b"), fs::Permissions::from_mode(0o500)).unwrap();
        fs::set_permissions(tree.join("a"), fs::Permissions::from_mode(0o000)).unwrap();
        let trash = folder.path().join("trash");
        let place = throw(&tree, &trash).unwrap();
        assert!(place.starts_with(&trash) && place.exists() && !tree.exists());
        open_up(&place);
        empty_trash(&trash).unwrap();
        empty_trash(&trash).unwrap();
        assert!(!trash.exists() && outside.join("kept").exists());
    }
}
