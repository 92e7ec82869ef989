//! What was visible at which revision, so that an edit of schedule.json is compared with what its writer saw.

use std::collections::HashMap;

use rusqlite::{OptionalExtension, params};

use super::create::to_json;
use super::{Change, Store};
use crate::error::Result;
use crate::rules::edits::Published;
use crate::schedule::{ScheduleStatus, Status, WorkId};

/// The mark of a work that was taken out.
const REMOVED: &str = "removed";

impl Change<'_> {
    /// Notes a work's new status.
    pub(super) fn record_status(&self, id: &WorkId, status: Status) -> Result<()> {
        self.mark()?;
        self.sql
            .prepare_cached(
                "INSERT INTO history(work, rev, status) VALUES (?1, ?2, ?3)
                 ON CONFLICT DO UPDATE SET status = excluded.status",
            )?
            .execute(params![id.as_str(), self.rev, status.as_str()])?;
        Ok(())
    }

    /// Notes all of a work that others may edit, as it is now.
    pub(super) fn record_work(
        &self,
        id: &WorkId,
        status: Status,
        priority: i64,
        dependencies: &[WorkId],
    ) -> Result<()> {
        self.mark()?;
        self.sql
            .prepare_cached(
                "INSERT OR REPLACE INTO history(work, rev, status, priority, dependencies) VALUES (?1, ?2, ?3, ?4, ?5)",
            )?
            .execute(params![id.as_str(), self.rev, status.as_str(), priority, to_json(&dependencies)])?;
        Ok(())
    }

    pub(super) fn record_removal(&self, id: &WorkId) -> Result<()> {
        self.mark()?;
        self.sql.execute(
            "INSERT OR REPLACE INTO history(work, rev, status) VALUES (?1, ?2, ?3)",
            params![id.as_str(), self.rev, REMOVED],
        )?;
        Ok(())
    }

    pub(super) fn record_all_works(&self) -> Result<()> {
        let mut statement = self.sql.prepare_cached("SELECT status, priority FROM works WHERE n = ?1")?;
        for (n, id, dependencies) in self.dependency_lists()? {
            let (word, priority): (String, i64) =
                statement.query_row([n], |row| Ok((row.get(0)?, row.get(1)?)))?;
            let status = Status::from_word(&word).unwrap_or(Status::Pending);
            self.record_work(&id, status, priority, &dependencies)?;
        }
        Ok(())
    }

    /// Sets the status of the schedule.
    ///
    /// # Errors
    /// [`crate::error::Code::Store`].
    pub fn set_schedule_status(&self, status: ScheduleStatus, reason: Option<&str>) -> Result<()> {
        self.mark()?;
        self.sql.execute(
            "UPDATE schedule SET status = ?1, reason = ?2, over = 0",
            params![status.as_str(), reason],
        )?;
        self.sql
            .execute("UPDATE revisions SET status = ?2 WHERE rev = ?1", params![self.rev, status.as_str()])?;
        Ok(())
    }
}

impl Store {
    /// The newest revision; 0 where nothing has ever been changed.
    pub(super) fn revision(&self) -> Result<i64> {
        Ok(self.sql().query_row("SELECT COALESCE(MAX(rev), 0) FROM revisions", [], |row| row.get(0))?)
    }

    /// What was visible at revision `rev`; `None` where that revision is not known.
    pub(super) fn seen_at(&self, rev: i64) -> Result<Option<(HashMap<WorkId, Published>, ScheduleStatus)>> {
        let known: bool =
            self.sql().query_row("SELECT EXISTS (SELECT 1 FROM revisions WHERE rev = ?1)", [rev], |row| {
                row.get(0)
            })?;
        if !known {
            return Ok(None);
        }
        let word: Option<String> = self
            .sql()
            .query_row(
                "SELECT status FROM revisions WHERE rev <= ?1 AND status IS NOT NULL ORDER BY rev DESC LIMIT 1",
                [rev],
                |row| row.get(0),
            )
            .optional()?;
        let status =
            word.and_then(|word| ScheduleStatus::from_word(&word)).unwrap_or(ScheduleStatus::Pending);
        let mut works: HashMap<WorkId, Published> = HashMap::new();
        let mut statement = self.sql().prepare_cached(
            "SELECT work, status, priority, dependencies FROM history WHERE rev <= ?1 ORDER BY work, rev",
        )?;
        let mut rows = statement.query([rev])?;
        while let Some(row) = rows.next()? {
            let Ok(id) = WorkId::new(row.get::<_, String>(0)?) else { continue };
            let word: Option<String> = row.get(1)?;
            if word.as_deref() == Some(REMOVED) {
                works.remove(&id);
                continue;
            }
            let work = works.entry(id).or_insert_with(|| Published {
                status: Status::Pending,
                priority: 0,
                dependencies: Vec::new(),
            });
            if let Some(status) = word.and_then(|word| Status::from_word(&word)) {
                work.status = status;
            }
            if let Some(priority) = row.get(2)? {
                work.priority = priority;
            }
            if let Some(list) = row.get::<_, Option<String>>(3)? {
                work.dependencies = serde_json::from_str(&list).unwrap_or_default();
            }
        }
        Ok(Some((works, status)))
    }
}
