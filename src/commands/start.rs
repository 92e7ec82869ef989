//! `wf0 batch start`: opens the scheduler, which opens the workers, and returns.

use std::time::{Duration, Instant};

use serde::Serialize;

use super::status::{Scheduler, Worker, WorkerState, summary_of};
use super::{Answer, open, preflight, schedule};
use crate::error::{Code, Error, Result};
use crate::platform::children::{Interrupt, wait_readable};
use crate::platform::filelock::FileLock;
use crate::platform::process_id::ProcessId;
use crate::project::Project;
use crate::schedule::ScheduleStatus;
use crate::schedule::State;
use crate::schedule::id::count;
use crate::schedule::plan::plan;
use crate::scheduler::{opening, taken};
use crate::store::Store;
use crate::store::bell::{Bell, Listener};
use crate::store::intake::Unreadable;
use crate::store::processes::Place;
use crate::store::works::{Owner, Schedule};
use crate::terminal::{Opened, Role, attach_command};

/// What was started.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Started {
    /// The status of the schedule.
    pub status: ScheduleStatus,
    /// The scheduler.
    pub scheduler: Scheduler,
    /// The workers.
    pub workers: Vec<Worker>,
    /// How many works are to be done.
    pub pending: u32,
    /// Commands to type to look at it.
    pub attach: Vec<String>,
}

/// How long a process that was opened may take until it serves.
const LATEST: Duration = Duration::from_secs(20);
/// How long `start` waits for the workers, only so that its answer can name them.
const WORKERS: Duration = Duration::from_secs(5);

/// Starts the batch, or goes on with one whose scheduler died.
///
/// # Errors
/// What keeps it from starting: see [`preflight::check`]; [`Code::Taken`] where it runs already; [`Code::Nothing`].
pub fn start(project: &Project, parallel: Option<u32>) -> Result<Answer<Started>> {
    let config = project.config()?;
    let (mut store, mut notices) = open(project)?;
    let _turn = take_turn(&store)?;
    if is_served(&store)? {
        let refused = taken(&store)?;
        return Err(match parallel {
            Some(workers) => refused.with_hint(format!(
                "`wf0 batch resume --parallel {workers}` changes its workers, and tries again what failed"
            )),
            None => refused,
        });
    }
    let known = schedule(&store)?;
    preflight::check(project, &config, &known)?;
    if count_runnable(&known) == 0 {
        return Err(nothing(&known));
    }
    let (workers, warning) = preflight::workers(&config, parallel);
    notices.extend(warning);
    notices.extend(preflight::parallel_warning(&config, workers));
    let configured = project.config_file().exists();
    store.change(|change| change.start_batch(workers, configured))?;
    store.publish(Unreadable::Refuse)?;
    notices.extend(open_scheduler(&store, config.batch.tmux)?);
    Ok(Answer { value: started(&store, workers)?, notices })
}

/// The lock under which batches are started, one after the other.
pub(super) fn take_turn(store: &Store) -> Result<FileLock> {
    let lock = store.folder().lock("start");
    FileLock::exclusive(&lock).map_err(|error| Error::file("lock", &lock, &error))
}

/// Whether a scheduler serves the project. One that is just coming or going is waited for.
pub(super) fn is_served(store: &Store) -> Result<bool> {
    let place = store.folder().lock("scheduler");
    let until = Instant::now() + LATEST;
    while store.folder().try_lock(&place)?.is_none() {
        if store.serving(Place::Scheduler)?.is_some() || Instant::now() >= until {
            return Ok(true);
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    Ok(false)
}

/// How many works run or would run.
pub(super) fn count_runnable(schedule: &Schedule) -> usize {
    plan(&schedule.graph(), &schedule.candidates(), 1).len()
}

/// Why there is nothing to run, and what `resume` would do.
pub(super) fn nothing(schedule: &Schedule) -> Error {
    let states = schedule.states(&schedule.graph());
    let of = |wanted: State| states.iter().filter(|(state, _)| *state == wanted).count();
    let (failed, paused, blocked) = (of(State::Failed), of(State::Paused), of(State::Blocked));
    if failed + paused > 0 {
        let parts: Vec<String> = [(failed, "failed"), (paused, "paused"), (blocked, "blocked")]
            .iter()
            .filter(|(n, _)| *n > 0)
            .map(|(n, word)| format!("{n} {word}"))
            .collect();
        Error::new(
            Code::Nothing,
            format!("there is nothing to run: {} of {}", parts.join(", "), count(states.len(), "work")),
            match (failed, paused) {
                (1, 0) => "`wf0 batch resume` would take up the one that failed".to_owned(),
                (0, 1) => "`wf0 batch resume` would take up the one that is paused".to_owned(),
                _ => format!(
                    "`wf0 batch resume` would take up the {} that failed or are paused",
                    failed + paused
                ),
            },
        )
    } else if blocked > 0 {
        Error::new(
            Code::Nothing,
            match blocked {
                1 => "there is nothing to run: 1 work is blocked".to_owned(),
                several => format!("there is nothing to run: {several} works are blocked"),
            },
            "`wf0 schedule validate` says by what",
        )
    } else {
        Error::new(
            Code::Nothing,
            match states.len() {
                1 => "there is nothing to run: the only work is completed".to_owned(),
                several => format!("there is nothing to run: all {several} works are completed"),
            },
            "`wf0 schedule create --force` begins a new schedule",
        )
    }
}

/// Opens the scheduler and waits until it serves. Gives a line for people where it is not where they would expect it.
pub(super) fn open_scheduler(store: &Store, prefer_tmux: bool) -> Result<Option<String>> {
    let bell = Bell::hang(&store.folder().bell(), Listener::watcher());
    let log = opening::log(store, Role::Scheduler);
    let opening = opening::open(store, Role::Scheduler, prefer_tmux)?;
    let process = ProcessId::of(opening.opened.pid());
    let until = Instant::now() + LATEST;
    loop {
        // A batch that is over at once leaves no scheduler behind.
        if store.serving(Place::Scheduler)?.is_some() || store.is_over()? {
            return Ok(opening.warning);
        }
        if Instant::now() >= until
            || !process.is_alive() && store.serving(Place::Scheduler)?.is_none() && !store.is_over()?
        {
            let hint = match &opening.opened {
                Opened::Detached { .. } => format!("its output is in {}", log.display()),
                Opened::Tmux { .. } => "run `wf0 batch daemon` to see why".to_owned(),
            };
            return Err(Error::new(Code::Process, "the scheduler ended as soon as it was opened", hint));
        }
        bell.quiet();
        let fds: Vec<_> = bell.fd().into_iter().collect();
        wait_readable(&fds, Duration::from_millis(50));
    }
}

/// The answer, once the workers are there.
pub(super) fn started(store: &Store, workers: u32) -> Result<Started> {
    let bell = Bell::hang(&store.folder().bell(), Listener::watcher());
    let until = Instant::now() + WORKERS;
    let wanted = workers.min(store.open_works()?) as usize;
    let summary = loop {
        bell.quiet();
        let summary = summary_of(store)?;
        let there = summary
            .workers
            .iter()
            .filter(|it| matches!(it.state, WorkerState::Running | WorkerState::Idle | WorkerState::External))
            .count();
        if there >= wanted || summary.status != ScheduleStatus::Running || Instant::now() >= until {
            break summary;
        }
        let fds: Vec<_> = bell.fd().into_iter().collect();
        wait_readable(&fds, Duration::from_millis(50));
    };
    let sessions =
        summary.scheduler.session.iter().chain(summary.workers.iter().filter_map(|it| it.session.as_ref()));
    Ok(Started {
        status: summary.status,
        pending: summary.progress.pending + summary.progress.in_progress,
        attach: sessions.map(|session| attach_command(session)).collect(),
        scheduler: summary.scheduler,
        workers: summary.workers,
    })
}

/// Notices a batch that is to run and that nobody serves: no scheduler, no worker that would open one again, no runner.
#[derive(Debug, Default)]
pub(super) struct Abandoned {
    since: Option<Instant>,
}

impl Abandoned {
    /// Looks once. What is just coming or going is given a few seconds.
    pub fn look(&mut self, store: &Store) -> Result<()> {
        // A scheduler keeps a batch going, and so do workers that open one again; a runner only what it has begun.
        let alive: Vec<_> = store.processes()?.into_iter().filter(|it| it.process.is_alive()).collect();
        let kept = alive
            .iter()
            .any(|it| it.place == Place::Scheduler || matches!(it.place, Place::Worker(_)) && it.managed);
        let runs = store.runs()?;
        let going = runs.iter().any(|run| {
            run.owner == Owner::External || alive.iter().any(|it| it.place == Place::Runner(run.worker))
        });
        if store.status()? != Some(ScheduleStatus::Running) || kept || going {
            self.since = None;
            return Ok(());
        }
        if self.since.get_or_insert_with(Instant::now).elapsed() < Duration::from_secs(3) {
            return Ok(());
        }
        Err(Error::new(
            Code::Process,
            "the batch is not over, but its scheduler is gone and nothing runs",
            "`wf0 batch start` goes on where it was",
        ))
    }
}

/// Waits until the batch is over and its scheduler gone. Gives the status it ended with.
///
/// # Errors
/// [`Code::Interrupted`]; the batch goes on.
pub fn wait(project: &Project, interrupt: &mut dyn Interrupt) -> Result<ScheduleStatus> {
    let store = Store::open(project)?;
    let bell = Bell::hang(&store.folder().bell(), Listener::watcher());
    let mut watch = Abandoned::default();
    loop {
        bell.quiet();
        watch.look(&store)?;
        if interrupt.raised() {
            return Err(Error::new(
                Code::Interrupted,
                "interrupted; the batch goes on",
                "`wf0 batch status` shows it, `wf0 batch stop` ends it",
            ));
        }
        let serving = store.serving(Place::Scheduler)?.is_some();
        match store.status()? {
            Some(status) if status != ScheduleStatus::Running && !serving => return Ok(status),
            None if !serving => return Ok(ScheduleStatus::Failed),
            _ => {}
        }
        let mut fds = interrupt.fds();
        fds.extend(bell.fd());
        wait_readable(&fds, Duration::from_secs(1));
    }
}
