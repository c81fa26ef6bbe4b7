//! A whole step of I-MLE on one thread, and what it is made of.

use imle_runtime::{Address, Limits, Noise};

use crate::setting::{layer, linked, loaded, noise, numbers, step};
use crate::timing::{Clock, Contender, measure};

pub(crate) fn run() {
    for (rows, samples, dim) in [
        (1000, 1, 20),
        (200, 10, 20),
        (200, 1, 350),
        (40, 10, 350),
        (100, 1, 1000),
        (40, 10, 1000),
    ] {
        measure_step(rows, samples, dim);
    }
}

fn measure_step(rows: usize, samples: usize, dim: usize) {
    let items = rows * samples;
    let (theta, grad_mu) = (numbers(rows * dim, 1), numbers(rows * dim, 2));
    let grad_rows = grad_mu.chunks_exact(dim);
    let grad_z: Vec<f64> = grad_rows.flat_map(|row| row.repeat(samples)).collect();
    let (linked, loaded) = (linked(dim), loaded(dim));
    let (noise, mut eps) = (noise(), vec![0.0; dim]);
    let perturbed: Vec<f64> = numbers(items * dim, 3);
    let mut z = vec![0.0; items * dim];
    let mut outcomes = vec![imle_api::unset(); items];
    let forward = layer(linked.clone(), samples, 1);
    let means = layer(linked.clone(), samples, 1);
    let measured = measure(
        Clock::Thread,
        vec![
            Contender::new("noise, once", || {
                for row in 0..items as u64 {
                    let address = Address {
                        seed: 0,
                        call: 0,
                        row,
                        sample: 0,
                    };
                    noise.fill(&address, &mut eps).expect("kappa is positive");
                }
            }),
            Contender::new("solve, once", || {
                linked.solve(&perturbed, &mut z, &mut outcomes, &Limits::none());
            }),
            Contender::new("forward", || forward.forward(&theta, 0)),
            Contender::new(
                "step",
                step(layer(linked.clone(), samples, 1), &theta, &grad_z),
            ),
            Contender::new(
                "step, plugin",
                step(layer(loaded, samples, 1), &theta, &grad_z),
            ),
            Contender::new("step through means", || {
                let saved = means.forward_mean(&theta, 0).expect("theta is finite");
                means.backward_mean(saved, &grad_mu)
            }),
        ],
    );
    let title = format!("{rows} rows, {samples} samples, dim {dim}, one thread: a coordinate");
    crate::print(&title, items * dim, &measured);
}
