//! Where each dependency comes from, and what people changed by hand, so that reading the sources again keeps it.
//!
//! `dependencies` says what a work waits for; `edges` says why. A dependency without an edge was there before edges
//! were kept: it counts as one that the schedule itself named.

use std::collections::{HashMap, HashSet};

use rusqlite::params;

use super::{Change, Store};
use crate::error::Result;
use crate::schedule::{Edge, Origin, Resolved, WorkId};

/// What was changed of a work by hand.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ByHand {
    /// Whether its priority was.
    pub priority: bool,
    /// Dependencies that were added.
    pub added: Vec<WorkId>,
    /// Dependencies that were taken out.
    pub dropped: HashSet<WorkId>,
}

impl Change<'_> {
    /// Notes where dependencies come from. Works that are not in the store are passed over.
    pub(super) fn set_edges(&self, edges: &[Edge]) -> Result<()> {
        let mut insert = self.sql.prepare_cached(
            "INSERT OR REPLACE INTO edges(work, dependency, origin, text, resolved)
             SELECT n, ?2, ?3, ?4, ?5 FROM works WHERE id = ?1",
        )?;
        for edge in edges {
            insert.execute(params![
                edge.from.as_str(),
                edge.to.as_str(),
                edge.origin.as_str(),
                edge.text,
                edge.resolved.as_str()
            ])?;
        }
        Ok(())
    }

    /// Notes what a new list of dependencies changes against the one that is there.
    pub(super) fn note_by_hand(&self, n: i64, id: &WorkId, dependencies: &[WorkId]) -> Result<()> {
        let mut statement = self.sql.prepare_cached("SELECT dependency FROM dependencies WHERE work = ?1")?;
        let before =
            statement.query_map([n], |row| row.get(0))?.collect::<rusqlite::Result<HashSet<String>>>()?;
        let new = dependencies.iter().filter(|on| !before.contains(on.as_str()));
        self.set_edges(&new.map(|on| Edge::by_hand(id.clone(), on.clone())).collect::<Vec<_>>())?;
        let mut drop = self.sql.prepare_cached(
            "INSERT INTO edges(work, dependency, origin, resolved, dropped) VALUES (?1, ?2, 'manual', 'unknown', 1)
             ON CONFLICT DO UPDATE SET dropped = 1, origin = 'manual'",
        )?;
        for gone in before.iter().filter(|it| !dependencies.iter().any(|on| on.as_str() == *it)) {
            drop.execute(params![n, gone])?;
        }
        Ok(())
    }
}

impl Store {
    /// Every dependency with where it comes from, by work in the order of creation; those that are satisfied because
    /// an issue is closed come after those that a work waits for.
    ///
    /// # Errors
    /// [`crate::error::Code::Store`].
    pub fn edges(&self) -> Result<Vec<Edge>> {
        let moment = self.sql().unchecked_transaction()?;
        let mut ids: HashMap<i64, WorkId> = HashMap::new();
        let mut works: Vec<i64> = Vec::new();
        let mut statement = moment.prepare_cached("SELECT n, id FROM works ORDER BY n")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            if let Ok(id) = WorkId::new(row.get::<_, String>(1)?) {
                works.push(row.get(0)?);
                ids.insert(row.get(0)?, id);
            }
        }
        let known: HashSet<&WorkId> = ids.values().collect();
        let mut said: HashMap<(i64, String), (Origin, Option<String>, Resolved)> = HashMap::new();
        let mut closed: HashMap<i64, Vec<String>> = HashMap::new();
        let mut statement = moment
            .prepare_cached("SELECT work, dependency, origin, text, resolved FROM edges WHERE dropped = 0")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let (work, dependency): (i64, String) = (row.get(0)?, row.get(1)?);
            let origin = Origin::from_word(&row.get::<_, String>(2)?).unwrap_or(Origin::Config);
            let resolved = Resolved::from_word(&row.get::<_, String>(4)?).unwrap_or(Resolved::Unknown);
            if resolved == Resolved::Closed {
                closed.entry(work).or_default().push(dependency.clone());
            }
            said.insert((work, dependency), (origin, row.get(3)?, resolved));
        }
        let mut depends: HashMap<i64, Vec<String>> = HashMap::new();
        let mut statement =
            moment.prepare_cached("SELECT work, dependency FROM dependencies ORDER BY work, place")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            depends.entry(row.get(0)?).or_default().push(row.get(1)?);
        }
        let mut edges = Vec::new();
        for n in works {
            let waits = depends.remove(&n).unwrap_or_default();
            let done = closed.remove(&n).unwrap_or_default().into_iter().filter(|it| !waits.contains(it));
            for (to, waits) in done.map(|it| (it, false)).chain(waits.iter().map(|it| (it.clone(), true))) {
                let (origin, text, resolved) =
                    said.remove(&(n, to.clone())).unwrap_or((Origin::Config, None, Resolved::Unknown));
                let (Some(from), Ok(to)) = (ids.get(&n), WorkId::new(to)) else { continue };
                let resolved = match (known.contains(&to), resolved) {
                    (true, _) if waits => Resolved::Work,
                    (false, Resolved::Work) => Resolved::Unknown,
                    (_, resolved) => resolved,
                };
                edges.push(Edge { from: from.clone(), to, origin, text, resolved });
            }
        }
        Ok(edges)
    }

    /// What was changed by hand, by work.
    ///
    /// # Errors
    /// [`crate::error::Code::Store`].
    pub fn by_hand(&self) -> Result<HashMap<WorkId, ByHand>> {
        let mut all: HashMap<WorkId, ByHand> = HashMap::new();
        let mut statement = self.sql().prepare_cached("SELECT id FROM works WHERE priority_by_hand = 1")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            if let Ok(id) = WorkId::new(row.get::<_, String>(0)?) {
                all.entry(id).or_default().priority = true;
            }
        }
        let mut statement = self.sql().prepare_cached(
            "SELECT w.id, e.dependency, e.dropped FROM edges e JOIN works w ON w.n = e.work WHERE e.origin = 'manual'",
        )?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let (Ok(id), Ok(on)) =
                (WorkId::new(row.get::<_, String>(0)?), WorkId::new(row.get::<_, String>(1)?))
            else {
                continue;
            };
            let work = all.entry(id).or_default();
            if row.get(2)? {
                work.dropped.insert(on);
            } else {
                work.added.push(on);
            }
        }
        Ok(all)
    }
}
