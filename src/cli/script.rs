//! How errors are told to the callers of the scripts: `ERROR: …`, always with exit status 1.

use std::io::{self, Write};

use clap::error::{ContextKind, ContextValue};

use super::FAILED;
use crate::error::{Code, Error};
use crate::schedule::id::printable;

/// Says that a script asks; it comes first.
pub const FLAG: &str = "--script";

/// What the scripts take from the environment, and what they make of it.
const VARIABLES: [(&str, &str); 3] = [
    ("--poll", "POLL_INTERVAL"),
    ("--max-step-failures", "MAX_STEP_FAILURES"),
    ("--cleanup-worktree", "CLEANUP_WORKTREE"),
];

/// An error in the scripts' words.
pub fn error(error: &Error) -> String {
    let (what, more) = match error.code() {
        Code::NoSchedule => ("schedule.json not found".to_owned(), error.hint().to_owned()),
        Code::NoProject => {
            ("schedule.json not found".to_owned(), format!("{}; {}", error.what(), error.hint()))
        }
        _ => (error.what().to_owned(), error.hint().to_owned()),
    };
    let more = if more.is_empty() { more } else { format!("{}\n", printable(&more)) };
    format!("ERROR: {}\n{more}", printable(&what))
}

/// Says what clap refuses, and gives the exit status.
pub fn refuse(refusal: &clap::Error) -> u8 {
    let context = |kind| match refusal.get(kind) {
        Some(ContextValue::String(text)) => Some(text.as_str()),
        _ => None,
    };
    let option = context(ContextKind::InvalidArg).and_then(|option| option.split([' ', '=']).next());
    let variable = VARIABLES.iter().find(|(name, _)| option == Some(name)).map(|(_, variable)| variable);
    let text = refusal.to_string();
    let line = match (variable, context(ContextKind::InvalidValue)) {
        (Some(variable), Some(value)) => {
            let why = std::error::Error::source(refusal).map(|why| format!(": {why}")).unwrap_or_default();
            format!("invalid value '{value}' of {variable}{why}")
        }
        _ => text.lines().next().unwrap_or_default().trim_start_matches("error: ").to_owned(),
    };
    let _ = writeln!(io::stderr().lock(), "ERROR: {}", printable(&line));
    FAILED
}
