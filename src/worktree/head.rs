//! Where a worktree's HEAD went while an agent had it, and the way back onto the work's branch.
//!
//! It moves a branch only forwards, only if it still stands where it was seen, and never one that is checked
//! out elsewhere.

use std::fs;
use std::path::Path;

use super::entry;
use super::git::{Commit, Git};
use super::repository::{Repository, branch_ref};
use crate::error::{Code, Error, Result};
use crate::platform::children::Never;
use crate::schedule::id::quoted;

const GONE: &str = "that branch does not exist";

/// Where HEAD stands, once all is well.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HeadState {
    /// On the branch, as it should be.
    OnBranch(Commit),
    /// It was elsewhere and is on the branch again, which was moved forwards to that commit.
    BroughtBack {
        /// Where the branch stands now.
        commit: Commit,
        /// Where HEAD was: a branch's name, or `a detached HEAD`.
        from: String,
    },
}

impl HeadState {
    /// The commit that branch and HEAD stand at.
    pub fn commit(&self) -> &Commit {
        match self {
            HeadState::OnBranch(commit) | HeadState::BroughtBack { commit, .. } => commit,
        }
    }
}

impl Repository {
    /// Looks at HEAD of the worktree at `path` after something ran in it. Detached, or on another branch, but
    /// descending from `branch`: the branch is moved there and HEAD put back onto it.
    ///
    /// # Errors
    /// [`Code::State`], naming both, where HEAD stands anywhere else. [`Code::Git`].
    pub fn head_after_phase(&self, path: &Path, branch: &str) -> Result<HeadState> {
        let wanted = branch_ref(branch);
        let out = Git::new(path, format!("read HEAD of {}", path.display()))
            .reading()
            .args(["rev-parse", "HEAD", "--symbolic-full-name", "HEAD"])
            .output(&mut Never)?;
        let text = String::from_utf8_lossy(&out);
        let mut lines = text.lines();
        let commit = Commit::new(lines.next().unwrap_or_default())?;
        let at = lines.next().unwrap_or("HEAD");
        if at == wanted {
            return Ok(HeadState::OnBranch(commit));
        }
        let from = match at.strip_prefix("refs/heads/") {
            Some(other) => format!("the branch {}", quoted(other)),
            None => "a detached HEAD".to_owned(),
        };
        let stray = |why: &str| {
            let way =
                if why == GONE { "make that branch there" } else { "bring the wanted commits onto it there" };
            let switch = if why == GONE { "switch -c" } else { "switch" };
            Error::new(
                Code::State,
                format!(
                    "{} is on {from} at {}, not on {}: {why}",
                    path.display(),
                    short(&commit),
                    quoted(branch)
                ),
                format!("{way} (`git {switch} {branch}`), then run `wf0 batch resume`"),
            )
        };
        if let Some(operation) = entry::admin_of(path).and_then(|admin| entry::operation(&admin)) {
            return Err(stray(&format!("{operation} is in progress")));
        }
        let Some(tip) = self.tip(branch)? else {
            return Err(stray(GONE));
        };
        if !self.contains(&commit, &tip)? {
            return Err(stray("what is checked out does not contain it"));
        }
        let here = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        if let Some(elsewhere) = self.checked_out()?.remove(branch).filter(|elsewhere| *elsewhere != here) {
            return Err(stray(&format!("that branch is checked out at {}", elsewhere.display())));
        }
        if commit != tip {
            self.move_branch(branch, &commit, Some(&tip))?;
        }
        Git::new(path, format!("put HEAD of {} back onto {}", path.display(), quoted(branch)))
            .args(["symbolic-ref", "-m", "wf0", "HEAD", &wanted])
            .output(&mut Never)?;
        Ok(HeadState::BroughtBack { commit, from })
    }

    /// The branch of the worktree at `path`: that it was handed out on, or the work's own, `own`, or whichever is checked
    /// out there where neither is known.
    ///
    /// # Errors
    /// [`Code::Git`].
    pub fn branch_of(&self, path: &Path, own: &str) -> Result<String> {
        if let Some(noted) = entry::admin_of(path).and_then(|admin| entry::noted_branch(&admin)) {
            return Ok(noted);
        }
        if self.tip(own)?.is_some() {
            return Ok(own.to_owned());
        }
        let here = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let on = self.checked_out()?.into_iter().find(|(_, path)| *path == here).map(|(branch, _)| branch);
        Ok(on.unwrap_or_else(|| own.to_owned()))
    }
}

/// A commit's name as people write it.
pub(super) fn short(commit: &Commit) -> &str {
    commit.as_str().get(..10).unwrap_or(commit.as_str())
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Project, commit_in, git_in};
    use super::*;

    #[test]
    fn head_is_brought_back_where_nothing_is_lost_by_it() {
        let project = Project::named("a b");
        let repository = project.repository();
        let made = repository.make(&project.order("FEAT-1-a", &[]), &mut Never).unwrap();
        let look = || repository.head_after_phase(&made.path, "feat/1-a");
        let git = |args: &[&str]| git_in(&made.path, args);
        assert_eq!(look().unwrap(), HeadState::OnBranch(made.head.clone()));

        git(&["checkout", "-q", "-b", "other"]);
        let commit = commit_in(&made.path, &[("work", "w")]);
        let from = "the branch 'other'".to_owned();
        assert_eq!(look().unwrap(), HeadState::BroughtBack { commit: commit.clone(), from });
        assert_eq!(look().unwrap(), HeadState::OnBranch(commit));
        assert_eq!(git(&["status", "--porcelain"]), "");

        git(&["checkout", "-q", "--detach"]);
        let commit = commit_in(&made.path, &[("work", "v")]);
        assert_eq!(look().unwrap().commit(), &commit);
        assert_eq!(repository.tip("feat/1-a").unwrap(), Some(commit));
    }

    #[test]
    fn head_elsewhere_is_an_error_that_names_both() {
        let project = Project::new();
        let repository = project.repository();
        let made = repository.make(&project.order("FEAT-1-a", &[]), &mut Never).unwrap();
        let own = commit_in(&made.path, &[("work", "w")]);
        git_in(&made.path, &["checkout", "-q", "-b", "other", "HEAD~1"]);
        let error = repository.head_after_phase(&made.path, "feat/1-a").unwrap_err();
        assert_eq!(error.code(), Code::State);
        assert!(error.what().contains("'other'") && error.what().contains("'feat/1-a'"), "{error}");
        assert_eq!(repository.tip("feat/1-a").unwrap(), Some(own));

        // Where the branch is another worktree's it is not moved under it.
        git_in(&made.path, &["checkout", "-q", "--detach", "feat/1-a"]);
        commit_in(&made.path, &[("work", "v")]);
        let elsewhere = project.root.join("elsewhere");
        project.git(&["worktree", "add", "-q", elsewhere.to_str().unwrap(), "feat/1-a"]);
        let error = repository.head_after_phase(&made.path, "feat/1-a").unwrap_err();
        assert!(error.what().contains("elsewhere"), "{error}");
        project.git(&["worktree", "remove", elsewhere.to_str().unwrap()]);
        project.git(&["branch", "-D", "feat/1-a"]);
        let error = repository.head_after_phase(&made.path, "feat/1-a").unwrap_err();
        assert!(error.what().contains("does not exist"), "{error}");
    }
}
