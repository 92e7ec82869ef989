//! What reading any tracker needs from whoever asks, and what it gives.
//!
//! It knows no tracker. The environment and the folder are those of whoever asks.

use std::path::Path;
use std::time::Duration;

use super::issue::Issue;
use super::secrets::masked;
use crate::error::{Code, Error};
use crate::platform::environment;
use crate::schedule::id::printable;

/// Most issues that one source may have.
pub const MOST_ISSUES: usize = 10_000;

/// Where a source is read for, and how long that may take.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// The project's root.
    pub root: &'a Path,
    /// How long reading the whole source may take.
    pub patience: Duration,
}

impl<'a> Place<'a> {
    /// A place with five minutes to read a source in.
    pub fn new(root: &'a Path) -> Place<'a> {
        Place { root, patience: Duration::from_secs(300) }
    }
}

/// The first of those variables that holds more than spaces.
pub(super) fn variable<'n>(names: &[&'n str]) -> Option<(&'n str, String)> {
    names.iter().find_map(|name| {
        let value = environment::filled(name)?.into_string().ok()?.trim().to_owned();
        (!value.is_empty()).then_some((*name, value))
    })
}

/// What a tracker gave.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Found {
    /// The issues, each once, in the tracker's order.
    pub issues: Vec<Issue>,
    /// Lines for people: what could not be learned.
    pub notices: Vec<String>,
}

pub(super) fn interrupted(source: &str) -> Error {
    Error::new(
        Code::Interrupted,
        format!("interrupted while reading {source}; nothing was changed"),
        "run the same command again",
    )
}

pub(super) fn too_many(source: &str, most: usize) -> Error {
    Error::new(
        Code::SourceLimit,
        format!("{source} finds more than the {most} issues that can be read at once"),
        "ask for fewer, by a label or a milestone for instance, and give the rest as a source of its own",
    )
}

/// What a tracker said, for a message: its first lines, without tokens and what moves a cursor, shortened.
pub(super) fn said(text: &str) -> String {
    const MOST: usize = 300;
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).take(3).collect();
    let text = printable(&masked(&lines.join("; ")));
    match text.char_indices().nth(MOST) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text,
    }
}
