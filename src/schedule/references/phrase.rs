//! The words that make a dependency, and the list of references that follows them.

use std::sync::LazyLock;

use regex::Regex;

use super::Direction;
use super::list::{List, is_blank};
use super::markdown::{Block, Kind};
use super::token::{self, Target};

/// A reference and the place of the words it belongs to.
#[derive(Debug)]
pub struct Found {
    pub direction: Direction,
    pub subject: Option<Target>,
    pub target: Target,
    pub stands_at: usize,
}

/// Words that announce the blocks behind them: a heading, or a line that ends with them.
#[derive(Debug)]
pub struct Header {
    direction: Direction,
    subject: Option<Target>,
    /// How far the item is indented that they stand in.
    inside: Option<usize>,
    /// How far the items are indented that they announce, once one was seen.
    items: Option<usize>,
}

/// What a phrase is allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rank {
    /// Means a dependency wherever a reference follows.
    Plain,
    /// Only with a colon or as a heading: `Dependencies: #3`.
    Label,
    /// With a colon, or where nothing but references stand beside it: `After #3`.
    After,
}

static WORDS: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r"(?i)(?:(blocked[\s*_-]{1,8}(?:by|on)|depend(?:s|ent)?[\s*_-]{1,8}(?:up)?on|requires?)|(dependency|dependencies|blockers?)|(after)|(blocks|blocking))",
    )
    .ok()
});

/// Finds the phrases of a block from `from` on. A phrase that the block ends with becomes the header of what follows.
pub fn in_block(block: &Block<'_>, from: usize, header: &mut Option<Header>, found: &mut Vec<Found>) {
    let Some(words) = WORDS.as_ref() else { return };
    let text = block.text.as_str();
    let mut at = from;
    while let Some(groups) = words.captures_at(text, at) {
        let Some(word) = groups.get(0) else { return };
        at = word.end();
        if !stands_alone(text, word.start(), word.end()) {
            continue;
        }
        let rank = match (groups.get(2), groups.get(3)) {
            (Some(_), _) => Rank::Label,
            (_, Some(_)) => Rank::After,
            _ => Rank::Plain,
        };
        let direction = if groups.get(4).is_some() { Direction::Blocks } else { Direction::BlockedBy };
        let before = line_before(text, word.start());
        if negated(before) {
            continue;
        }
        let subject = subject(before);
        let mut list = List::new(text, word.end());
        list.opening();
        // `Requires: 16` speaks of memory, or of anything else that is counted.
        list.numbers &= !word.as_str().starts_with(['r', 'R']);
        let alone = before.chars().all(|c| is_blank(c) || c == '|');
        let announces = list.is_over() && (list.label || rank != Rank::After);
        if announces && (list.label || rank == Rank::Plain || (block.kind == Kind::Heading && alone)) {
            *header = Some(Header { direction, subject, inside: block.indent(), items: None });
            return;
        }
        if rank == Rank::Label && !list.label {
            continue;
        }
        let targets = list.read();
        if rank == Rank::After && !list.label && !(alone && list.ends_sentence()) {
            continue;
        }
        let stands_at = word.start();
        found.extend(targets.into_iter().map(|target| Found {
            direction,
            subject: subject.clone(),
            target,
            stands_at,
        }));
        at = at.max(list.at);
    }
}

/// Reads what a header announces from the beginning of a block. Gives how far that was.
pub fn under_header(header: &mut Option<Header>, block: &Block<'_>, found: &mut Vec<Found>) -> usize {
    let Some(open) = header else { return 0 };
    let over = match block.kind {
        Kind::Heading => true,
        Kind::Paragraph => open.items.is_some() || open.inside.is_some(),
        Kind::Item(indent) => {
            open.inside.is_some_and(|inside| indent <= inside)
                || open.items.is_some_and(|items| indent < items)
        }
    };
    if over {
        *header = None;
        return 0;
    }
    let mut list = List::new(&block.text, 0);
    let mut targets = match block.kind {
        Kind::Item(indent) if indent > *open.items.get_or_insert(indent) => return 0,
        _ => {
            list.skip_blanks(true);
            list.lines = true;
            list.fillers();
            list.read()
        }
    };
    if targets.is_empty() && block.indent().is_some() {
        targets.extend(one_at_the_end(&block.text));
    }
    let (direction, subject) = (open.direction, open.subject.clone());
    found.extend(targets.into_iter().map(|target| Found {
        direction,
        subject: subject.clone(),
        target,
        stands_at: 0,
    }));
    if block.kind == Kind::Paragraph {
        *header = None;
    }
    list.at
}

/// The only reference of an item that ends with it: `The database (#12)`.
fn one_at_the_end(text: &str) -> Option<Target> {
    const OTHER: [&str; 14] = [
        "see",
        "cf",
        "related",
        "relates",
        "ref",
        "refs",
        "like",
        "duplicate",
        "parent",
        "fixes",
        "closes",
        "blocks",
        "not",
        "no",
    ];
    const NOTHING: [&str; 5] = ["none", "nothing", "n/a", "never", "without"];
    if text.len() > 300 {
        return None;
    }
    let words = text.split(|c: char| is_blank(c) || matches!(c, '(' | ')' | ':' | ',' | '.'));
    let mut words = words.map(str::to_lowercase);
    if words.any(|word| OTHER.contains(&word.as_str()) || NOTHING.contains(&word.as_str())) {
        return None;
    }
    let mut all = token::all(text).into_iter().filter(|(_, token)| token.target.is_certain() && !token.bare);
    let (_, token) = all.next()?;
    let rest = text[token.end..].trim_matches(|c: char| is_blank(c) || matches!(c, ')' | ']' | '.'));
    (rest.is_empty() && all.next().is_none()).then_some(token.target)
}

/// Whether the words are no part of longer ones.
fn stands_alone(text: &str, start: usize, end: usize) -> bool {
    let mut before = text[..start].chars().rev();
    let begins = match before.next() {
        Some('_') => !before.next().is_some_and(char::is_alphanumeric),
        Some(c) => !c.is_alphanumeric() && !matches!(c, '-' | '/' | '#' | '.' | '@' | '\\'),
        None => true,
    };
    let mut after = text[end..].chars();
    let ends = match after.next() {
        Some('_') => !after.next().is_some_and(char::is_alphanumeric),
        Some('-') => !after.next().is_some_and(char::is_alphanumeric),
        Some(c) => !c.is_alphanumeric(),
        None => true,
    };
    begins && ends
}

/// What stands before the words on their line, as far as it matters.
fn line_before(text: &str, start: usize) -> &str {
    let from = (start.saturating_sub(120)..=start).find(|n| text.is_char_boundary(*n)).unwrap_or(start);
    let before = &text[from..start];
    before.rfind('\n').map_or(before, |at| &before[at + 1..])
}

/// Whether `before` takes back what follows it: `not`, `no longer`, `doesn't`.
pub fn negated(before: &str) -> bool {
    const NEGATIONS: [&str; 24] = [
        "not", "no", "never", "none", "nothing", "without", "neither", "nor", "cannot", "cant", "isnt",
        "arent", "wasnt", "doesnt", "dont", "didnt", "wont", "wouldnt", "shouldnt", "hardly", "nobody",
        "werent", "aint", "couldnt",
    ];
    const BREAKS: [&str; 11] =
        ["and", "but", "because", "since", "as", "so", "until", "unless", "then", "or", "while"];
    let clause = before.rsplit(['.', ';', ':', '!', '?', ',', '(', ')', '|']).next().unwrap_or_default();
    let words = clause.split(is_blank).filter(|word| !word.is_empty()).rev().take(4);
    let mut after: Option<String> = None;
    for word in words {
        let word: String = word.to_lowercase().replace(['\'', '’', '"', '“', '”'], "");
        if BREAKS.contains(&word.as_str()) || matches!(word.as_str(), "-" | "–" | "—") {
            return false;
        }
        if NEGATIONS.contains(&word.as_str()) {
            return !matches!(after.as_deref(), Some("only" | "just"));
        }
        after = Some(word);
    }
    false
}

/// The issue that the words are about, where it is named right before them.
pub fn subject(before: &str) -> Option<Target> {
    const VERBS: [&str; 11] =
        ["is", "are", "was", "also", "currently", "still", "now", "only", "itself", "really", "then"];
    let word = before
        .split(is_blank)
        .rev()
        .filter(|word| !word.is_empty())
        .take(4)
        .find(|word| !VERBS.iter().any(|verb| verb.eq_ignore_ascii_case(word)))?;
    let token = token::read(word, 0)?;
    (token.end == word.len() && token.target.is_certain() && !token.bare).then_some(token.target)
}
