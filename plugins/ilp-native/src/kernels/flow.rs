//! Unit flow from one node to another: a shortest path.
//!
//! Every row is the balance of a node, every variable an arc that leaves one node and enters another. A
//! network without cycles takes any cost; another one costs that are not negative, as then no
//! cycle can pay. Other objectives go to the general engine.
//!
//! A search finds the distances of the nodes from the source, and only then the path is chosen, so that it depends on
//! theta alone and not on the search. Of paths of equal cost it is one with the fewest arcs: the one to which
//! a breadth-first walk back from the sink comes first, over arcs by the index of their variables.

mod search;

use imle_ilp_model::Model;

use super::columns;
use search::Labels;

/// The arcs of a network by the node that they leave, and by the node that they enter.
#[derive(Debug)]
pub(crate) struct Flow {
    source: usize,
    sink: usize,
    leaving: Arcs,
    entering: Arcs,
    /// The nodes in an order that no arc goes against, if there is one.
    order: Option<Vec<usize>>,
}

/// Arcs by one of their ends.
#[derive(Debug)]
struct Arcs {
    /// Where the arcs of each node begin, and where the last one's end.
    begin: Vec<u32>,
    /// `(variable, node at the other end)`, by variable.
    arcs: Vec<(u32, u32)>,
}

impl Arcs {
    /// From `(this end, variable, other end)`, by variable.
    fn new(nodes: usize, mut arcs: Vec<(usize, u32, u32)>) -> Self {
        arcs.sort_by_key(|arc| arc.0);
        let begin = |v| arcs.partition_point(|arc| arc.0 < v) as u32;
        Self {
            begin: (0..=nodes).map(begin).collect(),
            arcs: arcs.into_iter().map(|arc| (arc.1, arc.2)).collect(),
        }
    }

    fn nodes(&self) -> usize {
        self.begin.len() - 1
    }

    fn of(&self, node: usize) -> &[(u32, u32)] {
        &self.arcs[self.begin[node] as usize..self.begin[node + 1] as usize]
    }
}

#[derive(Debug, Default)]
pub(crate) struct Scratch {
    labels: Labels,
    /// The arc by which the walk back left a node: the node where it came from and the variable.
    onward: Vec<(u32, u32)>,
    queue: Vec<u32>,
}

/// Where the walk back has not been.
const NOWHERE: (u32, u32) = (u32::MAX, u32::MAX);

impl Flow {
    pub(super) fn of(model: &Model) -> Option<Self> {
        let rows = model.rows();
        if rows.iter().any(|row| row.lower != row.upper) {
            return None;
        }
        if model
            .variables()
            .iter()
            .any(|v| v.lower != 0.0 || v.upper < 1.0)
        {
            return None;
        }
        // A model may leave out one balance, which follows from the others: that node is the last.
        let left_out = rows.len();
        let mut arcs = Vec::new();
        for (variable, ends) in columns(model).iter().enumerate() {
            let (from, to) = match ends[..] {
                [(a, 1.0), (b, -1.0)] | [(b, -1.0), (a, 1.0)] => (a, b),
                [(a, 1.0)] => (a, left_out),
                [(b, -1.0)] => (left_out, b),
                _ => return None,
            };
            arcs.push((from, u32::try_from(variable).ok()?, to));
        }
        let mut supply: Vec<f64> = rows.iter().map(|row| row.lower).collect();
        supply.push(-supply.iter().sum::<f64>());
        let only = |amount: f64| {
            let mut nodes = (0..supply.len()).filter(|&v| supply[v] == amount);
            nodes.next().filter(|_| nodes.next().is_none())
        };
        let (source, sink) = (only(1.0)?, only(-1.0)?);
        if supply.iter().filter(|b| **b != 0.0).count() != 2 {
            return None;
        }
        let nodes = supply.len();
        u32::try_from(nodes).ok()?;
        let leaving = arcs.iter().map(|&(from, x, to)| (from, x, to as u32));
        let entering = arcs.iter().map(|&(from, x, to)| (to, x, from as u32));
        let leaving = Arcs::new(nodes, leaving.collect());
        Some(Self {
            source,
            sink,
            order: topological_order(&leaving),
            entering: Arcs::new(nodes, entering.collect()),
            leaving,
        })
    }

    pub(super) fn maximise(&self, s: &mut Scratch, objective: &[f64], z: &mut [f64]) -> bool {
        // Not `all`, which looks at one after the other.
        let no_cycle_pays = || objective.iter().fold(true, |all, c| all & (*c <= 0.0));
        match &self.order {
            Some(order) => s.labels.in_order(self, order, objective),
            None if no_cycle_pays() => s.labels.search(self, objective),
            None => return false,
        }
        if s.labels.distance[self.sink] == f64::INFINITY {
            return false;
        }
        self.walk_back(s, objective);
        let mut node = self.source;
        while node != self.sink {
            let (to, variable) = s.onward[node];
            z[variable as usize] = 1.0;
            node = to as usize;
        }
        true
    }

    /// Goes from the sink to the source, breadth first, over the arcs that a shortest path may take.
    fn walk_back(&self, s: &mut Scratch, objective: &[f64]) {
        let distance = &s.labels.distance;
        s.onward.clear();
        s.onward.resize(distance.len(), NOWHERE);
        s.onward[self.sink] = (self.sink as u32, u32::MAX);
        s.queue.clear();
        s.queue.push(self.sink as u32);
        let mut next = 0;
        while s.onward[self.source] == NOWHERE {
            let to = s.queue[next];
            next += 1;
            let there = distance[to as usize];
            for &(variable, from) in self.entering.of(to as usize) {
                let through = distance[from as usize] - objective[variable as usize];
                if through == there && s.onward[from as usize] == NOWHERE {
                    s.onward[from as usize] = (to, variable);
                    s.queue.push(from);
                }
            }
        }
    }
}

fn topological_order(leaving: &Arcs) -> Option<Vec<usize>> {
    let nodes = leaving.nodes();
    let mut entering = vec![0usize; nodes];
    for &(_, to) in &leaving.arcs {
        entering[to as usize] += 1;
    }
    let mut order: Vec<usize> = (0..nodes).filter(|&v| entering[v] == 0).collect();
    let mut next = 0;
    while let Some(&node) = order.get(next) {
        next += 1;
        for &(_, to) in leaving.of(node) {
            entering[to as usize] -= 1;
            if entering[to as usize] == 0 {
                order.push(to as usize);
            }
        }
    }
    (order.len() == nodes).then_some(order)
}
