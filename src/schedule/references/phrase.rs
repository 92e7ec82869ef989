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
    /// Where the words stand.
    pub stands_at: usize,
    /// Where the reference stands.
    pub at: usize,
}

/// What a block says.
#[derive(Debug, Default)]
pub struct Sayings {
    /// Dependencies.
    pub found: Vec<Found>,
    /// References behind the words of a dependency that are none by all appearances, with where words and they stand.
    pub passed: Vec<(Target, usize, usize)>,
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
    /// Whether the last of these items named something: then what is indented below it are its details.
    named: bool,
    /// The level of the heading that they are; deeper ones are parts of it.
    level: Option<usize>,
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
        concat!(
            r"(?i)(?:(blocks|blocking|(?:required|needed)[\s*_-]{1,8}by)|(dependency|dependencies|prerequisites?|blockers?|blockedby|dependson)|(after)",
            r"|blocked[\s*_-]{1,8}(?:by|on)|depend(?:s|ent)?[\s*_-]{1,8}(?:up)?on|requires?)",
        ),
    )
    .ok()
});

/// Finds the phrases of a block from `from` on. A phrase that the block ends with becomes the header of what follows.
pub fn in_block(block: &Block<'_>, from: usize, header: &mut Option<Header>, said: &mut Sayings) {
    let Some(words) = WORDS.as_ref() else { return };
    let text = block.text.as_str();
    let mut at = from;
    // Where the words of the last dependency stand, and where its list ended.
    let mut behind: Option<(usize, usize)> = None;
    loop {
        let groups = words.captures_at(text, at);
        let word = groups.as_ref().and_then(|groups| groups.get(0));
        if let Some((stands_at, from)) = behind.take() {
            let to = word.map_or(text.len(), |word| word.start());
            pass(text.get(from..to).unwrap_or_default(), stands_at, from, &mut said.passed);
        }
        let (Some(groups), Some(word)) = (&groups, word) else { return };
        at = word.end();
        if !stands_alone(text, word.start(), word.end()) {
            continue;
        }
        let rank = match (groups.get(2), groups.get(3)) {
            (Some(_), _) => Rank::Label,
            (_, Some(_)) => Rank::After,
            _ => Rank::Plain,
        };
        let direction = if groups.get(1).is_some() { Direction::Blocks } else { Direction::BlockedBy };
        let before = line_before(text, word.start());
        if negated(before) {
            continue;
        }
        let subject = subject(before);
        let mut list = List::new(text, word.end());
        list.opening();
        // `Requires: 16` speaks of memory, or of anything else that is counted.
        list.numbers &= !word.as_str().starts_with(['r', 'R']);
        let alone =
            before.trim_start_matches(is_blank).trim_start_matches("<h2>").trim_start_matches("<summary>");
        let alone = alone.chars().all(|c| is_blank(c) || c == '|');
        let level = match block.kind {
            Kind::Heading(level) => Some(level),
            Kind::Paragraph | Kind::Item(_) => None,
        };
        let titles = level.is_some() && rank != Rank::After && is_title(text);
        let announces =
            list.is_over() && (list.label || rank == Rank::Plain || (rank == Rank::Label && alone));
        if announces || titles {
            *header =
                Some(Header { direction, subject, inside: block.indent(), items: None, named: false, level });
            return;
        }
        if rank == Rank::Label && !(list.label || (list.dash && alone)) {
            continue;
        }
        if let Some(subject) = subject.as_ref().filter(|_| list.means_this()) {
            let direction = direction.other();
            let (target, stands_at) = (subject.clone(), word.start());
            said.found.push(Found { direction, subject: None, target, stands_at, at: stands_at });
            continue;
        }
        let begin = list.at;
        let mut targets = list.read();
        if rank == Rank::After && !list.label && !(alone && list.ends_sentence()) {
            continue;
        }
        if targets.is_empty() && list.label {
            let line = text[begin..].split('\n').next().unwrap_or_default();
            targets.extend(one_at_the_end(line).map(|(target, at)| (target, begin + at)));
        }
        if targets.len() > 1 && begins_sentence(&text[list.at..]) {
            // `#1 requires #2, and #3 is blocked by #4`
            list.at = targets.pop().map_or(list.at, |(_, at)| at);
        }
        let stands_at = word.start();
        let last = targets.last().map_or(begin, |(_, at)| *at);
        said.found.extend(targets.into_iter().map(|(target, at)| Found {
            direction,
            subject: subject.clone(),
            target,
            stands_at,
            at,
        }));
        at = at.max(list.at);
        if rank == Rank::Plain && direction == Direction::BlockedBy {
            behind = Some((stands_at, at.max(last)));
        }
    }
}

/// Reads what a header announces from the beginning of a block. Gives how far that was.
pub fn under_header(header: &mut Option<Header>, block: &Block<'_>, said: &mut Sayings) -> usize {
    let Some(open) = header else { return 0 };
    let over = match block.kind {
        Kind::Heading(level) => {
            !open.level.is_some_and(|over| over < level)
                || has_own_words(&block.text)
                || speaks_of_something_else(&block.text)
        }
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
    match block.kind {
        Kind::Heading(_) => {
            open.items = None;
            return 0;
        }
        Kind::Item(indent) if indent > *open.items.get_or_insert(indent) && open.named => return 0,
        Kind::Item(_) if has_own_words(&block.text) => {
            open.named = true;
            return 0;
        }
        Kind::Paragraph | Kind::Item(_) => {}
    }
    list.skip_blanks(true);
    list.under_label();
    list.numbers = block.indent().is_some();
    list.fillers();
    let mut targets = list.read();
    if targets.is_empty() && block.indent().is_some() {
        targets.extend(one_at_the_end(&block.text));
    }
    if targets.is_empty() && open.direction == Direction::BlockedBy && !negated(&block.text) {
        let mut at = 0;
        for line in block.text.split_inclusive('\n') {
            pass(line, at, at, &mut said.passed);
            at += line.len();
        }
    }
    if block.indent() == open.items {
        open.named = !targets.is_empty();
    }
    let (direction, subject) = (open.direction, open.subject.clone());
    said.found.extend(targets.into_iter().map(|(target, at)| Found {
        direction,
        subject: subject.clone(),
        target,
        stands_at: at,
        at,
    }));
    if block.kind == Kind::Paragraph {
        *header = None;
    }
    list.at
}

/// Whether an item says itself how it hangs together, so that what stands over it doesn't: `- Blocking: #2`,
/// `- #2 depends on this`. What stands in brackets behind a reference is about that one: `- #1 (blocked by #9)`.
fn has_own_words(text: &str) -> bool {
    let Some(words) = WORDS.as_ref() else { return false };
    let own = words.find_iter(text).filter(|word| stands_alone(text, word.start(), word.end())).any(|word| {
        let before = line_before(text, word.start());
        !(before.ends_with('(') && subject(before).is_some())
    });
    own || text.split(|c: char| !c.is_alphanumeric()).any(|word| word.eq_ignore_ascii_case("this"))
}

/// Whether a heading is about dependencies and nothing else: `4. Dependencies & Blockers (hard)`.
fn is_title(text: &str) -> bool {
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
fn begins_sentence(rest: &str) -> bool {
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
fn one_at_the_end(text: &str) -> Option<(Target, usize)> {
    if text.len() > PROSE || speaks_of_something_else(text) {
        return None;
    }
    let mut all = token::all(text).into_iter().filter(|(_, token)| token.target.is_certain() && !token.bare);
    let (at, token) = all.next()?;
    let rest = text[token.end..].trim_matches(|c: char| is_blank(c) || matches!(c, ')' | ']' | '.'));
    (rest.is_empty() && all.next().is_none()).then_some((token.target, at))
}

/// Whether it says that what it names is no dependency: `see #99`, `none`.
fn speaks_of_something_else(text: &str) -> bool {
    const WORDS: [&str; 37] = [
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
    ];
    let words = text.split(|c: char| is_blank(c) || matches!(c, '(' | ')' | ':' | ',' | '.' | '\n'));
    words.map(str::to_lowercase).any(|word| WORDS.contains(&word.as_str()))
}

/// Notes what the rest of the sentence behind a dependency names: `depends on the rework in #12`. It is not taken for
/// one, but is worth a word. `text` begins at `from` in its block.
fn pass(text: &str, stands_at: usize, from: usize, passed: &mut Vec<(Target, usize, usize)>) {
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

/// What may stand between a reference and the words.
const VERBS: [&str; 11] =
    ["is", "are", "was", "also", "currently", "still", "now", "only", "itself", "really", "then"];

/// The issue that the words are about, where it is named right before them.
pub fn subject(before: &str) -> Option<Target> {
    // In brackets behind a reference: `#2 (depends on #1)`.
    let before = before.strip_suffix('(').filter(|it| it.ends_with(is_blank)).unwrap_or(before);
    let word = before
        .split(is_blank)
        .rev()
        .filter(|word| !word.is_empty())
        .take(4)
        .find(|word| !VERBS.iter().any(|verb| verb.eq_ignore_ascii_case(word)))?;
    let token = token::read(word, 0)?;
    (token.end == word.len() && token.target.is_certain() && !token.bare).then_some(token.target)
}
