//! The schedule as it would be once a hand edit of schedule.json was taken in, worked out without taking it in.

use rusqlite::OptionalExtension;

use super::Store;
use super::content::hash;
use super::create::Checked;
use super::works::{Extras, Schedule, Work};
use crate::error::Result;
use crate::rules::edits::{self, Edit, StatusAnswer};
use crate::rules::transitions;
use crate::schedule::{Document, ScheduleStatus, Source, Status, WorkId, WorkRecord};

impl Checked {
    /// The schedule that this document alone would make.
    pub fn into_schedule(self) -> Schedule {
        let document = self.into_document();
        let graph = crate::schedule::Graph::new(
            document.works.iter().map(|(id, work)| (id, work.dependencies.as_slice())),
        );
        let depths = graph.depths();
        let works = (0..).zip(document.works).map(|(n, (id, record))| {
            let depth = usize::try_from(n).ok().and_then(|n| depths.get(n)).copied().unwrap_or(0);
            fresh(n, id, record, i64::from(depth) + 1)
        });
        Schedule {
            created_at: document.created_at.unwrap_or_default(),
            status: document.status,
            reason: None,
            sources: document.sources,
            extras: Extras::default(),
            parallel: 0,
            works: works.collect(),
            runs: Vec::new(),
        }
    }
}

impl Store {
    /// The schedule with what `document` (whose text is `text`) changes in it.
    ///
    /// # Errors
    /// [`crate::error::Code::Store`].
    pub fn schedule_with(&self, mut known: Schedule, document: &Document, text: &[u8]) -> Result<Schedule> {
        let ours: Option<i64> = self
            .sql()
            .query_row("SELECT rev FROM revisions WHERE hash = ?1", [hash(text)], |row| row.get(0))
            .optional()?;
        if ours.is_some() {
            return Ok(known);
        }
        let last = self.published()?.map_or(0, |(rev, _)| rev);
        let stamp = document.wf0.map(|stamp| i64::try_from(stamp.rev).unwrap_or(i64::MAX));
        let (base, statuses) = match self.seen_at(stamp.unwrap_or(last))? {
            Some((works, _)) => (works, true),
            None => (self.seen_at(self.revision()?)?.map(|(works, _)| works).unwrap_or_default(), false),
        };
        for edit in edits::find(&base, ScheduleStatus::Running, document, statuses) {
            lay(&mut known, edit);
        }
        Ok(known)
    }
}

fn lay(known: &mut Schedule, edit: Edit) {
    let place = |known: &Schedule, id: &WorkId| known.works.iter().position(|work| work.id == *id);
    match edit {
        Edit::Schedule(_) => {}
        Edit::Added(id, record) => {
            if place(known, &id).is_none() {
                let priority = record.priority.unwrap_or(1);
                let n = known.works.last().map_or(0, |work| work.n + 1);
                known.works.push(fresh(n, id, *record, priority));
            }
        }
        Edit::Removed(id) => known.works.retain(|work| work.id != id || work.status == Status::Running),
        Edit::Priority(id, priority) => {
            if let Some(at) = place(known, &id) {
                known.works[at].priority = priority;
            }
        }
        Edit::Dependencies(id, list) => {
            if let Some(at) = place(known, &id) {
                known.works[at].dependencies = list;
            }
        }
        Edit::Status(id, wanted) => {
            let Some(at) = place(known, &id) else { return };
            let work = &mut known.works[at];
            if let StatusAnswer::Apply(change) = edits::status(work.status, wanted, true)
                && let Some(status) = transitions::next(work.status, change)
            {
                work.status = status;
                work.paused = false;
            }
        }
    }
}

fn fresh(n: i64, id: WorkId, record: WorkRecord, priority: i64) -> Work {
    let mut dependencies: Vec<WorkId> = Vec::new();
    for dependency in record.dependencies {
        if dependency != id && !dependencies.contains(&dependency) {
            dependencies.push(dependency);
        }
    }
    Work {
        n,
        status: if record.status == Status::Running { Status::Pending } else { record.status },
        paused: false,
        priority: record.priority.unwrap_or(priority),
        source: record.source.unwrap_or_else(|| Source::local(&id, None)),
        worktree: record.worktree_path,
        position: None,
        attempts: 0,
        worked: Default::default(),
        started_at: record.started_at,
        ended_at: record.completed_at.or(record.failed_at),
        error: record.error,
        dependencies,
        extra: record.extra,
        id,
    }
}
