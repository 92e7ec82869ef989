//! The words of `github=QUERY`, and the arguments of `gh issue list` that they become.
//!
//! Terms stand apart by spaces, or by a comma before the next `word:`; every term holds (AND). What is no word of ours
//! goes to GitHub's search as it was written, so `label:A,B` means there what GitHub says it means.

use crate::error::{Code, Error, Result};
use crate::schedule::id::quoted;

/// The words that become options of gh.
const WORDS: [&str; 5] = ["label", "milestone", "assignee", "state", "repo"];

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Query {
    labels: Vec<String>,
    milestone: Option<String>,
    assignee: Option<String>,
    state: Option<String>,
    repository: Option<String>,
    search: Vec<String>,
}

impl Query {
    /// Reads a query.
    pub fn parse(text: &str) -> Result<Query> {
        if text.contains(|c: char| c.is_control() && !c.is_whitespace()) {
            return Err(refuse(format!("github={} holds a control character", quoted(text))));
        }
        let mut query = Query::default();
        for term in terms(text)? {
            query.add(&term)?;
        }
        if query == Query::default() {
            return Err(refuse("github= is empty".into()));
        }
        Ok(query)
    }

    fn add(&mut self, term: &str) -> Result<()> {
        let word = key_and_value(term).filter(|(key, _)| WORDS.contains(&key.as_str()));
        let Some((key, written)) = word else {
            self.search.push(term.to_owned());
            return Ok(());
        };
        let value = unquoted(written);
        if value.is_empty() {
            return Err(refuse(format!("github= has a {key}: without a value")));
        }
        let is_list = written == value && value.contains(',');
        let once = match key.as_str() {
            "repo" if is_repository(&value) => &mut self.repository,
            "repo" => {
                return Err(refuse(format!("{} is no repository, expected repo:owner/name", quoted(term))));
            }
            "state" if matches!(value.as_str(), "open" | "closed" | "all") => &mut self.state,
            "state" => {
                return Err(refuse(format!("{} is none of open, closed and all", quoted(&value))));
            }
            _ if is_list => {
                self.search.push(term.to_owned());
                return Ok(());
            }
            "label" => {
                self.labels.push(value);
                return Ok(());
            }
            // gh takes digits for the number of a milestone; written here is its name.
            "milestone" if value.bytes().all(|b| b.is_ascii_digit()) => {
                self.search.push(format!("milestone:\"{value}\""));
                return Ok(());
            }
            "milestone" => &mut self.milestone,
            _ => &mut self.assignee,
        };
        match once.replace(value) {
            Some(_) => Err(refuse(format!("github= has {key}: twice"))),
            None => Ok(()),
        }
    }

    /// The arguments after `gh`.
    pub fn arguments(&self, limit: usize, fields: &[&str]) -> Vec<String> {
        let mut arguments: Vec<String> = ["issue", "list", "--state", self.state()].map(str::to_owned).into();
        arguments.extend(["-L".to_owned(), limit.to_string(), "--json".to_owned(), fields.join(",")]);
        let mut option = |name: &str, value: String| arguments.extend([name.to_owned(), value]);
        for label in &self.labels {
            option("--label", as_csv(label));
        }
        if let Some(milestone) = &self.milestone {
            option("--milestone", milestone.clone());
        }
        if let Some(assignee) = &self.assignee {
            option("--assignee", assignee.clone());
        }
        if !self.search.is_empty() {
            option("--search", self.search.join(" "));
        }
        if let Some(repository) = &self.repository {
            option("--repo", repository.clone());
        }
        arguments
    }

    /// The same as a search in that repository; nothing where gh doesn't search but lists.
    pub fn as_search(&self, repository: &str) -> Option<String> {
        if self.labels.is_empty() && self.milestone.is_none() && self.search.is_empty() {
            return None;
        }
        let mut terms = vec![format!("repo:{repository}"), "is:issue".to_owned()];
        let has_state = self.search.iter().any(|term| term.starts_with("is:") || term.starts_with("state:"));
        if self.state() != "all" && !has_state {
            terms.push(format!("state:{}", self.state()));
        }
        terms.extend(self.labels.iter().map(|label| format!("label:\"{label}\"")));
        terms.extend(self.milestone.iter().map(|name| format!("milestone:\"{name}\"")));
        terms.extend(self.assignee.iter().map(|name| format!("assignee:{name}")));
        terms.extend(self.search.iter().cloned());
        Some(terms.join(" "))
    }

    fn state(&self) -> &str {
        self.state.as_deref().unwrap_or("open")
    }
}

fn refuse(what: String) -> Error {
    Error::new(
        Code::Usage,
        what,
        "write it as in github=\"label:scheduled,milestone:v1\"; words: label, milestone, assignee, state, repo, \
         and anything that GitHub's search understands",
    )
}

/// The terms, quotes and all.
fn terms(text: &str) -> Result<Vec<String>> {
    let mut terms = Vec::new();
    let (mut term, mut in_quotes) = (String::new(), false);
    for (at, c) in text.char_indices() {
        let ends = !in_quotes && (c.is_whitespace() || c == ',' && begins_term(&text[at + 1..]));
        if ends {
            terms.push(std::mem::take(&mut term));
            continue;
        }
        in_quotes ^= c == '"';
        term.push(c);
    }
    if in_quotes {
        return Err(refuse(format!("github={} has a quotation mark that is not closed", quoted(text))));
    }
    terms.push(term);
    terms.retain(|term| !term.is_empty());
    Ok(terms)
}

/// Whether what follows a comma is a term of its own: `word:…`, or nothing more.
fn begins_term(rest: &str) -> bool {
    let rest = rest.trim_start();
    rest.is_empty()
        || rest.starts_with(',')
        || key_and_value(rest.strip_prefix('-').unwrap_or(rest)).is_some()
}

/// `word:value`; not a URL.
fn key_and_value(term: &str) -> Option<(String, &str)> {
    let (key, value) = term.split_once(':')?;
    let is_word = !key.is_empty() && key.bytes().all(|b| b.is_ascii_alphabetic() || b == b'-');
    (is_word && !key.starts_with('-') && !value.starts_with("//")).then(|| (key.to_ascii_lowercase(), value))
}

fn unquoted(value: &str) -> String {
    value.strip_prefix('"').and_then(|value| value.strip_suffix('"')).unwrap_or(value).to_owned()
}

/// Whether it is `owner/name` or `host/owner/name`.
fn is_repository(text: &str) -> bool {
    let parts: Vec<&str> = text.split('/').collect();
    matches!(parts.len(), 2 | 3) && parts.iter().all(|part| is_name(part))
}

/// Whether it can be the name of an owner, a repository or a host.
pub(super) fn is_name(text: &str) -> bool {
    !text.is_empty()
        && !text.starts_with('-')
        && text.len() <= 255
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-' | b':'))
}

/// A label as gh's `--label` reads it, which is a line of comma-separated values.
fn as_csv(label: &str) -> String {
    if label.contains([',', '"']) { format!("\"{}\"", label.replace('"', "\"\"")) } else { label.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(text: &str) -> Vec<String> {
        Query::parse(text).unwrap().arguments(5, &["number"]).split_off(2)
    }

    #[test]
    fn words_become_options_and_the_rest_a_search() {
        for (text, expected) in [
            ("label:A,label:B", "--state open -L 5 --json number --label A --label B"),
            ("label:A, label:B ,", "--state open -L 5 --json number --label A --label B"),
            ("LABEL:\"help wanted\"", "--state open -L 5 --json number --label help wanted"),
            ("label:\"a,b\"", "--state open -L 5 --json number --label \"a,b\""),
            ("label:A,B", "--state open -L 5 --json number --search label:A,B"),
            ("label:-x,milestone:v1.0", "--state open -L 5 --json number --label -x --milestone v1.0"),
            ("milestone:2024", "--state open -L 5 --json number --search milestone:\"2024\""),
            ("assignee:@me repo:o/n", "--state open -L 5 --json number --assignee @me --repo o/n"),
            ("repo:ghe.example/o/n state:all", "--state all -L 5 --json number --repo ghe.example/o/n"),
            (
                "label:A,-label:wip fix, the thing author:x",
                "--state open -L 5 --json number --label A --search -label:wip fix, the thing author:x",
            ),
            ("see https://x/y", "--state open -L 5 --json number --search see https://x/y"),
        ] {
            assert_eq!(options(text).join(" "), expected, "{text}");
        }
    }

    #[test]
    fn what_cannot_be_meant_is_refused() {
        for text in [
            "",
            " , ",
            "label:",
            "label:\"\"",
            "milestone:",
            "assignee:a assignee:b",
            "repo:a/b repo:c/d",
            "repo:a",
            "repo:a/b/c/d",
            "repo:-x/y",
            "repo:a/b;c",
            "state:done",
            "label:\"open",
            "label:a\0b",
            "label:\u{1b}[2J",
        ] {
            let error = Query::parse(text).unwrap_err();
            assert_eq!(error.code(), Code::Usage, "{text:?}");
            assert!(!error.what().contains(['\0', '\u{1b}']), "{error}");
        }
    }

    #[test]
    fn a_query_that_gh_searches_for_can_be_counted() {
        let search = |text| Query::parse(text).unwrap().as_search("o/n");
        assert_eq!(
            search("label:\"a b\",milestone:v1 x").as_deref(),
            Some("repo:o/n is:issue state:open label:\"a b\" milestone:\"v1\" x")
        );
        assert_eq!(search("state:all assignee:@me"), None);
    }
}
