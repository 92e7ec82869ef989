//! `wf0 work worktree`, `cleanup`, `push`: what a runner does with git for a work, for scripts that are workers.

use std::path::{Path, PathBuf};

use super::{Answer, open, open_anyway, schedule};
use crate::config::Config;
use crate::error::{Code, Error, Result};
use crate::platform::signals::EndSignals;
use crate::project::Project;
use crate::runner::order::order;
use crate::schedule::id::quoted;
use crate::schedule::{Status, WorkId, naming};
use crate::store::Store;
use crate::store::intake::Unreadable;
use crate::store::works::Work;
use crate::worktree::{Removal, Repository, empty_trash};

/// Makes the worktree of a work, or finds it; gives its absolute path. Where works run in the project root, that is
/// it.
///
/// # Errors
/// As [`Repository::make`]; [`Code::UnknownWork`], [`Code::NoSchedule`]; [`Code::Usage`] for a branch that no work can
/// have, [`Code::Collision`] for one that another work has.
pub fn make(project: &Project, id: &WorkId, branch: Option<&str>) -> Result<Answer<PathBuf>> {
    let (mut store, mut notices) = open(project)?;
    let config = project.config()?;
    let schedule = schedule(&store)?;
    let work = schedule.work(id)?;
    if !config.worktrees() {
        return Ok(Answer { value: project.root().to_owned(), notices });
    }
    let repository = Repository::open(project.root())?;
    let mut order = order(project, &config, &repository, id, &work.dependencies)?;
    if let Some(branch) = branch {
        if !naming::is_branch_prefix(branch) {
            return Err(Error::new(
                Code::Usage,
                format!("{} cannot be the branch of a work", quoted(branch)),
                "use letters, digits, '.', '_', '-' and '/', as in feat/123-auth",
            ));
        }
        let others = schedule.works.iter().filter(|other| other.id != *id);
        // Some file systems ignore case, and git's branches are files there.
        let has = |other: &WorkId| naming::branch(other, &config.branch_prefix).eq_ignore_ascii_case(branch);
        if let Some(other) = others.map(|other| &other.id).find(|other| has(other)) {
            return Err(Error::new(
                Code::Collision,
                format!("{branch} is the branch of '{other}', not of '{id}'"),
                format!("`wf_batch_get_branch_name {id}` prints its own"),
            )
            .with_about(branch));
        }
        order.branch = branch.to_owned();
    }
    repository.exclude(&["/.wf", &format!("/{}/", config.worktree.root_dir.trim_matches('/'))])?;
    let made = repository.make(&order, &mut EndSignals::listen()?)?;
    let shown = order.path.strip_prefix(project.root()).unwrap_or(&order.path);
    record(&mut store, id, Some(&shown.to_string_lossy()))?;
    notices.extend(made.warnings);
    Ok(Answer { value: made.path, notices })
}

/// Removes the worktree of a work, if nothing in it could be lost.
///
/// # Errors
/// [`Code::WouldLose`]: it is kept. [`Code::UnknownWork`], [`Code::NoSchedule`]; git or the file system refuses.
pub fn cleanup(project: &Project, id: &WorkId) -> Result<Answer<()>> {
    let (mut store, notices) = open(project)?;
    let work = known(&store, id)?;
    let config = project.config()?;
    if !config.worktrees() {
        return Ok(Answer { value: (), notices });
    }
    let own = naming::branch(id, &config.branch_prefix);
    let folder = folder(project, &config, &own);
    let repository = Repository::open(project.root())?;
    let branch = repository.branch_of(&folder, &own)?;
    if branch != own && matches!(work.status, Status::Running | Status::Completed) {
        // Once its worktree is gone, nothing tells that the work was done there.
        keep(&repository, id, &branch)?;
    }
    let trash = project.worktree_root(&config).join(".trash");
    if let Removal::Kept(reason) = repository.remove(&folder, &branch, &trash, &mut EndSignals::listen()?)? {
        return Err(Error::new(
            Code::WouldLose,
            format!("the worktree {} is kept: {reason}", folder.display()),
            "see to that, then clean up again",
        ));
    }
    if work.worktree.is_some() {
        record(&mut store, id, None)?;
    }
    empty_trash(&trash)?;
    Ok(Answer { value: (), notices })
}

/// Keeps the commit that a script's work has come to, as a runner does: dependents find it whatever becomes of its branch,
/// and whatever that is called. Where there is no repository, or works run in the project root, there is none to keep.
///
/// # Errors
/// The configuration can't be read, or git refuses; [`Code::State`] where the worktree's HEAD cannot be brought back onto
/// the work's branch: then what is on that branch is kept.
pub(super) fn keep_commit(project: &Project, id: &WorkId) -> Result<()> {
    let config = project.config()?;
    if !config.worktrees() {
        return Ok(());
    }
    let repository = match Repository::open(project.root()) {
        Err(error) if matches!(error.code(), Code::Repository | Code::NoGit) => return Ok(()),
        opened => opened?,
    };
    let own = naming::branch(id, &config.branch_prefix);
    let folder = folder(project, &config, &own);
    if !repository.is_whole(&folder) {
        return keep(&repository, id, &own);
    }
    let branch = repository.branch_of(&folder, &own)?;
    match repository.head_after_phase(&folder, &branch) {
        Ok(head) => repository.record_done(id, head.commit()),
        Err(error) => keep(&repository, id, &branch).and(Err(error)),
    }
}

fn keep(repository: &Repository, id: &WorkId, branch: &str) -> Result<()> {
    match repository.tip(branch)? {
        Some(tip) => repository.record_done(id, &tip),
        None => Ok(()),
    }
}

/// Pushes the branch of a work, from its worktree or from the folder given. Nothing to push is no error. What was
/// committed in the worktree away from the branch is brought onto it first, as after a phase.
///
/// # Errors
/// The push fails; [`Code::State`] where HEAD cannot be brought back; [`Code::UnknownWork`], [`Code::NoSchedule`];
/// [`Code::Usage`] where the folder's name is empty, [`Code::File`] where it does not exist, [`Code::Repository`] where it is
/// no worktree of that work.
pub fn push(project: &Project, id: &WorkId, worktree: Option<&Path>) -> Result<Answer<()>> {
    let (store, notices) = open_anyway(project)?;
    known(&store, id)?;
    if let Some(worktree) = worktree {
        check_given(id, worktree)?;
    }
    let config = project.config()?;
    let answer = Answer { value: (), notices };
    if !config.worktrees() {
        return Ok(answer);
    }
    let own = naming::branch(id, &config.branch_prefix);
    let place = folder(project, &config, &own);
    let repository = Repository::open(project.root())?;
    let folder = match worktree {
        Some(given) => given.canonicalize().map_err(|error| Error::file("open the folder", given, &error))?,
        None => place.clone(),
    };
    let its_own = place.canonicalize().is_ok_and(|place| place == folder) && repository.is_whole(&folder);
    let branch = if its_own {
        let branch = repository.branch_of(&folder, &own)?;
        repository.head_after_phase(&folder, &branch).map_err(|error| match error.code() {
            Code::State => {
                error.with_hint(format!("bring the wanted commits onto {branch} there, then push again"))
            }
            _ => error,
        })?;
        branch
    } else if worktree.is_none() {
        own
    } else {
        // One that the script made itself, on a branch of its choice.
        check_not_anothers(project, &config, &store, id, &folder)?;
        branch_in(&repository, &folder)?.ok_or_else(|| {
            Error::new(Code::Repository, format!("{} is no worktree of '{id}'", folder.display()), WHICH)
        })?
    };
    if repository.tip(&branch)?.is_none() {
        return Ok(answer);
    }
    repository.push(&folder, &branch, &mut EndSignals::listen()?).map_err(Error::from)?;
    Ok(answer)
}

/// What to do where a script names no worktree.
const WHICH: &str = "give the folder that `wf_batch_create_worktree` printed";

/// Refuses an empty name: it is what a script has where making the worktree failed, and is not to pass for any folder.
pub(super) fn check_given(id: &WorkId, worktree: &Path) -> Result<()> {
    if worktree.as_os_str().is_empty() {
        return Err(Error::new(Code::Usage, format!("no worktree of '{id}' was given"), WHICH));
    }
    Ok(())
}

fn folder(project: &Project, config: &Config, branch: &str) -> PathBuf {
    project.worktree_root(config).join(naming::folder(branch))
}

/// The branch that is checked out in a worktree; the project's own folder is none.
fn branch_in(repository: &Repository, folder: &Path) -> Result<Option<String>> {
    let checked_out = repository.checked_out()?.into_iter();
    let mut here = checked_out.filter(|(_, place)| folder != repository.top() && place == folder);
    Ok(here.next().map(|(branch, _)| branch))
}

/// The work, which must be in the schedule.
pub(super) fn known(store: &Store, id: &WorkId) -> Result<Work> {
    match store.work(id)? {
        Some(work) => Ok(work),
        None => schedule(store)?.work(id).cloned(),
    }
}

/// Refuses the worktree of another work of the schedule.
pub(super) fn check_not_anothers(
    project: &Project,
    config: &Config,
    store: &Store,
    id: &WorkId,
    folder: &Path,
) -> Result<()> {
    let Ok(root) = project.worktree_root(config).canonicalize() else { return Ok(()) };
    let schedule = schedule(store)?;
    let place = |other: &WorkId| root.join(naming::folder(&naming::branch(other, &config.branch_prefix)));
    let other = schedule.works.iter().map(|work| &work.id).find(|other| folder.starts_with(place(other)));
    match other.filter(|other| config.worktrees() && *other != id) {
        None => Ok(()),
        Some(other) => Err(Error::new(
            Code::Usage,
            format!("{} is the worktree of '{other}', not of '{id}'", folder.display()),
            WHICH,
        )),
    }
}

fn record(store: &mut Store, id: &WorkId, worktree: Option<&str>) -> Result<()> {
    store.change(|change| change.set_worktree(id, worktree))?;
    store.publish(Unreadable::Refuse).map(drop)
}
