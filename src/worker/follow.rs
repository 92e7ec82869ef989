//! Following what the commands of a run print, attempt after attempt.

use std::fs::File;
use std::io::Read;

use super::Shown;
use crate::error::Result;
use crate::schedule::WorkId;
use crate::store::Store;
use crate::store::events::Event;
use crate::store::works::Run;

/// Follows one run.
#[derive(Debug)]
pub struct Follower {
    run: Run,
    attempt: Option<i64>,
    log: Option<File>,
}

impl Follower {
    /// Follows `run` from the attempt it is at.
    pub fn new(run: &Run) -> Follower {
        Follower { run: run.clone(), attempt: None, log: None }
    }

    /// The run.
    pub fn run(&self) -> i64 {
        self.run.id
    }

    /// Its work.
    pub fn work(&self) -> &WorkId {
        &self.run.work_id
    }

    /// How it ended; `None` while it runs.
    ///
    /// # Errors
    /// The store can't be read.
    pub fn ending(&self, store: &Store) -> Result<Option<Event>> {
        store.ending(&self.run.work_id, self.run.worker, self.run.claimed_at)
    }

    /// Shows what has been printed since the last call.
    ///
    /// # Errors
    /// The store can't be read. A log that can't be read shows nothing.
    pub fn show(&mut self, store: &Store, show: &mut dyn FnMut(Shown<'_>)) -> Result<()> {
        self.copy(show);
        let attempts = store.attempts(&self.run.work_id)?;
        let (run, seen) = (self.run.id, self.attempt);
        let fresh = attempts.iter().filter(|it| it.run == run && seen.is_none_or(|seen| it.id > seen));
        for attempt in fresh {
            self.attempt = Some(attempt.id);
            show(Shown::Attempt { work: &self.run.work_id, phase: &attempt.phase, number: attempt.number });
            self.log = File::open(store.folder().logs_of(&self.run.work_id)?.join(&attempt.log)).ok();
            self.copy(show);
        }
        if self.log.is_none()
            && let Some(last) = attempts.last().filter(|last| Some(last.id) == self.attempt)
        {
            // Recorded, but its log was not there yet.
            self.log = File::open(store.folder().logs_of(&self.run.work_id)?.join(&last.log)).ok();
            self.copy(show);
        }
        Ok(())
    }

    fn copy(&mut self, show: &mut dyn FnMut(Shown<'_>)) {
        let Some(log) = &mut self.log else { return };
        let mut part = [0; 16 * 1024];
        while let Ok(read) = log.read(&mut part) {
            if read == 0 {
                return;
            }
            show(Shown::Output(&part[..read]));
        }
    }
}
