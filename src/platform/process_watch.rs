//! Hearing at once that a process has ended, whoever started it.
//!
//! Linux: a pidfd, readable 0.1 ms after the death. Elsewhere the wait looks every 20 ms.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, poll};

use super::process_id::ProcessId;

/// A watch on one process.
#[derive(Debug)]
pub struct ProcessWatch {
    id: ProcessId,
    handle: Option<OwnedFd>,
}

/// How often a platform without process handles looks.
const LOOK: Duration = Duration::from_millis(20);

impl ProcessWatch {
    /// Begins to watch. A process that is already gone is reported as ended.
    pub fn new(id: &ProcessId) -> ProcessWatch {
        ProcessWatch { id: id.clone(), handle: open(id) }
    }

    /// The process.
    pub fn id(&self) -> &ProcessId {
        &self.id
    }

    /// Becomes readable when the process ends; `None` where the platform has no such handle or it is gone.
    pub fn fd(&self) -> Option<BorrowedFd<'_>> {
        self.handle.as_ref().map(AsFd::as_fd)
    }

    /// Whether the process has ended.
    pub fn has_ended(&self) -> bool {
        self.wait(Some(Duration::ZERO))
    }

    /// Waits until it has ended, at most `limit`; whether it has.
    pub fn wait(&self, limit: Option<Duration>) -> bool {
        let until = limit.map(|limit| Instant::now() + limit);
        loop {
            if !self.id.is_alive() {
                return true;
            }
            let left = until.map(|until| until.saturating_duration_since(Instant::now()));
            if left == Some(Duration::ZERO) {
                return false;
            }
            match &self.handle {
                Some(handle) => {
                    let timeout = left.and_then(|left| left.try_into().ok());
                    let mut fds = [PollFd::new(handle, PollFlags::IN)];
                    if poll(&mut fds, timeout.as_ref()).is_ok_and(|ready| ready > 0) {
                        return true;
                    }
                }
                None => std::thread::sleep(left.map_or(LOOK, |left| left.min(LOOK))),
            }
        }
    }
}

#[cfg(target_os = "linux")]
fn open(id: &ProcessId) -> Option<OwnedFd> {
    let handle =
        rustix::process::pidfd_open(super::process_id::to_pid(id.pid)?, rustix::process::PidfdFlags::empty())
            .ok()?;
    // The number may have passed to another process before the handle was opened.
    id.is_alive().then_some(handle)
}

#[cfg(not(target_os = "linux"))]
fn open(_id: &ProcessId) -> Option<OwnedFd> {
    None
}
