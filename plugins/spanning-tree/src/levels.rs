//! Undirected trees whose theta is far apart.
//!
//! Where the values of theta fall into levels with wide gaps between them, a tree that has fewer edges of the upper
//! levels than it could has no probability that a number can hold. What is left is a product: a spanning forest of the
//! first level, then one of the second over what the first has joined, and so on, as Kruskal's algorithm goes.
//! Within a level no step is wide, and its logarithms lose no digits beside those of another.

use std::collections::BTreeMap;

use imle_api::{Error, Limits};
use petgraph::unionfind::UnionFind;

use crate::Graph;
use crate::marginals::Elimination;

/// Beyond this, `exp` of the difference is zero.
const VANISHES: f64 = 800.0;

/// A connected part of a level.
struct Part {
    graph: Graph,
    /// Where its edges are in the whole graph.
    edges: Vec<usize>,
}

/// Writes the marginals of the edges; returns the log-partition.
pub(crate) fn write(
    graph: &Graph,
    elimination: &mut Elimination,
    theta: &[f64],
    mu: &mut [f64],
    limits: &Limits<'_>,
) -> Result<f64, Error> {
    // All trees together, of which there are fewer than so many choices of an edge for each vertex.
    let gap = VANISHES + graph.vertices as f64 * (theta.len() as f64).ln();
    let mut order: Vec<usize> = (0..theta.len()).collect();
    order.sort_unstable_by(|&a, &b| theta[b].total_cmp(&theta[a]));
    let levels: Vec<&[usize]> = order
        .chunk_by(|&a, &b| theta[a] - theta[b] <= gap)
        .collect();
    if levels.len() == 1 {
        return elimination.write(graph, theta, mu, limits);
    }
    mu.fill(0.0);
    let mut log_partition = 0.0;
    let mut joined = UnionFind::new(graph.vertices);
    for level in levels {
        limits.check()?;
        for part in parts(graph, &mut joined, level) {
            let theta: Vec<f64> = part.edges.iter().map(|&edge| theta[edge]).collect();
            let mut of_part = vec![0.0; theta.len()];
            log_partition += elimination.write(&part.graph, &theta, &mut of_part, limits)?;
            for (&edge, of_edge) in part.edges.iter().zip(of_part) {
                mu[edge] = of_edge;
            }
        }
    }
    Ok(log_partition)
}

/// Joins what the edges of a level join, and returns the graphs that they form over what was joined before.
fn parts(graph: &Graph, joined: &mut UnionFind<usize>, level: &[usize]) -> Vec<Part> {
    let before = joined.clone();
    for &edge in level {
        let [a, b] = graph.edges[edge];
        joined.union(a, b);
    }
    let mut parts: BTreeMap<usize, (BTreeMap<usize, usize>, Part)> = BTreeMap::new();
    for &edge in level {
        let ends = graph.edges[edge].map(|vertex| before.find(vertex));
        if ends[0] == ends[1] {
            continue;
        }
        let (places, part) = parts.entry(joined.find(ends[0])).or_insert_with(|| {
            let (vertices, edges, root) = (0, Vec::new(), None);
            let graph = Graph {
                vertices,
                edges,
                root,
            };
            (
                BTreeMap::new(),
                Part {
                    graph,
                    edges: Vec::new(),
                },
            )
        });
        let ends = ends.map(|end| {
            let next = places.len();
            *places.entry(end).or_insert(next)
        });
        part.graph.vertices = places.len();
        part.graph.edges.push(ends);
        part.edges.push(edge);
    }
    parts.into_values().map(|(_, part)| part).collect()
}
