//! `wf0 schedule edit`: priority and dependencies of a work.

use std::collections::BTreeSet;

use super::{Answer, open, schedule};
use crate::error::{Code, Error, Result};
use crate::project::Project;
use crate::schedule::WorkId;
use crate::schedule::id::quoted;
use crate::schedule::problems::self_error;
use crate::scheduler::ring_everyone;
use crate::store::intake::Unreadable;
use crate::store::works::Schedule;

/// What is to be changed of a work.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Request {
    /// The new priority.
    pub priority: Option<i64>,
    /// The new dependencies, all of them.
    pub depends: Option<Vec<WorkId>>,
    /// Dependencies to add.
    pub add: Vec<WorkId>,
    /// Dependencies to take out.
    pub remove: Vec<WorkId>,
}

impl Request {
    /// Takes one change as it is typed: `priority=N`, `depends=A,B`, `add-dep=C` or `remove-dep=D`.
    ///
    /// # Errors
    /// [`Code::Usage`], [`Code::WorkId`].
    pub fn take(&mut self, change: &str) -> Result<()> {
        let list = |text: &str| -> Result<Vec<WorkId>> {
            text.split(',').map(str::trim).filter(|part| !part.is_empty()).map(WorkId::new).collect()
        };
        match change.split_once('=') {
            Some(("priority", text)) => {
                self.priority = Some(text.parse().map_err(|_| {
                    let what = format!("{} is no priority", quoted(text));
                    Error::new(Code::Usage, what, "give a whole number, as in priority=2")
                })?);
            }
            Some(("depends", text)) => self.depends = Some(list(text)?),
            Some(("add-dep", text)) => self.add.extend(list(text)?),
            Some(("remove-dep", text)) => self.remove.extend(list(text)?),
            _ => {
                return Err(Error::new(
                    Code::Usage,
                    format!("{} is no change of a work", quoted(change)),
                    "use priority=N, depends=A,B, add-dep=C or remove-dep=D",
                ));
            }
        }
        Ok(())
    }
}

/// Changes a work. A dependency that is no work of the schedule is refused.
///
/// # Errors
/// [`Code::UnknownWork`], [`Code::Cycle`], [`Code::Usage`] where nothing is to be changed.
pub fn edit(project: &Project, id: &WorkId, request: &Request) -> Result<Answer<()>> {
    if *request == Request::default() {
        return Err(Error::new(
            Code::Usage,
            format!("nothing is to be changed of '{id}'"),
            "give priority=N, depends=A,B, add-dep=C or remove-dep=D",
        ));
    }
    let prefixes = project.config()?.branch_prefix;
    let (mut store, mut notices) = open(project)?;
    let known = schedule(&store)?;
    let work = known.work(id)?;
    let mut dependencies = request.depends.clone().unwrap_or_else(|| work.dependencies.clone());
    for gone in &request.remove {
        if !dependencies.contains(gone) {
            notices.push(format!("'{id}' does not depend on '{gone}'"));
        }
    }
    dependencies.retain(|it| !request.remove.contains(it));
    for new in &request.add {
        if !dependencies.contains(new) {
            dependencies.push(new.clone());
        }
    }
    let new = dependencies.iter().filter(|it| !work.dependencies.contains(it));
    for it in new {
        known.work(it)?;
        if it == id {
            return Err(self_error(id));
        }
    }
    store
        .change(|change| {
            if let Some(priority) = request.priority {
                change.set_priority(id, priority)?;
            }
            if dependencies != work.dependencies {
                change.replace_dependencies(id, &dependencies)?;
                change.check_structure(&prefixes)?;
            }
            Ok(())
        })
        .map_err(|error| match dependencies.iter().find(|it| leads_to(&known, it, id)) {
            Some(it) if error.code() == Code::Cycle => error.with_about(it.as_str()),
            _ => error,
        })?;
    store.publish(Unreadable::Refuse)?;
    ring_everyone(&store)?;
    Ok(Answer { value: (), notices })
}

/// Whether `from` waits for `to`, directly or through others.
fn leads_to(known: &Schedule, from: &WorkId, to: &WorkId) -> bool {
    let (mut seen, mut open) = (BTreeSet::new(), vec![from]);
    while let Some(id) = open.pop() {
        if id == to {
            return true;
        }
        if seen.insert(id)
            && let Ok(work) = known.work(id)
        {
            open.extend(&work.dependencies);
        }
    }
    false
}
