//! A worker: a slot that people can watch. It sees to it that a runner serves the slot, and shows what the runner's
//! commands print by following their logs. Killed, it takes nothing with it; asked to end, it has its run ended first.

mod follow;

use std::os::fd::BorrowedFd;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::config::Overrides;
use crate::error::{Code, Error, Result};
use crate::platform::children::wait_readable;
use crate::platform::process_id::ProcessId;
use crate::platform::process_watch::ProcessWatch;
use crate::platform::signals::EndSignals;
use crate::project::Project;
use crate::schedule::{ScheduleStatus, WorkId, WorkerNumber};
use crate::scheduler::opening;
use crate::store::Store;
use crate::store::bell::{Bell, Listener, ring, ring_watchers};
use crate::store::events::{Event, EventKind, Note};
use crate::store::intake::Unreadable;
use crate::store::processes::Place;
use crate::store::works::{Owner, no_schedule};
use crate::terminal::Role;

pub use follow::Follower;

/// What a worker shows.
#[derive(Debug, Clone, Copy)]
pub enum Shown<'a> {
    /// It serves from now on.
    Ready(WorkerNumber),
    /// An attempt began.
    Attempt {
        /// Which work.
        work: &'a WorkId,
        /// Which phase.
        phase: &'a str,
        /// From 1.
        number: u32,
    },
    /// What the command printed.
    Output(&'a [u8]),
    /// The work left the worker.
    Left {
        /// Which work.
        work: &'a WorkId,
        /// How its run ended, where that is known.
        how: Option<&'a Event>,
    },
    /// It ends.
    Ends(&'a str),
}

/// How a worker is opened.
#[derive(Debug, Clone)]
pub struct Options {
    /// Whether `start` opened it, so that the scheduler opens it again.
    pub managed: bool,
    /// The tmux session that shows it.
    pub session: Option<String>,
    /// How often an idle worker looks at what may have escaped it; events never wait for it.
    pub poll: Duration,
    /// What its runs have in place of the configuration.
    pub overrides: Overrides,
}

/// How often the log of a running command is looked at.
const FOLLOW: Duration = Duration::from_millis(100);
/// A scheduler that died is looked for this often.
const SAFETY_TICK: Duration = Duration::from_secs(1);
/// How long a scheduler that was opened may take until it serves.
const LATEST: Duration = Duration::from_secs(10);
/// A runner that ends at once is not opened more often than this.
const REOPEN: Duration = Duration::from_secs(1);

/// Serves a slot until the batch is over, `stop`, or a signal.
///
/// # Errors
/// [`Code::Taken`] where that worker is there already, [`Code::NoSchedule`], or the store can't be used.
pub fn serve(
    project: &Project,
    number: WorkerNumber,
    options: &Options,
    show: &mut dyn FnMut(Shown<'_>),
) -> Result<()> {
    let mut store = Store::open(project)?;
    store.publish(Unreadable::Refuse)?;
    if store.status()?.is_none() {
        return Err(no_schedule());
    }
    let Some(_place) = store.folder().try_lock(&store.folder().worker_lock(number))? else {
        return Err(taken(&store, number)?);
    };
    let signals = EndSignals::listen()?;
    let bell = Bell::hang(&store.folder().bell(), Listener::Worker(number));
    store.change(|change| {
        change.register(Place::Worker(number), options.session.as_deref(), options.managed)
    })?;
    ring(&store.folder().bell(), Listener::Scheduler);
    ring_watchers(&store.folder().bell());
    show(Shown::Ready(number));
    let mut slot = Slot {
        store,
        number,
        signals,
        bell,
        runner: None,
        opened: None,
        managed: options.managed,
        poll: options.poll,
        overrides: options.overrides,
        looked: None,
    };
    let result = slot.serve(show);
    slot.store.change(|change| change.unregister(Place::Worker(number), &ProcessId::me()))?;
    ring(&slot.store.folder().bell(), Listener::Scheduler);
    ring(&slot.store.folder().bell(), Listener::Runner(number));
    ring_watchers(&slot.store.folder().bell());
    show(Shown::Ends(match &result {
        Ok(why) => why,
        Err(error) => error.what(),
    }));
    result.map(|_| ())
}

fn taken(store: &Store, number: WorkerNumber) -> Result<Error> {
    let who = store.serving(Place::Worker(number))?.map(|it| format!(" {}", it.who())).unwrap_or_default();
    Ok(Error::new(
        Code::Taken,
        format!("{number} is already running{who}"),
        "use another number, or end that one with `wf0 batch stop`",
    ))
}

struct Slot {
    store: Store,
    number: WorkerNumber,
    signals: EndSignals,
    bell: Bell,
    runner: Option<Child>,
    opened: Option<Instant>,
    managed: bool,
    poll: Duration,
    overrides: Overrides,
    looked: Option<Instant>,
}

impl Slot {
    /// Serves; gives why it ends.
    fn serve(&mut self, show: &mut dyn FnMut(Shown<'_>)) -> Result<&'static str> {
        let mut follower: Option<Follower> = None;
        let mut batch_ran = false;
        let mut asked = false;
        loop {
            self.bell.quiet();
            let run = self.store.run_of(self.number)?.filter(|run| run.owner == Owner::Runner);
            match (&run, &mut follower) {
                (Some(run), Some(it)) if it.run() == run.id => it.show(&self.store, show)?,
                (now, before) => {
                    if let Some(mut before) = before.take() {
                        before.show(&self.store, show)?;
                        let how = before.ending(&self.store)?;
                        show(Shown::Left { work: before.work(), how: how.as_ref() });
                    }
                    if let Some(run) = now {
                        let mut it = Follower::new(run);
                        it.show(&self.store, show)?;
                        follower = Some(it);
                    }
                }
            }
            if self.signals.received() && !asked {
                asked = true;
                let number = self.number;
                self.store.change(|change| change.dismiss(number))?;
                ring(&self.store.folder().bell(), Listener::Runner(number));
            }
            let status = self.store.status()?;
            batch_ran |= status == Some(ScheduleStatus::Running);
            if run.is_none() {
                let wished = self.store.registered(Place::Worker(self.number))?.is_some_and(|me| me.wish);
                if asked {
                    return Ok("asked to end");
                }
                if wished {
                    return Ok("stopped");
                }
                if status.is_none() {
                    return Ok("the schedule was cleared");
                }
                // With everything completed there is nothing to wait for, whoever ran it.
                if (batch_ran || status == Some(ScheduleStatus::Completed)) && self.store.is_over()? {
                    return Ok("the batch is over");
                }
            }
            self.keep_runner()?;
            if status == Some(ScheduleStatus::Running) {
                self.keep_scheduler()?;
            }
            self.wait(run.is_some());
        }
    }

    /// Opens the scheduler again where it died: nobody else is there to do so at night. Only workers that it opened do
    /// that; of several, the first to hold the lock for starting.
    fn keep_scheduler(&mut self) -> Result<()> {
        let due = self.looked.is_none_or(|looked| looked.elapsed() >= SAFETY_TICK);
        if !self.managed || !due || self.store.serving(Place::Scheduler)?.is_some() {
            return Ok(());
        }
        self.looked = Some(Instant::now());
        let folder = self.store.folder().clone();
        let Some(_turn) = folder.try_lock(&folder.lock("start"))? else { return Ok(()) };
        if folder.try_lock(&folder.lock("scheduler"))?.is_none() {
            return Ok(());
        }
        let prefer_tmux = self.store.project().config().is_ok_and(|config| config.batch.tmux);
        let message = match opening::open(&self.store, Role::Scheduler, prefer_tmux) {
            Ok(_) => "the scheduler was gone: opened again".to_owned(),
            Err(error) => format!("the scheduler is gone and could not be opened again: {}", error.what()),
        };
        self.store.change(|change| {
            change.note(
                EventKind::Warning,
                Note { worker: Some(self.number), message: Some(&message), ..Note::default() },
            )
        })?;
        // Held until it serves, or another worker would open one, too.
        let until = Instant::now() + LATEST;
        while self.store.serving(Place::Scheduler)?.is_none() && Instant::now() < until {
            self.bell.quiet();
            wait_readable(&self.bell.fd().into_iter().collect::<Vec<_>>(), Duration::from_millis(50));
        }
        Ok(())
    }

    /// Opens a runner where none serves the slot. One that finds another there ends at once.
    fn keep_runner(&mut self) -> Result<()> {
        if let Some(child) = &mut self.runner {
            match child.try_wait() {
                Ok(None) => return Ok(()),
                Ok(Some(_)) | Err(_) => self.runner = None,
            }
        }
        if self.store.serving(Place::Runner(self.number))?.is_some()
            || self.opened.is_some_and(|opened| opened.elapsed() < REOPEN)
        {
            return Ok(());
        }
        self.opened = Some(Instant::now());
        let log = self.store.folder().process_log(&format!("runner-{}", self.number.get()));
        let program = crate::platform::program::wf0()?;
        let cannot = |error: &std::io::Error| Error::file("open a runner with its log", &log, error);
        let out = {
            use std::os::unix::fs::OpenOptionsExt;
            std::fs::File::options()
                .append(true)
                .create(true)
                .mode(0o600)
                .open(&log)
                .map_err(|e| cannot(&e))?
        };
        let err = out.try_clone().map_err(|e| cannot(&e))?;
        let child = Command::new(&program)
            .arg("--project")
            .arg(self.store.project().root())
            .args(["batch", "runner", &self.number.get().to_string()])
            .args(arguments(self.overrides))
            .current_dir(self.store.project().root())
            .stdin(Stdio::null())
            .stdout(out)
            .stderr(err)
            .spawn()
            .map_err(|error| Error::file("start", &program, &error))?;
        self.runner = Some(child);
        Ok(())
    }

    fn wait(&self, busy: bool) {
        let runner = self.store.serving(Place::Runner(self.number)).ok().flatten();
        let watch = runner.map(|runner| ProcessWatch::new(&runner.process));
        let mut fds: Vec<BorrowedFd<'_>> = vec![self.signals.fd()];
        fds.extend(self.bell.fd());
        fds.extend(watch.as_ref().and_then(ProcessWatch::fd));
        wait_readable(&fds, if busy { FOLLOW } else { self.poll });
    }
}

/// How a runner is told of its overrides.
fn arguments(overrides: Overrides) -> Vec<String> {
    let failures = overrides.max_step_failures.map(|number| format!("--max-step-failures={number}"));
    let cleanup = overrides.cleanup_worktree.map(|wanted| format!("--cleanup-worktree={wanted}"));
    failures.into_iter().chain(cleanup).collect()
}
