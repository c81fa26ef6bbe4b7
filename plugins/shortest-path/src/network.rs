//! The part of a graph that matters, laid out for the solve loop.
//!
//! A simple path never enters its source and never leaves its target, so such arcs are left out, and
//! with them loops and every vertex that is then on no way from source to target. What remains holds
//! every feasible path. If it has no cycle, every walk in it *is* a feasible path and signs do not
//! matter; that is why the test for cycles comes after the pruning.

use imle_api::{Error, ErrorKind};
use petgraph::Direction;
use petgraph::algo::toposort;
use petgraph::graph::{DiGraph, NodeIndex};
use petgraph::visit::{
    Bfs, Dfs, EdgeRef, GraphRef, IntoEdgesDirected, IntoNeighbors, NodeFiltered, NodeIndexable,
    Reversed, VisitMap, Visitable,
};

use crate::config::{Costs, Problem};

/// A step to or from the place `end`, and the coordinate of theta that prices it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Arc {
    pub(crate) end: u32,
    pub(crate) coordinate: u32,
}

/// Arcs grouped by the place that they belong to.
#[derive(Debug)]
struct Arcs {
    starts: Vec<u32>,
    arcs: Vec<Arc>,
}

impl Arcs {
    fn of(&self, place: usize) -> &[Arc] {
        &self.arcs[self.starts[place] as usize..self.starts[place + 1] as usize]
    }

    /// `sorted` is in the order of its places, which are below `places`.
    fn new(places: usize, sorted: &[(u32, Arc)]) -> Self {
        let start = |place| sorted.partition_point(|&(of, _)| (of as usize) < place) as u32;
        Self {
            starts: (0..=places).map(start).collect(),
            arcs: sorted.iter().map(|&(_, arc)| arc).collect(),
        }
    }
}

/// The useful vertices in an order that suits the search, which calls them *places*.
///
/// Place 0 is the target. Without cycles every arc leads to a lower place; with cycles places are in
/// the order of a breadth-first search from the target.
#[derive(Debug)]
pub(crate) struct Network {
    source: usize,
    acyclic: bool,
    vertices: Vec<u32>,
    out: Arcs,
    into: Arcs,
    /// The coordinate of the target under vertex costs. Arcs are priced by the vertex that they leave.
    last: Option<usize>,
}

impl Network {
    pub(crate) fn new(problem: &Problem, costs: Costs) -> Result<Self, Error> {
        let graph = directed(problem);
        let (source, target) = (node(problem.source), node(problem.target));
        let ahead = reachable(&graph, source);
        let behind = reachable(Reversed(&graph), target);
        if !ahead.is_visited(&target) {
            return Err(infeasible(problem));
        }
        let useful = NodeFiltered::from_fn(&graph, |vertex| {
            ahead.is_visited(&vertex) && behind.is_visited(&vertex)
        });
        let from_source = toposort(&useful, None);
        let acyclic = from_source.is_ok();
        let order = match from_source {
            Ok(order) => order.into_iter().rev().collect(),
            Err(_) => breadth_first(Reversed(&useful), target),
        };
        let out = arcs_out(&useful, &order, costs);
        let mut into: Vec<(u32, Arc)> =
            out.iter().map(|&(tail, arc)| reversed(tail, arc)).collect();
        into.sort_unstable();
        Ok(Self {
            source: order
                .iter()
                .position(|&vertex| vertex == source)
                .expect("the source is useful"),
            acyclic,
            vertices: order.iter().map(|vertex| vertex.index() as u32).collect(),
            out: Arcs::new(order.len(), &out),
            into: Arcs::new(order.len(), &into),
            last: (costs == Costs::Vertices).then_some(problem.target),
        })
    }

    pub(crate) fn is_acyclic(&self) -> bool {
        self.acyclic
    }

    /// The number of places.
    pub(crate) fn len(&self) -> usize {
        self.vertices.len()
    }

    /// The place of the source; the target's is 0.
    pub(crate) fn source(&self) -> usize {
        self.source
    }

    pub(crate) fn last(&self) -> Option<usize> {
        self.last
    }

    pub(crate) fn vertex(&self, place: usize) -> u32 {
        self.vertices[place]
    }

    /// The arcs that leave `place`, in the order of the tie rule; `end` is where they lead.
    pub(crate) fn out(&self, place: usize) -> &[Arc] {
        self.out.of(place)
    }

    /// The arcs that enter `place`; `end` is where they come from.
    pub(crate) fn into(&self, place: usize) -> &[Arc] {
        self.into.of(place)
    }

    /// The number of arcs.
    pub(crate) fn arcs(&self) -> usize {
        self.into.arcs.len()
    }

    /// The number of ones of every state, if it is known to be the same for all.
    pub(crate) fn ones(&self) -> Option<usize> {
        if !self.acyclic {
            return None;
        }
        let mut lengths = vec![(0, 0)]; // of the shortest and the longest way on to the target
        for place in 1..self.len() {
            let ways = || self.out(place).iter().map(|arc| lengths[arc.end as usize]);
            let shortest = ways().map(|(shortest, _)| shortest).min();
            let longest = ways().map(|(_, longest)| longest).max();
            let (shortest, longest) = shortest.zip(longest).expect("every place leads on");
            lengths.push((shortest + 1, longest + 1));
        }
        let (shortest, longest) = lengths[self.source];
        (shortest == longest).then_some(shortest + usize::from(self.last.is_some()))
    }
}

fn node(vertex: usize) -> NodeIndex {
    NodeIndex::new(vertex)
}

/// The graph as arcs that carry the index of their edge, without those that are on no simple path.
fn directed(problem: &Problem) -> DiGraph<(), u32> {
    let mut graph = DiGraph::with_capacity(problem.vertices, problem.edges.len());
    for _ in 0..problem.vertices {
        graph.add_node(());
    }
    let mut add = |from: usize, to: usize, edge: usize| {
        if from != to && from != problem.target && to != problem.source {
            graph.add_edge(node(from), node(to), edge as u32);
        }
    };
    for (edge, &[a, b]) in problem.edges.iter().enumerate() {
        add(a, b, edge);
        if !problem.directed {
            add(b, a, edge);
        }
    }
    graph
}

fn reachable<G>(graph: G, from: NodeIndex) -> impl VisitMap<NodeIndex>
where
    G: GraphRef + IntoNeighbors + Visitable<NodeId = NodeIndex>,
{
    let mut search = Dfs::new(graph, from);
    while search.next(graph).is_some() {}
    search.discovered
}

fn breadth_first<G>(graph: G, from: NodeIndex) -> Vec<NodeIndex>
where
    G: GraphRef + IntoNeighbors + Visitable<NodeId = NodeIndex>,
{
    let mut search = Bfs::new(graph, from);
    std::iter::from_fn(|| search.next(graph)).collect()
}

/// Every arc with the place that it leaves: by place, then in the order of the tie rule.
fn arcs_out<G>(graph: G, order: &[NodeIndex], costs: Costs) -> Vec<(u32, Arc)>
where
    G: IntoEdgesDirected<NodeId = NodeIndex, EdgeWeight = u32> + NodeIndexable,
{
    let mut places = vec![0; graph.node_bound()];
    for (place, vertex) in order.iter().enumerate() {
        places[vertex.index()] = place as u32;
    }
    let mut arcs = Vec::new();
    let mut steps = Vec::new();
    for (place, &vertex) in order.iter().enumerate() {
        steps.extend(
            graph
                .edges_directed(vertex, Direction::Outgoing)
                .map(|edge| {
                    let (index, head) = (*edge.weight(), edge.target().index());
                    match costs {
                        Costs::Edges => (index, index, head),
                        Costs::Vertices => (head as u32, vertex.index() as u32, head),
                    }
                }),
        );
        // By rank. Parallel edges are one and the same step if theta prices vertices.
        steps.sort_unstable();
        steps.dedup();
        arcs.extend(steps.drain(..).map(|(_, coordinate, head)| {
            let end = places[head];
            (place as u32, Arc { end, coordinate })
        }));
    }
    arcs
}

fn reversed(tail: u32, Arc { end, coordinate }: Arc) -> (u32, Arc) {
    let arc = Arc {
        end: tail,
        coordinate,
    };
    (end, arc)
}

fn infeasible(problem: &Problem) -> Error {
    let message = format!(
        "no path leads from source = {} to target = {}",
        problem.source, problem.target
    );
    Error::new(ErrorKind::Infeasible, message)
}
