//! Numbers that are a formula of their index, the same in `peers/serve.py`, and the oracles.

use std::sync::Arc;

use imle_k_subset::KSubset;
use imle_runtime::{
    Imle, Layer, Linked, Noise, Oracle, Pid, Registry, Sampling, SumOfGamma,
    cargo_library_directory,
};
use serde_json::{Value, json};

/// The ones of a state of the step.
pub(crate) const KAPPA: usize = 10;

/// Multiplicative hashing: numbers from 0 to 1.
pub(crate) fn numbers(count: usize, salt: u64) -> Vec<f64> {
    let number = |index: u64| {
        let index = index.wrapping_add(salt << 32);
        (index.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 11) as f64 / (1_u64 << 53) as f64
    };
    (1..=count as u64).map(number).collect()
}

/// The same around 0.
pub(crate) fn centred(count: usize, salt: u64) -> Vec<f64> {
    numbers(count, salt).into_iter().map(|x| x - 0.5).collect()
}

/// The k-subset solver, linked into this program.
pub(crate) fn linked(dim: usize, k: usize) -> Arc<dyn Oracle> {
    let config = json!({"dim": dim, "k": k}).to_string();
    Arc::new(Linked::<KSubset>::open(&config).expect("the configuration is right"))
}

/// A solver of a plugin library of this workspace.
pub(crate) fn loaded(solver: &str, config: &Value) -> Arc<dyn Oracle> {
    let directory = cargo_library_directory().expect("the plugins were built");
    // SAFETY: the libraries in this directory were built from this workspace.
    let registry = unsafe { Registry::search([directory]) }.expect("the plugins can be loaded");
    registry
        .open(solver, config)
        .expect("the configuration is right")
}

pub(crate) fn sum_of_gamma(terms: Option<u32>) -> SumOfGamma {
    SumOfGamma {
        kappa: KAPPA as f64,
        terms,
    }
}

/// I-MLE with lambda = 1.
pub(crate) fn layer(
    oracle: Arc<dyn Oracle>,
    noise: impl Noise + 'static,
    samples: usize,
    threads: usize,
) -> Layer {
    let sampling = Sampling {
        samples,
        threads,
        noise: Arc::new(noise),
        ..Sampling::default()
    };
    let imle = Imle {
        target: Arc::new(Pid::new(1.0)),
        ..Imle::default()
    };
    Layer::new(oracle, imle, sampling).expect("the settings are right")
}
