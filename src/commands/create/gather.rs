//! Reading all sources of a call, before anything is opened or written.

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::{From, Request};
use crate::config::Config;
use crate::error::{Code, Error, Result};
use crate::platform::children::Interrupt;
use crate::project::Project;
use crate::sources::records::Item;
use crate::sources::tracker::Place;
use crate::sources::{self, table};

/// What the sources gave.
#[derive(Debug, Default)]
pub struct Gathered {
    /// Works and issues.
    pub items: Vec<Item>,
    /// The sources, as schedule.json names them.
    pub sources: Vec<Map<String, Value>>,
    /// When a schedule among them was created.
    pub created_at: Option<Timestamp>,
    /// Keys of a schedule among them that wf0 does not know.
    pub extra: Map<String, Value>,
    /// What people should know.
    pub notices: Vec<String>,
}

/// Reads every source; one that fails fails them all.
pub fn read(
    project: &Project,
    request: &Request,
    config: &Config,
    interrupt: &mut dyn Interrupt,
) -> Result<Gathered> {
    let configured = if request.all { configured(config)? } else { Vec::new() };
    if request.from.is_empty() && configured.is_empty() {
        return Err(Error::new(
            Code::Usage,
            "no source of works was given",
            "use github=QUERY, jira=JQL, local=ID,ID, --from FILE or --all; a pipe is `--from -`, in Nushell it just ends here",
        ));
    }
    let mut all = Gathered::default();
    for from in configured.iter().chain(&request.from) {
        let part = one(project, from, config, interrupt)?;
        all.items.extend(part.items);
        for source in part.sources {
            if !all.sources.contains(&source) {
                all.sources.push(source);
            }
        }
        all.created_at = part.created_at.or(all.created_at);
        all.extra.extend(part.extra);
        all.notices.extend(part.notices);
    }
    Ok(all)
}

fn configured(config: &Config) -> Result<Vec<From>> {
    if config.batch.sources.is_empty() {
        return Err(Error::new(
            Code::Usage,
            "--all reads the sources of batch.sources, and there are none",
            r#"name them in .wf/config.json, as in "batch": {"sources": ["github=label:scheduled"]}"#,
        ));
    }
    let parse = |text: &String| {
        From::parse(text).map_err(|error| {
            Error::new(Code::Config, format!("batch.sources: {}", error.what()), error.hint())
        })
    };
    config.batch.sources.iter().map(parse).collect()
}

fn one(project: &Project, from: &From, config: &Config, interrupt: &mut dyn Interrupt) -> Result<Gathered> {
    let source = |kind: &str, key: &str, text: &str| {
        let pairs = [("type", kind), (key, text)].map(|(key, text)| (key.to_owned(), Value::from(text)));
        vec![pairs.into_iter().collect()]
    };
    let of_table = |table: table::Table| Gathered {
        items: table.items,
        sources: table.sources,
        created_at: table.created_at,
        extra: table.extra,
        notices: table.notices,
    };
    let of_issues = |found: sources::tracker::Found, sources| Gathered {
        items: found.issues.into_iter().map(Item::from).collect(),
        notices: found.notices,
        sources,
        ..Gathered::default()
    };
    Ok(match from {
        From::Github(query) => {
            let found = sources::github::read(query, &Place::new(project.root()), interrupt)?;
            of_issues(found, source("github", "query", query))
        }
        From::Jira(jql) => {
            let found = sources::jira::read(jql, &config.jira, &Place::new(project.root()), interrupt)?;
            of_issues(found, source("jira", "query", jql))
        }
        From::Local(ids) => Gathered {
            items: sources::local::read(ids, project)?,
            sources: source("local", "ids", ids),
            ..Gathered::default()
        },
        From::Text { text, name } => of_table(table::read(name, text)?),
        From::Values { values, name } => of_table(table::from_values(name, values.clone())?),
    })
}
