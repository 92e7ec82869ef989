//! `wf0 demo` as people see it.

use std::time::Duration;

use super::arguments::DemoArguments;
use super::output::Output;
use super::{DONE, FAILED, text};
use crate::commands::{self, demo, watch::Begin};
use crate::error::{Code, Result};
use crate::platform::signals::EndSignals;
use crate::schedule::ScheduleStatus;
use crate::schedule::id::printable;

pub fn run(it: &DemoArguments, output: &mut Output) -> Result<u8> {
    if let Some(pace) = it.agent {
        let line = demo::agent(Duration::from_millis(pace))?;
        output.text(&format!("{line}\n"));
        return Ok(DONE);
    }
    let demo = demo::prepare(Duration::from_millis(it.pace))?;
    let project = &demo.project;
    output.text(&format!(
        "A throw-away project with a bare origin, in {}\n\nThe plan (wf0 batch start --dry-run):\n",
        printable(&demo.folder.to_string_lossy())
    ));
    let plan = commands::plan::rows(project, Some(2))?;
    output.text(&text::plan(&plan.value));
    output.text("\nRunning it with 2 workers (wf0 batch start --parallel 2; wf0 batch watch):\n");
    commands::start::start(project, Some(2))?;
    let watched = commands::watch::watch(project, Begin::Start, &mut |row| output.event(&row));
    if let Err(error) = watched {
        if error.code() == Code::Interrupted {
            commands::stop::all(project)?;
            output.notice("interrupted: the demo's batch was stopped");
        }
        return Err(error);
    }
    let status = commands::start::wait(project, &mut EndSignals::listen()?)?;
    let rows = commands::status::rows(project, &[])?.value;
    let summary = commands::status::summary(project)?.value;
    output.text(&format!("\n{}", text::status(&rows, &summary)));
    output.text("\nThe branches at origin, with their commits beyond main:\n");
    for (branch, commits) in demo::branches(&demo)? {
        output.text(&format!("  {branch:<22} {commits:>2} commits\n"));
    }
    let root = printable(&project.root().to_string_lossy());
    output.text(&format!(
        "\nWhere to look:\n  cd {root}\n  git log --graph --oneline --all\n  wf0 batch logs FEAT-124-export\n  cat .wf/schedule.json\nRemove {} when you have seen enough.\n",
        printable(&demo.folder.to_string_lossy())
    ));
    Ok(if status == ScheduleStatus::Completed { DONE } else { FAILED })
}
