//! Which work a reference means.

use std::collections::HashMap;

use super::Outside;
use super::merge::{Entry, Standing};
use crate::schedule::edge::Resolved;
use crate::schedule::references::{Target, issue_of_address};
use crate::schedule::{SourceType, WorkId};
use crate::sources::records::Follows;

/// What a reference means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Meaning {
    /// The work of that entry.
    Work(usize),
    /// Something outside.
    Outside {
        /// The name it goes by.
        id: WorkId,
        /// Whether an issue can be told behind it.
        resolved: Resolved,
        /// The issue, where it can be asked for.
        issue: Option<Outside>,
        /// The works that it fits, where there are several.
        fits: Vec<WorkId>,
    },
    /// It is no reference after all.
    Nothing,
}

/// Names that look like a ticket's and are none: `UTF-8`, `SHA-256`.
const STANDARDS: [&str; 22] = [
    "utf", "ucs", "sha", "md", "aes", "rsa", "iso", "iec", "ieee", "ecma", "es", "cve", "ipv", "tls", "ssl",
    "http", "usb", "cp", "base", "covid", "x", "h",
];

/// Types of works: what looks like a ticket of such a project is the beginning of an identifier.
const TYPES: [&str; 6] = ["feat", "fix", "refactor", "chore", "rfc", "jira"];

#[derive(Debug)]
struct Place {
    id: WorkId,
    tracker: SourceType,
    repository: Option<String>,
    closed: bool,
}

/// Every entry by all the names it goes by.
#[derive(Debug)]
pub struct Directory {
    places: Vec<Place>,
    by_key: HashMap<String, Vec<usize>>,
    by_number: HashMap<String, Vec<usize>>,
    by_url: HashMap<String, usize>,
    by_id: HashMap<String, usize>,
    /// In order, for what only begins like one.
    ids: Vec<(String, usize)>,
    any_jira: bool,
}

impl Directory {
    pub fn new(entries: &[Entry]) -> Directory {
        let mut directory = Directory {
            places: Vec::with_capacity(entries.len()),
            by_key: HashMap::new(),
            by_number: HashMap::new(),
            by_url: HashMap::new(),
            by_id: HashMap::new(),
            ids: Vec::with_capacity(entries.len()),
            any_jira: false,
        };
        for (n, entry) in entries.iter().enumerate() {
            let id = entry.id.as_str().to_lowercase();
            match entry.tracker() {
                SourceType::Local => {
                    let number = id.split('-').nth(1).filter(|part| is_number(part));
                    if let Some(number) = number {
                        directory.by_number.entry(number.to_owned()).or_default().push(n);
                    }
                }
                SourceType::Github | SourceType::Jira => {
                    directory.by_key.entry(entry.key().to_lowercase()).or_default().push(n);
                }
            }
            directory.any_jira |= entry.tracker() == SourceType::Jira;
            if let Some(url) = entry.work.source.as_ref().and_then(|source| source.url.as_deref()) {
                directory.by_url.insert(plain(url), n);
            }
            directory.by_id.insert(id.clone(), n);
            directory.ids.push((id, n));
            directory.places.push(Place {
                id: entry.id.clone(),
                tracker: entry.tracker(),
                repository: entry.repository(),
                closed: match entry.known {
                    Some(Standing { follows: Follows::Nothing, .. }) => false,
                    Some(Standing { follows: Follows::Closed, named: false }) => true,
                    _ => entry.issue.as_ref().is_some_and(|issue| issue.closed),
                },
            });
        }
        directory.ids.sort();
        directory
    }

    /// Takes in that an entry's issue is done.
    pub fn close(&mut self, n: usize) {
        self.places[n].closed = true;
    }

    /// Whether an entry's issue is done.
    pub fn is_closed(&self, n: usize) -> bool {
        self.places[n].closed
    }

    /// The work of exactly that identifier.
    pub fn exact(&self, id: &WorkId) -> Meaning {
        let found = self.by_id.get(&id.as_str().to_lowercase()).filter(|n| self.places[**n].id == *id);
        match found {
            Some(&n) => Meaning::Work(n),
            None => outside(id.as_str(), Resolved::Unknown, None),
        }
    }

    /// What a reference means that stands in entry `from`.
    pub fn meaning(&self, from: usize, target: &Target) -> Meaning {
        match target {
            Target::Number(number) => self.number(self.places[from].repository.as_deref(), number),
            Target::Elsewhere { repository, number } => self.elsewhere(from, repository, number),
            Target::Url(url) => self.address(from, url),
            Target::Name { text, certain } => self.name(from, text, *certain),
        }
    }

    fn number(&self, repository: Option<&str>, number: &str) -> Meaning {
        let all = self.by_key.get(number).map(Vec::as_slice).unwrap_or_default();
        let github: Vec<usize> =
            all.iter().copied().filter(|n| self.places[*n].tracker == SourceType::Github).collect();
        let here: Vec<usize> = github
            .into_iter()
            .filter(|n| match (&self.places[*n].repository, repository) {
                (Some(theirs), Some(ours)) => theirs.eq_ignore_ascii_case(ours),
                _ => true,
            })
            .collect();
        let named = || self.by_number.get(number).cloned().unwrap_or_default();
        let fits = if here.is_empty() { named() } else { here };
        match fits.as_slice() {
            [one] => Meaning::Work(*one),
            [] => {
                let issue = Outside {
                    tracker: SourceType::Github,
                    repository: repository.map(str::to_owned),
                    key: number.to_owned(),
                };
                outside(&format!("GH-{number}"), Resolved::External, Some(issue))
            }
            several => self.several(&format!("GH-{number}"), several),
        }
    }

    fn elsewhere(&self, from: usize, repository: &str, number: &str) -> Meaning {
        let wanted = repository.to_lowercase();
        let is_it = |n: &usize| {
            let place = &self.places[*n];
            let theirs = place.repository.as_deref().unwrap_or_default();
            let same = theirs == wanted
                || (!wanted.contains('/') && theirs.rsplit('/').next() == Some(wanted.as_str()));
            place.tracker == SourceType::Github && same
        };
        let known = self.by_key.get(number).and_then(|all| all.iter().copied().find(is_it));
        if let Some(n) = known {
            return Meaning::Work(n);
        }
        if self.places[from].repository.as_deref() == Some(wanted.as_str()) {
            return self.number(Some(&wanted), number);
        }
        let whole = repository.contains('/').then(|| Outside {
            tracker: SourceType::Github,
            repository: Some(wanted.clone()),
            key: number.to_owned(),
        });
        outside(&format!("GH-{}-{number}", repository.replace('/', ".")), Resolved::External, whole)
    }

    fn address(&self, from: usize, url: &str) -> Meaning {
        if let Some(&n) = self.by_url.get(&plain(url)) {
            return Meaning::Work(n);
        }
        if let Some((repository, number)) = issue_of_address(url) {
            return self.elsewhere(from, &repository, &number);
        }
        let path = url.split(['?', '#']).next().unwrap_or_default().trim_end_matches('/');
        let last = path.rsplit('/').next().unwrap_or_default();
        if path.contains("/browse/") && is_ticket(last) {
            return self.name(from, last, true);
        }
        let name = url.split_once("://").map_or(url, |(_, rest)| rest);
        outside(&format!("URL-{name}"), Resolved::External, None)
    }

    fn name(&self, from: usize, text: &str, certain: bool) -> Meaning {
        let lower = text.to_lowercase();
        let ticket = self
            .by_key
            .get(&lower)
            .and_then(|all| all.iter().copied().find(|n| self.places[*n].tracker == SourceType::Jira));
        if let Some(n) = ticket.or_else(|| self.by_id.get(&lower).copied()) {
            return Meaning::Work(n);
        }
        if !certain {
            return Meaning::Nothing;
        }
        let fits = self.beginning(&lower);
        if let [one] = fits.as_slice() {
            return Meaning::Work(*one);
        }
        if fits.len() > 1 {
            return self.several(text, &fits);
        }
        let project = lower.split('-').next().unwrap_or_default();
        if !is_ticket(text) || TYPES.contains(&project) {
            return outside(text, Resolved::Unknown, None);
        }
        if STANDARDS.contains(&project) {
            return Meaning::Nothing;
        }
        if self.any_jira || self.places[from].tracker == SourceType::Jira {
            let key = text.to_uppercase();
            let issue = Outside { tracker: SourceType::Jira, repository: None, key: key.clone() };
            return outside(&key, Resolved::External, Some(issue));
        }
        outside(text, Resolved::Unknown, None)
    }

    /// The entries whose identifier begins so; `FEAT-1` is no beginning of `FEAT-12-x`.
    fn beginning(&self, lower: &str) -> Vec<usize> {
        if lower.is_empty() {
            return Vec::new();
        }
        let first = self.ids.partition_point(|(id, _)| id.as_str() < lower);
        let cut = lower.ends_with(|c: char| c.is_ascii_digit());
        self.ids[first..]
            .iter()
            .take_while(|(id, _)| id.starts_with(lower))
            .filter(|(id, _)| !(cut && id[lower.len()..].starts_with(|c: char| c.is_ascii_digit())))
            .map(|(_, n)| *n)
            .take(3)
            .collect()
    }

    fn several(&self, text: &str, fits: &[usize]) -> Meaning {
        match outside(text, Resolved::Unknown, None) {
            Meaning::Outside { id, resolved, issue, .. } => {
                let fits = fits.iter().map(|n| self.places[*n].id.clone()).collect();
                Meaning::Outside { id, resolved, issue, fits }
            }
            other => other,
        }
    }
}

/// Something outside, under a name that can stand in a list of dependencies.
fn outside(text: &str, resolved: Resolved, issue: Option<Outside>) -> Meaning {
    match id_of(text) {
        Some(id) => Meaning::Outside { id, resolved, issue, fits: Vec::new() },
        None => Meaning::Nothing,
    }
}

fn id_of(text: &str) -> Option<WorkId> {
    let mut name = String::new();
    for c in text.chars() {
        let c = if c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-') { c } else { '-' };
        let doubled = matches!(c, '-' | '.') && name.ends_with(['-', '.']);
        let begins = !name.is_empty() || c.is_ascii_alphanumeric();
        if begins && !doubled && name.len() < WorkId::MAX {
            name.push(c);
        }
    }
    let name = name.trim_end_matches(['-', '.', '_']);
    WorkId::new(name.strip_suffix(".lock").unwrap_or(name)).ok()
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

fn is_ticket(text: &str) -> bool {
    let Some((project, number)) = text.split_once('-') else { return false };
    let begins = project.starts_with(|c: char| c.is_ascii_alphabetic());
    begins && project.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') && is_number(number)
}

/// An address without what doesn't say where: scheme, query, anchor, last slash.
fn plain(url: &str) -> String {
    let url = url.split(['?', '#']).next().unwrap_or_default();
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.trim_end_matches('/').to_lowercase()
}
