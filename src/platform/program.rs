//! Where the `wf0` program lies that opens schedulers, workers and runners.

use std::path::PathBuf;

use super::environment;
use crate::error::{Code, Error, Result};

/// The program: `WF0_BIN`, this very one where it is `wf0`, `wf0` beside it (a plugin is installed there), else on PATH.
///
/// # Errors
/// [`Code::Process`] where there is none.
pub fn wf0() -> Result<PathBuf> {
    if let Some(given) = environment::filled("WF0_BIN") {
        let given = PathBuf::from(given);
        // A process that is opened begins in another folder. A bare name is looked up on PATH from anywhere.
        return Ok(match given.components().count() {
            0 | 1 => given,
            _ => std::path::absolute(&given).unwrap_or(given),
        });
    }
    if let Ok(me) = std::env::current_exe() {
        if me.file_name().is_some_and(|name| name == "wf0") && me.exists() {
            return Ok(me);
        }
        let beside = me.with_file_name("wf0");
        if beside.is_file() {
            return Ok(beside);
        }
    }
    environment::which("wf0").ok_or_else(|| {
        Error::new(Code::Process, "the program wf0 was not found", "put it on PATH, or set WF0_BIN to it")
    })
}
