//! The scheduler and a worker in the foreground: what they show while they serve.

use std::io::{self, Write};
use std::time::Duration;

use super::arguments::{DaemonArguments, WorkerArguments};
use super::output::Output;
use super::{DONE, text};
use crate::commands;
use crate::error::Result;
use crate::project::Project;
use crate::schedule::id::printable;
use crate::schedule::{State, WorkerNumber};
use crate::scheduler::{self, Ending, Report};
use crate::store::events::{Event, EventKind};
use crate::terminal::Tmux;
use crate::worker::{self, Shown};

/// `wf0 batch daemon`.
pub fn daemon(project: &Project, it: &DaemonArguments, output: &mut Output) -> Result<u8> {
    let options = scheduler::Options {
        managed: it.managed,
        session: Tmux::default().current_session(),
        poll: Duration::from_secs_f64(it.poll),
    };
    let ending = scheduler::serve(project, &options, &mut |report| match report {
        Report::Ready => say(&banner(project, it)),
        Report::Event(event) => {
            if it.verbose || is_important(event.kind) {
                say(&line(event));
            }
        }
        Report::Waits(status) => {
            let now = text::stamp(jiff::Timestamp::now());
            say(&format!("[{now}] [INFO] The schedule is {status}: waiting for `wf0 batch resume`\n"));
        }
    })?;
    if let Ending::Over(_) = ending {
        output.text(&ended(project)?);
    }
    Ok(DONE)
}

/// What comes when a batch is over: completed, failed with their errors, blocked.
pub fn ended(project: &Project) -> Result<String> {
    let rows = commands::status::rows(project, &[])?.value;
    let of = |state: State| rows.iter().filter(move |row| row.state == state);
    let mut out = format!("\nCompleted: {}\n", of(State::Completed).count());
    for (title, state) in [("Failed", State::Failed), ("Blocked", State::Blocked), ("Paused", State::Paused)]
    {
        let count = of(state).count();
        if count > 0 {
            out.push_str(&format!("{title}: {count}\n"));
        }
        for row in of(state) {
            let error =
                row.error.as_deref().map(|error| format!(": {}", printable(error))).unwrap_or_default();
            out.push_str(&format!("  {}{error}\n", row.work_id));
        }
    }
    Ok(out)
}

fn banner(project: &Project, it: &DaemonArguments) -> String {
    let rule = "═══════════════════════════════════════";
    format!(
        "{rule}\n🚀 wf0 batch scheduler\n  Project:  {}\n  Interval: {}s\n  Verbose:  {}\n{rule}\n",
        printable(&project.root().to_string_lossy()),
        it.poll,
        it.verbose
    )
}

fn is_important(kind: EventKind) -> bool {
    !matches!(
        kind,
        EventKind::PhaseStarted | EventKind::PhaseCompleted | EventKind::PhaseInterrupted | EventKind::Pushed
    )
}

fn line(event: &Event) -> String {
    let level = match event.kind {
        EventKind::Failed => "ERROR",
        EventKind::Warning | EventKind::Refused | EventKind::PhaseFailed | EventKind::PushFailed => "WARN",
        _ => "INFO",
    };
    format!("[{}] [{level}] {}\n", text::stamp(event.at), printable(&what(event)))
}

fn what(event: &Event) -> String {
    match (event.kind, &event.message) {
        (EventKind::Assigned, Some(message)) => message.clone(),
        (kind, message) => {
            let mut parts = Vec::new();
            parts.extend(event.work_id.as_ref().map(|id| id.to_string()));
            parts.extend(event.phase.clone());
            parts.push(kind.to_string());
            let message = message.as_ref().map(|message| format!(": {message}")).unwrap_or_default();
            format!("{}{message}", parts.join(" "))
        }
    }
}

/// `wf0 batch worker N`.
pub fn worker(project: &Project, it: &WorkerArguments, _output: &mut Output) -> Result<u8> {
    let number: WorkerNumber = WorkerNumber::from_digits(&it.number)?;
    let options = worker::Options {
        managed: it.managed,
        session: Tmux::default().current_session(),
        poll: Duration::from_secs_f64(it.poll),
        overrides: (&it.overrides).into(),
    };
    // Detached, its log would only hold again what the runs' own logs hold.
    let quiet = it.quiet || (options.managed && options.session.is_none());
    worker::serve(project, number, &options, &mut |shown| match shown {
        Shown::Ready(number) => {
            say(&format!("🔧 {number} of {}: ready\n", printable(&project.name())));
        }
        Shown::Attempt { work, phase, number } => {
            let again = if number > 1 { format!(" (attempt {number})") } else { String::new() };
            say(&format!("\n▶ {work} · {}{again}\n", printable(phase)));
        }
        Shown::Output(_) if quiet => {}
        Shown::Output(bytes) => show(bytes),
        Shown::Left { how: Some(event), .. } if quiet => say(&line(event)),
        Shown::Left { how: Some(event), .. } => say(&format!("\n◼ {}\n", printable(&what(event)))),
        Shown::Left { work, how: None } => say(&format!("\n◼ {work} has left this worker\n")),
        Shown::Ends(why) => say(&format!("🔧 {number} ends: {}\n", printable(why))),
    })?;
    Ok(DONE)
}

fn say(text: &str) {
    show(text.as_bytes());
}

/// A terminal that has gone must not end what runs behind it.
fn show(bytes: &[u8]) {
    let mut out = io::stdout().lock();
    let _ = out.write_all(bytes).and_then(|()| out.flush());
}
