//! The share of backward solves that a run which converges does without.

use std::sync::Arc;

use imle_runtime::{Imle, Layer, Pid, Sampling};

use crate::setting::{linked, noise, numbers};

const ROWS: usize = 200;
const DIM: usize = 20;
const STEPS: u64 = 200;

/// Learns to choose given subsets, with `|z - wanted|^2 / 2` as the loss of a sample.
pub(crate) fn run() {
    for (lambda, tau) in [(1.0, 1.0), (0.1, 1.0), (0.1, 0.1)] {
        println!("\nbackward solves that are skipped, lambda {lambda}, tau {tau}");
        println!("  steps       right, so no gradient   skipped, with what is proven");
        learn(lambda, tau);
    }
}

fn learn(lambda: f64, tau: f64) {
    let oracle = linked(DIM);
    let mut wanted = vec![0.0; ROWS * DIM];
    let mut outcomes = vec![imle_api::unset(); ROWS];
    let truth = numbers(ROWS * DIM, 1);
    oracle.solve(&truth, &mut wanted, &mut outcomes, &Default::default());
    let sampling = Sampling {
        tau: tau.into(),
        noise: Arc::new(noise()),
        threads: 1,
        ..Sampling::default()
    };
    let imle = Imle {
        target: Arc::new(Pid::new(lambda)),
        ..Imle::default()
    };
    let layer = Layer::new(oracle, imle, sampling).expect("the settings are right");
    let mut theta = vec![0.0; ROWS * DIM];
    let (mut right, mut skipped) = (0, 0);
    for step in 1..=STEPS {
        let saved = layer.forward(&theta, step).expect("theta is finite");
        let grad_z: Vec<f64> = saved.z().iter().zip(&wanted).map(|(z, w)| z - w).collect();
        let rows = grad_z.chunks_exact(DIM);
        right += rows
            .filter(|row| row.iter().all(|&grad| grad == 0.0))
            .count();
        let gradient = layer
            .backward(saved, &grad_z)
            .expect("the gradient is finite");
        skipped += gradient.skipped;
        for (theta, grad) in theta.iter_mut().zip(&gradient.theta) {
            *theta -= 0.1 * grad;
        }
        if step % (STEPS / 4) == 0 {
            let share = |count: usize| 100.0 * count as f64 / (ROWS as u64 * STEPS / 4) as f64;
            let first = step - STEPS / 4 + 1;
            println!(
                "  {first:3} to {step:3}  {:5.1} %                {:5.1} %",
                share(right),
                share(skipped)
            );
            (right, skipped) = (0, 0);
        }
    }
}
