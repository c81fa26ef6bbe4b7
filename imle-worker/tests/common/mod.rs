//! What the tests of isolation share.

#![allow(
    dead_code,
    reason = "every test file compiles this module and uses a part of it"
)]

use std::path::PathBuf;

use imle_api::{Error, Limits, Oracle, Outcome, unset};
use imle_runtime::{Isolated, Isolation, cargo_library_directory};
use serde_json::Value;

/// Settings with the worker that Cargo built for this test.
pub(crate) fn settings() -> Isolation {
    Isolation {
        worker: Some(env!("CARGO_BIN_EXE_imle-worker").into()),
        ..Isolation::default()
    }
}

/// The library of a plugin crate of this workspace, by its name with underscores.
pub(crate) fn library(name: &str) -> PathBuf {
    let folder = cargo_library_directory().expect("Cargo built this test");
    folder.join(format!("lib{name}.so"))
}

/// A solver of the plugin whose solvers each do one thing wrong.
pub(crate) fn bad(solver: &str, config: Value, settings: &Isolation) -> Result<Isolated, Error> {
    Isolated::open(library("bad_plugin"), solver, &config.to_string(), settings)
}

/// States and outcomes of rows.
pub(crate) fn solve(
    oracle: &dyn Oracle,
    theta: &[f64],
    limits: &Limits<'_>,
) -> (Vec<f64>, Vec<Outcome>) {
    let rows = theta.len() / oracle.facts().dim;
    let (mut z, mut outcomes) = (vec![f64::NAN; theta.len()], vec![unset(); rows]);
    oracle.solve(theta, &mut z, &mut outcomes, limits);
    (z, outcomes)
}

/// Marginals and log-partitions of rows.
pub(crate) fn marginals(oracle: &dyn Oracle, theta: &[f64]) -> (Vec<f64>, Vec<Result<f64, Error>>) {
    let rows = theta.len() / oracle.facts().dim;
    let (mut mu, mut found) = (vec![f64::NAN; theta.len()], vec![unset(); rows]);
    oracle.marginals(theta, &mut mu, &mut found, &Limits::none());
    (mu, found)
}

/// Theta from a seed, with ties.
pub(crate) fn numbers(count: usize, seed: u64) -> Vec<f64> {
    let mut random = fastrand::Rng::with_seed(seed);
    (0..count)
        .map(|_| match random.u8(..4) {
            0 => f64::from(random.i8(-2..=2)),
            _ => random.f64() - 0.5,
        })
        .collect()
}
