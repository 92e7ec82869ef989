//! What `start` would do, in what order: the dispatch rule played through without running anything.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::Graph;

/// The place of a ready work in the queue: lowest priority number first, then the longest chain behind it, then
/// the order of creation. The scheduler's query sorts by the same three.
pub type Rank = (i64, Reverse<u32>, usize);

/// What the plan knows of a work: a position in the [`Graph`] and what decides about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Candidate {
    /// Lower runs first.
    pub priority: i64,
    /// Whether it would run if its dependencies allowed it.
    pub pending: bool,
    /// Whether it counts as done for those that depend on it.
    pub completed: bool,
}

/// One step of the plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// The work's position.
    pub work: usize,
    /// From 1: works of one wave depend on none of each other.
    pub wave: u32,
    /// Whether it lies on a longest chain of what would run.
    pub critical: bool,
}

/// The works in the order in which a scheduler with `workers` slots would dispatch them, all works taking the
/// same time. Works that wait for something that will not be completed are left out.
pub fn plan(graph: &Graph, works: &[Candidate], workers: usize) -> Vec<Step> {
    let weights = graph.weights(|n| !works[n].completed);
    let rank = |n: usize| -> Rank { (works[n].priority, Reverse(weights[n]), n) };
    let mut open: Vec<usize> = (0..graph.len())
        .map(|n| {
            let waiting = graph.dependencies(n).iter().filter(|on| !works[**on].completed).count();
            waiting + graph.missing(n).len()
        })
        .collect();
    let mut wave = vec![1; graph.len()];
    let mut ready: BinaryHeap<Reverse<(Rank, usize)>> = (0..graph.len())
        .filter(|n| works[*n].pending && open[*n] == 0)
        .map(|n| Reverse((rank(n), n)))
        .collect();
    let mut order = Vec::new();
    while !ready.is_empty() {
        let round: Vec<usize> =
            (0..workers.max(1)).map_while(|_| ready.pop()).map(|Reverse((_, n))| n).collect();
        order.extend(&round);
        for n in round {
            for &by in graph.dependents(n) {
                open[by] -= 1;
                wave[by] = wave[by].max(wave[n] + 1);
                if open[by] == 0 && works[by].pending {
                    ready.push(Reverse((rank(by), by)));
                }
            }
        }
    }
    let critical = critical(graph, &order, &wave);
    order.into_iter().map(|work| Step { work, wave: wave[work], critical: critical[work] }).collect()
}

/// Marks every work that lies on a chain as long as the longest one.
fn critical(graph: &Graph, order: &[usize], wave: &[u32]) -> Vec<bool> {
    let mut planned = vec![false; graph.len()];
    order.iter().for_each(|n| planned[*n] = true);
    let mut behind = vec![0; graph.len()];
    for &n in order.iter().rev() {
        behind[n] = graph
            .dependents(n)
            .iter()
            .filter(|by| planned[**by])
            .map(|by| behind[*by] + 1)
            .max()
            .unwrap_or(0);
    }
    let longest = order.iter().map(|n| wave[*n] + behind[*n]).max().unwrap_or(0);
    (0..graph.len()).map(|n| planned[n] && wave[n] + behind[n] == longest).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schedule::WorkId;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(3000))]
        #[test]
        fn no_work_is_planned_before_what_it_depends_on(
            works in proptest::collection::vec((1i64..4, 0u8..8, any::<u64>()), 1..20),
            workers in 1usize..5,
        ) {
            let ids: Vec<WorkId> = (0..works.len()).map(|n| WorkId::new(format!("W-{n}")).unwrap()).collect();
            let before: Vec<Vec<WorkId>> = works.iter().enumerate()
                .map(|(n, (_, _, bits))| (0..n).filter(|m| bits >> m & 3 == 3).map(|m| ids[m].clone()).collect())
                .collect();
            let graph = Graph::new(ids.iter().zip(before.iter().map(Vec::as_slice)));
            let candidates: Vec<Candidate> = works.iter()
                .map(|(priority, kind, _)| Candidate { priority: *priority, pending: *kind > 1, completed: *kind == 1 })
                .collect();
            let steps = plan(&graph, &candidates, workers);
            let mut done: Vec<bool> = candidates.iter().map(|c| c.completed).collect();
            for step in &steps {
                prop_assert!(candidates[step.work].pending);
                for on in graph.dependencies(step.work) {
                    prop_assert!(done[*on], "{} before {}", step.work, on);
                    if !candidates[*on].completed {
                        let other = steps.iter().find(|s| s.work == *on).unwrap();
                        prop_assert!(other.wave < step.wave);
                    }
                }
                done[step.work] = true;
            }
            for (n, candidate) in candidates.iter().enumerate() {
                let stuck = graph.dependencies(n).iter().any(|on| !done[*on]);
                prop_assert_eq!(candidate.pending && !stuck, steps.iter().any(|s| s.work == n));
            }
            prop_assert_eq!(steps.is_empty(), !steps.iter().any(|s| s.critical));
        }
    }
}
