//! The workers: which are there, which are idle, and opening those that `start` asked for and that are not there.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use super::opening;
use crate::error::Result;
use crate::platform::process_id::ProcessId;
use crate::platform::process_watch::ProcessWatch;
use crate::schedule::WorkerNumber;
use crate::store::Store;
use crate::store::events::{EventKind, Note};
use crate::store::processes::Place;
use crate::terminal::Role;

/// After so many workers in a row that ended before they served, the batch is held instead of opening more.
const MOST_FAILURES: u32 = 5;
/// A worker that has not registered by then counts as ended.
const LATEST: Duration = Duration::from_secs(20);

/// What the scheduler knows of workers and runners. All of it can be found out again.
#[derive(Debug, Default)]
pub struct Crew {
    watches: HashMap<Place, ProcessWatch>,
    opening: HashMap<WorkerNumber, (ProcessId, Instant)>,
    failures: u32,
}

impl Crew {
    /// What becomes readable when one of them ends.
    pub fn watches(&self) -> impl Iterator<Item = &ProcessWatch> {
        self.watches.values()
    }

    /// Whether the process registered in a place lives; from now on its end is noticed.
    pub fn lives(&mut self, store: &Store, place: Place) -> Result<bool> {
        let Some(it) = store.registered(place)? else {
            self.watches.remove(&place);
            return Ok(false);
        };
        if self.watches.get(&place).is_none_or(|watch| *watch.id() != it.process) {
            self.watches.insert(place, ProcessWatch::new(&it.process));
        }
        let lives = self.watches.get(&place).is_some_and(|watch| !watch.has_ended());
        if !lives {
            // A handle that is readable for good would keep the wait from waiting.
            self.watches.remove(&place);
        }
        Ok(lives)
    }

    /// The workers that live, are not asked to end, and have no run, by number.
    pub fn idle(&mut self, store: &Store, managed: bool) -> Result<Vec<WorkerNumber>> {
        let busy: Vec<WorkerNumber> = store.runs()?.into_iter().map(|run| run.worker).collect();
        let most = store.parallel()?;
        let mut idle = Vec::new();
        for it in store.processes()? {
            let Place::Worker(number) = it.place else { continue };
            let surplus = managed && it.managed && number.get() > most;
            if !it.wish && !surplus && self.lives(store, it.place)? && !busy.contains(&number) {
                idle.push(number);
            }
        }
        Ok(idle)
    }

    /// Waits until the workers that the scheduler opened, and their runners, have ended; at most `limit`.
    pub fn wait_until_gone(&mut self, store: &Store, limit: Duration) -> Result<()> {
        let until = Instant::now() + limit;
        let all = store.processes()?;
        let managed =
            |number: WorkerNumber| all.iter().any(|it| it.place == Place::Worker(number) && it.managed);
        for it in &all {
            let ours = match it.place {
                Place::Scheduler => false,
                Place::Worker(_) => it.managed,
                Place::Runner(number) => managed(number) || store.serving(Place::Worker(number))?.is_none(),
            };
            if ours {
                ProcessWatch::new(&it.process).wait(Some(until.saturating_duration_since(Instant::now())));
            }
        }
        Ok(())
    }

    /// Opens the workers that are asked for and not there.
    pub fn keep(&mut self, store: &mut Store) -> Result<()> {
        let wanted = store.parallel()?.min(store.open_works()?);
        for number in (1..=wanted).filter_map(|number| WorkerNumber::new(number).ok()) {
            if self.lives(store, Place::Worker(number))? {
                if self.opening.remove(&number).is_some() {
                    self.failures = 0;
                }
                continue;
            }
            if let Some((process, since)) = self.opening.get(&number) {
                if process.is_alive() && since.elapsed() < LATEST {
                    continue;
                }
                self.opening.remove(&number);
                self.failures += 1;
            }
            if self.failures >= MOST_FAILURES {
                return hold(store, number);
            }
            match open(store, number) {
                Ok(process) => {
                    self.opening.insert(number, (process, Instant::now()));
                }
                Err(error) => {
                    self.failures += 1;
                    let line = format!("{number} could not be opened: {}", error.what());
                    store.change(|change| {
                        change.note(
                            EventKind::Warning,
                            Note { worker: Some(number), message: Some(&line), ..Note::default() },
                        )
                    })?;
                }
            }
        }
        Ok(())
    }
}

fn hold(store: &mut Store, number: WorkerNumber) -> Result<()> {
    let log = opening::log(store, Role::Worker(number));
    let reason = format!("{number} ends as soon as it is opened; see {} and `wf0 doctor`", log.display());
    store.change(|change| change.hold(&reason))
}

fn open(store: &mut Store, number: WorkerNumber) -> Result<ProcessId> {
    let prefer_tmux = store.project().config()?.batch.tmux;
    let opening = opening::open(store, Role::Worker(number), prefer_tmux)?;
    let message = match opening.opened.session() {
        Some(session) => format!("opened {number} in tmux session {session}"),
        None => format!("opened {number} (pid {})", opening.opened.pid()),
    };
    store.change(|change| {
        if let Some(warning) = &opening.warning {
            change.note(
                EventKind::Warning,
                Note { worker: Some(number), message: Some(warning), ..Note::default() },
            )?;
        }
        change.note(
            EventKind::WorkerOpened,
            Note { worker: Some(number), message: Some(&message), ..Note::default() },
        )
    })?;
    Ok(ProcessId::of(opening.opened.pid()))
}
