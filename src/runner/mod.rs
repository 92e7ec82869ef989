//! The process that runs works: one a slot, in a session of its own, serving the slot's claims one after another. It
//! outlives the worker that people watch, the scheduler and tmux; an agent's minutes cost money.
//!
//! It takes the work's lease, reads the claim again under it, does the work (`work.rs`), records the outcome, rings.

mod attempt;
pub mod order;
pub mod recover;
mod wishes;
mod work;

use std::os::fd::BorrowedFd;
use std::time::Duration;

use crate::config::Overrides;
use crate::error::{Code, Error, Result};
use crate::platform::children::{Interrupt, wait_readable};
use crate::platform::process_id::ProcessId;
use crate::platform::process_watch::ProcessWatch;
use crate::platform::tree;
use crate::project::Project;
use crate::schedule::WorkerNumber;
use crate::store::Store;
use crate::store::bell::{Listener, ring, ring_watchers};
use crate::store::intake::Unreadable;
use crate::store::processes::Place;
use crate::store::runs::Outcome;
use crate::store::works::{Run, RunState, Wish};
use wishes::Wishes;

/// A lost wake-up costs this much and no more.
const SAFETY_TICK: Duration = Duration::from_secs(1);

/// Serves a slot until its worker is gone and nothing is claimed, or another worker has come in its place: that one
/// opens a runner with `overrides` of its own. Returns at once where another runner serves the slot.
///
/// # Errors
/// The store or the system fails; what was begun is then taken up by recovery.
pub fn serve(project: &Project, worker: WorkerNumber, overrides: Overrides) -> Result<()> {
    // Fails only where this process leads a group already; then it has no terminal to lose either.
    let _ = rustix::process::setsid();
    tree::become_subreaper();
    let store = Store::open(project)?;
    let Some(_place) = store.folder().try_lock(&store.folder().slot_runner_lock(worker))? else {
        return Ok(());
    };
    let wishes = Wishes::listen(project, worker)?;
    let opener = store.serving(Place::Worker(worker))?.map(|it| it.process);
    let mut runner = Runner { store, wishes, worker, opener, overrides };
    runner.store.change(|change| change.register(Place::Runner(worker), None, false))?;
    runner.ring();
    let result = runner.serve();
    runner.store.change(|change| change.unregister(Place::Runner(worker), &ProcessId::me()))?;
    runner.ring();
    result
}

struct Runner {
    store: Store,
    wishes: Wishes,
    worker: WorkerNumber,
    /// The worker that it was opened by.
    opener: Option<ProcessId>,
    overrides: Overrides,
}

impl Runner {
    fn serve(&mut self) -> Result<()> {
        loop {
            self.wishes.forget();
            let slot = self.store.serving(Place::Worker(self.worker))?;
            if slot.as_ref().is_some_and(|slot| Some(&slot.process) != self.opener.as_ref()) {
                return Ok(());
            }
            if let Some(run) = self.store.run_of(self.worker)?.filter(|run| run.state == RunState::Claimed) {
                self.run(&run)?;
                continue;
            }
            let Some(slot) = slot else { return Ok(()) };
            if self.wishes.end_signal() {
                return Ok(());
            }
            let slot = ProcessWatch::new(&slot.process);
            let mut fds: Vec<BorrowedFd<'_>> = self.wishes.fds();
            fds.extend(slot.fd());
            wait_readable(&fds, SAFETY_TICK);
        }
    }

    fn run(&mut self, run: &Run) -> Result<()> {
        let lease = self.store.folder().runner_lease(&run.work_id);
        let Some(lease) = self.store.folder().try_lock(&lease)? else {
            // A recovery is settling it this moment; the claim is read again after that.
            wait_readable(&self.wishes.fds(), Duration::from_millis(20));
            return Ok(());
        };
        let outcome = if self.store.change(|change| change.begin_run(run.id))? {
            self.ring();
            self.wishes.attend_to(run.id);
            match self.work(run) {
                Ok(outcome) => outcome,
                Err(error) if error.code() == Code::Interrupted => self.returned("stopped"),
                Err(error) if error.code() == Code::Store => return Err(error),
                Err(error) if concerns_every_work(error.code()) => {
                    self.store.change(|change| change.hold(&told(&error)))?;
                    self.returned(&told(&error))
                }
                Err(error) => Outcome::Failed(told(&error)),
            }
        } else {
            self.wishes.attend_to(run.id);
            self.wishes.raised();
            self.returned("stopped before it began")
        };
        self.store.change(|change| change.end_run(run.id, &run.work_id, &outcome))?;
        drop(lease);
        self.wishes.forget();
        self.ring();
        if self.store.serving(Place::Scheduler)?.is_none() {
            // Nobody else is there to bring schedule.json up to date; the next command does what this can't.
            match self.store.publish(Unreadable::PutAside) {
                Err(error) if error.code() == Code::Store => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }

    fn returned(&self, why: &str) -> Outcome {
        Outcome::Returned { why: why.to_owned(), pause: self.wishes.wish() == Some(Wish::Pause) }
    }

    fn ring(&self) {
        let bells = self.store.folder().bell();
        ring(&bells, Listener::Scheduler);
        ring(&bells, Listener::Worker(self.worker));
        ring_watchers(&bells);
    }
}

/// What would make every other work fail the same way holds the batch instead.
fn concerns_every_work(code: Code) -> bool {
    matches!(code, Code::Config | Code::NoGit | Code::Repository | Code::ProjectPlace)
}

/// An error as a work's `error` tells it.
fn told(error: &Error) -> String {
    if error.hint().is_empty() {
        error.what().to_owned()
    } else {
        format!("{}; {}", error.what(), error.hint())
    }
}
