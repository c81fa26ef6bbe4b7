//! Branch and bound: an edge that makes a node's degree too large is forbidden, then required.

use imle_api::{Error, Limits};

use crate::Costs;
use crate::one_tree::{FORBIDDEN, LARGEST_MULTIPLIER, OneTree};
use crate::restrictions::Restrictions;
use crate::start::good_tour;

/// Subgradient steps where the search begins, and at every later point.
const FIRST_STEPS: usize = 150;
const STEPS: usize = 20;
/// After so many steps without a better bound steps become half as long.
const PATIENCE: usize = 6;
/// Tours that differ by less are ties: a part in 2^42 of the largest magnitude.
const TIE: i64 = 1 << 8;

/// Buffers that survive from row to row; between rows they hold nothing that matters.
#[derive(Debug, Default)]
pub(crate) struct Search {
    restrictions: Restrictions,
    open: Vec<Branch>,
    multipliers: Vec<i64>,
    best_multipliers: Vec<i64>,
    tree: OneTree,
    is_below: Vec<bool>,
    /// The cost of the best tour that is known; better ones are better by at least `step`.
    least: i64,
    step: i64,
}

/// A point of the search where an edge is forbidden; it will be required when the search comes back.
#[derive(Debug)]
struct Branch {
    edge: [usize; 2],
    changes: usize,
    multipliers: Vec<i64>,
}

impl Search {
    /// Finds a best tour.
    ///
    /// # Errors
    ///
    /// If `limits` end the search before its proof.
    pub(crate) fn best_tour(
        &mut self,
        costs: &Costs,
        tour: &mut Vec<usize>,
        limits: &Limits<'_>,
    ) -> Result<(), Error> {
        self.start(costs, tour);
        let mut steps = FIRST_STEPS;
        let mut is_open = true;
        loop {
            limits.check()?;
            if is_open && let Some(edge) = self.explore(costs, tour, steps) {
                self.open.push(Branch {
                    edge,
                    changes: self.restrictions.changes(),
                    multipliers: self.multipliers.clone(),
                });
                self.restrictions.forbid(edge);
            } else {
                let Some(branch) = self.open.pop() else {
                    return Ok(());
                };
                self.restrictions.undo(branch.changes);
                self.multipliers = branch.multipliers;
                is_open = self.restrictions.require(branch.edge);
            }
            steps = STEPS;
        }
    }

    fn start(&mut self, costs: &Costs, tour: &mut Vec<usize>) {
        good_tour(costs, tour);
        self.least = costs.of_tour(tour);
        // All costs are multiples of their greatest common divisor, and so is what tours differ by.
        let divisor = costs
            .matrix
            .iter()
            .fold(0, |divisor, &cost| gcd(divisor, cost));
        self.step = divisor.max(TIE);
        self.restrictions.start(costs);
        self.open.clear();
        self.multipliers.clear();
        self.multipliers.resize(costs.nodes, 0);
    }

    /// Bounds the tours at this point of the search; returns an edge to branch on if better ones may be there.
    fn explore(
        &mut self,
        costs: &Costs,
        tour: &mut Vec<usize>,
        steps: usize,
    ) -> Option<[usize; 2]> {
        let mut best = i64::MIN;
        let mut length = 1.0;
        let mut stale = 0;
        for _ in 0..steps {
            let bound = self.bound(costs)?;
            if bound > self.least - self.step {
                return None;
            }
            if self.tree.is_tour() {
                // Its cost is the bound, so that nothing here is better.
                self.tree.write_tour(tour);
                self.least = bound;
                return None;
            }
            if bound > best {
                best = bound;
                stale = 0;
                self.best_multipliers.clone_from(&self.multipliers);
            } else {
                stale += 1;
                if stale == PATIENCE {
                    stale = 0;
                    length /= 2.0;
                }
            }
            self.step_up(length * (self.least - bound) as f64);
        }
        self.multipliers.clone_from(&self.best_multipliers);
        self.bound(costs)?;
        Some(self.edge_to_branch_on(costs.nodes))
    }

    /// The value of the cheapest one-tree, which no tour is below; `None` if there is none.
    fn bound(&mut self, costs: &Costs) -> Option<i64> {
        let cost = self
            .tree
            .build(costs, self.restrictions.weights(), &self.multipliers)?;
        Some(cost - 2 * self.multipliers.iter().sum::<i64>())
    }

    /// Moves the multipliers so that nodes of large degree get dear. Any multipliers give a bound: rounding
    /// them costs nothing but a little of it.
    fn step_up(&mut self, gap: f64) {
        let excess = self.tree.degree.iter().map(|degree| degree - 2);
        let square: i64 = excess.clone().map(|excess| excess * excess).sum();
        for (multiplier, excess) in self.multipliers.iter_mut().zip(excess) {
            let step = gap * excess as f64 / square as f64;
            *multiplier += step.round() as i64;
            *multiplier = (*multiplier).clamp(-LARGEST_MULTIPLIER, LARGEST_MULTIPLIER);
        }
    }

    /// Of the edges at the node with the largest degree, the one that the bound would miss most.
    fn edge_to_branch_on(&mut self, nodes: usize) -> [usize; 2] {
        let crowded = (0..nodes).rev().max_by_key(|&node| self.tree.degree[node]);
        let crowded = crowded.expect("there are nodes");
        let edges: Vec<[usize; 2]> = self
            .tree
            .edges()
            .filter(|edge| edge.contains(&crowded))
            .collect();
        let free = edges
            .into_iter()
            .filter(|&[a, b]| self.restrictions.weight(a, b) >= 0);
        let free: Vec<[usize; 2]> = free.collect();
        let missed = free
            .iter()
            .rev()
            .max_by_key(|&&edge| self.replacement(nodes, edge));
        *missed.expect("at most two of three edges are required")
    }

    /// What the cheapest one-tree without this edge costs more.
    fn replacement(&mut self, nodes: usize, edge: [usize; 2]) -> i64 {
        let weight = |a: usize, b: usize| {
            self.restrictions.weight(a, b) + self.multipliers[a] + self.multipliers[b]
        };
        let [above, below] = edge;
        let old = weight(above, below);
        if above == 0 {
            let others = (1..nodes).filter(|end| !self.tree.ends.contains(end));
            return others.map(|end| weight(0, end)).min().unwrap_or(FORBIDDEN) - old;
        }
        self.is_below.clear();
        self.is_below.resize(nodes, false);
        for &node in &self.tree.order {
            self.is_below[node] = node == below || self.is_below[self.tree.parent[node]];
        }
        let mut least = FORBIDDEN;
        for a in (1..nodes).filter(|&a| self.is_below[a]) {
            for b in (1..nodes).filter(|&b| !self.is_below[b] && [b, a] != edge) {
                least = least.min(weight(a, b));
            }
        }
        least - old
    }
}

fn gcd(a: i64, b: i64) -> i64 {
    if b == 0 { a } else { gcd(b, a % b) }
}
