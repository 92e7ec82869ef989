//! `wf0 work …`: the operations of a worker, for scripts that are one. Called by the shell's own functions (`--script`),
//! they answer as those do.

use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::CommandExt;
use std::path::Path;

use super::arguments::Work;
use super::output::{Output, say_beside};
use super::{DONE, FAILED, input, text, told};
use crate::commands;
use crate::error::{Code, Error, Result, plain};
use crate::platform::process_id::ProcessId;
use crate::project::Project;
use crate::schedule::WorkId;
use crate::schedule::id::quoted;
use crate::store::runs::Outcome;

/// Runs one operation and gives its exit status.
pub fn work(project: &Project, command: &Work, output: &mut Output) -> Result<u8> {
    let id_of = |text: &String| WorkId::new(text.as_str());
    match command {
        Work::Next if output.script() => {
            if let Some(id) = told(output, commands::work::next_id(project)?) {
                output.text(&format!("{id}\n"));
            }
        }
        Work::Next => {
            if let Some(row) = told(output, commands::work::next(project)?) {
                output.record(&row, text::work)?;
            }
        }
        Work::Claim { id, worker } => {
            let row = match commands::work::claim(project, &id_of(id)?, worker.parse()?) {
                // That somebody else was faster is an answer, which the exit status gives.
                Err(error) if output.script() && error.code() == Code::NotPending => return Ok(FAILED),
                answer => told(output, answer?),
            };
            if !output.script() {
                output.record(&row, text::work)?;
            }
        }
        Work::Complete { id, worker } => {
            let outcome = Outcome::Completed;
            told(output, commands::work::report(project, &id_of(id)?, worker.parse()?, &outcome)?);
        }
        Work::Fail { id, worker, message, message_from } => {
            let given = match (message, message_from) {
                (Some(message), _) => message.to_string_lossy().into_owned(),
                (None, Some(file)) => String::from_utf8_lossy(&input(file)?).trim_end().to_owned(),
                (None, None) => String::new(),
            };
            let why = if given.is_empty() { "failed".to_owned() } else { given };
            let outcome = Outcome::Failed(why);
            told(output, commands::work::report(project, &id_of(id)?, worker.parse()?, &outcome)?);
        }
        Work::Release { worker } => {
            told(output, commands::work::release(project, worker.parse()?)?);
        }
        Work::DepsResolved { id } => {
            return Ok(status(told(output, commands::work::deps_resolved(project, &id_of(id)?)?)));
        }
        Work::IsRunning => return Ok(status(told(output, commands::work::is_running(project)?))),
        Work::Progress => {
            let progress = told(output, commands::work::progress(project)?);
            output.line(&progress);
        }
        Work::Branch { id } => {
            output.text(&format!("{}\n", commands::work::branch(project, &id_of(id)?)?));
        }
        Work::Worktree { id, branch } => {
            let branch = branch.as_deref().filter(|branch| !branch.is_empty());
            let path = told(output, commands::worktree::make(project, &id_of(id)?, branch)?);
            let mut line = path.into_os_string();
            line.push("\n");
            output.raw(line.as_bytes());
        }
        Work::Cleanup { id } => told(output, commands::worktree::cleanup(project, &id_of(id)?)?),
        Work::Push { id, worktree } => {
            let worktree = worktree.as_deref().map(Path::new);
            told(output, commands::worktree::push(project, &id_of(id)?, worktree)?);
        }
        Work::Invoke { id, worktree, command } => {
            let mut command = commands::invoke::command(project, &id_of(id)?, Path::new(worktree), command)?;
            let _ = std::io::stdout().flush();
            return Err(cannot_start(Path::new(command.get_program()).to_owned().as_path(), &command.exec()));
        }
        Work::NewId { number, kind } => {
            let title = input(Path::new("-"))?;
            let kind = kind.as_deref().filter(|kind| !kind.is_empty());
            let id = commands::issue::work_id(number, &String::from_utf8_lossy(&title), kind)?;
            output.text(&format!("{id}\n"));
        }
        Work::References => {
            let text = input(Path::new("-"))?;
            output.line(&commands::issue::references(project, &String::from_utf8_lossy(&text))?);
        }
        Work::Lock { owner } => {
            let holder = commands::lock::take(project, *owner, &say_beside)?;
            output.text(&format!("{} {}\n", holder.pid, holder.started));
        }
        Work::Unlock { holder } => return unlock(holder),
        Work::HasLock { holder } => commands::lock::check(project, &holder_of(holder)?)?,
        Work::HoldLock { owner, started } => {
            commands::lock::hold(&ProcessId { pid: *owner, started: started.clone() });
        }
    }
    Ok(DONE)
}

/// Frees the lock that this process holds, of whichever project.
pub fn unlock(holder: &str) -> Result<u8> {
    commands::lock::release(&holder_of(holder)?)?;
    Ok(DONE)
}

/// What `lock` printed.
fn holder_of(text: &str) -> Result<ProcessId> {
    let (pid, started) = text.split_once(' ').unwrap_or((text, ""));
    match pid.parse() {
        Ok(pid) => Ok(ProcessId { pid, started: started.to_owned() }),
        Err(_) => Err(Error::new(
            Code::Usage,
            format!("{} names no process", quoted(text)),
            "give what `lock` printed",
        )),
    }
}

fn status(yes: bool) -> u8 {
    if yes { DONE } else { FAILED }
}

fn cannot_start(program: &Path, error: &std::io::Error) -> Error {
    Error::new(
        Code::Process,
        format!("cannot start {}: {}", program.display(), plain(error)),
        "`wf0 doctor` checks what is installed",
    )
}
