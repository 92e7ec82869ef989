//! Where a work's branch starts: at its dependencies' commits, merged where there are several.
//!
//! It computes commits and touches neither branches nor worktrees, so that a conflict leaves nothing behind.

use std::collections::BTreeMap;

use super::git::Commit;
use super::merge::Merged;
use super::order::{Dependency, Order};
use super::repository::{Repository, branch_ref, done_ref, first_few};
use crate::error::{Code, Error, Result};
use crate::platform::children::Interrupt;

/// What a branch has to contain.
#[derive(Debug)]
pub(super) struct Wanted {
    commit: Commit,
    name: String,
}

/// What the refs said when the making of a worktree began.
#[derive(Debug)]
pub(super) struct Start {
    /// Where the work's branch stands, if it exists.
    pub tip: Option<Commit>,
    wanted: Vec<Wanted>,
}

impl Repository {
    /// Reads the work's branch and its dependencies' commits; says in `warnings` which have none.
    pub(super) fn start_of(&self, order: &Order, warnings: &mut Vec<String>) -> Result<Start> {
        let mut names = vec![branch_ref(&order.branch)];
        for dependency in &order.dependencies {
            names.push(branch_ref(&dependency.branch));
            names.push(done_ref(&dependency.id));
        }
        let refs = self.refs(&names)?;
        let mut wanted = Vec::new();
        for dependency in &order.dependencies {
            if let Some(one) = self.wanted(dependency, order, &refs, warnings)? {
                wanted.push(one);
            }
        }
        Ok(Start { tip: refs.get(&branch_ref(&order.branch)).cloned(), wanted })
    }

    fn wanted(
        &self,
        dependency: &Dependency,
        order: &Order,
        refs: &BTreeMap<String, Commit>,
        warnings: &mut Vec<String>,
    ) -> Result<Option<Wanted>> {
        if let Some(commit) = refs.get(&branch_ref(&dependency.branch)) {
            return Ok(Some(Wanted { commit: commit.clone(), name: dependency.branch.clone() }));
        }
        let Some(commit) = refs.get(&done_ref(&dependency.id)) else {
            warnings.push(format!(
                "{} has neither a branch {} nor a recorded commit, so {} does without it and relies on {}",
                dependency.id, dependency.branch, order.id, order.base.name
            ));
            return Ok(None);
        };
        if self.contains(&order.base.commit, commit)? {
            return Ok(None);
        }
        Ok(Some(Wanted { commit: commit.clone(), name: dependency.branch.clone() }))
    }

    /// The commit that the work's branch has to stand at: where it stands, or its start, with every dependency
    /// merged that it does not contain.
    pub(super) fn target(
        &self,
        order: &Order,
        start: &Start,
        interrupt: &mut dyn Interrupt,
    ) -> Result<Commit> {
        let mut at = match (&start.tip, start.wanted.as_slice()) {
            (Some(tip), _) => tip.clone(),
            (None, [only]) if order.dependencies.len() == 1 => only.commit.clone(),
            (None, _) => order.base.commit.clone(),
        };
        for wanted in &start.wanted {
            if self.contains(&at, &wanted.commit)? {
                continue;
            }
            if self.contains(&wanted.commit, &at)? {
                at = wanted.commit.clone();
                continue;
            }
            let message = format!("Merge {} into {}", wanted.name, order.branch);
            at = match self.merge(&at, &wanted.commit, &message, interrupt)? {
                Merged::Clean(commit) => commit,
                Merged::Conflict(files) => return Err(conflict(order, start, wanted, &files)),
            };
        }
        Ok(at)
    }
}

fn conflict(order: &Order, start: &Start, wanted: &Wanted, files: &[String]) -> Error {
    let branch = &order.branch;
    let begin = match (&start.tip, start.wanted.first()) {
        (Some(_), _) => format!("switch to {branch}"),
        (None, first) => format!(
            "create the branch {branch} from {}",
            first.filter(|first| first.commit != wanted.commit).map_or(&order.base.name, |first| &first.name)
        ),
    };
    Error::new(
        Code::Conflict,
        format!("{} does not merge into {branch}: both sides changed {}", wanted.name, first_few(files)),
        format!(
            "{begin}, merge {} there by hand, leave that branch again, then run `wf0 batch resume {}`",
            wanted.name, order.id
        ),
    )
}
