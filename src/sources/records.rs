//! What sources give before it is known how it hangs together: issues, and works that name themselves.

use crate::schedule::{WorkId, WorkRecord};

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

/// One thing that a source gives.
#[derive(Debug, Clone, PartialEq)]
pub enum Item {
    /// An issue, of which a work is to be made.
    Issue(Box<Issue>),
    /// A work.
    Listed(Box<Listed>),
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
