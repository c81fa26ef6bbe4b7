//! Unit flow from one node to another: a shortest path.
//!
//! Every row is the balance of a node, every variable an arc that leaves one node and enters another. A
//! network without cycles takes any cost; another one costs that are not negative, as then no
//! cycle can pay. Other objectives go to the general engine. Of paths of equal cost the first that was
//! found stays: nodes are looked at by distance (but for its last digits) and index, then arcs by index.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use imle_ilp_model::Model;

use super::columns;

/// The arcs of a network by the node that they leave.
#[derive(Debug)]
pub(crate) struct Flow {
    source: usize,
    sink: usize,
    /// Where the arcs of each node begin, and where the last one's end.
    begin: Vec<usize>,
    /// `(variable, node that the arc enters)`.
    arcs: Vec<(u32, u32)>,
    /// The nodes in an order that no arc goes against, if there is one.
    order: Option<Vec<usize>>,
}

#[derive(Debug, Default)]
pub(crate) struct Scratch {
    distance: Vec<f64>,
    /// The arc by which a node was reached: the node before and the variable.
    arrival: Vec<(u32, u32)>,
    heap: BinaryHeap<Reverse<u64>>,
}

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
            arcs.push((from, u32::try_from(variable).ok()?, u32::try_from(to).ok()?));
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
        arcs.sort_by_key(|arc| arc.0);
        let begin: Vec<usize> = (0..=supply.len())
            .map(|v| arcs.partition_point(|arc| arc.0 < v))
            .collect();
        let arcs = arcs
            .into_iter()
            .map(|(_, variable, to)| (variable, to))
            .collect();
        let mut flow = Self {
            source,
            sink,
            begin,
            arcs,
            order: None,
        };
        flow.order = flow.topological_order();
        Some(flow)
    }

    fn leaving(&self, node: usize) -> &[(u32, u32)] {
        &self.arcs[self.begin[node]..self.begin[node + 1]]
    }

    fn topological_order(&self) -> Option<Vec<usize>> {
        let nodes = self.begin.len() - 1;
        let mut entering = vec![0usize; nodes];
        self.arcs
            .iter()
            .for_each(|arc| entering[arc.1 as usize] += 1);
        let mut order: Vec<usize> = (0..nodes).filter(|&v| entering[v] == 0).collect();
        let mut next = 0;
        while let Some(&node) = order.get(next) {
            next += 1;
            for &(_, to) in self.leaving(node) {
                entering[to as usize] -= 1;
                if entering[to as usize] == 0 {
                    order.push(to as usize);
                }
            }
        }
        (order.len() == nodes).then_some(order)
    }

    pub(super) fn maximise(&self, s: &mut Scratch, objective: &[f64], z: &mut [f64]) -> bool {
        let nodes = self.begin.len() - 1;
        s.distance.clear();
        s.distance.resize(nodes, f64::INFINITY);
        s.arrival.resize(nodes, (0, 0));
        s.distance[self.source] = 0.0;
        match &self.order {
            Some(order) => self.in_order(order, s, objective),
            // Not `all`, which looks at one after the other.
            None if objective.iter().fold(true, |all, c| all & (*c <= 0.0)) => {
                self.dijkstra(s, objective);
            }
            None => return false,
        }
        if s.distance[self.sink] == f64::INFINITY {
            return false;
        }
        let mut node = self.sink;
        while node != self.source {
            let (before, variable) = s.arrival[node];
            z[variable as usize] = 1.0;
            node = before as usize;
        }
        true
    }

    fn in_order(&self, order: &[usize], s: &mut Scratch, objective: &[f64]) {
        for &node in order {
            let here = s.distance[node];
            if here == f64::INFINITY {
                continue;
            }
            for &(variable, to) in self.leaving(node) {
                let through = here - objective[variable as usize];
                if through < s.distance[to as usize] {
                    s.distance[to as usize] = through;
                    s.arrival[to as usize] = (node as u32, variable);
                }
            }
        }
    }

    /// Dijkstra's algorithm. A key is a distance cut to the digits that leave room for the node: nodes that are
    /// equally far by that come in any order, so one of them may be improved, and looked at, once more.
    fn dijkstra(&self, s: &mut Scratch, objective: &[f64]) {
        let Scratch {
            distance,
            arrival,
            heap,
        } = s;
        let node_bits = u64::MAX >> (distance.len() as u64).leading_zeros();
        // The bits of numbers that are not negative compare as the numbers do.
        let floor = |distance: f64| distance.to_bits() & !node_bits;
        heap.clear();
        heap.push(Reverse(self.source as u64));
        while let Some(Reverse(key)) = heap.pop() {
            let node = (key & node_bits) as usize;
            let here = distance[node];
            if key & !node_bits > distance[self.sink].to_bits() {
                return;
            }
            if key & !node_bits != floor(here) {
                continue;
            }
            for &(variable, to) in self.leaving(node) {
                // A cost of zero as -0.0 would not compare by its bits.
                let through = here - objective[variable as usize] + 0.0;
                if through < distance[to as usize] {
                    distance[to as usize] = through;
                    arrival[to as usize] = (node as u32, variable);
                    heap.push(Reverse(floor(through) | u64::from(to)));
                }
            }
        }
    }
}
