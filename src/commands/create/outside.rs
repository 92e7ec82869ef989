//! Issues outside of the sources: whether they are closed, and what they are called.

use std::collections::HashMap;

use serde_json::{Map, Value};

use crate::config::Config;
use crate::error::{Code, Result};
use crate::platform::children::Interrupt;
use crate::project::Project;
use crate::schedule::references::issue_of_address;
use crate::schedule::{Source, SourceType, WorkId};
use crate::sources::records::Item;
use crate::sources::resolve::Outside;
use crate::sources::tracker::Place;
use crate::sources::{github, jira};

/// What references to a work are called while it is none.
pub fn names(source: &Source) -> Vec<WorkId> {
    let key = &source.id;
    let names = match source.kind {
        SourceType::Github => {
            let elsewhere = source.url.as_deref().and_then(issue_of_address);
            let elsewhere =
                elsewhere.map(|(repository, _)| format!("GH-{}-{key}", repository.replace('/', ".")));
            [Some(format!("GH-{key}")), elsewhere]
        }
        SourceType::Jira => [Some(key.to_uppercase()), None],
        SourceType::Local => [None, None],
    };
    names.into_iter().flatten().filter_map(|name| WorkId::new(name).ok()).collect()
}

/// The address of some issue at the GitHub that was read.
pub fn near(items: &[Item]) -> Option<String> {
    let of =
        |tracker: SourceType, url: &Option<String>| url.clone().filter(|_| tracker == SourceType::Github);
    let read = items.iter().find_map(|item| match item {
        Item::Issue(issue) => of(issue.tracker, &issue.url),
        _ => None,
    });
    // Where there is none any more, those that were there lie where they lay.
    read.or_else(|| {
        items.iter().find_map(|item| match item {
            Item::Known(known) => of(known.source.kind, &known.source.url),
            _ => None,
        })
    })
}

/// Asks the trackers that were read whether issues outside are closed. Where a login may not learn that it is said, and
/// the issues count as open.
pub fn ask(
    outside: &[Outside],
    near: Option<&str>,
    sources: &[Map<String, Value>],
    config: &Config,
    project: &Project,
    interrupt: &mut dyn Interrupt,
    notices: &mut Vec<String>,
) -> Result<HashMap<Outside, bool>> {
    let reads = |kind: SourceType| {
        sources.iter().any(|source| source.get("type").and_then(Value::as_str) == Some(kind.as_str()))
    };
    let of = |kind: SourceType| outside.iter().filter(move |it| it.tracker == kind);
    let place = Place::new(project.root());
    let mut closed = HashMap::new();
    let mut unknown = |what: &str, result: Result<()>| match result {
        // What passes by itself fails the source: what is closed would count as open until somebody reads it again.
        Err(error)
            if [Code::Interrupted, Code::SourceUnreachable, Code::SourceLimit].contains(&error.code()) =>
        {
            Err(error)
        }
        Err(error) => {
            notices.push(format!("whether {what} are closed is not known: {}", error.what()));
            Ok(())
        }
        Ok(()) => Ok(()),
    };
    if let Some(near) = near.filter(|_| reads(SourceType::Github)) {
        let wanted: Vec<(String, String)> =
            of(SourceType::Github).filter_map(|it| Some((it.repository.clone()?, it.key.clone()))).collect();
        if !wanted.is_empty() {
            let answer = github::states(near, &wanted, &place, interrupt).map(|states| {
                closed.extend(states.into_iter().map(|((repository, key), is_closed)| {
                    let tracker = SourceType::Github;
                    (Outside { tracker, repository: Some(repository), key }, is_closed)
                }));
            });
            unknown("some issues of GitHub", answer)?;
        }
    }
    let keys: Vec<&str> = of(SourceType::Jira).map(|it| it.key.as_str()).collect();
    if reads(SourceType::Jira) && !keys.is_empty() {
        let answer = jira::states(&keys, &config.jira, &place, interrupt).map(|states| {
            closed.extend(states.into_iter().map(|(key, is_closed)| {
                (Outside { tracker: SourceType::Jira, repository: None, key }, is_closed)
            }));
        });
        unknown("some tickets", answer)?;
    }
    Ok(closed)
}
