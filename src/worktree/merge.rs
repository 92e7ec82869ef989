//! Merging two commits without a worktree: `git merge-tree` where git has it (2.38), a scratch index elsewhere.
//!
//! No hook, no editor and no signature: no person asked for this commit. The user's identity signs it, and
//! wf0's own only where none is configured. It moves no branch.

use std::collections::BTreeSet;
use std::ffi::OsString;

use super::git::{Commit, Git};
use super::repository::Repository;
use crate::error::{Code, Error, Result, plain};
use crate::platform::children::{Interrupt, Never};
use crate::platform::environment;

/// What became of a merge.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Merged {
    /// A commit with both as parents.
    Clean(Commit),
    /// These files need a person.
    Conflict(Vec<String>),
}

enum Tree {
    Clean(Commit),
    Conflict(Vec<String>),
}

/// What git answers to options that it does not know.
const USAGE: i32 = 129;

impl Repository {
    /// Merges `theirs` into `ours`.
    pub(super) fn merge(
        &self,
        ours: &Commit,
        theirs: &Commit,
        message: &str,
        interrupt: &mut dyn Interrupt,
    ) -> Result<Merged> {
        let tree = match self.merged_tree(ours, theirs, message, interrupt)? {
            Some(tree) => tree,
            None => self.merged_tree_in_scratch(ours, theirs, message, interrupt)?,
        };
        match tree {
            Tree::Clean(tree) => self.commit(&tree, ours, theirs, message).map(Merged::Clean),
            Tree::Conflict(files) => Ok(Merged::Conflict(files)),
        }
    }

    fn merged_tree(
        &self,
        ours: &Commit,
        theirs: &Commit,
        message: &str,
        interrupt: &mut dyn Interrupt,
    ) -> Result<Option<Tree>> {
        let mut git = Git::new(self.top(), doing(message))
            .env("GIT_ATTR_SOURCE", ours.as_str())
            .args(["merge-tree", "--write-tree", "--name-only", "-z", "--no-messages"])
            .args([ours.as_str(), theirs.as_str()]);
        let done = git.run(interrupt)?;
        let mut parts = done.stdout.split(|byte| *byte == 0).map(String::from_utf8_lossy);
        match done.status.code() {
            Some(0) => Ok(Some(Tree::Clean(Commit::new(parts.next().unwrap_or_default().trim())?))),
            Some(1) => {
                let files: BTreeSet<String> =
                    parts.skip(1).take_while(|name| !name.is_empty()).map(|it| it.into_owned()).collect();
                Ok(Some(Tree::Conflict(files.into_iter().collect())))
            }
            Some(USAGE) => Ok(None),
            _ => Err(git.failed(&done)),
        }
    }

    /// The same on an index and a work tree of their own, both thrown away.
    fn merged_tree_in_scratch(
        &self,
        ours: &Commit,
        theirs: &Commit,
        message: &str,
        interrupt: &mut dyn Interrupt,
    ) -> Result<Tree> {
        let scratch = tempfile::tempdir().map_err(|error| {
            Error::new(
                Code::File,
                format!("cannot make a scratch folder to {}: {}", doing(message), plain(&error)),
                "see that the temporary folder (TMPDIR) exists and has space",
            )
        })?;
        let git = || {
            Git::new(scratch.path(), doing(message))
                .env("GIT_DIR", self.git_dir())
                .env("GIT_WORK_TREE", scratch.path())
                .env("GIT_INDEX_FILE", scratch.path().join(".git-index"))
                .args(["-c", "core.sparseCheckout=false"])
        };
        let bases = git().args(["merge-base", "--all", ours.as_str(), theirs.as_str()]).output(interrupt)?;
        git().args(["read-tree", ours.as_str()]).output(interrupt)?;
        let mut merging = git().arg("merge-recursive").args(String::from_utf8_lossy(&bases).lines()).args([
            "--",
            ours.as_str(),
            theirs.as_str(),
        ]);
        let done = merging.run(interrupt)?;
        match done.status.code() {
            Some(0) => {
                let tree = git().arg("write-tree").output(interrupt)?;
                Ok(Tree::Clean(Commit::new(String::from_utf8_lossy(&tree).trim())?))
            }
            Some(1) => {
                let unmerged = git().args(["ls-files", "-u", "-z"]).output(interrupt)?;
                let files: BTreeSet<String> = unmerged
                    .split(|byte| *byte == 0)
                    .filter_map(|entry| {
                        let text = String::from_utf8_lossy(entry);
                        text.split_once('\t').map(|(_, name)| name.to_owned())
                    })
                    .collect();
                Ok(Tree::Conflict(files.into_iter().collect()))
            }
            _ => Err(merging.failed(&done)),
        }
    }

    fn commit(&self, tree: &Commit, ours: &Commit, theirs: &Commit, message: &str) -> Result<Commit> {
        let mut git = Git::new(self.top(), doing(message)).args(["commit-tree", tree.as_str(), "-p"]).args([
            ours.as_str(),
            "-p",
            theirs.as_str(),
            "-m",
            message,
        ]);
        let configured = Git::new(self.top(), "read the user's identity")
            .reading()
            .args(["config", "--name-only", "--get-regexp", r"^(user|author|committer)\.(name|email)$"])
            .run(&mut Never)?;
        let configured = String::from_utf8_lossy(&configured.stdout).to_lowercase();
        for (name, value) in
            missing_identity(&configured.lines().collect(), &|name| environment::var_os(name))
        {
            git = git.env(&name, value);
        }
        let out = git.output(&mut Never)?;
        Commit::new(String::from_utf8_lossy(&out).trim())
    }
}

fn doing(message: &str) -> String {
    message.replacen("Merge", "merge", 1)
}

/// What has to be set for git to know who commits.
fn missing_identity(
    configured: &BTreeSet<&str>,
    environment: &dyn Fn(&str) -> Option<OsString>,
) -> Vec<(String, &'static str)> {
    let mut missing = Vec::new();
    for role in ["author", "committer"] {
        for (part, value) in [("name", "wf0"), ("email", "wf0@localhost")] {
            let variable = format!("GIT_{role}_{part}").to_uppercase();
            let known = ["user", role].iter().any(|of| configured.contains(format!("{of}.{part}").as_str()))
                || environment(&variable).is_some()
                || (part == "email" && environment("EMAIL").is_some());
            if !known {
                missing.push((variable, value));
            }
        }
    }
    missing
}

#[cfg(test)]
mod tests {
    use super::super::testing::Project;
    use super::*;

    #[test]
    fn both_means_merge_alike_and_name_the_files_that_conflict() {
        let project = Project::new();
        let ours = project.commit_on("one", "main", &[("a b", "1\n"), ("same\u{e9}", "ours\n")]);
        let theirs = project.commit_on("two", "main", &[("c", "2\n")]);
        let other = project.commit_on("three", "main", &[("same\u{e9}", "theirs\n"), ("d", "3\n")]);
        let repository = project.repository();
        let clean = |tree: Tree| match tree {
            Tree::Clean(tree) => tree,
            Tree::Conflict(files) => panic!("{files:?}"),
        };
        let files = |tree: Tree| match tree {
            Tree::Clean(tree) => panic!("{tree}"),
            Tree::Conflict(files) => files,
        };
        let new = repository.merged_tree(&ours, &theirs, "Merge", &mut Never).unwrap();
        let old = repository.merged_tree_in_scratch(&ours, &theirs, "Merge", &mut Never).unwrap();
        if let Some(new) = new {
            assert_eq!(clean(new), clean(old));
        }
        let old = repository.merged_tree_in_scratch(&ours, &other, "Merge", &mut Never).unwrap();
        assert_eq!(files(old), ["same\u{e9}"]);
        let merged = repository.merge(&ours, &other, "Merge", &mut Never).unwrap();
        assert_eq!(merged, Merged::Conflict(vec!["same\u{e9}".into()]));
        assert_eq!(project.git(&["status", "--porcelain"]), "", "nothing was touched");
    }

    #[test]
    fn an_identity_is_given_only_where_there_is_none() {
        let none = |_: &str| None;
        assert_eq!(missing_identity(&BTreeSet::new(), &none).len(), 4);
        assert!(missing_identity(&BTreeSet::from(["user.name", "user.email"]), &none).is_empty());
        let some = |name: &str| (name == "EMAIL").then(|| OsString::from("me@here"));
        let missing = missing_identity(&BTreeSet::from(["author.name"]), &some);
        assert_eq!(missing, [("GIT_COMMITTER_NAME".to_owned(), "wf0")]);
    }
}
