//! What stands around the words of a dependency: whether it takes them back, whom they are about, and whether it is
//! about something else.

use std::sync::LazyLock;

use regex::Regex;

use super::list::{begins_with_reference, is_blank};
use super::token::{self, Target};

/// The words: 1 the other way round, 2 with a colon or as a heading, 3 with a colon; the others wherever they stand.
pub static WORDS: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        concat!(
            r"(?i)(?:(block(?:s|ing|\b)|(?:required|needed)[\s*_-]{1,8}by)|(dependency|dependencies|prerequisites?|blockers?|blockedby|dependson)|(after)",
            r"|blocked[\s*_-]{1,8}(?:by|on)|depend(?:s|ent)?[\s*_-]{1,8}(?:up)?on|requires?)",
        ),
    )
    .ok()
});

/// Whether an item says itself how it hangs together, so that what stands over it doesn't: `- Blocking: #2`,
/// `- #2 depends on this`. Behind a reference that it begins with, words are about that one: `- #1 (blocked by #9)`.
pub fn has_own_words(text: &str) -> bool {
    let Some(words) = WORDS.as_ref() else { return false };
    let own = words.find_iter(text).any(|word| {
        stands_alone(text, word.start(), word.end()) && !word.as_str().eq_ignore_ascii_case(PLURAL)
    });
    (own && !begins_with_reference(text))
        || text.split(|c: char| !c.is_alphanumeric()).any(|word| word.eq_ignore_ascii_case("this"))
}

/// Whether a heading is about dependencies and nothing else: `4. Dependencies & Blockers (hard)`.
pub fn is_title(text: &str) -> bool {
    const WORDS: [&str; 28] = [
        "dependency",
        "dependencies",
        "prerequisite",
        "prerequisites",
        "blocker",
        "blockers",
        "blocked",
        "by",
        "on",
        "depends",
        "requires",
        "and",
        "or",
        "the",
        "task",
        "tasks",
        "issue",
        "issues",
        "ticket",
        "tickets",
        "work",
        "works",
        "known",
        "hard",
        "internal",
        "external",
        "upstream",
        "project",
    ];
    let bare = text.split('(').next().unwrap_or_default();
    let mut words = bare.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).take(8);
    words.all(|word| {
        WORDS.iter().any(|known| known.eq_ignore_ascii_case(word)) || word.bytes().all(|b| b.is_ascii_digit())
    })
}

/// Whether what stands here goes on as a sentence about the reference before it.
pub fn begins_sentence(rest: &str) -> bool {
    let rest = rest.trim_start_matches(is_blank);
    let Some(words) = WORDS.as_ref() else { return false };
    let first = rest.split(is_blank).next().unwrap_or_default();
    let verb = |word: &str| VERBS.iter().any(|verb| verb.eq_ignore_ascii_case(word));
    verb(first)
        || words.find_at(&rest[..rest.floor_char_boundary(40)], 0).is_some_and(|word| word.start() == 0)
}

/// The longest text that is looked through for references that stand anywhere in it.
const PROSE: usize = 300;

/// The only reference of an item that ends with it, and where it stands: `The database (#12)`.
pub fn one_at_the_end(text: &str) -> Option<(Target, usize)> {
    if text.len() > PROSE || speaks_of_something_else(text) {
        return None;
    }
    let mut all = token::all(text).into_iter().filter(|(_, token)| token.target.is_certain() && !token.bare);
    let (at, token) = all.next()?;
    let rest = text[token.end..].trim_matches(|c: char| is_blank(c) || matches!(c, ')' | ']' | '.'));
    (rest.is_empty() && all.next().is_none()).then_some((token.target, at))
}

/// Whether it says that what it names is no dependency: `see #99`, `none`.
pub fn speaks_of_something_else(text: &str) -> bool {
    const WORDS: [&str; 38] = [
        "by",
        "used",
        "downstream",
        "enables",
        "unlocks",
        "before",
        "part",
        "supersedes",
        "superseded",
        "replaces",
        "needs",
        "this",
        "follow-up",
        "optional",
        "optionally",
        "if",
        "see",
        "cf",
        "related",
        "relates",
        "ref",
        "refs",
        "like",
        "unlike",
        "duplicate",
        "parent",
        "fixes",
        "closes",
        "blocks",
        "unblocks",
        "not",
        "no",
        "none",
        "nothing",
        "n/a",
        "never",
        "without",
        "independent",
    ];
    let words = text.split(|c: char| is_blank(c) || matches!(c, '(' | ')' | ':' | ',' | '.' | '\n'));
    words.map(str::to_lowercase).any(|word| WORDS.contains(&word.as_str()))
}

/// Notes what the rest of the sentence behind a dependency names: `depends on the rework in #12`. It is not taken for
/// one, but is worth a word. `text` begins at `from` in its block.
pub fn pass(text: &str, stands_at: usize, from: usize, passed: &mut Vec<(Target, usize, usize)>) {
    let end = text.char_indices().take(PROSE).find_map(|(at, c)| match c {
        '\n' | '!' | '?' => Some(at),
        '.' if text[at + 1..].starts_with(char::is_whitespace) => Some(at),
        _ => None,
    });
    let cut = || text.char_indices().nth(PROSE).map_or(text.len(), |(at, _)| at);
    let sentence = &text[..end.unwrap_or_else(cut)];
    for (at, token) in token::all(sentence) {
        if speaks_of_something_else(&sentence[..at]) {
            return;
        }
        if token.target.is_certain() && !token.bare {
            passed.push((token.target, stands_at, from + at));
        }
    }
}

/// Whether the words are no part of longer ones.
pub fn stands_alone(text: &str, start: usize, end: usize) -> bool {
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
pub fn line_before(text: &str, start: usize) -> &str {
    let from = (start.saturating_sub(120)..=start).find(|n| text.is_char_boundary(*n)).unwrap_or(start);
    let before = &text[from..start];
    before.rfind('\n').map_or(before, |at| &before[at + 1..])
}

/// Whether `before` takes back what follows it: `not`, `no longer`, `doesn't`.
pub fn negated(before: &str) -> bool {
    const NEGATIONS: [&str; 26] = [
        "not",
        "no",
        "never",
        "none",
        "nothing",
        "without",
        "neither",
        "nor",
        "cannot",
        "cant",
        "isnt",
        "arent",
        "wasnt",
        "doesnt",
        "dont",
        "didnt",
        "wont",
        "wouldnt",
        "shouldnt",
        "hardly",
        "nobody",
        "werent",
        "aint",
        "couldnt",
        "formerly",
        "previously",
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

/// What may stand between a reference and the words.
const VERBS: [&str; 11] =
    ["is", "are", "was", "also", "currently", "still", "now", "only", "itself", "really", "then"];

/// The word that is one of a dependency only between issues and `this`: `#1 and #3 block this`.
pub const PLURAL: &str = "block";

/// The issues that `words` are about, where they are named right before them: one, or several in the plural.
pub fn subjects(before: &str, words: &str) -> Vec<Target> {
    // In brackets behind a reference: `#2 (depends on #1)`.
    let before = before.strip_suffix('(').filter(|it| it.ends_with(is_blank)).unwrap_or(before);
    let mut parts = before.split(is_blank).rev().filter(|part| !part.is_empty()).take(40).peekable();
    let mut several = ["block", "require", "depend"].iter().any(|plural| {
        words.split(|c: char| !c.is_alphabetic()).next().is_some_and(|it| it.eq_ignore_ascii_case(plural))
    });
    for _ in 0..3 {
        let verb = parts.next_if(|part| VERBS.iter().any(|verb| verb.eq_ignore_ascii_case(part)));
        several |= verb.is_some_and(|verb| verb.eq_ignore_ascii_case("are"));
    }
    let whole = |part: &str| {
        let token = token::read(part, 0)?;
        (token.end == part.len() && token.target.is_certain() && !token.bare).then_some(token.target)
    };
    let mut found: Vec<Target> = parts.next().and_then(whole).into_iter().collect();
    while several && !found.is_empty() {
        let joined = parts.next_if(|part| ["and", "or", "&"].iter().any(|it| it.eq_ignore_ascii_case(part)));
        let Some(part) = parts.next() else { break };
        match part.strip_suffix(',').or(joined.map(|_| part)).and_then(whole) {
            Some(target) => found.push(target),
            None => break,
        }
    }
    found.reverse();
    found
}
