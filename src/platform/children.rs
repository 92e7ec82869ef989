//! Running another program to its end, with everything that may cut the wait short.

use std::io::{self, Read, Seek};
use std::os::fd::BorrowedFd;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::process::{Signal, kill_process_group};

use super::process_id::{ProcessId, to_pid};
use super::process_watch::ProcessWatch;

/// Something that may end a wait before its time: a signal, a wish in the store.
pub trait Interrupt {
    /// What becomes readable when there may be news.
    fn fds(&self) -> Vec<BorrowedFd<'_>>;
    /// Looks at the news: `true` ends the wait. Called whenever a descriptor is readable, and once a second.
    fn raised(&mut self) -> bool;
}

/// Nothing interrupts.
#[derive(Debug, Clone, Copy)]
pub struct Never;

impl Interrupt for Never {
    fn fds(&self) -> Vec<BorrowedFd<'_>> {
        Vec::new()
    }
    fn raised(&mut self) -> bool {
        false
    }
}

/// How a wait came to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Waited {
    /// The program ended by itself.
    Exited(ExitStatus),
    /// The interrupt was raised; the program still runs.
    Interrupted,
    /// Time is up; the program still runs.
    TimedOut,
}

/// A lost wake-up costs this much and no more.
const SAFETY_TICK: Duration = Duration::from_secs(1);
/// How often a platform without process handles looks for the end of a child.
const LOOK: Duration = Duration::from_millis(10);

/// Waits for `child`, for `interrupt`, or for `limit`, whichever comes first.
///
/// # Errors
/// The system refuses to tell the child's state.
pub fn wait(child: &mut Child, interrupt: &mut dyn Interrupt, limit: Option<Duration>) -> io::Result<Waited> {
    let until = limit.map(|limit| Instant::now() + limit);
    let watch = ProcessWatch::new(&ProcessId::of(child.id()));
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Waited::Exited(status));
        }
        if interrupt.raised() {
            return Ok(Waited::Interrupted);
        }
        let left = until.map_or(SAFETY_TICK, |until| until.saturating_duration_since(Instant::now()));
        if left.is_zero() {
            return Ok(Waited::TimedOut);
        }
        let mut fds = interrupt.fds();
        let step = match watch.fd() {
            Some(fd) => {
                fds.push(fd);
                left.min(SAFETY_TICK)
            }
            None => left.min(LOOK),
        };
        wait_readable(&fds, step);
    }
}

/// Waits until one of `fds` is readable or `limit` is over.
pub fn wait_readable(fds: &[BorrowedFd<'_>], limit: Duration) {
    let mut polled: Vec<PollFd<'_>> = fds.iter().map(|fd| PollFd::new(fd, PollFlags::IN)).collect();
    // A signal that cuts the wait short (EINTR) is as good as news: every caller looks again.
    let _ = poll(&mut polled, limit.try_into().ok().as_ref());
}

/// What a short-lived program said and how it ended.
#[derive(Debug)]
pub struct Finished {
    /// Exit status or signal.
    pub status: ExitStatus,
    /// Standard output, whole.
    pub stdout: Vec<u8>,
    /// Standard error, whole.
    pub stderr: Vec<u8>,
}

/// Why a program gave no result.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// It could not be started, or its output not be read.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The interrupt was raised; the program has been ended.
    #[error("interrupted")]
    Interrupted,
}

/// How long a program that is to end may take before it is killed.
const GRACE: Duration = Duration::from_secs(2);

/// Runs `command` in a process group of its own, without standard input, and collects what it prints (in
/// unnamed files, so that a child it leaves behind cannot hold the caller up). Raised, the interrupt ends the
/// whole group: SIGTERM, and SIGKILL two seconds later.
///
/// # Errors
/// [`RunError`].
pub fn run(command: &mut Command, interrupt: &mut dyn Interrupt) -> Result<Finished, RunError> {
    let mut running = Running::begin(command)?;
    match wait(&mut running.child, interrupt, None)? {
        Waited::Exited(status) => Ok(running.finished(status)?),
        Waited::Interrupted | Waited::TimedOut => {
            end_group(&mut running.child)?;
            Err(RunError::Interrupted)
        }
    }
}

/// What a program may take before it is ended.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// The time until its end.
    pub time: Duration,
    /// What it prints, standard output and standard error together, in bytes.
    pub output: u64,
}

/// How a program with [`Limits`] came to its end.
#[derive(Debug)]
pub enum Bounded {
    /// By itself.
    Finished(Finished),
    /// The interrupt was raised.
    Interrupted,
    /// It took longer than it may.
    TimedOut,
    /// It printed more than it may.
    TooMuch,
}

/// As [`run`], for a program that may hang or never stop printing: its whole group is ended at either limit.
///
/// # Errors
/// It could not be started, or its output not be read.
pub fn run_within(
    command: &mut Command,
    interrupt: &mut dyn Interrupt,
    limits: Limits,
) -> io::Result<Bounded> {
    let mut running = Running::begin(command)?;
    let until = Instant::now() + limits.time;
    let cut = loop {
        let left = until.saturating_duration_since(Instant::now());
        let waited = wait(&mut running.child, interrupt, Some(left.min(MEASURE)))?;
        let too_much = running.printed()? > limits.output;
        match waited {
            Waited::Exited(_) if too_much => return Ok(Bounded::TooMuch),
            Waited::Exited(status) => return running.finished(status).map(Bounded::Finished),
            Waited::Interrupted => break Bounded::Interrupted,
            Waited::TimedOut if too_much => break Bounded::TooMuch,
            Waited::TimedOut if left.is_zero() => break Bounded::TimedOut,
            Waited::TimedOut => {}
        }
    };
    end_group(&mut running.child)?;
    Ok(cut)
}

/// How often a program's output is measured while it runs.
const MEASURE: Duration = Duration::from_millis(200);

/// A program, and the files that it prints to.
struct Running {
    child: Child,
    out: std::fs::File,
    err: std::fs::File,
}

impl Running {
    fn begin(command: &mut Command) -> io::Result<Running> {
        let (out, err) = (tempfile::tempfile()?, tempfile::tempfile()?);
        let child = command
            .stdin(Stdio::null())
            .stdout(out.try_clone()?)
            .stderr(err.try_clone()?)
            .process_group(0)
            .spawn()?;
        Ok(Running { child, out, err })
    }

    fn printed(&self) -> io::Result<u64> {
        Ok(self.out.metadata()?.len().saturating_add(self.err.metadata()?.len()))
    }

    fn finished(mut self, status: ExitStatus) -> io::Result<Finished> {
        Ok(Finished { status, stdout: read_whole(&mut self.out)?, stderr: read_whole(&mut self.err)? })
    }
}

/// Ends a child that leads its own process group, and the group with it.
fn end_group(child: &mut Child) -> io::Result<()> {
    let Some(group) = to_pid(child.id()) else { return Ok(()) };
    // ESRCH only says that nothing is left of the group.
    let _ = kill_process_group(group, Signal::TERM);
    if !matches!(wait(child, &mut Never, Some(GRACE))?, Waited::Exited(_)) {
        let _ = kill_process_group(group, Signal::KILL);
        child.wait()?;
    }
    Ok(())
}

fn read_whole(file: &mut std::fs::File) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.rewind()?;
    file.read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    struct At(Instant);
    impl Interrupt for At {
        fn fds(&self) -> Vec<BorrowedFd<'_>> {
            Vec::new()
        }
        fn raised(&mut self) -> bool {
            Instant::now() >= self.0
        }
    }

    #[test]
    fn output_is_whole_and_a_child_left_behind_holds_nobody_up() {
        let mut command = Command::new("sh");
        command.args(["-c", "sleep 30 & echo $!; seq 100000; exit 3"]);
        let begin = Instant::now();
        let done = run(&mut command, &mut Never).unwrap();
        assert!(begin.elapsed() < Duration::from_secs(20));
        assert_eq!(done.status.code(), Some(3));
        let text = String::from_utf8(done.stdout).unwrap();
        assert!(text.ends_with("100000\n"));
        let left: u32 = text.lines().next().unwrap().parse().unwrap();
        ProcessId::of(left).signal(Signal::KILL);
    }

    #[test]
    fn an_interrupt_ends_the_program() {
        let mut command = Command::new("sleep");
        command.arg("60");
        let begin = Instant::now();
        let result = run(&mut command, &mut At(begin));
        assert!(matches!(result, Err(RunError::Interrupted)));
        assert!(begin.elapsed() < Duration::from_secs(20));
    }

    #[test]
    fn limits_end_a_program_that_hangs_and_one_that_never_stops_printing() {
        let limits = |millis, output| Limits { time: Duration::from_millis(millis), output };
        let begin = Instant::now();
        let hangs = run_within(Command::new("sleep").arg("60"), &mut Never, limits(50, 100)).unwrap();
        assert!(matches!(hangs, Bounded::TimedOut), "{hangs:?}");
        let prints = run_within(&mut Command::new("yes"), &mut Never, limits(30_000, 100_000)).unwrap();
        assert!(matches!(prints, Bounded::TooMuch), "{prints:?}");
        assert!(begin.elapsed() < Duration::from_secs(20));
        let done = run_within(Command::new("echo").arg("x"), &mut Never, limits(30_000, 100)).unwrap();
        assert!(matches!(done, Bounded::Finished(it) if it.stdout == b"x\n"));
    }
}
