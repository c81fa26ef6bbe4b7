//! What a configuration says, checked: from here on every index is in range and there is a tree.

use imle_api::{Error, ErrorKind};
use petgraph::graph::{DiGraph, NodeIndex};
use petgraph::unionfind::UnionFind;
use petgraph::visit::Dfs;
use schemars::JsonSchema;
use serde::Deserialize;

/// Beyond this it is a typing mistake rather than a problem.
const MOST_VERTICES: usize = 1 << 24;
const MOST_EDGES: usize = 1 << 27;

/// Which trees are feasible.
///
/// ```
/// use imle_api::{Linked, solve_one};
/// use imle_spanning_tree::SpanningTree;
///
/// let oracle = Linked::<SpanningTree>::open(r#"{"vertices": 3}"#)?;
/// // The edges are 01, 02 and 12.
/// let (z, _) = solve_one(&oracle, &[-1.0, 2.0, 0.5])?;
/// assert_eq!(z, [0.0, 1.0, 1.0]);
/// # Ok::<(), imle_api::Error>(())
/// ```
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("examples" = [{"vertices": 4}]))]
pub struct Config {
    /// The number of vertices; they are numbered from 0.
    pub vertices: usize,
    /// The two ends of every edge, in the order of the coordinates. If absent, the graph is complete:
    /// 01, 02, ..., 12, ...; with a `root` also 10, that is, every ordered pair, row by row.
    pub edges: Option<Vec<[usize; 2]>>,
    /// If given, edges are directed and states are the arborescences that lead from here to everywhere.
    pub root: Option<usize>,
}

/// A graph that has a spanning tree.
#[derive(Debug)]
pub struct Graph {
    /// The number of vertices.
    pub vertices: usize,
    /// The ends of every edge, in the order of the coordinates of theta.
    pub edges: Vec<[usize; 2]>,
    /// The root if edges are directed and trees are arborescences.
    pub root: Option<usize>,
}

impl Graph {
    pub(crate) fn new(config: Config) -> Result<Self, Error> {
        let (vertices, root) = (config.vertices, config.root);
        if !(1..=MOST_VERTICES).contains(&vertices) {
            return invalid(format!(
                "vertices = {vertices} is not between 1 and {MOST_VERTICES}"
            ));
        }
        if let Some(root) = root.filter(|&root| root >= vertices) {
            return invalid(format!(
                "root = {root} is no vertex: they are numbered from 0 to {}",
                vertices - 1
            ));
        }
        let edges = match config.edges {
            Some(edges) => edges,
            None => complete(vertices, root.is_some())?,
        };
        check_edges(vertices, &edges)?;
        let graph = Self {
            vertices,
            edges,
            root,
        };
        graph.check_connected()?;
        Ok(graph)
    }

    fn check_connected(&self) -> Result<(), Error> {
        let infeasible = |message| Err(Error::new(ErrorKind::Infeasible, message));
        let unreached = match self.root {
            Some(root) => self.unreached_from(root),
            None => {
                let mut parts = UnionFind::<usize>::new(self.vertices);
                for &[a, b] in &self.edges {
                    parts.union(a, b);
                }
                (1..self.vertices).find(|&vertex| !parts.equiv(0, vertex))
            }
        };
        match (unreached, self.root) {
            (None, _) => Ok(()),
            (Some(vertex), Some(root)) => infeasible(format!(
                "no arborescence: vertex {vertex} cannot be reached from root = {root}"
            )),
            (Some(vertex), None) => infeasible(format!(
                "no spanning tree: no edges connect vertex {vertex} with vertex 0"
            )),
        }
    }

    fn unreached_from(&self, root: usize) -> Option<usize> {
        let mut graph = DiGraph::<(), ()>::with_capacity(self.vertices, self.edges.len());
        for _ in 0..self.vertices {
            graph.add_node(());
        }
        for &[from, to] in &self.edges {
            graph.add_edge(NodeIndex::new(from), NodeIndex::new(to), ());
        }
        let mut search = Dfs::new(&graph, NodeIndex::new(root));
        while search.next(&graph).is_some() {}
        (0..self.vertices).find(|&vertex| !search.discovered.contains(vertex))
    }
}

fn complete(vertices: usize, directed: bool) -> Result<Vec<[usize; 2]>, Error> {
    let pairs = vertices * (vertices - 1) / if directed { 1 } else { 2 };
    if pairs > MOST_EDGES {
        return invalid(format!(
            "the complete graph of vertices = {vertices} has {pairs} edges; the most are {MOST_EDGES}"
        ));
    }
    let first = |from: usize| if directed { 0 } else { from };
    let from = |from: usize| (first(from)..vertices).map(move |to| [from, to]);
    let pairs = (0..vertices).flat_map(from);
    Ok(pairs.filter(|[from, to]| from != to).collect())
}

fn check_edges(vertices: usize, edges: &[[usize; 2]]) -> Result<(), Error> {
    let count = edges.len();
    if !(1..=MOST_EDGES).contains(&count) {
        return invalid(format!(
            "there are {count} edges; it must be 1 to {MOST_EDGES}, as theta has a value for each"
        ));
    }
    let outside = |ends: &[usize; 2]| ends.iter().any(|&end| end >= vertices);
    match edges.iter().position(outside) {
        None => Ok(()),
        Some(at) => invalid(format!(
            "edge {at} is {:?}, but vertices are numbered from 0 to {}",
            edges[at],
            vertices - 1
        )),
    }
}

fn invalid<T>(message: String) -> Result<T, Error> {
    Err(Error::new(ErrorKind::InvalidConfig, message))
}
