//! The opened process's first steps: from a hand-over file to the program that was asked for.
//!
//! In a tmux pane, `wf0 __relaunch FILE` becomes the program itself (exec), so that the pane's process *is* the
//! scheduler or worker. Detached, `wf0 __relaunch --detach FILE` starts the program as its child, tells its
//! number and ends, so that the program belongs to init and not to the opener.
//!
//! It must be called before anything else is done with the arguments, and opens nothing that would stay open.

use std::convert::Infallible;
use std::ffi::OsString;
use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::Path;

use crate::error::{Code, Error, Result};

use super::descriptors::pass_none;
use super::detached;
use super::handover::Offer;
use super::program::{DETACH, Place, RELAUNCH, command, not_started, open_log};

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

#[cfg(test)]
mod tests {
    use super::*;

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
}
