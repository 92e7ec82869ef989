//! Claims, attempts and outcomes: every change of a work that comes from running it.

use rusqlite::{OptionalExtension, params};

use super::events::{EventKind, Note};
use super::works::{Owner, Wish};
use super::{Change, Store};
use crate::error::{Code, Error, Result};
use crate::rules::closing::{self, Tally};
use crate::rules::transitions;
use crate::schedule::id::count;
use crate::schedule::{ScheduleStatus, State, Status, WorkId, WorkerNumber};

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// All done.
    Completed,
    /// Gave up, for this reason.
    Failed(String),
    /// No outcome: back to pending, and kept from being taken again where that was the wish.
    Returned {
        /// Why, for people.
        why: String,
        /// Whether it waits for `resume`.
        pause: bool,
    },
}

/// What a status needs to be changed.
struct Head {
    n: i64,
    status: Status,
}

impl Change<'_> {
    fn head(&self, id: &WorkId) -> Result<Head> {
        let found = self
            .sql
            .prepare_cached("SELECT n, status FROM works WHERE id = ?1")?
            .query_row([id.as_str()], |row| Ok((row.get(0)?, row.get::<_, String>(1)?)))
            .optional()?;
        let Some((n, word)) = found else {
            let mut statement = self.sql.prepare_cached("SELECT id FROM works")?;
            let ids = statement
                .query_map([], |row| row.get::<_, String>(0))?
                .collect::<rusqlite::Result<Vec<_>>>()?;
            return Err(super::works::unknown_work(id, ids.iter().map(String::as_str)));
        };
        Ok(Head { n, status: Status::from_word(&word).unwrap_or(Status::Pending) })
    }

    /// The one function through which a work's status changes.
    pub(super) fn turn(&self, id: &WorkId, change: transitions::Change) -> Result<Status> {
        let head = self.head(id)?;
        let Some(status) = transitions::next(head.status, change) else {
            return Err(Error::new(
                Code::State,
                format!("'{id}' is {}", head.status),
                "`wf0 batch status` shows where every work stands",
            )
            .with_about(id.as_str()));
        };
        self.sql
            .prepare_cached("UPDATE works SET status = ?2 WHERE n = ?1")?
            .execute(params![head.n, status.as_str()])?;
        let step = i64::from(head.status == Status::Completed) - i64::from(status == Status::Completed);
        if step != 0 {
            self.sql
                .prepare_cached(
                    "UPDATE works SET unmet = unmet + ?2 WHERE n IN (SELECT work FROM dependencies WHERE dependency = ?1)",
                )?
                .execute(params![id.as_str(), step])?;
        }
        self.record_status(id, status)?;
        Ok(status)
    }

    /// Gives the next ready work to `worker`, if the batch runs and there is one. The order: lowest priority
    /// number, then longest chain behind it, then order of creation (as `schedule::plan::Rank`).
    ///
    /// # Errors
    /// [`Code::Store`].
    pub fn assign(&self, worker: WorkerNumber) -> Result<Option<WorkId>> {
        let running = self.schedule_status()? == Some(ScheduleStatus::Running);
        if !running || self.has_run(worker)? || self.is_dismissed(worker)? {
            return Ok(None);
        }
        let Some(id) = self.next_ready()? else { return Ok(None) };
        self.claim(&id, worker, Owner::Runner)?;
        Ok(Some(id))
    }

    /// The work that would be given out next.
    pub(super) fn next_ready(&self) -> Result<Option<WorkId>> {
        let id: Option<String> = self
            .sql
            .prepare_cached(
                "SELECT id FROM works WHERE status = 'pending' AND unmet = 0 AND paused = 0
                 ORDER BY priority, weight DESC, n LIMIT 1",
            )?
            .query_row([], |row| row.get(0))
            .optional()?;
        id.map(WorkId::new).transpose()
    }

    fn is_dismissed(&self, worker: WorkerNumber) -> Result<bool> {
        Ok(self
            .sql
            .prepare_cached("SELECT EXISTS (SELECT 1 FROM processes WHERE role = ?1 AND wish)")?
            .query_row([worker.to_string()], |row| row.get(0))?)
    }

    fn has_run(&self, worker: WorkerNumber) -> Result<bool> {
        Ok(self
            .sql
            .prepare_cached("SELECT EXISTS (SELECT 1 FROM runs WHERE worker = ?1 AND state <> 'ended')")?
            .query_row([worker.get()], |row| row.get(0))?)
    }

    pub(super) fn schedule_status(&self) -> Result<Option<ScheduleStatus>> {
        let word: Option<String> = self
            .sql
            .prepare_cached("SELECT status FROM schedule")?
            .query_row([], |row| row.get(0))
            .optional()?;
        Ok(word.and_then(|word| ScheduleStatus::from_word(&word)))
    }

    fn claim(&self, id: &WorkId, worker: WorkerNumber, owner: Owner) -> Result<i64> {
        self.turn(id, transitions::Change::Claimed)?;
        let (owner, state) = match owner {
            Owner::Runner => ("runner", "claimed"),
            Owner::External => ("external", "running"),
        };
        self.sql
            .prepare_cached(
                "INSERT INTO runs(work, worker, owner, state, claimed_at)
                 SELECT n, ?2, ?3, ?4, ?5 FROM works WHERE id = ?1",
            )?
            .execute(params![id.as_str(), worker.get(), owner, state, self.now_ms()])?;
        let run = self.sql.last_insert_rowid();
        self.sql
            .prepare_cached(
                "UPDATE works SET started_at = COALESCE(started_at, ?2), ended_at = NULL, error = NULL WHERE id = ?1",
            )?
            .execute(params![id.as_str(), self.now_ms()])?;
        self.note(
            EventKind::Assigned,
            Note {
                work: Some(id),
                worker: Some(worker),
                state: Some(State::Running.as_str()),
                message: Some(&format!("Assigned {id} to {worker}")),
                ..Note::default()
            },
        )?;
        Ok(run)
    }

    /// Gives a work to a script that is a worker itself.
    ///
    /// # Errors
    /// [`Code::NotPending`]; [`Code::State`] where the work is not ready, or that worker already has one.
    pub fn claim_external(&self, id: &WorkId, worker: WorkerNumber) -> Result<()> {
        let head = self.head(id)?;
        let refuse =
            |what: String, hint: &str| Err(Error::new(Code::State, what, hint).with_about(id.as_str()));
        let (unmet, paused): (i64, bool) =
            self.sql.query_row("SELECT unmet, paused FROM works WHERE n = ?1", [head.n], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })?;
        if head.status != Status::Pending {
            return Err(Error::new(
                Code::NotPending,
                format!("'{id}' is {}, not pending", head.status),
                "`wf0 work next` names one that can be taken",
            )
            .with_about(id.as_str()));
        }
        if paused {
            return refuse(format!("'{id}' is paused"), "`wf0 batch resume ID` lets it run again");
        }
        if unmet > 0 {
            return refuse(
                format!("'{id}' still waits for {unmet} of its dependencies"),
                "`wf0 work next` names one that can be taken",
            );
        }
        if self.has_run(worker)? {
            return refuse(
                format!("{worker} already has a work"),
                &format!(
                    "complete or fail that one first; if nobody works on it any more, `wf_batch_release_worker {}` or \
                     `wf0 work release {worker}` takes it back",
                    worker.get()
                ),
            );
        }
        match self.schedule_status()? {
            Some(ScheduleStatus::Paused) => {
                return refuse("the batch is paused".into(), "`wf0 batch resume` lets it go on");
            }
            Some(ScheduleStatus::Running) | None => {}
            Some(_) => self.set_schedule_status(ScheduleStatus::Running, None)?,
        }
        self.claim(id, worker, Owner::External)?;
        Ok(())
    }

    /// The run that `worker` has, if it is a script's and of that work.
    ///
    /// # Errors
    /// [`Code::NotYours`].
    pub fn external_run(&self, id: Option<&WorkId>, worker: WorkerNumber) -> Result<(i64, WorkId)> {
        let found = self
            .sql
            .prepare_cached(
                "SELECT r.id, w.id FROM runs r JOIN works w ON w.n = r.work
                 WHERE r.worker = ?1 AND r.state <> 'ended' AND r.owner = 'external'",
            )?
            .query_row([worker.get()], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?)))
            .optional()?;
        let held = match found {
            Some((run, held)) => Some((run, WorkId::new(held)?)),
            None => None,
        };
        held.filter(|(_, held)| id.is_none_or(|id| id == held)).ok_or_else(|| {
            let what = match id {
                Some(id) => format!("{worker} has no claim on '{id}'"),
                None => format!("{worker} has no claim"),
            };
            let error = Error::new(Code::NotYours, what, "`wf0 batch status` shows who has what");
            match id {
                Some(id) => error.with_about(id.as_str()),
                None => error,
            }
        })
    }

    /// The runner, holding the work's lease, begins a run. `false` where the claim is stale: ended, or to be ended.
    ///
    /// # Errors
    /// [`Code::Store`].
    pub fn begin_run(&self, run: i64) -> Result<bool> {
        let begun = self.sql.execute(
            "UPDATE runs SET state = 'running' WHERE id = ?1 AND state = 'claimed' AND wish IS NULL AND owner = 'runner'",
            [run],
        )?;
        Ok(begun == 1)
    }

    /// Records the worktree of a work; `None` once it is gone.
    ///
    /// # Errors
    /// [`Code::Store`].
    pub fn set_worktree(&self, id: &WorkId, worktree: Option<&str>) -> Result<()> {
        self.mark()?;
        self.sql.execute("UPDATE works SET worktree = ?2 WHERE id = ?1", params![id.as_str(), worktree])?;
        Ok(())
    }

    /// A note that names a run's worker.
    ///
    /// # Errors
    /// [`Code::Store`].
    pub fn by(&self, run: i64) -> Result<Note<'static>> {
        let worker: Option<u32> = self
            .sql
            .prepare_cached("SELECT worker FROM runs WHERE id = ?1")?
            .query_row([run], |row| row.get(0))
            .optional()?;
        Ok(Note { worker: worker.and_then(|number| WorkerNumber::new(number).ok()), ..Note::default() })
    }

    /// Ends a run with its outcome, frees what waited for it, and closes the batch where that was the last.
    /// `false` where the run has ended already: then nothing is changed.
    ///
    /// # Errors
    /// [`Code::Store`].
    pub fn end_run(&self, run: i64, id: &WorkId, outcome: &Outcome) -> Result<bool> {
        let word = match outcome {
            Outcome::Completed => "completed",
            Outcome::Failed(_) => "failed",
            Outcome::Returned { .. } => "returned",
        };
        let claimed: Option<i64> = self
            .sql
            .prepare_cached(
                "UPDATE runs SET state = 'ended', outcome = ?2, ended_at = ?3 WHERE id = ?1 AND state <> 'ended' RETURNING claimed_at",
            )?
            .query_row(params![run, word, self.now_ms()], |row| row.get(0))
            .optional()?;
        let Some(claimed) = claimed else { return Ok(false) };
        let (change, kind, state, message) = match outcome {
            Outcome::Completed => {
                (transitions::Change::Completed, EventKind::Completed, State::Completed, None)
            }
            Outcome::Failed(why) => {
                (transitions::Change::Failed, EventKind::Failed, State::Failed, Some(why))
            }
            Outcome::Returned { why, pause: true } => {
                (transitions::Change::Returned, EventKind::Paused, State::Paused, Some(why))
            }
            Outcome::Returned { why, .. } => {
                (transitions::Change::Returned, EventKind::Returned, State::Pending, Some(why))
            }
        };
        self.turn(id, change)?;
        let ended = matches!(outcome, Outcome::Completed | Outcome::Failed(_)).then(|| self.now_ms());
        let error = if let Outcome::Failed(why) = outcome { Some(why) } else { None };
        let pause = matches!(outcome, Outcome::Returned { pause: true, .. });
        self.sql
            .prepare_cached(
                "UPDATE works SET worked_ms = worked_ms + ?2, ended_at = ?3, error = ?4, paused = ?5,
                        position = CASE WHEN ?6 THEN NULL ELSE position END WHERE id = ?1",
            )?
            .execute(params![
                id.as_str(),
                (self.now_ms() - claimed).max(0),
                ended,
                error,
                pause,
                matches!(outcome, Outcome::Completed)
            ])?;
        let by = self.by(run)?;
        self.note(
            kind,
            Note { work: Some(id), state: Some(state.as_str()), message: message.map(String::as_str), ..by },
        )?;
        self.close_if_over()?;
        Ok(true)
    }

    /// Ends the batch where nothing runs and nothing can be taken any more.
    ///
    /// # Errors
    /// [`Code::Store`].
    pub fn close_if_over(&self) -> Result<()> {
        if self.schedule_status()? != Some(ScheduleStatus::Running) || self.next_ready()?.is_some() {
            return Ok(());
        }
        let running: u32 = self
            .sql
            .prepare_cached("SELECT COUNT(*) FROM works WHERE status = 'running'")?
            .query_row([], |row| row.get(0))?;
        if running > 0 {
            return Ok(());
        }
        let tally = self.sql.query_row(
            "SELECT COUNT(*), SUM(status = 'completed'), SUM(status = 'failed'), SUM(status = 'pending' AND paused) FROM works",
            [],
            |row| {
                Ok(Tally {
                    total: row.get(0)?,
                    completed: row.get(1)?,
                    failed: row.get(2)?,
                    paused: row.get(3)?,
                    running: 0,
                    ready: 0,
                })
            },
        )?;
        let Some(status) = closing::outcome(tally) else { return Ok(()) };
        let reason = match status {
            ScheduleStatus::Paused => Some(match tally.paused {
                1 => "1 work is stopped by name".to_owned(),
                several => format!("{several} works are stopped by name"),
            }),
            ScheduleStatus::Failed => {
                Some(format!("{} of {} completed", tally.completed, count(tally.total as usize, "work")))
            }
            _ => None,
        };
        self.set_schedule_status(status, reason.as_deref())?;
        self.sql.execute("UPDATE schedule SET over = 1", [])?;
        self.note(
            EventKind::Ended,
            Note { state: Some(status.as_str()), message: reason.as_deref(), ..Note::default() },
        )
    }

    /// Wishes that a work's run ends early; `false` where no runner of ours has it.
    ///
    /// # Errors
    /// [`Code::Store`].
    pub fn wish(&self, id: &WorkId, wish: Wish) -> Result<bool> {
        let word = match wish {
            Wish::Return => "return",
            Wish::Pause => "pause",
        };
        let changed = self.sql.execute(
            "UPDATE runs SET wish = ?2 WHERE state <> 'ended' AND owner = 'runner'
               AND work = (SELECT n FROM works WHERE id = ?1)",
            params![id.as_str(), word],
        )?;
        Ok(changed > 0)
    }

    /// A worker is about to leave: its run ends early and goes back to pending, and it gets no other.
    ///
    /// # Errors
    /// [`Code::Store`].
    pub fn dismiss(&self, worker: WorkerNumber) -> Result<()> {
        self.sql.execute("UPDATE processes SET wish = 1 WHERE role = ?1", [worker.to_string()])?;
        self.sql.execute(
            "UPDATE runs SET wish = 'return' WHERE state <> 'ended' AND owner = 'runner' AND wish IS NULL AND worker = ?1",
            [worker.get()],
        )?;
        Ok(())
    }

    /// Stops everything: no further claim, every run of ours ends early. Scripts' claims are theirs.
    ///
    /// # Errors
    /// [`Code::Store`].
    pub fn stop_all(&self, reason: &str) -> Result<()> {
        self.hold(reason)?;
        self.sql.execute(
            "UPDATE runs SET wish = 'return' WHERE state <> 'ended' AND owner = 'runner' AND wish IS NULL",
            [],
        )?;
        self.wish_end_of_all()
    }

    /// Holds a running batch: no further claim until `resume`; what runs comes to its end.
    ///
    /// # Errors
    /// [`Code::Store`].
    pub fn hold(&self, reason: &str) -> Result<()> {
        if self.schedule_status()? != Some(ScheduleStatus::Running) {
            return Ok(());
        }
        self.set_schedule_status(ScheduleStatus::Paused, Some(reason))?;
        self.note(
            EventKind::Stopped,
            Note { state: Some("paused"), message: Some(reason), ..Note::default() },
        )
    }

    /// Keeps a pending work from being taken.
    ///
    /// # Errors
    /// [`Code::Store`].
    pub fn pause_pending(&self, id: &WorkId) -> Result<bool> {
        let changed = self.sql.execute(
            "UPDATE works SET paused = 1 WHERE id = ?1 AND status = 'pending' AND paused = 0",
            [id.as_str()],
        )?;
        if changed > 0 {
            self.mark()?;
            self.note(
                EventKind::Paused,
                Note {
                    work: Some(id),
                    state: Some("paused"),
                    message: Some("stopped by name"),
                    ..Note::default()
                },
            )?;
            self.close_if_over()?;
        }
        Ok(changed > 0)
    }

    /// Lets a failed or paused work run again, at the phase it was in. `false` where it is neither.
    ///
    /// # Errors
    /// [`Code::UnknownWork`], [`Code::Store`].
    pub fn reopen(&self, id: &WorkId) -> Result<bool> {
        let head = self.head(id)?;
        let paused: bool =
            self.sql.query_row("SELECT paused FROM works WHERE n = ?1", [head.n], |row| row.get(0))?;
        match head.status {
            Status::Failed => {
                self.turn(id, transitions::Change::Reopened)?;
            }
            Status::Pending if paused => self.mark()?,
            _ => return Ok(false),
        }
        self.sql.execute(
            "UPDATE works SET paused = 0, error = NULL, ended_at = NULL, attempts = 0,
                    counted_from = (SELECT COALESCE(MAX(id), 0) FROM attempts) WHERE n = ?1",
            [head.n],
        )?;
        self.note(EventKind::Resumed, Note { work: Some(id), state: Some("pending"), ..Note::default() })?;
        Ok(true)
    }

    /// Lets a completed work run again from its first phase.
    pub(super) fn begin_again(&self, id: &WorkId) -> Result<()> {
        self.turn(id, transitions::Change::Reopened)?;
        self.sql.execute(
            "UPDATE works SET paused = 0, error = NULL, started_at = NULL, ended_at = NULL, attempts = 0, worked_ms = 0,
                    position = NULL, counted_from = (SELECT COALESCE(MAX(id), 0) FROM attempts) WHERE id = ?1",
            [id.as_str()],
        )?;
        Ok(())
    }

    /// Declares a work done without running it.
    pub(super) fn declare_completed(&self, id: &WorkId) -> Result<()> {
        self.turn(id, transitions::Change::Declared)?;
        self.sql.execute(
            "UPDATE works SET paused = 0, error = NULL, ended_at = ?2, position = NULL WHERE id = ?1",
            params![id.as_str(), self.now_ms()],
        )?;
        Ok(())
    }

    /// The batch runs from now on, with so many workers. `configured` says whether the project has a configuration
    /// file, so that its disappearance is noticed.
    ///
    /// # Errors
    /// [`Code::Store`].
    pub fn start_batch(&self, parallel: u32, configured: bool) -> Result<()> {
        self.sql
            .execute("UPDATE schedule SET parallel = ?1, configured = ?2", params![parallel, configured])?;
        self.set_schedule_status(ScheduleStatus::Running, None)?;
        self.note(EventKind::Started, Note { state: Some("running"), ..Note::default() })
    }
}

impl Store {
    /// The name of a run that no run of any project on this machine shares. Processes carry it in their environment,
    /// and what carries it may be killed.
    ///
    /// # Errors
    /// [`Code::Store`].
    pub fn cookie(&self, run: i64) -> Result<String> {
        let store: String = self.sql().query_row("SELECT name FROM identity", [], |row| row.get(0))?;
        Ok(format!("{store}-{run}"))
    }

    /// The wish for a run; `None` where there is none, or the run has ended.
    ///
    /// # Errors
    /// [`Code::Store`].
    pub fn wish_for(&self, run: i64) -> Result<Option<Wish>> {
        let word: Option<String> = self
            .sql()
            .prepare_cached("SELECT wish FROM runs WHERE id = ?1 AND state <> 'ended'")?
            .query_row([run], |row| row.get(0))
            .optional()?
            .flatten();
        Ok(word.map(|word| if word == "pause" { Wish::Pause } else { Wish::Return }))
    }

    /// How many works are not completed.
    ///
    /// # Errors
    /// [`Code::Store`].
    pub fn open_works(&self) -> Result<u32> {
        let mut statement =
            self.sql().prepare_cached("SELECT COUNT(*) FROM works WHERE status <> 'completed'")?;
        Ok(statement.query_row([], |row| row.get(0))?)
    }

    /// The work that would be given out next.
    ///
    /// # Errors
    /// [`Code::Store`].
    pub fn next_work(&mut self) -> Result<Option<WorkId>> {
        self.change(|change| match change.schedule_status()? {
            Some(ScheduleStatus::Paused) | None => Ok(None),
            Some(_) => change.next_ready(),
        })
    }
}
