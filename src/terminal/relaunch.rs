//! The opened process's first steps: from a hand-over file to the program that was asked for.
//!
//! In a tmux pane, `wf0 __relaunch FILE` becomes the program itself (exec), so that the pane's process *is* the
//! scheduler or worker. Detached, `wf0 __relaunch --detach FILE` starts the program as its child, tells its
//! number and ends, so that the program belongs to init and not to the opener.
//!
//! It must be called before anything else is done with the arguments, and opens nothing that would stay open.

use std::convert::Infallible;
use std::ffi::{OsStr, OsString};
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use rustix::fs::OFlags;

use crate::error::{Code, Error, Result, plain};

use super::descriptors::pass_none;
use super::detached;
use super::handover::{Handover, Offer};

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

/// What [`relaunch_from_arguments`] found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Relaunched {
    /// An ordinary command line: go on with it.
    NotAsked,
    /// The process has been started; end with status 0, without a word.
    Done,
}

/// Acts on the hidden arguments, where `arguments` (without the program's name) are these. In a pane it does
/// not come back but in failure.
///
/// # Errors
/// The hand-over file is not there, not ours or not whole; the program cannot be started.
pub fn relaunch_from_arguments(arguments: &[OsString]) -> Result<Relaunched> {
    match arguments {
        [first, ..] if first != RELAUNCH => Ok(Relaunched::NotAsked),
        [] => Ok(Relaunched::NotAsked),
        [_, file] => match relaunch(Path::new(file))? {},
        [_, detach, file] if detach == DETACH => detached::start(Path::new(file)).map(|()| Relaunched::Done),
        _ => Err(Error::new(
            Code::Usage,
            format!("{RELAUNCH} is how wf0 opens its own processes, not a command"),
            "start a batch with `wf0 batch start`",
        )),
    }
}

/// Becomes the program that `file` describes, in the terminal where this process is.
///
/// # Errors
/// See [`relaunch_from_arguments`]. Failures after the file was read are written to its log as well: a pane
/// that closes shows nothing.
pub fn relaunch(file: &Path) -> Result<Infallible> {
    let offer = Offer::read(file)?;
    let log = offer.handover.log.clone();
    become_program(offer).inspect_err(|error| {
        if let Ok(mut log) = open_log(&log) {
            // Said on standard error too; a full disk must not hide that.
            let _ = writeln!(log, "{}\n{}", error.what(), error.hint());
        }
    })
}

fn become_program(offer: Offer) -> Result<Infallible> {
    let folder = &offer.handover.folder;
    // Before the file is taken: where this fails, the opener sees it and goes another way.
    std::env::set_current_dir(folder).map_err(|error| Error::file("enter the folder", folder, &error))?;
    let handover = offer.take()?;
    let mut command = command(&handover, Place::Pane);
    pass_none(&mut command);
    let error = command.exec();
    Err(not_started(&handover.program, &error))
}

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

    fn words(text: &str) -> Vec<OsString> {
        text.split_whitespace().map(OsString::from).collect()
    }

    #[test]
    fn ordinary_arguments_pass_and_wrong_hidden_ones_are_refused() {
        for ordinary in ["", "batch start", "relaunch x", "--detach __relaunch"] {
            assert_eq!(relaunch_from_arguments(&words(ordinary)).unwrap(), Relaunched::NotAsked);
        }
        for wrong in ["__relaunch", "__relaunch --attach x", "__relaunch --detach x y"] {
            assert_eq!(relaunch_from_arguments(&words(wrong)).unwrap_err().code(), Code::Usage);
        }
        assert_eq!(relaunch_from_arguments(&words("__relaunch /no/such")).unwrap_err().code(), Code::File);
    }

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
