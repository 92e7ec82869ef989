//! Swapping two files in one step, so that what was there before is never lost unseen.

use std::io;
use std::path::Path;

/// Puts `new` in the place of `current` and leaves what was in `current` under the name `new`, atomically.
///
/// Both must exist on one file system. Where the file system cannot exchange (NFS answers `EINVAL`), the result
/// is `Ok(false)` and nothing has changed: the caller compares and renames, with the small window that leaves.
///
/// # Errors
/// Any other answer of the system, such as a missing `current`.
pub fn exchange(new: &Path, current: &Path) -> io::Result<bool> {
    match swap(new, current) {
        Ok(()) => Ok(true),
        Err(rustix::io::Errno::INVAL | rustix::io::Errno::NOSYS | rustix::io::Errno::NOTSUP) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

#[cfg(any(target_os = "linux", target_vendor = "apple"))]
fn swap(new: &Path, current: &Path) -> rustix::io::Result<()> {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    renameat_with(CWD, new, CWD, current, RenameFlags::EXCHANGE)
}

#[cfg(not(any(target_os = "linux", target_vendor = "apple")))]
fn swap(_new: &Path, _current: &Path) -> rustix::io::Result<()> {
    Err(rustix::io::Errno::NOSYS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_files_change_places() {
        let folder = tempfile::tempdir().unwrap();
        let (a, b) = (folder.path().join("a"), folder.path().join("b"));
        std::fs::write(&a, "new").unwrap();
        std::fs::write(&b, "old").unwrap();
        if exchange(&a, &b).unwrap() {
            assert_eq!(std::fs::read_to_string(&a).unwrap(), "old");
            assert_eq!(std::fs::read_to_string(&b).unwrap(), "new");
        }
        std::fs::remove_file(&b).unwrap();
        assert!(exchange(&a, &b).is_err(), "nothing to exchange with");
    }
}
