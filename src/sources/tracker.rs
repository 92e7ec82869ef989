//! What reading any tracker needs from whoever asks, and what it gives.
//!
//! It knows no tracker, and reads neither this process's environment nor its working folder: the one who asks may sit
//! in a shell with others.

use std::ffi::OsString;
use std::path::Path;
use std::time::Duration;

use super::issue::Issue;
use crate::error::{Code, Error};
use crate::schedule::id::printable;

/// A look into somebody's environment.
pub type Environment<'a> = &'a dyn Fn(&str) -> Option<OsString>;

/// Most issues that one source may have.
pub const MOST_ISSUES: usize = 10_000;

/// Where the one who asks is, and how long the answer may take.
#[derive(Clone, Copy)]
pub struct Place<'a> {
    /// The project's root.
    pub root: &'a Path,
    /// The environment.
    pub env: Environment<'a>,
    /// How long reading the whole source may take.
    pub patience: Duration,
}

impl<'a> Place<'a> {
    /// A place with five minutes to read a source in.
    pub fn new(root: &'a Path, env: Environment<'a>) -> Place<'a> {
        Place { root, env, patience: Duration::from_secs(300) }
    }

    /// The first of those variables that holds more than spaces.
    pub(super) fn variable<'n>(&self, names: &[&'n str]) -> Option<(&'n str, String)> {
        names.iter().find_map(|name| {
            let value = (self.env)(name)?.into_string().ok()?.trim().to_owned();
            (!value.is_empty()).then_some((*name, value))
        })
    }
}

impl std::fmt::Debug for Place<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Place").field("root", &self.root).field("patience", &self.patience).finish()
    }
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

/// What a tracker said, for a message: its first lines, without what moves a cursor, shortened.
pub(super) fn said(text: &str) -> String {
    const MOST: usize = 300;
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).take(3).collect();
    let text = printable(&lines.join("; "));
    match text.char_indices().nth(MOST) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text,
    }
}
