//! Waking whoever may care, after a change. One byte to a socket; a lost one costs a poll interval, never a work.
//!
//! Unix socket paths hold 107 bytes, project folders more: on Linux the path goes through the open folder.
//! Where neither fits (a deep folder on macOS) there is no bell, and listeners look once a second.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use crate::schedule::WorkerNumber;

/// Who can be rung.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Listener {
    /// The scheduler.
    Scheduler,
    /// The slot of a worker.
    Worker(WorkerNumber),
    /// The runner of a slot.
    Runner(WorkerNumber),
    /// A command that waits or watches: its process number, and which one it is of that process.
    Watcher(u32, u32),
}

const WATCHER: &str = "watch-";

impl Listener {
    /// A command of this process that waits or watches. A plugin's process serves several at once.
    pub fn watcher() -> Listener {
        static LAST: AtomicU32 = AtomicU32::new(0);
        Listener::Watcher(std::process::id(), LAST.fetch_add(1, Ordering::Relaxed))
    }

    fn name(self) -> String {
        match self {
            Listener::Scheduler => "scheduler".into(),
            Listener::Worker(number) => number.to_string(),
            Listener::Runner(number) => format!("runner-{}", number.get()),
            Listener::Watcher(pid, n) => format!("{WATCHER}{pid}-{n}"),
        }
    }
}

/// A bell that can be heard.
#[derive(Debug)]
pub struct Bell {
    socket: Option<UnixDatagram>,
    path: PathBuf,
}

impl Bell {
    /// Hangs a bell up. Whoever hangs up the bell of a scheduler, worker or runner holds that place's lock, so an
    /// older socket of the name is a dead one.
    pub fn hang(folder: &Path, listener: Listener) -> Bell {
        let path = folder.join(listener.name());
        // A missing file is the usual case; any other trouble shows in the bind.
        let _ = std::fs::remove_file(&path);
        let socket = with_short_path(folder, &listener.name(), |short| UnixDatagram::bind(short))
            .and_then(|socket| socket.set_nonblocking(true).map(|()| socket));
        Bell { socket: socket.ok(), path }
    }

    /// Readable once it was rung; `None` where bells can't be.
    pub fn fd(&self) -> Option<BorrowedFd<'_>> {
        self.socket.as_ref().map(AsFd::as_fd)
    }

    /// Forgets the rings so far.
    pub fn quiet(&self) {
        let mut byte = [0; 8];
        while self.socket.as_ref().is_some_and(|socket| socket.recv(&mut byte).is_ok()) {}
    }
}

impl Drop for Bell {
    fn drop(&mut self) {
        if self.socket.is_some() {
            // Gone already with its folder, or left for the next one of the name to remove.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// Rings one listener, if there is one.
pub fn ring(folder: &Path, listener: Listener) {
    // Nobody listening, or an inbox that is full already: both are as good as heard.
    let _ = send(folder, &listener.name());
}

/// Rings every command that waits or watches.
pub fn ring_watchers(folder: &Path) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let Some(name) = name.to_str().filter(|name| name.starts_with(WATCHER)) else { continue };
        if send(folder, name).is_err_and(|error| error.kind() == io::ErrorKind::ConnectionRefused) {
            // Its command was killed; nobody else may use the name while it is there.
            let _ = std::fs::remove_file(entry.path());
        }
    }
}

fn send(folder: &Path, name: &str) -> io::Result<()> {
    let socket = UnixDatagram::unbound()?;
    socket.set_nonblocking(true)?;
    with_short_path(folder, name, |short| socket.send_to(&[1], short)).map(|_| ())
}

fn with_short_path<T>(folder: &Path, name: &str, act: impl FnOnce(&Path) -> io::Result<T>) -> io::Result<T> {
    if cfg!(target_os = "linux") {
        let open = File::open(folder)?;
        act(&PathBuf::from(format!("/proc/self/fd/{}/{name}", open.as_raw_fd())))
    } else {
        act(&folder.join(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::children::wait_readable;
    use std::time::Duration;

    #[test]
    fn a_bell_rings_in_a_folder_deeper_than_a_socket_path_may_be() {
        let folder = tempfile::tempdir().unwrap();
        let deep = folder.path().join("d".repeat(120)).join("e".repeat(120));
        std::fs::create_dir_all(&deep).unwrap();
        ring(&deep, Listener::Scheduler);
        let bell = Bell::hang(&deep, Listener::Scheduler);
        let watcher = Bell::hang(&deep, Listener::Watcher(1, 0));
        assert_eq!(bell.fd().is_some(), cfg!(target_os = "linux"));
        ring(&deep, Listener::Scheduler);
        ring_watchers(&deep);
        for fd in [bell.fd(), watcher.fd()].into_iter().flatten() {
            let begin = std::time::Instant::now();
            wait_readable(&[fd], Duration::from_secs(10));
            assert!(begin.elapsed() < Duration::from_secs(5), "it was rung");
        }
        bell.quiet();
    }

    #[test]
    fn the_bell_of_a_killed_watcher_is_taken_down() {
        let folder = tempfile::tempdir().unwrap();
        let mut bell = Bell::hang(folder.path(), Listener::Watcher(7, 0));
        bell.socket = None;
        assert!(bell.path.exists());
        ring_watchers(folder.path());
        assert!(!bell.path.exists());
    }
}
