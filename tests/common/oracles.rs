//! Oracles that tests compare with, and the registry of this workspace's plugins.

#![allow(
    dead_code,
    reason = "every test file compiles this module and uses a part of it"
)]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use imle_api::conformance::binary_vectors;
use imle_runtime::{
    Facts, FnOracle, Identity, Limits, Oracle, Outcome, Registry, cargo_library_directory,
};

/// Every plugin of this workspace.
pub(crate) fn registry() -> Registry {
    let directory = cargo_library_directory().expect("Cargo built this test");
    // SAFETY: the libraries in this directory were built from this workspace.
    unsafe { Registry::search([directory]) }.expect("the directory can be read")
}

/// The k-subset plugin, loaded.
pub(crate) fn k_subset(dim: usize, k: usize) -> Arc<dyn Oracle> {
    let config = serde_json::json!({"dim": dim, "k": k});
    registry().open("k-subset", &config).expect("k fits dim")
}

/// All vectors of `dim` zeros and ones with `k` ones.
pub(crate) fn subsets(dim: usize, k: usize) -> Vec<Vec<f64>> {
    binary_vectors(dim, |z| z.iter().sum::<f64>() == k as f64)
}

/// The first state with the largest `<z, theta>`, by looking at all of them.
pub(crate) fn brute_force(states: &[Vec<f64>], theta: &[f64]) -> Vec<f64> {
    let score = |z: &[f64]| z.iter().zip(theta).map(|(z, theta)| z * theta).sum::<f64>();
    let best = states
        .iter()
        .reduce(|best, z| if score(z) > score(best) { z } else { best });
    best.expect("there is a state").clone()
}

/// An oracle that looks at all states.
pub(crate) fn enumeration(states: Vec<Vec<f64>>) -> Arc<dyn Oracle> {
    let facts = Facts::binary(states[0].len());
    Arc::new(FnOracle::new(facts, move |theta, z| {
        z.copy_from_slice(&brute_force(&states, theta));
        Ok(())
    }))
}

/// Counts the rows that reach an oracle.
pub(crate) struct Counting {
    pub(crate) oracle: Arc<dyn Oracle>,
    pub(crate) rows: AtomicUsize,
}

impl Counting {
    pub(crate) fn new(oracle: Arc<dyn Oracle>) -> Arc<Self> {
        Arc::new(Self {
            oracle,
            rows: AtomicUsize::new(0),
        })
    }

    /// Returns the count and starts again from zero.
    pub(crate) fn take(&self) -> usize {
        self.rows.swap(0, Ordering::SeqCst)
    }
}

impl Oracle for Counting {
    fn facts(&self) -> Facts {
        self.oracle.facts()
    }

    fn identity(&self) -> Identity {
        self.oracle.identity()
    }

    fn solve(&self, theta: &[f64], z: &mut [f64], outcomes: &mut [Outcome], limits: &Limits<'_>) {
        self.rows.fetch_add(outcomes.len(), Ordering::SeqCst);
        self.oracle.solve(theta, z, outcomes, limits);
    }
}

/// Numbers between -1 and 1 that look random and are the same everywhere.
pub(crate) fn numbers(count: usize, seed: u64) -> Vec<f64> {
    let mut random = fastrand::Rng::with_seed(seed);
    (0..count).map(|_| random.f64() * 2.0 - 1.0).collect()
}
