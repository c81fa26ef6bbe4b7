//! The memory of a step through the means does not grow with the number of samples.
//!
//! The states of this test would take more than 1 GB. At the size of `IMLE_FULL_SIZE=1` (1000 rows, 1000 samples,
//! dim 1000) it would be 8 GB, and the test takes a minute or more.

use std::sync::Arc;

use imle_runtime::{Facts, FnOracle, Imle, Layer, Normal, Sampling};
use peak_alloc::PeakAlloc;

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

const THREADS: usize = 2;

#[test]
fn a_step_through_means_needs_memory_for_rows_and_threads_only() {
    let (rows, samples, dim) = match std::env::var_os("IMLE_FULL_SIZE") {
        Some(_) => (1000, 1000, 1000),
        None => (100, 2000, 700),
    };
    let states = rows * samples * dim * size_of::<f64>();
    assert!(states > 1_000_000_000);
    let oracle = FnOracle::new(Facts::binary(dim), |theta, z| {
        let positive = |theta: &f64| f64::from(u8::from(*theta > 0.0));
        z.iter_mut()
            .zip(theta)
            .for_each(|(z, theta)| *z = positive(theta));
        Ok(())
    });
    let sampling = Sampling {
        samples,
        threads: THREADS,
        noise: Arc::new(Normal),
        ..Sampling::default()
    };
    let layer = Layer::new(Arc::new(oracle), Imle::default(), sampling).unwrap();
    let theta: Vec<f64> = (0..rows * dim).map(|i| (i as f64).sin()).collect();

    let before = MEMORY.current_usage();
    MEMORY.reset_peak_usage();
    let saved = layer.forward_mean(&theta, 0).unwrap();
    let grad_mu: Vec<f64> = saved.mu().iter().map(|mu| mu - 0.5).collect();
    let gradient = layer
        .backward_mean(saved, &grad_mu)
        .unwrap()
        .all_solved()
        .unwrap();
    let peak = MEMORY.peak_usage() - before;

    // Theta, the means, their sums, the gradients and the sums of the target; blocks that wait and what a
    // thread works on.
    let row = dim * size_of::<f64>();
    let allowed = 8 * rows * row + 100 * THREADS * row + (1 << 20);
    assert!(peak < allowed, "{peak} bytes, allowed {allowed}");
    println!("peak {peak} bytes where the states are {states}");
    // It did the work: more of each coordinate is wanted where it is rarely one.
    let right = theta
        .iter()
        .zip(&gradient)
        .filter(|(theta, gradient)| **theta * **gradient > 0.0);
    assert!(right.count() > rows * dim / 2);
}
