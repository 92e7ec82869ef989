//! `wf0 doctor`: what is there, what is missing, what was left behind, and how to mend each. Changes nothing.

mod trackers;

use std::path::Path;

use serde::Serialize;

use crate::agent;
use crate::config::Config;
use crate::error::{Error, Result};
use crate::platform::children::{Never, run};
use crate::platform::environment;
use crate::project::Project;
use crate::schedule::Status;
use crate::schedule::problems::Severity;
use crate::store::Store;
use crate::store::works::Owner;
use crate::worktree::Repository;

/// One check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Row {
    /// What was looked at.
    pub check: &'static str,
    /// How it is.
    pub state: Health,
    /// What was found.
    pub message: String,
    /// How to mend it.
    pub hint: Option<String>,
}

crate::schedule::state::words! {
    /// How something is.
    Health {
        /// Fine.
        Ok = "ok",
        /// It works, with something missing.
        Warning = "warning",
        /// A batch can't run like this.
        Error = "error",
    }
}

/// Looks at everything; `start` is the folder one is in.
pub fn rows(start: &Path) -> Vec<Row> {
    let mut rows = vec![git(), tmux()];
    rows.extend(linger());
    let project = match Project::find(start) {
        Ok(project) => project,
        Err(error) => {
            rows.push(bad("project", &error));
            return rows;
        }
    };
    rows.push(ok("project", project.root().display().to_string()));
    let config = match project.config() {
        Ok(config) => {
            rows.push(ok("configuration", project.config_file().display().to_string()));
            config
        }
        Err(error) => {
            rows.push(bad("configuration", &error));
            Config::default()
        }
    };
    rows.extend(repository(&project, &config));
    rows.push(match agent::phases(&config).and_then(|phases| agent::check_installed(&phases)) {
        Ok(()) => ok("agent", "the programs of all phases are installed".into()),
        Err(error) => bad("agent", &error),
    });
    rows.extend(schedule(&project));
    rows.extend(trackers::rows(&project, &config));
    match leftovers(&project) {
        Ok(found) => rows.extend(found),
        Err(error) => rows.push(bad("store", &error)),
    }
    rows
}

fn ok(check: &'static str, message: String) -> Row {
    Row { check, state: Health::Ok, message, hint: None }
}

fn warn(check: &'static str, message: String, hint: &str) -> Row {
    Row { check, state: Health::Warning, message, hint: Some(hint.to_owned()) }
}

fn bad(check: &'static str, error: &Error) -> Row {
    Row { check, state: Health::Error, message: error.what().to_owned(), hint: Some(error.hint().to_owned()) }
}

fn first_line(program: &str, arguments: &[&str]) -> Option<String> {
    let mut command = environment::command(program);
    command.args(arguments);
    let done = run(&mut command, &mut Never).ok().filter(|done| done.status.success())?;
    Some(String::from_utf8_lossy(&done.stdout).lines().next().unwrap_or_default().to_owned())
}

fn git() -> Row {
    match first_line("git", &["--version"]) {
        Some(version) => ok("git", version),
        None => Row {
            check: "git",
            state: Health::Error,
            message: "git is not installed".into(),
            hint: Some("install git 2.31 or newer".into()),
        },
    }
}

fn tmux() -> Row {
    match first_line("tmux", &["-V"]) {
        Some(version) => ok("tmux", version),
        None => warn(
            "tmux",
            "tmux is not installed: workers run detached, and their output is in `wf0 batch logs` only"
                .into(),
            "install tmux to watch workers live",
        ),
    }
}

/// systemd may end everything a user started when the user logs out.
fn linger() -> Option<Row> {
    let kills = first_line("loginctl", &["show-user", "--property=Linger", "--value"])? == "no"
        && std::fs::read_to_string("/etc/systemd/logind.conf")
            .is_ok_and(|text| text.lines().any(|line| line.trim() == "KillUserProcesses=yes"));
    kills.then(|| {
        warn(
            "logout",
            "logging out ends tmux and detached processes (KillUserProcesses=yes, no lingering)".into(),
            "run `loginctl enable-linger`",
        )
    })
}

fn repository(project: &Project, config: &Config) -> Vec<Row> {
    if !config.worktrees() {
        return vec![ok("repository", "worktrees are off: works run in the project root".into())];
    }
    let opened = Repository::open(project.root());
    let mut rows = vec![match opened.and_then(|it| it.base(config.default_base_branch.as_deref())) {
        Ok(base) => ok("repository", format!("works branch from {}", base.name)),
        Err(error) => bad("repository", &error),
    }];
    // Configured, or in the environment; what git could only guess it asks about at each commit.
    let root = project.root().to_string_lossy();
    let knows = ["GIT_AUTHOR_IDENT", "GIT_COMMITTER_IDENT"]
        .iter()
        .all(|who| first_line("git", &["-c", "user.useConfigOnly=true", "-C", &root, "var", who]).is_some());
    if !knows {
        rows.push(warn(
            "identity",
            "git has no user.name and user.email here: agents may fail to commit".into(),
            "git config --global user.name NAME; git config --global user.email ADDRESS",
        ));
    }
    rows
}

fn schedule(project: &Project) -> Vec<Row> {
    match super::validate::rows(project) {
        Err(error) if error.code() == crate::error::Code::NoSchedule => {
            vec![warn("schedule", error.what().to_owned(), error.hint())]
        }
        Err(error) => vec![bad("schedule", &error)],
        Ok(problems) if problems.value.is_empty() => vec![ok("schedule", "no problem found".into())],
        Ok(problems) => problems
            .value
            .into_iter()
            .map(|problem| Row {
                check: "schedule",
                state: if problem.severity == Severity::Error { Health::Error } else { Health::Warning },
                message: problem.message,
                hint: Some(problem.hint),
            })
            .collect(),
    }
}

/// What a crash, or somebody, left behind.
fn leftovers(project: &Project) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    let Some(store) = Store::look(project)? else { return Ok(rows) };
    rows.push(ok("store", store.folder().database().display().to_string()));
    let processes = store.processes()?;
    for run in store.runs()? {
        let alive = processes.iter().any(|it| {
            it.place == crate::store::processes::Place::Runner(run.worker) && it.process.is_alive()
        });
        match run.owner {
            Owner::Runner if !alive => rows.push(warn(
                "runs",
                format!("'{}' was interrupted: its runner is gone", run.work_id),
                "`wf0 batch resume` goes on with it",
            )),
            Owner::External => {
                rows.push(ok("runs", format!("'{}' is claimed by a script as {}", run.work_id, run.worker)))
            }
            Owner::Runner => {}
        }
    }
    for work in store.schedule()?.map(|schedule| schedule.works).unwrap_or_default() {
        if let Some(worktree) = work.worktree.filter(|_| work.status == Status::Completed) {
            let hint = format!("look what is in it, then `git worktree remove --force --force {worktree}`");
            rows.push(warn(
                "worktrees",
                format!("'{}' is completed, and its worktree {worktree} was kept", work.id),
                &hint,
            ));
        }
    }
    let rejected = project.wf().join("schedule.json.rejected");
    if rejected.exists() {
        rows.push(warn(
            "schedule",
            format!("{} holds an edit that could not be read", rejected.display()),
            "make your change again in schedule.json, then remove that file",
        ));
    }
    let archive = store.folder().archive();
    let kept = std::fs::read_dir(&archive).map(|entries| entries.flatten().count()).unwrap_or(0);
    if kept > 0 && store.status()?.is_none() {
        rows.push(warn(
            "schedule",
            format!("{kept} cleared schedules are kept in {}", archive.display()),
            "`wf0 schedule create --from FILE` brings one back",
        ));
    }
    Ok(rows)
}
