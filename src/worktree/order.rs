//! What a work needs of git, as its runner asks for it.

use std::path::PathBuf;

use super::repository::Base;
use crate::schedule::id::WorkId;

/// What a work needs.
#[derive(Debug, Clone)]
pub struct Order {
    /// The work.
    pub id: WorkId,
    /// Its branch.
    pub branch: String,
    /// Where its worktree is to lie; absolute.
    pub path: PathBuf,
    /// What its branch starts from where it has no dependencies.
    pub base: Base,
    /// The completed works that it builds on.
    pub dependencies: Vec<Dependency>,
    /// The project's own `.wf`, to which the worktree's is linked.
    pub wf: PathBuf,
}

/// A completed work that another one builds on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dependency {
    /// The work.
    pub id: WorkId,
    /// Its branch.
    pub branch: String,
}
