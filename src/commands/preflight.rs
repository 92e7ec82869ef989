//! What must be there before anything starts: git, a base, the agent, free branches.

use std::path::Path;

use crate::agent;
use crate::config::Config;
use crate::error::{Code, Error, Result};
use crate::project::Project;
use crate::schedule::{Status, WorkId, naming};
use crate::store::works::Schedule;
use crate::worktree::{Base, Repository};

/// What was found.
#[derive(Debug)]
pub struct Ready {
    /// The phases' names, in order.
    pub phases: Vec<String>,
    /// What works branch from; `None` where they run in the project root.
    pub base: Option<Base>,
}

/// Checks everything that a batch needs: [`check_place`], and that what the phases run is installed.
///
/// # Errors
/// As [`check_place`], and [`Code::NoAgent`].
pub fn check(project: &Project, config: &Config, schedule: &Schedule) -> Result<Ready> {
    agent::check_installed(&agent::phases(config)?)?;
    check_place(project, config, schedule)
}

/// Checks what a plan needs: git, a base, free branches. Changes nothing.
///
/// # Errors
/// [`Code::NoGit`], [`Code::Repository`], [`Code::ProjectPlace`], [`Code::WorktreeTaken`],
/// [`Code::Config`].
pub fn check_place(project: &Project, config: &Config, schedule: &Schedule) -> Result<Ready> {
    let phases = agent::phases(config)?;
    let names = phases.into_iter().map(|phase| phase.name).collect();
    if !config.worktrees() {
        return Ok(Ready { phases: names, base: None });
    }
    let repository = Repository::open(project.root())?;
    let base = repository.base(config.default_base_branch.as_deref())?;
    let taken = repository.checked_out()?;
    let root = project.worktree_root(config);
    for work in schedule.works.iter().filter(|work| work.status != Status::Completed) {
        let branch = naming::branch(&work.id, &config.branch_prefix);
        if let Some(place) = taken
            .get(&branch)
            .filter(|place| place.exists() && !is_same(place, &root.join(naming::folder(&branch))))
        {
            return Err(taken_error(&work.id, &branch, place));
        }
    }
    Ok(Ready { phases: names, base: Some(base) })
}

fn is_same(a: &Path, b: &Path) -> bool {
    a == b || (a.canonicalize().ok().zip(b.canonicalize().ok())).is_some_and(|(a, b)| a == b)
}

fn taken_error(id: &WorkId, branch: &str, place: &Path) -> Error {
    Error::new(
        Code::WorktreeTaken,
        format!("branch {branch} of '{id}' is checked out in {}", place.display()),
        "check out another branch there, or remove that worktree",
    )
}

/// Notes that works in one folder would get in each other's way.
pub fn parallel_warning(config: &Config, parallel: u32) -> Option<String> {
    (!config.worktrees() && parallel > 1).then(|| {
        format!(
            "{parallel} workers share one folder, because worktrees are off: they may get in each other's way"
        )
    })
}

/// How many workers there are to be.
pub fn workers(config: &Config, asked: Option<u32>) -> (u32, Option<String>) {
    let asked = asked.unwrap_or(config.batch.default_parallel).max(1);
    let most = config.batch.max_parallel;
    if asked > most {
        (most, Some(format!("{asked} workers were asked for; batch.max_parallel allows {most}")))
    } else {
        (asked, None)
    }
}
