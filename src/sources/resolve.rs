//! Works out of what sources give: one work for each issue, and what each waits for, with where that is said.
//!
//! What the tracker says comes first, then what lists say, then what texts say; each dependency once. A closed issue
//! is done and nothing waits for it. What lies outside of the sources is kept as a dependency that is no work, so that
//! the work is blocked until somebody decides, and never dropped in silence. Circles are for
//! [`crate::store::create::Checked`] to refuse.

mod directory;
mod merge;
#[cfg(test)]
mod tests;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use indexmap::IndexMap;

use self::directory::{Directory, Meaning};
use self::merge::Entry;
use super::issue::Link;
use super::records::Item;
use crate::error::Result;
use crate::schedule::edge::{Edge, Origin, Resolved};
use crate::schedule::references::{Direction, Patterns, Said, Target, named};
use crate::schedule::{SourceType, WorkId, WorkRecord};

/// An issue that is named but not among those that were read.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Outside {
    /// Where it lies.
    pub tracker: SourceType,
    /// `owner/name` at GitHub, where it is known.
    pub repository: Option<String>,
    /// Its number or key there.
    pub key: String,
}

/// Works, and what they wait for.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Works {
    /// The works, in the order of the sources.
    pub works: IndexMap<WorkId, WorkRecord>,
    /// Every dependency, also those that are satisfied because the issue is closed.
    pub edges: Vec<Edge>,
    /// Works of the schedule that is there which are no open issue of any source any more.
    pub gone: HashMap<WorkId, Gone>,
    /// Works that stand behind the words of a dependency and are none by all appearances: in which work, which one,
    /// in which line.
    pub passed: Vec<(WorkId, WorkId, Arc<str>)>,
    /// What people should know.
    pub notices: Vec<String>,
}

/// Why a work that is there is no open issue of any source any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gone {
    /// No source names it.
    Unnamed,
    /// Its issue is closed.
    Closed,
}

/// What the sources gave, with the texts read.
#[derive(Debug)]
pub struct Reading {
    entries: Vec<Entry>,
    directory: Directory,
    /// What the text of each entry says.
    said: Vec<Said>,
}

impl Reading {
    /// Reads the texts of `items`; what two sources say of one issue is put together.
    ///
    /// # Errors
    /// [`crate::error::Code::WorkId`] for an issue whose key can't be part of an identifier,
    /// [`crate::error::Code::Collision`] for two issues that would have the same one.
    pub fn new(items: Vec<Item>, patterns: &Patterns) -> Result<Reading> {
        let entries = merge::entries(items)?;
        let directory = Directory::new(&entries);
        let said = entries
            .iter()
            .map(|entry| entry.issue.as_ref().map(|issue| patterns.find(&issue.body)).unwrap_or_default())
            .collect();
        Ok(Reading { entries, directory, said })
    }

    /// The issues of which nobody knows yet whether they are closed: those that texts name, and those of works that are
    /// there and no source names any more.
    pub fn outside(&self) -> Vec<Outside> {
        let mut all: Vec<Outside> =
            self.entries.iter().filter(|entry| entry.is_left()).map(Entry::place).collect();
        let mut seen: HashSet<Outside> = all.iter().cloned().collect();
        for (n, said) in self.said.iter().enumerate().filter(|(n, _)| !self.directory.is_closed(*n)) {
            for reference in said.depends.iter().filter(|it| it.direction == Direction::BlockedBy) {
                if let Meaning::Outside { issue: Some(issue), .. } =
                    self.directory.meaning(n, &reference.target)
                    && seen.insert(issue.clone())
                {
                    all.push(issue);
                }
            }
        }
        all
    }

    /// The works. `closed` tells of issues outside whether they are done.
    pub fn works(mut self, closed: &HashMap<Outside, bool>) -> Works {
        for (n, entry) in self.entries.iter().enumerate().filter(|(_, entry)| entry.is_left()) {
            if closed.get(&entry.place()) == Some(&true) {
                self.directory.close(n);
            }
        }
        let mut web = Web { reading: &self, closed, seen: HashSet::new(), works: Works::default() };
        for n in 0..self.entries.len() {
            web.native(n);
        }
        for n in 0..self.entries.len() {
            web.listed(n);
        }
        for n in 0..self.entries.len() {
            web.text(n);
        }
        for n in 0..self.entries.len() {
            web.passed(n);
        }
        let mut works = web.works;
        let mut depends: HashMap<WorkId, Vec<WorkId>> = HashMap::new();
        for edge in works.edges.iter().filter(|edge| edge.resolved != Resolved::Closed) {
            depends.entry(edge.from.clone()).or_default().push(edge.to.clone());
        }
        let place: HashMap<&WorkId, usize> =
            self.entries.iter().enumerate().map(|(n, entry)| (&entry.id, n)).collect();
        works.edges.sort_by_key(|edge| place.get(&edge.from).copied());
        for (n, entry) in self.entries.into_iter().enumerate() {
            match entry.known {
                None if self.directory.is_closed(n) => continue,
                Some(_) if self.directory.is_closed(n) => {
                    works.gone.insert(entry.id.clone(), Gone::Closed);
                }
                Some(standing) if !standing.named => {
                    works.gone.insert(entry.id.clone(), Gone::Unnamed);
                }
                _ => {}
            }
            let mut work = entry.work;
            work.dependencies = depends.remove(&entry.id).unwrap_or_default();
            works.works.insert(entry.id, work);
        }
        works
    }
}

/// The dependencies while they are put together.
struct Web<'a> {
    reading: &'a Reading,
    closed: &'a HashMap<Outside, bool>,
    seen: HashSet<(usize, WorkId)>,
    works: Works,
}

impl Web<'_> {
    fn native(&mut self, n: usize) {
        let Some(issue) = &self.reading.entries[n].issue else { return };
        for link in &issue.blocked_by {
            let mut meaning = self.reading.directory.meaning(n, &target(issue.tracker, link));
            if let (Meaning::Outside { resolved, .. }, Some(true)) = (&mut meaning, link.closed) {
                *resolved = Resolved::Closed;
            }
            self.add(n, meaning, Origin::Native, None);
        }
        for link in &issue.blocks {
            if let Meaning::Work(other) = self.reading.directory.meaning(n, &target(issue.tracker, link)) {
                self.add(other, Meaning::Work(n), Origin::Native, None);
            }
        }
    }

    fn listed(&mut self, n: usize) {
        let entry = &self.reading.entries[n];
        for id in &entry.work.dependencies {
            self.add(n, self.reading.directory.exact(id), Origin::Config, None);
        }
        for text in &entry.depends {
            let Some(target) = named(text) else { continue };
            let meaning = match WorkId::new(text.as_str()).map(|id| self.reading.directory.exact(&id)) {
                Ok(Meaning::Work(on)) => Meaning::Work(on),
                _ => self.reading.directory.meaning(n, &target),
            };
            self.add(n, meaning, Origin::Config, None);
        }
    }

    fn text(&mut self, n: usize) {
        for reference in &self.reading.said[n].depends {
            let subject = match &reference.subject {
                None => n,
                Some(subject) => match self.reading.directory.meaning(n, subject) {
                    Meaning::Work(about) => about,
                    _ => continue,
                },
            };
            let meaning = self.reading.directory.meaning(n, &reference.target);
            match (reference.direction, meaning) {
                (Direction::BlockedBy, meaning) => {
                    self.add(subject, meaning, Origin::Text, Some(&reference.line));
                }
                (Direction::Blocks, Meaning::Work(other)) => {
                    self.add(other, Meaning::Work(subject), Origin::Text, Some(&reference.line));
                }
                (Direction::Blocks, _) => {}
            }
        }
    }

    /// Tells of what a text names and nothing waits for, where somebody may have meant it.
    fn passed(&mut self, n: usize) {
        let directory = &self.reading.directory;
        if directory.is_closed(n) {
            return;
        }
        for passed in &self.reading.said[n].passed {
            let on = match directory.meaning(n, &passed.target) {
                Meaning::Work(on) if on != n && !directory.is_closed(on) => &self.reading.entries[on].id,
                _ => continue,
            };
            if self.seen.insert((n, on.clone())) {
                self.works.passed.push((
                    self.reading.entries[n].id.clone(),
                    on.clone(),
                    Arc::clone(&passed.line),
                ));
            }
        }
    }

    fn add(&mut self, from: usize, meaning: Meaning, origin: Origin, text: Option<&str>) {
        let directory = &self.reading.directory;
        if directory.is_closed(from) {
            return;
        }
        let from_id = &self.reading.entries[from].id;
        let (to, resolved) = match meaning {
            Meaning::Nothing => return,
            Meaning::Work(on) if on == from => {
                if self.seen.insert((from, from_id.clone())) {
                    self.works.notices.push(format!("'{from_id}' depends on itself: that is dropped"));
                }
                return;
            }
            Meaning::Work(on) => {
                let resolved = if directory.is_closed(on) { Resolved::Closed } else { Resolved::Work };
                (self.reading.entries[on].id.clone(), resolved)
            }
            Meaning::Outside { id, resolved, issue, fits } => {
                if let [one, other, ..] = fits.as_slice() {
                    self.works.notices.push(format!(
                        "'{from_id}' depends on '{id}', which fits '{one}' as well as '{other}'"
                    ));
                }
                let done = issue.is_some_and(|issue| self.closed.get(&issue) == Some(&true));
                (id, if done { Resolved::Closed } else { resolved })
            }
        };
        if self.seen.insert((from, to.clone())) {
            let text = text.map(str::to_owned);
            self.works.edges.push(Edge { from: from_id.clone(), to, origin, text, resolved });
        }
    }
}

fn target(tracker: SourceType, link: &Link) -> Target {
    match (tracker, &link.repository) {
        (SourceType::Jira, _) => Target::Name { text: link.key.clone(), certain: true },
        (_, Some(repository)) => {
            Target::Elsewhere { repository: repository.clone(), number: link.key.clone() }
        }
        (_, None) => Target::Number(link.key.clone()),
    }
}
