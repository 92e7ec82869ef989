//! The command line: arguments in, text or JSON out. Every rule is in `commands`; only this front end prints.

mod arguments;
mod demo;
mod output;
mod patience;
mod processes;
mod script;
mod text;
mod work;

use std::ffi::OsString;
use std::io::Read;
use std::path::{Path, PathBuf};

use clap::{CommandFactory, Parser};

use crate::commands::{self, Answer};
use crate::error::{Code, Error, Result};
use crate::platform::process_id::ProcessId;
use crate::platform::signals::EndSignals;
use crate::project::Project;
use crate::schedule::{ScheduleStatus, WorkId, WorkerNumber};
use arguments::{Arguments, Batch, Command, Schedule, StartArguments, Work};
use output::{Format, Output, say_beside};
use patience::Patience;

/// Exit status: done.
pub const DONE: u8 = 0;
/// Exit status: it failed.
pub const FAILED: u8 = 1;
/// Exit status: wrong usage.
pub const USAGE: u8 = 2;
/// Exit status: interrupted.
pub const INTERRUPTED: u8 = 130;

/// What can be typed, as the parser has it.
pub fn grammar() -> clap::Command {
    Arguments::command()
}

/// Runs one command line (without the program's name) and gives its exit status.
pub fn run(arguments: Vec<OsString>) -> u8 {
    let script = arguments.first().is_some_and(|first| first == script::FLAG);
    let program = std::iter::once(OsString::from("wf0")).chain(arguments);
    let arguments = match Arguments::try_parse_from(program) {
        Ok(arguments) => arguments,
        Err(error) if script && error.use_stderr() => return script::refuse(&error),
        Err(error) => {
            output::print(&error);
            return if error.use_stderr() { USAGE } else { DONE };
        }
    };
    let mut output = Output::new(arguments.format, arguments.script);
    let result = dispatch(&arguments, &mut output);
    match result.and_then(|status| output.check().map(|()| status)) {
        Ok(status) => status,
        Err(error) => {
            output.error(&error);
            match error.code() {
                _ if arguments.script => FAILED,
                Code::Usage => USAGE,
                Code::Interrupted => INTERRUPTED,
                _ => FAILED,
            }
        }
    }
}

fn dispatch(arguments: &Arguments, output: &mut Output) -> Result<u8> {
    match &arguments.command {
        Command::Init => {
            let folder = arguments.root().map_or_else(here, Ok)?;
            let answer = told(output, commands::init::init(&folder)?);
            output.record(&answer, text::initialized)?;
            Ok(DONE)
        }
        Command::Schedule { command } => schedule(&find(arguments)?, command, output),
        Command::Batch { command } => batch(&find(arguments)?, command, output),
        Command::Work { command: Work::HoldLock { owner, started } } => {
            commands::lock::hold(&ProcessId { pid: *owner, started: started.clone() });
            Ok(DONE)
        }
        // Wherever the shell has gone since.
        Command::Work { command: Work::Unlock { holder } } => work::unlock(holder),
        Command::Work { command } => work::work(&find(arguments)?, command, output),
        Command::Demo(it) => demo::run(it, output),
        Command::Doctor => {
            let folder = arguments.root().map_or_else(here, Ok)?;
            let rows = commands::doctor::rows(&folder);
            output.rows(&rows, text::doctor)?;
            let bad = rows.iter().any(|row| row.state == commands::doctor::Health::Error);
            Ok(if bad { FAILED } else { DONE })
        }
    }
}

fn here() -> Result<PathBuf> {
    std::env::current_dir().map_err(|error| Error::file("open", Path::new("."), &error))
}

fn find(arguments: &Arguments) -> Result<Project> {
    match arguments.root() {
        Some(root) => Project::at(&root),
        None => Project::find(&here()?),
    }
}

/// Says what people should know beside an answer, and gives the answer.
fn told<T>(output: &mut Output, answer: Answer<T>) -> T {
    answer.notices.iter().for_each(|line| output.notice(line));
    answer.value
}

/// Identifiers separated by commas; an empty text is an empty list.
fn ids(texts: &[String]) -> Result<Vec<WorkId>> {
    let parts = texts.iter().flat_map(|text| text.split(',')).map(str::trim).filter(|text| !text.is_empty());
    parts.map(WorkId::new).collect()
}

/// Identifiers of works to act upon. None at all means every work, so an empty text (a variable of a script that
/// was never set) must not count as none.
fn named(texts: &[String]) -> Result<Vec<WorkId>> {
    texts.iter().flat_map(|text| text.split(',')).map(|text| WorkId::new(text.trim())).collect()
}

fn schedule(project: &Project, command: &Schedule, output: &mut Output) -> Result<u8> {
    match command {
        Schedule::Create { sources, from, all, force, dry_run } => {
            let request = create_request(sources, from, *all, *force)?;
            let mut interrupt = Patience::new(EndSignals::listen()?, output);
            if *dry_run {
                let preview = commands::create::preview(project, &request, &mut interrupt)?;
                let preview = told(output, preview);
                output.record(&preview, text::preview)?;
            } else {
                let created = commands::create::create_until(project, &request, &mut interrupt)?;
                let created = told(output, created);
                output.record(&created, text::created)?;
            }
        }
        Schedule::Show { flat: _, edges: true } => {
            let rows = told(output, commands::edges::rows(project)?);
            output.rows(&rows, text::edges)?;
        }
        Schedule::Why { id } => {
            let rows = told(output, commands::why::rows(project, &WorkId::new(id.as_str())?)?);
            output.rows(&rows, text::why)?;
        }
        Schedule::Show { flat, edges: false } => {
            let rows = told(output, commands::show::rows(project)?);
            output.table(&rows, *flat, text::show)?;
        }
        Schedule::Validate => {
            let rows = told(output, commands::validate::rows(project)?);
            output.rows(&rows, text::problems)?;
            let bad = rows.iter().any(|row| row.severity == crate::schedule::problems::Severity::Error);
            return Ok(if bad { FAILED } else { DONE });
        }
        Schedule::Clear => {
            let kept = told(output, commands::clear::clear(project)?);
            match kept {
                Some(path) => output.notice(&format!("the schedule is removed; a copy is kept as {path}")),
                None => output.notice("the schedule is removed"),
            }
        }
        Schedule::Update { owner, locked } => {
            let expression = input(Path::new("-"))?;
            let owner = (!locked).then(|| owner.unwrap_or_else(std::process::id));
            told(output, commands::update::update(project, &expression, owner, &say_beside)?);
        }
        Schedule::Edit { id, changes, priority, depends, add_dep, remove_dep } => {
            let mut request = commands::edit::Request { priority: *priority, ..Default::default() };
            request.depends = depends.as_ref().map(|list| ids(std::slice::from_ref(list))).transpose()?;
            request.add = ids(add_dep)?;
            request.remove = ids(remove_dep)?;
            for change in changes {
                request.take(change)?;
            }
            told(output, commands::edit::edit(project, &WorkId::new(id.as_str())?, &request)?);
        }
    }
    Ok(DONE)
}

/// What stands in a file; `-` is standard input.
fn input(path: &Path) -> Result<Vec<u8>> {
    if path.as_os_str() != "-" {
        return std::fs::read(path).map_err(|error| Error::file("read", path, &error));
    }
    let mut text = Vec::new();
    let read = std::io::stdin().lock().read_to_end(&mut text);
    read.map_err(|error| Error::file("read", Path::new("standard input"), &error)).map(|_| text)
}

fn create_request(
    sources: &[String],
    from: &[PathBuf],
    all: bool,
    force: bool,
) -> Result<commands::create::Request> {
    use commands::create::From;
    let mut request = commands::create::Request { from: Vec::new(), all, force };
    for source in sources {
        request.from.push(From::parse(source)?);
    }
    for path in from {
        request.from.push(match path.as_os_str() == "-" {
            true => From::Text { text: input(path)?, name: "standard input".to_owned() },
            false => From::file(path)?,
        });
    }
    Ok(request)
}

fn batch(project: &Project, command: &Batch, output: &mut Output) -> Result<u8> {
    match command {
        Batch::Start(it) => return start(project, it, output),
        Batch::Stop { all: _, ids: texts } => {
            let ids = named(texts)?;
            let answer = if ids.is_empty() {
                commands::stop::all(project)?
            } else {
                commands::stop::works(project, &ids)?
            };
            let rows = told(output, answer);
            output.rows(&rows, text::stopped)?;
        }
        Batch::Status { state, summary, flat } => {
            if *summary {
                let record = told(output, commands::status::summary(project)?);
                output.record(&record, |record| text::summary(&troubles(project), record))?;
            } else {
                let states = commands::status::states(&state.join(","))?;
                let rows = told(output, commands::status::rows(project, &states)?);
                let summary = commands::status::summary(project)?.value;
                output.table(&rows, *flat, |rows| text::status(rows, &summary))?;
            }
        }
        Batch::Resume { ids: texts, parallel } => {
            let started = told(output, commands::resume::resume(project, &named(texts)?, *parallel)?);
            output.record(&started, text::started)?;
        }
        Batch::Logs { id, phase, follow } => {
            let request = commands::logs::Request {
                id: WorkId::new(id.as_str())?,
                phase: phase.clone(),
                follow: *follow,
            };
            commands::logs::read(project, request, &mut |piece| output.log(piece))?;
        }
        Batch::Watch => {
            let begin = commands::watch::Begin::Now;
            let notices = commands::watch::watch(project, begin, &mut |row| output.event(&row))?;
            notices.iter().for_each(|line| output.notice(line));
        }
        Batch::Daemon(it) => return processes::daemon(project, it, output),
        Batch::Worker(it) => return processes::worker(project, it, output),
        Batch::Runner { number, overrides } => {
            crate::runner::serve(project, WorkerNumber::new(*number)?, overrides.into())?;
        }
    }
    Ok(DONE)
}

fn start(project: &Project, it: &StartArguments, output: &mut Output) -> Result<u8> {
    if it.dry_run {
        let rows = told(output, commands::plan::rows(project, it.parallel)?);
        match output.format() {
            Format::Dot => output.document(&commands::drawing::dot(&rows)),
            Format::Mermaid => output.document(&commands::drawing::mermaid(&rows)),
            _ => output.table(&rows, it.flat, text::plan)?,
        }
        return Ok(DONE);
    }
    let started = told(output, commands::start::start(project, it.parallel)?);
    if !it.wait {
        output.record(&started, text::started)?;
        return Ok(DONE);
    }
    let status = commands::start::wait(project, &mut EndSignals::listen()?)?;
    let summary = commands::status::summary(project)?.value;
    output.record(&summary, |summary| text::summary(&troubles(project), summary))?;
    Ok(if status == ScheduleStatus::Completed { DONE } else { FAILED })
}

/// The works for what a summary says of failures. Nothing is said where they can't be read: the summary stands without.
fn troubles(project: &Project) -> Vec<commands::status::Row> {
    commands::status::rows(project, &[]).map(|answer| answer.value).unwrap_or_default()
}
