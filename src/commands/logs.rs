//! `wf0 batch logs`: what the phases of a work printed.

use std::fs::File;
use std::io::Read;
use std::os::fd::BorrowedFd;
use std::time::Duration;

use super::watch::Next;
use super::{open, schedule};
use crate::error::{Code, Error, Result};
use crate::platform::children::wait_readable;
use crate::platform::signals::EndSignals;
use crate::project::Project;
use crate::schedule::problems::nearest;
use crate::schedule::{ScheduleStatus, Status, WorkId};
use crate::store::Store;
use crate::store::attempts::Attempt;
use crate::store::bell::{Bell, Listener};
use crate::store::processes::Place;

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Which work.
    pub id: WorkId,
    /// Only that phase.
    pub phase: Option<String>,
    /// Whether to go on as more is printed, until the work rests.
    pub follow: bool,
}

/// A piece of what was printed.
#[derive(Debug, Clone)]
pub enum Piece<'a> {
    /// From here on it is that attempt's.
    Attempt {
        /// Which phase.
        phase: String,
        /// From 1.
        number: u32,
    },
    /// The bytes, as they were printed.
    Bytes(&'a [u8]),
}

/// The line above what an attempt printed; `more` where something stands above it already.
pub fn heading(phase: &str, number: u32, more: bool) -> String {
    let gap = if more { "\n" } else { "" };
    format!("{gap}==> {phase} (attempt {number}) <==\n")
}

/// How often a log that may grow is looked at.
const FOLLOW: Duration = Duration::from_millis(100);

/// What was printed, piece after piece.
#[derive(Debug)]
pub struct Logs {
    store: Store,
    bell: Bell,
    request: Request,
    /// The latest attempt that was shown.
    shown: i64,
    open: Option<File>,
    part: Vec<u8>,
}

impl Logs {
    /// Begins to read.
    ///
    /// # Errors
    /// [`Code::UnknownWork`], [`Code::UnknownPhase`].
    pub fn begin(project: &Project, request: Request) -> Result<Logs> {
        let (store, _) = open(project)?;
        schedule(&store)?.work(&request.id)?;
        if let Some(phase) = &request.phase {
            check_phase(project, &store, &request.id, phase)?;
        }
        let bell = Bell::hang(&store.folder().bell(), Listener::watcher());
        Ok(Logs { store, bell, request, shown: 0, open: None, part: vec![0; 64 * 1024] })
    }

    /// The next piece; where it is still to be printed, waited for as long as `patience` and no longer than until
    /// one of `wake` is readable.
    ///
    /// # Errors
    /// The store can't be read.
    pub fn next(&mut self, patience: Duration, wake: &[BorrowedFd<'_>]) -> Result<Next<Piece<'_>>> {
        self.bell.quiet();
        // Looked at before the logs are read: what comes after it is in them.
        let over = !self.request.follow || rests(&self.store, &self.request.id)?;
        let length = match &mut self.open {
            // A log that can't be read any more has no more to show.
            Some(log) => log.read(&mut self.part).unwrap_or(0),
            None => 0,
        };
        if length > 0 {
            return Ok(Next::Came(Piece::Bytes(&self.part[..length])));
        }
        if let Some((attempt, log)) = self.following()? {
            self.shown = attempt.id;
            self.open = Some(log);
            return Ok(Next::Came(Piece::Attempt { phase: attempt.phase, number: attempt.number }));
        }
        if over {
            return Ok(Next::Over);
        }
        let wake: Vec<_> = wake.iter().copied().chain(self.bell.fd()).collect();
        wait_readable(&wake, patience.min(FOLLOW));
        Ok(Next::Nothing)
    }

    /// The attempt after the one that is shown, once it has a log.
    fn following(&self) -> Result<Option<(Attempt, File)>> {
        let wanted = |it: &Attempt| self.request.phase.as_ref().is_none_or(|phase| *phase == it.phase);
        for attempt in self.store.attempts(&self.request.id)? {
            if attempt.id <= self.shown || !wanted(&attempt) {
                continue;
            }
            match File::open(self.store.folder().logs_of(&self.request.id)?.join(&attempt.log)) {
                Ok(file) => return Ok(Some((attempt, file))),
                // It has only just begun; its log comes in a moment.
                Err(_) if attempt.outcome.is_none() => break,
                Err(_) => {}
            }
        }
        Ok(None)
    }
}

/// Hands what was printed to `take`, attempt after attempt, until it answers `false`.
///
/// # Errors
/// As [`Logs`]; [`Code::Interrupted`] while following.
pub fn read(project: &Project, request: Request, take: &mut dyn FnMut(Piece<'_>) -> bool) -> Result<()> {
    // Only while following: otherwise the signals end the process by themselves. And first: who sees that this listens
    // may send one.
    let mut signals = request.follow.then(EndSignals::listen).transpose()?;
    let mut logs = Logs::begin(project, request)?;
    loop {
        if signals.as_mut().is_some_and(EndSignals::received) {
            return Err(Error::new(Code::Interrupted, "interrupted", ""));
        }
        let wake: Vec<_> = signals.iter().map(EndSignals::fd).collect();
        match logs.next(FOLLOW, &wake)? {
            Next::Came(piece) => {
                if !take(piece) {
                    return Ok(());
                }
            }
            Next::Nothing => {}
            Next::Over => return Ok(()),
        }
    }
}

/// Whether nothing more will be printed without somebody's doing.
fn rests(store: &Store, id: &WorkId) -> Result<bool> {
    let Some(work) = store.work(id)? else { return Ok(true) };
    let running =
        store.status()? == Some(ScheduleStatus::Running) || store.serving(Place::Scheduler)?.is_some();
    Ok(match work.status {
        Status::Running => false,
        Status::Pending => work.paused || !running,
        Status::Completed | Status::Failed => true,
    })
}

fn check_phase(project: &Project, store: &Store, id: &WorkId, phase: &str) -> Result<()> {
    let mut known: Vec<String> =
        crate::agent::phases(&project.config()?)?.into_iter().map(|phase| phase.name).collect();
    for attempt in store.attempts(id)? {
        // Phases that the configuration no longer has.
        if !known.contains(&attempt.phase) {
            known.push(attempt.phase);
        }
    }
    if known.iter().any(|other| other == phase) {
        return Ok(());
    }
    let near = nearest(phase, known.iter().map(String::as_str));
    let hint = match near.first() {
        Some(near) => format!("did you mean {near}?"),
        None => format!("there are {}", known.join(", ")),
    };
    Err(Error::new(
        Code::UnknownPhase,
        format!("there is no phase {}", crate::schedule::id::quoted(phase)),
        hint,
    )
    .with_about(phase))
}
