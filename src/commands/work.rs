//! `wf0 work …`: the operations of a worker, for scripts that are one.

use serde::Serialize;

use super::{Answer, open, schedule};
use crate::agent;
use crate::error::{Code, Error, Result};
use crate::platform::process_id::ProcessId;
use crate::project::Project;
use crate::schedule::{Source, WorkId, WorkerNumber, naming};
use crate::scheduler::ring_everyone;
use crate::store::Store;
use crate::store::intake::Unreadable;
use crate::store::processes::Place;
use crate::store::runs::Outcome;

/// A work as its worker sees it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Row {
    /// The work.
    pub work_id: WorkId,
    /// Its branch; none where works run in the project root.
    pub branch: Option<String>,
    /// Where its worktree lies or would lie, absolute.
    pub worktree: String,
    /// The phases, in order.
    pub phases: Vec<String>,
    /// Where it comes from.
    pub source: Source,
}

/// The work that would be given out next; nothing where nothing is ready.
///
/// # Errors
/// No schedule.
pub fn next(project: &Project) -> Result<Answer<Option<Row>>> {
    let (mut store, notices) = open(project)?;
    if store.status()?.is_none() {
        return Err(crate::store::works::no_schedule());
    }
    let value = match store.next_work()? {
        Some(id) => Some(row(project, &store, &id)?),
        None => None,
    };
    Ok(Answer { value, notices })
}

/// Takes a work for a script that is worker `worker`.
///
/// # Errors
/// [`Code::State`] where it can't be taken, [`Code::UnknownWork`].
pub fn claim(project: &Project, id: &WorkId, worker: WorkerNumber) -> Result<Answer<Row>> {
    let (mut store, notices) = open(project)?;
    let live = store.registered(Place::Worker(worker))?.filter(|it| it.process.is_alive());
    if let Some(it) = live.filter(|it| it.process != ProcessId::me()) {
        return Err(Error::new(
            Code::Taken,
            format!("{worker} is a worker of its own (pid {})", it.process.pid),
            "give your script a number that no other worker has",
        ));
    }
    store.change(|change| change.claim_external(id, worker))?;
    let value = row(project, &store, id)?;
    settle(&mut store)?;
    Ok(Answer { value, notices })
}

/// Records the outcome of a work that `worker` claimed.
///
/// # Errors
/// [`Code::NotYours`].
pub fn report(project: &Project, id: &WorkId, worker: WorkerNumber, outcome: &Outcome) -> Result<Answer<()>> {
    let (mut store, notices) = open(project)?;
    schedule(&store)?.work(id)?;
    store.change(|change| {
        let (run, id) = change.external_run(Some(id), worker)?;
        change.end_run(run, &id, outcome)
    })?;
    settle(&mut store)?;
    Ok(Answer { value: (), notices })
}

/// Gives back what `worker` claimed, if anything. Gives what it was.
///
/// # Errors
/// The store can't be used.
pub fn release(project: &Project, worker: WorkerNumber) -> Result<Answer<Option<WorkId>>> {
    let (mut store, notices) = open(project)?;
    let value = store.change(|change| {
        let (run, id) = match change.external_run(None, worker) {
            Ok(found) => found,
            Err(error) if error.code() == Code::NotYours => return Ok(None),
            Err(error) => return Err(error),
        };
        change.end_run(run, &id, &Outcome::Returned { why: "released".into(), pause: false })?;
        Ok(Some(id))
    })?;
    settle(&mut store)?;
    Ok(Answer { value, notices })
}

/// Wakes everybody; where no scheduler lives, brings schedule.json up to date.
fn settle(store: &mut Store) -> Result<()> {
    ring_everyone(store)?;
    store.publish(Unreadable::Refuse)?;
    Ok(())
}

fn row(project: &Project, store: &Store, id: &WorkId) -> Result<Row> {
    let config = project.config()?;
    let work = store.work(id)?.ok_or_else(|| crate::store::works::unknown_work(id, []))?;
    let branch = naming::branch(id, &config.branch_prefix);
    let folder = project.worktree_root(&config).join(naming::folder(&branch));
    let worktree = if config.worktrees() { folder } else { project.root().to_owned() };
    Ok(Row {
        work_id: id.clone(),
        branch: config.worktrees().then_some(branch),
        worktree: worktree.to_string_lossy().into_owned(),
        phases: agent::phases(&config)?.into_iter().map(|phase| phase.name).collect(),
        source: work.source,
    })
}
