//! Opening a scheduler or worker of a project, in tmux or detached.

use std::path::PathBuf;

use crate::error::Result;
use crate::platform::program;
use crate::store::Store;
use crate::terminal::{self, Launch, Opening, Role, Tmux};

/// Opens a process whose lock nobody holds.
///
/// # Errors
/// As [`terminal::open`].
pub fn open(store: &Store, role: Role, prefer_tmux: bool) -> Result<Opening> {
    let root = store.project().root();
    let (command, number) = match role {
        Role::Scheduler => ("daemon", None),
        Role::Worker(number) => ("worker", Some(number.get().to_string().into())),
    };
    let words = ["--project".into(), root.into(), "batch".into(), command.into()];
    let launch = Launch {
        program: &program::wf0()?,
        arguments: words.into_iter().chain(number).chain(["--managed".into()]).collect(),
        root,
        role,
        folder: &store.folder().launch(),
        log: &log(store, role),
    };
    terminal::open_fresh(&Tmux::default(), &launch, prefer_tmux)
}

/// Where the output of a process goes that runs detached.
pub fn log(store: &Store, role: Role) -> PathBuf {
    store.folder().process_log(&match role {
        Role::Scheduler => "scheduler".to_owned(),
        Role::Worker(number) => number.to_string(),
    })
}
