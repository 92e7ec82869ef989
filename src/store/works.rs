//! Reading works and the schedule from the store.

use std::collections::HashMap;
use std::time::Duration;

use jiff::Timestamp;
use rusqlite::{OptionalExtension, Row};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Store, time};
use crate::error::{Code, Error, Result};
use crate::rules::states::{Recorded, blocked_by, states};
use crate::schedule::plan::Candidate;
use crate::schedule::problems::nearest;
use crate::schedule::{Graph, ScheduleStatus, Source, State, Status, WorkId, WorkerNumber};

/// Where a work goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Position {
    /// At that phase.
    Phase(String),
    /// All phases are done; the branch is still to be pushed and the worktree to be put away.
    Push,
}

impl Position {
    pub(super) fn to_text(&self) -> String {
        match self {
            Position::Phase(name) => format!("phase:{name}"),
            Position::Push => "push".into(),
        }
    }

    pub(super) fn from_text(text: &str) -> Position {
        match text.strip_prefix("phase:") {
            Some(name) => Position::Phase(name.to_owned()),
            None => Position::Push,
        }
    }
}

/// A work as it is recorded.
#[derive(Debug, Clone, PartialEq)]
pub struct Work {
    /// Its place in the order of creation.
    pub(super) n: i64,
    /// Its identifier.
    pub id: WorkId,
    /// How far it is.
    pub status: Status,
    /// Whether it was stopped by name.
    pub paused: bool,
    /// Lower runs first.
    pub priority: i64,
    /// Where it comes from.
    pub source: Source,
    /// Its worktree relative to the root, while there is one.
    pub worktree: Option<String>,
    /// Where it goes on; `None`: at the beginning.
    pub position: Option<Position>,
    /// Attempts at the phase it is at or ended at.
    pub attempts: u32,
    /// How long its finished runs have taken.
    pub worked: Duration,
    /// When its first run began.
    pub started_at: Option<Timestamp>,
    /// When it was completed or failed.
    pub ended_at: Option<Timestamp>,
    /// Why it failed.
    pub error: Option<String>,
    /// What must be completed before.
    pub dependencies: Vec<WorkId>,
    /// Keys of schedule.json that wf0 does not know.
    pub extra: Map<String, Value>,
}

/// Who runs a claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owner {
    /// A runner of ours, with a lease.
    Runner,
    /// A script that is a worker itself; only it, or `resume ID`, ends the claim.
    External,
}

/// How far a run is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunState {
    /// Given to a worker; its runner has not begun.
    Claimed,
    /// Its runner has the lease.
    Running,
}

/// What is to become of a run that is to end early.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wish {
    /// Back to pending.
    Return,
    /// Back to pending, and not taken again before `resume`.
    Pause,
}

/// A run that has no outcome yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// Its number.
    pub id: i64,
    /// Which work.
    pub work_id: WorkId,
    /// By which worker.
    pub worker: WorkerNumber,
    /// Who runs it.
    pub owner: Owner,
    /// How far it is.
    pub state: RunState,
    /// Whether it is to end early.
    pub wish: Option<Wish>,
    /// Since when.
    pub claimed_at: Timestamp,
}

/// Keys of schedule.json that wf0 does not know, outside of works.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Extras {
    /// At the top.
    pub top: Map<String, Value>,
    /// In `execution`.
    pub execution: Map<String, Value>,
    /// In `progress`.
    pub progress: Map<String, Value>,
}

/// Everything about the schedule, read in one go.
#[derive(Debug, Clone, PartialEq)]
pub struct Schedule {
    /// When it was created.
    pub created_at: Timestamp,
    /// Its status.
    pub status: ScheduleStatus,
    /// Why it is paused or failed.
    pub reason: Option<String>,
    /// Where its works came from.
    pub sources: Vec<Map<String, Value>>,
    /// Unknown keys.
    pub extras: Extras,
    /// How many workers it is to have.
    pub parallel: u32,
    /// The works in order of creation.
    pub works: Vec<Work>,
    /// The runs without outcome.
    pub runs: Vec<Run>,
}

impl Schedule {
    /// The dependencies.
    pub fn graph(&self) -> Graph {
        Graph::new(self.works.iter().map(|work| (&work.id, work.dependencies.as_slice())))
    }

    /// What a plan knows of each work: those that run count as still to be run.
    pub fn candidates(&self) -> Vec<Candidate> {
        let candidate = |work: &Work| Candidate {
            priority: work.priority,
            pending: matches!(work.status, Status::Pending | Status::Running) && !work.paused,
            completed: work.status == Status::Completed,
        };
        self.works.iter().map(candidate).collect()
    }

    /// The state of every work, in order, and for blocked ones why.
    pub fn states(&self, graph: &Graph) -> Vec<(State, Option<String>)> {
        let recorded: Vec<Recorded> =
            self.works.iter().map(|work| Recorded { status: work.status, paused: work.paused }).collect();
        let states = states(graph, &recorded);
        let ids: Vec<&WorkId> = self.works.iter().map(|work| &work.id).collect();
        (0..states.len())
            .map(|n| {
                let why =
                    (states[n] == State::Blocked).then(|| blocked_by(graph, &states, &ids, n)).flatten();
                (states[n], why)
            })
            .collect()
    }

    /// The work of that identifier.
    ///
    /// # Errors
    /// [`Code::UnknownWork`], with the nearest identifiers.
    pub fn work(&self, id: &WorkId) -> Result<&Work> {
        self.works
            .iter()
            .find(|work| work.id == *id)
            .ok_or_else(|| unknown_work(id, self.works.iter().map(|work| work.id.as_str())))
    }
}

/// The refusal of an identifier that no work has.
pub fn unknown_work<'a>(id: &WorkId, known: impl IntoIterator<Item = &'a str>) -> Error {
    let near = nearest(id.as_str(), known);
    let hint = if near.is_empty() {
        "`wf0 schedule show` lists the works there are".to_owned()
    } else {
        format!("did you mean {}?", near.join(" or "))
    };
    Error::new(Code::UnknownWork, format!("there is no work '{id}' in the schedule"), hint)
        .with_about(id.as_str())
}

/// The refusal where a schedule is needed and there is none.
pub fn no_schedule() -> Error {
    Error::new(
        Code::NoSchedule,
        "schedule.json not found: this project has no schedule",
        "create one: `wf0 schedule create local=A,B` or `wf0 schedule create --from FILE`",
    )
}

const WORK: &str = "n, id, status, paused, priority, source, worktree, position, attempts, worked_ms, started_at, ended_at, error, extra";
const RUN: &str = "r.id, w.id, r.worker, r.owner, r.state, r.wish, r.claimed_at FROM runs r JOIN works w ON w.n = r.work WHERE r.state <> 'ended'";

impl Store {
    /// The status of the schedule; `None` where there is no schedule.
    ///
    /// # Errors
    /// [`Code::Store`].
    pub fn status(&self) -> Result<Option<ScheduleStatus>> {
        let mut statement = self.sql().prepare_cached("SELECT status FROM schedule")?;
        let word: Option<String> = statement.query_row([], |row| row.get(0)).optional()?;
        Ok(word.and_then(|word| ScheduleStatus::from_word(&word)))
    }

    /// Whether the batch came to its end by itself and has not been started again.
    ///
    /// # Errors
    /// [`Code::Store`].
    pub fn is_over(&self) -> Result<bool> {
        Ok(self
            .sql()
            .query_row("SELECT over FROM schedule", [], |row| row.get(0))
            .optional()?
            .unwrap_or(true))
    }

    /// Whether the project had a configuration file when the batch was started.
    ///
    /// # Errors
    /// [`Code::Store`].
    pub fn was_configured(&self) -> Result<bool> {
        Ok(self
            .sql()
            .query_row("SELECT configured FROM schedule", [], |row| row.get(0))
            .optional()?
            .unwrap_or(false))
    }

    /// How many workers the batch is to have.
    ///
    /// # Errors
    /// [`Code::Store`].
    pub fn parallel(&self) -> Result<u32> {
        Ok(self
            .sql()
            .query_row("SELECT parallel FROM schedule", [], |row| row.get(0))
            .optional()?
            .unwrap_or(0))
    }

    /// The whole schedule, at one moment; `None` where there is none.
    ///
    /// # Errors
    /// [`Code::Store`].
    pub fn schedule(&self) -> Result<Option<Schedule>> {
        let moment = self.sql().unchecked_transaction()?;
        let head = moment
            .query_row(
                "SELECT created_at, status, reason, sources, extra, parallel FROM schedule",
                [],
                |row| {
                    let status: String = row.get(1)?;
                    Ok(Schedule {
                        created_at: time(row.get(0)?).unwrap_or_default(),
                        status: ScheduleStatus::from_word(&status).unwrap_or(ScheduleStatus::Pending),
                        reason: row.get(2)?,
                        sources: json(&row.get::<_, String>(3)?),
                        extras: json(&row.get::<_, String>(4)?),
                        parallel: row.get(5)?,
                        works: Vec::new(),
                        runs: Vec::new(),
                    })
                },
            )
            .optional()?;
        let Some(mut schedule) = head else { return Ok(None) };
        schedule.works = moment
            .prepare_cached(&format!("SELECT {WORK} FROM works ORDER BY n"))?
            .query_map([], read_work)?
            .collect::<rusqlite::Result<_>>()?;
        let place: HashMap<i64, usize> =
            schedule.works.iter().enumerate().map(|(at, work)| (work.n, at)).collect();
        let mut statement =
            moment.prepare_cached("SELECT work, dependency FROM dependencies ORDER BY work, place")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let id: String = row.get(1)?;
            if let (Some(&at), Ok(id)) = (place.get(&row.get(0)?), WorkId::new(id)) {
                schedule.works[at].dependencies.push(id);
            }
        }
        drop(rows);
        drop(statement);
        schedule.runs = moment
            .prepare_cached(&format!("SELECT {RUN} ORDER BY r.worker"))?
            .query_map([], read_run)?
            .collect::<rusqlite::Result<Vec<_>>>()?
            .into_iter()
            .flatten()
            .collect();
        Ok(Some(schedule))
    }

    /// One work; `None` where there is none of that identifier.
    ///
    /// # Errors
    /// [`Code::Store`].
    pub fn work(&self, id: &WorkId) -> Result<Option<Work>> {
        let found = self
            .sql()
            .prepare_cached(&format!("SELECT {WORK} FROM works WHERE id = ?1"))?
            .query_row([id.as_str()], read_work)
            .optional()?;
        let Some(mut work) = found else { return Ok(None) };
        let mut statement = self
            .sql()
            .prepare_cached("SELECT dependency FROM dependencies WHERE work = ?1 ORDER BY place")?;
        let ids = statement.query_map([work.n], |row| row.get::<_, String>(0))?;
        for id in ids {
            work.dependencies.extend(WorkId::new(id?).ok());
        }
        Ok(Some(work))
    }

    /// How many works a work still waits for, and its dependencies that no work is; `None` where it does not exist.
    ///
    /// # Errors
    /// [`Code::Store`].
    pub fn unmet(&self, id: &WorkId) -> Result<Option<u32>> {
        let mut statement = self.sql().prepare_cached("SELECT unmet FROM works WHERE id = ?1")?;
        Ok(statement.query_row([id.as_str()], |row| row.get(0)).optional()?)
    }

    /// How many works there are, and how many of them have that status.
    ///
    /// # Errors
    /// [`Code::Store`].
    pub fn count(&self, status: Option<Status>) -> Result<u32> {
        let mut statement =
            self.sql().prepare_cached("SELECT COUNT(*) FROM works WHERE ?1 IS NULL OR status = ?1")?;
        Ok(statement.query_row([status.map(Status::as_str)], |row| row.get(0))?)
    }

    /// The identifiers of all works, in order of creation.
    ///
    /// # Errors
    /// [`Code::Store`].
    pub fn work_ids(&self) -> Result<Vec<WorkId>> {
        let mut statement = self.sql().prepare_cached("SELECT id FROM works ORDER BY n")?;
        let ids =
            statement.query_map([], |row| row.get::<_, String>(0))?.collect::<rusqlite::Result<Vec<_>>>()?;
        Ok(ids.into_iter().filter_map(|id| WorkId::new(id).ok()).collect())
    }

    /// The runs without outcome, by worker.
    ///
    /// # Errors
    /// [`Code::Store`].
    pub fn runs(&self) -> Result<Vec<Run>> {
        let mut statement = self.sql().prepare_cached(&format!("SELECT {RUN} ORDER BY r.worker"))?;
        let runs = statement.query_map([], read_run)?.collect::<rusqlite::Result<Vec<_>>>()?;
        Ok(runs.into_iter().flatten().collect())
    }

    /// The run that a worker has now.
    ///
    /// # Errors
    /// [`Code::Store`].
    pub fn run_of(&self, worker: WorkerNumber) -> Result<Option<Run>> {
        let mut statement = self.sql().prepare_cached(&format!("SELECT {RUN} AND r.worker = ?1"))?;
        Ok(statement.query_row([worker.get()], read_run).optional()?.flatten())
    }
}

fn read_work(row: &Row<'_>) -> rusqlite::Result<Work> {
    let id: String = row.get(1)?;
    let status: String = row.get(2)?;
    let position: Option<String> = row.get(7)?;
    let id = WorkId::new(id).map_err(|error| {
        rusqlite::Error::FromSqlConversionFailure(1, rusqlite::types::Type::Text, Box::new(error))
    })?;
    Ok(Work {
        n: row.get(0)?,
        status: Status::from_word(&status).unwrap_or(Status::Pending),
        paused: row.get(3)?,
        priority: row.get(4)?,
        source: serde_json::from_str(&row.get::<_, String>(5)?).unwrap_or_else(|_| Source::local(&id, None)),
        worktree: row.get(6)?,
        position: position.as_deref().map(Position::from_text),
        attempts: row.get(8)?,
        worked: Duration::from_millis(row.get::<_, i64>(9)?.try_into().unwrap_or(0)),
        started_at: time(row.get(10)?),
        ended_at: time(row.get(11)?),
        error: row.get(12)?,
        dependencies: Vec::new(),
        extra: json(&row.get::<_, String>(13)?),
        id,
    })
}

fn read_run(row: &Row<'_>) -> rusqlite::Result<Option<Run>> {
    let (id, worker): (String, u32) = (row.get(1)?, row.get(2)?);
    let (owner, state): (String, String) = (row.get(3)?, row.get(4)?);
    let wish: Option<String> = row.get(5)?;
    let (Ok(work_id), Ok(worker)) = (WorkId::new(id), WorkerNumber::new(worker)) else { return Ok(None) };
    Ok(Some(Run {
        id: row.get(0)?,
        work_id,
        worker,
        owner: if owner == "external" { Owner::External } else { Owner::Runner },
        state: if state == "claimed" { RunState::Claimed } else { RunState::Running },
        wish: wish.map(|wish| if wish == "pause" { Wish::Pause } else { Wish::Return }),
        claimed_at: time(row.get(6)?).unwrap_or_default(),
    }))
}

/// JSON that this store wrote itself; what cannot be read back counts as empty.
fn json<T: Default + for<'de> Deserialize<'de>>(text: &str) -> T {
    serde_json::from_str(text).unwrap_or_default()
}
