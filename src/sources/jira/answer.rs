//! Jira's pages of issues, and the issues in them.

use serde::Deserialize;
use serde_json::Value;

use super::text::{self, is_key};
use crate::schedule::SourceType;
use crate::sources::issue::{Issue, Link, priority_of_labels};

/// The fields that are asked for: Cloud gives none by itself.
pub(super) const FIELDS: &str = "summary,description,status,labels,priority,issuetype,issuelinks";

/// A page, of either interface.
#[derive(Debug, Deserialize)]
pub(super) struct Page {
    pub issues: Vec<Row>,
    /// Cloud's name for what follows.
    #[serde(rename = "nextPageToken")]
    pub next: Option<String>,
    #[serde(rename = "isLast")]
    pub is_last: Option<bool>,
    /// Server's number of all.
    pub total: Option<usize>,
}

/// One issue.
#[derive(Debug, Deserialize)]
pub(super) struct Row {
    pub key: String,
    #[serde(default)]
    fields: Fields,
}

#[derive(Debug, Default, Deserialize)]
struct Fields {
    summary: Option<String>,
    description: Option<Value>,
    status: Option<Status>,
    labels: Option<Vec<String>>,
    priority: Option<Named>,
    issuetype: Option<Named>,
    issuelinks: Option<Vec<IssueLink>>,
}

#[derive(Debug, Deserialize)]
struct Status {
    #[serde(rename = "statusCategory")]
    category: Option<Category>,
}

#[derive(Debug, Deserialize)]
struct Category {
    key: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Named {
    id: Option<String>,
    name: Option<String>,
}

#[derive(Debug, Deserialize)]
struct IssueLink {
    #[serde(rename = "type")]
    kind: Option<LinkKind>,
    #[serde(rename = "inwardIssue")]
    inward: Option<Linked>,
    #[serde(rename = "outwardIssue")]
    outward: Option<Linked>,
}

#[derive(Debug, Deserialize)]
struct LinkKind {
    name: Option<String>,
    inward: Option<String>,
}

impl LinkKind {
    /// Whether the inward issue blocks the outward one. The name may be changed or translated by an administrator.
    fn is_blocks(&self) -> bool {
        let is = |text: &Option<String>, word: &str| {
            text.as_deref().is_some_and(|text| text.trim().eq_ignore_ascii_case(word))
        };
        is(&self.name, "Blocks") || is(&self.inward, "is blocked by")
    }
}

#[derive(Debug, Deserialize)]
struct Linked {
    key: String,
    fields: Option<LinkedFields>,
}

#[derive(Debug, Deserialize)]
struct LinkedFields {
    status: Option<Status>,
}

impl Linked {
    fn link(&self) -> Link {
        let status = self.fields.as_ref().and_then(|fields| fields.status.as_ref());
        Link { key: self.key.clone(), repository: None, closed: status.and_then(Status::is_done) }
    }
}

impl Status {
    fn is_done(&self) -> Option<bool> {
        Some(self.category.as_ref()?.key.as_ref()? == "done")
    }
}

impl Named {
    /// A priority as a number, lower first. Its place in the list is not told, so that names of one's own give none.
    fn priority(&self) -> Option<i64> {
        let name = self.name.as_deref().unwrap_or_default().to_ascii_lowercase();
        match name.as_str() {
            "highest" | "blocker" => Some(1),
            "high" | "critical" => Some(2),
            "medium" | "major" => Some(3),
            "low" | "minor" => Some(4),
            "lowest" | "trivial" => Some(5),
            // Jira's own five, in whatever language.
            _ => self.id.as_deref()?.parse().ok().filter(|id| (1..=5).contains(id)),
        }
    }
}

impl Row {
    /// Whether its key has the form of one: it goes into addresses and names of works.
    pub fn has_key(&self) -> bool {
        is_key(&self.key)
    }

    /// The issue; `base` is where Jira is.
    pub fn issue(self, base: &str) -> Issue {
        let fields = self.fields;
        let links = fields.issuelinks.unwrap_or_default();
        let blocks = links.iter().filter(|it| it.kind.as_ref().is_some_and(LinkKind::is_blocks));
        let (mut blocked_by, mut blocking) = (Vec::new(), Vec::new());
        for link in blocks {
            blocked_by.extend(link.inward.as_ref().map(Linked::link));
            blocking.extend(link.outward.as_ref().map(Linked::link));
        }
        let mut labels = fields.labels.unwrap_or_default();
        let priority =
            priority_of_labels(&labels).or_else(|| fields.priority.as_ref().and_then(Named::priority));
        labels.extend(fields.issuetype.and_then(|kind| kind.name));
        Issue {
            tracker: SourceType::Jira,
            // The gateway for limited tokens is no place for people.
            url: (!base.contains("://api.atlassian.com/")).then(|| format!("{base}/browse/{}", self.key)),
            key: self.key,
            repository: None,
            title: fields.summary.unwrap_or_default().replace(['\r', '\n'], " "),
            body: fields.description.map(|it| text::plain(&it, base)).unwrap_or_default(),
            labels,
            closed: fields.status.and_then(|status| status.is_done()).unwrap_or(false),
            priority,
            blocked_by,
            blocks: blocking,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn issue(fields: Value) -> Issue {
        let row = serde_json::json!({"key": "ABC-1", "fields": fields});
        serde_json::from_value::<Row>(row).unwrap().issue("https://x.atlassian.net")
    }

    #[test]
    fn links_point_the_right_way() {
        let linked = |key: &str, category: &str| serde_json::json!({"key": key, "fields": {"status": {"statusCategory": {"key": category}}}});
        let blocks = serde_json::json!({"name": "Blocks", "inward": "is blocked by", "outward": "blocks"});
        let renamed =
            serde_json::json!({"name": "Blockiert", "inward": "is blocked by", "outward": "blocks"});
        let relates = serde_json::json!({"name": "Relates", "inward": "relates to", "outward": "relates to"});
        let it = issue(serde_json::json!({"issuelinks": [
            {"type": blocks, "inwardIssue": linked("ABC-2", "done")},
            {"type": blocks, "outwardIssue": linked("ABC-3", "new")},
            {"type": renamed, "inwardIssue": {"key": "ABC-4"}},
            {"type": relates, "inwardIssue": linked("ABC-5", "new")},
        ]}));
        let link = |key: &str, closed| Link { key: key.into(), repository: None, closed };
        assert_eq!(it.blocked_by, [link("ABC-2", Some(true)), link("ABC-4", None)]);
        assert_eq!(it.blocks, [link("ABC-3", Some(false))]);
    }

    #[test]
    fn states_types_and_priorities_are_taken_over() {
        let it = issue(serde_json::json!({
            "summary": "A\nb", "labels": ["api"], "issuetype": {"name": "Bug"}, "priority": {"id": "2", "name": "Hoch"},
            "status": {"name": "Fertig", "statusCategory": {"key": "done"}},
        }));
        assert_eq!((it.title.as_str(), it.closed, it.priority), ("A b", true, Some(2)));
        assert_eq!(it.labels, ["api", "Bug"]);
        assert_eq!(it.url.as_deref(), Some("https://x.atlassian.net/browse/ABC-1"));
        let labelled = serde_json::json!({"labels": ["P4"], "priority": {"name": "Highest"}});
        assert_eq!(issue(labelled).priority, Some(4));
        assert_eq!(issue(serde_json::json!({"priority": {"id": "10001", "name": "Soon"}})).priority, None);
        let nothing = serde_json::json!({"summary": null, "description": null, "status": null, "labels": null,
            "priority": null, "issuetype": null, "issuelinks": null});
        assert!(!issue(nothing).closed);
    }

    #[test]
    fn keys_are_checked() {
        for good in ["ABC-1", "A1_B-22"] {
            assert!(is_key(good), "{good}");
        }
        for bad in ["ABC", "ABC-", "-1", "ABC-1x", "../../x-1", "A\u{1b}-1", "1A-1", ""] {
            assert!(!is_key(bad), "{bad}");
        }
    }
}
