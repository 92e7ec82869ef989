//! The command line's entry.

use std::ffi::OsString;
use std::io::Write;
use std::process::ExitCode;

use wf0::terminal::{Relaunched, relaunch_from_arguments};

fn main() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().skip(1).collect();
    match relaunch_from_arguments(&arguments) {
        Ok(Relaunched::NotAsked) => ExitCode::from(wf0::cli::run(arguments)),
        Ok(Relaunched::Done) => ExitCode::SUCCESS,
        Err(error) => {
            // Nobody may be left to read it.
            let _ = writeln!(std::io::stderr(), "error: {}\nhelp: {}", error.what(), error.hint());
            ExitCode::FAILURE
        }
    }
}
