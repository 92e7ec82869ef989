//! `wf0 batch watch`: events as they happen, until the batch ends.

use std::collections::VecDeque;
use std::os::fd::BorrowedFd;
use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;

use super::start::Abandoned;
use super::{Answer, open, schedule, time};
use crate::error::{Code, Error, Result};
use crate::platform::children::wait_readable;
use crate::platform::signals::EndSignals;
use crate::project::Project;
use crate::schedule::{ScheduleStatus, WorkId};
use crate::store::Store;
use crate::store::bell::{Bell, Listener};
use crate::store::events::Event;
use crate::store::processes::Place;

/// One event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Row {
    /// When.
    #[serde(serialize_with = "time")]
    pub at: Timestamp,
    /// What.
    pub event: &'static str,
    /// Which work.
    pub work_id: Option<WorkId>,
    /// At which phase.
    pub phase: Option<String>,
    /// By which worker.
    pub worker: Option<u32>,
    /// The state from then on.
    pub state: Option<String>,
    /// More for people.
    pub message: Option<String>,
}

impl From<Event> for Row {
    fn from(event: Event) -> Row {
        Row {
            at: event.at,
            event: event.kind.as_str(),
            work_id: event.work_id,
            phase: event.phase,
            worker: event.worker.map(|number| number.get()),
            state: event.state,
            message: event.message,
        }
    }
}

impl Row {
    /// What a front end shows while nothing happens, so that whoever reads knows it still watches.
    pub fn pulse() -> Row {
        let (work_id, phase, worker, state, message) = (None, None, None, None, None);
        Row { at: Timestamp::now(), event: "pulse", work_id, phase, worker, state, message }
    }
}

/// From where on events are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Begin {
    /// From now on.
    Now,
    /// From the first one of the schedule.
    Start,
}

/// What a look brought that waits for more.
#[derive(Debug)]
pub enum Next<T> {
    /// The next one.
    Came(T),
    /// Nothing yet: time is up, or something else to be looked at woke it.
    Nothing,
    /// Nothing will come any more.
    Over,
}

/// The events of a batch, one after the other.
#[derive(Debug)]
pub struct Watch {
    store: Store,
    bell: Bell,
    abandoned: Abandoned,
    seen: i64,
    read: VecDeque<Event>,
}

impl Watch {
    /// Begins to watch.
    ///
    /// # Errors
    /// No schedule, or it can't be read.
    pub fn begin(project: &Project, begin: Begin) -> Result<Answer<Watch>> {
        let (store, notices) = open(project)?;
        schedule(&store)?;
        let seen = match begin {
            Begin::Now => store.last_event()?,
            Begin::Start => 0,
        };
        let bell = Bell::hang(&store.folder().bell(), Listener::watcher());
        let value = Watch { store, bell, abandoned: Abandoned::default(), seen, read: VecDeque::new() };
        Ok(Answer { value, notices })
    }

    /// The next event, waited for as long as `patience` and no longer than until one of `wake` is readable.
    ///
    /// # Errors
    /// [`Code::Process`] where the batch is not over and nobody is left to go on with it.
    pub fn next(&mut self, patience: Duration, wake: &[BorrowedFd<'_>]) -> Result<Next<Row>> {
        if self.read.is_empty() {
            self.bell.quiet();
            self.abandoned.look(&self.store)?;
            // Looked at before the events are read: what comes after it is in them.
            let over = self.store.status()? != Some(ScheduleStatus::Running)
                && self.store.serving(Place::Scheduler)?.is_none();
            self.read.extend(self.store.events_after(self.seen)?);
            if self.read.is_empty() {
                if over {
                    return Ok(Next::Over);
                }
                wait_readable(&wake.iter().copied().chain(self.bell.fd()).collect::<Vec<_>>(), patience);
            }
        }
        Ok(match self.read.pop_front() {
            Some(event) => {
                self.seen = event.seq;
                Next::Came(event.into())
            }
            None => Next::Nothing,
        })
    }
}

/// Hands every event on to `take`, until the batch has ended or `take` answers `false`.
///
/// # Errors
/// As [`Watch`]; [`Code::Interrupted`] by SIGINT or SIGTERM, which leaves the batch as it is.
pub fn watch(project: &Project, begin: Begin, take: &mut dyn FnMut(Row) -> bool) -> Result<Vec<String>> {
    // First: who sees that this listens may send one.
    let mut signals = EndSignals::listen()?;
    let Answer { value: mut watch, notices } = Watch::begin(project, begin)?;
    loop {
        if signals.received() {
            return Err(Error::new(
                Code::Interrupted,
                "interrupted; the batch goes on",
                "`wf0 batch stop` ends it",
            ));
        }
        match watch.next(Duration::from_secs(1), &[signals.fd()])? {
            Next::Came(row) => {
                if !take(row) {
                    return Ok(notices);
                }
            }
            Next::Nothing => {}
            Next::Over => return Ok(notices),
        }
    }
}
