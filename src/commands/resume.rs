//! `wf0 batch resume`: failed, paused and interrupted works go on where they were.

use super::start::{Started, count_runnable, is_served, nothing, open_scheduler, started, take_turn};
use super::{Answer, open, preflight, schedule};
use crate::error::{Code, Error, Result};
use crate::project::Project;
use crate::schedule::{ScheduleStatus, Status, WorkId};
use crate::scheduler::ring_everyone;
use crate::store::intake::Unreadable;
use crate::store::runs::Outcome;
use crate::store::works::{Owner, Schedule};

/// Resumes the works named, or all that failed or are paused, and starts the batch where it does not run.
///
/// # Errors
/// [`Code::UnknownWork`]; [`Code::State`] for a work that is completed; [`Code::Nothing`]; what keeps a batch from
/// starting.
pub fn resume(project: &Project, ids: &[WorkId], parallel: Option<u32>) -> Result<Answer<Started>> {
    let config = project.config()?;
    let (mut store, mut notices) = open(project)?;
    let _turn = take_turn(&store)?;
    let before = schedule(&store)?;
    for id in ids {
        let work = before.work(id)?;
        if work.status == Status::Completed {
            return Err(Error::new(
                Code::State,
                format!("'{id}' is completed: there is nothing to resume"),
                "set its status to pending in schedule.json to run it again from its first phase",
            )
            .with_about(id.as_str()));
        }
    }
    preflight::check(project, &config, &before)?;
    let (asked, warning) = preflight::workers(&config, parallel.or(Some(before.parallel).filter(|n| *n > 0)));
    notices.extend(warning);
    let configured = project.config_file().exists();
    let serving = is_served(&store)?;
    store.change(|change| {
        for work in before.works.iter().filter(|work| ids.is_empty() || ids.contains(&work.id)) {
            if let Some(run) = script_claim(&before, &work.id).filter(|_| !ids.is_empty()) {
                let why = "taken back by resume".to_owned();
                change.end_run(run, &work.id, &Outcome::Returned { why, pause: false })?;
            } else {
                change.reopen(&work.id)?;
            }
        }
        let change_of_crew = parallel.is_some() && before.parallel != asked;
        if !serving || before.status != ScheduleStatus::Running || change_of_crew {
            change.start_batch(asked, configured)?;
        }
        Ok(())
    })?;
    let now = schedule(&store)?;
    if count_runnable(&now) == 0 {
        store.change(|change| change.close_if_over())?;
        store.publish(Unreadable::Refuse)?;
        return Err(nothing(&now));
    }
    store.publish(Unreadable::Refuse)?;
    // A scheduler that is about to leave takes itself out of the store only if the batch is still over then: either
    // it is gone from there now, or it has seen the change.
    if is_served(&store)? {
        ring_everyone(&store)?;
    } else {
        notices.extend(open_scheduler(&store, config.batch.tmux)?);
    }
    Ok(Answer { value: started(&store, asked)?, notices })
}

/// The run by which a script has a work.
fn script_claim(schedule: &Schedule, id: &WorkId) -> Option<i64> {
    schedule.runs.iter().find(|run| run.work_id == *id && run.owner == Owner::External).map(|run| run.id)
}
