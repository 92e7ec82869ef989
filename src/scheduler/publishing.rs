//! When schedule.json is looked at and written while the batch runs: soon after a change, but never so often that
//! writing it becomes the work.

use std::time::{Duration, Instant};

use crate::error::{Code, Result};
use crate::store::Store;
use crate::store::intake::Unreadable;

/// Shortest time between two documents.
const SHORTEST: Duration = Duration::from_millis(50);
/// At most this share of the time (one in so many) goes into writing.
const SHARE: u32 = 10;

/// When it was written last, and how long that took.
#[derive(Debug, Default)]
pub struct Publishing {
    last: Option<(Instant, Duration)>,
}

impl Publishing {
    /// Takes in what others wrote. What can't be read is put aside by the store; a disk that refuses is tried again.
    pub fn look(&mut self, store: &mut Store) -> Result<()> {
        match store.file_differs() {
            Ok(false) => Ok(()),
            Ok(true) => self.write(store),
            Err(error) if error.code() != Code::Store => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Writes the document where it is not up to date and its time has come.
    pub fn write_if_due(&mut self, store: &mut Store) -> Result<()> {
        if self.due(store)? == Some(Duration::ZERO) { self.write(store) } else { Ok(()) }
    }

    /// How long until it is to be written; `None` where it is up to date.
    pub fn due(&self, store: &Store) -> Result<Option<Duration>> {
        if store.is_published()? {
            return Ok(None);
        }
        let due = self
            .last
            .map_or(Duration::ZERO, |(at, took)| SHORTEST.max(took * SHARE).saturating_sub(at.elapsed()));
        Ok(Some(due))
    }

    fn write(&mut self, store: &mut Store) -> Result<()> {
        let begin = Instant::now();
        let result = store.publish(Unreadable::PutAside);
        self.last = Some((Instant::now(), begin.elapsed()));
        match result {
            Ok(_) => Ok(()),
            // The batch does not need the document; the next turn tries again.
            Err(error) if error.code() != Code::Store => Ok(()),
            Err(error) => Err(error),
        }
    }
}
