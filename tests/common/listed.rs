//! An oracle over a few listed states that can fail, and can prove how far its answers reach.

#![allow(
    dead_code,
    reason = "every test file compiles this module and uses a part of it"
)]

use std::sync::atomic::{AtomicU64, Ordering};

use imle_runtime::{Error, ErrorKind, Facts, Identity, Limits, Oracle, Outcome, Proof, Solved};
use proptest::prelude::*;

/// The first of the best of some states.
#[derive(Debug)]
pub(crate) struct Listed {
    pub(crate) states: Vec<Vec<f64>>,
    /// Fails for one theta in five.
    pub(crate) fails: bool,
    /// Reports a radius of optimality.
    pub(crate) proves: bool,
    pub(crate) identity: Identity,
    /// The rows that were solved.
    pub(crate) rows: AtomicU64,
}

impl Clone for Listed {
    fn clone(&self) -> Self {
        Self {
            states: self.states.clone(),
            rows: AtomicU64::new(0),
            ..*self
        }
    }
}

impl Listed {
    pub(crate) fn one_hot(dim: usize) -> Self {
        let one_hot = |one| (0..dim).map(|i| f64::from(u8::from(i == one))).collect();
        Self {
            states: (0..dim).map(one_hot).collect(),
            fails: false,
            proves: true,
            identity: Identity::unique(),
            rows: AtomicU64::new(0),
        }
    }

    pub(crate) fn dim(&self) -> usize {
        self.states[0].len()
    }

    pub(crate) fn is_integral(&self) -> bool {
        self.states.iter().flatten().all(|z| z.fract() == 0.0)
    }

    /// The objective of each state but the best, less than that of the best by how much, for a step of 1.
    fn radius(&self, best: &[f64], theta: &[f64]) -> f64 {
        let others = self.states.iter().filter(|z| z[..] != *best);
        let radius = others.map(|z| {
            let lead = dot(best, theta) - dot(z, theta);
            let distance: f64 = best.iter().zip(z).map(|(a, b)| (a - b).abs()).sum();
            lead / distance - 1e-12
        });
        radius.fold(f64::INFINITY, f64::min)
    }

    fn solve_row(&self, theta: &[f64], z: &mut [f64]) -> Outcome {
        if self.fails && (8.0 * theta[0]).floor().rem_euclid(5.0) == 0.0 {
            return Err(Error::new(ErrorKind::BackendFailed, "planted"));
        }
        let better = |a, b| if dot(b, theta) > dot(a, theta) { b } else { a };
        let states = self.states.iter().map(|z| &z[..]);
        let best = states.reduce(better).expect("there is a state");
        z.copy_from_slice(best);
        let proof = match self.proves {
            true => Proof::radius(self.radius(best, theta)),
            false => Proof::NONE,
        };
        Ok(Solved {
            objective: dot(best, theta),
            proof,
        })
    }
}

fn dot(z: &[f64], theta: &[f64]) -> f64 {
    z.iter().zip(theta).map(|(z, theta)| z * theta).sum()
}

impl Oracle for Listed {
    fn facts(&self) -> Facts {
        Facts::bounded(self.dim(), -10.0, 10.0, self.is_integral())
    }

    fn identity(&self) -> Identity {
        self.identity
    }

    fn solve(&self, theta: &[f64], z: &mut [f64], outcomes: &mut [Outcome], _: &Limits<'_>) {
        self.rows
            .fetch_add(outcomes.len() as u64, Ordering::Relaxed);
        let rows = theta
            .chunks_exact(self.dim())
            .zip(z.chunks_exact_mut(self.dim()));
        for ((theta, z), outcome) in rows.zip(outcomes) {
            *outcome = self.solve_row(theta, z);
        }
    }
}

/// Oracles of states that are integers or not.
pub(crate) fn listed(dim: usize, integral: bool) -> impl Strategy<Value = Listed> {
    let number = (-30..30_i32).prop_map(move |value| match integral {
        true => f64::from(value / 10),
        false => f64::from(value) / 7.0,
    });
    let states = proptest::collection::vec(proptest::collection::vec(number, dim), 1..7);
    // Not both: where a state is proven, who asks again decides who meets a failure.
    let kinds = prop_oneof![
        Just((false, false)),
        Just((true, false)),
        Just((false, true))
    ];
    (states, kinds).prop_map(|(states, (fails, proves))| Listed {
        states,
        fails,
        proves,
        identity: Identity::unique(),
        rows: AtomicU64::new(0),
    })
}
