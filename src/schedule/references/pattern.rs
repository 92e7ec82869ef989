//! The patterns of `batch.dependency_patterns`: regular expressions whose first group is the reference.
//!
//! The four that hold without any are part of what [`super::phrase`] understands. Patterns that users give are tried
//! beside it; an empty list switches reading of texts off.

use regex::{Regex, RegexBuilder};

use super::Direction;
use super::phrase::Found;
use super::sense::{negated, subjects};
use super::token::{self, Target, Token};
use crate::error::{Code, Error, Result};
use crate::schedule::id::quoted;

/// The patterns that hold where the configuration names none.
pub const DEFAULT: [&str; 4] =
    [r"depends on #(\d+)", r"blocked by #(\d+)", r"requires ([A-Z]+-\d+)", r"after: ([A-Z]+-\d+-\w+)"];

/// How large a compiled pattern may be. `\d{1,1000000}` is not.
const SIZE: usize = 200_000;

/// A pattern sees at most so much of a line at once: no line may cost more than its length.
const WINDOW: usize = 1000;

/// How dependencies are found in text.
#[derive(Debug, Clone)]
pub struct Patterns {
    own: Vec<Regex>,
    reads: bool,
}

impl Default for Patterns {
    fn default() -> Self {
        Patterns { own: Vec::new(), reads: true }
    }
}

impl Patterns {
    /// Those of the configuration; `None` where it says nothing.
    ///
    /// # Errors
    /// [`Code::Config`], naming the pattern that does not compile, is too large or has no group.
    pub fn new(given: Option<&[String]>) -> Result<Patterns> {
        let Some(given) = given else { return Ok(Patterns::default()) };
        let own = given
            .iter()
            .filter(|text| !DEFAULT.contains(&text.as_str()))
            .map(|text| compile(text))
            .collect::<Result<_>>()?;
        Ok(Patterns { own, reads: !given.is_empty() })
    }

    /// Whether texts are read at all.
    pub(super) fn reads_text(&self) -> bool {
        self.reads
    }

    /// What the users' own patterns find.
    pub(super) fn find_own(&self, text: &str, found: &mut Vec<Found>) {
        if self.own.is_empty() {
            return;
        }
        let mut start = 0;
        for line in text.split('\n') {
            for (at, window) in windows(line) {
                let names = token::all(window);
                for pattern in &self.own {
                    for groups in pattern.captures_iter(window) {
                        let (Some(whole), Some(group)) = (groups.get(0), groups.get(1)) else { continue };
                        if negated(&window[..whole.start()]) {
                            continue;
                        }
                        for target in meant(window, group.range(), &names) {
                            found.push(Found {
                                direction: Direction::BlockedBy,
                                subject: subjects(&window[..whole.start()], "").pop(),
                                target,
                                stands_at: start + at + whole.start(),
                                at: start + at + group.start(),
                            });
                        }
                    }
                }
            }
            start += line.len() + 1;
        }
    }
}

fn compile(text: &str) -> Result<Regex> {
    let refuse = |why: &str| {
        Error::new(
            Code::Config,
            format!("batch.dependency_patterns: {} {why}", quoted(text)),
            r"give regular expressions with the reference in a group, like 'needs #(\d+)', in .wf/config.json",
        )
    };
    let pattern = RegexBuilder::new(text)
        .case_insensitive(true)
        .size_limit(SIZE)
        .dfa_size_limit(SIZE * 10)
        .build()
        .map_err(|error| match error {
            regex::Error::CompiledTooBig(_) => refuse("is too large"),
            error => {
                let said = error.to_string();
                let last = said.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
                refuse(&format!("does not compile: {last}"))
            }
        })?;
    if pattern.captures_len() < 2 {
        return Err(refuse("has no group"));
    }
    Ok(pattern)
}

/// A line in pieces, cut at blanks where it can be.
fn windows(line: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let rest = line.get(at..).filter(|rest| !rest.is_empty())?;
        let mut end = rest.len();
        if end > WINDOW {
            end = (0..=WINDOW).rev().find(|n| rest.is_char_boundary(*n)).unwrap_or(rest.len());
            end = rest[..end].rfind([' ', ',', ';']).map_or(end, |blank| blank + 1);
        }
        let piece = (at, &rest[..end]);
        at += end;
        Some(piece)
    })
}

/// What a group means: the references it lies in or holds, else its own text.
fn meant(text: &str, group: std::ops::Range<usize>, names: &[(usize, Token)]) -> Vec<Target> {
    let meets = |start: usize, end: usize| start < group.end && group.start < end;
    let within: Vec<Target> = names
        .iter()
        .filter(|(start, token)| meets(*start, token.end) && token.target.is_certain())
        .map(|(_, token)| token.target.clone())
        .collect();
    let own = text[group].trim();
    if !within.is_empty() || own.is_empty() {
        return within;
    }
    if own.len() <= 18 && own.bytes().all(|b| b.is_ascii_digit()) {
        return vec![Target::Number(own.to_owned())];
    }
    let text: String = own.chars().take(100).collect();
    vec![Target::Name { text, certain: true }]
}
