//! Prints how long rows take: the figures in the documentation of the crate.

use std::time::{Duration, Instant};

use imle_api::{Linked, solve_one};
use imle_matching::Matching;

const ROWS: usize = 20;

fn main() {
    println!("median and largest time of {ROWS} rows, complete graphs, independent theta");
    for vertices in [10, 20, 50, 100, 200] {
        for cardinality in ["any", "perfect"] {
            let times = times(vertices, cardinality);
            let (median, largest) = (times[ROWS / 2], times[ROWS - 1]);
            println!("{vertices:3} vertices, {cardinality:7} {median:>10.1?} {largest:>10.1?}");
        }
    }
}

fn times(vertices: usize, cardinality: &str) -> Vec<Duration> {
    let config = format!(r#"{{"vertices": {vertices}, "cardinality": "{cardinality}"}}"#);
    let oracle = Linked::<Matching>::open(&config).expect("it opens");
    let mut random = fastrand::Rng::with_seed(1);
    let mut times: Vec<Duration> = (0..ROWS)
        .map(|_| {
            let edges = vertices * (vertices - 1) / 2;
            let theta: Vec<f64> = (0..edges).map(|_| random.f64() - 0.5).collect();
            let start = Instant::now();
            solve_one(&oracle, &theta).expect("it is solved");
            start.elapsed()
        })
        .collect();
    times.sort_unstable();
    times
}
