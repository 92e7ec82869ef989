//! What happened, in order: what `wf0 batch watch` shows and the scheduler's log lines are made of.

use jiff::Timestamp;
use rusqlite::{OptionalExtension, Row, params};

use super::{Change, Store, time};
use crate::error::Result;
use crate::schedule::state::words;
use crate::schedule::{WorkId, WorkerNumber};

words! {
    /// The kinds of events. A kind is never renamed.
    EventKind {
        /// The batch was started or resumed.
        Started = "started",
        /// A work was given to a worker.
        Assigned = "assigned",
        /// A phase began.
        PhaseStarted = "phase-started",
        /// A phase ended well.
        PhaseCompleted = "phase-completed",
        /// An attempt failed.
        PhaseFailed = "phase-failed",
        /// An attempt was cut short.
        PhaseInterrupted = "phase-interrupted",
        /// A branch was pushed.
        Pushed = "pushed",
        /// A push failed.
        PushFailed = "push-failed",
        /// A work is done.
        Completed = "completed",
        /// A work gave up.
        Failed = "failed",
        /// A work went back to pending.
        Returned = "returned",
        /// A work was stopped by name.
        Paused = "paused",
        /// A work may run again.
        Resumed = "resumed",
        /// A worker was opened.
        WorkerOpened = "worker-opened",
        /// A worker ended.
        WorkerEnded = "worker-ended",
        /// Somebody's edit of schedule.json was taken in.
        Edited = "edited",
        /// Somebody's edit of schedule.json was refused.
        Refused = "refused",
        /// Something people should know.
        Warning = "warning",
        /// The batch was stopped or holds itself.
        Stopped = "stopped",
        /// The batch is over.
        Ended = "ended",
    }
}

/// One event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Its number, growing.
    pub seq: i64,
    /// When.
    pub at: Timestamp,
    /// What.
    pub kind: EventKind,
    /// Which work.
    pub work_id: Option<WorkId>,
    /// At which phase.
    pub phase: Option<String>,
    /// By which worker.
    pub worker: Option<WorkerNumber>,
    /// The state of the work, or of the schedule, from then on.
    pub state: Option<String>,
    /// More for people.
    pub message: Option<String>,
}

/// An event about to be recorded.
#[derive(Debug, Clone, Copy, Default)]
pub struct Note<'a> {
    /// Which work.
    pub work: Option<&'a WorkId>,
    /// At which phase.
    pub phase: Option<&'a str>,
    /// By which worker.
    pub worker: Option<WorkerNumber>,
    /// The state from then on.
    pub state: Option<&'a str>,
    /// More for people.
    pub message: Option<&'a str>,
}

impl Change<'_> {
    /// Records an event.
    ///
    /// # Errors
    /// [`crate::error::Code::Store`].
    pub fn note(&self, kind: EventKind, note: Note<'_>) -> Result<()> {
        self.sql
            .prepare_cached(
                "INSERT INTO events(at, event, work, phase, worker, state, message) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            )?
            .execute(params![
                self.now_ms(),
                kind.as_str(),
                note.work.map(WorkId::as_str),
                note.phase,
                note.worker.map(WorkerNumber::get),
                note.state,
                note.message,
            ])?;
        Ok(())
    }
}

const COLUMNS: &str = "seq, at, event, work, phase, worker, state, message";

impl Store {
    /// How the latest run of a work by that worker ended, if it began at `since` or later.
    ///
    /// # Errors
    /// [`crate::error::Code::Store`].
    pub fn ending(&self, work: &WorkId, worker: WorkerNumber, since: Timestamp) -> Result<Option<Event>> {
        let mut statement = self.sql().prepare_cached(&format!(
            "SELECT {COLUMNS} FROM events WHERE work = ?1 AND worker = ?2 AND at >= ?3
             AND event IN ('completed', 'failed', 'returned', 'paused') ORDER BY seq DESC LIMIT 1"
        ))?;
        let found = statement
            .query_row(params![work.as_str(), worker.get(), since.as_millisecond()], read)
            .optional()?;
        Ok(found)
    }

    /// The number of the latest event; 0 where there is none.
    ///
    /// # Errors
    /// [`crate::error::Code::Store`].
    pub fn last_event(&self) -> Result<i64> {
        Ok(self.sql().query_row("SELECT COALESCE(MAX(seq), 0) FROM events", [], |row| row.get(0))?)
    }

    /// The events after number `seq`, oldest first, at most 1,000.
    ///
    /// # Errors
    /// [`crate::error::Code::Store`].
    pub fn events_after(&self, seq: i64) -> Result<Vec<Event>> {
        let mut statement = self.sql().prepare_cached(&format!(
            "SELECT {COLUMNS} FROM events WHERE seq > ?1 ORDER BY seq LIMIT 1000"
        ))?;
        let events = statement.query_map([seq], read)?.collect::<rusqlite::Result<Vec<_>>>()?;
        Ok(events)
    }
}

fn read(row: &Row<'_>) -> rusqlite::Result<Event> {
    let kind: String = row.get(2)?;
    let work: Option<String> = row.get(3)?;
    let worker: Option<u32> = row.get(5)?;
    Ok(Event {
        seq: row.get(0)?,
        at: time(Some(row.get(1)?)).unwrap_or_default(),
        kind: EventKind::from_word(&kind).unwrap_or(EventKind::Warning),
        work_id: work.and_then(|id| WorkId::new(id).ok()),
        phase: row.get(4)?,
        worker: worker.and_then(|number| WorkerNumber::new(number).ok()),
        state: row.get(6)?,
        message: row.get(7)?,
    })
}
