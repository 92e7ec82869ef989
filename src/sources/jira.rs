//! Issues of a Jira, over its web interface: Atlassian's Cloud, or one's own Server or Data Center.
//!
//! Both are asked page by page and give the same [`Issue`](super::issue::Issue)s. Which of the two it is follows from the
//! address, and where it doesn't, from whether the search of one is there. What follows from an issue's text is not
//! looked at here.

mod answer;
mod connection;
#[cfg(test)]
#[path = "../../tests/support/jira.rs"]
mod server;
mod settings;
#[cfg(test)]
mod tests;
mod text;
mod way;

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use self::answer::{FIELDS, Page, Row};
use self::connection::{Connection, Refusal};
use self::settings::{Dialect, Settings};
use super::tracker::{Found, MOST_ISSUES, Place, interrupted, too_many};
use crate::config::JiraConfig;
use crate::error::{Code, Error, Result};
use crate::platform::children::{Interrupt, Never};
use crate::schedule::{id::quoted, json};

/// What messages call the source.
const SOURCE: &str = "jira=";
/// Issues in a page: Cloud gives no more with their descriptions.
const PAGE: usize = 100;
/// A Jira that always promises more is not believed for ever.
const MOST_PAGES: usize = 2 * MOST_ISSUES / PAGE;

/// Reads the issues that a JQL query finds, with what Jira's "Blocks" links say.
///
/// # Errors
/// [`Code::Usage`] for an empty query; [`Code::SourceLogin`], [`Code::SourceRefused`], [`Code::SourceUnreachable`],
/// [`Code::SourceLimit`], [`Code::SourceAnswer`]; [`Code::File`] for certificates; [`Code::Interrupted`]. None holds the token.
pub fn read(
    jql: &str,
    config: &JiraConfig,
    place: &Place<'_>,
    interrupt: &mut dyn Interrupt,
) -> Result<Found> {
    let jql = jql.trim();
    if jql.is_empty() || jql.contains(|c: char| c.is_control() && !c.is_whitespace()) {
        let what = if jql.is_empty() {
            "is empty".to_owned()
        } else {
            format!("{} holds a control character", quoted(jql))
        };
        return Err(Error::new(
            Code::Usage,
            format!("{SOURCE} {what}"),
            "give a JQL query, as in jira=\"project = ABC AND labels = scheduled\"",
        ));
    }
    let jira = Connection::new(Settings::read(config)?, place)?;
    let mut found = Found::default();
    if !jira.settings.private {
        found
            .notices
            .push(format!("{SOURCE}: the token goes to {} unencrypted; use https", jira.settings.host));
    }
    let search = Search { jira: &jira, jql };
    let first = jira.settings.dialect;
    let rows = match search.all(first, interrupt, &mut found.notices) {
        // The search of the one isn't at the other.
        Err(Refusal { status: Some(404 | 410), .. }) if !jira.settings.certain => {
            search.all(first.other(), interrupt, &mut found.notices).map_err(|refusal| refusal.error)?
        }
        rows => rows.map_err(|refusal| refusal.error)?,
    };
    let mut seen = HashSet::new();
    for row in rows {
        if !row.has_key() {
            return Err(unreadable(&jira, &format!("{} is no key of an issue", quoted(&row.key))));
        }
        if seen.insert(row.key.clone()) {
            found.issues.push(row.issue(&jira.settings.base));
        }
    }
    Ok(found)
}

/// Which of these issues are closed, by their keys. What isn't there, or can't be seen, is left out; so is what comes
/// after a great many of those, for texts can name any number.
///
/// # Errors
/// As [`read`].
pub fn states(
    keys: &[&str],
    config: &JiraConfig,
    place: &Place<'_>,
    interrupt: &mut dyn Interrupt,
) -> Result<HashMap<String, bool>> {
    /// So many keys make a query that every server takes.
    const AT_ONCE: usize = 100;
    const MOST_REFUSED: u32 = 100;
    let mut refused = 0;
    let mut closed = HashMap::new();
    let mut open: Vec<&[&str]> = keys.chunks(AT_ONCE).rev().collect();
    while let Some(part) = open.pop() {
        let keys: Vec<String> = part.iter().map(|key| format!("\"{key}\"")).collect();
        match read(&format!("key in ({})", keys.join(", ")), config, place, interrupt) {
            Ok(found) => closed.extend(found.issues.into_iter().map(|issue| (issue.key, issue.closed))),
            // One that isn't there fails them all.
            Err(error) if error.code() == Code::SourceRefused && refused < MOST_REFUSED => {
                refused += 1;
                let (one, other) = part.split_at(part.len() / 2);
                open.extend([other, one].into_iter().filter(|half| !one.is_empty() && !half.is_empty()));
            }
            Err(error) if error.code() == Code::SourceRefused => break,
            Err(error) => return Err(error),
        }
    }
    Ok(closed)
}

struct Search<'a> {
    jira: &'a Connection,
    jql: &'a str,
}

impl Search<'_> {
    /// Every issue; one may come twice where issues change meanwhile.
    fn all(
        &self,
        dialect: Dialect,
        interrupt: &mut dyn Interrupt,
        notices: &mut Vec<String>,
    ) -> std::result::Result<Vec<Row>, Refusal> {
        let mut rows: Vec<Row> = Vec::new();
        let mut next: Option<String> = None;
        let mut tokens = HashSet::new();
        for _ in 0..MOST_PAGES {
            if interrupt.raised() {
                return Err(interrupted(SOURCE).into());
            }
            let page = self.page(dialect, rows.len(), next.as_deref(), interrupt)?;
            let came = page.issues.len();
            rows.extend(page.issues);
            if rows.len() > MOST_ISSUES || page.total.is_some_and(|total| total > MOST_ISSUES) {
                return Err(too_many(SOURCE, MOST_ISSUES).into());
            }
            let is_over = match dialect {
                Dialect::Cloud => page.is_last == Some(true) || page.next.is_none(),
                Dialect::Server => came == 0 || page.total.is_some_and(|total| rows.len() >= total),
            };
            if is_over {
                if page.total.is_some_and(|total| rows.len() < total) {
                    notices
                        .push(format!("{SOURCE}: issues changed while they were read; one may be missing"));
                }
                return Ok(rows);
            }
            next = page.next;
            if next.as_ref().is_some_and(|token| !tokens.insert(token.clone())) {
                return Err(unreadable(self.jira, "it gives the same page again and again").into());
            }
        }
        Err(unreadable(self.jira, "it promises ever more pages").into())
    }

    fn page(
        &self,
        dialect: Dialect,
        start: usize,
        next: Option<&str>,
        interrupt: &mut dyn Interrupt,
    ) -> std::result::Result<Page, Refusal> {
        let mut query = vec![
            ("jql", self.jql.to_owned()),
            ("fields", FIELDS.to_owned()),
            ("maxResults", PAGE.to_string()),
        ];
        let path = match dialect {
            Dialect::Cloud => {
                query.extend(next.map(|token| ("nextPageToken", token.to_owned())));
                "/rest/api/3/search/jql"
            }
            Dialect::Server => {
                query.push(("startAt", start.to_string()));
                "/rest/api/2/search"
            }
        };
        let body = self.jira.get(path, &query, interrupt)?;
        serde_json::from_slice(&body).map_err(|error| {
            let is_page = body.trim_ascii_start().starts_with(b"<");
            let why =
                if is_page { "it is a web page, perhaps one to log in".into() } else { json::words(&error) };
            unreadable(self.jira, &why).into()
        })
    }
}

fn unreadable(jira: &Connection, why: &str) -> Error {
    Error::new(
        Code::SourceAnswer,
        format!("{SOURCE}: the answer of {} can't be read: {why}", jira.settings.base),
        "check that JIRA_BASE_URL leads to Jira itself",
    )
}

/// Whether the settings are whole and Jira accepts the login; asks it, for at most ten seconds.
///
/// # Errors
/// As [`read`].
pub fn check(config: &JiraConfig, place: &Place<'_>) -> Result<String> {
    let place = Place { patience: place.patience.min(Duration::from_secs(10)), ..*place };
    let jira = Connection::new(Settings::read(config)?, &place)?;
    jira.get("/rest/api/2/myself", &[], &mut Never).map_err(|refusal| refusal.error)?;
    Ok(match &jira.settings.user {
        Some(user) => format!("{} accepts the login of {}", jira.settings.host, quoted(user)),
        None => format!("{} accepts the login", jira.settings.host),
    })
}
