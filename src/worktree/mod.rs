//! All that wf0 does with git: a worktree for a work, on a branch that holds what the work depends on; a look
//! at where its HEAD went; the push; and a removal by which nothing can be lost.
//!
//! What many processes do at once to one repository is kept apart by one lock, `wf0.lock` in the common git
//! folder, held for milliseconds. Merges are computed in the object database before a worktree is made, and
//! every step leaves something from which [`Repository::make`] goes on, whenever it was killed.
//!
//! This folder knows no store, no schedule and no agent. Branches, paths and commits come in as arguments.

mod entry;
mod exclude;
mod git;
mod head;
mod link;
mod locks;
mod make;
mod merge;
mod order;
mod place;
mod push;
mod register;
mod remove;
mod repository;
mod start;
mod status;
#[cfg(test)]
mod testing;
mod trash;

pub use git::{AMONG_WORKTREES, Commit, LOCAL_ENVIRONMENT};
pub use head::HeadState;
pub use make::Made;
pub use order::{Dependency, Order};
pub use push::{PushError, Pushed};
pub use remove::Removal;
pub use repository::{Base, Repository};
pub use trash::empty_trash;
