//! `wf0 schedule create`: the schedule from its sources, and what it would be.
//!
//! Over a schedule that is there, what is done stays done and what was edited by hand stays edited; new works are
//! added, and those that no source names any more are marked. Nothing is written before every source has answered.

mod gather;
mod outside;
mod renew;

use std::path::Path;

use serde::Serialize;
use serde_json::{Map, Value};

use super::{Answer, show};
use crate::config::Config;
use crate::error::{Code, Error, Result};
use crate::platform::children::{Interrupt, Never};
use crate::project::Project;
use crate::schedule::Edge;
use crate::schedule::id::quoted;
use crate::sources::records::Item;
use crate::store::Store;
use crate::store::create::Checked;
use crate::store::intake::Unreadable;
use crate::store::processes::Place;
use crate::store::works::Owner;
use renew::Existing;

/// So many warnings are said one by one.
const WARNINGS: usize = 20;

/// Where works come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum From {
    /// A query for issues at GitHub.
    Github(String),
    /// A JQL query.
    Jira(String),
    /// Identifiers, as `local=A,B` gives them.
    Local(String),
    /// A text and the name it goes by: a schedule, or a list of records as JSON, NDJSON or CSV.
    Text {
        /// The text.
        text: Vec<u8>,
        /// A path, or `standard input`.
        name: String,
    },
    /// Records that a front end has as values already, and the name they go by.
    Values {
        /// The records.
        values: Vec<Value>,
        /// Where they come from.
        name: String,
    },
}

impl From {
    /// A source as it is typed: `github=label:scheduled`, `jira=project = ABC`, `local=A,B`.
    ///
    /// # Errors
    /// [`Code::Usage`] for anything else.
    pub fn parse(source: &str) -> Result<From> {
        match source.split_once('=') {
            Some(("github", query)) => Ok(From::Github(query.to_owned())),
            Some(("jira", jql)) => Ok(From::Jira(jql.to_owned())),
            Some(("local", list)) => Ok(From::Local(list.to_owned())),
            _ => Err(Error::new(
                Code::Usage,
                format!("{} is no source of works", quoted(source)),
                "use github=QUERY, jira=JQL, local=ID,ID or --from FILE",
            )),
        }
    }

    /// The text of a file.
    ///
    /// # Errors
    /// [`Code::File`].
    pub fn file(path: &Path) -> Result<From> {
        let text = std::fs::read(path).map_err(|error| Error::file("read", path, &error))?;
        Ok(From::Text { text, name: path.display().to_string() })
    }
}

/// What is to be created.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Request {
    /// The sources, at least one.
    pub from: Vec<From>,
    /// Whether those of `batch.sources` in the configuration are read as well.
    pub all: bool,
    /// Whether an existing schedule is replaced.
    pub force: bool,
}

/// What was created.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Created {
    /// How many works there are.
    pub works: usize,
    /// The file that others read.
    pub file: String,
}

/// What would be created.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Preview {
    /// The works by priority.
    pub works: Vec<show::Row>,
    /// What they would wait for.
    pub edges: Vec<Edge>,
}

/// Creates the schedule, or renews the one that is there. Nothing is changed where anything is wrong with any source.
///
/// # Errors
/// [`Code::Running`]; [`Code::Form`], [`Code::WorkId`], [`Code::Cycle`], [`Code::Collision`], [`Code::Duplicate`]; what a
/// tracker answers.
pub fn create(project: &Project, request: &Request) -> Result<Answer<Created>> {
    create_until(project, request, &mut Never)
}

/// The same, ended early where `interrupt` is raised while a tracker is read.
///
/// # Errors
/// As [`create`]; [`Code::Interrupted`].
pub fn create_until(
    project: &Project,
    request: &Request,
    interrupt: &mut dyn Interrupt,
) -> Result<Answer<Created>> {
    let config = project.config()?;
    let gathered = gather::read(project, request, &config, interrupt)?;
    let mut store = Store::open(project)?;
    refuse_while_running(&store)?;
    let mut notices = Vec::new();
    let existing = if request.force {
        None
    } else {
        notices.extend(store.publish(Unreadable::Refuse)?);
        Existing::of(&store)?
    };
    let renews = existing.is_some();
    let checked = prepare(gathered, existing, &config, interrupt, project, &mut notices)?;
    if renews {
        store.renew(&checked)?;
        store.publish(Unreadable::Refuse)?;
    } else {
        if store.status()?.is_some() {
            store.archive()?;
        }
        store.replace(&checked, config.batch.default_parallel)?;
        store.publish(Unreadable::PutAside)?;
    }
    let file = project.schedule_file().display().to_string();
    Ok(Answer { value: Created { works: checked.len(), file }, notices })
}

/// What [`create`] would do, without doing any of it.
///
/// # Errors
/// As [`create_until`].
pub fn preview(
    project: &Project,
    request: &Request,
    interrupt: &mut dyn Interrupt,
) -> Result<Answer<Preview>> {
    let config = project.config()?;
    let gathered = gather::read(project, request, &config, interrupt)?;
    let store = Store::look(project)?;
    let existing = if request.force { None } else { Existing::look(project, store.as_ref())? };
    let mut notices = Vec::new();
    if let Some(Err(error)) = store.as_ref().map(refuse_while_running) {
        notices.push(format!("{}: without --dry-run this is refused until it ends", error.what()));
    }
    let checked = prepare(gathered, existing, &config, interrupt, project, &mut notices)?;
    let edges = checked.edges().to_vec();
    let works = show::of(checked.into_schedule().works);
    Ok(Answer { value: Preview { works, edges }, notices })
}

fn prepare(
    gathered: gather::Gathered,
    existing: Option<Existing>,
    config: &Config,
    interrupt: &mut dyn Interrupt,
    project: &Project,
    notices: &mut Vec<String>,
) -> Result<Checked> {
    notices.extend(unused_keys(gathered.items.iter().filter_map(Item::extra)));
    let (document, edges) = renew::document(gathered, existing, config, project, interrupt, notices)?;
    if document.works.is_empty() {
        nothing_found(&document.sources)?;
    }
    let checked = Checked::with_edges(document, edges, &config.branch_prefix)?;
    notices.extend(checked.warnings.iter().take(WARNINGS).cloned());
    if let Some(more) = checked.warnings.len().checked_sub(WARNINGS).filter(|more| *more > 0) {
        notices.push(format!("and {more} more of this kind: `wf0 schedule validate` lists them"));
    }
    Ok(checked)
}

/// Refuses queries that find nothing, by name.
fn nothing_found(sources: &[Map<String, Value>]) -> Result<()> {
    let text = |source: &Map<String, Value>, key: &str| source.get(key).and_then(Value::as_str).map(quoted);
    let queries: Vec<String> = sources
        .iter()
        .filter_map(|source| Some((source.get("type")?.as_str()?, text(source, "query")?)))
        .map(|(kind, query)| format!("{kind}={query}"))
        .collect();
    if queries.is_empty() {
        return Ok(());
    }
    Err(Error::new(
        Code::Form,
        format!("no open issue is found by {}", queries.join(", ")),
        "correct the query; `gh issue list` or Jira's own search shows what it finds",
    ))
}

/// Refuses what must not happen while the batch runs.
///
/// # Errors
/// [`Code::Running`].
pub fn refuse_while_running(store: &Store) -> Result<()> {
    let runs = store.runs()?;
    if store.serving(Place::Scheduler)?.is_some() || runs.iter().any(|run| run.owner == Owner::Runner) {
        return Err(Error::new(Code::Running, "the batch is running", "end it with `wf0 batch stop` first"));
    }
    runs.first().map_or(Ok(()), |run| {
        Err(Error::new(
            Code::Running,
            format!("'{}' is claimed by a script as {}", run.work_id, run.worker),
            format!("let the script end, or give it back with `wf0 work release {}`", run.worker),
        ))
    })
}

/// Keys of works that mean nothing here: kept, but perhaps meant otherwise (`depends`).
fn unused_keys<'a>(works: impl Iterator<Item = &'a Map<String, Value>>) -> Option<String> {
    let keys: std::collections::BTreeSet<&str> =
        works.flat_map(|extra| extra.keys().map(String::as_str)).collect();
    let names: Vec<String> = keys.into_iter().take(12).map(quoted).collect();
    (!names.is_empty()).then(|| {
        let known = "work_id, dependencies, priority, title, url and source";
        format!("kept, but of no meaning here: {}; wf0 reads {known}", names.join(", "))
    })
}
