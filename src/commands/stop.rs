//! `wf0 batch stop`: the wish is durable first, then everybody obeys, then nothing is left but the worktrees.

use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde::Serialize;

use super::start::take_turn;
use super::{Answer, open_anyway, publish_anyway, schedule};
use crate::error::Result;
use crate::platform::children::wait_readable;
use crate::platform::process_watch::ProcessWatch;
use crate::project::Project;
use crate::runner::recover::recover;
use crate::schedule::{ScheduleStatus, Status, WorkId};
use crate::scheduler::ring_everyone;
use crate::store::Store;
use crate::store::bell::{Bell, Listener};
use crate::store::works::{Owner, RunState, Wish};
use crate::terminal::Tmux;

/// What became of one target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Row {
    /// `all`, or a work.
    pub target: String,
    /// What was done.
    pub result: Stopped,
}

crate::schedule::state::words! {
    /// What came of a wish to stop.
    Stopped {
        /// It has ended.
        Stopped = "stopped",
        /// There was nothing to end.
        NotRunning = "not running",
    }
}

/// How long processes may take to obey. A tree that ignores SIGTERM takes 1.5 s; one that can't be ended, 10.
const PATIENCE: Duration = Duration::from_secs(20);
/// How long what was killed may take to go.
const LAST: Duration = Duration::from_secs(5);

/// Stops everything of the project.
///
/// # Errors
/// No schedule, or the store can't be used.
pub fn all(project: &Project) -> Result<Answer<Vec<Row>>> {
    let (mut store, notices) = open_anyway(project)?;
    // A batch that is being started this moment would otherwise miss the wish.
    let _turn = take_turn(&store)?;
    let was = schedule(&store)?.status == ScheduleStatus::Running;
    let alive = store.processes()?.iter().any(|it| it.process.is_alive());
    let ours = store.runs()?.iter().any(|run| run.owner == Owner::Runner);
    store.change(|change| change.stop_all("stopped"))?;
    ring_everyone(&store)?;
    if !wait_for_all(&store, PATIENCE)? {
        // A process that does not obey (stopped by SIGSTOP, say): what it ran is settled by recovery below.
        for it in store.processes()? {
            it.process.signal(Signal::KILL);
        }
        wait_for_all(&store, LAST)?;
    }
    for run in store.runs()? {
        recover(&mut store, &run)?;
    }
    let tmux = Tmux::default();
    if tmux.is_installed() {
        for session in tmux.sessions_of(project.root())? {
            tmux.close(&session, project.root())?;
        }
    }
    publish_anyway(&mut store)?;
    let result = if was || alive || ours { Stopped::Stopped } else { Stopped::NotRunning };
    Ok(Answer { value: vec![Row { target: "all".into(), result }], notices })
}

fn wait_for_all(store: &Store, limit: Duration) -> Result<bool> {
    let until = Instant::now() + limit;
    for it in store.processes()? {
        let left = until.saturating_duration_since(Instant::now());
        if it.process != crate::platform::process_id::ProcessId::me()
            && !ProcessWatch::new(&it.process).wait(Some(left))
        {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Stops some works; the rest goes on.
///
/// # Errors
/// [`crate::error::Code::UnknownWork`]: then nothing is stopped.
pub fn works(project: &Project, ids: &[WorkId]) -> Result<Answer<Vec<Row>>> {
    let (mut store, mut notices) = open_anyway(project)?;
    let known = schedule(&store)?;
    for id in ids {
        known.work(id)?;
    }
    let results = store.change(|change| {
        let mut results = Vec::new();
        for id in ids {
            let stopped = change.wish(id, Wish::Pause)? || change.pause_pending(id)?;
            results.push(if stopped { Stopped::Stopped } else { Stopped::NotRunning });
        }
        Ok(results)
    })?;
    let scripts = known.runs.iter().filter(|run| run.owner == Owner::External && ids.contains(&run.work_id));
    notices.extend(scripts.map(|run| {
        format!(
            "'{}' is claimed by a script as {}: `wf0 work release {}` gives it back",
            run.work_id, run.worker, run.worker
        )
    }));
    ring_everyone(&store)?;
    wait_until_ended(&mut store, ids)?;
    publish_anyway(&mut store)?;
    let rows = ids.iter().zip(results).map(|(id, result)| Row { target: id.to_string(), result });
    Ok(Answer { value: rows.collect(), notices })
}

fn wait_until_ended(store: &mut Store, ids: &[WorkId]) -> Result<()> {
    let bell = Bell::hang(&store.folder().bell(), Listener::watcher());
    let until = Instant::now() + PATIENCE;
    loop {
        bell.quiet();
        let open: Vec<_> = store
            .runs()?
            .into_iter()
            .filter(|run| run.owner == Owner::Runner && ids.contains(&run.work_id))
            .collect();
        if open.is_empty() || Instant::now() >= until {
            break;
        }
        for run in &open {
            // Where its runner is gone, this settles it; a live one keeps its lease. The slot's runner may have come
            // after the one that began it; a claim that was not begun is that one's to begin.
            if store.work(&run.work_id)?.is_some_and(|work| work.status == Status::Running)
                && (run.state == RunState::Running
                    || store.serving(crate::store::processes::Place::Runner(run.worker))?.is_none())
            {
                recover(store, run)?;
            }
        }
        let fds: Vec<_> = bell.fd().into_iter().collect();
        wait_readable(&fds, Duration::from_millis(200));
    }
    Ok(())
}
