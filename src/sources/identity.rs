//! What the work of an issue is called: its type, its identifier, and where it says it comes from.

use serde_json::{Map, Value};

use super::issue::Issue;
use crate::error::Result;
use crate::schedule::id::printable;
use crate::schedule::{Source, SourceType, WorkId};

impl Issue {
    /// The identifier of its work: `FEAT-123-add-login`, at Jira `JIRA-ABC-123-add-login`.
    ///
    /// # Errors
    /// [`crate::error::Code::WorkId`] where its key could never be part of one.
    pub fn work_id(&self) -> Result<WorkId> {
        let kind = match self.tracker {
            SourceType::Jira => "JIRA",
            SourceType::Github | SourceType::Local => self.kind(),
        };
        work_id(kind, &self.key, &self.title)
    }

    /// The type of its work: by its labels, else by words of its title, else `FEAT`.
    pub fn kind(&self) -> &'static str {
        self.labels
            .iter()
            .find_map(|label| kind_of_label(label))
            .unwrap_or_else(|| kind_of_title(&self.title))
    }

    /// Where its work comes from.
    pub fn source(&self) -> Source {
        let mut extra = Map::new();
        if let Some(repository) = self.repository.as_deref().filter(|_| self.url.is_none()) {
            extra.insert("repository".into(), Value::from(repository));
        }
        let title = printable(self.title.trim());
        Source {
            kind: self.tracker,
            id: self.key.clone(),
            title: (!title.is_empty()).then_some(title),
            url: self.url.clone(),
            extra,
        }
    }
}

/// The identifier of a work of that type, for the issue of that key and title.
///
/// # Errors
/// [`crate::error::Code::WorkId`].
pub fn work_id(kind: &str, key: &str, title: &str) -> Result<WorkId> {
    match slug(title) {
        slug if slug.is_empty() => WorkId::new(format!("{kind}-{key}")),
        slug => WorkId::new(format!("{kind}-{key}-{slug}")),
    }
}

/// The longest slug.
const SLUG: usize = 30;

/// A title as part of an identifier: lower case, one hyphen for every run of anything but `a–z` and `0–9`.
fn slug(title: &str) -> String {
    let mut out = String::new();
    for c in title.chars().map(|c| c.to_ascii_lowercase()) {
        if out.len() == SLUG {
            break;
        }
        if c.is_ascii_alphanumeric() {
            out.push(c);
        } else if !out.is_empty() && !out.ends_with('-') {
            out.push('-');
        }
    }
    out.trim_end_matches('-').to_owned()
}

/// `bug`, and as some write it `type: bug` or `kind/bug`.
fn kind_of_label(label: &str) -> Option<&'static str> {
    let label = label.trim().to_lowercase();
    let label = match label.split_once([':', '/']) {
        Some(("type" | "kind", name)) => name.trim(),
        _ => label.as_str(),
    };
    Some(match label {
        "feature" | "enhancement" => "FEAT",
        "bug" | "bugfix" => "FIX",
        "refactor" | "refactoring" => "REFACTOR",
        "chore" | "maintenance" => "CHORE",
        "rfc" | "discussion" => "RFC",
        _ => return None,
    })
}

fn kind_of_title(title: &str) -> &'static str {
    let title = title.to_lowercase();
    let has =
        |wanted: &[&str]| title.split(|c: char| !c.is_alphanumeric()).any(|word| wanted.contains(&word));
    if has(&["fix", "fixes", "bug", "bugs", "bugfix"]) {
        "FIX"
    } else if has(&["refactor", "refactoring"]) {
        "REFACTOR"
    } else if has(&["chore", "chores"]) {
        "CHORE"
    } else {
        "FEAT"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn issue(title: &str, labels: &[&str]) -> Issue {
        Issue {
            tracker: SourceType::Github,
            key: "12".into(),
            repository: None,
            title: title.into(),
            body: String::new(),
            labels: labels.iter().map(|it| (*it).to_owned()).collect(),
            closed: false,
            url: None,
            priority: None,
            blocked_by: Vec::new(),
            blocks: Vec::new(),
        }
    }

    #[test]
    fn type_and_slug_follow_labels_then_title() {
        for (title, labels, expected) in [
            ("Add login", &[][..], "FEAT-12-add-login"),
            ("Add login", &["help wanted", "Bug"], "FIX-12-add-login"),
            ("Fix it", &["enhancement"], "FEAT-12-fix-it"),
            ("Fix it", &["refactoring"], "REFACTOR-12-fix-it"),
            ("x", &["maintenance"], "CHORE-12-x"),
            ("x", &["rfc"], "RFC-12-x"),
            ("x", &["discussion"], "RFC-12-x"),
            ("x", &["kind/bug"], "FIX-12-x"),
            ("fix(auth): a  login -- bug!", &[], "FIX-12-fix-auth-a-login-bug"),
            ("A prefix for bugles", &[], "FEAT-12-a-prefix-for-bugles"),
            ("Refactor the store", &[], "REFACTOR-12-refactor-the-store"),
            ("chore: bump", &[], "CHORE-12-chore-bump"),
            ("ログイン", &[], "FEAT-12"),
            ("ログイン v2", &[], "FEAT-12-v2"),
            ("", &[], "FEAT-12"),
            ("../../etc; rm -rf $HOME\u{0}\u{1b}[31m", &[], "FEAT-12-etc-rm-rf-home-31m"),
            ("abcdefghij abcdefghij abcdefghi klm", &[], "FEAT-12-abcdefghij-abcdefghij-abcdefgh"),
            ("abcdefghij abcdefghij abcdefg klm", &[], "FEAT-12-abcdefghij-abcdefghij-abcdefg"),
        ] {
            assert_eq!(issue(title, labels).work_id().unwrap().as_str(), expected, "{title}");
        }
        let ticket = Issue { tracker: SourceType::Jira, key: "ABC-12".into(), ..issue("Fix it", &["Bug"]) };
        assert_eq!(ticket.work_id().unwrap().as_str(), "JIRA-ABC-12-fix-it");
        assert!(Issue { key: "../x".into(), ..issue("x", &[]) }.work_id().is_err());
    }
}
