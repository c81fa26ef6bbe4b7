//! Oracles that tests compare with, and the registry of this workspace's plugins.

#![allow(
    dead_code,
    reason = "every test file compiles this module and uses a part of it"
)]

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};

use imle_api::conformance::binary_vectors;
use imle_runtime::{
    Error, Facts, FnOracle, Identity, Limits, Oracle, Outcome, Registry, cargo_library_directory,
};

/// Every plugin of this workspace.
pub(crate) fn registry() -> Registry {
    let directory = cargo_library_directory().expect("Cargo built this test");
    // SAFETY: the libraries in this directory were built from this workspace.
    unsafe { Registry::search([directory]) }.expect("the directory can be read")
}

/// The k-subset plugin, loaded.
pub(crate) fn k_subset(dim: usize, k: usize) -> Arc<dyn Oracle> {
    static REGISTRY: LazyLock<Registry> = LazyLock::new(registry);
    let config = serde_json::json!({"dim": dim, "k": k});
    REGISTRY.open("k-subset", &config).expect("k fits dim")
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

    fn may_use_rayon(&self) -> bool {
        self.oracle.may_use_rayon()
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

/// A solver that is linked in and the same solver loaded: the same facts, states, marginals, numbers and
/// errors, to the bit, for rows of every kind.
pub(crate) fn assert_native_equals_loaded<S: imle_runtime::Solver>(configs: &[serde_json::Value]) {
    let registry = registry();
    for config in configs {
        let native = imle_runtime::Linked::<S>::open(&config.to_string()).expect("it opens");
        let loaded = registry.open(S::NAME, config).expect("it opens");
        assert_eq!(native.facts(), loaded.facts(), "{config}");
        let dim = native.facts().dim;
        for (seed, scale) in [(1, 1.0), (2, -1.0), (3, 0.0), (4, 1e6)] {
            let rows = 37;
            let theta: Vec<f64> = numbers(rows * dim, seed)
                .iter()
                .map(|value| match scale {
                    // Many ties, zeros of both signs, costs that are not negative.
                    -1.0 => -(value * 3.0).round().abs(),
                    _ => value * scale,
                })
                .collect();
            assert_eq!(
                solved(&native, &theta),
                solved(&*loaded, &theta),
                "{config}"
            );
            let (native, loaded) = (marginals(&native, &theta), marginals(&*loaded, &theta));
            assert_eq!(native, loaded, "{config}");
        }
    }
}

/// Bits of the states of solved rows, and the outcomes.
fn solved(oracle: &dyn Oracle, theta: &[f64]) -> Vec<(Vec<u64>, Outcome)> {
    let dim = oracle.facts().dim;
    let mut z = vec![f64::NAN; theta.len()];
    let mut outcomes = vec![imle_api::unset(); theta.len() / dim];
    oracle.solve(theta, &mut z, &mut outcomes, &Limits::none());
    let states = z.chunks_exact(dim).zip(outcomes);
    states
        .map(|(z, outcome)| match outcome {
            Ok(_) => (z.iter().map(|z| z.to_bits()).collect(), outcome),
            Err(_) => (Vec::new(), outcome),
        })
        .collect()
}

/// Bits of the marginals of rows that have some, and their log-partitions.
pub(crate) fn marginals(oracle: &dyn Oracle, theta: &[f64]) -> Vec<(Vec<u64>, Result<f64, Error>)> {
    let dim = oracle.facts().dim;
    let mut mu = vec![f64::NAN; theta.len()];
    let mut log_partitions = vec![imle_api::unset(); theta.len() / dim];
    oracle.marginals(theta, &mut mu, &mut log_partitions, &Limits::none());
    let rows = mu.chunks_exact(dim).zip(log_partitions);
    rows.map(|(mu, found)| match found {
        Ok(_) => (mu.iter().map(|mu| mu.to_bits()).collect(), found),
        Err(_) => (Vec::new(), found),
    })
    .collect()
}
