//! Which edges a branch of the search forbids and requires, and how to take that back.

use crate::Costs;
use crate::one_tree::{FORBIDDEN, REQUIRED};

/// The costs, with edges forbidden and required.
#[derive(Debug, Default)]
pub(crate) struct Restrictions {
    nodes: usize,
    weights: Vec<i64>,
    /// The other ends of the required edges of every node.
    required: Vec<Vec<usize>>,
    /// Edges whose weight changed, and what it was.
    trail: Vec<([usize; 2], i64)>,
}

impl Restrictions {
    /// Lifts all restrictions.
    pub(crate) fn start(&mut self, costs: &Costs) {
        self.nodes = costs.nodes;
        self.weights.clone_from(&costs.matrix);
        self.required.resize(costs.nodes, Vec::new());
        self.required.iter_mut().for_each(Vec::clear);
        self.trail.clear();
    }

    /// The matrix of costs, that of forbidden edges too large and that of required ones too small for any other.
    pub(crate) fn weights(&self) -> &[i64] {
        &self.weights
    }

    pub(crate) fn weight(&self, a: usize, b: usize) -> i64 {
        self.weights[a * self.nodes + b]
    }

    /// The number of changes that were made.
    pub(crate) fn changes(&self) -> usize {
        self.trail.len()
    }

    fn set(&mut self, [a, b]: [usize; 2], weight: i64) {
        self.trail.push(([a, b], self.weights[a * self.nodes + b]));
        self.weights[a * self.nodes + b] = weight;
        self.weights[b * self.nodes + a] = weight;
    }

    /// Leaves an edge out of every tour.
    pub(crate) fn forbid(&mut self, edge: [usize; 2]) {
        self.set(edge, FORBIDDEN);
    }

    fn is_required(&self, [a, b]: [usize; 2]) -> bool {
        self.required[a].contains(&b)
    }

    /// Requires an edge, and forbids what no tour has beside it; false if no tour is left.
    pub(crate) fn require(&mut self, [a, b]: [usize; 2]) -> bool {
        if self.required[a].len() == 2 || self.required[b].len() == 2 {
            return false;
        }
        let favoured = self.weights[a * self.nodes + b] - REQUIRED;
        self.set([a, b], favoured);
        self.required[a].push(b);
        self.required[b].push(a);
        let (first, reach) = self.end_of_path(a, b);
        let (last, more) = self.end_of_path(b, a);
        // The required edges at a and b are now one path; only a tour of all nodes may close it.
        if reach + more + 1 < self.nodes - 1 && !self.is_required([first, last]) {
            self.forbid([first, last]);
        }
        for node in [a, b] {
            if self.required[node].len() == 2 {
                for other in (0..self.nodes).filter(|&other| other != node) {
                    if !self.is_required([node, other]) {
                        self.forbid([node, other]);
                    }
                }
            }
        }
        true
    }

    /// Follows required edges from `node`, away from `before`, to their end; counts them.
    fn end_of_path(&self, mut node: usize, mut before: usize) -> (usize, usize) {
        let mut edges = 0;
        while let Some(&next) = self.required[node].iter().find(|&&next| next != before) {
            (before, node) = (node, next);
            edges += 1;
        }
        (node, edges)
    }

    /// Takes back all but the first changes.
    pub(crate) fn undo(&mut self, changes: usize) {
        while self.trail.len() > changes {
            let ([a, b], weight) = self.trail.pop().expect("the trail is longer");
            if self.weights[a * self.nodes + b] < 0 {
                self.required[a].pop();
                self.required[b].pop();
            }
            self.weights[a * self.nodes + b] = weight;
            self.weights[b * self.nodes + a] = weight;
        }
    }
}
