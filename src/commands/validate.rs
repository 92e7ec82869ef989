//! `wf0 schedule validate`: everything that is wrong with schedule.json as it stands, found at once. Changes nothing.

use super::Answer;
use crate::error::{Code, Result};
use crate::project::Project;
use crate::schedule::Document;
use crate::schedule::problems::{self, Problem};
use crate::store::content::read_document;
use crate::store::works::no_schedule;

/// The problems, errors first; none where all is well.
///
/// # Errors
/// No schedule, or a file that can't be read at all. What is wrong inside it is a row.
pub fn rows(project: &Project) -> Result<Answer<Vec<Problem>>> {
    let prefixes = match project.config() {
        Ok(config) => config.branch_prefix,
        Err(error) => return Ok(Answer::plain(vec![problems::from_error(&error, None)])),
    };
    let path = project.schedule_file();
    let text = read_document(&path)?.ok_or_else(no_schedule)?;
    Ok(Answer::plain(match Document::parse(&path.display().to_string(), &text) {
        Ok(document) => problems::find(&document, &prefixes),
        Err(error) if error.code() == Code::Form => vec![problems::from_error(&error, None)],
        Err(error) => return Err(error),
    }))
}
