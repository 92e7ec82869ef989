//! `wf0 batch watch`: events as they happen, until the batch ends.

use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;

use super::start::Abandoned;
use super::{open, schedule, time};
use crate::error::{Code, Error, Result};
use crate::platform::children::wait_readable;
use crate::platform::signals::EndSignals;
use crate::project::Project;
use crate::schedule::{ScheduleStatus, WorkId};
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

/// From where on events are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Begin {
    /// From now on.
    Now,
    /// From the first one of the schedule.
    Start,
}

/// Hands every event from `begin` on to `take`, until the batch has ended or `take` answers `false`. `idle` is called
/// about once a second while nothing happens, and ends the watch in the same way.
///
/// # Errors
/// [`Code::Interrupted`] by SIGINT or SIGTERM; the batch goes on.
pub fn watch(
    project: &Project,
    begin: Begin,
    take: &mut dyn FnMut(Row) -> bool,
    idle: &mut dyn FnMut() -> bool,
) -> Result<Vec<String>> {
    let (store, notices) = open(project)?;
    schedule(&store)?;
    let mut seen = match begin {
        Begin::Now => store.last_event()?,
        Begin::Start => 0,
    };
    let bell = Bell::hang(&store.folder().bell(), Listener::Watcher(std::process::id()));
    let mut signals = EndSignals::listen()
        .map_err(|error| Error::file("take over signals in", store.folder().path(), &error))?;
    let mut abandoned = Abandoned::default();
    loop {
        bell.quiet();
        abandoned.look(&store)?;
        // Looked at before the events are read: what comes after it is in them.
        let over =
            store.status()? != Some(ScheduleStatus::Running) && store.serving(Place::Scheduler)?.is_none();
        let events = store.events_after(seen)?;
        if signals.received() {
            return Err(Error::new(
                Code::Interrupted,
                "interrupted; the batch goes on",
                "`wf0 batch stop` ends it",
            ));
        }
        if events.is_empty() {
            if over || !idle() {
                return Ok(notices);
            }
            let mut fds = vec![signals.fd()];
            fds.extend(bell.fd());
            wait_readable(&fds, Duration::from_secs(1));
        }
        for event in events {
            seen = event.seq;
            if !take(event.into()) {
                return Ok(notices);
            }
        }
    }
}
