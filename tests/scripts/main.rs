//! The shell scripts as callers use them, in the shells that callers have.

mod broken;
mod commits;
mod functions;
mod lock;
mod places;
mod processes;
mod sharing;
#[path = "../support/mod.rs"]
mod support;
mod terminals;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use support::Project;

/// A name that a shell could stumble over.
pub const HOSTILE: &str = "a 'b\"\n$HOME `x` \\nü*";

/// Runs a test once in every shell.
#[macro_export]
macro_rules! in_every_shell {
    ($test:ident) => {
        mod $test {
            #[test]
            fn dash() {
                super::$test(&["dash"]);
            }
            #[test]
            fn bash() {
                super::$test(&["bash"]);
            }
            #[test]
            fn bash_strict() {
                super::$test(&["bash", "-euo", "pipefail"]);
            }
            #[test]
            fn busybox_ash() {
                super::$test(&["busybox", "ash"]);
            }
            #[test]
            fn ksh() {
                super::$test(&["ksh"]);
            }
            #[test]
            fn mksh() {
                super::$test(&["mksh"]);
            }
            #[test]
            fn yash() {
                super::$test(&["yash"]);
            }
            #[test]
            fn zsh() {
                super::$test(&["zsh", "--emulate", "sh"]);
            }
        }
    };
}

/// Every shell of [`in_every_shell`].
pub const SHELLS: [&[&str]; 8] = [
    &["dash"],
    &["bash"],
    &["bash", "-euo", "pipefail"],
    &["busybox", "ash"],
    &["ksh"],
    &["mksh"],
    &["yash"],
    &["zsh", "--emulate", "sh"],
];

/// Where the scripts lie.
pub fn scripts() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts")
}

/// A program in the project's environment, with nothing of ours for the scripts but where wf0 is.
pub fn program(project: &Project, program: &str) -> Command {
    let mut command = project.program(program);
    for name in ["WF_BATCH_DIR", "POLL_INTERVAL", "VERBOSE", "MAX_STEP_FAILURES", "CLEANUP_WORKTREE"] {
        command.env_remove(name);
    }
    command.env("WF0_BIN", env!("CARGO_BIN_EXE_wf0")).env("UTILS", scripts().join("batch-utils.sh"));
    command
}

/// A shell that runs a script.
pub fn shell(project: &Project, shell: &[&str], script: &Path) -> Command {
    let mut command = program(project, shell[0]);
    command.args(&shell[1..]).arg(script);
    command
}

/// A shell that runs this text, from a file outside the project.
pub fn text(project: &Project, words: &[&str], text: &str) -> Command {
    let path = project.around().join(format!("{}.sh", words.join("-")));
    std::fs::write(&path, format!(". \"$UTILS\"\n{text}")).unwrap();
    shell(project, words, &path)
}

/// The daemon or a worker, as `SHELL batch-….sh …`, with its output in a file around the project.
pub fn start(project: &Project, words: &[&str], script: &str, arguments: &[&str], log: &str) -> Command {
    let mut command = shell(project, words, &scripts().join(script));
    let log = std::fs::File::create(project.around().join(log)).unwrap();
    command.args(arguments).env("POLL_INTERVAL", "1").stderr(log.try_clone().unwrap()).stdout(log);
    command.stdin(Stdio::null());
    command
}
