//! The solve loop: distances to the target, then the path.
//!
//! Four algorithms find the same distances: one sweep if there is no cycle, buckets if no cost is negative
//! (Dijkstra's where costs are too unlike for them), Bellman-Ford's otherwise. They work back from the target, so that the path can be read
//! forward from the source, where the tie rule begins.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use imle_api::{Error, ErrorKind, Limits};

use crate::buckets::Buckets;
use crate::marginals::Sums;
use crate::network::{Arc, Network};

/// Costs above this are scaled down, so that the cost of a path stays finite.
const HUGE: f64 = f64::from_bits((1023 + 900) << 52); // 2^900
/// A power of two: nothing is rounded, except that costs below 2^-922 beside huge ones count as ties.
const SHRINK: f64 = f64::from_bits((1023 - 100) << 52); // 2^-100

/// Dijkstra's algorithm looks at the limits once in this many places.
const PATIENCE: usize = 4096;

const NOWHERE: Arc = Arc {
    end: u32::MAX,
    coordinate: u32::MAX,
};

/// Buffers that survive from row to row.
#[derive(Debug, Default)]
pub struct Workspace {
    /// The cost of every coordinate.
    pub(crate) costs: Vec<f64>,
    /// Of every place, the cost of the best way to the target that is known.
    pub(crate) distance: Vec<f64>,
    /// The next arc of that way; later, the arc by which the path came.
    links: Vec<Arc>,
    /// Places in the order in which they were reached; in Bellman-Ford's algorithm, marks.
    queue: Vec<u32>,
    buckets: Buckets,
    heap: BinaryHeap<Reverse<(u64, u32)>>,
    pub(crate) sums: Sums,
}

impl Workspace {
    /// Reads the costs of a row; only the target is near itself. Returns what the costs are scaled by.
    pub(crate) fn start(&mut self, theta: &[f64], places: usize) -> f64 {
        let huge = theta
            .iter()
            .fold(false, |huge, theta| huge | (theta.abs() > HUGE));
        let scale = if huge { SHRINK } else { 1.0 };
        self.costs.clear();
        self.costs.extend(theta.iter().map(|theta| -theta * scale));
        self.distance.clear();
        self.distance.resize(places, f64::INFINITY);
        self.distance[0] = 0.0;
        scale
    }

    /// Makes negative costs zero.
    pub(crate) fn clamp(&mut self) {
        self.costs.iter_mut().for_each(|cost| *cost = cost.max(0.0));
    }

    /// Finds all distances where there is no cycle: every arc leads to a lower place.
    pub(crate) fn in_order(&mut self, network: &Network) {
        for place in 1..network.len() {
            let ways = network
                .out(place)
                .iter()
                .map(|arc| self.costs[arc.coordinate as usize] + self.distance[arc.end as usize]);
            // Without a branch, which nobody could predict. No way is NaN.
            let nearer = |best: f64, way| if way < best { way } else { best };
            self.distance[place] = ways.fold(f64::INFINITY, nearer);
        }
    }

    /// Improves every distance by one arc, from lower places to higher; says whether any improved.
    fn sweep(&mut self, network: &Network) -> bool {
        let mut improved = false;
        for place in 1..network.len() {
            let mut best = self.distance[place];
            for &arc in network.out(place) {
                let way = self.costs[arc.coordinate as usize] + self.distance[arc.end as usize];
                if way < best {
                    best = way;
                    self.links[place] = arc;
                    improved = true;
                }
            }
            self.distance[place] = best;
        }
        improved
    }

    /// Forgets all links.
    fn unlink(&mut self) {
        self.links.clear();
        self.links.resize(self.distance.len(), NOWHERE);
    }

    /// Finds the distances of all places no farther than the source. No cost is negative.
    pub(crate) fn search(&mut self, network: &Network, limits: &Limits<'_>) -> Result<(), Error> {
        let (costs, distance) = (&self.costs, &mut self.distance);
        if self.buckets.search(network, costs, distance, limits)? {
            return Ok(());
        }
        self.dijkstra(network, limits)
    }

    /// As [`search`](Self::search), whatever the costs are.
    pub(crate) fn dijkstra(&mut self, network: &Network, limits: &Limits<'_>) -> Result<(), Error> {
        self.distance.fill(f64::INFINITY);
        self.distance[0] = 0.0;
        self.heap.clear();
        self.heap.push(Reverse((0, 0)));
        let mut settled = 0_usize;
        // Floats from zero up are ordered like their bits, and no sum that begins with 0.0 is -0.0.
        while let Some(Reverse((bits, place))) = self.heap.pop() {
            let near = f64::from_bits(bits);
            // Places as far as the source may still be on a path of equal cost: settle them, too.
            if near > self.distance[network.source()] {
                break;
            }
            if near > self.distance[place as usize] {
                continue; // a nearer entry of this place was settled before
            }
            if settled.is_multiple_of(PATIENCE) {
                limits.check()?;
            }
            settled += 1;
            for arc in network.into(place as usize) {
                let way = self.costs[arc.coordinate as usize] + near;
                if way < self.distance[arc.end as usize] {
                    self.distance[arc.end as usize] = way;
                    self.heap.push(Reverse((way.to_bits(), arc.end)));
                }
            }
        }
        Ok(())
    }

    /// Finds all distances, or a cycle of negative cost.
    pub(crate) fn bellman_ford(
        &mut self,
        network: &Network,
        limits: &Limits<'_>,
    ) -> Result<(), Error> {
        self.unlink();
        // A path has fewer arcs than there are places, so the last sweep improves nothing.
        for _ in 0..network.len() {
            limits.check()?;
            if !self.sweep(network) {
                return Ok(());
            }
            // Links close a cycle only if its cost is negative, and soon: no need to sweep to the end.
            if let Some(place) = self.cycle() {
                return Err(negative_cycle(network.vertex(place)));
            }
        }
        Err(negative_cycle(network.vertex(network.source())))
    }

    /// A place on a cycle of links.
    fn cycle(&mut self) -> Option<usize> {
        let marks = &mut self.queue;
        marks.clear();
        marks.resize(self.links.len(), u32::MAX);
        for first in 0..self.links.len() {
            let mut place = first;
            while marks[place] == u32::MAX {
                marks[place] = first as u32;
                match self.links[place] {
                    NOWHERE => break,
                    arc => place = arc.end as usize,
                }
            }
            if marks[place] == first as u32 && self.links[place] != NOWHERE {
                return Some(place);
            }
        }
        None
    }

    /// Writes the path of the tie rule.
    ///
    /// A breadth-first search over the arcs that lose nothing: it reaches the target by the fewest of
    /// them and, as it takes arcs in the order of the tie rule, by the first such path. Usually there is
    /// one path only, and the search sees nothing else.
    pub(crate) fn write_path(&mut self, network: &Network, z: &mut [f64]) {
        let source = network.source();
        self.unlink();
        self.queue.clear();
        self.queue.push(source as u32);
        let mut reached = 0;
        while self.links[0] == NOWHERE {
            let place = self.queue[reached] as usize;
            reached += 1;
            for &Arc { end, coordinate } in network.out(place) {
                let way = self.costs[coordinate as usize] + self.distance[end as usize];
                if way == self.distance[place] && self.links[end as usize] == NOWHERE {
                    let came_from = place as u32;
                    self.links[end as usize] = Arc {
                        end: came_from,
                        coordinate,
                    };
                    self.queue.push(end);
                }
            }
        }
        z.fill(0.0);
        let mut place = 0;
        while place != source {
            let arc = self.links[place];
            z[arc.coordinate as usize] = 1.0;
            place = arc.end as usize;
        }
        if let Some(last) = network.last() {
            z[last] = 1.0;
        }
    }
}

fn negative_cycle(vertex: u32) -> Error {
    let message = format!(
        "a cycle of negative cost passes vertex {vertex}; the best simple path is then NP-hard to find"
    );
    Error::new(ErrorKind::InvalidTheta, message)
}
