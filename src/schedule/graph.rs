//! The dependencies as a graph over dense numbers: order, depth, longest chains, circles.
//!
//! Everything here is iterative and linear in works plus edges: a chain of 100,000 overflows no stack.

use std::collections::HashMap;

use super::WorkId;

/// The works of a schedule by position, with edges both ways.
///
/// Self references and repeated dependencies are left out; dependencies that are no work are kept apart.
#[derive(Debug, Clone, Default)]
pub struct Graph {
    dependencies: Vec<Vec<usize>>,
    dependents: Vec<Vec<usize>>,
    missing: Vec<Vec<WorkId>>,
}

/// A circle: each work depends on the next, the last one on the first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cycle(pub Vec<usize>);

impl Cycle {
    /// The circle as people read it: `A → B → A`.
    pub fn path(&self, ids: &[&WorkId]) -> String {
        let shown = 12;
        let mut names: Vec<&str> = self.0.iter().take(shown).map(|n| ids[*n].as_str()).collect();
        let hidden = self.0.len().saturating_sub(shown);
        let more = format!("… {hidden} more …");
        if hidden > 0 {
            names.push(&more);
        }
        names.extend(self.0.first().map(|n| ids[*n].as_str()));
        names.join(" → ")
    }
}

impl Graph {
    /// Builds the graph of works given in order of creation.
    pub fn new<'a, I>(works: I) -> Graph
    where
        I: IntoIterator<Item = (&'a WorkId, &'a [WorkId])>,
    {
        let works: Vec<_> = works.into_iter().collect();
        let position: HashMap<&WorkId, usize> =
            works.iter().enumerate().map(|(n, (id, _))| (*id, n)).collect();
        let mut graph = Graph {
            dependencies: vec![Vec::new(); works.len()],
            dependents: vec![Vec::new(); works.len()],
            missing: vec![Vec::new(); works.len()],
        };
        let mut seen = vec![usize::MAX; works.len()];
        for (n, (_, dependencies)) in works.iter().enumerate() {
            for dependency in *dependencies {
                match position.get(dependency) {
                    Some(&on) if on == n || seen[on] == n => {}
                    Some(&on) => {
                        seen[on] = n;
                        graph.dependencies[n].push(on);
                        graph.dependents[on].push(n);
                    }
                    None if graph.missing[n].contains(dependency) => {}
                    None => graph.missing[n].push(dependency.clone()),
                }
            }
        }
        graph
    }

    /// Number of works.
    pub fn len(&self) -> usize {
        self.dependencies.len()
    }

    /// Whether there is no work at all.
    pub fn is_empty(&self) -> bool {
        self.dependencies.is_empty()
    }

    /// What work `n` depends on.
    pub fn dependencies(&self, n: usize) -> &[usize] {
        &self.dependencies[n]
    }

    /// What depends on work `n`.
    pub fn dependents(&self, n: usize) -> &[usize] {
        &self.dependents[n]
    }

    /// What work `n` depends on that is no work of the schedule.
    pub fn missing(&self, n: usize) -> &[WorkId] {
        &self.missing[n]
    }

    /// The works, each after everything it depends on; works in or behind a circle are left out.
    pub fn order(&self) -> Vec<usize> {
        let mut open: Vec<usize> = self.dependencies.iter().map(Vec::len).collect();
        let mut order: Vec<usize> = (0..self.len()).filter(|n| open[*n] == 0).collect();
        let mut next = 0;
        while let Some(&n) = order.get(next) {
            next += 1;
            for &dependent in &self.dependents[n] {
                open[dependent] -= 1;
                if open[dependent] == 0 {
                    order.push(dependent);
                }
            }
        }
        order
    }

    /// One circle of each knot of works that depend on each other; empty where the order is sound.
    pub fn cycles(&self) -> Vec<Cycle> {
        let mut in_order = vec![false; self.len()];
        for n in self.order() {
            in_order[n] = true;
        }
        // 0: not visited, 1: on the present path, 2: left for good.
        let mut mark: Vec<u8> = in_order.iter().map(|done| if *done { 2 } else { 0 }).collect();
        let mut knotted = vec![false; self.len()];
        let mut cycles = Vec::new();
        for start in 0..self.len() {
            let mut path: Vec<(usize, usize)> = Vec::new();
            if mark[start] == 0 {
                mark[start] = 1;
                path.push((start, 0));
            }
            while let Some((n, edge)) = path.last_mut() {
                let Some(&to) = self.dependencies[*n].get(*edge) else {
                    mark[*n] = 2;
                    path.pop();
                    continue;
                };
                *edge += 1;
                if mark[to] == 0 {
                    mark[to] = 1;
                    path.push((to, 0));
                } else if mark[to] == 1 {
                    let from = path.iter().position(|(n, _)| *n == to).unwrap_or_default();
                    let members: Vec<usize> = path[from..].iter().map(|(n, _)| *n).collect();
                    if !members.iter().any(|n| knotted[*n]) {
                        members.iter().for_each(|n| knotted[*n] = true);
                        cycles.push(Cycle(members));
                    }
                }
            }
        }
        cycles
    }

    /// Length of the longest chain in front of each work: 0 for one that depends on nothing.
    /// Works in or behind a circle count as 0.
    pub fn depths(&self) -> Vec<u32> {
        let mut depths = vec![0; self.len()];
        for n in self.order() {
            depths[n] = self.dependencies[n].iter().map(|on| depths[*on] + 1).max().unwrap_or(0);
        }
        depths
    }

    /// Length of the longest chain behind each work, among those that `counts` says still count: 0 where nothing
    /// waits for it.
    pub fn weights(&self, counts: impl Fn(usize) -> bool) -> Vec<u32> {
        let mut weights = vec![0; self.len()];
        for n in self.order().into_iter().rev() {
            weights[n] = self.dependents[n]
                .iter()
                .filter(|by| counts(**by))
                .map(|by| weights[*by] + 1)
                .max()
                .unwrap_or(0);
        }
        weights
    }

    /// Spreads outwards from works for which `starts` holds to everything that depends on them, however far.
    pub fn reaches(&self, starts: impl Fn(usize) -> bool) -> Vec<bool> {
        let mut reached = vec![false; self.len()];
        let mut open: Vec<usize> = (0..self.len()).filter(|n| starts(*n)).collect();
        while let Some(n) = open.pop() {
            for &by in &self.dependents[n] {
                if !reached[by] {
                    reached[by] = true;
                    open.push(by);
                }
            }
        }
        reached
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn graph(edges: &[(usize, usize)], works: usize) -> (Vec<WorkId>, Graph) {
        let ids: Vec<WorkId> = (0..works).map(|n| WorkId::new(format!("W-{n}")).unwrap()).collect();
        let lists: Vec<Vec<WorkId>> = (0..works)
            .map(|n| edges.iter().filter(|(from, _)| *from == n).map(|(_, to)| ids[*to].clone()).collect())
            .collect();
        let graph = Graph::new(ids.iter().zip(lists.iter().map(Vec::as_slice)));
        (ids, graph)
    }

    #[test]
    fn a_chain_of_a_hundred_thousand_is_ordered_without_recursion() {
        let works = 100_000;
        let ids: Vec<WorkId> = (0..works).map(|n| WorkId::new(format!("W-{n}")).unwrap()).collect();
        let before: Vec<Vec<WorkId>> =
            (0..works).map(|n| if n == 0 { vec![] } else { vec![ids[n - 1].clone()] }).collect();
        let graph = Graph::new(ids.iter().zip(before.iter().map(Vec::as_slice)));
        assert_eq!(graph.depths()[works - 1] as usize, works - 1);
        assert_eq!(graph.weights(|_| true)[0] as usize, works - 1);
        assert!(graph.cycles().is_empty());

        let around: Vec<Vec<WorkId>> = (0..works).map(|n| vec![ids[(n + 1) % works].clone()]).collect();
        let graph = Graph::new(ids.iter().zip(around.iter().map(Vec::as_slice)));
        assert_eq!(graph.cycles().len(), 1);
    }

    #[test]
    fn a_circle_is_shown_in_the_direction_of_depends_on() {
        let (ids, graph) = graph(&[(0, 1), (1, 2), (2, 0), (3, 0), (4, 4)], 5);
        let ids: Vec<&WorkId> = ids.iter().collect();
        let cycles = graph.cycles();
        assert_eq!(cycles.len(), 1, "a self reference is no circle");
        assert_eq!(cycles[0].path(&ids), "W-0 → W-1 → W-2 → W-0");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(3000))]
        #[test]
        fn order_and_circles_split_every_graph(
            works in 1usize..25,
            edges in proptest::collection::vec((0usize..25, 0usize..25), 0..60),
        ) {
            let edges: Vec<_> = edges.into_iter().filter(|(a, b)| *a < works && *b < works).collect();
            let (_, graph) = graph(&edges, works);
            let order = graph.order();
            let place: HashMap<usize, usize> = order.iter().enumerate().map(|(at, n)| (*n, at)).collect();
            for n in &order {
                for on in graph.dependencies(*n) {
                    prop_assert!(place[on] < place[n]);
                }
            }
            prop_assert_eq!(order.len() == works, graph.cycles().is_empty());
            for Cycle(members) in graph.cycles() {
                prop_assert!(members.len() > 1);
                for (n, member) in members.iter().enumerate() {
                    prop_assert!(graph.dependencies(*member).contains(&members[(n + 1) % members.len()]));
                }
            }
        }
    }
}
