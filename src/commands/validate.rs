//! `wf0 schedule validate`: everything that is wrong with schedule.json as it stands, found at once. Changes nothing.

use super::Answer;
use crate::error::{Code, Result};
use crate::project::Project;
use crate::schedule::problems::{self, Problem, codes};
use crate::schedule::{Document, Edge, Resolved};
use crate::store::Store;
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
        Ok(document) => explained(project, problems::find(&document, &prefixes)),
        Err(error) if error.code() == Code::Form => vec![problems::from_error(&error, None)],
        Err(error) => return Err(error),
    }))
}

/// Unknown dependencies with what the store knows of them: where they are named, and that they lie outside.
fn explained(project: &Project, mut problems: Vec<Problem>) -> Vec<Problem> {
    if problems.iter().all(|problem| problem.code != codes::UNKNOWN_DEPENDENCY) {
        return problems;
    }
    // The store may be of another version, or not there at all: then the file alone has to do.
    let store = Store::look(project).ok().flatten();
    let edges: Vec<Edge> = store.and_then(|store| store.edges().ok()).unwrap_or_default();
    for problem in problems.iter_mut().filter(|problem| problem.code == codes::UNKNOWN_DEPENDENCY) {
        let is_it = |edge: &&Edge| {
            problem.work_id.as_ref() == Some(&edge.from)
                && problem.message.contains(&format!("'{}'", edge.to))
        };
        let Some(edge) = edges.iter().find(is_it) else { continue };
        let said = edge.text.as_ref().map(|text| format!(" (\"{text}\")")).unwrap_or_default();
        if edge.resolved == Resolved::External {
            let (from, to) = (&edge.from, &edge.to);
            problem.code = codes::EXTERNAL_DEPENDENCY;
            problem.message = format!(
                "'{from}' depends on '{to}', which lies outside of this schedule: it is blocked{said}"
            );
            problem.hint =
                format!("once that is done, `wf0 schedule edit {from} remove-dep={to}` lets it go on");
        } else {
            problem.message.push_str(&said);
        }
    }
    problems
}
