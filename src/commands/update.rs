//! `wf0 schedule update`: a jq expression applied to the schedule, all of it or nothing.
//!
//! Under the lock among scripts, so that what one reads and writes is not undone by another. The batch goes on
//! meanwhile: what has changed since the expression's input is not what the expression changed.

use std::ffi::OsStr;
use std::io::{Seek, Write};
use std::path::Path;
use std::process::Stdio;

use super::{Answer, lock, open};
use crate::error::{Code, Error, Result, plain};
use crate::platform::environment;
use crate::platform::process_id::ProcessId;
use crate::project::Project;
use crate::schedule::Document;
use crate::schedule::id::printable;
use crate::schedule::problems::self_error;
use crate::scheduler::ring_everyone;
use crate::store::intake::Unreadable;
use crate::store::works::no_schedule;

/// Applies `expression`, with the lock for the shell `owner`; `None` where the lock is taken already.
///
/// # Errors
/// [`Code::Usage`] where there is no expression; [`Code::Form`] where it fails or its result is no schedule;
/// [`Code::Cycle`] where a work would wait for itself; whatever else a schedule can be refused for.
pub fn update(
    project: &Project,
    expression: &[u8],
    owner: Option<u32>,
    waits: lock::Waits<'_>,
) -> Result<Answer<()>> {
    if expression.trim_ascii().is_empty() {
        // jq takes nothing for `.`, and a variable that was never set would count as done.
        let hint = "give one, as in `.works[\"FEAT-1-a\"].priority = 2`";
        return Err(Error::new(Code::Usage, "there is no jq expression", hint));
    }
    let (mut store, notices) = open(project)?;
    let _held = match owner {
        Some(owner) => lock::during(store.folder(), &ProcessId::of(owner), waits)?,
        None => None,
    };
    // Whoever had the lock may have changed it.
    store.publish(Unreadable::Refuse)?;
    let (base, _) = store.document()?.ok_or_else(no_schedule)?;
    let text = jq(expression, base.to_text().as_bytes())?;
    let hint = "nothing was changed; correct what the expression makes";
    let made = Document::parse_hinting("the result of the jq expression", &text, hint)?;
    // In a file that somebody edits by hand it is dropped; here somebody is there to be told.
    if let Some((id, _)) = made.works.iter().find(|(id, work)| work.dependencies.contains(id)) {
        let hint = "nothing was changed; leave it out of what the expression makes";
        return Err(self_error(id).with_hint(hint));
    }
    store.take_in_made(&base, &made)?;
    store.publish(Unreadable::Refuse)?;
    ring_everyone(&store)?;
    Ok(Answer { value: (), notices })
}

/// The expression goes through a file: arguments have a limit, and one may begin with a hyphen.
fn jq(expression: &[u8], input: &[u8]) -> Result<Vec<u8>> {
    let file = |error: &std::io::Error| Error::file("write a file in", &std::env::temp_dir(), error);
    let mut program = tempfile::NamedTempFile::new().map_err(|e| file(&e))?;
    program.write_all(expression).map_err(|e| file(&e))?;
    let mut document = tempfile::tempfile().map_err(|e| file(&e))?;
    document.write_all(input).and_then(|()| document.rewind()).map_err(|e| file(&e))?;
    let done = environment::command("jq")
        .args([OsStr::new("-f"), program.path().as_os_str()])
        .current_dir(Path::new("/"))
        .stdin(Stdio::from(document))
        .output()
        .map_err(|error| {
            Error::new(
                Code::Process,
                format!("jq could not be started: {}", plain(&error)),
                "install jq; expressions are its",
            )
        })?;
    if done.status.success() {
        return Ok(done.stdout);
    }
    let said = why(&String::from_utf8_lossy(&done.stderr)).unwrap_or_else(|| done.status.to_string());
    let hint = "nothing was changed; correct the expression";
    Err(Error::new(Code::Form, format!("the expression failed: {said}"), hint))
}

/// What jq said of an expression that failed, as one line: neither what the expression itself had printed before, nor
/// how many errors there are. It repeats the expression's own lines, which may be long.
fn why(said: &str) -> Option<String> {
    const MOST: usize = 1000;
    let is_error = |line: &&str| line.starts_with("jq: error");
    let begin = said.lines().position(|line| is_error(&line)).unwrap_or(0);
    let is_count =
        |line: &&str| line.starts_with("jq: ") && !is_error(line) && line.contains(" compile error");
    let lines = said.lines().skip(begin).filter(|line| !is_count(line));
    let words: Vec<String> =
        lines.flat_map(str::split_whitespace).map(printable).filter(|word| !word.is_empty()).collect();
    let line = words.join(" ");
    let short: String = line.chars().take(MOST).collect();
    match (short.is_empty(), short.len() < line.len()) {
        (true, _) => None,
        (_, true) => Some(format!("{short}…")),
        (_, false) => Some(short),
    }
}
