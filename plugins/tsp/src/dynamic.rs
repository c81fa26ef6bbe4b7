//! Dynamic programming over sets of nodes.

use crate::Costs;

/// Buffers that survive from row to row.
#[derive(Debug, Default)]
pub(crate) struct Dynamic {
    /// The cost of the best way from a node through a set of others, each once, and on to node 0.
    /// Bit `i` of a set stands for node `i + 1`.
    best: Vec<i64>,
}

impl Dynamic {
    /// Finds the first of the best tours.
    pub(crate) fn best_tour(&mut self, costs: &Costs, tour: &mut Vec<usize>) {
        let others = costs.nodes - 1;
        self.best.clear();
        self.best.resize((1 << others) * others, 0);
        for from in 0..others {
            self.best[from] = costs.of(from + 1, 0);
        }
        for set in 1..1_usize << others {
            for from in (0..others).filter(|from| set >> from & 1 == 0) {
                let ways = members(set).map(|next| self.through(costs, from + 1, next, set));
                self.best[set * others + from] = ways.min().expect("the set has members");
            }
        }
        self.walk(costs, tour);
    }

    /// The cost of going on to `next`, one of `set`, then through the rest of it to node 0.
    fn through(&self, costs: &Costs, node: usize, next: usize, set: usize) -> i64 {
        let rest = set & !(1 << next);
        costs.of(node, next + 1) + self.best[rest * (costs.nodes - 1) + next]
    }

    /// Reads the tour from node 0 on; of equal ways the one to the lowest node.
    fn walk(&self, costs: &Costs, tour: &mut Vec<usize>) {
        tour.clear();
        tour.push(0);
        let mut set = (1_usize << (costs.nodes - 1)) - 1;
        let mut node = 0;
        while set != 0 {
            let ways = members(set).min_by_key(|&next| self.through(costs, node, next, set));
            let next = ways.expect("the set has members");
            set &= !(1 << next);
            node = next + 1;
            tour.push(node);
        }
    }
}

fn members(set: usize) -> impl Iterator<Item = usize> {
    (0..usize::BITS as usize)
        .take_while(move |&at| set >> at != 0)
        .filter(move |at| set >> at & 1 == 1)
}
