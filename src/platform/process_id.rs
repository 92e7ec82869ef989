//! Naming a process so that a number used again by another process is not mistaken for it.

use std::num::NonZeroI32;

use rustix::process::Pid;

/// A process: its number and, where the platform tells, the moment it started. For display, and for signals to
/// processes that a lock has already proved to be ours; whether something is alive is for locks to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProcessId {
    /// The number, as `ps` shows it.
    pub pid: u32,
    /// The start in the platform's own form (Linux: boot id and clock ticks since boot); empty where unknown.
    pub started: String,
}

impl ProcessId {
    /// This process.
    pub fn me() -> ProcessId {
        Self::of(std::process::id())
    }

    /// The process that has the number now.
    pub fn of(pid: u32) -> ProcessId {
        ProcessId { pid, started: started(pid).unwrap_or_default() }
    }

    /// Whether that very process is there and not a zombie. Where the platform does not tell starts, a process
    /// that came by the same number counts as it.
    pub fn is_alive(&self) -> bool {
        let Some(pid) = to_pid(self.pid) else { return false };
        if self.started.is_empty() {
            return rustix::process::test_kill_process(pid).is_ok();
        }
        started(self.pid).is_some_and(|now| now == self.started)
    }

    /// Sends `signal` to it if it is that very process; `false` where it is gone.
    pub fn signal(&self, signal: rustix::process::Signal) -> bool {
        self.is_alive()
            && to_pid(self.pid).is_some_and(|pid| rustix::process::kill_process(pid, signal).is_ok())
    }
}

/// The system's form of a process number; `None` for 0 and numbers that no process can have.
pub fn to_pid(pid: u32) -> Option<Pid> {
    i32::try_from(pid).ok().and_then(NonZeroI32::new).and_then(|n| Pid::from_raw(n.get()))
}

#[cfg(target_os = "linux")]
fn started(pid: u32) -> Option<String> {
    use std::sync::OnceLock;
    static BOOT: OnceLock<String> = OnceLock::new();
    let boot = BOOT.get_or_init(|| {
        std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default().trim().to_owned()
    });
    let stat = super::process_stat::Stat::read(pid)?;
    (!stat.zombie).then(|| format!("{boot}:{}", stat.started))
}

#[cfg(not(target_os = "linux"))]
fn started(_pid: u32) -> Option<String> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_alive_until_it_is_gone_and_a_zombie_is_not() {
        assert!(ProcessId::me().is_alive());
        let mut child =
            std::process::Command::new("cat").stdin(std::process::Stdio::piped()).spawn().unwrap();
        let id = ProcessId::of(child.id());
        assert!(id.is_alive());
        drop(child.stdin.take());
        let watch = super::super::process_watch::ProcessWatch::new(&id);
        watch.wait(Some(std::time::Duration::from_secs(10)));
        if cfg!(target_os = "linux") {
            assert!(!id.is_alive(), "a zombie");
        }
        child.wait().unwrap();
        assert!(!id.is_alive());
    }
}
