//! The best items that fit into a knapsack, of one dimension or several.
//!
//! A state says how many of each item are taken: 0 or 1, or up to `copies` of it. In every dimension the
//! weights of what is taken sum to at most the capacity. Weights are whole numbers: multiply those with
//! decimals by a power of ten, which costs nothing, since common divisors are taken out.
//!
//! ```json
//! {"weights": [[3, 4, 2, 5]], "capacities": [7]}
//! {"weights": [[3, 4, 2, 5], [1, 0, 6, 2]], "capacities": [7, 6], "copies": [1, 1, 2, 1]}
//! ```
//!
//! # Algorithms
//!
//! Branch and bound. The dimensions are combined into one by multipliers, which make the bound of the continuous
//! knapsack nearly that of the linear relaxation. In one dimension, where that takes more than 10000 steps,
//! dynamic programming over the capacity takes over, whose time does not depend on theta (unless its table
//! were larger than 2^28 bits).
//!
//! # Exactness and ties
//!
//! Both compute on [integers](imle_api::to_integers) and are exact for theta rounded to a part in 2^52 of its
//! largest magnitude (less if there are more than 512 copies of all items together: a bit for each
//! doubling). Items whose theta is not positive are never taken. Items are looked at by falling theta for their
//! weight (in several dimensions, their combined weight), by index among equals, and of several best states it
//! is the one that takes the first of them, then the second, and so on, as far as it can.
//!
//! # Size
//!
//! `cargo run --release --example times` of this crate prints the time of a row, here the median and the largest of
//! ten, on one busy core; half of all weight fits.
//!
//! | items | dimensions | theta independent of weights | theta within a tenth of the sum of weights |
//! |---|---|---|---|
//! | 50 | 1 | 0.005, 0.04 ms | 0.02, 0.04 ms |
//! | 500 | 1, capacity 1.4e5 | 0.07, 0.1 ms | 249, 290 ms (dynamic programming) |
//! | 32 | 2 | 0.02, 0.05 ms | 0.07, 0.08 ms |
//! | 32 | 5 | 0.08, 0.3 ms | 16, 49 ms |
//! | 50 | 5 | 0.4, 10 ms | 152, 955 ms |
//! | 100 | 3 | 1, 62 ms | 37, 93 ms |
//!
//! In several dimensions a theta that *is* the sum of weights and a constant can take minutes from 50 items by 3
//! dimensions on: give such rows a time limit. A row that reaches it is an error.

#![forbid(unsafe_code)]

mod dynamic;
mod order;
mod problem;
mod search;

#[cfg(test)]
mod tests;

use imle_api::{Error, Facts, Limits, Proof, Solver, export_plugin};

use crate::dynamic::Dynamic;
use crate::order::Order;
use crate::problem::Problem;
use crate::search::Search;

pub use problem::Config;

/// So many steps are sooner done than a table of dynamic programming.
const FEW_STEPS: u64 = 10_000;

/// What fits into one knapsack.
#[derive(Debug)]
pub struct Knapsack {
    problem: Problem,
}

/// Buffers that survive from row to row.
#[derive(Debug, Default)]
pub struct Workspace {
    gains: Vec<i64>,
    order: Order,
    dynamic: Dynamic,
    search: Search,
}

impl Solver for Knapsack {
    const NAME: &'static str = "knapsack";
    const SUMMARY: &'static str = "the best items that fit, in one dimension or several";
    type Config = Config;
    type Workspace = Workspace;

    fn new(config: Config) -> Result<Self, Error> {
        let problem = Problem::new(config)?;
        Ok(Self { problem })
    }

    fn facts(&self) -> Facts {
        Facts::bounded(self.problem.items, 0.0, self.problem.most_copies(), true)
    }

    fn solve(
        &self,
        workspace: &mut Workspace,
        theta: &[f64],
        z: &mut [f64],
        limits: &Limits<'_>,
    ) -> Result<Proof, Error> {
        limits.check()?;
        let Workspace {
            gains,
            order,
            dynamic,
            search,
        } = workspace;
        imle_api::to_integers(theta, self.problem.bits(), gains);
        order.set(&self.problem, gains);
        let capacity = self.problem.capacity_for_dynamic();
        let most_steps = capacity.map_or(u64::MAX, |_| FEW_STEPS);
        let taken = match search.best(&self.problem, order, most_steps, limits)? {
            Some(taken) => taken,
            // The same state: both obey the rule for ties.
            None => dynamic.best(&self.problem, order, capacity.unwrap_or(0), limits)?,
        };
        z.fill(0.0);
        for (candidate, _) in order
            .candidates
            .iter()
            .zip(taken)
            .filter(|(_, taken)| **taken)
        {
            let piece = &self.problem.pieces[candidate.piece];
            z[piece.item] += f64::from(piece.count);
        }
        Ok(Proof::NONE)
    }
}

export_plugin!(Knapsack);
