//! `wf0 schedule why ID`: why a work can't start now, down the chain of what it waits for.

use std::collections::{HashMap, HashSet};

use serde::Serialize;

use super::{Answer, open, schedule};
use crate::error::Result;
use crate::project::Project;
use crate::schedule::{Edge, Origin, Resolved, ScheduleStatus, Source, State, WorkId};
use crate::store::works::Schedule;

/// One link of the chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Row {
    /// 0 for the work that was asked for, 1 for what it waits for, and so on.
    pub depth: u32,
    /// The work, or the name that something outside of the schedule goes by.
    pub work_id: WorkId,
    /// The state of the work; `external` or `unknown` for what is outside of the schedule.
    pub state: String,
    /// Why it is not done yet, and what can be done about it.
    pub because: String,
    /// Which work of the row above waits for it.
    pub needed_by: Option<WorkId>,
    /// Where it is said that it does.
    pub origin: Option<Origin>,
    /// The line it was read from.
    pub text: Option<String>,
}

/// The chain, depth first; a work that several wait for stands there once.
///
/// # Errors
/// No schedule, or no such work.
pub fn rows(project: &Project, id: &WorkId) -> Result<Answer<Vec<Row>>> {
    let (store, notices) = open(project)?;
    let schedule = schedule(&store)?;
    schedule.work(id)?;
    let mut edges: HashMap<WorkId, Vec<Edge>> = HashMap::new();
    for edge in store.edges()? {
        if edge.resolved != Resolved::Closed {
            edges.entry(edge.from.clone()).or_default().push(edge);
        }
    }
    let chain = Chain { states: states(&schedule), edges, schedule };
    Ok(Answer { value: chain.rows(id), notices })
}

fn states(schedule: &Schedule) -> HashMap<WorkId, State> {
    let states = schedule.states(&schedule.graph());
    schedule.works.iter().zip(states).map(|(work, (state, _))| (work.id.clone(), state)).collect()
}

struct Chain {
    schedule: Schedule,
    states: HashMap<WorkId, State>,
    edges: HashMap<WorkId, Vec<Edge>>,
}

impl Chain {
    fn rows(&self, id: &WorkId) -> Vec<Row> {
        let place: HashMap<&WorkId, usize> =
            self.schedule.works.iter().enumerate().map(|(n, work)| (&work.id, n)).collect();
        let mut rows = Vec::new();
        let mut seen: HashSet<&WorkId> = HashSet::new();
        let mut open: Vec<(u32, &WorkId, Option<&Edge>)> = vec![(0, id, None)];
        while let Some((depth, id, edge)) = open.pop() {
            if !seen.insert(id) {
                continue;
            }
            let waits: Vec<&Edge> = match self.states.get(id) {
                Some(State::Pending | State::Blocked | State::Paused) => self.unmet(id),
                _ => Vec::new(),
            };
            let (state, because) = match (self.states.get(id), place.get(id)) {
                (Some(state), Some(&n)) => (state.to_string(), self.because(n, *state, &waits)),
                _ => outside(edge),
            };
            rows.push(Row {
                depth,
                work_id: id.clone(),
                state,
                because,
                needed_by: edge.map(|edge| edge.from.clone()),
                origin: edge.map(|edge| edge.origin),
                text: edge.and_then(|edge| edge.text.clone()),
            });
            open.extend(waits.into_iter().rev().map(|edge| (depth.saturating_add(1), &edge.to, Some(edge))));
        }
        rows
    }

    /// What a work still waits for.
    fn unmet(&self, id: &WorkId) -> Vec<&Edge> {
        let all = self.edges.get(id).map(Vec::as_slice).unwrap_or_default();
        all.iter().filter(|edge| self.states.get(&edge.to) != Some(&State::Completed)).collect()
    }

    fn because(&self, n: usize, state: State, waits: &[&Edge]) -> String {
        let work = &self.schedule.works[n];
        let id = &work.id;
        match state {
            State::Completed if work.source.is_marked(Source::CLOSED) => "its issue is closed".into(),
            State::Completed => "it is completed".into(),
            State::Running => match self.schedule.runs.iter().find(|run| run.work_id == *id) {
                Some(run) => format!("{} runs it", run.worker),
                None => "it runs".into(),
            },
            State::Failed => {
                let error = work.error.as_deref().unwrap_or("it failed");
                format!("{error}; `wf0 batch resume {id}` tries it again")
            }
            State::Paused => format!("it was stopped by name; `wf0 batch resume {id}` takes it up"),
            State::Pending | State::Blocked if !waits.is_empty() => {
                let names: Vec<&str> = waits.iter().take(5).map(|edge| edge.to.as_str()).collect();
                let more = waits.len().saturating_sub(names.len());
                let more = if more > 0 { format!(" and {more} more") } else { String::new() };
                format!("it waits for {}{more}", names.join(", "))
            }
            State::Pending if work.source.is_marked(Source::VANISHED) => {
                format!("{}; no source names it any more", self.ready())
            }
            State::Pending | State::Blocked => self.ready().into(),
        }
    }

    /// Why a work that waits for nothing doesn't run.
    fn ready(&self) -> &'static str {
        match self.schedule.status {
            ScheduleStatus::Running => "nothing: the next worker that is free takes it",
            ScheduleStatus::Paused => "the batch is paused; `wf0 batch resume` goes on",
            _ => "nothing: `wf0 batch start` runs it",
        }
    }
}

fn outside(edge: Option<&Edge>) -> (String, String) {
    let Some(edge) = edge else { return (Resolved::Unknown.to_string(), "it is not in the schedule".into()) };
    let (from, to) = (&edge.from, &edge.to);
    let what = match edge.resolved {
        Resolved::External => "it lies outside of this schedule",
        _ => "nothing of that name is in the schedule",
    };
    let because =
        format!("{what}: once it is done, `wf0 schedule edit {from} remove-dep={to}` lets {from} go on");
    (edge.resolved.to_string(), because)
}
