//! The words that make a dependency, and the list of references that follows them.

use super::Direction;
use super::list::{List, is_blank};
use super::markdown::{Block, Kind};
use super::sense::{
    PLURAL, WORDS, begins_sentence, has_own_words, is_title, line_before, negated, one_at_the_end, pass,
    speaks_of_something_else, stands_alone, subjects,
};
use super::token::Target;

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

/// Finds the phrases of the rest of a block. A phrase that the block ends with becomes the header of what follows.
pub fn in_block(block: &Block<'_>, rest: Rest, header: &mut Option<Header>, said: &mut Sayings) {
    let Some(words) = WORDS.as_ref() else { return };
    let text = block.text.as_str();
    let mut at = rest.from;
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
        let mut list = List::new(text, word.end());
        list.opening();
        // `Requires: 16` speaks of memory, or of anything else that is counted.
        list.numbers &= !word.as_str().starts_with(['r', 'R']);
        // A label begins anew: `Blocked by: #1 Blocks: #2`.
        let begins_anew = list.label && before.contains(':');
        let mut subjects = if begins_anew { Vec::new() } else { subjects(before, word.as_str()) };
        if word.as_str().eq_ignore_ascii_case(PLURAL) && (subjects.is_empty() || !list.means_this()) {
            continue;
        }
        if subjects.is_empty() && !begins_anew {
            subjects.extend(rest.about.clone());
        }
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
            let (subject, inside) = (subjects.pop(), block.indent());
            *header = Some(Header { direction, subject, inside, items: None, named: false, level });
            return;
        }
        if rank == Rank::Label && !(list.label || (list.dash && alone)) {
            continue;
        }
        if list.means_this() && !subjects.is_empty() {
            let (direction, stands_at) = (direction.other(), word.start());
            let found = |target| Found { direction, subject: None, target, stands_at, at: stands_at };
            said.found.extend(subjects.into_iter().map(found));
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
        if text[list.at..].trim_start_matches(is_blank).starts_with('?') {
            // Asked, not said.
            said.passed.extend(targets.into_iter().map(|(target, at)| (target, stands_at, at)));
            at = at.max(list.at);
            continue;
        }
        let last = targets.last().map_or(begin, |(_, at)| *at);
        for subject in about_each(subjects) {
            said.found.extend(targets.iter().map(|(target, at)| Found {
                direction,
                subject: subject.clone(),
                target: target.clone(),
                stands_at,
                at: *at,
            }));
        }
        at = at.max(list.at);
        if rank == Rank::Plain && direction == Direction::BlockedBy {
            behind = Some((stands_at, at.max(last)));
        }
    }
}

/// Whom a sentence is about: each of `subjects`, or the issue that it stands in.
fn about_each(subjects: Vec<Target>) -> Vec<Option<Target>> {
    if subjects.is_empty() { vec![None] } else { subjects.into_iter().map(Some).collect() }
}

/// What of a block is still to be read.
#[derive(Debug, Default)]
pub struct Rest {
    /// Where it begins.
    from: usize,
    /// The announced issue that the block describes: `#1` in `- #1 The base (blocked by #9)`.
    about: Option<Target>,
}

/// Reads what a header announces from the beginning of a block.
pub fn under_header(header: &mut Option<Header>, block: &Block<'_>, said: &mut Sayings) -> Rest {
    let Some(open) = header else { return Rest::default() };
    let over = match block.kind {
        Kind::Heading(level) => {
            open.level.is_none_or(|over| over >= level)
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
        return Rest::default();
    }
    let mut list = List::new(&block.text, 0);
    match block.kind {
        Kind::Heading(_) => {
            open.items = None;
            return Rest::default();
        }
        Kind::Item(indent) if indent > *open.items.get_or_insert(indent) && open.named => {
            return Rest::default();
        }
        Kind::Item(_) if has_own_words(&block.text) => {
            open.named = true;
            return Rest::default();
        }
        Kind::Paragraph | Kind::Item(_) => {}
    }
    list.skip_blanks(true);
    list.under_label();
    let only_numbers = |text: &str| text.chars().all(|c| c.is_ascii_digit() || " \n,;#&".contains(c));
    // In the answer to a form there is nothing else: `### Depends on`, and below it `9, 10`.
    list.numbers = block.indent().is_some() || (open.level.is_some() && only_numbers(&block.text));
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
    let about = targets.last().map(|(target, _)| target.clone()).filter(|_| block.indent().is_some());
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
    Rest { from: list.at, about }
}
