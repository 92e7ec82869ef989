//! One entry for each issue or work, whatever number of sources it comes from.

use std::collections::HashMap;

use super::Outside;
use crate::error::{Code, Error, Result};
use crate::schedule::references::issue_of_address;
use crate::schedule::{Source, SourceType, WorkId, WorkRecord};
use crate::sources::issue::Issue;
use crate::sources::records::{Follows, Item, Listed};

/// What is known of one work.
#[derive(Debug)]
pub struct Entry {
    /// Its identifier.
    pub id: WorkId,
    /// The work without what issues and references say of its dependencies.
    pub work: WorkRecord,
    /// References that lists give.
    pub depends: Vec<String>,
    /// The issue.
    pub issue: Option<Issue>,
    /// Whether it is a work of the schedule that is there.
    pub known: Option<Standing>,
}

/// What is known of a work of the schedule that is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// What its issue means to it.
    pub follows: Follows,
    /// Whether a source still names it.
    pub named: bool,
}

impl Entry {
    /// Where it comes from.
    pub fn tracker(&self) -> SourceType {
        self.work.source.as_ref().map_or(SourceType::Local, |source| source.kind)
    }

    /// Whether it is there, and nothing has been heard of its issue.
    pub fn is_left(&self) -> bool {
        self.tracker() != SourceType::Local
            && self.known == Some(Standing { follows: Follows::Issue, named: false })
    }

    /// Where its issue lies.
    pub fn place(&self) -> Outside {
        Outside { tracker: self.tracker(), repository: self.repository(), key: self.key().to_owned() }
    }

    /// Its number or key there.
    pub fn key(&self) -> &str {
        self.work.source.as_ref().map_or(self.id.as_str(), |source| source.id.as_str())
    }

    /// Its repository, in lower case.
    pub fn repository(&self) -> Option<String> {
        let known = self.issue.as_ref().and_then(|issue| issue.repository.clone());
        known.or_else(|| self.work.source.as_ref().and_then(repository)).map(|it| it.to_lowercase())
    }
}

/// The repository of a source, by its address.
fn repository(source: &Source) -> Option<String> {
    let named = || source.extra.get("repository").and_then(|it| it.as_str()).map(str::to_owned);
    source.url.as_deref().and_then(issue_of_address).map(|(repository, _)| repository).or_else(named)
}

/// The entries, in the order in which they first come.
pub fn entries(items: Vec<Item>) -> Result<Vec<Entry>> {
    let mut all = All::default();
    for item in items {
        match item {
            Item::Issue(issue) => all.issue(*issue)?,
            Item::Listed(listed) => all.listed(*listed),
            Item::Known(known) => {
                let work = WorkRecord::new(known.source);
                let standing = Standing { follows: known.follows, named: false };
                let (depends, issue) = (Vec::new(), None);
                all.add(Entry { id: known.id, work, depends, issue, known: Some(standing) });
            }
        }
    }
    Ok(all.entries)
}

#[derive(Default)]
struct All {
    entries: Vec<Entry>,
    by_id: HashMap<WorkId, usize>,
    by_key: HashMap<(SourceType, String), Vec<usize>>,
}

impl All {
    fn issue(&mut self, issue: Issue) -> Result<()> {
        let repository = issue.repository.as_ref().map(|it| it.to_lowercase());
        if let Some(at) = self.same(issue.tracker, &issue.key, repository.as_deref()) {
            self.entries[at].take_issue(issue);
            return Ok(());
        }
        let id = issue.work_id()?;
        if let Some(&at) = self.by_id.get(&id) {
            let known = &mut self.entries[at];
            if known.tracker() != SourceType::Local || (known.issue.is_some() && known.known.is_none()) {
                return Err(collision(&id, known, &issue));
            }
            // A name on the command line, and now we know what it is.
            known.work.source = Some(issue.source());
            known.take_issue(issue);
            self.know(at);
            return Ok(());
        }
        let mut work = WorkRecord::new(issue.source());
        work.priority = issue.priority;
        self.add(Entry { id, work, depends: Vec::new(), issue: Some(issue), known: None });
        Ok(())
    }

    fn listed(&mut self, listed: Listed) {
        let Listed { id, work, depends } = listed;
        let from = work.source.as_ref().filter(|source| source.kind != SourceType::Local);
        let same = from.and_then(|source| {
            self.same(source.kind, &source.id, repository(source).map(|it| it.to_lowercase()).as_deref())
        });
        match self.by_id.get(&id).copied().or(same) {
            Some(at) => self.entries[at].take_listed(id.clone(), work, depends),
            None => return self.add(Entry { id, work, depends, issue: None, known: None }),
        }
        if let Some(at) = same {
            self.by_id.insert(id, at);
        }
    }

    fn add(&mut self, entry: Entry) {
        self.by_id.insert(entry.id.clone(), self.entries.len());
        self.entries.push(entry);
        self.know(self.entries.len() - 1);
    }

    fn know(&mut self, at: usize) {
        let entry = &self.entries[at];
        if entry.tracker() != SourceType::Local {
            let key = (entry.tracker(), entry.key().to_lowercase());
            self.by_key.entry(key).or_default().push(at);
        }
    }

    fn same(&self, tracker: SourceType, key: &str, repository: Option<&str>) -> Option<usize> {
        let places = self.by_key.get(&(tracker, key.to_lowercase()))?;
        places.iter().copied().find(|at| {
            let known = self.entries[*at].repository();
            repository.is_none() || known.is_none() || known.as_deref() == repository
        })
    }
}

impl Entry {
    /// The source that is there is what it was read from last; a title may have changed since.
    fn name_again(&mut self, source: Option<Source>) {
        let tracker = self.tracker();
        if let Some(standing) = self.known.as_mut().filter(|standing| !standing.named) {
            standing.named = true;
            let mut source = source.filter(|new| new.kind != SourceType::Local || tracker == new.kind);
            if let (Some(old), Some(new)) = (&mut self.work.source, &mut source) {
                new.title = new.title.take().or(old.title.take());
                new.url = new.url.take().or(old.url.take());
            }
            self.work.source = source.or(self.work.source.take());
        }
    }

    fn take_issue(&mut self, issue: Issue) {
        self.name_again(Some(issue.source()));
        self.work.priority = self.work.priority.or(issue.priority);
        if let Some(source) = &mut self.work.source {
            let new = issue.source();
            source.title = source.title.take().or(new.title);
            source.url = source.url.take().or(new.url);
        }
        match &mut self.issue {
            None => self.issue = Some(issue),
            Some(known) => {
                // Both count where they differ: to wait for too much is seen, to wait for too little is not.
                if known.body.trim() != issue.body.trim() {
                    known.body.push_str("\n\n");
                    known.body.push_str(&issue.body);
                }
                known.repository = known.repository.take().or(issue.repository);
                known.closed |= issue.closed;
                known.blocked_by.extend(issue.blocked_by);
                known.blocks.extend(issue.blocks);
            }
        }
    }

    /// A list that names a work knows better than the issue what it is called and when it is to run.
    fn take_listed(&mut self, id: WorkId, work: WorkRecord, depends: Vec<String>) {
        self.name_again(work.source.clone());
        if self.issue.is_some() {
            self.id = if self.known.is_some() { self.id.clone() } else { id };
            self.work.priority = work.priority.or(self.work.priority);
        }
        self.work.priority = self.work.priority.or(work.priority);
        match (&mut self.work.source, work.source) {
            (Some(known), Some(new)) if known.kind == SourceType::Local && new.kind != SourceType::Local => {
                *known = new;
            }
            (Some(known), Some(new)) => known.title = known.title.take().or(new.title),
            _ => {}
        }
        for (key, value) in work.extra {
            self.work.extra.entry(key).or_insert(value);
        }
        self.work.dependencies.extend(work.dependencies);
        self.depends.extend(depends);
    }
}

fn collision(id: &WorkId, known: &Entry, issue: &Issue) -> Error {
    let place = |repository: Option<String>, key: &str| match repository {
        Some(repository) => format!("{repository}#{key}"),
        None => format!("#{key}"),
    };
    Error::new(
        Code::Collision,
        format!(
            "{} and {} would both be '{id}'",
            place(known.repository(), known.key()),
            place(issue.repository.clone(), &issue.key)
        ),
        "schedule one repository at a time, or give one of them another title",
    )
}
