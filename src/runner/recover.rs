//! Settling a run whose runner is gone: what is left of its tree is ended, then the work goes back to pending at the
//! phase it was in.

use crate::agent::command::COOKIE;
use crate::config::Config;
use crate::error::{Error, Result};
use crate::platform::tree::{self, Traces};
use crate::schedule::naming;
use crate::store::Store;
use crate::store::attempts::AttemptOutcome;
use crate::store::runs::Outcome;
use crate::store::works::{Owner, Run, RunState, Wish};
use crate::worktree::Repository;

/// What came of looking after a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recovered {
    /// Its runner lives, or it is a script's: nothing to do.
    Alive,
    /// It has an outcome now.
    Settled,
}

/// Looks after a run. Its lease decides: free means that nobody runs it. A claim that a live slot is about to begin
/// must not be given here.
///
/// # Errors
/// The store can't be used.
pub fn recover(store: &mut Store, run: &Run) -> Result<Recovered> {
    if run.owner == Owner::External {
        return Ok(Recovered::Alive);
    }
    let Some(_lease) = store.folder().try_lock(&store.folder().runner_lease(&run.work_id))? else {
        return Ok(Recovered::Alive);
    };
    // Under the lease once more: its runner may have recorded the outcome in its last moment.
    let Some(run) = store.run_of(run.worker)?.filter(|now| now.id == run.id) else {
        return Ok(Recovered::Settled);
    };
    let attempt =
        store.attempts(&run.work_id)?.pop().filter(|last| last.run == run.id && last.outcome.is_none());
    let tree_lease = store.folder().tree_lease(&run.work_id);
    let returned = Outcome::Returned {
        why: "its runner ended without an outcome".into(),
        pause: run.wish == Some(Wish::Pause),
    };
    let outcome = if run.state == RunState::Claimed {
        // Nothing of it has ever run.
        returned
    } else {
        let traces = Traces {
            group: attempt.as_ref().and_then(|attempt| attempt.agent_group),
            cookie: Some(format!("{COOKIE}={}", store.cookie(run.id)?)),
            lock_file: Some(&tree_lease),
            below: None,
        };
        let ended = tree::end_and_lock(&traces, &tree_lease, super::attempt::LAST)
            .map_err(|error| Error::file("lock", &tree_lease, &error))?;
        match ended {
            Ok(_tree) => {
                clear_git_locks(store, &run);
                returned
            }
            Err(left) => Outcome::Failed(still_held(&left)),
        }
    };
    store.change(|change| {
        if let Some(attempt) = &attempt {
            change.end_attempt(
                attempt.id,
                &run.work_id,
                AttemptOutcome::Interrupted,
                Some("its runner ended"),
                None,
            )?;
        }
        change.end_run(run.id, &run.work_id, &outcome)
    })?;
    Ok(Recovered::Settled)
}

/// Why a work fails whose processes can't be ended.
pub fn still_held(left: &[u32]) -> String {
    let pids: Vec<String> = left.iter().map(u32::to_string).collect();
    let who = if pids.is_empty() { "a process".to_owned() } else { format!("process {}", pids.join(", ")) };
    format!("{who} of an earlier attempt can't be ended; end it by hand, then `wf0 batch resume`")
}

/// A killed agent may leave git's lock files behind. Now that nothing of it lives they are stale.
fn clear_git_locks(store: &Store, run: &Run) {
    let project = store.project();
    let config = project.config().unwrap_or_else(|_| Config::default());
    if !config.worktrees() {
        return;
    }
    let branch = naming::branch(&run.work_id, &config.branch_prefix);
    let folder = project.worktree_root(&config).join(naming::folder(&branch));
    if let Ok(repository) = Repository::open(project.root()) {
        // What can't be removed shows as git's own message in the next attempt.
        let _ = repository.clear_stale_locks(&folder, &branch);
    }
}
