//! `wf0 schedule clear`: removes the schedule. A copy stays in the engine's folder.

use std::io;

use super::Answer;
use super::create::refuse_while_running;
use crate::error::{Error, Result};
use crate::project::Project;
use crate::store::Store;
use crate::store::content::read_document;
use crate::store::works::no_schedule;

/// Removes the schedule; gives where a copy of it is kept, if there was anything in the store.
///
/// # Errors
/// No schedule; [`crate::error::Code::Running`].
pub fn clear(project: &Project) -> Result<Answer<Option<String>>> {
    let mut store = Store::open(project)?;
    refuse_while_running(&store)?;
    let path = project.schedule_file();
    let known = store.status()?.is_some();
    if read_document(&path)?.is_none() && !known {
        return Err(no_schedule());
    }
    let kept = if known { Some(store.archive()?.display().to_string()) } else { None };
    match std::fs::remove_file(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            return Err(Error::file("remove", &path, &error));
        }
        Ok(()) | Err(_) => {}
    }
    store.change(|change| change.remove_schedule())?;
    Ok(Answer::plain(kept))
}
