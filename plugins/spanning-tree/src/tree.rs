//! Kruskal's algorithm: the best edges first, unless they close a cycle.

use petgraph::unionfind::UnionFind;

use crate::Graph;

/// Sets the edges of the best spanning tree; `z` is zero on entry.
pub(crate) fn write_best(graph: &Graph, theta: &[f64], order: &mut Vec<u32>, z: &mut [f64]) {
    order.clear();
    order.extend(0..graph.edges.len() as u32);
    order.sort_unstable_by(|&a, &b| {
        let by_value = theta[b as usize].partial_cmp(&theta[a as usize]);
        by_value.expect("theta is finite").then(a.cmp(&b))
    });
    let mut parts = UnionFind::<usize>::new(graph.vertices);
    let mut missing = graph.vertices - 1;
    for &edge in order.iter() {
        if missing == 0 {
            break;
        }
        let [a, b] = graph.edges[edge as usize];
        if parts.union(a, b) {
            z[edge as usize] = 1.0;
            missing -= 1;
        }
    }
}
