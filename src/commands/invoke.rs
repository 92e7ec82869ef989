//! `wf0 work invoke`: the agent, with words of a script's own, in the environment that phases have.

use std::path::Path;
use std::process::Command;

use super::{open, worktree};
use crate::agent::call::Call;
use crate::agent::command::{self, COOKIE};
use crate::agent::{self, Action, Phase};
use crate::error::{Code, Error, Result};
use crate::platform::environment;
use crate::project::Project;
use crate::schedule::{WorkId, naming};

/// The agent told `/COMMAND ID` in `folder`, ready to be started.
///
/// # Errors
/// [`Code::NoAgent`], [`Code::Config`], [`Code::File`] where the folder is none, [`Code::Usage`] where its name is empty or
/// it is another work's worktree; [`Code::UnknownWork`], [`Code::NoSchedule`].
pub fn command(project: &Project, id: &WorkId, folder: &Path, words: &str) -> Result<Command> {
    let (store, _) = open(project)?;
    let work = worktree::known(&store, id)?;
    worktree::check_given(id, folder)?;
    let config = project.config()?;
    agent::check_known(&config)?;
    let words = words.strip_prefix('/').unwrap_or(words);
    let phase = Phase { name: words.to_owned(), action: Action::Told(format!("/{words} {id}")) };
    agent::check_installed(std::slice::from_ref(&phase))?;
    let folder = folder.canonicalize().map_err(|error| Error::file("open the folder", folder, &error))?;
    if !folder.is_dir() {
        return Err(Error::new(
            Code::File,
            format!("{} is not a folder", folder.display()),
            "give the work's worktree",
        ));
    }
    worktree::check_not_anothers(project, &config, &store, id, &folder)?;
    let branch = naming::branch(id, &config.branch_prefix);
    let run = match store.runs()?.iter().find(|run| run.work_id == *id) {
        Some(run) => store.cookie(run.id)?,
        None => environment::var_os(COOKIE).unwrap_or_default().to_string_lossy().into_owned(),
    };
    let call = Call {
        run: &run,
        work_id: id,
        phase: words,
        attempt: 1,
        branch: config.worktrees().then_some(branch.as_str()),
        base: config.default_base_branch.as_deref().unwrap_or("the base branch"),
        worktree: &folder,
        root: project.root(),
        source: &work.source,
    };
    Ok(command::build(&config, &phase, false, &call))
}
