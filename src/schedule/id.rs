//! Names of works, and of what belongs to a work: branch and worktree folder.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::error::{Code, Error, Result};

/// The identifier of a work, `FEAT-123-auth`.
///
/// 1 to 100 characters of `A–Z a–z 0–9 . _ -`, the first a letter or digit, no `..`, no final `.lock` or `.`:
/// it becomes part of branch and folder names.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct WorkId(String);

impl WorkId {
    /// Longest identifier, in characters.
    pub const MAX: usize = 100;

    /// Checks `text` and makes an identifier of it.
    ///
    /// # Errors
    /// [`Code::WorkId`], naming the identifier (shortened, control characters escaped) and the rule it breaks.
    pub fn new(text: impl Into<String>) -> Result<Self> {
        let text = text.into();
        match fault(&text) {
            None => Ok(WorkId(text)),
            Some(why) => Err(Error::new(
                Code::WorkId,
                format!("{} cannot name a work: {why}", quoted(&text)),
                "use 1 to 100 letters, digits, '.', '_' and '-', beginning with a letter or digit, as in FEAT-123-auth",
            )
            .with_about(text)),
        }
    }

    /// The identifier as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn fault(text: &str) -> Option<String> {
    let Some(first) = text.chars().next() else { return Some("it is empty".into()) };
    if let Some(bad) = text.chars().find(|c| !(c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-'))) {
        return Some(format!("it contains {}", quoted(&bad.to_string())));
    }
    if text.len() > WorkId::MAX {
        return Some(format!("it has {} characters", text.len()));
    }
    if !first.is_ascii_alphanumeric() {
        return Some(format!("it begins with '{first}'"));
    }
    if text.contains("..") {
        return Some("it contains '..'".into());
    }
    if text.ends_with(".lock") || text.ends_with('.') {
        return Some("it ends in '.lock' or '.'".into());
    }
    let rest = text.split_once('-').map_or("", |(_, rest)| rest);
    rest.starts_with('.').then(|| "its branch would begin with '.'".into())
}

/// Text for a message: in quotes, control characters escaped, 60 characters at most.
pub fn quoted(text: &str) -> String {
    let mut out = String::from("'");
    for (n, c) in text.chars().enumerate() {
        if n == 60 {
            out.push('…');
            break;
        }
        if c.is_control() || is_direction_mark(c) {
            out.extend(c.escape_default());
        } else {
            out.push(c);
        }
    }
    out.push('\'');
    out
}

/// So many of something, as people say it: `1 work`, `2 works`.
pub fn count(number: usize, of: &str) -> String {
    format!("{number} {of}{}", if number == 1 { "" } else { "s" })
}

/// `text` without what could move a terminal's cursor, colour it or reorder its letters; line ends become spaces.
pub fn printable(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_whitespace() { ' ' } else { c })
        .filter(|c| !c.is_control() && !is_direction_mark(*c))
        .collect()
}

fn is_direction_mark(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

impl fmt::Display for WorkId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl AsRef<str> for WorkId {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl std::borrow::Borrow<str> for WorkId {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl std::str::FromStr for WorkId {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self> {
        WorkId::new(text)
    }
}

impl Serialize for WorkId {
    fn serialize<S: Serializer>(&self, to: S) -> std::result::Result<S::Ok, S::Error> {
        to.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for WorkId {
    fn deserialize<D: Deserializer<'de>>(from: D) -> std::result::Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        WorkId::new(text).map_err(serde::de::Error::custom)
    }
}

/// The number of a worker's slot, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct WorkerNumber(u32);

impl WorkerNumber {
    /// Highest number of a slot.
    pub const MAX: u32 = 9999;

    /// From a number, 1 to [`WorkerNumber::MAX`].
    ///
    /// # Errors
    /// [`Code::Usage`] outside that range.
    pub fn new(number: u32) -> Result<Self> {
        if (1..=Self::MAX).contains(&number) {
            Ok(WorkerNumber(number))
        } else {
            Err(Self::refused(&number.to_string()))
        }
    }

    /// Reads `3` only.
    ///
    /// # Errors
    /// [`Code::Usage`].
    pub fn from_digits(text: &str) -> Result<Self> {
        let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        let number = text.parse::<u32>().ok().filter(|_| digits);
        number.ok_or_else(|| Self::refused(text)).and_then(Self::new).map_err(|_| Self::refused(text))
    }

    /// The number itself.
    pub fn get(self) -> u32 {
        self.0
    }

    fn refused(text: &str) -> Error {
        Error::new(
            Code::Usage,
            format!("Invalid worker number: {}", quoted(text).trim_matches('\'')),
            format!("give a number from 1 to {}", Self::MAX),
        )
        .with_about(text)
    }
}

impl std::str::FromStr for WorkerNumber {
    type Err = Error;
    /// Reads `3` and `worker-3`.
    fn from_str(text: &str) -> Result<Self> {
        Self::from_digits(text.strip_prefix("worker-").unwrap_or(text)).map_err(|_| Self::refused(text))
    }
}

impl fmt::Display for WorkerNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "worker-{}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_that_cannot_be_branches_or_folders_are_refused() {
        for good in ["A", "FEAT-123-auth", "a.b_c-d", "9", "FEAT--x", &"x".repeat(100)] {
            assert!(WorkId::new(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "../x",
            "a/b",
            "a b",
            "a\nb",
            "a\"b",
            "a'b",
            "-a",
            ".a",
            "a..b",
            "a.lock",
            "a.",
            "FEAT-.x",
            "é",
            &"x".repeat(101),
            &"x".repeat(1 << 20),
        ] {
            let error = WorkId::new(bad).unwrap_err();
            assert_eq!(error.code(), Code::WorkId);
            assert!(error.what().len() < 300, "the message stays short");
            assert!(!error.what().contains('\n'));
        }
    }

    #[test]
    fn worker_numbers_read_both_ways() {
        assert_eq!("worker-3".parse::<WorkerNumber>().unwrap().get(), 3);
        assert_eq!("12".parse::<WorkerNumber>().unwrap().to_string(), "worker-12");
        for bad in ["", "0", "-1", "+1", "x", "worker-", "99999999999999999999", "1.5"] {
            assert!(bad.parse::<WorkerNumber>().is_err(), "{bad}");
        }
    }
}
