//! One reference as it is written: `#12`, `owner/name#12`, an address, `PROJ-7`, `FEAT-12-login`.
//!
//! Here it is only read; which work it means is for [`crate::sources::resolve`].

use super::markdown::MASK;

/// What a reference names.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Target {
    /// An issue by its number here: `#12`, `GH-12`, `12`.
    Number(String),
    /// An issue of another repository: `owner/name#12`, `name#12`.
    Elsewhere {
        /// `owner/name`, or only `name`.
        repository: String,
        /// Its number there.
        number: String,
    },
    /// An address.
    Url(String),
    /// A ticket (`PROJ-7`), the identifier of a work, or the beginning of one.
    Name {
        /// As it is written.
        text: String,
        /// Whether it has the form of one. If not (`third-party`), it is a reference only where a work has that name.
        certain: bool,
    },
}

impl Target {
    /// As people write it.
    pub fn display(&self) -> String {
        match self {
            Target::Number(number) => format!("#{number}"),
            Target::Elsewhere { repository, number } => format!("{repository}#{number}"),
            Target::Url(text) | Target::Name { text, .. } => text.clone(),
        }
    }

    /// Whether it can't be anything but a reference.
    pub fn is_certain(&self) -> bool {
        !matches!(self, Target::Name { certain: false, .. })
    }
}

/// A reference that was read, and where it ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// What it names.
    pub target: Target,
    /// Whether it is a number without `#`, which is a reference only in some places.
    pub bare: bool,
    /// Where it ends.
    pub end: usize,
}

/// The longest name, address or repository that is read.
const LONGEST: usize = 300;

/// Reads the reference that begins at `at`.
pub fn read(text: &str, at: usize) -> Option<Token> {
    let rest = text.get(at..)?;
    let first = *rest.as_bytes().first()?;
    if first == b'#' {
        let end = 1 + digits(&rest[1..])?;
        return ends_there(&rest[end..]).then(|| Token {
            target: Target::Number(rest[1..end].to_owned()),
            bare: false,
            end: at + end,
        });
    }
    if !first.is_ascii_alphanumeric() {
        return None;
    }
    if let Some(address) = address(rest) {
        return Some(Token { target: Target::Url(address.to_owned()), bare: false, end: at + address.len() });
    }
    let length = rest.bytes().take(LONGEST).take_while(|b| is_name(*b)).count();
    let after = &rest[length..];
    if let Some(elsewhere) = elsewhere(rest, length) {
        return Some(Token { end: at + elsewhere.end, ..elsewhere });
    }
    let name = rest[..length].trim_end_matches(['.', '-', '_']);
    let trimmed = name.len() < length;
    if length == LONGEST || (!trimmed && !ends_there(after)) || after.starts_with(['/', '@', '\\']) {
        return None;
    }
    // `#12.` ends a sentence, `1.5` is a number of another kind.
    let (target, bare) = classify(name)?;
    Some(Token { target, bare, end: at + name.len() })
}

fn classify(name: &str) -> Option<(Target, bool)> {
    if name.bytes().all(|b| b.is_ascii_digit()) {
        return (name.len() <= 18).then(|| (Target::Number(name.to_owned()), true));
    }
    let parts: Vec<&str> = name.split('-').collect();
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    if let ["gh" | "GH" | "Gh", number] = parts.as_slice()
        && is_number(number)
    {
        return Some((Target::Number((*number).to_owned()), false));
    }
    let begins = parts[0].bytes().next().is_some_and(|b| b.is_ascii_alphabetic());
    let whole = parts[0].bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    let certain = begins && whole && parts.iter().skip(1).take(2).any(|part| is_number(part));
    let like_an_id = certain || name.contains(['-', '_']) || name.bytes().any(|b| b.is_ascii_digit());
    like_an_id.then(|| (Target::Name { text: name.to_owned(), certain }, false))
}

/// `name#12` or `owner/name#12`, where the first name is `length` long.
fn elsewhere(rest: &str, length: usize) -> Option<Token> {
    let mut repository = length;
    if rest[length..].starts_with('/') {
        let more = rest[length + 1..].bytes().take(LONGEST).take_while(|b| is_name(*b)).count();
        if more == 0 {
            return None;
        }
        repository = length + 1 + more;
    }
    let number = rest[repository..].strip_prefix('#')?;
    let count = digits(number)?;
    let end = repository + 1 + count;
    ends_there(&rest[end..]).then(|| Token {
        target: Target::Elsewhere {
            repository: rest[..repository].to_owned(),
            number: number[..count].to_owned(),
        },
        bare: false,
        end,
    })
}

fn address(rest: &str) -> Option<&str> {
    let scheme = ["https://", "http://"]
        .into_iter()
        .find(|it| rest.get(..it.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(it)))?;
    let stops = |c: char| {
        c.is_whitespace()
            || c.is_control()
            || matches!(c, '<' | '>' | '"' | '\'' | '`' | '|' | ')' | ']' | '*')
    };
    let end = rest
        .char_indices()
        .take(2000)
        .find(|(_, c)| stops(*c))
        .map_or_else(|| rest.char_indices().nth(2000).map_or(rest.len(), |(at, _)| at), |(at, _)| at);
    let address = rest[..end].trim_end_matches(['.', ',', ';', ':', '!', '?', '_', '~']);
    (address.len() > scheme.len()).then_some(address)
}

fn digits(text: &str) -> Option<usize> {
    let count = text.bytes().take(19).take_while(u8::is_ascii_digit).count();
    (1..=18).contains(&count).then_some(count)
}

fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-')
}

/// Whether what follows is not part of the same word.
fn ends_there(after: &str) -> bool {
    let mut next = after.chars();
    match next.next() {
        // `#12_` ends emphasis, `#12_a` is another word.
        Some('_') => !next.next().is_some_and(char::is_alphanumeric),
        Some('.') => !next.next().is_some_and(|c| c.is_ascii_digit()),
        Some(c) => !c.is_alphanumeric() && c != '#' && c != char::from(MASK),
        None => true,
    }
}

/// The repository (`owner/name`) and number of an issue's address, as GitHub and its like write it.
pub fn issue_of_address(url: &str) -> Option<(String, String)> {
    let rest = url.split_once("://")?.1;
    let path = rest.split(['?', '#']).next()?;
    match path.trim_end_matches('/').split('/').collect::<Vec<_>>().as_slice() {
        [_, owner, name, "issues" | "pull", number] if digits(number) == Some(number.len()) => {
            Some((format!("{owner}/{name}"), (*number).to_owned()))
        }
        _ => None,
    }
}

/// Every reference of a text, whatever stands around it, with where it begins.
pub(super) fn all(text: &str) -> Vec<(usize, Token)> {
    let mut all = Vec::new();
    let mut at = 0;
    let mut word = false;
    while let Some(c) = text[at..].chars().next() {
        let token = (!word).then(|| read(text, at)).flatten();
        match token {
            Some(token) => {
                let end = token.end;
                all.push((at, token));
                at = end;
                word = text[..at].ends_with(|c: char| c.is_alphanumeric());
            }
            None => {
                at += c.len_utf8();
                word = c.is_alphanumeric() || matches!(c, '_' | '/' | '&' | '#' | '-' | '.' | '@' | '\\');
            }
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_form_is_read_to_its_end_and_no_further() {
        for (text, expected, end) in [
            ("#12, x", "#12", 3),
            ("#12.", "#12", 3),
            ("#12_", "#12", 3),
            ("GH-12", "#12", 5),
            ("12 x", "#12", 2),
            ("owner/name#12)", "owner/name#12", 13),
            ("name#12", "name#12", 7),
            ("PROJ-7.", "PROJ-7", 6),
            ("FEAT-12-log-in, x", "FEAT-12-log-in", 14),
            ("JIRA-AB-12-x", "JIRA-AB-12-x", 12),
            ("https://x.y/o/r/issues/3.", "https://x.y/o/r/issues/3", 24),
        ] {
            let token = read(text, 0).unwrap_or_else(|| panic!("{text}"));
            assert_eq!((token.target.display().as_str(), token.end), (expected, end), "{text}");
            assert!(token.target.is_certain(), "{text}");
        }
        for text in [
            "#",
            "#x",
            "#12a",
            "#12_a",
            "##12",
            "#1.5",
            "1.5",
            "12a/b",
            "a/b",
            "(#1",
            "",
            "x",
            "#1234567890123456789",
        ] {
            assert!(read(text, 0).is_none_or(|token| !token.target.is_certain()), "{text}");
        }
        assert!(!read("third-party", 0).unwrap().target.is_certain());
        assert!(!read("x86", 0).unwrap().target.is_certain());
    }

    #[test]
    fn the_address_of_an_issue_names_its_repository() {
        let of = |url| issue_of_address(url);
        assert_eq!(of("https://github.com/o/r/issues/3#c"), Some(("o/r".into(), "3".into())));
        assert_eq!(of("https://ghe.example/o/r/pull/3/"), Some(("o/r".into(), "3".into())));
        assert_eq!(of("https://example.com/3"), None);
        assert_eq!(of("https://github.com/o/r/issues/new"), None);
    }
}
