//! The best tour through all nodes: the symmetric travelling salesman problem.
//!
//! States are the 0/1 indicators of the edges of a tour that visits each of `nodes` nodes once. There is one
//! coordinate for each pair of nodes, 01, 02, ..., 12, ..., and every state has `nodes` ones. An oracle
//! maximises, so distances are `-theta`; the sign and the size of theta do not matter, and neither does the
//! triangle inequality.
//!
//! ```json
//! {"nodes": 20}
//! ```
//!
//! # Algorithms
//!
//! Up to 10 nodes dynamic programming over sets of nodes ([Held and Karp 1962](https://doi.org/10.1137/0110015)),
//! whose time does not depend on theta. Beyond, branch and bound: the bound is that of one-trees with
//! multipliers (Held and Karp 1970), improved by subgradient steps, which is the value of the relaxation with
//! all subtour constraints; the first tour comes from 2-opt and or-opt.
//!
//! # Exactness and ties
//!
//! Both compute on [integers](imle_api::to_integers) of 50 bits and are exact up to a part in 2^42 of the largest
//! magnitude of theta: tours that differ by less are ties. Dynamic programming breaks ties by the tour that comes
//! first when tours are written as sequences from node 0 and compared node by node. Branch and
//! bound keeps the tour that it came to first, and its steps depend on theta alone.
//!
//! # Size
//!
//! `cargo run --release --example times` of this crate prints the time of a row, here the median and the largest of
//! ten, on one busy core:
//!
//! | nodes | points in a square | independent costs | whole costs from 1 to 10 |
//! |---|---|---|---|
//! | 10 | 0.03, 0.1 ms | 0.02, 8 ms | 0.02, 0.04 ms |
//! | 20 | 0.3, 4 ms | 0.4, 8 ms | 0.3, 6 ms |
//! | 30 | 1, 9 ms | 1, 11 ms | 1, 5 ms |
//! | 40 | 9, 34 ms | 14, 51 ms | 7, 16 ms |
//! | 50 | 8, 20 ms | 48, 142 ms | 31, 53 ms |
//! | 60 | 12, 917 ms | 215, 357 ms | 28, 86 ms |
//!
//! Some rows of 80 nodes take longer than ten seconds: give them a time limit. A row that reaches it is an
//! error, never a tour that is not proven best.

#![forbid(unsafe_code)]

mod dynamic;
mod one_tree;
mod restrictions;
mod search;
mod start;

#[cfg(test)]
mod tests;

use imle_api::{Error, ErrorKind, Facts, Limits, Proof, Solver, export_plugin};

use crate::dynamic::Dynamic;
use crate::search::Search;

/// Up to here dynamic programming is faster; from 12 on branch and bound is.
const MOST_FOR_DYNAMIC: usize = 10;
/// So that no sum of a tour overflows, and beyond what branch and bound is good for.
const MOST_NODES: usize = 128;

/// Which tours are feasible.
///
/// ```
/// use imle_api::{Linked, solve_one};
/// use imle_tsp::Tsp;
///
/// let oracle = Linked::<Tsp>::open(r#"{"nodes": 4}"#)?;
/// // The edges are 01, 02, 03, 12, 13 and 23: the sides of a square and its dear diagonals.
/// let (z, _) = solve_one(&oracle, &[-1.0, -1.4, -1.0, -1.0, -1.4, -1.0])?;
/// assert_eq!(z, [1.0, 0.0, 1.0, 1.0, 0.0, 1.0]);
/// # Ok::<(), imle_api::Error>(())
/// ```
#[derive(Debug, serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("examples" = [{"nodes": 5}]))]
pub struct Config {
    /// The number of nodes, from 3 to 128.
    pub nodes: usize,
}

/// The tours of a complete graph.
#[derive(Debug)]
pub struct Tsp {
    nodes: usize,
}

/// Buffers that survive from row to row.
#[derive(Debug, Default)]
pub struct Workspace {
    gains: Vec<i64>,
    costs: Costs,
    tour: Vec<usize>,
    dynamic: Dynamic,
    search: Search,
}

/// The cost of every two nodes, from zero up; at most 2^51.
#[derive(Debug, Default)]
struct Costs {
    nodes: usize,
    matrix: Vec<i64>,
}

impl Costs {
    /// Adding the same to every edge adds the same to every tour.
    fn set(&mut self, nodes: usize, gains: &[i64]) {
        let largest = gains.iter().max().expect("three nodes have edges");
        self.nodes = nodes;
        self.matrix.clear();
        self.matrix.resize(nodes * nodes, 0);
        let mut gains = gains.iter();
        for a in 0..nodes {
            for b in a + 1..nodes {
                let cost = largest - gains.next().expect("a gain for every edge");
                self.matrix[a * nodes + b] = cost;
                self.matrix[b * nodes + a] = cost;
            }
        }
    }

    fn of(&self, a: usize, b: usize) -> i64 {
        self.matrix[a * self.nodes + b]
    }

    fn of_tour(&self, tour: &[usize]) -> i64 {
        let next = tour.iter().cycle().skip(1);
        tour.iter().zip(next).map(|(&a, &b)| self.of(a, b)).sum()
    }
}

impl Solver for Tsp {
    const NAME: &'static str = "tsp";
    const SUMMARY: &'static str = "the best tour through all nodes";
    type Config = Config;
    type Workspace = Workspace;

    fn new(Config { nodes }: Config) -> Result<Self, Error> {
        if !(3..=MOST_NODES).contains(&nodes) {
            let message = format!("nodes = {nodes} is not between 3 and {MOST_NODES}");
            return Err(Error::new(ErrorKind::InvalidConfig, message));
        }
        Ok(Self { nodes })
    }

    fn facts(&self) -> Facts {
        Facts::binary(self.nodes * (self.nodes - 1) / 2).with_ones(self.nodes)
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
            costs,
            tour,
            dynamic,
            search,
        } = workspace;
        imle_api::to_integers(theta, 50, gains);
        costs.set(self.nodes, gains);
        if self.nodes <= MOST_FOR_DYNAMIC {
            dynamic.best_tour(costs, tour);
        } else {
            search.best_tour(costs, tour, limits)?;
        }
        self.write(tour, z);
        Ok(Proof::NONE)
    }
}

impl Tsp {
    fn write(&self, tour: &[usize], z: &mut [f64]) {
        z.fill(0.0);
        for (&a, &b) in tour.iter().zip(tour.iter().cycle().skip(1)) {
            let (a, b) = (a.min(b), a.max(b));
            z[a * (2 * self.nodes - a - 1) / 2 + b - a - 1] = 1.0;
        }
    }
}

export_plugin!(Tsp);
