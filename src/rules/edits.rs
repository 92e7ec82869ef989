//! What somebody changed in schedule.json, found by comparing three versions, and what may be taken in of it.
//!
//! The base is what was published when the writer read the file, whatever has been published since: so an edit of
//! one work never takes back what happened to another in the meantime.

use std::collections::{HashMap, HashSet};

use super::transitions::Change;
use crate::schedule::{Document, ScheduleStatus, Status, WorkId, WorkRecord};

/// What of a work others may change, as it was published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    /// Its status.
    pub status: Status,
    /// Its priority.
    pub priority: i64,
    /// Its dependencies.
    pub dependencies: Vec<WorkId>,
}

/// One change that somebody asks for by editing the file.
#[derive(Debug, Clone, PartialEq)]
pub enum Edit {
    /// The whole schedule: only running and paused can be written.
    Schedule(ScheduleStatus),
    /// A work's status.
    Status(WorkId, Status),
    /// A work's priority.
    Priority(WorkId, i64),
    /// A work's dependencies.
    Dependencies(WorkId, Vec<WorkId>),
    /// A new work.
    Added(WorkId, Box<WorkRecord>),
    /// A work that is gone from the file.
    Removed(WorkId),
}

/// Finds what `incoming` changes against `base`. Works that appeared in the store after the base are not missing
/// from the file: its writer has never seen them (`now` tells which there are).
///
/// Without `statuses` (the writer's base is not known) no status is looked at.
pub fn find(
    base: &HashMap<WorkId, Published>,
    base_status: ScheduleStatus,
    incoming: &Document,
    statuses: bool,
) -> Vec<Edit> {
    let mut edits = Vec::new();
    for (id, work) in &incoming.works {
        let Some(was) = base.get(id) else {
            edits.push(Edit::Added(id.clone(), Box::new(work.clone())));
            continue;
        };
        if work.priority.is_some_and(|priority| priority != was.priority) {
            edits.push(Edit::Priority(id.clone(), work.priority.unwrap_or(was.priority)));
        }
        if !same_set(&work.dependencies, &was.dependencies) {
            edits.push(Edit::Dependencies(id.clone(), work.dependencies.clone()));
        }
        if statuses && work.status != was.status {
            edits.push(Edit::Status(id.clone(), work.status));
        }
    }
    let mut gone: Vec<&WorkId> = base.keys().filter(|id| !incoming.works.contains_key(*id)).collect();
    gone.sort();
    edits.extend(gone.into_iter().map(|id| Edit::Removed(id.clone())));
    if statuses && incoming.status != base_status {
        edits.push(Edit::Schedule(incoming.status));
    }
    edits
}

fn same_set(a: &[WorkId], b: &[WorkId]) -> bool {
    a.len() == b.len() && a.iter().collect::<HashSet<_>>() == b.iter().collect::<HashSet<_>>()
}

/// What is to be done about a status somebody wrote, given the status the work has now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StatusAnswer {
    /// It is so already.
    Same,
    /// Apply this change.
    Apply(Change),
    /// Not possible, for this reason.
    Refuse(&'static str),
}

/// The table of what may be written into a work's `status`. `held` says whether a live runner has the work.
pub fn status(now: Status, wanted: Status, held: bool) -> StatusAnswer {
    use StatusAnswer::*;
    match (now, wanted) {
        _ if now == wanted => Same,
        (Status::Running, Status::Pending) if !held => Apply(Change::Returned),
        (Status::Running, Status::Failed) if !held => Apply(Change::Failed),
        (Status::Running, _) => Refuse("it runs; `wf0 batch stop ID` ends it"),
        (Status::Failed | Status::Completed, Status::Pending) => Apply(Change::Reopened),
        (Status::Pending | Status::Failed, Status::Completed) => Apply(Change::Declared),
        (_, Status::Running) => Refuse("only a worker makes a work running"),
        (_, Status::Failed) => Refuse("a work fails only by running"),
        (Status::Completed, Status::Completed) | (Status::Pending, Status::Pending) => Same,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(text: &str) -> WorkId {
        WorkId::new(text).unwrap()
    }

    fn base() -> HashMap<WorkId, Published> {
        let work = |status, dependencies: &[&str]| Published {
            status,
            priority: 1,
            dependencies: dependencies.iter().map(|d| id(d)).collect(),
        };
        HashMap::from([(id("A"), work(Status::Pending, &[])), (id("B"), work(Status::Failed, &["A"]))])
    }

    fn edits(text: &str, statuses: bool) -> Vec<Edit> {
        let document = Document::parse("x", text.as_bytes()).unwrap();
        find(&base(), ScheduleStatus::Running, &document, statuses)
    }

    #[test]
    fn an_unchanged_copy_asks_for_nothing_whatever_happened_since() {
        let same =
            r#"{"status": "running", "works": {"A": {}, "B": {"status": "failed", "dependencies": ["A"]}}}"#;
        assert!(edits(same, true).is_empty());
    }

    #[test]
    fn each_difference_is_one_edit() {
        let text = r#"{"status": "paused", "works": {"B": {"priority": 7}, "C": {}}}"#;
        let found = edits(text, true);
        assert!(found.contains(&Edit::Priority(id("B"), 7)));
        assert!(found.contains(&Edit::Dependencies(id("B"), vec![])));
        assert!(found.contains(&Edit::Status(id("B"), Status::Pending)));
        assert!(found.contains(&Edit::Removed(id("A"))));
        assert!(found.iter().any(|edit| matches!(edit, Edit::Added(it, _) if *it == id("C"))));
        assert!(found.contains(&Edit::Schedule(ScheduleStatus::Paused)));
        let without = edits(text, false);
        assert!(!without.iter().any(|edit| matches!(edit, Edit::Status(..) | Edit::Schedule(_))));
    }

    #[test]
    fn a_work_in_live_hands_is_not_taken_away_by_an_edit() {
        for wanted in [Status::Pending, Status::Failed, Status::Completed] {
            assert!(matches!(status(Status::Running, wanted, true), StatusAnswer::Refuse(_)));
        }
        assert_eq!(status(Status::Running, Status::Pending, false), StatusAnswer::Apply(Change::Returned));
        assert!(matches!(status(Status::Pending, Status::Running, false), StatusAnswer::Refuse(_)));
    }
}
