//! `wf0 batch start --dry-run`: what would run, in what order. Changes nothing at all: no file, no branch, no process.

use serde::Serialize;

use super::{Answer, preflight};
use crate::agent;
use crate::error::Result;
use crate::project::Project;
use crate::schedule::plan::plan;
use crate::schedule::{Document, WorkId, naming};
use crate::store::Store;
use crate::store::content::read_document;
use crate::store::create::Checked;
use crate::store::intake::in_file;
use crate::store::works::{Schedule, no_schedule};

/// One work that would run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Row {
    /// From 1: when it would be given to a worker.
    pub order: u32,
    /// From 1: works of one wave could run side by side.
    pub wave: u32,
    /// The work.
    pub work_id: WorkId,
    /// Lower runs first.
    pub priority: i64,
    /// What must be completed before.
    pub dependencies: Vec<WorkId>,
    /// Whether it lies on the longest chain.
    pub critical: bool,
    /// Its branch; none where works run in the project root.
    pub branch: Option<String>,
    /// What the branch starts from: a branch, or the base with those that are merged into it.
    pub base: Option<String>,
    /// Its worktree, relative to the root.
    pub worktree: String,
    /// The phases it would go through.
    pub phases: Vec<String>,
}

/// The plan for so many workers.
///
/// # Errors
/// No schedule, a schedule.json that breaks the form, or anything that would keep `start` from starting.
pub fn rows(project: &Project, parallel: Option<u32>) -> Result<Answer<Vec<Row>>> {
    let config = project.config()?;
    let schedule = look(project)?;
    let ready = preflight::check_place(project, &config, &schedule)?;
    let missing = agent::check_installed(&agent::phases(&config)?).err();
    let missing = missing.map(|error| format!("{}: `start` would refuse; {}", error.what(), error.hint()));
    let (workers, warning) = preflight::workers(&config, parallel);
    let base = ready.base.as_ref().map(|base| base.name.as_str());
    let root = &config.worktree.root_dir;
    let branch_of = |id: &WorkId| naming::branch(id, &config.branch_prefix);
    let rows =
        (1..).zip(plan(&schedule.graph(), &schedule.candidates(), workers as usize)).map(|(order, step)| {
            let work = &schedule.works[step.work];
            let branch = branch_of(&work.id);
            Row {
                order,
                wave: step.wave,
                work_id: work.id.clone(),
                priority: work.priority,
                dependencies: work.dependencies.clone(),
                critical: step.critical,
                base: base.map(|base| match work.dependencies.as_slice() {
                    [] => base.to_owned(),
                    [one] => branch_of(one),
                    many => {
                        let merged: Vec<String> = many.iter().map(branch_of).collect();
                        format!("{base} + {}", merged.join(" + "))
                    }
                }),
                worktree: if base.is_some() {
                    format!("{root}/{}", naming::folder(&branch))
                } else {
                    ".".to_owned()
                },
                branch: base.map(|_| branch),
                phases: ready.phases.clone(),
            }
        });
    let value = rows.collect();
    let notices =
        warning.into_iter().chain(missing).chain(preflight::parallel_warning(&config, workers)).collect();
    Ok(Answer { value, notices })
}

/// The schedule as it would be after taking in what stands in the file, without taking it in.
pub(super) fn look(project: &Project) -> Result<Schedule> {
    let store = Store::look(project)?;
    let path = project.schedule_file();
    let text = read_document(&path)?;
    let known = match &store {
        Some(store) => store.schedule()?,
        None => None,
    };
    let Some(text) = text else {
        // Deleted while nothing runs is as good as cleared; otherwise it would be published again.
        return known.filter(|it| !it.runs.is_empty()).ok_or_else(no_schedule);
    };
    let name = path.display().to_string();
    let document = Document::parse(&name, &text)?;
    let prefixes = project.config()?.branch_prefix;
    let checked = Checked::new(document, &prefixes).map_err(|error| in_file(&name, error))?;
    match (known, store) {
        (Some(known), Some(store)) => store.schedule_with(known, checked.document(), &text),
        _ => Ok(checked.into_schedule()),
    }
}
