//! A dependency with what it was made from, so that people can see why one work waits for another.

use serde::Serialize;

use super::WorkId;

super::state::words! {
    /// Where a dependency comes from.
    Origin {
        /// The tracker itself says so.
        Native = "native",
        /// A line of the text says so.
        Text = "text",
        /// The list, the schedule or the front matter that the work was read from says so.
        Config = "config",
        /// Somebody edited it by hand.
        Manual = "manual",
    }
}

super::state::words! {
    /// What a dependency leads to.
    Resolved {
        /// A work of this schedule.
        Work = "work",
        /// An issue that is closed: nothing waits for it.
        Closed = "closed",
        /// An issue outside of this schedule: the work is blocked until somebody decides.
        External = "external",
        /// Nothing that is known here: the work is blocked until somebody decides.
        Unknown = "unknown",
    }
}

/// `from` waits for `to`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Edge {
    /// The work that waits.
    pub from: WorkId,
    /// What it waits for: a work, or the name that an issue outside of the schedule goes by.
    pub to: WorkId,
    /// Where this comes from.
    pub origin: Origin,
    /// The line it was read from.
    pub text: Option<String>,
    /// What it leads to.
    pub resolved: Resolved,
}

impl Edge {
    /// A dependency that somebody wrote by hand.
    pub fn by_hand(from: WorkId, to: WorkId) -> Edge {
        Edge { from, to, origin: Origin::Manual, text: None, resolved: Resolved::Unknown }
    }
}
