//! Locks that die with their holder: `flock` on a file that is never deleted.
//!
//! A lock belongs to an open file description. Inherited by a child, it stays held until the last process that
//! has it is gone, which is how a runner knows whether anything is left of an agent's tree.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::os::fd::AsFd;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// A held lock; dropping it lets go, unless a child inherited it.
#[derive(Debug)]
pub struct FileLock {
    file: File,
    path: PathBuf,
}

impl FileLock {
    /// Takes the lock on `path` (made if missing, mode 0600) if nobody has it; `None` where somebody does.
    ///
    /// # Errors
    /// The file cannot be opened.
    pub fn try_exclusive(path: &Path) -> io::Result<Option<FileLock>> {
        let file = open(path)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(FileLock { file, path: path.to_owned() })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }

    /// Takes the lock together with any number of other sharers; `None` where somebody holds it alone.
    ///
    /// # Errors
    /// The file cannot be opened.
    pub fn try_shared(path: &Path) -> io::Result<Option<FileLock>> {
        let file = open(path)?;
        match file.try_lock_shared() {
            Ok(()) => Ok(Some(FileLock { file, path: path.to_owned() })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }

    /// Waits for the lock. For locks held for milliseconds only.
    ///
    /// # Errors
    /// The file cannot be opened or locked.
    pub fn exclusive(path: &Path) -> io::Result<FileLock> {
        let file = open(path)?;
        file.lock()?;
        Ok(FileLock { file, path: path.to_owned() })
    }

    /// The file that is locked.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether processes started from now on inherit the lock.
    ///
    /// # Errors
    /// The system refuses to change the descriptor.
    pub fn set_inherited(&self, inherited: bool) -> io::Result<()> {
        let flags = if inherited { rustix::io::FdFlags::empty() } else { rustix::io::FdFlags::CLOEXEC };
        Ok(rustix::io::fcntl_setfd(self.file.as_fd(), flags)?)
    }
}

fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::{Command, Stdio};

    #[test]
    fn a_lock_is_exclusive_and_free_again_once_dropped() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        let held = FileLock::try_exclusive(&path).unwrap().unwrap();
        assert!(FileLock::try_exclusive(&path).unwrap().is_none());
        assert!(FileLock::try_shared(&path).unwrap().is_none());
        drop(held);
        let one = FileLock::try_shared(&path).unwrap().unwrap();
        assert!(FileLock::try_shared(&path).unwrap().is_some());
        assert!(FileLock::try_exclusive(&path).unwrap().is_none());
        drop(one);
    }

    #[test]
    fn an_inherited_lock_lives_as_long_as_the_child() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        let held = FileLock::try_exclusive(&path).unwrap().unwrap();
        held.set_inherited(true).unwrap();
        let mut child = Command::new("cat").stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        held.set_inherited(false).unwrap();
        drop(held);
        assert!(FileLock::try_exclusive(&path).unwrap().is_none(), "the child still has it");
        drop(child.stdin.take());
        child.wait().unwrap();
        assert!(FileLock::try_exclusive(&path).unwrap().is_some());
    }
}
