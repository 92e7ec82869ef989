//! The program that a hand-over describes: the hidden arguments by which it is asked for, its environment, its log.

use std::ffi::OsStr;
use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::process::Command;

use rustix::fs::OFlags;

use super::handover::Handover;
use crate::error::{Code, Error, plain};

/// The hidden first argument.
pub const RELAUNCH: &str = "__relaunch";
/// The hidden second argument of a detached process.
pub(super) const DETACH: &str = "--detach";

/// What the pane knows better than the opener: the terminal, and what it can show.
const OF_THE_PANE: [&str; 10] = [
    "TMUX",
    "TMUX_PANE",
    "TERM",
    "COLORTERM",
    "TERM_PROGRAM",
    "TERM_PROGRAM_VERSION",
    "TERMCAP",
    "COLUMNS",
    "LINES",
    "STY",
];
/// What is not true of a process without a pane.
const OF_NO_PANE: [&str; 2] = ["TMUX", "TMUX_PANE"];

/// Where the program will run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// In a tmux pane.
    Pane,
    /// Without a terminal.
    Nowhere,
}

/// The program with its arguments and exactly the environment that was handed over, the terminal's part of it
/// excepted.
pub(super) fn command(handover: &Handover, place: Place) -> Command {
    let foreign: &[&str] = match place {
        Place::Pane => &OF_THE_PANE,
        Place::Nowhere => &OF_NO_PANE,
    };
    let is_foreign = |key: &OsStr| foreign.iter().any(|name| key == *name);
    let mut command = Command::new(&handover.program);
    command.args(&handover.arguments).env_clear();
    // Backwards, because of two entries of one name programs see the first and `Command` keeps the last.
    command.envs(
        handover
            .environment
            .iter()
            .rev()
            .filter(|(key, _)| !is_foreign(key))
            .map(|(key, value)| (key, value)),
    );
    if place == Place::Pane {
        command.envs(std::env::vars_os().filter(|(key, _)| is_foreign(key)));
    }
    command
}

/// Opens a process's log for appending; a link is not followed.
pub(super) fn open_log(path: &Path) -> std::io::Result<File> {
    OpenOptions::new()
        .append(true)
        .create(true)
        .mode(0o600)
        .custom_flags(OFlags::NOFOLLOW.bits().cast_signed())
        .open(path)
}

pub(super) fn not_started(program: &Path, error: &std::io::Error) -> Error {
    Error::new(
        Code::Process,
        format!("cannot start {}: {}", program.display(), plain(error)),
        "check that the program is there and executable, then run `wf0 batch start` again",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;
    use std::ffi::OsString;

    #[test]
    fn the_environment_is_the_openers_but_for_the_terminal() {
        let pair = |key: &str, value: &str| (OsString::from(key), OsString::from(value));
        let handover = Handover {
            program: "/opt/wf0".into(),
            arguments: Vec::new(),
            folder: "/".into(),
            log: "/log".into(),
            environment: vec![
                pair("A", "first"),
                pair("TMUX", "opener"),
                pair("TERM", "opener"),
                pair("A", "second"),
            ],
        };
        let of = |place| {
            let command = command(&handover, place);
            let known =
                command.get_envs().filter_map(|(key, value)| Some((key.to_owned(), value?.to_owned())));
            known.collect::<BTreeMap<_, _>>()
        };
        assert_eq!(of(Place::Nowhere), BTreeMap::from([pair("A", "first"), pair("TERM", "opener")]));
        let pane = of(Place::Pane);
        assert_eq!(pane.get(OsStr::new("A")), Some(&"first".into()));
        assert_eq!(pane.get(OsStr::new("TERM")).cloned(), std::env::var_os("TERM"));
        assert_eq!(pane.get(OsStr::new("TMUX")).cloned(), std::env::var_os("TMUX"));
        assert!(!pane.contains_key(OsStr::new("PATH")));
    }
}
