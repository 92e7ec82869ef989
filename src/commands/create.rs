//! `wf0 schedule create`: the schedule from its sources.

use std::path::Path;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value};

use super::Answer;
use crate::config::Config;
use crate::error::{Code, Error, Result};
use crate::project::Project;
use crate::schedule::document::VERSION;
use crate::schedule::references::Patterns;
use crate::schedule::{Document, ScheduleStatus};
use crate::sources;
use crate::sources::resolve::Reading;
use crate::store::Store;
use crate::store::content::read_document;
use crate::store::create::Checked;
use crate::store::intake::Unreadable;
use crate::store::processes::Place;
use crate::store::works::Owner;

/// Where works come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum From {
    /// Identifiers, as `local=A,B` gives them.
    Local(String),
    /// A JSON text and the name it goes by: a schedule, or a list of records.
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
    /// A source as it is typed: `local=A,B`.
    ///
    /// # Errors
    /// [`Code::Usage`] for anything else.
    pub fn parse(source: &str) -> Result<From> {
        match source.split_once('=') {
            Some(("local", list)) => Ok(From::Local(list.to_owned())),
            Some((tracker @ ("github" | "jira"), _)) => Err(Error::new(
                Code::Usage,
                format!("{tracker}= is not supported by this version"),
                "export the issues to a list of records and use --from FILE",
            )),
            _ => Err(Error::new(
                Code::Usage,
                format!("{} is no source of works", crate::schedule::id::quoted(source)),
                "use local=ID,ID or --from FILE",
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

/// Creates the schedule. Nothing is changed where anything is wrong with any source.
///
/// # Errors
/// [`Code::Exists`] without `force`; [`Code::Running`]; [`Code::Form`], [`Code::WorkId`], [`Code::Cycle`],
/// [`Code::Collision`], [`Code::Duplicate`].
pub fn create(project: &Project, request: &Request) -> Result<Answer<Created>> {
    let config = project.config()?;
    let (document, mut notices) = read(request, &config)?;
    let unused = unused_keys(&document);
    let checked = Checked::new(document, &config.branch_prefix)?;
    let mut store = Store::open(project)?;
    refuse_while_running(&store)?;
    let there = read_document(&project.schedule_file())?.is_some() || store.status()?.is_some();
    if there && !request.force {
        return Err(Error::new(
            Code::Exists,
            format!("{} exists already", project.schedule_file().display()),
            "replace it with --force, or remove it with `wf0 schedule clear`",
        ));
    }
    if store.status()?.is_some() {
        store.archive()?;
    }
    store.replace(&checked, config.batch.default_parallel)?;
    store.publish(Unreadable::PutAside)?;
    let file = project.schedule_file().display().to_string();
    notices.extend(checked.warnings.iter().cloned().chain(unused));
    Ok(Answer { value: Created { works: checked.len(), file }, notices })
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

fn read(request: &Request, config: &Config) -> Result<(Document, Vec<String>)> {
    let patterns = Patterns::new(config.batch.dependency_patterns.as_deref())?;
    let mut document = Document {
        version: VERSION.into(),
        created_at: Some(Timestamp::now()),
        status: ScheduleStatus::Pending,
        sources: Vec::new(),
        works: Default::default(),
        execution: None,
        progress: None,
        wf0: None,
        extra: Map::new(),
    };
    if request.from.is_empty() {
        return Err(Error::new(
            Code::Usage,
            "no source of works was given",
            "use local=ID,ID or --from FILE (- reads standard input)",
        ));
    }
    let (mut items, mut notices) = (Vec::new(), Vec::new());
    for from in &request.from {
        let mut add = |mut part: sources::table::Table| {
            document.sources.append(&mut part.sources);
            document.extra.append(&mut part.extra);
            part.created_at.inspect(|at| document.created_at = Some(*at));
            notices.append(&mut part.notices);
            items.append(&mut part.items);
        };
        match from {
            From::Local(ids) => {
                let source =
                    [("type", "local"), ("ids", ids)].map(|(key, text)| (key.to_owned(), Value::from(text)));
                document.sources.push(source.into_iter().collect());
                items.append(&mut sources::local::read(ids)?);
            }
            From::Text { text, name } => {
                add(sources::table::read(name, text)?);
            }
            From::Values { values, name } => add(sources::table::from_values(name, values.clone())?),
        }
    }
    let works = Reading::new(items, &patterns)?.works(&Default::default());
    notices.extend(works.notices);
    document.works = works.works;
    Ok((document, notices))
}

/// Keys of works that mean nothing here: kept, but perhaps meant otherwise (`depends`).
fn unused_keys(document: &Document) -> Option<String> {
    let keys: std::collections::BTreeSet<&str> =
        document.works.values().flat_map(|work| work.extra.keys().map(String::as_str)).collect();
    let names: Vec<String> = keys.into_iter().take(12).map(crate::schedule::id::quoted).collect();
    (!names.is_empty()).then(|| {
        let known = "work_id, dependencies, priority, title, url and source";
        format!("kept, but of no meaning here: {}; wf0 reads {known}", names.join(", "))
    })
}
