//! `wf0 batch status`: one row a work, or one record of the whole.

use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;

use super::{Answer, open, schedule, seconds, some_time, time};
use crate::config::Config;
use crate::error::{Code, Error, Result};
use crate::project::Project;
use crate::schedule::{ScheduleStatus, Source, State, WorkId, WorkerNumber, naming};
use crate::store::Store;
use crate::store::processes::Place;
use crate::store::works::{Position, Schedule, Work};

/// One work.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Row {
    /// The work.
    pub work_id: WorkId,
    /// Where it stands.
    pub state: State,
    /// Lower runs first.
    pub priority: i64,
    /// The phase it is at, or ended at.
    pub phase: Option<String>,
    /// The worker that has it.
    pub worker: Option<WorkerNumberColumn>,
    /// Tries at that phase.
    pub attempts: u32,
    /// What it waits for: dependencies not yet completed.
    pub waiting_on: Vec<WorkId>,
    /// All its dependencies.
    pub dependencies: Vec<WorkId>,
    /// When its first run began.
    #[serde(serialize_with = "some_time")]
    pub started_at: Option<Timestamp>,
    /// When it was completed or failed.
    #[serde(serialize_with = "some_time")]
    pub finished_at: Option<Timestamp>,
    /// How long its runs have taken so far.
    #[serde(serialize_with = "seconds")]
    pub elapsed: Duration,
    /// Its branch; none where works run in the project root.
    pub branch: Option<String>,
    /// Its worktree relative to the root, while there is one.
    pub worktree: Option<String>,
    /// Where it comes from.
    pub source: Source,
    /// Why it failed or is blocked.
    pub error: Option<String>,
}

/// A worker's number as tables show it.
pub type WorkerNumberColumn = u32;

/// The whole batch.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Summary {
    /// The status of the schedule.
    pub status: ScheduleStatus,
    /// Why it is paused or failed.
    pub reason: Option<String>,
    /// When it was created.
    #[serde(serialize_with = "time")]
    pub created_at: Timestamp,
    /// How many works stand where.
    pub progress: Progress,
    /// The scheduler.
    pub scheduler: Scheduler,
    /// The workers.
    pub workers: Vec<Worker>,
}

/// How many works stand where.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Progress {
    /// All.
    pub total: u32,
    /// Done.
    pub completed: u32,
    /// In somebody's hands.
    pub in_progress: u32,
    /// Waiting.
    pub pending: u32,
    /// Gave up.
    pub failed: u32,
    /// Behind one that gave up.
    pub blocked: u32,
    /// Stopped by name.
    pub paused: u32,
}

/// The scheduler as tables show it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Scheduler {
    /// `running` or `stopped`.
    pub state: &'static str,
    /// Its process.
    pub pid: Option<u32>,
    /// The tmux session that shows it.
    pub session: Option<String>,
}

crate::schedule::state::words! {
    /// What a worker does.
    WorkerState {
        /// It has a work.
        Running = "running",
        /// It waits for one.
        Idle = "idle",
        /// It is a script that claimed a work.
        External = "external",
        /// Only its runner is left, and goes on with the work.
        Detached = "detached",
    }
}

/// A worker as tables show it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Worker {
    /// Its number.
    pub worker: WorkerNumberColumn,
    /// What it does.
    pub state: WorkerState,
    /// What it has.
    pub work_id: Option<WorkId>,
    /// The phase of that.
    pub phase: Option<String>,
    /// Its process.
    pub pid: Option<u32>,
    /// The tmux session that shows it.
    pub session: Option<String>,
    /// Since when it has what it has, or is there.
    #[serde(serialize_with = "some_time")]
    pub since: Option<Timestamp>,
}

/// States as they are typed: words with commas between them.
///
/// # Errors
/// [`Code::Usage`] for a word that is no state.
pub fn states(text: &str) -> Result<Vec<State>> {
    let words = text.split(',').map(str::trim).filter(|word| !word.is_empty());
    words
        .map(|word| {
            State::from_word(word).ok_or_else(|| {
                let all: Vec<&str> = State::ALL.iter().map(|state| state.as_str()).collect();
                let what = format!("{} is no state of a work", crate::schedule::id::quoted(word));
                Error::new(Code::Usage, what, format!("use {}", all.join(", "))).with_about(word)
            })
        })
        .collect()
}

/// The rows of the works in these states, or of all where none is given; by priority and then by order of creation.
///
/// # Errors
/// No schedule, or it can't be read.
pub fn rows(project: &Project, only: &[State]) -> Result<Answer<Vec<Row>>> {
    let (store, notices) = open(project)?;
    let schedule = schedule(&store)?;
    let phases = store.latest_phases()?;
    let config = project.config()?;
    let mut value = rows_of(&schedule, &config, &phases, Timestamp::now());
    value.retain(|row| only.is_empty() || only.contains(&row.state));
    Ok(Answer { value, notices })
}

fn rows_of(
    schedule: &Schedule,
    config: &Config,
    phases: &std::collections::HashMap<String, String>,
    now: Timestamp,
) -> Vec<Row> {
    let graph = schedule.graph();
    let states = schedule.states(&graph);
    let mut rows: Vec<Row> = schedule
        .works
        .iter()
        .zip(states)
        .enumerate()
        .map(|(n, (work, (state, blocked)))| {
            let run = schedule.runs.iter().find(|run| run.work_id == work.id);
            let waiting_on: Vec<WorkId> = if work.status == crate::schedule::Status::Completed {
                Vec::new()
            } else {
                let open = graph.dependencies(n).iter().map(|on| &schedule.works[*on]);
                let open = open.filter(|on| on.status != crate::schedule::Status::Completed).map(|on| &on.id);
                open.chain(graph.missing(n)).cloned().collect()
            };
            let running = run.map(|run| since(run.claimed_at, now)).unwrap_or_default();
            Row {
                work_id: work.id.clone(),
                state,
                priority: work.priority,
                phase: phase_of(work, phases),
                worker: run.map(|run| run.worker.get()),
                attempts: work.attempts,
                waiting_on,
                dependencies: work.dependencies.clone(),
                started_at: work.started_at,
                finished_at: work.ended_at,
                elapsed: work.worked + running,
                branch: config.worktrees().then(|| naming::branch(&work.id, &config.branch_prefix)),
                worktree: work.worktree.clone(),
                source: work.source.clone(),
                error: work.error.clone().or(blocked),
            }
        })
        .collect();
    rows.sort_by_key(|row| row.priority);
    rows
}

fn phase_of(work: &Work, phases: &std::collections::HashMap<String, String>) -> Option<String> {
    match &work.position {
        Some(Position::Phase(name)) => Some(name.clone()),
        Some(Position::Push) => Some("push".to_owned()),
        None if work.started_at.is_some() => phases.get(work.id.as_str()).cloned(),
        None => None,
    }
}

fn since(from: Timestamp, to: Timestamp) -> Duration {
    Duration::from_millis(u64::try_from(to.as_millisecond() - from.as_millisecond()).unwrap_or(0))
}

/// One record of the whole.
///
/// # Errors
/// No schedule, or it can't be read.
pub fn summary(project: &Project) -> Result<Answer<Summary>> {
    let (store, notices) = open(project)?;
    Ok(Answer { value: summary_of(&store)?, notices })
}

pub(super) fn summary_of(store: &Store) -> Result<Summary> {
    let schedule = schedule(store)?;
    let graph = schedule.graph();
    let mut progress = Progress::default();
    for (state, _) in schedule.states(&graph) {
        progress.total += 1;
        *match state {
            State::Completed => &mut progress.completed,
            State::Running => &mut progress.in_progress,
            State::Pending => &mut progress.pending,
            State::Failed => &mut progress.failed,
            State::Blocked => &mut progress.blocked,
            State::Paused => &mut progress.paused,
        } += 1;
    }
    let scheduler = scheduler(store)?;
    let gone = schedule.status == ScheduleStatus::Running && scheduler.pid.is_none();
    let gone = gone.then(|| "the scheduler is gone; `wf0 batch start` goes on".to_owned());
    Ok(Summary {
        status: schedule.status,
        reason: schedule.reason.clone().or(gone),
        created_at: schedule.created_at,
        progress,
        scheduler,
        workers: workers(store, &schedule)?,
    })
}

/// The scheduler, whether there is one or not.
///
/// # Errors
/// The store can't be read.
pub fn scheduler(store: &Store) -> Result<Scheduler> {
    Ok(match store.serving(Place::Scheduler)? {
        Some(it) => Scheduler { state: "running", pid: Some(it.process.pid), session: it.session },
        None => Scheduler { state: "stopped", pid: None, session: None },
    })
}

fn workers(store: &Store, schedule: &Schedule) -> Result<Vec<Worker>> {
    let mut found: std::collections::BTreeMap<WorkerNumber, Worker> = std::collections::BTreeMap::new();
    for it in store.processes()?.into_iter().filter(|it| it.process.is_alive()) {
        let Place::Worker(number) = it.place else { continue };
        let worker = Worker {
            worker: number.get(),
            state: WorkerState::Idle,
            work_id: None,
            phase: None,
            pid: Some(it.process.pid),
            session: it.session,
            since: Some(it.since),
        };
        found.insert(number, worker);
    }
    for run in &schedule.runs {
        let shown = found.contains_key(&run.worker);
        let worker = found.entry(run.worker).or_insert(Worker {
            worker: run.worker.get(),
            state: WorkerState::Detached,
            work_id: None,
            phase: None,
            pid: None,
            session: None,
            since: None,
        });
        worker.state = match run.owner {
            crate::store::works::Owner::External => WorkerState::External,
            crate::store::works::Owner::Runner if shown => WorkerState::Running,
            crate::store::works::Owner::Runner => WorkerState::Detached,
        };
        worker.work_id = Some(run.work_id.clone());
        worker.since = Some(run.claimed_at);
        let work = schedule.works.iter().find(|work| work.id == run.work_id);
        worker.phase = work.and_then(|work| phase_of(work, &Default::default()));
        if worker.pid.is_none() {
            worker.pid = store.serving(Place::Runner(run.worker))?.map(|it| it.process.pid);
        }
    }
    Ok(found.into_values().collect())
}
