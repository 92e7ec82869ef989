//! The one error type of the library: a stable code, what happened, what to do about it.
//!
//! It knows nothing of terminals or exit statuses beyond the one distinction that both front ends need:
//! was the command used wrongly, or did it fail?

use std::fmt;
use std::io;
use std::path::Path;

/// What every fallible function of the library returns.
pub type Result<T> = std::result::Result<T, Error>;

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $text:literal),+ $(,)?) => {
        /// Stable names of everything that can go wrong. Scripts match on [`Code::as_str`]; a code is never
        /// renamed or reused.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Code { $($(#[$doc])* $name),+ }

        impl Code {
            /// Every code, for documentation and tests.
            pub const ALL: &'static [Code] = &[$(Code::$name),+];

            /// The stable text, like `wf0::schedule::cycle`.
            pub fn as_str(self) -> &'static str {
                match self { $(Code::$name => $text),+ }
            }
        }
    };
}

codes! {
    /// The command line itself is wrong: an unknown key, a missing value, two options that exclude each other.
    Usage = "wf0::usage",
    /// No `.wf` in this folder or above it.
    NoProject = "wf0::project::missing",
    /// `.wf` lies where wf0 cannot work with it.
    ProjectPlace = "wf0::project::place",
    /// `.wf/config.json` cannot be read or has a value of the wrong type.
    Config = "wf0::config::invalid",
    /// No schedule where one is needed.
    NoSchedule = "wf0::schedule::missing",
    /// `schedule.json`, or a list given in its place, breaks the form.
    Form = "wf0::schedule::form",
    /// An identifier that cannot name a work.
    WorkId = "wf0::schedule::work_id",
    /// The same work twice.
    Duplicate = "wf0::schedule::duplicate",
    /// Two works would share a branch or a worktree folder.
    Collision = "wf0::schedule::collision",
    /// The dependencies form a circle.
    Cycle = "wf0::schedule::cycle",
    /// A work that is not in the schedule.
    UnknownWork = "wf0::schedule::unknown_work",
    /// A phase that is not in the configuration.
    UnknownPhase = "wf0::schedule::unknown_phase",
    /// Not while the batch runs.
    Running = "wf0::batch::running",
    /// Another process already has that place: a scheduler, or a worker of that number.
    Taken = "wf0::batch::taken",
    /// There is nothing to run.
    Nothing = "wf0::batch::nothing",
    /// A work is not in a state that allows what was asked.
    State = "wf0::work::state",
    /// A work that was to be claimed is not pending: somebody else was faster, or it has its outcome.
    NotPending = "wf0::work::not_pending",
    /// The claim belongs to somebody else, or there is none.
    NotYours = "wf0::work::not_yours",
    /// The command of a phase, or the agent, is not installed.
    NoAgent = "wf0::agent::missing",
    /// git is not installed.
    NoGit = "wf0::git::missing",
    /// A folder that is no git repository, has no commit, or whose base branch is not there.
    Repository = "wf0::git::repository",
    /// A git command failed.
    Git = "wf0::git::failed",
    /// Dependencies' branches do not merge.
    Conflict = "wf0::git::conflict",
    /// Something in a worktree would be lost.
    WouldLose = "wf0::worktree::would_lose",
    /// A branch or worktree folder is in use by something that is not wf0's.
    WorktreeTaken = "wf0::worktree::taken",
    /// The store cannot be opened, read or written.
    Store = "wf0::store::failed",
    /// The store was written by a newer wf0, or an older one still has it open.
    StoreVersion = "wf0::store::version",
    /// The program that a tracker is read with is not installed.
    SourceProgram = "wf0::source::missing_program",
    /// A tracker wants a login, or a better one.
    SourceLogin = "wf0::source::login",
    /// A tracker has no answer to what was asked: no such repository, a query that it can't read.
    SourceRefused = "wf0::source::refused",
    /// A tracker can't be reached, is out of order, or takes too long.
    SourceUnreachable = "wf0::source::unreachable",
    /// A limit of the tracker, or of wf0, was reached: requests in an hour, issues in one reading.
    SourceLimit = "wf0::source::limit",
    /// A tracker's answer can't be read.
    SourceAnswer = "wf0::source::answer",
    /// A file or folder could not be read or written.
    File = "wf0::file",
    /// A process could not be started or ended.
    Process = "wf0::process",
    /// Interrupted by a signal or a wish to stop.
    Interrupted = "wf0::interrupted",
}

/// An error as people and scripts see it.
///
/// `what` is one sentence of what happened, with the file, key or id in it; `hint` one sentence of what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    code: Code,
    what: String,
    hint: String,
    about: Option<About>,
}

/// What somebody gave that an error is about, so that a front end can show where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum About {
    /// An identifier, name or word, as it was given.
    Text(Box<str>),
    /// A cell of a table, or a whole row of it.
    Cell {
        /// From 1.
        row: usize,
        /// The column's name.
        column: Option<Box<str>>,
    },
}

impl Error {
    /// An error of that code. Both texts are whole sentences without a final full stop.
    pub fn new(code: Code, what: impl Into<String>, hint: impl Into<String>) -> Self {
        Error { code, what: what.into(), hint: hint.into(), about: None }
    }

    /// A file operation that failed: `doing` is a verb phrase such as `read`, `create the folder`.
    pub fn file(doing: &str, path: &Path, source: &io::Error) -> Self {
        let hint = match source.kind() {
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
                "make it readable and writable for you, or work in a copy that is".to_owned()
            }
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                "free some space there, then run the same command again".to_owned()
            }
            io::ErrorKind::NotFound => "check that the path exists".to_owned(),
            _ => "mend what the message names, then run the same command again".to_owned(),
        };
        Error::new(Code::File, format!("cannot {doing} {}: {}", path.display(), plain(source)), hint)
    }

    /// The same, with another thing to do about it.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = hint.into();
        self
    }

    /// The same, about an identifier, name or word that somebody gave.
    #[must_use]
    pub fn with_about(mut self, text: impl Into<Box<str>>) -> Self {
        self.about = Some(About::Text(text.into()));
        self
    }

    /// The same, about a row (from 1) of a table that somebody gave, or a cell of that row.
    #[must_use]
    pub fn with_cell(mut self, row: usize, column: Option<&str>) -> Self {
        self.about = Some(About::Cell { row, column: column.map(Into::into) });
        self
    }

    /// What was given and is at fault.
    pub fn about(&self) -> Option<&About> {
        self.about.as_ref()
    }

    /// What kind of error it is.
    pub fn code(&self) -> Code {
        self.code
    }

    /// What happened.
    pub fn what(&self) -> &str {
        &self.what
    }

    /// What to do about it.
    pub fn hint(&self) -> &str {
        &self.hint
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

impl std::error::Error for Error {}

/// An operating system's message without its `(os error N)`.
pub fn plain(error: &io::Error) -> String {
    let text = error.to_string();
    match text.find(" (os error") {
        Some(at) => text[..at].to_lowercase(),
        None => text,
    }
}
