//! The best spanning tree of a graph, or the best arborescence of a directed one.
//!
//! States are 0/1 indicators of edges, one coordinate for each edge in the order of the configuration.
//! Two configurations: the spanning trees of the complete graph on four vertices, whose coordinates are
//! the edges 01, 02, 03, 12, 13, 23; and the arborescences that lead from vertex 0 to all others.
//!
//! ```json
//! {"vertices": 4}
//! {"vertices": 3, "edges": [[0, 1], [0, 2], [1, 2], [2, 1]], "root": 0}
//! ```
//!
//! Without `root` edges have no direction and a state connects all vertices without a cycle. With `root`
//! an edge leads from its first end to its second, and a state has one edge into every vertex but
//! the root, from which all are reached. Either way a state has `vertices - 1` ones. Parallel edges are
//! different edges; a loop is legal and in no tree. A graph without a spanning tree is refused:
//! [`Infeasible`](imle_api::ErrorKind::Infeasible).
//!
//! # Exactness and ties
//!
//! Trees come from Kruskal's algorithm (1956), which only compares: exact for every theta, in
//! `O(m log m)`. Of edges with equal theta the lower index is preferred, and `-0.0` equals `0.0`; that
//! is the whole rule, since the greedy tree of a strict order is the only one that is best for it.
//!
//! Arborescences come from Chu and Liu's and Edmonds' algorithm (1967), in `O(m n)`. It subtracts, so it
//! works on [integers](imle_api::to_integers) of 60 bits, which represent theta to a part in 2^60 of its
//! largest magnitude; there it is exact. Whenever the algorithm chooses the best edge into a
//! vertex or a contracted cycle, it takes the one with the lower index among equals.
//!
//! # Exact marginals
//!
//! The log-partition over all trees and the probability of every edge come from the matrix-tree theorem
//! (Kirchhoff; Tutte for arborescences), in `O(n^3)`, eliminated in logarithms: `p(edge)` is its weight times its
//! effective resistance. A row is [`InvalidTheta`](imle_api::ErrorKind::InvalidTheta) if vertices can be entered only by
//! edges more than 2^22 below others into the same vertices, where rounding would decide. Undirected trees are taken
//! apart at wide gaps first, so only many steps, each below such a gap, bring them there. Up to 4096 vertices; beyond, a row is
//! [`Unsupported`](imle_api::ErrorKind::Unsupported).

#![forbid(unsafe_code)]

mod arborescence;
mod config;
mod levels;
mod marginals;
mod tree;

#[cfg(test)]
mod tests;

use imle_api::{Error, Facts, Limits, MarginalsFn, Proof, Solver, export_plugin};

pub use config::{Config, Graph};

/// The spanning trees, or arborescences, of one graph.
#[derive(Debug)]
pub struct SpanningTree {
    graph: Graph,
}

/// Buffers that survive from row to row.
#[derive(Debug, Default)]
pub struct Workspace {
    order: Vec<u32>,
    weights: Vec<i64>,
    arborescence: arborescence::Scratch,
    elimination: marginals::Elimination,
}

impl SpanningTree {
    /// The graph: for whoever computes more about its trees than the best of them.
    #[must_use]
    pub fn graph(&self) -> &Graph {
        &self.graph
    }
}

impl Solver for SpanningTree {
    const NAME: &'static str = "spanning-tree";
    const SUMMARY: &'static str =
        "the best spanning tree of a graph, or arborescence of a directed graph";
    const MARGINALS: Option<MarginalsFn<Self>> = Some(Self::marginals);
    type Config = Config;
    type Workspace = Workspace;

    fn new(config: Config) -> Result<Self, Error> {
        let graph = Graph::new(config)?;
        Ok(Self { graph })
    }

    fn facts(&self) -> Facts {
        Facts::binary(self.graph.edges.len()).with_ones(self.graph.vertices - 1)
    }

    fn solve(
        &self,
        workspace: &mut Workspace,
        theta: &[f64],
        z: &mut [f64],
        limits: &Limits<'_>,
    ) -> Result<Proof, Error> {
        limits.check()?;
        z.fill(0.0);
        match self.graph.root {
            None => tree::write_best(&self.graph, theta, &mut workspace.order, z),
            Some(root) => {
                imle_api::to_integers(theta, 60, &mut workspace.weights);
                let Workspace {
                    weights,
                    arborescence,
                    ..
                } = workspace;
                arborescence.write_best(&self.graph, root, weights, z);
            }
        }
        Ok(Proof::NONE)
    }
}

impl SpanningTree {
    fn marginals(
        &self,
        workspace: &mut Workspace,
        theta: &[f64],
        mu: &mut [f64],
        limits: &Limits<'_>,
    ) -> Result<f64, Error> {
        marginals::write(&self.graph, &mut workspace.elimination, theta, mu, limits)
    }
}

export_plugin!(SpanningTree);
