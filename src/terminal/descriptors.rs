//! Keeping inherited descriptors out of processes that live on.
//!
//! What wf0 opens itself is closed at exec. What it was *given*, by `flock LOCK wf0 …`, a test runner's pipe or
//! a shell's `3>file`, would pass into a tmux server or a scheduler and be held open for days.

use std::os::fd::{BorrowedFd, RawFd};
use std::os::unix::process::CommandExt;
use std::process::Command;

use rustix::io::{FdFlags, fcntl_getfd, fcntl_setfd};

/// Makes `command` pass on nothing but its three standard streams.
pub(super) fn pass_none(command: &mut Command) {
    let given = inheritable();
    if given.is_empty() {
        return;
    }
    // SAFETY: between fork and exec only `fcntl` is called, which is async-signal-safe; nothing is allocated
    // or locked. A descriptor that has been closed in the meantime gives EBADF, which is ignored.
    unsafe {
        command.pre_exec(move || {
            for &fd in &given {
                let _ = fcntl_setfd(BorrowedFd::borrow_raw(fd), FdFlags::CLOEXEC);
            }
            Ok(())
        });
    }
}

/// Descriptors above the standard three that an exec would not close.
fn inheritable() -> Vec<RawFd> {
    // `/dev/fd` is there on Linux as well, as a link, but not in every container.
    let folder = if cfg!(target_os = "linux") { "/proc/self/fd" } else { "/dev/fd" };
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    entries
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse::<RawFd>().ok())
        .filter(|&fd| fd > 2)
        .filter(|&fd| {
            // SAFETY: only asked for its flags; one that is not open any more gives EBADF.
            let fd = unsafe { BorrowedFd::borrow_raw(fd) };
            fcntl_getfd(fd).is_ok_and(|flags| !flags.contains(FdFlags::CLOEXEC))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;
    use std::os::fd::AsRawFd;
    use std::process::Stdio;

    #[test]
    fn a_child_gets_only_its_standard_streams() {
        let (_reader, writer) = std::io::pipe().unwrap();
        fcntl_setfd(&writer, FdFlags::empty()).unwrap();
        let fd = writer.as_raw_fd();
        let mut command = Command::new("sh");
        command.args(["-c", &format!("test -e /dev/fd/{fd} && echo there; echo end")]).stdout(Stdio::piped());
        pass_none(&mut command);
        let mut child = command.spawn().unwrap();
        let mut text = String::new();
        child.stdout.take().unwrap().read_to_string(&mut text).unwrap();
        child.wait().unwrap();
        assert_eq!(text, "end\n");
        assert!(!fcntl_getfd(&writer).unwrap().contains(FdFlags::CLOEXEC), "this process's own is as it was");
    }
}
