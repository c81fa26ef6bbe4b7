//! One-trees: what a tour is but for the degrees, and therefore a lower bound.
//!
//! A one-tree is a spanning tree of all nodes but node 0 and two edges at node 0. The cheapest is found
//! greedily. Every tour is one; adding a multiplier of each node to the costs of its edges changes every
//! tour by the same amount, `2 sum of multipliers`, but favours one-trees with other degrees.

use crate::Costs;

/// The cost of an edge that is forbidden; no sum of a cost and two multipliers comes near half of it.
pub(crate) const FORBIDDEN: i64 = 1 << 60;
/// What an edge that is required is favoured by.
pub(crate) const REQUIRED: i64 = 1 << 58;
/// The largest magnitude of a multiplier.
pub(crate) const LARGEST_MULTIPLIER: i64 = 1 << 52;

/// The cheapest one-tree, and the buffers to find it.
#[derive(Debug, Default)]
pub(crate) struct OneTree {
    /// Nodes but 0 in the order in which they joined the tree.
    pub(crate) order: Vec<usize>,
    /// The node by which each joined; meaningless for nodes 0 and 1.
    pub(crate) parent: Vec<usize>,
    /// The neighbours of node 0.
    pub(crate) ends: [usize; 2],
    pub(crate) degree: Vec<i64>,
    key: Vec<i64>,
    outside: Vec<usize>,
}

impl OneTree {
    /// Finds the cheapest one-tree under `weights` and multipliers; returns its cost without the favour of
    /// required edges, `None` if forbidden edges leave no one-tree.
    pub(crate) fn build(
        &mut self,
        costs: &Costs,
        weights: &[i64],
        multipliers: &[i64],
    ) -> Option<i64> {
        let nodes = costs.nodes;
        self.degree.clear();
        self.degree.resize(nodes, 0);
        let tree = self.build_tree(costs, weights, multipliers)?;
        let node = |end: usize| (weights[end] + multipliers[end], end);
        let [mut first, mut second] = [node(1), node(2)];
        if second < first {
            std::mem::swap(&mut first, &mut second);
        }
        for end in (3..nodes).map(node) {
            if end < first {
                (first, second) = (end, first);
            } else if end < second {
                second = end;
            }
        }
        if second.0 > FORBIDDEN / 2 {
            return None;
        }
        self.ends = [first.1, second.1];
        self.degree[0] = 2;
        let mut cost = tree + 2 * multipliers[0];
        for end in self.ends {
            self.degree[end] += 1;
            cost += costs.of(0, end) + multipliers[end];
        }
        Some(cost)
    }

    /// Prim's algorithm from node 1.
    fn build_tree(&mut self, costs: &Costs, weights: &[i64], multipliers: &[i64]) -> Option<i64> {
        let nodes = costs.nodes;
        self.order.clear();
        self.key.clear();
        self.key.resize(nodes, i64::MAX);
        self.parent.clear();
        self.parent.resize(nodes, 0);
        self.outside.clear();
        self.outside.extend(2..nodes);
        let mut cost = 0;
        let mut joined = 1;
        loop {
            self.order.push(joined);
            if self.outside.is_empty() {
                return Some(cost);
            }
            let row = &weights[joined * nodes..][..nodes];
            let (mut nearest, mut least) = (0, i64::MAX);
            for (at, &node) in self.outside.iter().enumerate() {
                let key = row[node] + multipliers[node] + multipliers[joined];
                if key < self.key[node] {
                    self.key[node] = key;
                    self.parent[node] = joined;
                }
                if self.key[node] < least {
                    (nearest, least) = (at, self.key[node]);
                }
            }
            if least > FORBIDDEN / 2 {
                return None;
            }
            joined = self.outside.swap_remove(nearest);
            let parent = self.parent[joined];
            self.degree[joined] += 1;
            self.degree[parent] += 1;
            cost += costs.of(joined, parent) + multipliers[joined] + multipliers[parent];
        }
    }

    /// Whether it is a tour: it is connected, so that degrees of two make it one cycle.
    pub(crate) fn is_tour(&self) -> bool {
        self.degree.iter().all(|&degree| degree == 2)
    }

    /// The edges.
    pub(crate) fn edges(&self) -> impl Iterator<Item = [usize; 2]> {
        let tree = self.order[1..]
            .iter()
            .map(|&node| [self.parent[node], node]);
        tree.chain(self.ends.iter().map(|&end| [0, end]))
    }

    /// Reads the tour that it is.
    pub(crate) fn write_tour(&self, tour: &mut Vec<usize>) {
        let mut neighbours = vec![Vec::with_capacity(2); self.degree.len()];
        for [a, b] in self.edges() {
            neighbours[a].push(b);
            neighbours[b].push(a);
        }
        tour.clear();
        let (mut before, mut node) = (self.ends[0], 0);
        for _ in 0..self.degree.len() {
            tour.push(node);
            let [a, b] = neighbours[node][..] else {
                unreachable!("a tour has two edges at every node")
            };
            (before, node) = (node, if a == before { b } else { a });
        }
    }
}
