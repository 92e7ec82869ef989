//! The scheduler: one a project. It gives ready works to idle workers, sees to it that the workers `start` asked for
//! are there, settles runs whose runner died, takes in edits of schedule.json, and closes the batch.
//!
//! It holds nothing that is not in the store: killed, the next one goes on.

mod crew;
pub mod opening;
mod publishing;

use std::collections::HashMap;
use std::os::fd::BorrowedFd;
use std::thread::JoinHandle;
use std::time::Duration;

use crate::error::{Code, Error, Result};
use crate::platform::children::wait_readable;
use crate::platform::process_id::ProcessId;
use crate::platform::process_watch::ProcessWatch;
use crate::platform::signals::{EndSignals, HangUp};
use crate::project::Project;
use crate::runner::recover::recover;
use crate::schedule::ScheduleStatus;
use crate::store::bell::{Bell, Listener, ring, ring_watchers};
use crate::store::events::Event;
use crate::store::intake::Unreadable;
use crate::store::processes::Place;
use crate::store::works::{Owner, Run, RunState, no_schedule};
use crate::store::{Folder, Store};
use crate::worktree::{Repository, empty_trash};
use crew::Crew;
use publishing::Publishing;

/// How the scheduler is opened.
#[derive(Debug, Clone)]
pub struct Options {
    /// Whether `start` opened it: then it opens workers, too.
    pub managed: bool,
    /// The tmux session that shows it.
    pub session: Option<String>,
    /// How often schedule.json is looked at; events never wait for it.
    pub poll: Duration,
}

/// What a scheduler reports while it serves.
#[derive(Debug, Clone, Copy)]
pub enum Report<'a> {
    /// It serves from now on.
    Ready,
    /// Something happened.
    Event(&'a Event),
    /// It waits for `resume`.
    Waits(ScheduleStatus),
}

/// How a scheduler came to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// The batch is over, with this status.
    Over(ScheduleStatus),
    /// It was asked to end.
    Asked,
    /// The schedule was cleared.
    Cleared,
}

/// How long workers may take to leave a batch that is over.
const LEAVING: Duration = Duration::from_secs(10);

/// Least free space, in bytes, with which a work is still given out.
const LEAST_SPACE: u64 = 32 * 1024 * 1024;

/// Serves the project until the batch is over, `stop`, or a signal.
///
/// # Errors
/// [`Code::Taken`] where a scheduler serves it already, [`Code::NoSchedule`], or the store can't be used.
pub fn serve(project: &Project, options: &Options, report: &mut dyn FnMut(Report<'_>)) -> Result<Ending> {
    let mut store = Store::open(project)?;
    // What it takes in itself is reported, too.
    let seen = store.last_event()?;
    store.publish(Unreadable::Refuse)?;
    if store.status()?.is_none() {
        return Err(no_schedule());
    }
    let Some(_place) = store.folder().try_lock(&store.folder().lock("scheduler"))? else {
        return Err(taken(&store)?);
    };
    let signals = EndSignals::listen()?;
    // One that `start` opened goes on without its terminal: nobody is there at night to start it again.
    let hang_up = options.managed.then(HangUp::survive).transpose();
    let hang_up =
        hang_up.map_err(|error| Error::file("take over signals in", store.folder().path(), &error))?;
    let bell = Bell::hang(&store.folder().bell(), Listener::Scheduler);
    store.change(|change| change.register(Place::Scheduler, options.session.as_deref(), options.managed))?;
    ring_watchers(&store.folder().bell());
    report(Report::Ready);
    let mut scheduler = Scheduler {
        store,
        options: options.clone(),
        signals,
        hang_up,
        bell,
        crew: Crew::default(),
        publishing: Publishing::default(),
        recoveries: HashMap::new(),
        seen,
        served: false,
    };
    let result = scheduler.serve(report);
    for (_, recovery) in scheduler.recoveries.drain() {
        // What a recovery could not do is in the store for the next scheduler.
        let _ = recovery.join();
    }
    if !matches!(result, Ok(Ending::Over(_))) {
        scheduler.store.publish(Unreadable::PutAside)?;
        scheduler.report_events(report)?;
    }
    scheduler.store.change(|change| change.unregister(Place::Scheduler, &ProcessId::me()))?;
    ring_everyone(&scheduler.store)?;
    result
}

/// The refusal of a second scheduler.
///
/// # Errors
/// The store can't be read.
pub fn taken(store: &Store) -> Result<Error> {
    let who = store.serving(Place::Scheduler)?.map(|it| format!(" {}", it.who())).unwrap_or_default();
    Ok(Error::new(
        Code::Taken,
        format!("a scheduler already serves this project{who}"),
        "watch it with `wf0 batch status`, or end it with `wf0 batch stop`",
    ))
}

/// Wakes every process of the project.
///
/// # Errors
/// The store can't be read.
pub fn ring_everyone(store: &Store) -> Result<()> {
    let bells = store.folder().bell();
    for it in store.processes()? {
        ring(
            &bells,
            match it.place {
                Place::Scheduler => Listener::Scheduler,
                Place::Worker(number) => Listener::Worker(number),
                Place::Runner(number) => Listener::Runner(number),
            },
        );
    }
    ring_watchers(&bells);
    Ok(())
}

struct Scheduler {
    store: Store,
    options: Options,
    signals: EndSignals,
    hang_up: Option<HangUp>,
    bell: Bell,
    crew: Crew,
    publishing: Publishing,
    recoveries: HashMap<i64, JoinHandle<()>>,
    /// The latest event that was reported.
    seen: i64,
    /// Whether the batch has run while this scheduler served.
    served: bool,
}

impl Scheduler {
    fn serve(&mut self, report: &mut dyn FnMut(Report<'_>)) -> Result<Ending> {
        let mut waits = None;
        loop {
            self.bell.quiet();
            if self.signals.received() {
                self.store.change(|change| change.hold("the scheduler was ended"))?;
                return Ok(Ending::Asked);
            }
            if self.hang_up.as_ref().is_some_and(HangUp::take) {
                self.store.change(|change| change.lost_session(Place::Scheduler))?;
            }
            if self.store.registered(Place::Scheduler)?.is_some_and(|me| me.wish) {
                return Ok(Ending::Asked);
            }
            self.publishing.look(&mut self.store)?;
            let Some(status) = self.store.status()? else { return Ok(Ending::Cleared) };
            match status {
                ScheduleStatus::Pending => {
                    let parallel = self.store.parallel()?;
                    let configured = self.store.project().config_file().exists();
                    self.store.change(|change| change.start_batch(parallel, configured))?;
                    continue;
                }
                ScheduleStatus::Running => {
                    self.served = true;
                    waits = None;
                    self.run_batch()?;
                }
                ScheduleStatus::Completed | ScheduleStatus::Failed | ScheduleStatus::Paused
                    if self.store.is_over()? && (self.served || status == ScheduleStatus::Completed) =>
                {
                    if self.finish(report)? {
                        return Ok(Ending::Over(status));
                    }
                }
                ScheduleStatus::Completed => return Ok(Ending::Over(status)),
                ScheduleStatus::Failed | ScheduleStatus::Paused => {
                    self.settle_runs()?;
                    if waits.replace(status) != Some(status) {
                        report(Report::Waits(status));
                    }
                }
            }
            self.publishing.write_if_due(&mut self.store)?;
            self.report_events(report)?;
            self.wait()?;
        }
    }

    /// The batch is over: waits for its workers to leave, puts everything in order and takes itself out. `false` where
    /// somebody has started the batch again meanwhile.
    fn finish(&mut self, report: &mut dyn FnMut(Report<'_>)) -> Result<bool> {
        ring_everyone(&self.store)?;
        if self.options.managed {
            self.crew.wait_until_gone(&self.store, LEAVING)?;
        }
        let project = self.store.project();
        if let Ok(config) = project.config() {
            // What can't be deleted stays there to be seen; nothing depends on it.
            let _ = empty_trash(&project.worktree_root(&config).join(".trash"));
            if config.worktrees()
                && let Ok(repository) = Repository::open(project.root())
            {
                let _ = repository.sweep_entries(&mut self.signals);
            }
        }
        self.store.publish(Unreadable::PutAside)?;
        self.report_events(report)?;
        self.store.change(|change| change.leave_if_over())
    }

    fn run_batch(&mut self) -> Result<()> {
        self.settle_runs()?;
        if self.options.managed {
            self.crew.keep(&mut self.store)?;
        }
        if !self.has_space()? {
            return Ok(());
        }
        let idle = self.crew.idle(&self.store, self.options.managed)?;
        let given = if idle.is_empty() {
            self.store.change(|change| change.close_if_over())?;
            Vec::new()
        } else {
            self.store.change(|change| {
                let mut given = Vec::new();
                for worker in idle {
                    if change.assign(worker)?.is_none() {
                        break;
                    }
                    given.push(worker);
                }
                change.close_if_over()?;
                Ok(given)
            })?
        };
        let bells = self.store.folder().bell();
        for worker in &given {
            ring(&bells, Listener::Runner(*worker));
            ring(&bells, Listener::Worker(*worker));
        }
        if !given.is_empty() {
            ring_watchers(&bells);
        }
        if self.store.is_over()? {
            // The next turn of the loop sees the end.
            ring(&bells, Listener::Scheduler);
        }
        Ok(())
    }

    /// Looks after runs whose runner is gone. What is left of an agent's tree may take seconds to end, so each is
    /// settled beside everything else.
    fn settle_runs(&mut self) -> Result<()> {
        self.recoveries.retain(|_, recovery| !recovery.is_finished());
        for run in self.store.runs()? {
            if run.owner == Owner::External
                || self.recoveries.contains_key(&run.id)
                || self.is_in_hands(&run)?
            {
                continue;
            }
            let (project, id) = (self.store.project().clone(), run.id);
            let recovery = std::thread::spawn(move || {
                let Ok(mut store) = Store::open(&project) else { return };
                // Tried again at the next tick where it failed.
                if recover(&mut store, &run).is_ok() {
                    ring(&store.folder().bell(), Listener::Scheduler);
                    ring(&store.folder().bell(), Listener::Worker(run.worker));
                }
            });
            self.recoveries.insert(id, recovery);
        }
        Ok(())
    }

    /// Whether a process lives that has the run or is about to begin it. From now on the end of the slot's runner is
    /// noticed.
    fn is_in_hands(&mut self, run: &Run) -> Result<bool> {
        let runner = self.crew.lives(&self.store, Place::Runner(run.worker))?;
        match run.state {
            RunState::Claimed => Ok(runner || self.crew.lives(&self.store, Place::Worker(run.worker))?),
            // The slot's runner may have come after the one that began this run, and knows nothing of it.
            RunState::Running => {
                let folder = self.store.folder();
                Ok(folder.try_lock(&folder.runner_lease(&run.work_id))?.is_none())
            }
        }
    }

    fn has_space(&mut self) -> Result<bool> {
        let free = free_space(self.store.folder());
        if free.is_none_or(|free| free >= LEAST_SPACE) {
            return Ok(true);
        }
        let reason = format!("the disk of {} is full", self.store.project().root().display());
        self.store.change(|change| change.hold(&reason))?;
        Ok(false)
    }

    fn report_events(&mut self, report: &mut dyn FnMut(Report<'_>)) -> Result<()> {
        loop {
            let events = self.store.events_after(self.seen)?;
            let Some(last) = events.last() else { return Ok(()) };
            self.seen = last.seq;
            ring_watchers(&self.store.folder().bell());
            events.iter().for_each(|event| report(Report::Event(event)));
        }
    }

    fn wait(&mut self) -> Result<()> {
        let limit =
            self.publishing.due(&self.store)?.map_or(self.options.poll, |due| due.min(self.options.poll));
        let mut fds: Vec<BorrowedFd<'_>> = vec![self.signals.fd()];
        fds.extend(self.bell.fd());
        fds.extend(self.crew.watches().filter_map(ProcessWatch::fd));
        wait_readable(&fds, limit);
        Ok(())
    }
}

fn free_space(folder: &Folder) -> Option<u64> {
    let about = rustix::fs::statvfs(folder.path()).ok()?;
    Some(about.f_bavail.saturating_mul(about.f_frsize))
}
