//! What a work needs of git, worked out from its identifier, its dependencies and the configuration.

use crate::config::Config;
use crate::error::Result;
use crate::project::Project;
use crate::schedule::{WorkId, naming};
use crate::worktree::{Dependency, Order, Repository};

/// The order for a work's worktree.
///
/// # Errors
/// There is no branch to begin from.
pub fn order(
    project: &Project,
    config: &Config,
    repository: &Repository,
    id: &WorkId,
    dependencies: &[WorkId],
) -> Result<Order> {
    let prefixes = &config.branch_prefix;
    let branch = naming::branch(id, prefixes);
    let depends = |id: &WorkId| Dependency { id: id.clone(), branch: naming::branch(id, prefixes) };
    Ok(Order {
        id: id.clone(),
        path: project.worktree_root(config).join(naming::folder(&branch)),
        branch,
        base: repository.base(config.default_base_branch.as_deref())?,
        dependencies: dependencies.iter().map(depends).collect(),
        wf: project.wf(),
    })
}
