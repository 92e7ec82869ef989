//! Attempts: each try at a phase, recorded before it begins and after it ended.

use std::collections::HashMap;

use rusqlite::params;

use super::events::{EventKind, Note};
use super::works::Position;
use super::{Change, Store};
use crate::error::Result;
use crate::schedule::WorkId;

/// How an attempt ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AttemptOutcome {
    /// Its phase is done.
    Completed,
    /// It counts as a failed try.
    Failed,
    /// It was cut short; not a try.
    Interrupted,
}

impl AttemptOutcome {
    fn as_str(self) -> &'static str {
        match self {
            AttemptOutcome::Completed => "completed",
            AttemptOutcome::Failed => "failed",
            AttemptOutcome::Interrupted => "interrupted",
        }
    }
}

/// One try at a phase, as it is recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// Its number in the store.
    pub id: i64,
    /// Its run.
    pub run: i64,
    /// Which phase.
    pub phase: String,
    /// From 1, failed tries in a row at that phase.
    pub number: u32,
    /// How it ended; `None` while it runs, or where nobody lived to record it.
    pub outcome: Option<AttemptOutcome>,
    /// The process group of the agent.
    pub agent_group: Option<u32>,
    /// What the agent's record named as next when it began.
    pub next_before: Option<String>,
    /// The file of its output, in the work's log folder.
    pub log: String,
    /// Whether it counts since the work was last resumed.
    pub counts: bool,
}

impl Change<'_> {
    /// Records that an attempt begins, before it does. Gives its number in the store and the name of its log.
    ///
    /// # Errors
    /// [`crate::error::Code::Store`].
    pub fn start_attempt(
        &self,
        run: i64,
        id: &WorkId,
        phase: &str,
        number: u32,
        next_before: Option<&str>,
    ) -> Result<(i64, String)> {
        let attempt: i64 = self.sql.query_row(
            "SELECT COALESCE(MAX(seq), 0) + 1 FROM sqlite_sequence WHERE name = 'attempts'",
            [],
            |row| row.get(0),
        )?;
        let log = format!("{attempt:06}-{phase}-{number}.log");
        self.sql
            .prepare_cached(
                "INSERT INTO attempts(id, run, work, phase, number, next_before, log, started_at)
                 SELECT ?1, ?2, n, ?4, ?5, ?6, ?7, ?8 FROM works WHERE id = ?3",
            )?
            .execute(params![attempt, run, id.as_str(), phase, number, next_before, log, self.now_ms()])?;
        self.sql
            .prepare_cached("UPDATE works SET position = ?2, attempts = ?3 WHERE id = ?1")?
            .execute(params![id.as_str(), Position::Phase(phase.to_owned()).to_text(), number])?;
        let message = (number > 1).then(|| format!("attempt {number}"));
        self.note(
            EventKind::PhaseStarted,
            Note { work: Some(id), phase: Some(phase), message: message.as_deref(), ..self.by(run)? },
        )?;
        Ok((attempt, log))
    }

    /// Records how many tries the step after the last phase has taken.
    ///
    /// # Errors
    /// [`crate::error::Code::Store`].
    pub fn set_attempts(&self, id: &WorkId, attempts: u32) -> Result<()> {
        self.sql.execute("UPDATE works SET attempts = ?2 WHERE id = ?1", params![id.as_str(), attempts])?;
        Ok(())
    }

    /// Records which process group the agent of an attempt is.
    ///
    /// # Errors
    /// [`crate::error::Code::Store`].
    pub fn set_agent_group(&self, attempt: i64, group: u32) -> Result<()> {
        self.sql
            .prepare_cached("UPDATE attempts SET agent_group = ?2 WHERE id = ?1")?
            .execute(params![attempt, group])?;
        Ok(())
    }

    /// Records how an attempt ended and where the work goes on, in one.
    ///
    /// # Errors
    /// [`crate::error::Code::Store`].
    pub fn end_attempt(
        &self,
        attempt: i64,
        id: &WorkId,
        outcome: AttemptOutcome,
        error: Option<&str>,
        then: Option<&Position>,
    ) -> Result<()> {
        let (run, phase): (i64, String) = self
            .sql
            .prepare_cached("UPDATE attempts SET outcome = ?2, error = ?3, ended_at = ?4 WHERE id = ?1 RETURNING run, phase")?
            .query_row(params![attempt, outcome.as_str(), error, self.now_ms()], |row| Ok((row.get(0)?, row.get(1)?)))?;
        if let Some(position) = then {
            self.sql
                .prepare_cached("UPDATE works SET position = ?2 WHERE id = ?1")?
                .execute(params![id.as_str(), position.to_text()])?;
        }
        let kind = match outcome {
            AttemptOutcome::Completed => EventKind::PhaseCompleted,
            AttemptOutcome::Failed => EventKind::PhaseFailed,
            AttemptOutcome::Interrupted => EventKind::PhaseInterrupted,
        };
        self.note(kind, Note { work: Some(id), phase: Some(&phase), message: error, ..self.by(run)? })
    }
}

impl Store {
    /// The attempts of a work, oldest first.
    ///
    /// # Errors
    /// [`crate::error::Code::Store`].
    pub fn attempts(&self, id: &WorkId) -> Result<Vec<Attempt>> {
        let mut statement = self.sql().prepare_cached(
            "SELECT a.id, a.run, a.phase, a.number, a.outcome, a.agent_group, a.next_before, a.log, a.id > w.counted_from
             FROM attempts a JOIN works w ON w.n = a.work WHERE w.id = ?1 ORDER BY a.id",
        )?;
        let attempts = statement
            .query_map([id.as_str()], |row| {
                let outcome: Option<String> = row.get(4)?;
                Ok(Attempt {
                    id: row.get(0)?,
                    run: row.get(1)?,
                    phase: row.get(2)?,
                    number: row.get(3)?,
                    outcome: match outcome.as_deref() {
                        Some("completed") => Some(AttemptOutcome::Completed),
                        Some("failed") => Some(AttemptOutcome::Failed),
                        Some(_) => Some(AttemptOutcome::Interrupted),
                        None => None,
                    },
                    agent_group: row.get(5)?,
                    next_before: row.get(6)?,
                    log: row.get(7)?,
                    counts: row.get(8)?,
                })
            })?
            .collect::<rusqlite::Result<Vec<_>>>()?;
        Ok(attempts)
    }

    /// How often each of `phases` has run with success since the work began or was resumed.
    ///
    /// # Errors
    /// [`crate::error::Code::Store`].
    pub fn successful_runs(&self, id: &WorkId, phases: &[String]) -> Result<Vec<u32>> {
        let mut statement = self.sql().prepare_cached(
            "SELECT a.phase, COUNT(*) FROM attempts a JOIN works w ON w.n = a.work
             WHERE w.id = ?1 AND a.outcome = 'completed' AND a.id > w.counted_from GROUP BY a.phase",
        )?;
        let counts: HashMap<String, u32> = statement
            .query_map([id.as_str()], |row| Ok((row.get(0)?, row.get(1)?)))?
            .collect::<rusqlite::Result<_>>()?;
        Ok(phases.iter().map(|phase| counts.get(phase).copied().unwrap_or(0)).collect())
    }

    /// The phase of every work's latest attempt, by identifier.
    ///
    /// # Errors
    /// [`crate::error::Code::Store`].
    pub fn latest_phases(&self) -> Result<HashMap<String, String>> {
        let mut statement = self.sql().prepare_cached(
            "SELECT w.id, a.phase FROM attempts a JOIN works w ON w.n = a.work
             WHERE a.id IN (SELECT MAX(id) FROM attempts GROUP BY work)",
        )?;
        let found = statement
            .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
            .collect::<rusqlite::Result<_>>()?;
        Ok(found)
    }
}
