//! The engine's own folder and what lies where in it.

use std::io;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::platform::filelock::FileLock;
use crate::schedule::{WorkId, WorkerNumber};

/// `<git dir>/wf0`: the store, locks, bells and logs. Folders have mode 0700, files 0600.
#[derive(Debug, Clone)]
pub struct Folder {
    path: PathBuf,
}

impl Folder {
    /// The folder at `path`, which need not exist.
    pub fn at(path: &Path) -> Folder {
        Folder { path: path.to_owned() }
    }

    /// Makes the folder and those inside it.
    ///
    /// # Errors
    /// [`crate::error::Code::File`].
    pub fn create(path: &Path) -> Result<Folder> {
        for part in ["", "leases", "locks", "bell", "runs", "launch", "archive"] {
            let folder = if part.is_empty() { path.to_owned() } else { path.join(part) };
            make_private(&folder)?;
        }
        Ok(Folder::at(path))
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The store itself.
    pub fn database(&self) -> PathBuf {
        self.path.join("wf0.db")
    }

    /// A lock of the project: `scheduler`, `worker-1`, `runner-1`, `start`, `publish`, `store`, `scripts`.
    pub fn lock(&self, name: &str) -> PathBuf {
        self.path.join("locks").join(format!("{name}.lock"))
    }

    /// Which shell has the lock among scripts.
    pub fn scripts_owner(&self) -> PathBuf {
        self.path.join("locks").join("scripts.owner")
    }

    /// The lock that a worker of that number holds while it lives.
    pub fn worker_lock(&self, worker: WorkerNumber) -> PathBuf {
        self.lock(&worker.to_string())
    }

    /// The lock that the runner of that slot holds while it lives.
    pub fn slot_runner_lock(&self, worker: WorkerNumber) -> PathBuf {
        self.lock(&format!("runner-{}", worker.get()))
    }

    /// Is the runner of this work alive? Held by it, never inherited.
    pub fn runner_lease(&self, work: &WorkId) -> PathBuf {
        self.path.join("leases").join(format!("{work}.runner"))
    }

    /// Is anything left of this work's processes? Inherited by the agent.
    pub fn tree_lease(&self, work: &WorkId) -> PathBuf {
        self.path.join("leases").join(format!("{work}.tree"))
    }

    /// Where bells hang.
    pub fn bell(&self) -> PathBuf {
        self.path.join("bell")
    }

    /// Files that are handed over to processes being opened.
    pub fn launch(&self) -> PathBuf {
        self.path.join("launch")
    }

    /// Schedules that were cleared.
    pub fn archive(&self) -> PathBuf {
        self.path.join("archive")
    }

    /// What a detached process prints.
    pub fn process_log(&self, role: &str) -> PathBuf {
        self.path.join(format!("{role}.log"))
    }

    /// The folder of a work's logs, made if missing.
    ///
    /// # Errors
    /// [`crate::error::Code::File`].
    pub fn logs_of(&self, work: &WorkId) -> Result<PathBuf> {
        let folder = self.path.join("runs").join(work.as_str());
        make_private(&folder)?;
        Ok(folder)
    }

    /// Takes a lock file if nobody has it.
    ///
    /// # Errors
    /// [`crate::error::Code::File`].
    pub fn try_lock(&self, path: &Path) -> Result<Option<FileLock>> {
        FileLock::try_exclusive(path).map_err(|error| Error::file("lock", path, &error))
    }
}

fn make_private(path: &Path) -> Result<()> {
    match std::fs::DirBuilder::new().mode(0o700).recursive(true).create(path) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        Err(error) => return Err(Error::file("create the folder", path, &error)),
    }
    let about = std::fs::metadata(path).map_err(|error| Error::file("look at", path, &error))?;
    if about.permissions().mode() & 0o077 != 0 {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o700))
            .map_err(|error| Error::file("make private", path, &error))?;
    }
    Ok(())
}
