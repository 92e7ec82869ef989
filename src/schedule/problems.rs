//! Everything that is wrong with a schedule, found at once.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{Document, Edge, Graph, Source, WorkId, naming};
use crate::error::{Code, Error};

super::state::words! {
    /// How bad a problem is.
    Severity {
        /// The schedule can't be run.
        Error = "error",
        /// It can be run, but perhaps not as meant.
        Warning = "warning",
    }
}

/// One problem, a row of `wf0 schedule validate`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// How bad it is.
    pub severity: Severity,
    /// A stable name, like `wf0::schedule::cycle`.
    pub code: &'static str,
    /// The work it is about.
    pub work_id: Option<WorkId>,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub hint: String,
}

/// Problem codes that are no errors of their own.
pub mod codes {
    /// A dependency that is no work of the schedule.
    pub const UNKNOWN_DEPENDENCY: &str = "wf0::schedule::unknown_dependency";
    /// A dependency on an issue outside of the schedule.
    pub const EXTERNAL_DEPENDENCY: &str = "wf0::schedule::external_dependency";
    /// A dependency that stands there more than once.
    pub const DUPLICATE_DEPENDENCY: &str = "wf0::schedule::duplicate_dependency";
    /// A work that no source names any more.
    pub const VANISHED: &str = "wf0::schedule::vanished";
    /// A work that depends on itself.
    pub const SELF_REFERENCE: &str = "wf0::schedule::self_reference";
    /// A work that is to run before what it waits for.
    pub const PRIORITY: &str = "wf0::schedule::priority";
}

/// An error as a row.
pub fn from_error(error: &Error, work_id: Option<WorkId>) -> Problem {
    Problem {
        severity: Severity::Error,
        code: error.code().as_str(),
        work_id,
        message: error.what().to_owned(),
        hint: error.hint().to_owned(),
    }
}

/// Every problem of a document that has the right form, errors first.
pub fn find(document: &Document, prefixes: &BTreeMap<String, String>) -> Vec<Problem> {
    let ids: Vec<&WorkId> = document.works.keys().collect();
    let works: Vec<_> = document.works.values().collect();
    let graph = Graph::new(document.works.iter().map(|(id, work)| (id, work.dependencies.as_slice())));
    let mut problems = Vec::new();
    if ids.is_empty() {
        problems.push(from_error(&no_works(), None));
    }
    for cycle in graph.cycles() {
        let first = ids[cycle.0[0]];
        problems.push(from_error(&cycle_error(&cycle.path(&ids)), Some(first.clone())));
    }
    if let Err(error) = naming::check_collisions(ids.iter().copied(), prefixes) {
        problems.push(from_error(&error, None));
    }
    let warn = |code, id: &WorkId, message: String, hint: String| Problem {
        severity: Severity::Warning,
        code,
        work_id: Some(id.clone()),
        message,
        hint,
    };
    for (n, id) in ids.iter().enumerate() {
        for missing in graph.missing(n) {
            let near = nearest(missing.as_str(), ids.iter().map(|id| id.as_str()));
            problems.push(warn(
                codes::UNKNOWN_DEPENDENCY,
                id,
                format!("'{id}' depends on '{missing}', which is not in the schedule: it will be blocked"),
                match near.first() {
                    Some(near) => {
                        format!("did you mean {near}? `wf0 schedule edit {id} remove-dep={missing}` drops it")
                    }
                    None => format!("add '{missing}', or `wf0 schedule edit {id} remove-dep={missing}`"),
                },
            ));
        }
        let mut once = std::collections::HashSet::new();
        let twice = works[n].dependencies.iter().find(|on| !once.insert(*on));
        if let Some(on) = twice.filter(|on| on != id) {
            problems.push(warn(
                codes::DUPLICATE_DEPENDENCY,
                id,
                format!("'{id}' depends on '{on}' more than once: that counts once"),
                "name it once".to_owned(),
            ));
        }
        let vanished = works[n].source.as_ref().is_some_and(|source| source.is_marked(Source::VANISHED));
        if vanished && works[n].status != super::Status::Completed {
            problems.push(warn(
                codes::VANISHED,
                id,
                format!("no source names '{id}' any more, or only as closed: it would run all the same"),
                "take it out of `works` in schedule.json, or start over with `wf0 schedule create --force`"
                    .to_owned(),
            ));
        }
        if works[n].dependencies.contains(id) {
            problems.push(warn(
                codes::SELF_REFERENCE,
                id,
                format!("'{id}' depends on itself: that is dropped"),
                "take it out of its dependencies".to_owned(),
            ));
        }
        let Some(priority) = works[n].priority else { continue };
        let later = graph
            .dependencies(n)
            .iter()
            .find(|on| works[**on].priority.is_some_and(|other| other > priority));
        if let Some(on) = later {
            problems.push(warn(
                codes::PRIORITY,
                id,
                format!("'{id}' has a lower priority number than '{}', which it waits for", ids[*on]),
                format!("`wf0 schedule edit {} priority={priority}` lets that run as early", ids[*on]),
            ));
        }
    }
    problems
}

/// The refusal of a schedule without works.
pub fn no_works() -> Error {
    Error::new(
        Code::Form,
        "the schedule would have no works",
        "name at least one, as in `wf0 schedule create local=FEAT-1-first`",
    )
}

/// The refusal of a circle with where each of its dependencies is said, as far as `edges` know: until it is gone there
/// is no schedule to look them up in.
pub fn explained_cycle_error(path: &str, circle: &[&WorkId], edges: &[Edge]) -> Error {
    const MOST: usize = 20;
    let next = circle.iter().cycle().skip(1);
    let hops: Vec<String> = circle
        .iter()
        .zip(next)
        .filter_map(|(from, to)| {
            let edge = edges.iter().find(|edge| edge.from == **from && edge.to == **to)?;
            let said = match &edge.text {
                Some(text) => format!("\"{text}\""),
                None => edge.origin.to_string(),
            };
            Some(format!("{from} waits for {to} ({said})"))
        })
        .take(MOST)
        .collect();
    if hops.is_empty() {
        return cycle_error(path);
    }
    Error::new(
        Code::Cycle,
        format!("the dependencies go in a circle: {path}: {}", hops.join("; ")),
        "take one of these dependencies out where it is said, then run the same command again",
    )
}

/// The refusal of a circle.
pub fn cycle_error(path: &str) -> Error {
    Error::new(
        Code::Cycle,
        format!("the dependencies go in a circle: {path}"),
        "take one of these dependencies out",
    )
}

/// The refusal of a work that is to wait for itself.
pub fn self_error(id: &WorkId) -> Error {
    Error::new(Code::Cycle, format!("'{id}' can't depend on itself"), "leave it out").with_about(id.as_str())
}

/// Up to three of `known` that look like `wanted`, nearest first; one that differs by case only, alone.
pub fn nearest<'a>(wanted: &str, known: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let wanted: String = wanted.to_lowercase().chars().take(WorkId::MAX).collect();
    let limit = (wanted.chars().count() / 3).max(2);
    let score = |name: &str| {
        if wanted.len() >= 3 && name.contains(&wanted) {
            return Some(0);
        }
        // Two that differ in length by more than that need no closer look.
        (name.len().abs_diff(wanted.len()) <= 4 * limit)
            .then(|| strsim::osa_distance(&wanted, name))
            .filter(|score| *score <= limit)
    };
    let known: Vec<&str> = known.into_iter().collect();
    if let Some(same) = known.iter().find(|name| name.to_lowercase() == wanted) {
        return vec![same];
    }
    let mut scored: Vec<(usize, &str)> =
        known.into_iter().filter_map(|name| score(&name.to_lowercase()).map(|score| (score, name))).collect();
    scored.sort();
    scored.into_iter().take(3).map(|(_, name)| name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_problems_come_at_once() {
        let text = br#"{"works": {
            "A-1": {"dependencies": ["B-1"]}, "B-1": {"dependencies": ["A-1", "GONE"]},
            "C-1": {"dependencies": ["C-1"]}, "D-1": {"dependencies": ["C-2"], "priority": 1},
            "C-2": {"priority": 5}, "WHAT-2": {}
        }}"#;
        let document = Document::parse("x", text).unwrap();
        let problems = find(&document, &crate::config::Config::default().branch_prefix);
        let codes: Vec<&str> = problems.iter().map(|p| p.code).collect();
        assert_eq!(
            codes,
            [
                Code::Cycle.as_str(),
                Code::Collision.as_str(),
                codes::UNKNOWN_DEPENDENCY,
                codes::SELF_REFERENCE,
                codes::PRIORITY
            ]
        );
    }

    #[test]
    fn near_names_are_found_and_far_ones_are_not() {
        let known = ["FEAT-123-auth", "FEAT-124-export", "FIX-9"];
        assert_eq!(nearest("feat-123-aut", known), ["FEAT-123-auth"]);
        assert_eq!(nearest("auth", known), ["FEAT-123-auth"]);
        assert_eq!(nearest("feat-1", ["FEAT-10", "FEAT-1", "FEAT-2"]), ["FEAT-1"], "only the case differs");
        assert!(nearest("ZZZZZZ", known).is_empty());
    }
}
