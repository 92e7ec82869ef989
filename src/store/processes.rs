//! Which processes serve the project. For display, for signals and for wishes; that a place is taken is said by
//! its lock, never by this table.

use jiff::Timestamp;
use rusqlite::{OptionalExtension, Row, params};

use super::{Change, Store, time};
use crate::error::Result;
use crate::platform::process_id::ProcessId;
use crate::schedule::WorkerNumber;

/// A place that one process can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Place {
    /// The scheduler's.
    Scheduler,
    /// The slot of a worker.
    Worker(WorkerNumber),
    /// The runner of a slot.
    Runner(WorkerNumber),
}

impl Place {
    fn role(self) -> String {
        match self {
            Place::Scheduler => "scheduler".into(),
            Place::Worker(number) => number.to_string(),
            Place::Runner(number) => format!("runner-{}", number.get()),
        }
    }

    fn from_role(role: &str) -> Option<Place> {
        let number = |digits: &str| digits.parse().ok();
        match role.split_once('-') {
            None if role == "scheduler" => Some(Place::Scheduler),
            Some(("worker", digits)) => number(digits).map(Place::Worker),
            Some(("runner", digits)) => number(digits).map(Place::Runner),
            _ => None,
        }
    }
}

/// A process in its place, as it registered itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registered {
    /// Where it serves.
    pub place: Place,
    /// Which process.
    pub process: ProcessId,
    /// The tmux session that shows it.
    pub session: Option<String>,
    /// Whether `start` opened it, so that the scheduler opens it again.
    pub managed: bool,
    /// Whether it is to end.
    pub wish: bool,
    /// Since when.
    pub since: Timestamp,
}

impl Registered {
    /// Which process it is, as refusals name it: `(pid 4711, session wf-batch-worker-1)`.
    pub fn who(&self) -> String {
        match &self.session {
            Some(session) => format!("(pid {}, session {session})", self.process.pid),
            None => format!("(pid {})", self.process.pid),
        }
    }
}

const COLUMNS: &str = "role, pid, started, session, managed, wish, since";

impl Change<'_> {
    /// Registers this process in a place whose lock it holds.
    ///
    /// # Errors
    /// [`crate::error::Code::Store`].
    pub fn register(&self, place: Place, session: Option<&str>, managed: bool) -> Result<()> {
        let me = ProcessId::me();
        self.sql.execute(
            "INSERT OR REPLACE INTO processes(role, pid, started, session, managed, wish, since) VALUES (?1, ?2, ?3, ?4, ?5, 0, ?6)",
            params![place.role(), me.pid, me.started, session, managed, self.now_ms()],
        )?;
        Ok(())
    }

    /// The terminal that showed this process is gone. Everything else about it stays, a wish to end above all.
    ///
    /// # Errors
    /// [`crate::error::Code::Store`].
    pub fn lost_session(&self, place: Place) -> Result<()> {
        let me = ProcessId::me();
        self.sql.execute(
            "UPDATE processes SET session = NULL WHERE role = ?1 AND pid = ?2 AND started = ?3",
            params![place.role(), me.pid, me.started],
        )?;
        Ok(())
    }

    /// Takes a process out of the table, if it is still the one that is there.
    ///
    /// # Errors
    /// [`crate::error::Code::Store`].
    pub fn unregister(&self, place: Place, process: &ProcessId) -> Result<()> {
        self.sql.execute(
            "DELETE FROM processes WHERE role = ?1 AND pid = ?2 AND started = ?3",
            params![place.role(), process.pid, process.started],
        )?;
        Ok(())
    }

    /// Takes the scheduler out of the table if the batch is over and it is still the one that is there. `false` where
    /// somebody has started the batch again: then it is to go on.
    ///
    /// # Errors
    /// [`crate::error::Code::Store`].
    pub fn leave_if_over(&self) -> Result<bool> {
        let over: bool =
            self.sql.query_row("SELECT COALESCE(MAX(over), 1) FROM schedule", [], |row| row.get(0))?;
        if over {
            self.unregister(Place::Scheduler, &ProcessId::me())?;
        }
        Ok(over)
    }

    /// Wishes that every scheduler and worker ends.
    ///
    /// # Errors
    /// [`crate::error::Code::Store`].
    pub fn wish_end_of_all(&self) -> Result<()> {
        self.sql.execute("UPDATE processes SET wish = 1", [])?;
        Ok(())
    }
}

impl Store {
    /// Every registered process, alive or not.
    ///
    /// # Errors
    /// [`crate::error::Code::Store`].
    pub fn processes(&self) -> Result<Vec<Registered>> {
        let mut statement = self.sql().prepare_cached(&format!("SELECT {COLUMNS} FROM processes"))?;
        let rows = statement.query_map([], read)?.collect::<rusqlite::Result<Vec<_>>>()?;
        let mut found: Vec<Registered> = rows.into_iter().flatten().collect();
        found.sort_by_key(|it| it.place);
        Ok(found)
    }

    /// The process in a place, if one is registered there and alive.
    ///
    /// # Errors
    /// [`crate::error::Code::Store`].
    pub fn serving(&self, place: Place) -> Result<Option<Registered>> {
        Ok(self.registered(place)?.filter(|it| it.process.is_alive()))
    }

    /// The process that registered last in a place, alive or not.
    ///
    /// # Errors
    /// [`crate::error::Code::Store`].
    pub fn registered(&self, place: Place) -> Result<Option<Registered>> {
        let mut statement =
            self.sql().prepare_cached(&format!("SELECT {COLUMNS} FROM processes WHERE role = ?1"))?;
        Ok(statement.query_row([place.role()], read).optional()?.flatten())
    }
}

fn read(row: &Row<'_>) -> rusqlite::Result<Option<Registered>> {
    let role: String = row.get(0)?;
    let Some(place) = Place::from_role(&role) else { return Ok(None) };
    Ok(Some(Registered {
        place,
        process: ProcessId { pid: row.get(1)?, started: row.get(2)? },
        session: row.get(3)?,
        managed: row.get(4)?,
        wish: row.get(5)?,
        since: time(row.get(6)?).unwrap_or_default(),
    }))
}
