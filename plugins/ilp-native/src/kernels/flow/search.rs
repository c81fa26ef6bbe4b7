//! The distances from the source.
//!
//! With costs that are not negative a sum grows with its terms, rounded or not. So every search that goes
//! on until no arc improves a node ends with the same numbers, bit for bit, whatever the order.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::Flow;

/// The distances, of all nodes that are not farther than the sink, and what the searches need.
#[derive(Debug, Default)]
pub(super) struct Labels {
    pub(super) distance: Vec<f64>,
    /// `(node, next entry of its bucket)`.
    entries: Vec<(u32, u32)>,
    heap: BinaryHeap<Reverse<u64>>,
}

/// One bit each of a word.
const BUCKETS: u64 = 64;
/// The widest arc, in buckets: with rounding it leads to another one than where it began.
const WIDEST: f64 = 62.0;
const END: u32 = u32::MAX;
/// How often a node may be looked at on average before the heap takes over, which looks at each about once.
const PATIENCE: usize = 8;

impl Labels {
    fn begin(&mut self, flow: &Flow) {
        self.distance.clear();
        self.distance.resize(flow.leaving.nodes(), f64::INFINITY);
        self.distance[flow.source] = 0.0;
    }

    /// Any costs, nodes in an order that no arc goes against.
    pub(super) fn in_order(&mut self, flow: &Flow, order: &[usize], objective: &[f64]) {
        self.begin(flow);
        let distance = &mut self.distance;
        for &node in order {
            let here = distance[node];
            if here == f64::INFINITY {
                continue;
            }
            for &(variable, to) in flow.leaving.of(node) {
                let through = here - objective[variable as usize];
                if through < distance[to as usize] {
                    distance[to as usize] = through;
                }
            }
        }
    }

    /// Costs that are not negative.
    pub(super) fn search(&mut self, flow: &Flow, objective: &[f64]) {
        if !self.by_buckets(flow, objective) {
            self.dijkstra(flow, objective);
        }
    }

    /// Looks at nodes by the bucket of their distance, within a bucket in any order, and again when one was
    /// improved. False if that becomes too often.
    fn by_buckets(&mut self, flow: &Flow, objective: &[f64]) -> bool {
        self.begin(flow);
        let Self {
            distance, entries, ..
        } = self;
        let scale = WIDEST / largest_cost(objective);
        let scale = if scale.is_finite() { scale } else { 0.0 };
        let mut first = [END; BUCKETS as usize];
        let mut filled = 1_u64; // bit `b`: bucket `b` has entries
        entries.clear();
        entries.push((flow.source as u32, END));
        first[0] = 0;
        // Buckets are numbered on and on; those of one moment are fewer than there are places.
        let mut bucket = 0_u64;
        let mut looks_left = PATIENCE * distance.len();
        while filled != 0 {
            bucket += u64::from(
                filled
                    .rotate_right((bucket % BUCKETS) as u32)
                    .trailing_zeros(),
            );
            let place = (bucket % BUCKETS) as usize;
            let (node, next) = entries[first[place] as usize];
            first[place] = next;
            filled &= !(u64::from(next == END) << place);
            let here = distance[node as usize];
            if here > distance[flow.sink] || (here * scale) as u64 != bucket {
                continue; // too far, or was improved and looked at in another bucket
            }
            if looks_left == 0 {
                return false;
            }
            looks_left -= 1;
            for &(variable, to) in flow.leaving.of(node as usize) {
                let through = here - objective[variable as usize];
                if through < distance[to as usize] {
                    distance[to as usize] = through;
                    let place = ((through * scale) as u64 % BUCKETS) as usize;
                    let entry = entries.len() as u32;
                    entries.push((to, first[place]));
                    first[place] = entry;
                    filled |= 1 << place;
                }
            }
        }
        true
    }

    /// Dijkstra's algorithm. A key is a distance cut to the digits that leave room for the node: nodes that are
    /// equally far by that come in any order, so one of them may be improved, and looked at, once more.
    fn dijkstra(&mut self, flow: &Flow, objective: &[f64]) {
        self.begin(flow);
        let Self { distance, heap, .. } = self;
        let node_bits = u64::MAX >> (distance.len() as u64).leading_zeros();
        // The bits of numbers that are not negative compare as the numbers do.
        let floor = |distance: f64| distance.to_bits() & !node_bits;
        heap.clear();
        heap.push(Reverse(flow.source as u64));
        while let Some(Reverse(key)) = heap.pop() {
            let node = (key & node_bits) as usize;
            let here = distance[node];
            if key & !node_bits > distance[flow.sink].to_bits() {
                return;
            }
            if key & !node_bits != floor(here) {
                continue;
            }
            for &(variable, to) in flow.leaving.of(node) {
                // A cost of zero as -0.0 would not compare by its bits.
                let through = here - objective[variable as usize] + 0.0;
                if through < distance[to as usize] {
                    distance[to as usize] = through;
                    heap.push(Reverse(floor(through) | u64::from(to)));
                }
            }
        }
    }
}

/// Of costs that are the negative of the objective. In lanes, for vector instructions.
fn largest_cost(objective: &[f64]) -> f64 {
    let mut lanes = [0.0_f64; 8];
    for some in objective.chunks(lanes.len()) {
        for (lane, &c) in lanes.iter_mut().zip(some) {
            *lane = if -c > *lane { -c } else { *lane };
        }
    }
    lanes.into_iter().fold(0.0, f64::max)
}

#[cfg(test)]
mod tests {
    use fastrand::Rng;
    use imle_ilp_model::{Config, Problem};
    use serde_json::json;

    use super::super::Scratch;
    use super::*;

    /// A network of random arcs, which may not lead from its first node to its last.
    fn network(rng: &mut Rng) -> Option<(Flow, usize)> {
        let nodes = rng.usize(2..=9);
        let mut rows = vec![serde_json::Map::new(); nodes];
        let arcs = rng.usize(1..=4 * nodes);
        for arc in 0..arcs {
            let (from, step) = (rng.usize(0..nodes), rng.usize(1..nodes.max(2)));
            rows[from].insert(format!("x{arc}"), json!(1));
            rows[(from + step) % nodes].insert(format!("x{arc}"), json!(-1));
        }
        let row = |(v, terms): (usize, &serde_json::Map<_, _>)| {
            let supply = i32::from(v == 0) - i32::from(v + 1 == nodes);
            json!({"terms": terms, "sense": "=", "rhs": supply})
        };
        let rows: Vec<_> = rows.iter().enumerate().map(row).collect();
        let config = json!({"model": {"binaries": arcs, "rows": rows}});
        let config: Config = serde_json::from_value(config).expect("a configuration");
        let flow = Flow::of(Problem::new(config).ok()?.model())?;
        Some((flow, arcs))
    }

    /// By Bellman and Ford: every arc again and again until none improves a node.
    fn distances(flow: &Flow, objective: &[f64]) -> Vec<f64> {
        let mut distance = vec![f64::INFINITY; flow.leaving.nodes()];
        distance[flow.source] = 0.0;
        loop {
            let mut improved = false;
            for node in 0..distance.len() {
                for &(variable, to) in flow.leaving.of(node) {
                    let through = distance[node] - objective[variable as usize];
                    improved |= through < distance[to as usize];
                    distance[to as usize] = distance[to as usize].min(through);
                }
            }
            if !improved {
                return distance;
            }
        }
    }

    /// Costs with ties, zeros of either sign, and sizes that lie far apart.
    fn cost(rng: &mut Rng) -> f64 {
        match rng.u8(0..8) {
            0 => 0.0,
            1 => -0.0,
            2 => 1e200 * rng.f64(),
            3 => 1e-310 * rng.f64(),
            4 => rng.f64(),
            _ => f64::from(rng.u8(0..4)),
        }
    }

    #[test]
    fn every_search_finds_the_same_distances_and_the_path_is_shortest() {
        let (mut reached, mut unreached, mut tied) = (0, 0, 0);
        for seed in 0..20_000 {
            let rng = &mut Rng::with_seed(seed);
            let Some((flow, arcs)) = network(rng) else {
                continue;
            };
            let small = rng.bool();
            let cost = |rng: &mut Rng| {
                if small {
                    f64::from(rng.u8(0..3))
                } else {
                    cost(rng)
                }
            };
            let objective: Vec<f64> = (0..arcs).map(|_| -cost(rng)).collect();
            let expected = distances(&flow, &objective);
            let sink = expected[flow.sink];
            let (mut buckets, mut heap) = (Labels::default(), Labels::default());
            let in_time = buckets.by_buckets(&flow, &objective);
            heap.dijkstra(&flow, &objective);
            for (node, &exact) in expected.iter().enumerate().filter(|(_, d)| **d <= sink) {
                assert!(!in_time || buckets.distance[node] == exact, "seed {seed}");
                assert_eq!(heap.distance[node], exact, "seed {seed}: node {node}");
            }
            let mut z = vec![0.0; arcs];
            let mut scratch = Scratch::default();
            let found = flow.maximise(&mut scratch, &objective, &mut z);
            assert_eq!(found, sink < f64::INFINITY, "seed {seed}");
            unreached += usize::from(!found);
            if !found {
                continue;
            }
            // The same path from the distances of the heap, and it is as long as its distance says.
            scratch.labels = heap;
            let before = scratch.onward.clone();
            if flow.order.is_none() {
                flow.walk_back(&mut scratch, &objective);
                assert_eq!(scratch.onward, before, "seed {seed}");
            }
            let (mut node, mut length, mut ones) = (flow.source, 0.0, 0);
            while node != flow.sink {
                let taken = |arc: &&(u32, u32)| z[arc.0 as usize] == 1.0;
                let mut taken = flow.leaving.of(node).iter().filter(taken);
                let &(variable, to) = taken.next().expect("a path goes on");
                assert_eq!(taken.next(), None, "seed {seed}: a path has no branches");
                length -= objective[variable as usize];
                (node, ones) = (to as usize, ones + 1);
            }
            assert_eq!(length, sink, "seed {seed}");
            assert_eq!(z.iter().sum::<f64>(), f64::from(ones), "seed {seed}");
            reached += 1;
            tied += usize::from(scratch.queue.len() > ones as usize + 1);
        }
        assert!(
            reached > 5000 && unreached > 500 && tied > 500,
            "{reached}, {unreached}, {tied}"
        );
    }

    #[test]
    fn the_fewest_arcs_win_and_then_the_lower_index() {
        // 0 -> 1 -> 2 -> 3 costs nothing, 0 -> 3 neither, twice; 1 -> 0 closes a cycle.
        let arcs = [(0, 1), (1, 2), (2, 3), (1, 0), (0, 3), (0, 3)];
        let arcs = arcs.iter().enumerate();
        let leaving = arcs.clone().map(|(x, &(a, b))| (a, x as u32, b as u32));
        let entering = arcs.map(|(x, &(a, b))| (b, x as u32, a as u32));
        let flow = Flow {
            source: 0,
            sink: 3,
            leaving: super::super::Arcs::new(4, leaving.collect()),
            entering: super::super::Arcs::new(4, entering.collect()),
            order: None,
        };
        let mut z = [0.0; 6];
        assert!(flow.maximise(&mut Scratch::default(), &[0.0; 6], &mut z));
        assert_eq!(z, [0.0, 0.0, 0.0, 0.0, 1.0, 0.0]);
    }
}
