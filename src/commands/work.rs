//! `wf0 work …`: the operations of a worker, for scripts that are one.

use serde::Serialize;

use super::{Answer, open, open_anyway, publish_anyway, schedule, worktree};
use crate::agent;
use crate::error::{Code, Error, Result};
use crate::platform::process_id::ProcessId;
use crate::project::Project;
use crate::schedule::{ScheduleStatus, Source, Status, WorkId, WorkerNumber, naming};
use crate::scheduler::ring_everyone;
use crate::store::Store;
use crate::store::processes::Place;
use crate::store::runs::Outcome;
use crate::store::works::{Owner, Run, no_schedule};

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
    let value = match next_in(&mut store)? {
        Some(id) => Some(row(project, &store, &id)?),
        None => None,
    };
    Ok(Answer { value, notices })
}

/// The identifier of the work that would be given out next.
///
/// # Errors
/// No schedule.
pub fn next_id(project: &Project) -> Result<Answer<Option<WorkId>>> {
    let (mut store, notices) = open(project)?;
    let value = next_in(&mut store)?;
    Ok(Answer { value, notices })
}

fn next_in(store: &mut Store) -> Result<Option<WorkId>> {
    if store.status()?.is_none() {
        return Err(no_schedule());
    }
    store.next_work()
}

/// Whether every dependency of a work is completed.
///
/// # Errors
/// [`Code::UnknownWork`], [`Code::NoSchedule`].
pub fn deps_resolved(project: &Project, id: &WorkId) -> Result<Answer<bool>> {
    let (store, notices) = open(project)?;
    match store.unmet(id)? {
        Some(unmet) => Ok(Answer { value: unmet == 0, notices }),
        None => Err(schedule(&store)?.work(id).err().unwrap_or_else(no_schedule)),
    }
}

/// The branch of a work, whether it is in the schedule or not.
///
/// # Errors
/// The configuration can't be read.
pub fn branch(project: &Project, id: &WorkId) -> Result<String> {
    Ok(naming::branch(id, &project.config()?.branch_prefix))
}

/// How many works there are of each status, as schedule.json has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Progress {
    /// All.
    pub total: u32,
    /// Done.
    pub completed: u32,
    /// In somebody's hands.
    pub in_progress: u32,
    /// Neither begun nor failed.
    pub pending: u32,
}

/// The counts.
///
/// # Errors
/// No schedule.
pub fn progress(project: &Project) -> Result<Answer<Progress>> {
    let (store, notices) = open(project)?;
    store.status()?.ok_or_else(no_schedule)?;
    let value = Progress {
        total: store.count(None)?,
        completed: store.count(Some(Status::Completed))?,
        in_progress: store.count(Some(Status::Running))?,
        pending: store.count(Some(Status::Pending))?,
    };
    Ok(Answer { value, notices })
}

/// Whether the schedule runs.
///
/// # Errors
/// No schedule.
pub fn is_running(project: &Project) -> Result<Answer<bool>> {
    let (store, notices) = open_anyway(project)?;
    let status = store.status()?.ok_or_else(no_schedule)?;
    Ok(Answer { value: status == ScheduleStatus::Running, notices })
}

/// Takes a work for a script that is worker `worker`.
///
/// # Errors
/// [`Code::NotPending`], [`Code::State`] where it can't be taken yet, [`Code::UnknownWork`].
pub fn claim(project: &Project, id: &WorkId, worker: WorkerNumber) -> Result<Answer<Row>> {
    let (mut store, notices) = open(project)?;
    store.status()?.ok_or_else(no_schedule)?;
    let live = store.registered(Place::Worker(worker))?.filter(|it| it.process.is_alive());
    if let Some(it) = live.filter(|it| it.process != ProcessId::me()) {
        return Err(Error::new(
            Code::Taken,
            format!("{worker} is a worker of its own (pid {})", it.process.pid),
            "give your script a number that no other worker has",
        ));
    }
    // Before the claim: what can't be answered must not be claimed.
    let value = store.work(id)?.map(|_| row(project, &store, id)).transpose()?;
    store.change(|change| change.claim_external(id, worker))?;
    settle(&mut store)?;
    let value = value.ok_or_else(|| crate::store::works::unknown_work(id, []))?;
    Ok(Answer { value, notices })
}

/// Records the outcome of a work that `worker` claimed.
///
/// # Errors
/// [`Code::NotYours`].
pub fn report(project: &Project, id: &WorkId, worker: WorkerNumber, outcome: &Outcome) -> Result<Answer<()>> {
    let (mut store, mut notices) = open_anyway(project)?;
    schedule(&store)?.work(id)?;
    let is_its = |run: &Run| run.owner == Owner::External && run.work_id == *id;
    if *outcome == Outcome::Completed && store.run_of(worker)?.as_ref().is_some_and(is_its) {
        // Before it counts as completed: dependents may start at that very moment. The work is done all the same.
        if let Err(error) = worktree::keep_commit(project, id) {
            notices.push(format!("the commit of '{id}' is on its branch only: {}", error.what()));
        }
    }
    let reported = store.change(|change| {
        let (run, id) = change.external_run(Some(id), worker)?;
        change.end_run(run, &id, outcome)
    });
    match reported {
        Err(error) if error.code() == Code::NotYours => return Err(whose(&store, id, worker, error)?),
        reported => reported?,
    };
    settle(&mut store)?;
    Ok(Answer { value: (), notices })
}

/// Whose a work is that `worker` has not claimed, and what to do then.
fn whose(store: &Store, id: &WorkId, worker: WorkerNumber, refusal: Error) -> Result<Error> {
    let holder = store.runs()?.into_iter().find(|run| run.work_id == *id);
    Ok(match (holder.map(|run| (run.owner, run.worker)), store.work(id)?.map(|work| work.status)) {
        // It would contradict every table to say that this worker does not have it.
        (Some((Owner::Runner, by)), _) => Error::new(
            Code::NotYours,
            format!("'{id}' is run by the batch itself, as {by}, which records its outcome"),
            format!("wait for it, or end it with `wf0 batch stop {id}`; scripts report what they took with `wf0 work claim`"),
        )
        .with_about(id.as_str()),
        (Some((Owner::External, by)), _) => {
            refusal.with_hint(format!("report it as {by}, which claimed it; `wf0 work release {by}` gives it back"))
        }
        (None, Some(Status::Pending)) => {
            refusal.with_hint(format!("nobody has it: `wf0 work claim {id} {worker}` takes it"))
        }
        (None, Some(status)) => refusal.with_hint(format!("nobody has it: it is {status}; `wf0 batch status` shows it")),
        (None, None) => refusal,
    })
}

/// Gives back what `worker` claimed, if anything. Gives what it was.
///
/// # Errors
/// The store can't be used.
pub fn release(project: &Project, worker: WorkerNumber) -> Result<Answer<Option<WorkId>>> {
    let (mut store, notices) = open_anyway(project)?;
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

/// Wakes everybody; where no scheduler lives, brings schedule.json up to date. What is recorded is so, whatever stands
/// in that file.
fn settle(store: &mut Store) -> Result<()> {
    ring_everyone(store)?;
    publish_anyway(store)
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
