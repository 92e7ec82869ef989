//! The list of references that follows the words of a dependency, read from left to right.

use super::token::{self, Target, Token, issue_of_address};

/// Words of nothing but an announcement.
const ANNOUNCING: [&str; 13] = [
    "the",
    "these",
    "those",
    "all",
    "of",
    "following",
    "issue",
    "issues",
    "ticket",
    "tickets",
    "tasks",
    "works",
    "work",
];

/// A list of references, read from left to right.
pub struct List<'a> {
    text: &'a str,
    /// How far it is read.
    pub at: usize,
    /// A colon, or what stands for one, came first.
    pub label: bool,
    /// Numbers without `#` count.
    pub numbers: bool,
    /// A dash came first, as in `Dependencies - #1`.
    pub dash: bool,
    /// Lines of nothing but references go on with the list.
    lines: bool,
    /// So do lines that begin with one: `#1 the base`.
    titled: bool,
    /// Brackets that are open around it.
    brackets: u8,
}

impl<'a> List<'a> {
    pub fn new(text: &'a str, at: usize) -> List<'a> {
        List { text, at, label: false, numbers: false, dash: false, lines: false, titled: false, brackets: 0 }
    }

    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn next(&self) -> Option<char> {
        self.rest().chars().next()
    }

    pub fn is_over(&self) -> bool {
        self.rest().chars().all(|c| is_blank(c) || c == '\n')
    }

    pub fn ends_sentence(&self) -> bool {
        let rest = self.rest().trim_start_matches(|c| is_blank(c) || c == ')');
        rest.is_empty() || rest.starts_with(['\n', '.', '!'])
    }

    /// Goes over blanks and emphasis; says whether a line ended.
    pub fn skip_blanks(&mut self, lines: bool) -> bool {
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
    pub fn opening(&mut self) {
        let mut ended = self.skip_blanks(true);
        self.announced();
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
                self.dash = true;
            }
        }
        self.lines = ended || self.label;
        self.titled = ended && self.label;
        self.numbers = self.label;
        self.fillers();
        self.open_brackets("([<");
    }

    /// Goes over what may stand before a colon: `the following issues:`, `(hard):`.
    fn announced(&mut self) {
        let rest = self.rest();
        let words = match remark(rest).filter(|_| rest.starts_with('(')) {
            Some(end) => end,
            None => {
                let length =
                    rest.bytes().take(40).take_while(|b| b.is_ascii_alphabetic() || *b == b' ').count();
                let mut words = rest[..length].split(' ').filter(|word| !word.is_empty());
                let all = words.all(|word| ANNOUNCING.iter().any(|known| known.eq_ignore_ascii_case(word)));
                if all { length } else { 0 }
            }
        };
        if rest[words..].trim_start_matches(is_blank).starts_with(':') {
            self.at += words;
            self.skip_blanks(false);
        }
    }

    /// What follows stands below words that announce it.
    pub fn under_label(&mut self) {
        (self.lines, self.titled) = (true, true);
    }

    /// Whether the issue itself is named next: `this`, `this issue`.
    pub fn means_this(&self) -> bool {
        let rest = self.rest().trim_start_matches(is_blank);
        rest.get(..4).is_some_and(|word| word.eq_ignore_ascii_case("this"))
            && !rest[4..].starts_with(char::is_alphanumeric)
    }

    fn open_brackets(&mut self, which: &str) {
        while self.next().is_some_and(|c| which.contains(c)) && link(self.rest()).is_none() {
            self.at += 1;
            self.brackets = self.brackets.saturating_add(1);
            self.skip_blanks(false);
        }
    }

    /// Goes over `the`, `both`, `issue` and their like.
    pub fn fillers(&mut self) {
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

    /// Reads the references, each with where it stands. `at` is behind the last of them afterwards.
    pub fn read(&mut self) -> Vec<(Target, usize)> {
        let (mut targets, mut reached) = (Vec::new(), None);
        let Some(mut certain) = self.one(&mut targets) else { return targets };
        loop {
            let back = self.at;
            let ended = self.skip_blanks(self.lines);
            let separated = self.separators();
            let goes_on = separated
                || (certain
                    && self.is_clear()
                    && (!ended || self.rest_of_line_is_a_list() || (self.titled && !self.line_is_prose())));
            match goes_on.then(|| self.one(&mut targets)).flatten() {
                Some(next) => certain = next,
                None => {
                    self.at = back;
                    let jumped = (self.label && self.next_after_remark())
                        || (certain && self.titled && self.next_after_title());
                    // Twice to one place would be for ever.
                    if !jumped || reached.replace(self.at) == Some(self.at) {
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
    fn one(&mut self, targets: &mut Vec<(Target, usize)>) -> Option<bool> {
        self.open_brackets("[<");
        let begin = self.at;
        if let Some((target, length)) = link(self.rest()) {
            self.at += length;
            targets.push((target, begin));
            return Some(true);
        }
        let Token { target, bare, end } = token::read(self.text, self.at)?;
        if bare && !(self.numbers && self.number_ends(end)) {
            return None;
        }
        self.at = end;
        let certain = target.is_certain();
        targets.push((target, begin));
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
        const WORDS: [&str; 5] = ["and", "or", "and/or", "plus", "as well as"];
        const MORE: [&str; 3] = ["also", "on", "by"];
        let mut separated = false;
        loop {
            let rest = self.rest();
            let Some(c) = rest.chars().next() else { return separated };
            if matches!(c, ',' | ';' | '、' | '，' | '；' | '/' | '&' | '+') {
                self.at += c.len_utf8();
                separated = true;
                self.skip_blanks(true);
            } else if let Some(length) = range_mark(rest) {
                self.at += length;
                separated = true;
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

    /// In `#1 the base` on a line of its own, goes on to the next line where that begins with a reference, too.
    fn next_after_title(&mut self) -> bool {
        let Some((title, next)) = self.rest().split_once('\n') else { return false };
        if title.len() > 200 || is_prose(title) {
            return false;
        }
        let (back, next) = (self.at, self.text.len() - next.len());
        self.at = next;
        let begins = self.is_clear() && !self.line_is_prose();
        // Stands before the line's end again, so that the loop reads it as one.
        self.at = if begins { next - 1 } else { back };
        begins
    }

    /// Whether a sentence begins with the reference here: `#5 is another matter`.
    fn line_is_prose(&self) -> bool {
        let line = self.rest().split('\n').next().unwrap_or_default();
        token::read(line, 0).is_some_and(|token| is_prose(&line[token.end..]))
    }

    /// Whether nothing but references stands on this line.
    fn rest_of_line_is_a_list(&self) -> bool {
        let line = self.rest().split('\n').next().unwrap_or_default();
        let Some(token) = token::read(line, 0) else { return link(line).is_some() };
        let after = line[token.end..].trim_start_matches(is_blank);
        after.is_empty() || after.starts_with([',', ';', '#', '('])
    }
}

/// Whether a text begins with a reference that is nothing else.
pub fn begins_with_reference(text: &str) -> bool {
    let mut list = List::new(text, 0);
    list.skip_blanks(true);
    list.fillers();
    list.open_brackets("[<");
    list.is_clear()
}

/// What stands between the ends of `#1-#3` or `#1 to #3`: how long it is.
fn range_mark(rest: &str) -> Option<usize> {
    let stands = |mark: &str| rest.strip_prefix(mark).is_some_and(|after| after.starts_with('#'));
    ["-", "–", "—", "..", "...", "to ", "through "].into_iter().find(|mark| stands(mark)).map(str::len)
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

/// Whether what follows a reference makes a sentence of it, and no title.
fn is_prose(after: &str) -> bool {
    const VERBS: [&str; 12] =
        ["is", "are", "was", "were", "has", "have", "had", "will", "would", "should", "can", "must"];
    let word = after.trim_start_matches(is_blank).split(is_blank).next().unwrap_or_default();
    VERBS.iter().any(|verb| verb.eq_ignore_ascii_case(word))
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
pub fn is_blank(c: char) -> bool {
    (c.is_whitespace() && c != '\n')
        || matches!(c, '*' | '_')
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}
