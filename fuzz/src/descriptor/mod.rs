//! A plugin made of bytes: its tables, and everything that its functions return, write and say.
//!
//! What a host cannot check stays as `imle_plugin.h` has it: a pointer is null, leads to memory of the length that it
//! promises, or is not aligned; texts end with a zero; arrays are written within their lengths. Everything else is
//! what the bytes say.

mod functions;
mod tables;

use std::sync::{Mutex, PoisonError};

use imle_api::{Facts, Limits, Oracle, unset};
use imle_runtime::Plugin;

use super::bytes::Bytes;
use functions::Script;
use tables::Tables;

/// One script at a time, as the functions of a plugin are told nothing but what the header says.
static RUN: Mutex<()> = Mutex::new(());

/// Loads the plugin that the bytes describe, opens its first solver and solves a batch.
pub fn descriptor(data: &[u8]) {
    let _run = RUN.lock().unwrap_or_else(PoisonError::into_inner);
    let mut bytes = Bytes::new(data.to_vec());
    let tables = Tables::of(&mut bytes);
    let theta = [bytes.theta(MOST_COORDINATES), bytes.theta(MOST_COORDINATES)];
    Script::begin(bytes, &tables);
    // SAFETY: the tables are as the header has them, where a host cannot check it, and so are the functions; both
    // are there until the plugin has gone.
    let plugin = unsafe { Plugin::from_entry(functions::entry, "bytes") };
    if let Ok(plugin) = plugin {
        look_at(&plugin, &theta.concat());
    }
    Script::end();
}

/// A larger instance is not solved.
const MOST_COORDINATES: usize = 4;

fn look_at(plugin: &Plugin, theta: &[f64]) {
    assert!(!plugin.name().is_empty() && !plugin.version().is_empty());
    let first = plugin.solvers().next().expect("a plugin has a solver");
    let name = &first.name;
    let _ = plugin.schema(name);
    let Ok(oracle) = plugin.open_json(name, "{}") else {
        return;
    };
    let facts = oracle.facts();
    assert!(
        facts.dim >= 1 && facts.z_lower <= facts.z_upper,
        "{facts:?}"
    );
    if facts.dim <= MOST_COORDINATES {
        for _ in 0..2 {
            solve(&*oracle, facts, &theta[..2 * facts.dim]);
            let _ = oracle.facts();
        }
        ask_marginals(&*oracle, facts, &theta[..2 * facts.dim]);
    }
}

fn solve(oracle: &dyn Oracle, facts: Facts, theta: &[f64]) {
    let mut z = vec![0.0; theta.len()];
    let mut outcomes = vec![unset(); theta.len() / facts.dim];
    oracle.solve(theta, &mut z, &mut outcomes, &Limits::none());
    for (outcome, z) in outcomes.iter().zip(z.chunks_exact(facts.dim)) {
        if let Ok(solved) = outcome {
            facts.check_state(z).expect("the host has checked it");
            assert!(solved.proof.radius >= 0.0 && !solved.proof.bound.is_nan());
        }
    }
}

fn ask_marginals(oracle: &dyn Oracle, facts: Facts, theta: &[f64]) {
    let mut mu = vec![0.0; theta.len()];
    let mut log_partitions = vec![unset(); theta.len() / facts.dim];
    oracle.marginals(theta, &mut mu, &mut log_partitions, &Limits::none());
    for (log_partition, mu) in log_partitions.iter().zip(mu.chunks_exact(facts.dim)) {
        if let Ok(value) = log_partition {
            let checked = facts.check_marginals(mu, *value);
            checked.expect("the host has checked it");
        }
    }
}
