//! Putting what the sources say now over the schedule that is there: nothing that was done is touched.

use std::collections::HashSet;

use rusqlite::params;
use serde_json::{Map, Value};

use super::create::{Checked, to_json};
use super::{Change, Store};
use crate::error::Result;
use crate::schedule::{Graph, ScheduleStatus, Status};

impl Store {
    /// Takes over priorities, dependencies, sources and statuses of a document that has every work of the schedule, and adds the
    /// works that are new in it.
    ///
    /// # Errors
    /// [`crate::error::Code::Store`].
    pub fn renew(&mut self, checked: &Checked) -> Result<()> {
        self.change(|change| change.renew(checked))
    }
}

impl Change<'_> {
    fn renew(&self, checked: &Checked) -> Result<()> {
        let document = checked.document();
        let there: HashSet<String> = self
            .sql
            .prepare_cached("SELECT id FROM works")?
            .query_map([], |row| row.get(0))?
            .collect::<rusqlite::Result<_>>()?;
        let graph = Graph::new(document.works.iter().map(|(id, work)| (id, work.dependencies.as_slice())));
        let depths = graph.depths();
        self.sql.execute("DELETE FROM edges WHERE dropped = 0 AND work IN (SELECT n FROM works)", [])?;
        let mut open = false;
        for (n, (id, work)) in document.works.iter().enumerate() {
            let priority = work.priority.unwrap_or(i64::from(depths[n]) + 1);
            if !there.contains(id.as_str()) {
                self.add_work(id, work, priority)?;
                open = true;
                continue;
            }
            open |= work.status == Status::Pending;
            self.sql
                .prepare_cached(
                    "UPDATE works SET priority = ?2, source = COALESCE(?3, source), extra = ?4 WHERE id = ?1",
                )?
                .execute(params![
                    id.as_str(),
                    priority,
                    work.source.as_ref().map(to_json),
                    to_json(&work.extra)
                ])?;
            self.set_dependencies(self.place_of(id)?, id, &work.dependencies)?;
            self.apply_status(id, work.status, false)?;
        }
        self.set_edges(checked.edges())?;
        let extra: String = self.sql.query_row("SELECT extra FROM schedule", [], |row| row.get(0))?;
        let mut extra: Map<String, Value> = serde_json::from_str(&extra).unwrap_or_default();
        if let Some(Value::Object(top)) = extra.get_mut("top") {
            top.extend(document.extra.clone());
        }
        self.sql.execute(
            "UPDATE schedule SET sources = ?1, extra = ?2",
            [to_json(&document.sources), to_json(&extra)],
        )?;
        if open && document.status == ScheduleStatus::Completed {
            self.set_schedule_status(ScheduleStatus::Pending, None)?;
        }
        self.mark()?;
        self.recount()?;
        self.record_all_works()
    }
}
