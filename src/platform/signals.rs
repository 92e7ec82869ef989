//! Signals as something to wait for beside everything else: a socket that becomes readable.

use std::io::{self, Read};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::children::Interrupt;
use crate::error::{Code, Error, Result, plain};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

/// A terminal that goes (SIGHUP) no longer ends this process; whether it has gone can be asked.
#[derive(Debug)]
pub struct HangUp(Arc<AtomicBool>);

impl HangUp {
    /// Takes the signal over for this process.
    ///
    /// # Errors
    /// The system refuses the handler.
    pub fn survive() -> io::Result<HangUp> {
        let seen = Arc::new(AtomicBool::new(false));
        signal_hook::flag::register(SIGHUP, Arc::clone(&seen))?;
        Ok(HangUp(seen))
    }

    /// Whether the terminal has gone since the last call.
    pub fn take(&self) -> bool {
        self.0.swap(false, Ordering::Relaxed)
    }
}

/// The wish of a terminal or service manager to end this process (SIGTERM, SIGINT), once asked for.
///
/// From the moment one of these exists the two signals no longer end the process by themselves.
#[derive(Debug)]
pub struct EndSignals {
    socket: UnixStream,
    seen: bool,
}

impl EndSignals {
    /// Takes the two signals over for this process.
    ///
    /// # Errors
    /// The system gives no socket pair or refuses the handlers.
    pub fn listen() -> Result<EndSignals> {
        Self::register().map_err(|error| {
            Error::new(
                Code::Process,
                format!("cannot take over signals: {}", plain(&error)),
                "end other programs",
            )
        })
    }

    fn register() -> io::Result<EndSignals> {
        let (socket, ring) = UnixStream::pair()?;
        socket.set_nonblocking(true)?;
        for signal in [SIGTERM, SIGINT] {
            signal_hook::low_level::pipe::register(signal, ring.try_clone()?)?;
        }
        Ok(EndSignals { socket, seen: false })
    }

    /// Readable once a signal came that [`EndSignals::received`] has not told of yet.
    pub fn fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }

    /// Whether one of the signals has come since the process took them over.
    pub fn received(&mut self) -> bool {
        let mut bytes = [0; 16];
        while self.socket.read(&mut bytes).is_ok_and(|n| n > 0) {
            self.seen = true;
        }
        self.seen
    }
}

impl Interrupt for EndSignals {
    fn fds(&self) -> Vec<BorrowedFd<'_>> {
        vec![self.fd()]
    }
    fn raised(&mut self) -> bool {
        self.received()
    }
}
