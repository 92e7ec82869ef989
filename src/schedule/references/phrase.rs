//! The words that make a dependency, and the list of references that follows them.

use std::sync::LazyLock;

use regex::Regex;

use super::Direction;
use super::markdown::{Block, Kind};
use super::pattern::tokens;
use super::token::{self, Target, Token, issue_of_address};

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
    let mut all = tokens(text).into_iter().filter(|(_, token)| token.target.is_certain() && !token.bare);
    let (_, token) = all.next()?;
    let rest = text[token.end..].trim_matches(|c: char| is_blank(c) || matches!(c, ')' | ']' | '.'));
    (rest.is_empty() && all.next().is_none()).then_some(token.target)
}

/// A list of references, read from left to right.
struct List<'a> {
    text: &'a str,
    at: usize,
    /// A colon, or what stands for one, came first.
    label: bool,
    /// Numbers without `#` count.
    numbers: bool,
    /// Lines of their own go on with the list.
    lines: bool,
    /// Brackets that are open around it.
    brackets: u8,
}

impl<'a> List<'a> {
    fn new(text: &'a str, at: usize) -> List<'a> {
        List { text, at, label: false, numbers: false, lines: false, brackets: 0 }
    }

    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn next(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn is_over(&self) -> bool {
        self.rest().chars().all(|c| is_blank(c) || c == '\n')
    }

    fn ends_sentence(&self) -> bool {
        let rest = self.rest().trim_start_matches(|c| is_blank(c) || c == ')');
        rest.is_empty() || rest.starts_with(['\n', '.', '!'])
    }

    /// Goes over blanks and emphasis; says whether a line ended.
    fn skip_blanks(&mut self, lines: bool) -> bool {
        let mut ended = false;
        while let Some(c) = self.next() {
            if is_blank(c) || (lines && c == '\n') {
                ended |= c == '\n';
                self.at += c.len_utf8();
            } else if let Some(tag) = html_tag(self.rest()) {
                self.at += tag;
            } else {
                break;
            }
        }
        ended
    }

    /// What may stand between the words and the first reference.
    fn opening(&mut self) {
        let mut ended = self.skip_blanks(true);
        for mark in [":", "：", "|", "=>", "->", "→", "="] {
            if let Some(rest) = self.rest().strip_prefix(mark) {
                self.at = self.text.len() - rest.len();
                self.label = true;
                ended |= self.skip_blanks(true);
                break;
            }
        }
        for dash in ["- ", "– ", "— "] {
            if !self.label && self.rest().starts_with(dash) {
                self.at += dash.len();
            }
        }
        self.lines = ended;
        self.numbers = self.label;
        self.fillers();
        self.open_brackets("([<");
    }

    fn open_brackets(&mut self, which: &str) {
        while self.next().is_some_and(|c| which.contains(c)) && link(self.rest()).is_none() {
            self.at += 1;
            self.brackets = self.brackets.saturating_add(1);
            self.skip_blanks(false);
        }
    }

    /// Goes over `the`, `both`, `issue` and their like.
    fn fillers(&mut self) {
        const FILLERS: [&str; 21] = [
            "the", "both", "either", "all", "of", "issue", "issues", "ticket", "tickets", "task", "tasks",
            "work", "works", "story", "stories", "pr", "prs", "pull", "request", "requests", "also",
        ];
        for _ in 0..4 {
            let length = self.rest().bytes().take(12).take_while(u8::is_ascii_alphabetic).count();
            let word = self.rest()[..length].to_ascii_lowercase();
            if !FILLERS.contains(&word.as_str()) || !self.rest()[length..].starts_with(is_blank) {
                return;
            }
            self.numbers |= word.starts_with("issue") || word.starts_with("ticket");
            self.at += length;
            self.skip_blanks(false);
        }
    }

    /// Reads the references. `at` is behind the last of them afterwards.
    fn read(&mut self) -> Vec<Target> {
        let mut targets = Vec::new();
        let Some(mut certain) = self.one(&mut targets) else { return targets };
        loop {
            let back = self.at;
            let ended = self.skip_blanks(self.lines);
            let separated = self.separators();
            let goes_on =
                separated || (certain && self.is_clear() && (!ended || self.rest_of_line_is_a_list()));
            match goes_on.then(|| self.one(&mut targets)).flatten() {
                Some(next) => certain = next,
                None => {
                    self.at = back;
                    if !(self.label && self.next_after_remark()) {
                        return targets;
                    }
                }
            }
        }
    }

    /// Whether what follows is a reference even where nothing separates it from the last one.
    fn is_clear(&self) -> bool {
        link(self.rest()).is_some()
            || token::read(self.text, self.at).is_some_and(|token| token.target.is_certain() && !token.bare)
    }

    /// Reads one reference, if one stands here.
    fn one(&mut self, targets: &mut Vec<Target>) -> Option<bool> {
        self.open_brackets("[<");
        if let Some((target, length)) = link(self.rest()) {
            self.at += length;
            targets.push(target);
            return Some(true);
        }
        let Token { target, bare, end } = token::read(self.text, self.at)?;
        if bare && !(self.numbers && self.number_ends(end)) {
            return None;
        }
        self.at = end;
        let certain = target.is_certain();
        targets.push(target);
        Some(certain)
    }

    /// Whether a number without `#` is followed by what separates or ends a list.
    fn number_ends(&self, end: usize) -> bool {
        let rest = self.text[end..].trim_start_matches(is_blank);
        rest.is_empty()
            || rest.starts_with(['\n', ',', ';', ')', ']', '|', '&', '、'])
            || rest.starts_with("and ")
            || rest
                .strip_prefix('.')
                .is_some_and(|rest| rest.is_empty() || rest.starts_with(char::is_whitespace))
    }

    /// Goes over commas, `and`, closing brackets and remarks in brackets. Says whether something separated.
    fn separators(&mut self) -> bool {
        const WORDS: [&str; 4] = ["and", "or", "plus", "as well as"];
        const MORE: [&str; 3] = ["also", "on", "by"];
        let mut separated = false;
        loop {
            let rest = self.rest();
            let Some(c) = rest.chars().next() else { return separated };
            if matches!(c, ',' | ';' | '、' | '，' | '；' | '/' | '&' | '+') {
                self.at += c.len_utf8();
                separated = true;
                self.skip_blanks(true);
            } else if self.brackets > 0 && matches!(c, ')' | ']' | '>') {
                self.at += 1;
                self.brackets -= 1;
                self.skip_blanks(false);
            } else if c == '(' {
                let Some(end) = remark(rest) else { return separated };
                self.at += end;
                self.skip_blanks(false);
            } else if let Some(word) = WORDS
                .iter()
                .chain(MORE.iter().filter(|_| separated))
                .find(|word| starts_with_word(rest, word))
            {
                self.at += word.len();
                separated = true;
                self.skip_blanks(true);
                self.fillers();
            } else {
                let before = self.at;
                if separated {
                    self.fillers();
                }
                if self.at == before {
                    return separated;
                }
            }
        }
    }

    /// In `Depends on: #12 the base, #14`, goes on to what follows the comma.
    fn next_after_remark(&mut self) -> bool {
        let rest = self.rest();
        let end = rest.char_indices().take(200).find_map(|(at, c)| match c {
            ',' | ';' => Some(Some(at)),
            '#' | '\n' | '!' | '?' | '(' | ')' | ':' | '\u{1}' => Some(None),
            '.' if rest[at + 1..].starts_with(char::is_whitespace) || at + 1 == rest.len() => Some(None),
            _ => None,
        });
        let Some(Some(end)) = end else { return false };
        let back = self.at;
        self.at += end;
        self.separators();
        let more = self.is_clear();
        if more {
            // Stands before the separator again, so that the loop reads it as one.
            self.at = back + end;
        } else {
            self.at = back;
        }
        more
    }

    /// Whether nothing but references stands on this line.
    fn rest_of_line_is_a_list(&self) -> bool {
        let line = self.rest().split('\n').next().unwrap_or_default();
        let Some(token) = token::read(line, 0) else { return link(line).is_some() };
        let after = line[token.end..].trim_start_matches(is_blank);
        after.is_empty() || after.starts_with([',', ';', '#', '('])
    }
}

/// A Markdown link to an issue, or around a reference: what it names and how long it is.
fn link(rest: &str) -> Option<(Target, usize)> {
    let inner = rest.strip_prefix('[')?;
    let near = |text: &str, mark: &str| {
        let most = (0..=text.len().min(500)).rev().find(|n| text.is_char_boundary(*n))?;
        text[..most].find(mark)
    };
    let close = near(inner, "](")?;
    let end = near(&inner[close + 2..], ")")?;
    let (label, url) = (&inner[..close], &inner[close + 2..close + 2 + end]);
    let length = 1 + close + 2 + end + 1;
    let url = url.split_whitespace().next().unwrap_or_default();
    if url.starts_with("http") && issue_of_address(url).is_some() {
        return Some((Target::Url(url.to_owned()), length));
    }
    let label = label.trim_matches(is_blank);
    let token = token::read(label, 0).filter(|token| token.target.is_certain() && !token.bare)?;
    Some((token.target, length))
}

/// `(see #99)`: how long a remark in brackets is.
fn remark(rest: &str) -> Option<usize> {
    let end = rest.char_indices().take(200).take_while(|(_, c)| *c != '\n').find(|(_, c)| *c == ')')?;
    Some(end.0 + 1)
}

fn html_tag(rest: &str) -> Option<usize> {
    let inner = rest.strip_prefix('<')?;
    let name = inner.strip_prefix('/').unwrap_or(inner);
    if !name.starts_with(|c: char| c.is_ascii_alphabetic()) || name.starts_with("http") {
        return None;
    }
    let end = inner.bytes().take(40).take_while(|b| *b != b'\n').position(|b| b == b'>')?;
    Some(end + 2)
}

fn starts_with_word(rest: &str, word: &str) -> bool {
    rest.get(..word.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(word))
        && rest[word.len()..].starts_with(|c| is_blank(c) || c == '\n')
}

/// Blanks, emphasis and marks that are not seen.
fn is_blank(c: char) -> bool {
    (c.is_whitespace() && c != '\n')
        || matches!(c, '*' | '_')
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
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
