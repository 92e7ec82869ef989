//! Whether issues that only a text names are closed.

use std::collections::{BTreeMap, HashMap};

use serde::Deserialize;
use serde_json::Value;

use super::gh::{Gh, SOURCE};
use super::{Place, Repository, unreadable};
use crate::error::Result;
use crate::platform::children::Interrupt;

/// So many issues are asked for at once.
const AT_ONCE: usize = 100;

#[derive(Debug, Deserialize)]
struct Answer {
    data: Option<BTreeMap<String, Option<Asked>>>,
}

/// A repository, with the issue that was asked for.
#[derive(Debug, Deserialize)]
struct Asked {
    it: Option<One>,
}

#[derive(Debug, Deserialize)]
struct One {
    state: String,
}

/// Asks whether issues (or pull requests) are closed, given as `owner/name` and number. `near` is the address of an
/// issue at the same GitHub. What can't be seen is left out.
///
/// # Errors
/// As [`super::read`].
pub fn states(
    near: &str,
    wanted: &[(String, String)],
    place: &Place<'_>,
    interrupt: &mut dyn Interrupt,
) -> Result<HashMap<(String, String), bool>> {
    let mut closed = HashMap::new();
    let Some(Repository { host, .. }) = Repository::of_issue(near) else { return Ok(closed) };
    let gh = Gh::find(*place)?;
    for part in wanted.chunks(AT_ONCE) {
        let query = format!("query={}", question(part));
        let done = gh.run(&["api", "graphql", "--hostname", &host, "-f", &query], interrupt)?;
        // An issue that isn't there is an error beside an answer.
        let answer = match serde_json::from_slice::<Answer>(&done.out) {
            Ok(Answer { data: Some(data) }) => data,
            _ if !done.ok => return Err(done.failure()),
            _ => return Err(unreadable(&format!("{SOURCE} no issues in it"))),
        };
        for (n, name) in part.iter().enumerate() {
            let one = answer.get(&format!("n{n}")).and_then(Option::as_ref);
            if let Some(one) = one.and_then(|asked| asked.it.as_ref()) {
                closed.insert(name.clone(), !one.state.eq_ignore_ascii_case("open"));
            }
        }
    }
    Ok(closed)
}

fn question(wanted: &[(String, String)]) -> String {
    // A JSON text is a GraphQL text.
    let text = |text: &str| Value::from(text).to_string();
    let mut query = String::from("query{");
    for (n, (repository, number)) in wanted.iter().enumerate() {
        let (owner, name) = repository.split_once('/').unwrap_or_default();
        query.push_str(&format!(
            "n{n}:repository(owner:{},name:{}){{it:issueOrPullRequest(number:{number}){{...S}}}} ",
            text(owner),
            text(name)
        ));
    }
    query.push_str("} fragment S on IssueOrPullRequest{... on Issue{state} ... on PullRequest{state}}");
    query
}
