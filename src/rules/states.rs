//! What tables show of each work, worked out from what is recorded: blocked and paused are not states of their own
//! in the store, so they can't contradict it.

use crate::schedule::{Graph, State, Status, WorkId};

/// What is recorded of a work and decides about its state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Recorded {
    /// Its status.
    pub status: Status,
    /// Whether it was stopped by name.
    pub paused: bool,
}

/// The state of every work, in the graph's order.
pub fn states(graph: &Graph, works: &[Recorded]) -> Vec<State> {
    let stuck = |n: usize| {
        works[n].status == Status::Failed
            || (works[n].status == Status::Pending && !graph.missing(n).is_empty())
    };
    let behind = graph.reaches(stuck);
    (0..works.len())
        .map(|n| match works[n].status {
            Status::Running => State::Running,
            Status::Completed => State::Completed,
            Status::Failed => State::Failed,
            Status::Pending if works[n].paused => State::Paused,
            Status::Pending if waits_for_stuck(graph, works, n, &behind) => State::Blocked,
            Status::Pending => State::Pending,
        })
        .collect()
}

fn waits_for_stuck(graph: &Graph, works: &[Recorded], n: usize, behind: &[bool]) -> bool {
    !graph.missing(n).is_empty()
        || graph.dependencies(n).iter().any(|on| {
            let on = *on;
            works[on].status == Status::Failed
                || (works[on].status == Status::Pending && (behind[on] || !graph.missing(on).is_empty()))
        })
}

/// Why a blocked work can't run: the first dependency in its way.
pub fn blocked_by(graph: &Graph, states: &[State], ids: &[&WorkId], n: usize) -> Option<String> {
    if let Some(missing) = graph.missing(n).first() {
        return Some(format!("{missing} is not in the schedule"));
    }
    graph.dependencies(n).iter().find_map(|on| match states[*on] {
        State::Failed => Some(format!("{} failed", ids[*on])),
        State::Blocked => Some(format!("{} is blocked", ids[*on])),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_behind_a_failure_or_a_gap_is_blocked_and_nothing_else() {
        let text = br#"{"works": {
            "A-1": {"status": "failed"}, "B-1": {"dependencies": ["A-1"]}, "C-1": {"dependencies": ["B-1"]},
            "D-1": {"dependencies": ["GONE-1"]}, "E-1": {"dependencies": ["D-1"]}, "F-1": {},
            "G-1": {"dependencies": ["F-1"]}, "H-1": {"status": "completed", "dependencies": ["A-1"]},
            "I-1": {"dependencies": ["H-1"]}
        }}"#;
        let document = crate::schedule::Document::parse("x", text).unwrap();
        let graph = Graph::new(document.works.iter().map(|(id, work)| (id, work.dependencies.as_slice())));
        let works: Vec<Recorded> = document
            .works
            .iter()
            .map(|(id, work)| Recorded { status: work.status, paused: id.as_str() == "F-1" })
            .collect();
        let states = states(&graph, &works);
        let words: Vec<&str> = states.iter().map(|s| s.as_str()).collect();
        assert_eq!(
            words,
            [
                "failed",
                "blocked",
                "blocked",
                "blocked",
                "blocked",
                "paused",
                "pending",
                "completed",
                "pending"
            ]
        );
        let ids: Vec<&WorkId> = document.works.keys().collect();
        assert_eq!(blocked_by(&graph, &states, &ids, 2).unwrap(), "B-1 is blocked");
        assert_eq!(blocked_by(&graph, &states, &ids, 3).unwrap(), "GONE-1 is not in the schedule");
    }
}
