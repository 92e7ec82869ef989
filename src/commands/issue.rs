//! `wf0 work new-id`, `references`: what an issue's title and text tell, for scripts that read issues themselves.

use crate::error::Result;
use crate::project::Project;
use crate::schedule::WorkId;
use crate::schedule::references::{Direction, Patterns, Target};
use crate::sources::identity;

/// The type of a work where none is given.
const KIND: &str = "FEAT";

/// The identifier of the work for an issue.
///
/// # Errors
/// [`crate::error::Code::WorkId`] where number or type could never be part of one.
pub fn work_id(number: &str, title: &str, kind: Option<&str>) -> Result<WorkId> {
    identity::work_id(kind.unwrap_or(KIND), number.strip_prefix('#').unwrap_or(number), title)
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
