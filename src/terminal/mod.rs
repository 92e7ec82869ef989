//! Opening a scheduler or worker so that it outlives whoever opened it: in a tmux session, which people can
//! attach to, or detached, in a session of its own with a log file.
//!
//! Either way the new process gets the opener's environment, arguments and the project's folder through a
//! hand-over file (`handover.rs`), because a tmux server would give it those of whoever started the server.
//! Nothing here knows what the process does, or keeps it from being opened twice: that is for its lock.

mod descriptors;
mod detached;
mod handover;
mod names;
mod program;
mod relaunch;
mod tmux;

use std::ffi::OsString;
use std::fmt;
use std::path::Path;
use std::time::Instant;

pub use program::RELAUNCH;
pub use relaunch::{Relaunched, relaunch, relaunch_from_arguments};
pub use tmux::{Tmux, attach_command};

use crate::error::{Code, Error, Result};
use crate::platform::children::Interrupt;
use crate::schedule::id::WorkerNumber;

/// Which process of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// The daemon, one a project.
    Scheduler,
    /// One slot.
    Worker(WorkerNumber),
}

impl Role {
    /// The tmux session it runs in, where no other project has that name.
    pub fn session_name(self) -> String {
        match self {
            Role::Scheduler => "wf-batch-scheduler".to_owned(),
            Role::Worker(number) => format!("wf-batch-{number}"),
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Role::Scheduler => f.write_str("the scheduler"),
            Role::Worker(number) => number.fmt(f),
        }
    }
}

/// What is to be opened.
#[derive(Debug, Clone)]
pub struct Launch<'a> {
    /// The `wf0` program; it must answer [`relaunch_from_arguments`].
    pub program: &'a Path,
    /// Its arguments.
    pub arguments: Vec<OsString>,
    /// The project's root: the process's working folder, and the mark by which its session is known.
    pub root: &'a Path,
    /// Which process it is.
    pub role: Role,
    /// An existing folder, readable for its owner only, for the hand-over file.
    pub folder: &'a Path,
    /// Where a detached process's output goes, appended.
    pub log: &'a Path,
}

/// Where a process has been opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Opened {
    /// In a tmux session.
    Tmux {
        /// The session's name, possibly with the project's added.
        session: String,
        /// The process.
        pid: u32,
    },
    /// In a session of its own, without a terminal.
    Detached {
        /// The process.
        pid: u32,
    },
}

impl Opened {
    /// The process.
    pub fn pid(&self) -> u32 {
        match self {
            Opened::Tmux { pid, .. } | Opened::Detached { pid } => *pid,
        }
    }

    /// The tmux session it runs in.
    pub fn session(&self) -> Option<&str> {
        match self {
            Opened::Tmux { session, .. } => Some(session),
            Opened::Detached { .. } => None,
        }
    }
}

/// What came of [`open`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opening {
    /// Where the process is.
    pub opened: Opened,
    /// Why it is detached although tmux was wanted and is installed; for people.
    pub warning: Option<String>,
}

/// Opens a process: in a tmux session where that is wanted and possible, detached otherwise.
///
/// # Errors
/// [`Code::Taken`] where this project has a session for that role already, be it alive or a leftover; the
/// hand-over file cannot be written; the detached process cannot be started.
pub fn open(tmux: &Tmux, launch: &Launch<'_>, prefer_tmux: bool) -> Result<Opening> {
    handover::sweep(launch.folder);
    let mut warning = None;
    if prefer_tmux && tmux.is_installed() {
        match tmux::open(tmux, launch) {
            Ok(opened) => return Ok(Opening { opened, warning: None }),
            Err(tmux::Refusal::Error(error)) => return Err(error),
            Err(tmux::Refusal::Taken(session)) => {
                return Err(Error::new(
                    Code::Taken,
                    format!("this project already has the tmux session {session} for {}", launch.role),
                    format!(
                        "look into it with `{}`, or end it with `wf0 batch stop --all`",
                        attach_command(&session)
                    ),
                ));
            }
            Err(tmux::Refusal::Cannot(why)) => {
                warning = Some(format!("{} runs detached, without a tmux session: {why}", launch.role));
            }
        }
    }
    let pid = detached::open(launch)?;
    Ok(Opening { opened: Opened::Detached { pid }, warning })
}

/// Opens a process whose lock nobody holds, as [`open`] does; a session that an earlier one left is closed first.
///
/// # Errors
/// As [`open`].
pub fn open_fresh(tmux: &Tmux, launch: &Launch<'_>, prefer_tmux: bool) -> Result<Opening> {
    match open(tmux, launch, prefer_tmux) {
        Err(error) if error.code() == Code::Taken => {
            for session in tmux.sessions_of(launch.root)? {
                let name = launch.role.session_name();
                let is_its =
                    session.strip_prefix(&name).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'));
                if is_its {
                    tmux.close(&session, launch.root)?;
                }
            }
            open(tmux, launch, prefer_tmux)
        }
        other => other,
    }
}

/// Ends a wait when its time has come.
struct Until(Instant);

impl Interrupt for Until {
    fn fds(&self) -> Vec<std::os::fd::BorrowedFd<'_>> {
        Vec::new()
    }
    fn raised(&mut self) -> bool {
        Instant::now() >= self.0
    }
}
