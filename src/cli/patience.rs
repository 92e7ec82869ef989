//! What somebody at a terminal is told while trackers take their time.

use std::io::IsTerminal;
use std::os::fd::BorrowedFd;
use std::time::{Duration, Instant};

use super::output::Output;
use crate::platform::children::Interrupt;

/// Answers that come sooner need no word.
const SOON: Duration = Duration::from_secs(2);

/// An interrupt that says once, on a terminal, that it is being waited.
pub(super) struct Patience<'a, I> {
    inner: I,
    output: &'a mut Output,
    begin: Instant,
    told: bool,
}

impl<'a, I: Interrupt> Patience<'a, I> {
    /// The wait begins now.
    pub(super) fn new(inner: I, output: &'a mut Output) -> Patience<'a, I> {
        Patience { inner, output, begin: Instant::now(), told: !std::io::stderr().is_terminal() }
    }
}

impl<I: Interrupt> Interrupt for Patience<'_, I> {
    fn fds(&self) -> Vec<BorrowedFd<'_>> {
        self.inner.fds()
    }

    fn raised(&mut self) -> bool {
        if !self.told && self.begin.elapsed() >= SOON {
            self.told = true;
            self.output.notice("waiting for the tracker; ctrl-c ends it and leaves everything as it is");
        }
        self.inner.raised()
    }
}
