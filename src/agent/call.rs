//! One attempt at a phase, as whatever runs it sees it.

use std::path::Path;

use crate::schedule::{Source, WorkId};

/// One attempt at a phase, as its command sees it.
#[derive(Debug, Clone, Copy)]
pub struct Call<'a> {
    /// The run, a name never used again on this machine: the cookie by which its processes are found.
    pub run: &'a str,
    /// The work.
    pub work_id: &'a WorkId,
    /// The phase.
    pub phase: &'a str,
    /// From 1.
    pub attempt: u32,
    /// The work's branch; `None` where works run in the project root.
    pub branch: Option<&'a str>,
    /// What the branch was made from, for people.
    pub base: &'a str,
    /// Where the command runs.
    pub worktree: &'a Path,
    /// The project root.
    pub root: &'a Path,
    /// Where the work comes from.
    pub source: &'a Source,
}

/// Longest text that goes into one argument or variable, in bytes. The system allows 131,071; a prompt needs less.
const LONGEST: usize = 32_768;

/// `text` as the system accepts it in an argument or variable: no NUL, and not longer than [`LONGEST`].
pub(super) fn fitting(text: &str) -> String {
    let mut out: String = text.chars().filter(|c| *c != '\0').collect();
    if out.len() > LONGEST {
        out.truncate(out.floor_char_boundary(LONGEST));
        out.push('…');
    }
    out
}
