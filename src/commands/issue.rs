//! `wf0 work new-id`, `references`: what an issue's title and text tell, for scripts that read issues themselves.

use crate::error::{Code, Error, Result};
use crate::project::Project;
use crate::schedule::WorkId;
use crate::schedule::id::quoted;
use crate::schedule::references::{Direction, Patterns, Target};
use crate::sources::identity;

/// The type of a work where none is given.
const KIND: &str = "FEAT";

/// The identifier of the work for an issue: by its number, with or without `#`, or its key at Jira.
///
/// # Errors
/// [`Code::Usage`] where it is neither; [`Code::WorkId`] where the type could never be part of an identifier.
pub fn work_id(number: &str, title: &str, kind: Option<&str>) -> Result<WorkId> {
    let key = number.strip_prefix('#').unwrap_or(number);
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let at_jira = key.rsplit_once('-').is_some_and(|(name, number)| {
        digits(number)
            && name.starts_with(|c: char| c.is_ascii_alphabetic())
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
    });
    if !digits(key) && !at_jira {
        return Err(Error::new(
            Code::Usage,
            format!("{} is no number of an issue", quoted(number)),
            "give it as in 123 or #123, or the key of a ticket as in PROJ-7",
        )
        .with_about(number));
    }
    identity::work_id(kind.unwrap_or(KIND), key, title)
}

/// The references of what an issue with this text waits for: numbers bare, everything else as people write it.
///
/// # Errors
/// The configuration can't be read, or has a pattern that is none.
pub fn references(project: &Project, text: &str) -> Result<Vec<String>> {
    let patterns = Patterns::new(project.config()?.batch.dependency_patterns.as_deref())?;
    let found = patterns.find(text).depends.into_iter();
    let waits = found
        .filter(|it| it.direction == Direction::BlockedBy && it.subject.is_none() && it.target.is_certain());
    Ok(waits
        .map(|it| match it.target {
            Target::Number(number) => number,
            other => other.display(),
        })
        .collect())
}
