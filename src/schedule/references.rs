//! Dependencies written in text: "depends on #12", "**Blocked by:** #1, #3", "Blocks #7".
//!
//! Text is read as people mean it: after one of the words comes a list of references and nothing else. Code, comments
//! and negations give none. What is not clearly a dependency is left out; what is one keeps the line it was read from,
//! so that people can see why a work waits. Which work a reference means is not known here.
//!
//! Linear in the text's length, whatever it holds.

mod list;
mod markdown;
mod pattern;
mod phrase;
mod sense;
#[cfg(test)]
mod tests;
mod token;

use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::Arc;

pub use pattern::Patterns;
pub use token::{Target, issue_of_address};

use super::WorkId;
use super::id::printable;
use markdown::{Block, Kind};
use phrase::{Found, Header, Sayings};
use token::Token;

/// Which of the two waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Direction {
    /// The issue that says so waits for the one it names.
    BlockedBy,
    /// The one it names waits for the issue that says so.
    Blocks,
}

impl Direction {
    /// The other way round.
    fn other(self) -> Direction {
        match self {
            Direction::BlockedBy => Direction::Blocks,
            Direction::Blocks => Direction::BlockedBy,
        }
    }
}

/// A dependency that a text speaks of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// Which of the two waits.
    pub direction: Direction,
    /// Whom the sentence is about, where it is not about the issue that it stands in: `#7 is blocked by #3`.
    pub subject: Option<Target>,
    /// What is named.
    pub target: Target,
    /// The line that says so, fit for a terminal, shortened around the words where it is very long.
    pub line: Arc<str>,
}

/// What a text says of dependencies.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Said {
    /// The dependencies, each once, in its order.
    pub depends: Vec<Reference>,
    /// What stands behind the words of a dependency and is none by all appearances; people may have meant it.
    pub passed: Vec<Passed>,
}

/// A reference that is not taken for a dependency: `depends on the rework in #12`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Passed {
    /// What is named.
    pub target: Target,
    /// The line, as [`Reference::line`].
    pub line: Arc<str>,
}

/// The most of a line that is kept.
const LINE: usize = 200;
/// So many references that are none are kept of a text.
const PASSED: usize = 20;

impl Patterns {
    /// What a text says of dependencies.
    pub fn find(&self, text: &str) -> Said {
        let mut all = Said::default();
        if !self.reads_text() {
            return all;
        }
        let mut seen = HashSet::new();
        let mut header: Option<Header> = None;
        let text = with_line_feeds(text);
        for block in markdown::blocks(&text) {
            let mut said = Sayings::default();
            let rest = phrase::under_header(&mut header, &block, &mut said);
            phrase::in_block(&block, rest, &mut header, &mut said);
            self.find_own(&block.text, &mut said.found);
            let mut lines = Lines { block: &block, last: None };
            for it in said.found {
                if seen.insert((it.direction, it.subject.clone(), it.target.clone())) {
                    let line = lines.from(it.stands_at, it.at);
                    let Found { direction, subject, target, .. } = it;
                    all.depends.push(Reference { direction, subject, target, line });
                }
            }
            for (target, stands_at, at) in said.passed {
                if all.passed.len() < PASSED {
                    all.passed.push(Passed { target, line: lines.from(stands_at, at) });
                }
            }
        }
        all.passed.retain(|passed| all.depends.iter().all(|it| it.target != passed.target));
        all
    }
}

/// The text with `\n` at the end of each line, whatever ended it.
fn with_line_feeds(text: &str) -> Cow<'_, str> {
    const ENDS: [char; 3] = ['\r', '\u{2028}', '\u{2029}'];
    if !text.contains(ENDS) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.replace("\r\n", "\n").replace(ENDS, "\n"))
}

/// What a text that is nothing but a reference names: `#12`, `owner/name#12`, an address, `PROJ-7`, a work's identifier.
pub fn named(text: &str) -> Option<Target> {
    let text = text.trim();
    match token::read(text, 0).filter(|token| token.end == text.len()) {
        Some(Token { target: Target::Name { text, .. }, .. }) => Some(Target::Name { text, certain: true }),
        Some(token) => Some(token.target),
        None => WorkId::new(text).ok().map(|id| Target::Name { text: id.to_string(), certain: true }),
    }
}

/// The lines of a block, each made fit once.
struct Lines<'a> {
    block: &'a Block<'a>,
    last: Option<(usize, Arc<str>)>,
}

impl Lines<'_> {
    /// The line of the words, and that of the reference where it is another.
    fn from(&mut self, words: usize, reference: usize) -> Arc<str> {
        let (first, second) = (self.at(words), self.at(reference));
        if self.block.line(words).0 == self.block.line(reference).0 {
            return first;
        }
        format!("{first} … {second}").into()
    }

    fn at(&mut self, at: usize) -> Arc<str> {
        let (number, line) = self.block.line(at);
        if line.len() > LINE {
            // Too long to show: what follows the word, out of the block's text.
            let rest = self.block.text.get(at..).unwrap_or_default();
            let text: String = rest.chars().take_while(|c| *c != '\n').take(LINE).collect();
            return format!("…{}…", printable(text.trim())).into();
        }
        match &self.last {
            Some((known, text)) if *known == number => Arc::clone(text),
            _ => {
                let text: Arc<str> = printable(line.trim()).into();
                self.last = Some((number, Arc::clone(&text)));
                text
            }
        }
    }
}

impl Block<'_> {
    /// How far it is indented, where it is an item of a list.
    fn indent(&self) -> Option<usize> {
        match self.kind {
            Kind::Item(indent) => Some(indent),
            Kind::Paragraph | Kind::Heading(_) => None,
        }
    }
}
