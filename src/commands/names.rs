//! The works there are, for completions: read only, and as little of them as is shown.

use crate::error::Result;
use crate::project::Project;
use crate::schedule::{State, WorkId};
use crate::store::Store;
use crate::store::folder::Folder;

/// A work as somebody who types sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name {
    /// The work.
    pub work_id: WorkId,
    /// Where it stands.
    pub state: State,
    /// One line, from its source.
    pub title: Option<String>,
    /// Whether anything has been run for it.
    pub has_run: bool,
}

/// All works, in order of creation; none where there is no schedule. Takes in no edit: that is for whoever acts.
///
/// # Errors
/// The store can't be read.
pub fn names(project: &Project) -> Result<Vec<Name>> {
    if !Folder::at(&project.engine_folder()?).database().exists() {
        return Ok(Vec::new());
    }
    let Some(schedule) = Store::open(project)?.schedule()? else { return Ok(Vec::new()) };
    let states = schedule.states(&schedule.graph());
    let name = |(work, (state, _)): (crate::store::works::Work, (State, Option<String>))| Name {
        state,
        title: work.source.title,
        has_run: work.started_at.is_some(),
        work_id: work.id,
    };
    Ok(schedule.works.into_iter().zip(states).map(name).collect())
}
