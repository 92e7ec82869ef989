//! The truth: which works there are, who has them, what happened. SQLite in the git folder, shared by all processes.
//!
//! Whoever changes something does so in one transaction and then rings a bell. Every acknowledged change is durable
//! (WAL with `synchronous=FULL`). What other programs see of it is `.wf/schedule.json`, published from here.

pub mod attempts;
pub mod bell;
pub mod content;
pub mod create;
pub mod edges;
pub mod edit;
pub mod events;
pub mod folder;
pub mod history;
pub mod intake;
mod overlay;
pub mod processes;
pub mod publish;
mod renew;
pub mod runs;
mod schema;
pub mod works;

use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use rusqlite::{Connection, OpenFlags, Transaction, TransactionBehavior};

use crate::error::{Code, Error, Result};
use crate::platform::filelock::FileLock;
use crate::project::Project;

pub use folder::Folder;

/// The open store of a project.
#[derive(Debug)]
pub struct Store {
    connection: Connection,
    folder: Folder,
    project: Project,
    /// Held shared by every process that has the store open: a migration needs it alone.
    _in_use: Option<FileLock>,
    /// A copy in which looking changes nothing of the project; gone with the store.
    _copy: Option<tempfile::TempDir>,
}

/// One transaction.
#[derive(Debug)]
pub struct Change<'a> {
    sql: Transaction<'a>,
    now: Timestamp,
    rev: i64,
}

impl Store {
    /// Opens the project's store, making it where there is none and bringing it up to date where it is older.
    ///
    /// # Errors
    /// [`Code::Store`], [`Code::StoreVersion`], [`Code::File`].
    pub fn open(project: &Project) -> Result<Store> {
        let folder = Folder::create(&project.engine_folder()?)?;
        let lock = folder.lock("store");
        let path = folder.database();
        let io = |error| Error::file("lock", &lock, &error);
        let shared = FileLock::try_shared(&lock).map_err(io)?;
        make_private_file(&path)?;
        let connection = connect(&path, &path, OpenFlags::default())?;
        let found = version(&connection, &path)?;
        let in_use = if found == schema::VERSION {
            match shared {
                Some(shared) => shared,
                // Somebody migrates or creates it this very moment: wait for that to end.
                None => {
                    drop(FileLock::exclusive(&lock).map_err(io)?);
                    return Self::open(project);
                }
            }
        } else {
            drop(shared);
            Self::migrate(&connection, &folder, found)?;
            return Self::open(project);
        };
        Ok(Store { connection, folder, project: project.clone(), _in_use: Some(in_use), _copy: None })
    }

    fn migrate(connection: &Connection, folder: &Folder, found: u32) -> Result<()> {
        let path = folder.database();
        if found > schema::VERSION {
            return Err(Error::new(
                Code::StoreVersion,
                format!(
                    "{} was written by a newer wf0 (version {found}, this one knows {})",
                    path.display(),
                    schema::VERSION
                ),
                "use the newer wf0, or remove that file to begin again from schedule.json",
            ));
        }
        let lock = folder.lock("store");
        let io = |error| Error::file("lock", &lock, &error);
        let alone = if found == 0 {
            // Nobody can be at work in a store that has never been made; those who also make it take turns.
            FileLock::exclusive(&lock).map_err(io)?
        } else {
            FileLock::try_exclusive(&lock).map_err(io)?.ok_or_else(|| {
                Error::new(
                    Code::StoreVersion,
                    format!("{} is in use by processes of an older wf0", path.display()),
                    "end them with the older `wf0 batch stop`, then run this again",
                )
            })?
        };
        let now = version(connection, &path)?;
        if now < schema::VERSION {
            schema::migrate(connection, now).map_err(|error| cannot("bring up to date", &path, &error))?;
        }
        drop(alone);
        Ok(())
    }

    /// Opens what there is for looking only, without changing a byte of the project. `None` where there is no store.
    ///
    /// While processes of the project live, the store is read beside them. Otherwise a copy outside the project is
    /// read, because SQLite itself would tidy up what a killed process left.
    ///
    /// # Errors
    /// [`Code::Store`], [`Code::StoreVersion`], [`Code::File`].
    pub fn look(project: &Project) -> Result<Option<Store>> {
        let folder = Folder::at(&project.engine_folder()?);
        let path = folder.database();
        if !path.exists() {
            return Ok(None);
        }
        let lock = folder.lock("store");
        let alone = if lock.exists() {
            FileLock::try_exclusive(&lock).map_err(|error| Error::file("lock", &lock, &error))?
        } else {
            None
        };
        let (connection, copy) = match &alone {
            None => {
                let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
                (connect(&path, &path, flags)?, None)
            }
            Some(_) => {
                let copy = tempfile::tempdir()
                    .map_err(|error| Error::file("make a folder in", &std::env::temp_dir(), &error))?;
                for suffix in ["", "-wal"] {
                    let mut from = path.clone().into_os_string();
                    from.push(suffix);
                    let from = std::path::PathBuf::from(from);
                    if from.exists() {
                        let to = copy.path().join(format!("wf0.db{suffix}"));
                        std::fs::copy(&from, &to).map_err(|error| Error::file("copy", &from, &error))?;
                    }
                }
                (connect(&copy.path().join("wf0.db"), &path, OpenFlags::default())?, Some(copy))
            }
        };
        drop(alone);
        let found = version(&connection, &path)?;
        if found != schema::VERSION {
            return if found == 0 {
                Ok(None)
            } else {
                Err(Error::new(
                    Code::StoreVersion,
                    format!("{} has version {found}, this wf0 knows {}", path.display(), schema::VERSION),
                    "run `wf0 batch status` with the right wf0 first",
                ))
            };
        }
        Ok(Some(Store { connection, folder, project: project.clone(), _in_use: None, _copy: copy }))
    }

    /// The project.
    pub fn project(&self) -> &Project {
        &self.project
    }

    /// The engine's folder.
    pub fn folder(&self) -> &Folder {
        &self.folder
    }

    /// Does `work` in one transaction: all of it is durable afterwards, or nothing of it happened.
    ///
    /// # Errors
    /// Whatever `work` answers, or [`Code::Store`].
    pub fn change<T>(&mut self, work: impl FnOnce(&Change<'_>) -> Result<T>) -> Result<T> {
        let sql = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let rev = sql.query_row("SELECT COALESCE(MAX(rev), 0) + 1 FROM revisions", [], |row| row.get(0))?;
        let change = Change { sql, now: Timestamp::now(), rev };
        let result = work(&change)?;
        change.sql.commit()?;
        Ok(result)
    }

    /// A connection for reading.
    fn sql(&self) -> &Connection {
        &self.connection
    }
}

impl Change<'_> {
    /// The moment of this change.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    fn now_ms(&self) -> i64 {
        self.now.as_millisecond()
    }

    /// Notes that something that is published has changed.
    fn mark(&self) -> Result<()> {
        self.sql.prepare_cached("INSERT OR IGNORE INTO revisions(rev) VALUES (?1)")?.execute([self.rev])?;
        Ok(())
    }
}

/// Opens the database at `path`, which messages call `name`.
fn connect(path: &Path, name: &Path, flags: OpenFlags) -> Result<Connection> {
    let open = || -> rusqlite::Result<Option<Connection>> {
        let connection = Connection::open_with_flags(path, flags)?;
        connection.busy_timeout(Duration::from_secs(30))?;
        connection.set_prepared_statement_cache_capacity(64);
        if !flags.contains(OpenFlags::SQLITE_OPEN_READ_ONLY) {
            let mode: String =
                connection.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0))?;
            if !mode.eq_ignore_ascii_case("wal") {
                return Ok(None);
            }
            connection.pragma_update(None, "synchronous", "FULL")?;
        }
        Ok(Some(connection))
    };
    open().map_err(|error| cannot("open", name, &error))?.ok_or_else(|| {
        Error::new(
            Code::Store,
            format!("the file system of {} cannot share a store between processes", name.display()),
            "keep the repository on a local disk: network file systems cannot",
        )
    })
}

/// SQLite gives its other files the mode of the first one.
fn make_private_file(path: &Path) -> Result<()> {
    use std::os::unix::fs::OpenOptionsExt;
    std::fs::OpenOptions::new()
        .append(true)
        .create(true)
        .mode(0o600)
        .open(path)
        .map(drop)
        .map_err(|error| Error::file("open", path, &error))
}

fn version(connection: &Connection, path: &Path) -> Result<u32> {
    connection
        .pragma_query_value(None, "user_version", |row| row.get(0))
        .map_err(|error| cannot("read", path, &error))
}

fn cannot(doing: &str, path: &Path, error: &rusqlite::Error) -> Error {
    let (what, hint) = explain(error);
    Error::new(Code::Store, format!("cannot {doing} the store {}: {what}", path.display()), hint)
}

fn explain(error: &rusqlite::Error) -> (String, &'static str) {
    use rusqlite::ErrorCode::*;
    let hint = match error.sqlite_error_code() {
        Some(DiskFull) => "free some space on that disk, then run the same command again",
        Some(ReadOnly | CannotOpen | PermissionDenied) => "make its folder writable for you",
        Some(DatabaseCorrupt | NotADatabase) => {
            "keep a copy of it, remove it, and the next command begins again from schedule.json"
        }
        Some(DatabaseBusy | DatabaseLocked) => {
            "another process holds it for long: `wf0 doctor` shows which are there"
        }
        _ => "run `wf0 doctor`",
    };
    (error.to_string(), hint)
}

impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Self {
        let (what, hint) = explain(&error);
        Error::new(Code::Store, format!("the store wf0.db could not be used: {what}"), hint)
    }
}

fn time(ms: Option<i64>) -> Option<Timestamp> {
    ms.and_then(|ms| Timestamp::from_millisecond(ms).ok())
}
