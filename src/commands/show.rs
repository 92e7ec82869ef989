//! `wf0 schedule show`: the works by priority.

use serde::Serialize;

use super::{Answer, open, schedule};
use crate::error::Result;
use crate::project::Project;
use crate::schedule::{Source, Status, WorkId};
use crate::store::works::Work;

/// One work.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Row {
    /// The work.
    pub work_id: WorkId,
    /// Lower runs first.
    pub priority: i64,
    /// How far it is.
    pub status: Status,
    /// What must be completed before.
    pub dependencies: Vec<WorkId>,
    /// Where it comes from.
    pub source: Source,
    /// Its title.
    pub title: Option<String>,
}

/// The works by priority, then by order of creation.
///
/// # Errors
/// No schedule, or it can't be read.
pub fn rows(project: &Project) -> Result<Answer<Vec<Row>>> {
    let (store, notices) = open(project)?;
    Ok(Answer { value: of(schedule(&store)?.works), notices })
}

/// Works as rows, by priority.
pub(super) fn of(works: Vec<Work>) -> Vec<Row> {
    let mut rows: Vec<Row> = works
        .into_iter()
        .map(|work| Row {
            work_id: work.id,
            priority: work.priority,
            status: work.status,
            dependencies: work.dependencies,
            title: work.source.title.clone(),
            source: work.source,
        })
        .collect();
    rows.sort_by_key(|row| row.priority);
    rows
}
