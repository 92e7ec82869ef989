//! Issues of a GitHub repository, through `gh`: logins, Enterprise servers, proxies and single sign-on are its affair.
//!
//! A reading is `gh --version`, one list, and one GraphQL question where the list lacks what blocks an issue: gh
//! before 2.94 lists no dependencies, and later ones at most fifty an issue. What follows from an issue's text is not
//! looked at here.

mod edges;
mod gh;
mod node;
mod query;
mod states;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

pub use self::states::states;

use self::gh::{Gh, SOURCE};
use self::node::Row;
use self::query::{Query, is_name};
use super::tracker::{Found, MOST_ISSUES, Place, too_many};
use crate::error::{Code, Error, Result};
use crate::platform::children::{Interrupt, Never};
use crate::schedule::json;

/// What every gh lists.
const FIELDS: [&str; 6] = ["number", "title", "body", "labels", "state", "url"];
/// What gh 2.94 and later list as well.
const DEPENDENCIES: &str = "blockedBy";
/// GitHub's search finds no more than this, however many there are.
const MOST_FOUND: usize = 1000;

/// A repository at some GitHub.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Repository {
    host: String,
    /// `owner/name`.
    path: String,
}

impl Repository {
    /// The repository of an issue, by its address.
    fn of_issue(url: &str) -> Option<Repository> {
        let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"))?;
        let mut parts = rest.split('/');
        let mut part = || parts.next().filter(|part| is_name(part));
        let (host, owner, name) = (part()?, part()?, part()?);
        Some(Repository { host: host.to_owned(), path: format!("{owner}/{name}") })
    }
}

/// Reads the issues that a query finds, with what GitHub says blocks them.
///
/// Words of the query: `label:A,label:B` (both), `milestone:V`, `assignee:@me`, `state:open|closed|all`,
/// `repo:owner/name`; anything else is GitHub's own search.
///
/// # Errors
/// [`Code::Usage`] for the query; [`Code::SourceProgram`], [`Code::SourceLogin`], [`Code::SourceRefused`],
/// [`Code::SourceUnreachable`], [`Code::SourceLimit`], [`Code::SourceAnswer`]; [`Code::Interrupted`].
pub fn read(query: &str, place: &Place<'_>, interrupt: &mut dyn Interrupt) -> Result<Found> {
    let query = Query::parse(query)?;
    let gh = Gh::find(*place)?;
    let mut has_dependencies = gh.lists_dependencies(interrupt)?;
    let mut rows = None;
    if has_dependencies {
        rows = list(&gh, &query, true, interrupt)?;
        has_dependencies = rows.is_some();
    }
    let rows = match rows {
        Some(rows) => rows,
        None => list(&gh, &query, false, interrupt)?.unwrap_or_default(),
    };
    if rows.len() >= MOST_ISSUES {
        return Err(too_many(SOURCE, MOST_ISSUES - 1));
    }
    let repository = rows.iter().find_map(|row| Repository::of_issue(row.url.as_deref()?));
    let lacking: Vec<u64> = rows
        .iter()
        .filter(|row| !has_dependencies || row.is_short_of_blockers())
        .map(|row| row.number)
        .collect();
    let count = rows.len();
    let mut notices = Vec::new();
    let mut asked = BTreeMap::new();
    if let Some(repository) = &repository {
        if count == MOST_FOUND
            && let Some(search) = query.as_search(&repository.path)
            && edges::count(&gh, repository, &search, interrupt)? > MOST_FOUND as u64
        {
            return Err(too_many(SOURCE, MOST_FOUND));
        }
        if !lacking.is_empty() {
            match edges::read(&gh, repository, &lacking, interrupt)? {
                Some(blockers) => asked = blockers,
                None => notices.push(format!(
                    "{SOURCE}: {} knows no dependencies between issues; they come from the issues' texts only",
                    repository.host
                )),
            }
        }
    } else if !lacking.is_empty() {
        notices.push(format!(
            "{SOURCE}: gh gave no addresses of issues, so what GitHub itself says blocks them is not known"
        ));
    }
    let mut seen = HashSet::new();
    let mut issues = Vec::with_capacity(count);
    for mut row in rows {
        if seen.insert(row.number) {
            let listed = row.take_blockers();
            let blockers = asked.remove(&row.number).unwrap_or(listed);
            if blockers.hidden {
                let number = row.number;
                notices
                    .push(format!("{SOURCE}: #{number} is blocked by an issue that this login may not see"));
            }
            issues.push(row.issue(blockers.links));
        }
    }
    Ok(Found { issues, notices })
}

/// The list; nothing where gh, or the server, doesn't know dependencies after all.
fn list(
    gh: &Gh<'_>,
    query: &Query,
    dependencies: bool,
    interrupt: &mut dyn Interrupt,
) -> Result<Option<Vec<Row>>> {
    let mut fields = FIELDS.to_vec();
    fields.extend(dependencies.then_some(DEPENDENCIES));
    let done = gh.run(&query.arguments(MOST_ISSUES, &fields), interrupt)?;
    if !done.ok {
        return if dependencies && done.knows_no_such_field() { Ok(None) } else { Err(done.failure()) };
    }
    // gh before 2.31 prints nothing at all where nothing was found.
    if done.out.trim_ascii().is_empty() {
        return Ok(Some(Vec::new()));
    }
    serde_json::from_slice(&done.out).map(Some).map_err(|error| unreadable(&json::words(&error)))
}

fn unreadable(why: &str) -> Error {
    Error::new(
        Code::SourceAnswer,
        format!("{SOURCE}: what gh printed can't be read: {why}"),
        "see what `gh issue list --json number,title` prints here, and update gh where it is old",
    )
}

/// Whether gh is there and logged in; asks GitHub, for at most ten seconds.
///
/// # Errors
/// As [`read`].
pub fn check(place: &Place<'_>) -> Result<String> {
    let mut place = *place;
    place.patience = place.patience.min(Duration::from_secs(10));
    let gh = Gh::find(place)?;
    let done = gh.run(&["auth", "status"], &mut Never)?;
    if done.ok {
        return Ok("gh is logged in".to_owned());
    }
    let failure = done.failure();
    Err(match failure.code() {
        // Whatever its words are: this call is about nothing else.
        Code::SourceRefused => Error::new(
            Code::SourceLogin,
            "gh is not logged in",
            "run `gh auth login`, or set GH_TOKEN; `gh auth status` shows what there is",
        ),
        _ => failure,
    })
}
