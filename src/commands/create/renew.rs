//! What becomes of a schedule that is there when its sources are read again.

use std::collections::{HashMap, HashSet};

use indexmap::IndexMap;
use jiff::Timestamp;
use serde_json::{Map, Value};

use super::gather::Gathered;
use super::outside;
use crate::commands::plan;
use crate::config::Config;
use crate::error::{Code, Result};
use crate::platform::children::Interrupt;
use crate::project::Project;
use crate::schedule::document::VERSION;
use crate::schedule::references::Patterns;
use crate::schedule::{
    Document, Edge, Origin, ScheduleStatus, Source, SourceType, Status, WorkId, WorkRecord,
};
use crate::sources::records::{Follows, Item, Known};
use crate::sources::resolve::{Gone, Reading};
use crate::store::Store;
use crate::store::edges::ByHand;
use crate::store::works::{Schedule, Work};

/// So many works that are only mentioned are told of.
const PASSED: usize = 10;

/// The schedule that is there.
#[derive(Debug)]
pub struct Existing {
    schedule: Schedule,
    edges: Vec<Edge>,
    by_hand: HashMap<WorkId, ByHand>,
}

impl Existing {
    /// What the store holds; `None` where there is no schedule.
    pub fn of(store: &Store) -> Result<Option<Existing>> {
        let Some(schedule) = store.schedule()? else { return Ok(None) };
        Ok(Some(Existing { schedule, edges: store.edges()?, by_hand: store.by_hand()? }))
    }

    /// The same with what stands in schedule.json, without taking it in.
    pub fn look(project: &Project, store: Option<&Store>) -> Result<Option<Existing>> {
        let schedule = match plan::look(project) {
            Ok(schedule) => schedule,
            Err(error) if error.code() == Code::NoSchedule => return Ok(None),
            Err(error) => return Err(error),
        };
        let Some(store) = store else {
            return Ok(Some(Existing { schedule, edges: Vec::new(), by_hand: HashMap::new() }));
        };
        let mut by_hand = store.by_hand()?;
        let before: HashMap<WorkId, Work> = store
            .schedule()?
            .into_iter()
            .flat_map(|it| it.works)
            .map(|work| (work.id.clone(), work))
            .collect();
        for work in &schedule.works {
            let Some(was) = before.get(&work.id) else { continue };
            let edits = by_hand.entry(work.id.clone()).or_default();
            edits.priority |= work.priority != was.priority;
            let new = work.dependencies.iter().filter(|on| !was.dependencies.contains(on));
            edits.added.extend(new.cloned());
            let gone = was.dependencies.iter().filter(|on| !work.dependencies.contains(on));
            edits.dropped.extend(gone.cloned());
        }
        Ok(Some(Existing { schedule, edges: store.edges()?, by_hand }))
    }

    fn items(&self) -> impl Iterator<Item = Item> {
        self.schedule.works.iter().map(|work| {
            Item::from(Known {
                id: work.id.clone(),
                source: work.source.clone(),
                follows: match (work.status == Status::Completed, work.source.is_marked(Source::CLOSED)) {
                    (false, false) => Follows::Issue,
                    (true, true) => Follows::Closed,
                    (true, false) | (false, true) => Follows::Nothing,
                },
            })
        })
    }

    /// Whether every source was read again that a work of that tracker may have come from.
    fn was_read_again(&self, tracker: SourceType, sources: &[Map<String, Value>]) -> bool {
        let from: Vec<_> = self
            .schedule
            .sources
            .iter()
            .filter(|source| {
                source.contains_key("from")
                    || source.get("type").and_then(Value::as_str) == Some(tracker.as_str())
            })
            .collect();
        // One that somebody wrote into schedule.json comes from no source at all.
        !from.is_empty() && from.into_iter().all(|source| sources.contains(source))
    }
}

/// The document that the sources make, over what is there.
pub fn document(
    gathered: Gathered,
    existing: Option<Existing>,
    config: &Config,
    project: &Project,
    interrupt: &mut dyn Interrupt,
    notices: &mut Vec<String>,
) -> Result<(Document, Vec<Edge>)> {
    let patterns = Patterns::new(config.batch.dependency_patterns.as_deref())?;
    notices.extend(gathered.notices);
    let mut items: Vec<Item> = existing.iter().flat_map(Existing::items).collect();
    items.extend(gathered.items);
    let near = outside::near(&items);
    let reading = Reading::new(items, &patterns)?;
    let closed = outside::ask(
        &reading.outside(),
        near.as_deref(),
        &gathered.sources,
        config,
        project,
        interrupt,
        notices,
    )?;
    let mut works = reading.works(&closed);
    notices.append(&mut works.notices);
    let decided = |from: &WorkId, to: &WorkId| {
        let edits = existing.as_ref().and_then(|existing| existing.by_hand.get(from));
        edits.is_some_and(|edits| edits.added.contains(to) || edits.dropped.contains(to))
    };
    works.passed.retain(|(from, to, _)| !decided(from, to) && !waits_for(&works.works, from, to));
    for (from, to, line) in works.passed.iter().take(PASSED) {
        notices.push(format!(
            "'{from}' does not wait for '{to}', which is only mentioned: \"{line}\"; if it is to, `wf0 schedule edit {from} add-dep={to}`"
        ));
    }
    if let Some(more) = works.passed.len().checked_sub(PASSED).filter(|more| *more > 0) {
        notices.push(format!("{more} more works are only mentioned where others are waited for"));
    }
    let mut document = Document {
        version: VERSION.into(),
        created_at: gathered.created_at.or_else(|| Some(Timestamp::now())),
        status: ScheduleStatus::Pending,
        sources: gathered.sources,
        works: works.works,
        execution: None,
        progress: None,
        wf0: None,
        extra: gathered.extra,
    };
    match existing {
        Some(existing) => {
            let edges = over(existing, &mut document, works.edges, &works.gone, notices);
            Ok((document, edges))
        }
        None => Ok((document, works.edges)),
    }
}

/// Lays what is there over what the sources say.
fn over(
    existing: Existing,
    document: &mut Document,
    edges: Vec<Edge>,
    gone: &HashMap<WorkId, Gone>,
    notices: &mut Vec<String>,
) -> Vec<Edge> {
    let mut said: HashMap<WorkId, Vec<Edge>> = HashMap::new();
    for edge in edges {
        said.entry(edge.from.clone()).or_default().push(edge);
    }
    let mut before: HashMap<WorkId, Vec<Edge>> = HashMap::new();
    for edge in &existing.edges {
        before.entry(edge.from.clone()).or_default().push(edge.clone());
    }
    // What lay outside when it was taken out of the dependencies may be a work by now.
    let names: HashMap<WorkId, Vec<WorkId>> = document
        .works
        .iter()
        .filter_map(|(id, work)| Some((id.clone(), outside::names(work.source.as_ref()?))))
        .collect();
    let (mut vanished, mut closed, mut opened, mut again) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for work in &existing.schedule.works {
        let Some(record) = document.works.get_mut(&work.id) else { continue };
        let by_hand = existing.by_hand.get(&work.id).cloned().unwrap_or_default();
        let gone = gone.get(&work.id).copied();
        if gone.is_some() {
            record.dependencies = work.dependencies.clone();
            record.priority = Some(work.priority);
            said.insert(work.id.clone(), before.remove(&work.id).unwrap_or_default());
        } else {
            let edges = said.entry(work.id.clone()).or_default();
            let is_dropped = |on: &WorkId| {
                by_hand.dropped.contains(on)
                    || names
                        .get(on)
                        .is_some_and(|names| names.iter().any(|name| by_hand.dropped.contains(name)))
            };
            edges.retain(|edge| !is_dropped(&edge.to));
            record.dependencies.retain(|on| !is_dropped(on));
            for on in by_hand.added {
                edges.retain(|edge| edge.to != on);
                edges.push(Edge::by_hand(work.id.clone(), on.clone()));
                if !record.dependencies.contains(&on) {
                    record.dependencies.push(on);
                }
            }
            record.priority = if by_hand.priority { Some(work.priority) } else { record.priority };
        }
        keep(record, work);
        let source = record.source.get_or_insert_with(|| work.source.clone());
        match gone {
            None => {
                source.extra.shift_remove(Source::VANISHED);
                if work.status == Status::Completed
                    && work.source.is_marked(Source::VANISHED)
                    && !work.source.is_marked(Source::CLOSED)
                {
                    again.push(&work.id);
                }
                if source.extra.shift_remove(Source::CLOSED).is_some() | work.source.is_marked(Source::CLOSED)
                    && work.status == Status::Completed
                {
                    record.status = Status::Pending;
                    opened.push(&work.id);
                }
            }
            Some(Gone::Closed) => {
                source.extra.insert(Source::VANISHED.into(), Value::from(true));
                source.extra.insert(Source::CLOSED.into(), Value::from(true));
                if record.status != Status::Completed {
                    record.status = Status::Completed;
                    closed.push(&work.id);
                }
            }
            Some(Gone::Unnamed) if existing.was_read_again(work.source.kind, &document.sources) => {
                source.extra.insert(Source::VANISHED.into(), Value::from(true));
                if work.status != Status::Completed {
                    vanished.push(&work.id);
                }
            }
            Some(Gone::Unnamed) => {}
        }
    }
    let mut tell = |works: &[&WorkId], begin: &str, end: &str| {
        let shown: Vec<&str> = works.iter().take(5).map(|id| id.as_str()).collect();
        let more = works.len() - shown.len();
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        if !works.is_empty() {
            notices.push(format!("{begin}: {}{more}; {end}", shown.join(", ")));
        }
    };
    tell(
        &vanished,
        "no source names these works any more",
        "they stay and would run, marked as vanished in `source`; `wf0 schedule validate` says how to be rid of them",
    );
    tell(&closed, "the issues of these works are closed", "they count as completed");
    tell(&opened, "the issues of these works are open again", "they are pending again");
    tell(
        &again,
        "sources name these works again, which were completed here",
        "they stay completed; set to pending in schedule.json, one runs again",
    );
    let mut sources = existing.schedule.sources;
    sources.retain(|source| !document.sources.contains(source));
    sources.append(&mut document.sources);
    document.sources = sources;
    document.created_at = Some(existing.schedule.created_at);
    document.status = existing.schedule.status;
    let known: HashSet<WorkId> = document.works.keys().cloned().collect();
    let mut edges: Vec<Edge> = document.works.keys().filter_map(|id| said.remove(id)).flatten().collect();
    for edge in edges.iter_mut().filter(|edge| edge.origin == Origin::Manual && known.contains(&edge.to)) {
        edge.resolved = crate::schedule::Resolved::Work;
    }
    edges
}

/// Whether one work waits for another, over however many between them.
fn waits_for(works: &IndexMap<WorkId, WorkRecord>, from: &WorkId, to: &WorkId) -> bool {
    let (mut seen, mut open) = (HashSet::new(), vec![from]);
    while let Some(id) = open.pop() {
        for on in works.get(id).map(|work| work.dependencies.as_slice()).unwrap_or_default() {
            if on == to {
                return true;
            }
            if seen.insert(on) {
                open.push(on);
            }
        }
    }
    false
}

/// What is done stays done.
fn keep(record: &mut WorkRecord, work: &Work) {
    record.status = work.status;
    record.worktree_path = work.worktree.clone();
    record.started_at = work.started_at;
    record.completed_at = work.ended_at.filter(|_| work.status == Status::Completed);
    record.failed_at = work.ended_at.filter(|_| work.status == Status::Failed);
    record.error = work.error.clone();
    for (key, value) in &work.extra {
        record.extra.entry(key.clone()).or_insert_with(|| value.clone());
    }
}
