//! A process without a terminal: in a session of its own, a child of init, its output in a log file.
//!
//! The opener runs a short-lived helper (`wf0 __relaunch --detach FILE`), which starts the process and tells its
//! number on standard output. The process itself gets `/dev/null`, the log and nothing else, so it holds none
//! of the opener's pipes: `wf0 batch start | cat` ends when `start` does.

use std::io::{self, Write};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::error::{Code, Error, Result, plain};
use crate::platform::children::{self, RunError};
use crate::platform::environment;
use crate::schedule::id::printable;

use super::descriptors::pass_none;
use super::handover::{Handover, Offer};
use super::program::{DETACH, Place, RELAUNCH, command, not_started, open_log};
use super::{Launch, Until};

/// How long the helper may take.
const LIMIT: Duration = Duration::from_secs(10);

/// Opens `launch` detached; its number.
pub(super) fn open(launch: &Launch<'_>) -> Result<u32> {
    let handover = Handover::of(launch)?;
    let waiting = handover.write(launch.folder)?;
    let mut helper = environment::command(&handover.program);
    helper.arg(RELAUNCH).arg(DETACH).arg(waiting.path()).current_dir("/");
    pass_none(&mut helper);
    match children::run(&mut helper, &mut Until(Instant::now() + LIMIT)) {
        Ok(done) => read_answer(&done).map_err(|why| {
            let hint = why.hint.unwrap_or_else(|| {
                format!("look into {}, then run `wf0 batch start` again", launch.log.display())
            });
            Error::new(Code::Process, format!("cannot open {} detached: {}", launch.role, why.what), hint)
        }),
        Err(RunError::Io(error)) => Err(not_started(&handover.program, &error)),
        Err(RunError::Interrupted) => Err(Error::new(
            Code::Process,
            format!("{} was not opened within {} seconds", launch.role, LIMIT.as_secs()),
            "see with `wf0 batch status` whether it runs now, and start it again if not",
        )),
    }
}

/// Why the helper started nothing.
struct Fault {
    what: String,
    hint: Option<String>,
}

fn read_answer(done: &children::Finished) -> std::result::Result<u32, Fault> {
    let text = String::from_utf8_lossy(&done.stdout);
    let mut lines = text.lines();
    let first = lines.next().unwrap_or_default();
    if done.status.success()
        && let Ok(pid) = first.parse()
    {
        return Ok(pid);
    }
    if !first.is_empty() {
        return Err(Fault { what: printable(first), hint: lines.next().map(printable) });
    }
    let said = printable(String::from_utf8_lossy(&done.stderr).trim());
    let what = if said.is_empty() { format!("its opener ended with {}", done.status) } else { said };
    Err(Fault { what, hint: None })
}

/// The helper's part: starts what `file` describes, and answers on standard output.
pub(super) fn start(file: &Path) -> Result<()> {
    let started = start_program(file);
    let answer = match &started {
        Ok(pid) => format!("{pid}\n"),
        Err(error) => format!("{}\n{}\n", printable(error.what()), printable(error.hint())),
    };
    let mut out = io::stdout();
    let told = out.write_all(answer.as_bytes()).and_then(|()| out.flush());
    started?;
    told.map_err(|error| {
        Error::new(
            Code::Process,
            format!("cannot tell the number of the process that was started: {}", plain(&error)),
            "see with `wf0 batch status` whether it runs",
        )
    })
}

fn start_program(file: &Path) -> Result<u32> {
    let offer = Offer::read(file)?;
    let path = offer.handover.log.clone();
    let failed = |error: io::Error| Error::file("open the log", &path, &error);
    let log = open_log(&path).map_err(failed)?;
    let errors = log.try_clone().map_err(failed)?;
    let folder = offer.handover.folder.clone();
    std::env::set_current_dir(&folder).map_err(|error| Error::file("enter the folder", &folder, &error))?;
    let handover = offer.take()?;
    let mut command = command(&handover, Place::Nowhere);
    command.stdin(Stdio::null()).stdout(log).stderr(errors);
    pass_none(&mut command);
    // SAFETY: setsid is async-signal-safe and touches no memory.
    unsafe {
        command.pre_exec(|| rustix::process::setsid().map(|_| ()).map_err(io::Error::from));
    }
    // Not waited for: this process ends at once, and init takes its place as the parent.
    let child = command.spawn().map_err(|error| not_started(&handover.program, &error))?;
    Ok(child.id())
}
