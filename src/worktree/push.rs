//! Pushing a work's branch to origin: never forced, no upstream configured (parallel pushes lose that), the
//! user's hooks running. A refusal is looked into: does origin have our commit already, or somebody else's?
//!
//! When to try again is for the caller to say; the error's type tells whether it can help.

use std::path::Path;

use super::git::{Commit, Git};
use super::repository::{Repository, branch_ref};
use crate::error::{Code, Error, Result};
use crate::platform::children::{Interrupt, Never};
use crate::schedule::id::{printable, quoted};

/// What a push came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pushed {
    /// The repository has no remote of the name origin.
    NoOrigin,
    /// Origin's branch already had all of it.
    AlreadyThere,
    /// Origin has it now.
    Pushed,
}

/// Why a push failed, and whether trying again can help.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PushError {
    /// Origin's branch has commits that are not ours: only a person can help.
    OriginHasOthers(Error),
    /// Anything else, such as a network that is down or a hook that refuses.
    Failed(Error),
    /// The interrupt was raised.
    Interrupted(Error),
}

impl From<PushError> for Error {
    fn from(error: PushError) -> Error {
        match error {
            PushError::OriginHasOthers(error) | PushError::Failed(error) | PushError::Interrupted(error) => {
                error
            }
        }
    }
}

impl From<Error> for PushError {
    fn from(error: Error) -> PushError {
        match error.code() {
            Code::Interrupted => PushError::Interrupted(error),
            Code::Conflict => PushError::OriginHasOthers(error),
            _ => PushError::Failed(error),
        }
    }
}

impl Repository {
    /// Pushes `branch`, which the worktree at `path` is on, to the branch of that name at origin. From the top folder,
    /// because git takes a relative address of origin from where it runs.
    ///
    /// # Errors
    /// [`PushError`].
    pub fn push(
        &self,
        path: &Path,
        branch: &str,
        interrupt: &mut dyn Interrupt,
    ) -> std::result::Result<Pushed, PushError> {
        let known = Git::new(self.top(), "look for origin")
            .reading()
            .args(["remote", "get-url", "origin"])
            .run(&mut Never)?;
        if !known.status.success() {
            return Ok(Pushed::NoOrigin);
        }
        let there = branch_ref(branch);
        let mut git = Git::new(self.top(), format!("push {} to origin", quoted(branch)))
            .in_users_language()
            .args(["push", "--porcelain", "origin", &format!("{there}:{there}")]);
        let done = git.run(interrupt)?;
        let verdicts: Vec<u8> = String::from_utf8_lossy(&done.stdout)
            .lines()
            .filter(|line| line.contains('\t'))
            .filter_map(|line| line.bytes().next())
            .collect();
        if done.status.success() {
            let same = verdicts.contains(&b'=');
            return Ok(if same { Pushed::AlreadyThere } else { Pushed::Pushed });
        }
        if verdicts.contains(&b'!') {
            let refused = refusal(git.failed(&done), &done.stdout);
            return Ok(self.look_at_origin(path, branch, refused, interrupt)?);
        }
        Err(git.failed(&done).into())
    }

    /// Whether a refused push is because origin has commits on that branch.
    fn look_at_origin(
        &self,
        path: &Path,
        branch: &str,
        refused: Error,
        interrupt: &mut dyn Interrupt,
    ) -> Result<Pushed> {
        let there = branch_ref(branch);
        let out = Git::new(self.top(), format!("ask origin for {}", quoted(branch)))
            .args(["ls-remote", "origin", &there])
            .output(interrupt)?;
        let text = String::from_utf8_lossy(&out);
        let found = text.lines().find_map(|line| line.strip_suffix(&format!("\t{there}")));
        let Some(theirs) = found.map(Commit::new).transpose()? else { return Err(refused) };
        let Some(ours) = self.tip(branch)? else { return Err(refused) };
        // Into the object database only: parallel fetches that move refs get into each other's way.
        Git::new(self.top(), format!("fetch {} from origin", quoted(branch)))
            .args(["fetch", "-q", "--refmap=", "--no-tags", "--no-write-fetch-head"])
            .args(["--no-recurse-submodules", "origin", &there])
            .output(interrupt)?;
        if self.contains(&theirs, &ours)? {
            return Ok(Pushed::AlreadyThere);
        }
        let out = Git::new(self.top(), "count origin's commits")
            .reading()
            .args(["rev-list", "--count", theirs.as_str(), "--not", ours.as_str()])
            .output(interrupt)?;
        match String::from_utf8_lossy(&out).trim() {
            "0" => Err(refused),
            number => Err(Error::new(
                Code::Conflict,
                format!(
                    "cannot push {}: origin's branch has {number} commit{} that this one does not have",
                    quoted(branch),
                    if number == "1" { "" } else { "s" }
                ),
                format!(
                    "merge origin's {branch} in {}, or delete it at origin, then run `wf0 batch resume`",
                    path.display()
                ),
            )),
        }
    }
}

/// Adds origin's verdict, which git prints to standard output.
fn refusal(error: Error, stdout: &[u8]) -> Error {
    let text = String::from_utf8_lossy(stdout);
    match text.lines().find_map(|line| line.strip_prefix("!\t")?.split_once('\t')) {
        Some((_, verdict)) => {
            Error::new(error.code(), format!("{} {}", error.what(), printable(verdict)), error.hint())
        }
        None => error,
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Project, commit_in, git_in};
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn origin_gets_the_branch_and_keeps_what_others_put_there() {
        let project = Project::named("a 'b\u{e9}");
        let repository = project.repository();
        let made = repository.make(&project.order("FEAT-1-a", &[]), &mut Never).unwrap();
        let push = || repository.push(&made.path, "feat/1-a", &mut Never);
        assert_eq!(push(), Ok(Pushed::NoOrigin));

        let folder = tempfile::tempdir().unwrap();
        git_in(folder.path(), &["init", "-q", "--bare", "origin"]);
        let origin = folder.path().join("origin");
        project.git(&["remote", "add", "origin", origin.to_str().unwrap()]);
        let tip = || git_in(&origin, &["rev-parse", "feat/1-a"]).trim().to_owned();
        assert_eq!(push(), Ok(Pushed::Pushed));
        assert_eq!(push(), Ok(Pushed::AlreadyThere));
        let first = commit_in(&made.path, &[("work", "1")]);
        assert_eq!(push(), Ok(Pushed::Pushed));
        assert_eq!(tip(), first.as_str());
        assert!(!project.git(&["config", "--list", "--local"]).contains("branch.feat"), "no upstream");

        // Somebody else has put two commits on top: ours are all there.
        git_in(folder.path(), &["clone", "-q", "-b", "feat/1-a", "origin", "other"]);
        let other = folder.path().join("other");
        git_in(&other, &["config", "user.name", "Test"]);
        git_in(&other, &["config", "user.email", "test@localhost"]);
        commit_in(&other, &[("theirs", "1")]);
        let theirs = commit_in(&other, &[("theirs", "2")]);
        git_in(&other, &["push", "-q"]);
        assert_eq!(push(), Ok(Pushed::AlreadyThere));
        // Now each has some that the other has not.
        commit_in(&made.path, &[("work", "2")]);
        let Err(PushError::OriginHasOthers(error)) = push() else { panic!("pushed over others") };
        assert!(error.what().contains("2 commits"), "{error}");
        assert_eq!(tip(), theirs.as_str());
        assert_eq!(
            git_in(&made.path, &["rev-parse", "refs/remotes/origin/feat/1-a"]).trim(),
            first.as_str(),
            "no ref was moved by the look"
        );
    }

    #[test]
    fn an_origin_named_relative_to_the_project_is_found_from_a_worktree() {
        let project = Project::new();
        let repository = project.repository();
        git_in(repository.top(), &["init", "-q", "--bare", "here/origin"]);
        project.git(&["remote", "add", "origin", "./here/origin"]);
        let made = repository.make(&project.order("FEAT-1-a", &[]), &mut Never).unwrap();
        assert_eq!(repository.push(&made.path, "feat/1-a", &mut Never), Ok(Pushed::Pushed));
    }

    #[test]
    fn what_may_pass_is_told_from_what_will_not() {
        let project = Project::new();
        let repository = project.repository();
        let made = repository.make(&project.order("FEAT-1-a", &[]), &mut Never).unwrap();
        let push = || repository.push(&made.path, "feat/1-a", &mut Never);
        project.git(&["remote", "add", "origin", "/nowhere/at all"]);
        let Err(PushError::Failed(error)) = push() else { panic!("pushed to nowhere") };
        assert_eq!(error.code(), Code::Git);

        // A hook of the user's, and one of origin's, have their say.
        let folder = tempfile::tempdir().unwrap();
        git_in(folder.path(), &["init", "-q", "--bare", "origin"]);
        let origin = folder.path().join("origin");
        project.git(&["remote", "set-url", "origin", origin.to_str().unwrap()]);
        let hook = |path: &Path| {
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "#!/bin/sh\necho not today >&2\nexit 1\n").unwrap();
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
        };
        let ours = repository.common_dir().join("hooks/pre-push");
        hook(&ours);
        let Err(PushError::Failed(error)) = push() else { panic!("pushed past the hook") };
        assert!(error.what().contains("not today"), "{error}");
        std::fs::remove_file(&ours).unwrap();
        hook(&origin.join("hooks/pre-receive"));
        let Err(PushError::Failed(error)) = push() else { panic!("pushed past the hook") };
        assert!(error.what().starts_with("cannot push 'feat/1-a' to origin"), "{error}");
        assert!(error.what().contains("not today") && error.what().contains("pre-receive"), "{error}");
    }
}
