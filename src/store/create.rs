//! Putting a whole schedule into the store, or taking it out.

use std::collections::BTreeMap;

use rusqlite::params;
use serde_json::{Map, Value};

use super::content::{hash, read_document};
use super::works::Extras;
use super::{Change, Store};
use crate::error::Result;
use crate::schedule::problems::{codes, explained_cycle_error, no_works};
use crate::schedule::{Document, Edge, Graph, ScheduleStatus, Source, Status, WorkId, naming};

/// A document that has been checked: no circle, no two works in one place.
#[derive(Debug)]
pub struct Checked {
    document: Document,
    edges: Vec<Edge>,
    /// What people should know, though it can be run.
    pub warnings: Vec<String>,
}

impl Checked {
    /// Checks a document of which nobody knows where its dependencies come from.
    ///
    /// # Errors
    /// As [`Checked::with_edges`].
    pub fn new(document: Document, prefixes: &BTreeMap<String, String>) -> Result<Checked> {
        Checked::with_edges(document, Vec::new(), prefixes)
    }

    /// Checks a document; `edges` say where its dependencies come from.
    ///
    /// # Errors
    /// [`Code::Cycle`](crate::error::Code::Cycle), [`Code::Collision`](crate::error::Code::Collision),
    /// [`Code::Form`](crate::error::Code::Form) for a schedule without works.
    pub fn with_edges(
        document: Document,
        edges: Vec<Edge>,
        prefixes: &BTreeMap<String, String>,
    ) -> Result<Checked> {
        if document.works.is_empty() {
            return Err(no_works());
        }
        let ids: Vec<&WorkId> = document.works.keys().collect();
        let graph = Graph::new(document.works.iter().map(|(id, work)| (id, work.dependencies.as_slice())));
        if let Some(cycle) = graph.cycles().first() {
            let circle: Vec<&WorkId> = cycle.0.iter().map(|n| ids[*n]).collect();
            return Err(explained_cycle_error(&cycle.path(&ids), &circle, &edges));
        }
        naming::check_collisions(ids.iter().copied(), prefixes)?;
        let warnings = crate::schedule::problems::find(&document, prefixes)
            .into_iter()
            // Whoever marks works as vanished says so himself.
            .filter(|problem| ![codes::PRIORITY, codes::VANISHED].contains(&problem.code))
            .map(|problem| problem.message)
            .collect();
        Ok(Checked { document, edges, warnings })
    }

    /// Where its dependencies come from.
    pub fn edges(&self) -> &[Edge] {
        &self.edges
    }

    pub(super) fn into_document(self) -> Document {
        self.document
    }

    /// The document that was checked.
    pub fn document(&self) -> &Document {
        &self.document
    }

    /// How many works it has.
    pub fn len(&self) -> usize {
        self.document.works.len()
    }

    /// Never: a schedule has at least one work.
    pub fn is_empty(&self) -> bool {
        false
    }
}

impl Store {
    /// Replaces the whole schedule, and with it whatever stands in schedule.json now.
    ///
    /// # Errors
    /// [`crate::error::Code::Store`], [`crate::error::Code::File`].
    pub fn replace(&mut self, checked: &Checked, default_parallel: u32) -> Result<()> {
        let path = self.project().schedule_file();
        let there = read_document(&path)?.map(|bytes| hash(&bytes));
        self.change(|change| {
            change.replace_schedule(checked, default_parallel)?;
            // Known as stale, so that publishing over it does not take it for somebody's edit.
            change.sql.execute("INSERT INTO revisions(rev, hash) VALUES (0, ?1)", [there])?;
            Ok(())
        })
    }
}

impl Change<'_> {
    /// Replaces the whole schedule. Works that the document calls running are pending here: nobody has them.
    ///
    /// # Errors
    /// [`crate::error::Code::Store`].
    pub fn replace_schedule(&self, checked: &Checked, default_parallel: u32) -> Result<()> {
        let document = &checked.document;
        self.remove_schedule()?;
        self.mark()?;
        let created = document.created_at.unwrap_or(self.now);
        let status = match document.status {
            ScheduleStatus::Running => ScheduleStatus::Paused,
            other => other,
        };
        let execution = document.execution.clone().unwrap_or_default();
        let parallel =
            execution.get("max_parallel").and_then(Value::as_u64).and_then(|n| u32::try_from(n).ok());
        self.sql.execute(
            "INSERT INTO schedule(one, created_at, status, sources, extra, parallel) VALUES (1, ?1, ?2, ?3, ?4, ?5)",
            params![
                created.as_millisecond(),
                status.as_str(),
                to_json(&document.sources),
                to_json(&extras(document)),
                parallel.filter(|n| *n > 0).unwrap_or(default_parallel),
            ],
        )?;
        self.set_schedule_status(status, None)?;
        for (id, work) in &document.works {
            self.add_work(id, work, work.priority.unwrap_or(0))?;
        }
        let graph = Graph::new(document.works.iter().map(|(id, work)| (id, work.dependencies.as_slice())));
        let mut set = self.sql.prepare_cached("UPDATE works SET priority = ?2 WHERE id = ?1")?;
        let depths = graph.depths();
        for (n, (id, work)) in document.works.iter().enumerate() {
            if work.priority.is_none() {
                set.execute(params![id.as_str(), i64::from(depths[n]) + 1])?;
            }
        }
        drop(set);
        self.set_edges(&checked.edges)?;
        self.recount()?;
        self.record_all_works()
    }

    /// Adds one work; `recount` and the history are the caller's.
    pub(super) fn add_work(
        &self,
        id: &WorkId,
        work: &crate::schedule::WorkRecord,
        priority: i64,
    ) -> Result<()> {
        let status = if work.status == Status::Running { Status::Pending } else { work.status };
        let source = work.source.clone().unwrap_or_else(|| Source::local(id, None));
        let ended = match status {
            Status::Completed => work.completed_at,
            Status::Failed => work.failed_at,
            _ => None,
        };
        let worked = match (work.started_at, ended) {
            (Some(from), Some(to)) => to.as_millisecond().saturating_sub(from.as_millisecond()).max(0),
            _ => 0,
        };
        self.sql
            .prepare_cached(
                "INSERT INTO works(id, status, priority, source, extra, worktree, worked_ms, started_at, ended_at, error)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
            )?
            .execute(params![
                id.as_str(),
                status.as_str(),
                priority,
                to_json(&source),
                to_json(&work.extra),
                work.worktree_path,
                worked,
                work.started_at.map(|at| at.as_millisecond()),
                ended.map(|at| at.as_millisecond()),
                work.error,
            ])?;
        self.set_dependencies(self.sql.last_insert_rowid(), id, &work.dependencies)
    }

    /// Writes a work's dependencies, without itself and without repetitions.
    pub(super) fn set_dependencies(&self, n: i64, id: &WorkId, dependencies: &[WorkId]) -> Result<()> {
        self.sql.prepare_cached("DELETE FROM dependencies WHERE work = ?1")?.execute([n])?;
        let mut insert = self
            .sql
            .prepare_cached("INSERT INTO dependencies(work, place, dependency) VALUES (?1, ?2, ?3)")?;
        let mut seen = std::collections::HashSet::new();
        let once = dependencies.iter().filter(|it| *it != id && seen.insert(*it));
        for (place, dependency) in (0_u32..).zip(once) {
            insert.execute(params![n, place, dependency.as_str()])?;
        }
        Ok(())
    }

    /// Works out anew how many dependencies each work still waits for, and the longest chain behind it.
    pub(super) fn recount(&self) -> Result<()> {
        self.sql.execute(
            "UPDATE works SET unmet = (SELECT COUNT(*) FROM dependencies d WHERE d.work = works.n AND NOT EXISTS
                (SELECT 1 FROM works o WHERE o.id = d.dependency AND o.status = 'completed'))",
            [],
        )?;
        let works = self.dependency_lists()?;
        let graph = Graph::new(works.iter().map(|(_, id, list)| (id, list.as_slice())));
        let mut set =
            self.sql.prepare_cached("UPDATE works SET weight = ?2 WHERE n = ?1 AND weight <> ?2")?;
        for ((n, _, _), weight) in works.iter().zip(graph.weights(|_| true)) {
            set.execute(params![n, weight])?;
        }
        Ok(())
    }

    pub(super) fn dependency_lists(&self) -> Result<Vec<(i64, WorkId, Vec<WorkId>)>> {
        let mut statement = self.sql.prepare_cached("SELECT n, id FROM works ORDER BY n")?;
        let rows = statement
            .query_map([], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?)))?
            .collect::<rusqlite::Result<Vec<_>>>()?;
        let mut works: Vec<(i64, WorkId, Vec<WorkId>)> =
            rows.into_iter().filter_map(|(n, id)| Some((n, WorkId::new(id).ok()?, Vec::new()))).collect();
        let place: std::collections::HashMap<i64, usize> =
            works.iter().enumerate().map(|(at, (n, _, _))| (*n, at)).collect();
        let mut statement =
            self.sql.prepare_cached("SELECT work, dependency FROM dependencies ORDER BY work, place")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            if let (Some(&at), Ok(id)) = (place.get(&row.get(0)?), WorkId::new(row.get::<_, String>(1)?)) {
                works[at].2.push(id);
            }
        }
        Ok(works)
    }

    /// Removes the schedule with all that belongs to it.
    ///
    /// # Errors
    /// [`crate::error::Code::Store`].
    pub fn remove_schedule(&self) -> Result<()> {
        self.sql.execute_batch(
            "DELETE FROM attempts; DELETE FROM runs; DELETE FROM dependencies; DELETE FROM edges; DELETE FROM works;
             DELETE FROM history; DELETE FROM schedule; DELETE FROM revisions; DELETE FROM published;",
        )?;
        self.mark()
    }
}

fn extras(document: &Document) -> Extras {
    let without = |map: &Option<Map<String, Value>>, known: &[&str]| -> Map<String, Value> {
        let map = map.clone().unwrap_or_default();
        map.into_iter().filter(|(key, _)| !known.contains(&key.as_str())).collect()
    };
    Extras {
        top: document.extra.clone(),
        execution: without(&document.execution, &["max_parallel", "sessions"]),
        progress: without(&document.progress, &["total", "completed", "in_progress", "pending"]),
    }
}

pub(super) fn extras_text(document: &Document) -> String {
    to_json(&extras(document))
}

pub(super) fn to_json<T: serde::Serialize>(value: &T) -> String {
    // Maps with text keys and plain values: there is nothing in them that JSON cannot hold.
    serde_json::to_string(value).unwrap_or_default()
}
