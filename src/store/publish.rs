//! Writing `.wf/schedule.json`, so that it is a whole and valid document at every moment and nobody's edit is lost.
//!
//! A temporary file, fsync, an exchange with the file that is there, fsync of the folder. What the exchange brings
//! to light is looked at: if it is not what was published last, somebody edited it in that very moment, and the edit
//! is taken in like any other.

use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use serde_json::{Map, Value};

use super::Store;
use super::bell::{Listener, ring, ring_watchers};
use super::content::{hash, signature};
use super::intake::Unreadable;
use super::works::{RunState, Schedule, Work};
use crate::error::{Error, Result};
use crate::platform::exchange::exchange;
use crate::platform::filelock::FileLock;
use crate::schedule::document::{Stamp, VERSION, rfc3339};
use crate::schedule::{Document, ScheduleStatus, Status, WorkRecord};

/// After so many rounds somebody writes faster than we can read; the next command goes on.
const ROUNDS: usize = 50;

impl Store {
    /// Takes in what others wrote, then brings schedule.json up to date. Gives lines for people.
    ///
    /// # Errors
    /// [`crate::error::Code::Form`] for a document that breaks the form (with [`Unreadable::Refuse`]; nothing is
    /// overwritten), [`crate::error::Code::File`], [`crate::error::Code::Store`].
    pub fn publish(&mut self, unreadable: Unreadable) -> Result<Vec<String>> {
        let lock = self.folder().lock("publish");
        let _held = FileLock::exclusive(&lock).map_err(|error| Error::file("lock", &lock, &error))?;
        let before = self.revision()?;
        let lines = self.take_in_and_write(unreadable)?;
        if self.revision()? != before {
            // Whoever looks first at what somebody wrote takes it in; the scheduler must hear of it from that one.
            ring(&self.folder().bell(), Listener::Scheduler);
            ring_watchers(&self.folder().bell());
        }
        Ok(lines)
    }

    fn take_in_and_write(&mut self, unreadable: Unreadable) -> Result<Vec<String>> {
        let mut lines = Vec::new();
        for _ in 0..ROUNDS {
            let taken = self.take_in_file(unreadable)?;
            lines.extend(taken.lines);
            let path = self.project().schedule_file();
            let rev = self.revision()?;
            let Some(known) = signature(&path)? else {
                if self.status()?.is_some() {
                    self.write_document(unreadable, None, &mut lines)?;
                }
                return Ok(lines);
            };
            if self.published()? == Some((rev, known)) {
                return Ok(lines);
            }
            if self.status()?.is_none() {
                return Ok(lines);
            }
            if self.write_document(unreadable, taken.content.as_deref(), &mut lines)? {
                return Ok(lines);
            }
        }
        Ok(lines)
    }

    /// Writes the document once. `false` where an edit came in between, so that it must be written again. `taken` is
    /// the content that has been taken in already.
    fn write_document(
        &mut self,
        unreadable: Unreadable,
        taken: Option<&str>,
        lines: &mut Vec<String>,
    ) -> Result<bool> {
        let Some((document, rev)) = self.document()? else { return Ok(true) };
        let text = document.to_text();
        let name = hash(text.as_bytes());
        // Noted before it is written: a file with this content is ours, even if we die before the next step.
        self.change(|change| {
            change
                .sql
                .execute("UPDATE revisions SET hash = ?2 WHERE rev = ?1", rusqlite::params![rev, name])?;
            Ok(())
        })?;
        let path = self.project().schedule_file();
        let folder = self.project().wf();
        std::fs::create_dir_all(&folder)
            .map_err(|error| Error::file("create the folder", &folder, &error))?;
        let fresh = folder.join(".schedule.json.wf0");
        write_durably(&fresh, text.as_bytes()).map_err(|error| Error::file("write", &fresh, &error))?;
        let before = self.published()?;
        let swapped = match exchange(&fresh, &path) {
            Ok(swapped) => swapped,
            Err(error) if error.kind() == io::ErrorKind::NotFound => false,
            Err(error) => return Err(Error::file("replace", &path, &error)),
        };
        if !swapped {
            if let Some((_, known)) = &before
                && signature(&path)?.is_some_and(|now| now != *known)
            {
                lines.extend(self.take_in_file(unreadable)?.lines);
                return Ok(false);
            }
            std::fs::rename(&fresh, &path).map_err(|error| Error::file("replace", &path, &error))?;
        }
        sync_folder(&folder).map_err(|error| Error::file("write", &folder, &error))?;
        if let Some(now) = signature(&path)? {
            self.set_published(rev, &now)?;
        }
        if !swapped {
            return Ok(true);
        }
        // What was there: the one published last, or an edit that nobody has seen yet.
        let swapped_out = std::fs::read(&fresh).ok().map(|bytes| hash(&bytes));
        if taken.is_some() && swapped_out.as_deref() == taken {
            std::fs::remove_file(&fresh).map_err(|error| Error::file("remove", &fresh, &error))?;
            return Ok(true);
        }
        let revision = self.revision()?;
        lines.extend(self.take_in(&fresh, Unreadable::PutAside)?.lines);
        std::fs::remove_file(&fresh).map_err(|error| Error::file("remove", &fresh, &error))?;
        Ok(self.revision()? == revision)
    }

    /// Whether the newest revision has been written.
    ///
    /// # Errors
    /// [`crate::error::Code::Store`].
    pub fn is_published(&self) -> Result<bool> {
        Ok(self.published()?.is_some_and(|(rev, _)| Some(rev) == self.revision().ok()))
    }

    /// Whether schedule.json is not the file that was written last.
    ///
    /// # Errors
    /// [`crate::error::Code::Store`], [`crate::error::Code::File`].
    pub fn file_differs(&self) -> Result<bool> {
        let now = signature(&self.project().schedule_file())?;
        Ok(self.published()?.map(|(_, known)| known) != now)
    }

    /// The document as it would be published now, with its revision.
    ///
    /// # Errors
    /// [`crate::error::Code::Store`].
    pub fn document(&self) -> Result<Option<(Document, i64)>> {
        // The revision is read first: if something changes in between, the document is only newer than it says.
        let rev = self.revision()?;
        Ok(self.schedule()?.map(|schedule| (document(&schedule, rev), rev)))
    }
}

fn document(schedule: &Schedule, rev: i64) -> Document {
    let count = |status: Status| schedule.works.iter().filter(|work| work.status == status).count();
    let mut execution: Map<String, Value> = Map::new();
    execution.insert("max_parallel".into(), schedule.parallel.into());
    execution.insert("sessions".into(), sessions(schedule).into());
    execution.extend(schedule.extras.execution.clone());
    let mut progress: Map<String, Value> = Map::new();
    progress.insert("total".into(), schedule.works.len().into());
    progress.insert("completed".into(), count(Status::Completed).into());
    progress.insert("in_progress".into(), count(Status::Running).into());
    progress.insert("pending".into(), count(Status::Pending).into());
    progress.extend(schedule.extras.progress.clone());
    Document {
        version: VERSION.into(),
        created_at: Some(schedule.created_at),
        status: schedule.status,
        sources: schedule.sources.clone(),
        works: schedule.works.iter().map(|work| (work.id.clone(), record(work))).collect(),
        execution: Some(execution),
        progress: Some(progress),
        wf0: Some(Stamp { rev: u64::try_from(rev).unwrap_or(0) }),
        extra: schedule.extras.top.clone(),
    }
}

fn sessions(schedule: &Schedule) -> Map<String, Value> {
    let idle = (1..=schedule.parallel).filter(|_| schedule.status == ScheduleStatus::Running).map(|n| {
        (format!("worker-{n}"), serde_json::json!({"work_id": null, "status": "idle", "started_at": null}))
    });
    let busy = schedule.runs.iter().map(|run| {
        let status = match run.state {
            RunState::Claimed | RunState::Running => "running",
        };
        let session = serde_json::json!({
            "work_id": run.work_id, "status": status, "started_at": rfc3339(run.claimed_at),
        });
        (run.worker.to_string(), session)
    });
    idle.chain(busy).collect()
}

fn record(work: &Work) -> WorkRecord {
    let ended = |status: Status| work.ended_at.filter(|_| work.status == status);
    WorkRecord {
        work_id: Some(work.id.clone()),
        source: Some(work.source.clone()),
        priority: Some(work.priority),
        dependencies: work.dependencies.clone(),
        status: work.status,
        worktree_path: work.worktree.clone(),
        started_at: work.started_at,
        completed_at: ended(Status::Completed),
        failed_at: ended(Status::Failed),
        error: work.error.clone(),
        extra: work.extra.clone(),
    }
}

fn write_durably(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::options().write(true).create(true).truncate(true).mode(0o644).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}
