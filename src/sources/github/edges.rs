//! What blocks an issue, asked of GitHub's GraphQL: for a gh that doesn't list it, and for issues with more blockers
//! than gh lists.
//!
//! One question covers two hundred issues; only blockers that don't fit in an answer cost another round.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::gh::{Gh, Said};
use super::node::{Blockers, Node};
use super::{Repository, unreadable};
use crate::error::Result;
use crate::platform::children::Interrupt;

/// Issues in one question.
const AT_ONCE: usize = 200;
/// A tracker that always promises more is not believed for ever: 100 blockers a round.
const MOST_ROUNDS: usize = 100;

#[derive(Deserialize)]
struct Answer {
    data: Option<Data>,
}

#[derive(Deserialize)]
struct Data {
    repository: Option<BTreeMap<String, Option<One>>>,
}

#[derive(Deserialize)]
struct One {
    number: u64,
    #[serde(rename = "blockedBy")]
    blocked_by: Option<Page>,
}

#[derive(Deserialize)]
struct Page {
    #[serde(default)]
    nodes: Vec<Option<Node>>,
    #[serde(rename = "pageInfo")]
    info: Option<PageInfo>,
}

#[derive(Deserialize)]
struct PageInfo {
    #[serde(rename = "hasNextPage")]
    more: bool,
    #[serde(rename = "endCursor")]
    end: Option<String>,
}

/// Asks for the blockers of those issues; gives those of every one that was found, by its number, or nothing where this
/// GitHub knows no dependencies.
pub(super) fn read(
    gh: &Gh<'_>,
    repository: &Repository,
    numbers: &[u64],
    interrupt: &mut dyn Interrupt,
) -> Result<Option<BTreeMap<u64, Blockers>>> {
    let mut found: BTreeMap<u64, Blockers> = BTreeMap::new();
    let mut open: Vec<(u64, Option<String>)> = numbers.iter().map(|number| (*number, None)).collect();
    for _ in 0..MOST_ROUNDS {
        let mut unfinished = Vec::new();
        for part in open.chunks(AT_ONCE) {
            let done = ask(gh, repository, part, interrupt)?;
            let Some(issues) = issues(&done)? else { return Ok(None) };
            for issue in issues {
                let blockers = found.entry(issue.number).or_default();
                let Some(page) = issue.blocked_by else { continue };
                blockers.take_in(page.nodes, &repository.path);
                let next = page.info.filter(|info| info.more).and_then(|info| info.end);
                unfinished.extend(next.map(|cursor| (issue.number, Some(cursor))));
            }
        }
        if unfinished.is_empty() {
            return Ok(Some(found));
        }
        open = unfinished;
    }
    Err(unreadable("it promises ever more blockers of one issue"))
}

fn ask(
    gh: &Gh<'_>,
    repository: &Repository,
    issues: &[(u64, Option<String>)],
    interrupt: &mut dyn Interrupt,
) -> Result<Said> {
    let query = format!("query={}", question(repository, issues));
    gh.run(&["api", "graphql", "--hostname", &repository.host, "-f", &query], interrupt)
}

fn question(repository: &Repository, issues: &[(u64, Option<String>)]) -> String {
    const NODES: &str = "pageInfo{hasNextPage endCursor} nodes{number state repository{nameWithOwner}}";
    let (owner, name) = repository.path.split_once('/').unwrap_or_default();
    // A JSON text is a GraphQL text.
    let text = |text: &str| Value::from(text).to_string();
    let mut query = format!("query{{repository(owner:{},name:{}){{", text(owner), text(name));
    for (number, cursor) in issues {
        query.push_str(&match cursor {
            None => format!("i{number}:issue(number:{number}){{...B}} "),
            Some(cursor) => format!(
                "i{number}:issue(number:{number}){{number blockedBy(first:100,after:{}){{{NODES}}}}} ",
                text(cursor)
            ),
        });
    }
    query.push_str("}}");
    if issues.iter().any(|(_, cursor)| cursor.is_none()) {
        query.push_str(&format!(" fragment B on Issue{{number blockedBy(first:50){{{NODES}}}}}"));
    }
    query
}

/// The issues of an answer; nothing where this GitHub knows no dependencies.
fn issues(done: &Said) -> Result<Option<Vec<One>>> {
    let answer = serde_json::from_slice::<Answer>(&done.out);
    // An issue that has gone meanwhile is an error beside an answer.
    if let Ok(Answer { data: Some(Data { repository: Some(issues) }) }) = answer {
        return Ok(Some(issues.into_values().flatten().collect()));
    }
    if done.knows_no_such_field() || String::from_utf8_lossy(&done.out).contains("undefinedField") {
        return Ok(None);
    }
    if !done.ok {
        return Err(done.failure());
    }
    Err(unreadable(
        &answer
            .err()
            .map_or_else(|| "no issues in it".to_owned(), |error| crate::schedule::json::words(&error)),
    ))
}

/// How many issues a search finds.
pub(super) fn count(
    gh: &Gh<'_>,
    repository: &Repository,
    search: &str,
    interrupt: &mut dyn Interrupt,
) -> Result<u64> {
    const QUERY: &str = "query=query($q:String!){search(type:ISSUE,query:$q,first:1){issueCount}}";
    let q = format!("q={search}");
    let done =
        gh.run(&["api", "graphql", "--hostname", &repository.host, "-f", QUERY, "-f", &q], interrupt)?;
    if !done.ok {
        return Err(done.failure());
    }
    let answer: Value = serde_json::from_slice(&done.out).unwrap_or_default();
    answer["data"]["search"]["issueCount"].as_u64().ok_or_else(|| unreadable("no issueCount in it"))
}
