//! What may end a run before its time: a wish in the store, or a signal to the runner.

use std::os::fd::BorrowedFd;

use crate::error::Result;
use crate::platform::children::Interrupt;
use crate::platform::signals::EndSignals;
use crate::project::Project;
use crate::schedule::WorkerNumber;
use crate::store::Store;
use crate::store::bell::{Bell, Listener};
use crate::store::works::Wish;

/// The runner's ear. It has a connection of its own, so that it can be asked while the runner's is in use.
#[derive(Debug)]
pub struct Wishes {
    store: Store,
    bell: Bell,
    signals: EndSignals,
    run: Option<i64>,
    wish: Option<Wish>,
}

impl Wishes {
    /// Hangs up the bell of a slot's runner and takes over the signals.
    pub fn listen(project: &Project, worker: WorkerNumber) -> Result<Wishes> {
        let signals = EndSignals::listen()?;
        let store = Store::open(project)?;
        let bell = Bell::hang(&store.folder().bell(), Listener::Runner(worker));
        Ok(Wishes { store, bell, signals, run: None, wish: None })
    }

    /// From now on this run is what wishes are about.
    pub fn attend_to(&mut self, run: i64) {
        self.run = Some(run);
        self.wish = None;
    }

    /// No run any more.
    pub fn forget(&mut self) {
        self.run = None;
        self.wish = None;
        self.bell.quiet();
    }

    /// The wish that ended the run.
    pub fn wish(&self) -> Option<Wish> {
        self.wish
    }

    /// Whether the runner itself was asked to end.
    pub fn end_signal(&mut self) -> bool {
        self.signals.received()
    }
}

impl Interrupt for Wishes {
    fn fds(&self) -> Vec<BorrowedFd<'_>> {
        std::iter::once(self.signals.fd()).chain(self.bell.fd()).collect()
    }

    fn raised(&mut self) -> bool {
        self.bell.quiet();
        if self.wish.is_none() {
            // A store that can't be read now is read again at the next ring or tick.
            self.wish = self.run.and_then(|run| self.store.wish_for(run).ok().flatten());
        }
        if self.wish.is_none() && self.signals.received() {
            self.wish = Some(Wish::Return);
        }
        self.wish.is_some()
    }
}
