//! The trackers that this project's works come from: is what they are read with installed, and is one logged in?
//!
//! They are asked for ten seconds at most. A batch that runs needs none of them, so what is wrong is a warning.

use serde_json::Value;

use super::{Health, Row, ok};
use crate::config::Config;
use crate::error::Result;
use crate::platform::environment;
use crate::project::Project;
use crate::sources::tracker::Place;
use crate::sources::{github, jira};
use crate::store::content::read_document;

/// A row for each tracker that is used here.
pub(super) fn rows(project: &Project, config: &Config) -> Vec<Row> {
    let place = Place::new(project.root());
    let used = used(project, config);
    let is_used = |tracker: &str| used.iter().any(|it| it == tracker);
    let names_jira = ["JIRA_BASE_URL", "JIRA_URL"].iter().any(|name| environment::filled(name).is_some());
    let mut rows = Vec::new();
    if is_used("github") {
        rows.push(row("github", github::check(&place)));
    }
    if is_used("jira") || names_jira || config.jira.domain.is_some() {
        rows.push(row("jira", jira::check(&config.jira, &place)));
    }
    rows
}

fn row(check: &'static str, result: Result<String>) -> Row {
    match result {
        Ok(message) => ok(check, message),
        Err(error) => Row {
            check,
            state: Health::Warning,
            message: error.what().to_owned(),
            hint: Some(error.hint().to_owned()),
        },
    }
}

/// The kinds of source that the schedule and the configuration have; a schedule that can't be read has none, which
/// another row says.
fn used(project: &Project, config: &Config) -> Vec<String> {
    let text = read_document(&project.schedule_file()).ok().flatten().unwrap_or_default();
    let document: Value = serde_json::from_slice(&text).unwrap_or_default();
    let given = document["sources"].as_array().into_iter().flatten();
    let works = document["works"].as_object().into_iter().flat_map(|works| works.values());
    let kinds = given.chain(works.map(|work| &work["source"])).map(|source| &source["type"]);
    let configured = config.batch.sources.iter().filter_map(|source| Some(source.split_once('=')?.0));
    kinds.filter_map(Value::as_str).chain(configured).map(str::to_owned).collect()
}
