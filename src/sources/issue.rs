//! An issue as a tracker gives it, before it becomes a work: what GitHub, Jira and a piped list of issues have in common.

use crate::schedule::SourceType;

/// An issue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issue {
    /// Which kind of tracker it lies in.
    pub tracker: SourceType,
    /// Its name there: `123` at GitHub, `ABC-123` at Jira.
    pub key: String,
    /// `owner/name` at GitHub, where it is known.
    pub repository: Option<String>,
    /// One line; as hostile as whoever wrote it.
    pub title: String,
    /// Plain text or Markdown; as hostile as whoever wrote it.
    pub body: String,
    /// Labels, and at Jira the type of the issue as well.
    pub labels: Vec<String>,
    /// Whether it is done.
    pub closed: bool,
    /// Where people read it.
    pub url: Option<String>,
    /// The priority that the tracker gives it; lower runs first.
    pub priority: Option<i64>,
    /// What the tracker itself says blocks it.
    pub blocked_by: Vec<Link>,
    /// What the tracker itself says it blocks.
    pub blocks: Vec<Link>,
}

/// Another issue that an issue is linked to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// Its name.
    pub key: String,
    /// `owner/name` where it lies in another repository than the issue itself.
    pub repository: Option<String>,
    /// Whether it is done; nothing where the tracker doesn't say.
    pub closed: Option<bool>,
}

/// The priority that labels give, such as `priority:1`, `priority::1`, `priority/2` or `P1`; the most urgent where there are several.
pub fn priority_of_labels(labels: &[String]) -> Option<i64> {
    labels.iter().filter_map(|label| priority_of_label(label)).min()
}

fn priority_of_label(label: &str) -> Option<i64> {
    let label = label.trim().to_ascii_lowercase();
    let number = match label.strip_prefix("priority") {
        Some(rest) => {
            let rest = rest.trim_start();
            let rest = rest.trim_start_matches("::").trim_start_matches([':', '/', '-', '=']).trim_start();
            rest.strip_prefix('p').unwrap_or(rest).to_owned()
        }
        None => label.strip_prefix('p')?.to_owned(),
    };
    let is_number = !number.is_empty() && number.len() <= 6 && number.bytes().all(|b| b.is_ascii_digit());
    is_number.then(|| number.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_give_priorities_and_most_labels_give_none() {
        for (label, expected) in [
            ("priority:1", Some(1)),
            ("Priority: 2", Some(2)),
            ("priority::4", Some(4)),
            ("priority/p3", Some(3)),
            ("P0", Some(0)),
            ("p10", Some(10)),
            ("priority", None),
            ("priority:high", None),
            ("p", None),
            ("p1-api", None),
            ("php8", None),
            ("1", None),
            ("P99999999999999999999", None),
        ] {
            assert_eq!(priority_of_labels(&[label.to_owned()]), expected, "{label}");
        }
        assert_eq!(priority_of_labels(&["P3".into(), "x".into(), "P1".into()]), Some(1));
    }
}
