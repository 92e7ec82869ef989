//! An issue as a tracker gives it, before it becomes a work: what GitHub, Jira and a piped list of issues have in common.

use crate::schedule::SourceType;

/// An issue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issue {
    /// Which kind of tracker it lies in.
    pub tracker: SourceType,
    /// Its name there: `123` at GitHub, `ABC-123` at Jira.
    pub key: String,
    /// `owner/name` at GitHub, where it is known.
    pub repository: Option<String>,
    /// One line; as hostile as whoever wrote it.
    pub title: String,
    /// Plain text or Markdown; as hostile as whoever wrote it.
    pub body: String,
    /// Labels, and at Jira the type of the issue as well.
    pub labels: Vec<String>,
    /// Whether it is done.
    pub closed: bool,
    /// Where people read it.
    pub url: Option<String>,
    /// The priority that the tracker gives it; lower runs first.
    pub priority: Option<i64>,
    /// What the tracker itself says blocks it.
    pub blocked_by: Vec<Link>,
    /// What the tracker itself says it blocks.
    pub blocks: Vec<Link>,
}

/// Another issue that an issue is linked to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// Its name.
    pub key: String,
    /// `owner/name` where it lies in another repository than the issue itself.
    pub repository: Option<String>,
    /// Whether it is done; nothing where the tracker doesn't say.
    pub closed: Option<bool>,
}
