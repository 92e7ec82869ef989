//! `wf0 schedule show --edges`: what each work waits for, and where that is said.

use std::collections::HashMap;

use super::{Answer, open, schedule};
use crate::error::Result;
use crate::project::Project;
use crate::schedule::{Edge, WorkId};

/// A row is an edge itself.
pub type Row = Edge;

/// Every dependency, by the priority of the work that waits, then by order of creation.
///
/// # Errors
/// No schedule, or it can't be read.
pub fn rows(project: &Project) -> Result<Answer<Vec<Row>>> {
    let (store, notices) = open(project)?;
    let works = schedule(&store)?.works;
    let priority: HashMap<&WorkId, i64> = works.iter().map(|work| (&work.id, work.priority)).collect();
    let mut value = store.edges()?;
    value.sort_by_key(|edge| priority.get(&edge.from).copied());
    Ok(Answer { value, notices })
}
