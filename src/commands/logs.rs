//! `wf0 batch logs`: what the phases of a work printed.

use std::fs::File;
use std::io::Read;
use std::time::Duration;

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
#[derive(Debug, Clone, Copy)]
pub enum Piece<'a> {
    /// From here on it is that attempt's.
    Attempt {
        /// Which phase.
        phase: &'a str,
        /// From 1.
        number: u32,
    },
    /// The bytes, as they were printed.
    Bytes(&'a [u8]),
}

/// How often a log that may grow is looked at.
const FOLLOW: Duration = Duration::from_millis(100);

/// Hands what was printed to `take`, attempt after attempt, until it answers `false`.
///
/// # Errors
/// [`Code::UnknownWork`], [`Code::UnknownPhase`], [`Code::Interrupted`] while following.
pub fn read(project: &Project, request: &Request, take: &mut dyn FnMut(Piece<'_>) -> bool) -> Result<()> {
    let (store, _) = open(project)?;
    schedule(&store)?.work(&request.id)?;
    if let Some(phase) = &request.phase {
        check_phase(project, &store, &request.id, phase)?;
    }
    let mut reader = Reader { request, shown: 0, open: None };
    if !request.follow {
        return reader.copy(&store, take).map(|_| ());
    }
    let bell = Bell::hang(&store.folder().bell(), Listener::Watcher(std::process::id()));
    let mut signals = EndSignals::listen()
        .map_err(|error| Error::file("take over signals in", store.folder().path(), &error))?;
    loop {
        bell.quiet();
        let rests = rests(&store, &request.id)?;
        if !reader.copy(&store, take)? || rests {
            return Ok(());
        }
        if signals.received() {
            return Err(Error::new(Code::Interrupted, "interrupted", ""));
        }
        let mut fds = vec![signals.fd()];
        fds.extend(bell.fd());
        wait_readable(&fds, FOLLOW);
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
    known.extend(store.attempts(id)?.into_iter().map(|attempt| attempt.phase));
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
    ))
}

struct Reader<'a> {
    request: &'a Request,
    /// The latest attempt that was shown.
    shown: i64,
    open: Option<File>,
}

impl Reader<'_> {
    /// Copies what is new; `false` where nobody wants more.
    fn copy(&mut self, store: &Store, take: &mut dyn FnMut(Piece<'_>) -> bool) -> Result<bool> {
        if !self.drain(take) {
            return Ok(false);
        }
        let attempts: Vec<Attempt> = store.attempts(&self.request.id)?;
        let wanted = |it: &&Attempt| self.request.phase.as_ref().is_none_or(|phase| *phase == it.phase);
        let fresh: Vec<&Attempt> = attempts.iter().filter(|it| it.id > self.shown).filter(wanted).collect();
        for attempt in fresh {
            let log = store.folder().logs_of(&self.request.id)?.join(&attempt.log);
            let Ok(file) = File::open(&log) else {
                if attempt.outcome.is_none() {
                    // It has only just begun; its log comes in a moment.
                    return Ok(true);
                }
                continue;
            };
            self.shown = attempt.id;
            self.open = Some(file);
            if !take(Piece::Attempt { phase: &attempt.phase, number: attempt.number }) || !self.drain(take) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn drain(&mut self, take: &mut dyn FnMut(Piece<'_>) -> bool) -> bool {
        let Some(log) = &mut self.open else { return true };
        let mut part = vec![0; 64 * 1024];
        while let Ok(read) = log.read(&mut part) {
            if read == 0 {
                break;
            }
            if !take(Piece::Bytes(&part[..read])) {
                return false;
            }
        }
        true
    }
}
