//! Distances by a circle of buckets, for costs that are not negative.
//!
//! With such costs a sum grows with its terms, rounded or not. So every search that goes on until no arc
//! improves a place ends with the same numbers, bit for bit, whatever the order: places of one bucket may
//! come in any, and a place that is improved is looked at again.

use imle_api::{Error, Limits};

use crate::network::Network;

/// One bit each of a word.
const BUCKETS: u64 = 64;
/// The dearest arc, in buckets: with rounding it leads to another one than where it began.
const WIDEST: f64 = 62.0;
/// How often a place, and an arc, may be looked at on average before a heap takes over, which looks at each about
/// once.
const LOOKS: usize = 8;
/// The limits are looked at once in this many places.
const PATIENCE: usize = 4096;

const END: u32 = u32::MAX;

/// The circle of buckets; survives from row to row.
#[derive(Debug, Default)]
pub(crate) struct Buckets {
    /// `(place, next entry of its bucket)`.
    entries: Vec<(u32, u32)>,
}

impl Buckets {
    /// Finds the distances of all places no farther than the source, starting from those that are known;
    /// false if that takes too long.
    pub(crate) fn search(
        &mut self,
        network: &Network,
        costs: &[f64],
        distance: &mut [f64],
        limits: &Limits<'_>,
    ) -> Result<bool, Error> {
        let scale = WIDEST / largest(costs);
        let scale = if scale.is_finite() { scale } else { 0.0 };
        let entries = &mut self.entries;
        entries.clear();
        entries.push((0, END));
        let mut first = [END; BUCKETS as usize];
        first[0] = 0;
        let mut filled = 1_u64; // bit `b`: bucket `b` has entries
        // Buckets are numbered on and on; those in use at one moment are fewer than there are places for them.
        let mut bucket = 0_u64;
        let (mut looks, mut arcs) = (0, 0);
        while filled != 0 {
            let turned = filled.rotate_right((bucket % BUCKETS) as u32);
            bucket += u64::from(turned.trailing_zeros());
            let slot = (bucket % BUCKETS) as usize;
            let (place, next) = entries[first[slot] as usize];
            first[slot] = next;
            filled &= !(u64::from(next == END) << slot);
            let near = distance[place as usize];
            // Places as far as the source may still be on a path of equal cost.
            if near > distance[network.source()] || (near * scale) as u64 != bucket {
                continue; // too far, or was improved and looked at in another bucket
            }
            if looks == LOOKS * distance.len() || arcs > LOOKS * network.arcs() {
                return Ok(false);
            }
            if looks.is_multiple_of(PATIENCE) {
                limits.check()?;
            }
            let into = network.into(place as usize);
            looks += 1;
            arcs += into.len();
            for arc in into {
                let way = costs[arc.coordinate as usize] + near;
                if way < distance[arc.end as usize] {
                    distance[arc.end as usize] = way;
                    let slot = ((way * scale) as u64 % BUCKETS) as usize;
                    let entry = entries.len() as u32;
                    entries.push((arc.end, first[slot]));
                    first[slot] = entry;
                    filled |= 1 << slot;
                }
            }
        }
        Ok(true)
    }
}

/// The largest of costs that are not negative. In lanes, for vector instructions.
fn largest(costs: &[f64]) -> f64 {
    let mut lanes = [0.0_f64; 8];
    for some in costs.chunks(lanes.len()) {
        for (lane, &cost) in lanes.iter_mut().zip(some) {
            *lane = if cost > *lane { cost } else { *lane };
        }
    }
    lanes.into_iter().fold(0.0, f64::max)
}

#[cfg(test)]
mod tests {
    use fastrand::Rng;
    use serde_json::json;

    use super::*;
    use crate::config::{Costs, Problem};
    use crate::search::Workspace;

    fn network(rng: &mut Rng, costs: Costs) -> Network {
        let side = rng.usize(2..=12);
        let moves = if rng.bool() { "four" } else { "eight" };
        let grid = json!({"height": side, "width": side + 1, "moves": moves});
        let config = serde_json::from_value(json!({"grid": grid, "costs": costs_name(costs)}));
        let problem = Problem::new(config.expect("a configuration")).expect("a problem");
        Network::new(&problem, costs).expect("a path")
    }

    fn costs_name(costs: Costs) -> &'static str {
        match costs {
            Costs::Edges => "edges",
            Costs::Vertices => "vertices",
        }
    }

    #[test]
    fn distances_are_those_of_a_heap_and_time_is_limited() {
        let (mut in_time, mut too_long) = (0, 0);
        for seed in 0..2000 {
            let rng = &mut Rng::with_seed(seed);
            let costs = if rng.bool() {
                Costs::Edges
            } else {
                Costs::Vertices
            };
            let network = network(rng, costs);
            let kind = rng.u8(0..4);
            let mut cost = || match kind {
                0 => rng.f64(),
                1 => f64::from(rng.u8(0..3)), // ties, and cycles that cost nothing
                2 => 10_f64.powi(rng.i32(-300..=300)) * rng.f64(),
                // One bucket holds nearly all of them.
                _ => rng.f64() * if rng.u8(..) == 0 { 1e9 } else { 1.0 },
            };
            let theta: Vec<f64> = (0..13 * 13 * 4).map(|_| -cost()).collect();
            let (mut buckets, mut heap) = (Workspace::default(), Workspace::default());
            buckets.start(&theta, network.len());
            heap.start(&theta, network.len());
            let none = Limits::none();
            let costs = &buckets.costs;
            let found = Buckets::default().search(&network, costs, &mut buckets.distance, &none);
            heap.dijkstra(&network, &none).expect("there are no limits");
            if !found.expect("there are no limits") {
                too_long += 1;
                continue;
            }
            in_time += 1;
            let farthest = heap.distance[network.source()];
            for (place, &exact) in heap.distance.iter().enumerate() {
                if exact <= farthest {
                    assert_eq!(buckets.distance[place], exact, "seed {seed}, place {place}");
                }
            }
        }
        assert!(in_time > 1000 && too_long > 10, "{in_time}, {too_long}");
    }
}
