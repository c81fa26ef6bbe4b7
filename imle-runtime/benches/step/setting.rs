//! The setting of the measurements: k-subsets of ten, Sum-of-Gamma noise.

use std::sync::Arc;

use imle_k_subset::KSubset;
use imle_runtime::{
    Imle, Layer, Linked, Oracle, Pid, Registry, Sampling, SumOfGamma, cargo_library_directory,
};
use serde_json::json;

const K: usize = 10;

pub(crate) fn linked(dim: usize) -> Arc<dyn Oracle> {
    let config = json!({"dim": dim, "k": K}).to_string();
    Arc::new(Linked::<KSubset>::open(&config).expect("the configuration is right"))
}

pub(crate) fn loaded(dim: usize) -> Arc<dyn Oracle> {
    let directory = cargo_library_directory().expect("the plugin was built");
    // SAFETY: the libraries in this directory were built from this workspace.
    let registry = unsafe { Registry::search([directory]) }.expect("the plugin can be loaded");
    let opened = registry.open("k-subset", &json!({"dim": dim, "k": K}));
    opened.expect("the configuration is right")
}

/// The solver itself.
pub(crate) fn bare(dim: usize) -> KSubset {
    let config = imle_k_subset::Config { dim, k: K };
    imle_api::Solver::new(config).expect("the configuration is right")
}

pub(crate) fn noise() -> SumOfGamma {
    SumOfGamma {
        kappa: K as f64,
        terms: None,
    }
}

pub(crate) fn layer(oracle: Arc<dyn Oracle>, samples: usize, threads: usize) -> Layer {
    let sampling = Sampling {
        samples,
        threads,
        noise: Arc::new(noise()),
        ..Sampling::default()
    };
    let imle = Imle {
        target: Arc::new(Pid::new(1.0)),
        ..Imle::default()
    };
    Layer::new(oracle, imle, sampling).expect("the settings are right")
}

/// A step of I-MLE: forward and backward.
pub(crate) fn step<'a>(layer: Layer, theta: &'a [f64], grad_z: &'a [f64]) -> impl FnMut() + 'a {
    move || {
        let saved = layer.forward(theta, 0).expect("theta is finite");
        let gradient = layer.backward(saved, grad_z);
        std::hint::black_box(gradient.expect("the gradient is finite"));
    }
}

pub(crate) fn numbers(count: usize, seed: u64) -> Vec<f64> {
    let mut random = fastrand::Rng::with_seed(seed);
    (0..count).map(|_| random.f64() - 0.5).collect()
}
