//! The best matching of a graph, bipartite or not.
//!
//! States are 0/1 indicators of edges no two of which share a vertex, one coordinate for each edge in the
//! order of the configuration. `cardinality` says how many edges a state has:
//!
//! | `cardinality` | states | edges of negative theta |
//! |---|---|---|
//! | `any` (default) | all matchings | never taken; nor are those of zero |
//! | `maximum` | those with the most edges that there can be | taken where that many need them |
//! | `perfect` | those that cover every vertex; [`Infeasible`](ErrorKind::Infeasible) if there are none | likewise |
//!
//! Two configurations: pairings of six, with the coordinates 01, 02, ..., 45; and a square with a diagonal.
//!
//! ```json
//! {"vertices": 6, "cardinality": "perfect"}
//! {"vertices": 4, "edges": [[0, 1], [1, 2], [2, 3], [3, 0], [0, 2]]}
//! ```
//!
//! Parallel edges are different edges, of which only the best can be taken; a loop is legal and never taken.
//!
//! # Exactness and ties
//!
//! Edmonds' blossom algorithm in Galil's form, in cubic time, as
//! [`rustworkx-core`](https://docs.rs/rustworkx-core) has it, over [integers](imle_api::to_integers) of
//! 60 bits: exact for theta rounded to a part in 2^60 of its largest magnitude. Every matching is checked
//! against its dual solution, in integers, before it is returned: one that were not optimal would be a
//! failed row.
//!
//! Of parallel edges with equal theta the lower index is taken. Otherwise it is, of several best matchings,
//! the one that the algorithm comes to, which sees nothing but the graph and those integers.
//!
//! # Size
//!
//! `cargo run --release --example times` of this crate prints the time of a row of a complete graph; the median on one
//! busy core: 0.05 ms for 20 vertices, 0.5 ms for 50, 7 ms for 100.
//!
//! For a bipartite graph that is dense, `assignment` is faster. Limits are looked at before a row, not within.

#![forbid(unsafe_code)]

mod config;

#[cfg(test)]
mod tests;

use std::convert::Infallible;

use imle_api::{Error, ErrorKind, Facts, Limits, Proof, Solver, export_plugin};
use petgraph::graph::{NodeIndex, UnGraph};
use petgraph::visit::EdgeRef;
use rustworkx_core::max_weight_matching::max_weight_matching;

pub use config::{Cardinality, Config};

/// The matchings of one graph.
#[derive(Debug)]
pub struct Matching {
    /// One edge for each two vertices that any edge joins; its index is the number of the *pair*.
    pairs: UnGraph<(), ()>,
    /// The pair that each edge joins; `None` for a loop.
    pair_of: Vec<Option<u32>>,
    cardinality: Cardinality,
    /// The most edges that a matching can have.
    most: usize,
}

/// Buffers that survive from row to row.
#[derive(Debug, Default)]
pub struct Workspace {
    weights: Vec<i64>,
    /// The best edge of every pair.
    best: Vec<Option<usize>>,
}

impl Solver for Matching {
    const NAME: &'static str = "matching";
    const SUMMARY: &'static str = "the best matching of any graph";
    type Config = Config;
    type Workspace = Workspace;

    fn new(config: Config) -> Result<Self, Error> {
        let cardinality = config.cardinality;
        let (vertices, edges) = config.graph()?;
        let (pairs, pair_of) = join(vertices, &edges);
        let most = match cardinality {
            Cardinality::Any => 0, // nobody asks
            _ => best_pairs(&pairs, true, |_| 1).len(),
        };
        if cardinality == Cardinality::Perfect && 2 * most != vertices {
            let message = format!(
                "no perfect matching: of {vertices} vertices at most {} can be covered",
                2 * most
            );
            return Err(Error::new(ErrorKind::Infeasible, message));
        }
        Ok(Self {
            pairs,
            pair_of,
            cardinality,
            most,
        })
    }

    fn facts(&self) -> Facts {
        let facts = Facts::binary(self.pair_of.len());
        match self.cardinality {
            Cardinality::Any => facts,
            _ => facts.with_ones(self.most),
        }
    }

    fn solve(
        &self,
        workspace: &mut Workspace,
        theta: &[f64],
        z: &mut [f64],
        limits: &Limits<'_>,
    ) -> Result<Proof, Error> {
        limits.check()?;
        let Workspace { weights, best } = workspace;
        imle_api::to_integers(theta, 60, weights);
        self.choose_parallel(weights, best);
        let edge = |pair: usize| best[pair].expect("a pair is there because an edge joins it");
        let any = self.cardinality == Cardinality::Any;
        z.fill(0.0);
        for pair in best_pairs(&self.pairs, !any, |pair| weights[edge(pair)]) {
            if weights[edge(pair)] > 0 || !any {
                z[edge(pair)] = 1.0;
            }
        }
        Ok(Proof::NONE)
    }
}

impl Matching {
    fn choose_parallel(&self, weights: &[i64], best: &mut Vec<Option<usize>>) {
        best.clear();
        best.resize(self.pairs.edge_count(), None);
        for (edge, pair) in self.pair_of.iter().enumerate() {
            let Some(pair) = *pair else { continue };
            let best = &mut best[pair as usize];
            if best.is_none_or(|best| weights[edge] > weights[best]) {
                *best = Some(edge);
            }
        }
    }
}

/// The pairs that are joined by edges, numbered by their first edge, and the pair of every edge.
fn join(vertices: usize, edges: &[[usize; 2]]) -> (UnGraph<(), ()>, Vec<Option<u32>>) {
    let mut pairs = UnGraph::with_capacity(vertices, edges.len());
    for _ in 0..vertices {
        pairs.add_node(());
    }
    let pair_of = edges.iter().map(|&[a, b]| {
        let [a, b] = [NodeIndex::new(a), NodeIndex::new(b)];
        (a != b).then(|| pairs.update_edge(a, b, ()).index() as u32)
    });
    let pair_of = pair_of.collect();
    (pairs, pair_of)
}

/// The pairs of a best matching, proven best.
fn best_pairs(
    graph: &UnGraph<(), ()>,
    as_many_as_possible: bool,
    weight: impl Fn(usize) -> i64,
) -> Vec<usize> {
    let weight = |edge: petgraph::graph::EdgeReference<'_, ()>| {
        Ok::<_, Infallible>(i128::from(weight(edge.id().index())))
    };
    let Ok(matched) = max_weight_matching(graph, as_many_as_possible, weight, true);
    let pair = |(a, b)| graph.find_edge(NodeIndex::new(a), NodeIndex::new(b));
    let pairs = matched.into_iter().map(pair);
    pairs
        .map(|pair| pair.expect("only edges are matched").index())
        .collect()
}

export_plugin!(Matching);
