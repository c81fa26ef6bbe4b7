//! Prints how long rows take: the table in the documentation of the crate.

use std::time::{Duration, Instant};

use imle_api::{Limits, Linked, Oracle, unset};
use imle_knapsack::Knapsack;

fn main() {
    println!("median and largest time of {ROWS} rows; half of all weight fits");
    for (dimensions, items) in [
        (1, 50),
        (1, 500),
        (2, 32),
        (3, 32),
        (5, 32),
        (2, 50),
        (3, 50),
        (5, 50),
        (3, 100),
    ] {
        for correlated in [false, true] {
            let times = times(dimensions, items, correlated);
            let (median, largest) = (times[ROWS / 2], times[ROWS - 1]);
            let kind = if correlated {
                "like weights"
            } else {
                "independent"
            };
            println!(
                "{items:3} items, {dimensions} dimensions, theta {kind:12} {median:>10.1?} {largest:>10.1?}"
            );
        }
    }
}

const ROWS: usize = 10;

/// Weights from 300 to 800, as in the field's benchmark; theta from 1 to 5, or within a tenth of the sum of weights.
fn times(dimensions: usize, items: usize, correlated: bool) -> Vec<Duration> {
    let mut random = fastrand::Rng::with_seed(1);
    let weights: Vec<Vec<u64>> = (0..dimensions)
        .map(|_| (0..items).map(|_| random.u64(300..=800)).collect())
        .collect();
    let capacities: Vec<u64> = weights.iter().map(|w| w.iter().sum::<u64>() / 2).collect();
    let config = serde_json::json!({"weights": weights, "capacities": capacities});
    let oracle = Linked::<Knapsack>::open(&config.to_string()).expect("it opens");
    let mut times: Vec<Duration> = (0..ROWS)
        .map(|_| {
            let weight = |item: usize| weights.iter().map(|w| w[item]).sum::<u64>() as f64;
            let theta: Vec<f64> = (0..items)
                .map(|item| match correlated {
                    true => weight(item) * (0.9 + 0.2 * random.f64()),
                    false => 1.0 + 4.0 * random.f64(),
                })
                .collect();
            let mut z = vec![0.0; items];
            let mut outcome = [unset()];
            let limits = Limits::none().with_time(Duration::from_secs(3));
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
