//! Issues as gh's JSON has them, in the shapes of all versions.

use serde::Deserialize;

use super::Repository;
use crate::schedule::SourceType;
use crate::sources::issue::{Issue, Link, priority_of_labels};

/// One entry of `gh issue list --json`.
#[derive(Debug, Deserialize)]
pub(super) struct Row {
    pub number: u64,
    title: Option<String>,
    body: Option<String>,
    labels: Option<Vec<Label>>,
    state: Option<String>,
    pub url: Option<String>,
    #[serde(rename = "blockedBy")]
    blocked_by: Option<Links>,
}

#[derive(Debug, Deserialize)]
struct Label {
    name: String,
}

/// `{"nodes": […], "totalCount": n}`, or the bare list.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Links {
    List(Vec<Option<Node>>),
    Page {
        nodes: Option<Vec<Option<Node>>>,
        #[serde(rename = "totalCount")]
        total: Option<usize>,
    },
}

/// An issue that another is linked to.
#[derive(Debug, Deserialize)]
pub(super) struct Node {
    number: u64,
    state: Option<String>,
    url: Option<String>,
    repository: Option<NodeRepository>,
}

#[derive(Debug, Deserialize)]
struct NodeRepository {
    #[serde(rename = "nameWithOwner")]
    path: Option<String>,
}

/// What blocks an issue.
#[derive(Debug, Default)]
pub(super) struct Blockers {
    pub links: Vec<Link>,
    /// Whether there are others, which this login may not see.
    pub hidden: bool,
}

impl Blockers {
    /// Takes in what an issue of `home` is linked to. An issue that may not be seen comes as null, and from gh without a
    /// number.
    pub fn take_in(&mut self, nodes: Vec<Option<Node>>, home: &str) {
        for node in nodes {
            match node.filter(|node| node.number > 0) {
                Some(node) => self.links.push(node.link(home)),
                None => self.hidden = true,
            }
        }
    }
}

impl Node {
    /// The link, seen from an issue of `home`.
    fn link(self, home: &str) -> Link {
        let by_url = || self.url.as_deref().and_then(Repository::of_issue).map(|it| it.path);
        let path = self.repository.and_then(|it| it.path).or_else(by_url);
        Link {
            key: self.number.to_string(),
            repository: path.filter(|path| !path.eq_ignore_ascii_case(home)),
            closed: self.state.map(|state| state.eq_ignore_ascii_case("closed")),
        }
    }
}

impl Row {
    /// Whether gh left blockers out.
    pub fn is_short_of_blockers(&self) -> bool {
        match &self.blocked_by {
            Some(Links::Page { nodes, total }) => {
                total.is_some_and(|total| total > nodes.as_ref().map_or(0, Vec::len))
            }
            _ => false,
        }
    }

    /// The blockers that came with it.
    pub fn take_blockers(&mut self) -> Blockers {
        let nodes = match self.blocked_by.take() {
            Some(Links::List(nodes)) => nodes,
            Some(Links::Page { nodes, .. }) => nodes.unwrap_or_default(),
            None => Vec::new(),
        };
        let home = self.url.as_deref().and_then(Repository::of_issue).map(|it| it.path).unwrap_or_default();
        let mut blockers = Blockers::default();
        blockers.take_in(nodes, &home);
        blockers
    }

    /// The issue that those block.
    pub fn issue(self, blocked_by: Vec<Link>) -> Issue {
        let repository = self.url.as_deref().and_then(Repository::of_issue).map(|it| it.path);
        let labels: Vec<String> = self.labels.unwrap_or_default().into_iter().map(|it| it.name).collect();
        Issue {
            tracker: SourceType::Github,
            key: self.number.to_string(),
            repository,
            title: self.title.unwrap_or_default().replace(['\r', '\n'], " "),
            body: self.body.unwrap_or_default(),
            closed: self.state.is_some_and(|state| state.eq_ignore_ascii_case("closed")),
            url: self.url,
            priority: priority_of_labels(&labels),
            labels,
            blocked_by,
            blocks: Vec::new(),
        }
    }
}
