//! Prints how long rows take: the table in the documentation of the crate.

use std::time::{Duration, Instant};

use imle_api::{Limits, Linked, Oracle, unset};
use imle_tsp::Tsp;

fn main() {
    let rows = 10;
    println!("median and largest time of {rows} rows");
    for nodes in [10, 20, 30, 40, 50, 60] {
        for kind in [Kind::Points, Kind::Independent, Kind::Whole] {
            let times = times(nodes, kind, rows);
            let (median, largest) = (times[rows / 2], times[rows - 1]);
            println!("{nodes:3} nodes, {kind:11?} {median:>12.1?} {largest:>12.1?}");
        }
    }
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    /// Distances of points in a square.
    Points,
    /// Costs between 0 and 1.
    Independent,
    /// Costs of 1, 2, ..., 10: many ties.
    Whole,
}

fn times(nodes: usize, kind: Kind, rows: usize) -> Vec<Duration> {
    let oracle = Linked::<Tsp>::open(&format!(r#"{{"nodes": {nodes}}}"#)).expect("it opens");
    let mut random = fastrand::Rng::with_seed(1);
    let mut times: Vec<Duration> = (0..rows)
        .map(|_| {
            let points: Vec<[f64; 2]> = (0..nodes).map(|_| [random.f64(), random.f64()]).collect();
            let pairs = (0..nodes).flat_map(|a| (a + 1..nodes).map(move |b| (a, b)));
            let cost = |(a, b): (usize, usize)| match kind {
                Kind::Points => (points[a][0] - points[b][0]).hypot(points[a][1] - points[b][1]),
                Kind::Independent => random.f64(),
                Kind::Whole => f64::from(random.i32(1..=10)),
            };
            let theta: Vec<f64> = pairs.map(cost).map(|cost| -cost).collect();
            let mut z = vec![0.0; theta.len()];
            let mut outcome = [unset()];
            let limits = Limits::none().with_time(Duration::from_secs(10));
            let start = Instant::now();
            oracle.solve(&theta, &mut z, &mut outcome, &limits);
            if let Err(why) = &outcome[0] {
                println!("{why}");
            }
            start.elapsed()
        })
        .collect();
    times.sort_unstable();
    times
}
