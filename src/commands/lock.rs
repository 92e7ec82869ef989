//! The lock among the scripts of one project. wf0 itself never waits for it, but for what a script asks for with it.
//!
//! A shell has no way to hold a lock that dies with it and that its children don't inherit. So a process of ours holds
//! it, which ends with the shell: `take` opens it, `hold` is what it does, `release` ends it.

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

use rustix::process::Signal;

use crate::error::{Code, Error, Result};
use crate::platform::filelock::FileLock;
use crate::platform::process_id::ProcessId;
use crate::platform::process_watch::ProcessWatch;
use crate::project::Project;
use crate::store::Folder;

/// How long the holder may take to end.
const LATEST: Duration = Duration::from_secs(10);

/// After so long a wait it is said whom one waits for.
const SOON: Duration = Duration::from_secs(2);

/// Says whom one waits for.
pub type Waits<'a> = &'a (dyn Fn(&str) + Sync);

/// Takes the lock for the shell `owner`, waiting for it. Gives the process that holds it from now on; its words after
/// `work` are `hold`'s. A shell that has the lock already is given the same process again.
///
/// # Errors
/// The lock can't be taken, or the process not be started.
pub fn take(project: &Project, owner: u32, waits: Waits<'_>) -> Result<ProcessId> {
    let folder = Folder::create(&project.engine_folder()?)?;
    let owner = ProcessId::of(owner);
    let Some(lock) = during(&folder, &owner, waits)? else {
        return record(&folder).map(|(_, holder)| holder).ok_or_else(|| unclear(&folder));
    };
    lock.set_inherited(true).map_err(|error| Error::file("pass on", lock.path(), &error))?;
    let program = std::env::current_exe().map_err(|error| Error::file("find", Path::new("wf0"), &error))?;
    let child = Command::new(&program)
        .args(["work", "hold-lock", &owner.pid.to_string(), &owner.started])
        // Not in a worktree: one that somebody works in is not removed.
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| Error::file("start", &program, &error))?;
    let holder = ProcessId::of(child.id());
    let text = format!("{}\n{}\n{}\n{}\n", owner.pid, owner.started, holder.pid, holder.started);
    let path = folder.scripts_owner();
    std::fs::write(&path, text).map_err(|error| Error::file("write", &path, &error))?;
    Ok(holder)
}

/// Whether that process holds the lock of this project.
///
/// # Errors
/// [`Code::State`]: it holds another project's.
pub fn check(project: &Project, holder: &ProcessId) -> Result<()> {
    let folder = Folder::create(&project.engine_folder()?)?;
    if record(&folder).is_some_and(|(_, it)| it == *holder) {
        return Ok(());
    }
    Err(Error::new(
        Code::State,
        "this shell has the lock of another project",
        "free that one first (`wf_batch_unlock`), or take this one in a shell of its own",
    ))
}

/// Waits for the lock on behalf of `owner`; `None` where that shell has it already.
pub(super) fn during(folder: &Folder, owner: &ProcessId, waits: Waits<'_>) -> Result<Option<FileLock>> {
    let path = folder.lock("scripts");
    if let Some(lock) = folder.try_lock(&path)? {
        return Ok(Some(lock));
    }
    if record(folder).is_some_and(|(who, holder)| who == *owner && holder.is_alive()) {
        return Ok(None);
    }
    let (got, is_got) = mpsc::channel::<()>();
    std::thread::scope(|scope| {
        scope.spawn(move || {
            if is_got.recv_timeout(SOON) == Err(RecvTimeoutError::Timeout) {
                let who = record(folder)
                    .map_or("a script".to_owned(), |(owner, _)| format!("process {}", owner.pid));
                waits(&format!("waiting for the lock among the scripts of this project, which {who} has"));
            }
        });
        let lock = FileLock::exclusive(&path).map(Some).map_err(|error| Error::file("lock", &path, &error));
        drop(got);
        lock
    })
}

/// Which shell has the lock, and which process holds it for that one.
fn record(folder: &Folder) -> Option<(ProcessId, ProcessId)> {
    let text = std::fs::read_to_string(folder.scripts_owner()).ok()?;
    let lines: Vec<&str> = text.split('\n').collect();
    let [owner, begun, holder, started, ""] = lines.as_slice() else { return None };
    let process =
        |pid: &str, started: &str| Some(ProcessId { pid: pid.parse().ok()?, started: started.to_owned() });
    Some((process(owner, begun)?, process(holder, started)?))
}

fn unclear(folder: &Folder) -> Error {
    Error::new(
        Code::Process,
        format!("who has the lock {} is not known", folder.lock("scripts").display()),
        "try again",
    )
}

/// Ends the process that holds the lock; the lock is free afterwards.
///
/// # Errors
/// It does not end.
pub fn release(holder: &ProcessId) -> Result<()> {
    if !holder.signal(Signal::TERM) || ProcessWatch::new(holder).wait(Some(LATEST)) {
        return Ok(());
    }
    Err(Error::new(
        Code::Process,
        format!("process {}, which holds the lock among scripts, does not end", holder.pid),
        "end it by hand",
    ))
}

/// Holds an inherited lock for as long as `owner` lives.
pub fn hold(owner: &ProcessId) {
    // Away from the terminal, whose Ctrl-C is for the scripts. Fails only where there is none to leave.
    let _ = rustix::process::setsid();
    ProcessWatch::new(owner).wait(None);
}
