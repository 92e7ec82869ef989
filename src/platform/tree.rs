//! Ending everything that an agent started, whatever it did to get away: `&`, `setsid`, a double fork, an
//! emptied environment.
//!
//! Three nets together: the agent's process group; every process below the subreaper (children that lost their
//! parent come to it); and, after a runner's death, every process that carries the run's cookie in its
//! environment, sits in the agent's session or group, or holds the work's tree lock. Linux has all three.
//! Elsewhere only the process group is known, so a process that left it survives; the tree lock still tells.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::process::{Signal, WaitOptions};

use super::filelock::FileLock;
use super::process_id::{ProcessId, to_pid};

/// Makes this process the one that orphaned descendants come to. `false` where the platform has no such thing.
pub fn become_subreaper() -> bool {
    #[cfg(target_os = "linux")]
    {
        rustix::process::set_child_subreaper(Some(rustix::process::getpid())).is_ok()
    }
    #[cfg(not(target_os = "linux"))]
    {
        false
    }
}

/// What a process is looked for by.
#[derive(Debug, Clone, Default)]
pub struct Traces<'a> {
    /// Processes of this group or session.
    pub group: Option<u32>,
    /// Processes with this entry (`NAME=VALUE`) in their environment.
    pub cookie: Option<String>,
    /// Processes that have this file open and were given it. One of ours between fork and exec was not: it has all
    /// that its parent has, for a moment.
    pub lock_file: Option<&'a Path>,
    /// Processes below this one, itself not included.
    pub below: Option<u32>,
}

impl Traces<'_> {
    fn reap_mine(&self) {
        if self.below == Some(std::process::id()) {
            reap();
        }
    }
}

/// How often the processes are looked at.
const LOOK: Duration = Duration::from_millis(20);
/// The time between SIGTERM and SIGKILL for what remains of a tree.
pub const GRACE: Duration = Duration::from_millis(1500);

/// Reaps what has come to this process as a subreaper and ended.
///
/// Returns whether any child is left, ended or not. Must not be called while a child is still waited for by
/// its handle: it would take that child's exit status away.
pub fn reap() -> bool {
    loop {
        match rustix::process::wait(WaitOptions::NOHANG) {
            Ok(Some(_)) => {}
            Ok(None) => return true,
            Err(_) => return false,
        }
    }
}

/// Whether anything is left below this process (a subreaper), or, where there is no such thing, in `group`.
pub fn anything_left(group: u32) -> bool {
    let children = reap();
    children
        || (!cfg!(target_os = "linux")
            && !find(&Traces { group: Some(group), ..Traces::default() }).is_empty())
}

/// Ends every process that `traces` find: SIGTERM, and SIGKILL after [`GRACE`], again and again until a look
/// finds none or `limit` is over. Returns those that are left.
pub fn end(traces: &Traces<'_>, limit: Duration) -> Vec<u32> {
    let mut ending = Ending::begin(limit);
    loop {
        traces.reap_mine();
        let found = find(traces);
        if found.is_empty() || !ending.press(&found) {
            return found;
        }
    }
}

/// The same until nobody has the lock on `path` any more either; gives the lock, or those that are left.
///
/// A process on its way out, or between fork and exec, has the lock for a moment in which no look finds it. Where
/// the machine is busy that moment is long.
///
/// # Errors
/// The file cannot be opened.
pub fn end_and_lock(
    traces: &Traces<'_>,
    path: &Path,
    limit: Duration,
) -> std::io::Result<Result<FileLock, Vec<u32>>> {
    let mut ending = Ending::begin(limit);
    loop {
        traces.reap_mine();
        let found = find(traces);
        if found.is_empty()
            && let Some(lock) = FileLock::try_exclusive(path)?
        {
            return Ok(Ok(lock));
        }
        if !ending.press(&found) {
            return Ok(Err(found));
        }
    }
}

/// A tree on its way to its end.
struct Ending {
    begin: Instant,
    limit: Duration,
    asked: BTreeSet<u32>,
}

impl Ending {
    fn begin(limit: Duration) -> Ending {
        Ending { begin: Instant::now(), limit, asked: BTreeSet::new() }
    }

    /// Signals those that were found and waits a moment for one to end; `false` once time is up.
    fn press(&mut self, found: &[u32]) -> bool {
        if self.begin.elapsed() >= self.limit {
            return false;
        }
        let hard = self.begin.elapsed() >= GRACE;
        for &pid in found {
            if hard || self.asked.insert(pid) {
                ProcessId::of(pid).signal(if hard { Signal::KILL } else { Signal::TERM });
            }
        }
        wait_for_one(found, LOOK);
        true
    }
}

fn wait_for_one(found: &[u32], limit: Duration) {
    match found.first() {
        Some(&pid) => {
            super::process_watch::ProcessWatch::new(&ProcessId::of(pid)).wait(Some(limit));
        }
        // No descriptor tells that a lock is free.
        None => super::children::wait_readable(&[], limit),
    }
}

/// The processes that `traces` find; this process and zombies are never among them.
pub fn find(traces: &Traces<'_>) -> Vec<u32> {
    imp::find(traces)
}

/// Sends `signal` to a whole process group; `false` where nothing is left of it.
pub fn signal_group(group: u32, signal: Signal) -> bool {
    to_pid(group).is_some_and(|group| rustix::process::kill_process_group(group, signal).is_ok())
}

#[cfg(target_os = "linux")]
mod imp {
    use super::Traces;
    use crate::platform::process_stat::Stat;
    use std::collections::{BTreeMap, BTreeSet};
    use std::os::unix::fs::MetadataExt;

    pub fn find(traces: &Traces<'_>) -> Vec<u32> {
        let me = std::process::id();
        let Ok(folder) = std::fs::read_dir("/proc") else { return Vec::new() };
        let all: BTreeMap<u32, Stat> = folder
            .flatten()
            .filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok())
            .filter_map(|pid| Stat::read(pid).map(|stat| (pid, stat)))
            .collect();
        let lock = traces.lock_file.and_then(|path| std::fs::metadata(path).ok());
        let mut found: BTreeSet<u32> = BTreeSet::new();
        for (&pid, stat) in &all {
            let grouped = traces.group.is_some_and(|group| stat.group == group || stat.session == group);
            let below = traces.below.is_some_and(|top| is_below(&all, pid, top));
            let marked = traces.cookie.as_deref().is_some_and(|cookie| has_cookie(pid, cookie));
            let holds = lock.as_ref().is_some_and(|lock| has_open(pid, lock));
            if !stat.zombie && pid != me && (grouped || below || marked || holds) {
                found.insert(pid);
            }
        }
        found.into_iter().collect()
    }

    fn is_below(all: &BTreeMap<u32, Stat>, mut pid: u32, top: u32) -> bool {
        // No chain of parents is longer than the number of processes; a number used again cannot make it endless.
        for _ in 0..all.len() {
            let Some(stat) = all.get(&pid) else { return false };
            if stat.parent == top {
                return true;
            }
            pid = stat.parent;
        }
        false
    }

    fn has_cookie(pid: u32, cookie: &str) -> bool {
        std::fs::read(format!("/proc/{pid}/environ"))
            .is_ok_and(|environment| environment.split(|b| *b == 0).any(|entry| entry == cookie.as_bytes()))
    }

    fn has_open(pid: u32, file: &std::fs::Metadata) -> bool {
        let Ok(folder) = std::fs::read_dir(format!("/proc/{pid}/fd")) else { return false };
        folder.flatten().any(|fd| {
            std::fs::metadata(fd.path()).is_ok_and(|it| it.ino() == file.ino() && it.dev() == file.dev())
                && !(is_ours(pid) && goes_at_exec(pid, &fd.file_name().to_string_lossy()))
        })
    }

    /// Whether the process runs this very program.
    fn is_ours(pid: u32) -> bool {
        let of = |who: &str| std::fs::metadata(format!("/proc/{who}/exe")).ok();
        of(&pid.to_string())
            .zip(of("self"))
            .is_some_and(|(it, me)| it.ino() == me.ino() && it.dev() == me.dev())
    }

    fn goes_at_exec(pid: u32, fd: &str) -> bool {
        const CLOSE_ON_EXEC: u32 = 0o2_000_000;
        let text = std::fs::read_to_string(format!("/proc/{pid}/fdinfo/{fd}")).unwrap_or_default();
        let flags = text.lines().find_map(|line| line.strip_prefix("flags:"));
        flags
            .and_then(|flags| u32::from_str_radix(flags.trim(), 8).ok())
            .is_some_and(|flags| flags & CLOSE_ON_EXEC != 0)
    }
}

#[cfg(not(target_os = "linux"))]
mod imp {
    use super::{Traces, to_pid};

    pub fn find(traces: &Traces<'_>) -> Vec<u32> {
        let group = traces.group.filter(|group| {
            to_pid(*group).is_some_and(|group| rustix::process::test_kill_process_group(group).is_ok())
        });
        group.into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{BufRead, BufReader, Write};
    use std::process::{Command, Stdio};

    /// Runs itself again as the process that has the lock for a moment, as a child of wf0 has between fork and exec.
    #[test]
    fn a_lock_that_no_look_explains_is_waited_for_and_its_holder_left_alone() {
        const LOCK: &str = "WF0_TEST_LOCK_OF_A_MOMENT";
        const HELD: &str = "the lock is held";
        if let Some(path) = std::env::var_os(LOCK) {
            let _lock = FileLock::try_exclusive(Path::new(&path)).unwrap().unwrap();
            writeln!(std::io::stdout(), "\n{HELD}").unwrap();
            std::io::stdin().read_line(&mut String::new()).unwrap();
            return;
        }
        if !cfg!(target_os = "linux") {
            return; // Elsewhere nobody is looked for by the files that he has open.
        }
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args([
                "--exact",
                "platform::tree::tests::a_lock_that_no_look_explains_is_waited_for_and_its_holder_left_alone",
                "--nocapture",
            ])
            .env(LOCK, &path)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        // The child says it: trying the lock from here could be what keeps the child from it. The pipe stays open to
        // the end, for the child writes its result there.
        let mut said = BufReader::new(child.stdout.take().unwrap()).lines();
        assert!(said.any(|line| line.unwrap() == HELD), "the child does not take it");
        let traces = Traces { lock_file: Some(&path), ..Traces::default() };
        let short = end_and_lock(&traces, &path, GRACE * 2).unwrap();
        assert_eq!(short.unwrap_err(), Vec::<u32>::new(), "longer than SIGTERM and SIGKILL would have taken");
        assert!(child.try_wait().unwrap().is_none());
        let waiting = std::thread::scope(|scope| {
            let waiting = scope.spawn(|| end_and_lock(&traces, &path, Duration::from_secs(30)).unwrap());
            drop(child.stdin.take());
            waiting.join().unwrap()
        });
        assert!(waiting.is_ok());
        assert!(child.wait().unwrap().success());
    }
}
