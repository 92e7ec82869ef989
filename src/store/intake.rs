//! Noticing that somebody else wrote schedule.json, and taking it in.
//!
//! A document that cannot be read is given half a second to become whole (somebody may be writing it in place).
//! After that a command refuses it and touches nothing, and a running scheduler puts it aside as
//! `schedule.json.rejected`, so that the batch goes on.

use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::{OptionalExtension, params};

use super::Store;
use super::content::{hash, read, signature};
use super::create::Checked;
use super::events::{EventKind, Note};
use crate::error::{Code, Error, Result};
use crate::rules::edits::{self, Published};
use crate::schedule::{Document, ScheduleStatus, WorkRecord};

/// What is done about a schedule.json that cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unreadable {
    /// Answer with an error and leave it as it is.
    Refuse,
    /// Put it aside and publish again.
    PutAside,
}

/// What came of looking at the file.
#[derive(Debug, Default)]
pub(super) struct Taken {
    /// Lines for people about what was refused or noticed.
    pub lines: Vec<String>,
    /// The content that was looked at, if any; what settled while it was read counts as another.
    pub content: Option<String>,
}

/// How long a document must be still before it counts as broken.
const STILL: Duration = Duration::from_millis(500);

impl Store {
    /// Takes in what stands in the file, if it is not what was published last. Gives lines for people about what
    /// was refused or noticed. The caller holds the lock for publishing.
    pub(super) fn take_in_file(&mut self, unreadable: Unreadable) -> Result<Taken> {
        let path = self.project().schedule_file();
        let known = self.published()?;
        let Some(signature) = signature(&path)? else {
            return Ok(Taken { lines: self.file_is_missing(known.is_some(), unreadable)?, content: None });
        };
        if known.is_some_and(|(_, known)| known == signature) {
            return Ok(Taken::default());
        }
        self.take_in(&path, unreadable)
    }

    /// Takes in the document at `path`, which may be the project's or one that an exchange brought to light.
    ///
    /// With [`Unreadable::Refuse`], a circle or two works in one place are an error, too, and nothing is taken in.
    pub(super) fn take_in(&mut self, path: &Path, unreadable: Unreadable) -> Result<Taken> {
        let bytes = read(path)?;
        let content = hash(&bytes);
        let ours: Option<i64> = self
            .sql()
            .query_row(
                "SELECT rev FROM revisions WHERE hash = ?1 ORDER BY rev DESC LIMIT 1",
                [&content],
                |row| row.get(0),
            )
            .optional()?;
        // Published by us, perhaps long ago (a checkout, a stash): no edit. Publishing follows where it is stale.
        let lines = if ours.is_some() { Vec::new() } else { self.take_in_foreign(path, bytes, unreadable)? };
        Ok(Taken { lines, content: Some(content) })
    }

    fn take_in_foreign(
        &mut self,
        path: &Path,
        bytes: Vec<u8>,
        unreadable: Unreadable,
    ) -> Result<Vec<String>> {
        let name = self.project().schedule_file().display().to_string();
        let document = match settle(path, &name, bytes) {
            Ok(document) => document,
            Err(error) if unreadable == Unreadable::PutAside && error.code() == Code::Form => {
                return self.put_aside(path, &error);
            }
            // At any other time its being missing clears the schedule.
            Err(error) if error.code() == Code::Form && self.is_published_again()? => {
                return Err(error.with_hint(
                    "correct the file there, or remove it (`rm .wf/schedule.json`): then it is written anew as it was; \
                     `wf0 schedule create --force` replaces the schedule",
                ));
            }
            Err(error) => return Err(error),
        };
        let prefixes = self.project().config()?.branch_prefix;
        if self.status()?.is_none() {
            let parallel = self.project().config()?.batch.default_parallel;
            let checked = Checked::new(document, &prefixes).map_err(|error| in_file(&name, error))?;
            self.change(|change| change.replace_schedule(&checked, parallel))?;
            return Ok(checked.warnings);
        }
        self.take_in_edits(&document, &prefixes, unreadable).map_err(|error| in_file(&name, error))
    }

    fn take_in_edits(
        &mut self,
        document: &Document,
        prefixes: &std::collections::BTreeMap<String, String>,
        unreadable: Unreadable,
    ) -> Result<Vec<String>> {
        let last = self.published()?.map_or(0, |(rev, _)| rev);
        let stamp = document.wf0.map(|stamp| i64::try_from(stamp.rev).unwrap_or(i64::MAX));
        let mut lines = Vec::new();
        let base = match self.seen_at(stamp.unwrap_or(last))? {
            Some((works, status)) => Some((works, status, true)),
            None => {
                lines.push(
                    "schedule.json names a revision that is not known here: its status values were not taken in".to_owned(),
                );
                self.seen_at(self.revision()?)?.map(|(works, status)| (works, status, false))
            }
        };
        let Some((works, status, statuses)) = base else { return Ok(lines) };
        let found = edits::find(&works, status, document, statuses);
        let leases = self.folder().clone();
        let held = |id: &_| leases.try_lock(&leases.runner_lease(id)).is_ok_and(|lock| lock.is_none());
        let refused = self.change(|change| change.apply(&found, document, prefixes, unreadable, &held))?;
        lines.extend(refused.into_iter().map(|line| format!("schedule.json: {line}")));
        Ok(lines)
    }

    /// Takes in what was made of `base`, a document that [`Store::document`] gave: all of it or nothing.
    ///
    /// # Errors
    /// [`Code::State`] naming what can't be taken in; [`Code::Cycle`], [`Code::Collision`], [`Code::Form`].
    pub fn take_in_made(&mut self, base: &Document, made: &Document) -> Result<()> {
        let prefixes = self.project().config()?.branch_prefix;
        let published = |work: &WorkRecord| Published {
            status: work.status,
            priority: work.priority.unwrap_or_default(),
            dependencies: work.dependencies.clone(),
        };
        let works = base.works.iter().map(|(id, work)| (id.clone(), published(work))).collect();
        let found = edits::find(&works, base.status, made, true);
        let folder = self.folder().clone();
        let held = |id: &_| folder.try_lock(&folder.runner_lease(id)).is_ok_and(|lock| lock.is_none());
        self.change(|change| {
            let refused = change.apply(&found, made, &prefixes, Unreadable::Refuse, &held)?;
            match refused.is_empty() {
                true => Ok(()),
                false => Err(Error::new(Code::State, refused.join("; "), "nothing of it was taken in")),
            }
        })
    }

    fn put_aside(&mut self, path: &Path, error: &Error) -> Result<Vec<String>> {
        let aside = self.project().wf().join("schedule.json.rejected");
        std::fs::copy(path, &aside).map_err(|error| Error::file("write", &aside, &error))?;
        let line = format!("{}; kept as {}", error.what(), aside.display());
        self.change(|change| {
            change.mark()?;
            change.note(EventKind::Refused, Note { message: Some(&line), ..Note::default() })
        })?;
        Ok(vec![line])
    }

    fn file_is_missing(&mut self, was_published: bool, unreadable: Unreadable) -> Result<Vec<String>> {
        if self.status()?.is_none() {
            return Ok(Vec::new());
        }
        let standing = self.project().wf().is_dir();
        if !was_published || !standing {
            return Ok(Vec::new());
        }
        if self.is_published_again()? || unreadable == Unreadable::PutAside {
            let line = "schedule.json was deleted: published again, with the batch as it stands".to_owned();
            self.change(|change| {
                change.mark()?;
                change.note(EventKind::Warning, Note { message: Some(&line), ..Note::default() })
            })?;
            return Ok(vec![line]);
        }
        let kept = self.archive()?;
        self.change(|change| change.remove_schedule())?;
        Ok(vec![format!("schedule.json was deleted: the schedule is cleared (kept as {})", kept.display())])
    }

    /// Whether the file is written again where it is gone, and the schedule not cleared: the batch runs, somebody still
    /// has one of its works, or what came of it was never in the file.
    fn is_published_again(&self) -> Result<bool> {
        Ok(match self.status()? {
            None => false,
            Some(ScheduleStatus::Running) => true,
            Some(_) => !self.runs()?.is_empty() || !self.is_published()?,
        })
    }

    /// Keeps the schedule as a document of its own, from which it can be created again.
    ///
    /// # Errors
    /// [`Code::File`], [`Code::Store`].
    pub fn archive(&self) -> Result<std::path::PathBuf> {
        let at = jiff::Timestamp::now().strftime("%Y%m%dT%H%M%SZ");
        let path = self.folder().archive().join(format!("schedule-{at}.json"));
        let Some((document, _)) = self.document()? else { return Ok(path) };
        std::fs::write(&path, document.to_text()).map_err(|error| Error::file("write", &path, &error))?;
        Ok(path)
    }

    /// The revision that was published last, and the file's signature then.
    pub(super) fn published(&self) -> Result<Option<(i64, String)>> {
        Ok(self
            .sql()
            .query_row("SELECT rev, signature FROM published", [], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?)
    }

    pub(super) fn set_published(&mut self, rev: i64, signature: &str) -> Result<()> {
        self.sql().execute(
            "INSERT OR REPLACE INTO published(one, rev, signature) VALUES (1, ?1, ?2)",
            params![rev, signature],
        )?;
        Ok(())
    }
}

/// A refusal of what stands in the file names the file; what the store itself says, does not.
pub fn in_file(name: &str, error: Error) -> Error {
    if error.code() == Code::Store {
        return error;
    }
    Error::new(error.code(), format!("{name}: {}", error.what()), error.hint())
}

/// Reads a document, waiting while it is broken and somebody still writes it.
fn settle(path: &Path, name: &str, mut bytes: Vec<u8>) -> Result<Document> {
    let mut still_since = Instant::now();
    loop {
        let error = match Document::parse(name, &bytes) {
            Ok(document) => return Ok(document),
            Err(error) => error,
        };
        if still_since.elapsed() >= STILL {
            return Err(error);
        }
        std::thread::sleep(Duration::from_millis(25));
        let now = read(path)?;
        if now != bytes {
            still_since = Instant::now();
            bytes = now;
        }
    }
}
