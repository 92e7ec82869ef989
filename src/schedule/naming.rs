//! The branch and the worktree folder of a work, worked out from its identifier.

use std::collections::{BTreeMap, HashMap};

use super::WorkId;
use crate::error::{Code, Error, Result};

/// The branch of a work: `FEAT-123-auth` → `feat/123-auth`; another type, or none, → `feat/…`.
pub fn branch(id: &WorkId, prefixes: &BTreeMap<String, String>) -> String {
    let (kind, rest) = match id.as_str().split_once('-') {
        Some((kind, rest)) if !rest.is_empty() => (kind, rest),
        _ => ("", id.as_str()),
    };
    let prefix = prefixes.get(kind).or_else(|| prefixes.get("FEAT")).map_or("feat", String::as_str);
    format!("{prefix}/{rest}")
}

/// The folder of a branch's worktree below the worktree root: `feat/123-auth` → `feat-123-auth`.
pub fn folder(branch: &str) -> String {
    branch.replace('/', "-")
}

/// Whether `prefix` may stand before `/NAME` in a branch (git's rules for names, for what users write there).
pub fn is_branch_prefix(prefix: &str) -> bool {
    !prefix.starts_with('-')
        && prefix.split('/').all(|part| {
            !part.is_empty()
                && !part.starts_with('.')
                && !part.ends_with('.')
                && !part.ends_with(".lock")
                && !part.contains("..")
                && part.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
        })
}

/// Refuses works that would share a branch or a folder, also on file systems that ignore case.
///
/// # Errors
/// [`Code::Collision`], naming both.
pub fn check_collisions<'a>(
    ids: impl IntoIterator<Item = &'a WorkId>,
    prefixes: &BTreeMap<String, String>,
) -> Result<()> {
    let mut taken: HashMap<String, &WorkId> = HashMap::new();
    for id in ids {
        let branch = branch(id, prefixes);
        if let Some(other) = taken.insert(folder(&branch).to_lowercase(), id) {
            return Err(Error::new(
                Code::Collision,
                format!("'{other}' and '{id}' would share the branch {branch} and its worktree"),
                "give one of them another identifier",
            )
            .with_about(id.as_str()));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn branches_follow_the_type_and_fall_back_to_feat() {
        let prefixes = crate::config::Config::default().branch_prefix;
        for (id, expected) in [
            ("FEAT-123-auth", "feat/123-auth"),
            ("FIX-7-x", "fix/7-x"),
            ("WHAT-1-a", "feat/1-a"),
            ("JIRA-ABC-123-slug", "feat/ABC-123-slug"),
            ("A", "feat/A"),
            ("FEAT-", "feat/FEAT-"),
        ] {
            assert_eq!(branch(&WorkId::new(id).unwrap(), &prefixes), expected);
        }
    }

    #[test]
    fn works_that_would_meet_are_refused_with_both_names() {
        let prefixes = crate::config::Config::default().branch_prefix;
        for pair in [["FEAT-1-a", "WHAT-1-a"], ["FEAT-1-a", "FEAT-1-A"], ["FEAT-x", "x"]] {
            let ids = pair.map(|id| WorkId::new(id).unwrap());
            let error = check_collisions(&ids, &prefixes).unwrap_err();
            assert!(pair.iter().all(|id| error.what().contains(id)), "{error}");
        }
    }
}
