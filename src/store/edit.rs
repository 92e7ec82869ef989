//! Changing what is to be done: by `schedule edit`, and by what others wrote into schedule.json.

use std::collections::BTreeMap;

use rusqlite::params;

use super::Change;
use super::create::{extras_text, to_json};
use super::events::{EventKind, Note};
use super::intake::Unreadable;
use crate::error::{Code, Error, Result};
use crate::rules::edits::{self, Edit, StatusAnswer};
use crate::rules::transitions;
use crate::schedule::problems::{cycle_error, no_works};
use crate::schedule::{Document, Edge, Graph, ScheduleStatus, Status, WorkId, naming};

impl Change<'_> {
    /// Sets a work's priority by hand.
    ///
    /// # Errors
    /// [`Code::UnknownWork`].
    pub fn set_priority(&self, id: &WorkId, priority: i64) -> Result<()> {
        self.place_of(id)?;
        self.sql.execute(
            "UPDATE works SET priority = ?2, priority_by_hand = 1 WHERE id = ?1",
            params![id.as_str(), priority],
        )?;
        self.record_now(id)
    }

    /// Replaces a work's dependencies by hand. The order must be checked afterwards, by [`Change::check_structure`].
    ///
    /// # Errors
    /// [`Code::UnknownWork`].
    pub fn replace_dependencies(&self, id: &WorkId, dependencies: &[WorkId]) -> Result<()> {
        let n = self.place_of(id)?;
        self.note_by_hand(n, id, dependencies)?;
        self.set_dependencies(n, id, dependencies)?;
        self.record_now(id)
    }

    /// Works out anew what hangs on the dependencies, and refuses circles, works that would meet, and having none.
    ///
    /// # Errors
    /// [`Code::Cycle`], [`Code::Collision`], [`Code::Form`].
    pub fn check_structure(&self, prefixes: &BTreeMap<String, String>) -> Result<()> {
        let works = self.dependency_lists()?;
        if works.is_empty() {
            return Err(no_works());
        }
        let ids: Vec<&WorkId> = works.iter().map(|(_, id, _)| id).collect();
        let graph = Graph::new(works.iter().map(|(_, id, list)| (id, list.as_slice())));
        if let Some(cycle) = graph.cycles().first() {
            return Err(cycle_error(&cycle.path(&ids)));
        }
        naming::check_collisions(ids, prefixes)?;
        self.recount()
    }

    pub(super) fn place_of(&self, id: &WorkId) -> Result<i64> {
        self.sql.query_row("SELECT n FROM works WHERE id = ?1", [id.as_str()], |row| row.get(0)).map_err(
            |error| match error {
                rusqlite::Error::QueryReturnedNoRows => super::works::unknown_work(id, []),
                other => other.into(),
            },
        )
    }

    fn record_now(&self, id: &WorkId) -> Result<()> {
        let n = self.place_of(id)?;
        let (word, priority): (String, i64) =
            self.sql.query_row("SELECT status, priority FROM works WHERE n = ?1", [n], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })?;
        let mut statement =
            self.sql.prepare_cached("SELECT dependency FROM dependencies WHERE work = ?1 ORDER BY place")?;
        let list =
            statement.query_map([n], |row| row.get::<_, String>(0))?.collect::<rusqlite::Result<Vec<_>>>()?;
        let list: Vec<WorkId> = list.into_iter().filter_map(|id| WorkId::new(id).ok()).collect();
        self.record_work(id, Status::from_word(&word).unwrap_or(Status::Pending), priority, &list)
    }

    /// Takes in what somebody changed in schedule.json. Gives a line for each edit that was refused.
    ///
    /// `held` tells whether a live runner has a work. With [`Unreadable::Refuse`], a circle, two works in one place or
    /// no work at all are an error and nothing is taken in; otherwise works and dependencies stay as they were.
    pub(super) fn apply(
        &self,
        edits: &[Edit],
        incoming: &Document,
        prefixes: &BTreeMap<String, String>,
        unreadable: Unreadable,
        held: &dyn Fn(&WorkId) -> bool,
    ) -> Result<Vec<String>> {
        let mut refused = Vec::new();
        let structure: Vec<&Edit> = edits
            .iter()
            .filter(|edit| matches!(edit, Edit::Added(..) | Edit::Removed(_) | Edit::Dependencies(..)))
            .collect();
        if !structure.is_empty() {
            self.sql.execute_batch("SAVEPOINT structure")?;
            let result = self.apply_structure(&structure, prefixes, &mut refused);
            match result {
                Ok(()) => self.sql.execute_batch("RELEASE structure")?,
                Err(error) if error.code() == Code::Store || unreadable == Unreadable::Refuse => {
                    return Err(error);
                }
                Err(error) => {
                    self.sql.execute_batch("ROLLBACK TO structure; RELEASE structure")?;
                    refused.push(format!(
                        "works and dependencies left as they were: {}; {}",
                        error.what(),
                        error.hint()
                    ));
                }
            }
        }
        for edit in edits {
            let result = match edit {
                Edit::Priority(id, priority) => {
                    self.set_priority(id, *priority).map(|()| Some(format!("priority {priority}")))
                }
                Edit::Status(id, wanted) => self.apply_status(id, *wanted, held(id)),
                Edit::Schedule(wanted) => self.apply_schedule_status(*wanted),
                Edit::Added(..) | Edit::Removed(_) | Edit::Dependencies(..) => Ok(None),
            };
            let work = match edit {
                Edit::Priority(id, _) | Edit::Status(id, _) => Some(id),
                _ => None,
            };
            match result {
                Ok(Some(done)) => self.note(
                    EventKind::Edited,
                    Note { work, message: Some(&format!("schedule.json: {done}")), ..Note::default() },
                )?,
                Ok(None) => {}
                Err(error) if error.code() == Code::Store => return Err(error),
                Err(error) => refused.push(error.what().to_owned()),
            }
        }
        self.keep_unknown_keys(incoming)?;
        for line in &refused {
            self.note(EventKind::Refused, Note { message: Some(line), ..Note::default() })?;
        }
        self.mark()?;
        self.close_if_over()?;
        Ok(refused)
    }

    fn apply_structure(
        &self,
        edits: &[&Edit],
        prefixes: &BTreeMap<String, String>,
        refused: &mut Vec<String>,
    ) -> Result<()> {
        for edit in edits {
            if let Edit::Dependencies(id, list) = edit
                && list.contains(id)
            {
                refused.push(format!("'{id}' depends on itself: that is dropped"));
            }
            let (work, done) = match edit {
                Edit::Added(id, work) => {
                    if self.place_of(id).is_ok() {
                        continue;
                    }
                    self.add_work(id, work, work.priority.unwrap_or(1))?;
                    let edges: Vec<Edge> =
                        work.dependencies.iter().map(|on| Edge::by_hand(id.clone(), on.clone())).collect();
                    self.set_edges(&edges)?;
                    self.record_now(id)?;
                    (id, "added".to_owned())
                }
                Edit::Removed(id) => {
                    let Ok(n) = self.place_of(id) else { continue };
                    let running: bool = self.sql.query_row(
                        "SELECT status = 'running' FROM works WHERE n = ?1",
                        [n],
                        |row| row.get(0),
                    )?;
                    if running {
                        refused
                            .push(format!("'{id}' was not removed: it runs; `wf0 batch stop {id}` ends it"));
                        continue;
                    }
                    for sql in [
                        "DELETE FROM attempts WHERE work = ?1",
                        "DELETE FROM runs WHERE work = ?1",
                        "DELETE FROM dependencies WHERE work = ?1",
                        "DELETE FROM edges WHERE work = ?1",
                        "DELETE FROM works WHERE n = ?1",
                    ] {
                        self.sql.execute(sql, [n])?;
                    }
                    self.record_removal(id)?;
                    (id, "removed".to_owned())
                }
                Edit::Dependencies(id, list) => {
                    self.replace_dependencies(id, list)?;
                    let names: Vec<&str> = list.iter().map(WorkId::as_str).collect();
                    (id, format!("dependencies {}", names.join(", ")))
                }
                _ => continue,
            };
            self.note(
                EventKind::Edited,
                Note {
                    work: Some(work),
                    message: Some(&format!("schedule.json: {done}")),
                    ..Note::default()
                },
            )?;
        }
        self.check_structure(prefixes)
    }

    pub(super) fn apply_status(&self, id: &WorkId, wanted: Status, held: bool) -> Result<Option<String>> {
        let word: String =
            self.sql.query_row("SELECT status FROM works WHERE id = ?1", [id.as_str()], |row| row.get(0))?;
        let now = Status::from_word(&word).unwrap_or(Status::Pending);
        match edits::status(now, wanted, held) {
            StatusAnswer::Same => return Ok(None),
            StatusAnswer::Refuse(why) => {
                let what =
                    format!("'{id}' was not set from {now} to {wanted}: {}", why.replace("ID", id.as_str()));
                return Err(Error::new(Code::State, what, ""));
            }
            StatusAnswer::Apply(transitions::Change::Reopened) if now == Status::Failed => {
                self.reopen(id)?;
            }
            StatusAnswer::Apply(transitions::Change::Reopened) => self.begin_again(id)?,
            StatusAnswer::Apply(transitions::Change::Declared) => self.declare_completed(id)?,
            StatusAnswer::Apply(change) => {
                self.end_run_by_hand(id, change == transitions::Change::Failed)?;
            }
        }
        Ok(Some(format!("status {now} → {wanted}")))
    }

    fn end_run_by_hand(&self, id: &WorkId, failed: bool) -> Result<()> {
        use super::runs::Outcome;
        let run: i64 = self.sql.query_row(
            "SELECT r.id FROM runs r JOIN works w ON w.n = r.work WHERE w.id = ?1 AND r.state <> 'ended'",
            [id.as_str()],
            |row| row.get(0),
        )?;
        let why = "set by hand in schedule.json".to_owned();
        let outcome = if failed { Outcome::Failed(why) } else { Outcome::Returned { why, pause: false } };
        self.end_run(run, id, &outcome).map(|_| ())
    }

    fn apply_schedule_status(&self, wanted: ScheduleStatus) -> Result<Option<String>> {
        let now = self.schedule_status()?;
        match (now, wanted) {
            (Some(ScheduleStatus::Running | ScheduleStatus::Pending), ScheduleStatus::Paused) => {
                self.set_schedule_status(wanted, Some("paused in schedule.json"))?;
            }
            (
                Some(ScheduleStatus::Paused | ScheduleStatus::Pending | ScheduleStatus::Failed),
                ScheduleStatus::Running,
            ) => {
                self.set_schedule_status(wanted, None)?;
            }
            (Some(now), wanted) if now == wanted => return Ok(None),
            (now, wanted) => {
                let why = match (now, wanted) {
                    (Some(now), ScheduleStatus::Running) => {
                        format!("it is {now}, and nothing is left to run")
                    }
                    (Some(now), ScheduleStatus::Paused) => format!("it is {now}, and nothing of it runs"),
                    _ => "only running and paused can be written".to_owned(),
                };
                let what = format!("the schedule's status was not set to {wanted}: {why}");
                return Err(Error::new(Code::State, what, ""));
            }
        }
        Ok(Some(format!("schedule {wanted}")))
    }

    fn keep_unknown_keys(&self, incoming: &Document) -> Result<()> {
        self.sql.execute("UPDATE schedule SET extra = ?1", [extras_text(incoming)])?;
        let mut set = self.sql.prepare_cached(
            "UPDATE works SET extra = ?2, source = COALESCE(?3, source) WHERE id = ?1 AND (extra <> ?2 OR source <> COALESCE(?3, source))",
        )?;
        for (id, work) in &incoming.works {
            set.execute(params![id.as_str(), to_json(&work.extra), work.source.as_ref().map(to_json)])?;
        }
        Ok(())
    }
}
