//! One try at a phase: start the command, wait for it or for a wish, end everything it left behind.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Command, ExitStatus};
use std::time::Duration;

use rustix::process::Signal;

use super::wishes::Wishes;
use crate::agent::command::COOKIE;
use crate::error::{Error, Result, plain};
use crate::platform::children::{self, Waited};
use crate::platform::filelock::FileLock;
use crate::platform::tree::{self, Traces};
use crate::schedule::id::printable;

/// How an attempt came to its end, before its result is judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ended {
    /// Exit status 0.
    Success,
    /// Anything else, as people read it.
    Failure(String),
    /// A wish or a signal ended it.
    Interrupted,
    /// Some of its processes can't be ended: these are left.
    Stuck(Vec<u32>),
}

/// How long processes that ignore even SIGKILL are waited for.
pub const LAST: Duration = Duration::from_secs(10);

/// Runs `command` with its output in `log`. `tree` is inherited by it and by all it starts. `started` is told the
/// number of its process group.
///
/// # Errors
/// The log can't be written, or the system refuses something that has nothing to do with the command itself.
pub fn run(
    mut command: Command,
    run: &str,
    log: &Path,
    tree: &FileLock,
    wishes: &mut Wishes,
    started: impl FnOnce(u32) -> Result<()>,
) -> Result<Ended> {
    let cannot = |error: &std::io::Error| Error::file("write the log", log, error);
    let out = File::options().append(true).create(true).mode(0o600).open(log).map_err(|e| cannot(&e))?;
    let err = out.try_clone().map_err(|e| cannot(&e))?;
    let program = command.get_program().to_string_lossy().into_owned();
    tree.set_inherited(true).map_err(|e| Error::file("pass on", tree.path(), &e))?;
    let spawned = command.stdout(out).stderr(err).process_group(0).spawn();
    tree.set_inherited(false).map_err(|e| Error::file("keep", tree.path(), &e))?;
    drop(command);
    let mut child = match spawned {
        Ok(child) => child,
        Err(error) => {
            return Ok(Ended::Failure(format!("cannot start {}: {}", printable(&program), plain(&error))));
        }
    };
    let group = child.id();
    started(group)?;
    let waited = children::wait(&mut child, wishes, None)
        .map_err(|e| Error::file("wait for", Path::new(&program), &e))?;
    if !matches!(waited, Waited::Exited(_)) {
        tree::signal_group(group, Signal::TERM);
    }
    if tree::anything_left(group) {
        let traces = Traces {
            group: Some(group),
            cookie: Some(format!("{COOKIE}={run}")),
            below: Some(std::process::id()),
            lock_file: None,
        };
        let left = tree::end(&traces, LAST);
        if !left.is_empty() {
            return Ok(Ended::Stuck(left));
        }
        tree::reap();
    }
    Ok(match waited {
        Waited::Exited(status) if status.success() => Ended::Success,
        Waited::Exited(status) => Ended::Failure(describe(status)),
        Waited::Interrupted | Waited::TimedOut => Ended::Interrupted,
    })
}

fn describe(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("exit status {code}"),
        (None, Some(signal)) => format!("ended by signal {signal}"),
        (None, None) => status.to_string(),
    }
}

/// The last lines that a log holds, as one line for people; empty where it is.
pub fn last_lines(log: &Path) -> String {
    const BYTES: u64 = 4096;
    const LINES: usize = 5;
    let read = || -> std::io::Result<Vec<u8>> {
        let mut file = File::open(log)?;
        let size = file.metadata()?.len();
        file.seek(SeekFrom::Start(size.saturating_sub(BYTES)))?;
        let mut bytes = Vec::new();
        file.take(BYTES).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    let bytes = read().unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    let lines: Vec<String> =
        text.lines().map(|line| printable(line).trim().to_owned()).filter(|line| !line.is_empty()).collect();
    lines[lines.len().saturating_sub(LINES)..].join(" | ")
}
