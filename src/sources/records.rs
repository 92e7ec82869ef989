//! What sources give before it is known how it hangs together: issues, and works that name themselves.

use serde_json::{Map, Value};

use crate::schedule::{Source, WorkId, WorkRecord};

use super::issue::Issue;

/// A work that names itself: a record of a list, a work of a schedule, a name on the command line.
#[derive(Debug, Clone, PartialEq)]
pub struct Listed {
    /// Its identifier.
    pub id: WorkId,
    /// The work; its dependencies are identifiers, taken as they are.
    pub work: WorkRecord,
    /// What else it depends on, as it is written: `#12`, `PROJ-7`, a work's identifier or the beginning of one.
    pub depends: Vec<String>,
}

/// A work of the schedule that is there, which the sources may speak of again.
#[derive(Debug, Clone, PartialEq)]
pub struct Known {
    /// Its identifier, which it keeps.
    pub id: WorkId,
    /// Where it came from.
    pub source: Source,
    /// What its issue means to it.
    pub follows: Follows,
}

/// What the issue of a work that is there means to the work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Follows {
    /// Once the issue is closed, the work is done.
    Issue,
    /// The issue was closed before it was done here, so it counts as done until the issue is open again.
    Closed,
    /// Nothing: it was done here, or somebody took it up again though the issue is closed.
    Nothing,
}

/// One thing that a source gives.
#[derive(Debug, Clone, PartialEq)]
pub enum Item {
    /// An issue, of which a work is to be made.
    Issue(Box<Issue>),
    /// A work.
    Listed(Box<Listed>),
    /// A work that is there already.
    Known(Box<Known>),
}

impl Item {
    /// What a list says of a work and wf0 does not know.
    pub fn extra(&self) -> Option<&Map<String, Value>> {
        match self {
            Item::Listed(listed) => Some(&listed.work.extra),
            Item::Issue(_) | Item::Known(_) => None,
        }
    }
}

impl From<Issue> for Item {
    fn from(issue: Issue) -> Item {
        Item::Issue(Box::new(issue))
    }
}

impl From<Listed> for Item {
    fn from(listed: Listed) -> Item {
        Item::Listed(Box::new(listed))
    }
}

impl From<Known> for Item {
    fn from(known: Known) -> Item {
        Item::Known(Box::new(known))
    }
}
