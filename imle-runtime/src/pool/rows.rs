//! Who answers a row: the solver, whose states are recorded, or a look-up.
//!
//! Both look like oracles to a batch and live as long as a call and its backward pass.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use imle_api::{Facts, Identity, Limits, Oracle, Outcome, Proof, Solved};

use super::Pool;
use super::known::Known;

/// A row of a call: who answers it, and what is known of its instance.
#[derive(Clone)]
pub(crate) struct PooledRow {
    pub(crate) oracle: Arc<dyn Oracle>,
    pub(crate) known: Arc<Known>,
    pub(crate) solved: bool,
}

/// Solves, and tells the pool.
pub(super) struct Recorder {
    pool: Pool,
    oracle: Arc<dyn Oracle>,
    known: Arc<Known>,
    now: u64,
}

impl Recorder {
    pub(super) fn new(pool: &Pool, oracle: &Arc<dyn Oracle>, known: &Arc<Known>, now: u64) -> Self {
        Self {
            pool: pool.clone(),
            oracle: oracle.clone(),
            known: known.clone(),
            now,
        }
    }
}

impl Oracle for Recorder {
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
        self.oracle.solve(theta, z, outcomes, limits);
        let rows = outcomes.len() as u64;
        self.pool.0.solves.fetch_add(rows, Ordering::Relaxed);
        let dim = self.facts().dim;
        for (z, outcome) in z.chunks_exact(dim).zip(outcomes) {
            match (outcome, self.known.find(z)) {
                (Err(_), _) => {}
                (Ok(_), Some(at)) => self.known.use_at(at, self.now),
                (Ok(_), None) => {
                    let most_bytes = self.pool.0.config.most_bytes;
                    self.pool.lock().add(self.identity(), dim, z, most_bytes);
                }
            }
        }
    }
}

/// Finds the best state that is known.
pub(super) struct LookUp {
    pool: Pool,
    facts: Facts,
    identity: Identity,
    known: Arc<Known>,
    now: u64,
}

impl LookUp {
    pub(super) fn new(pool: &Pool, oracle: &Arc<dyn Oracle>, known: &Arc<Known>, now: u64) -> Self {
        Self {
            pool: pool.clone(),
            facts: oracle.facts(),
            identity: Identity::unique(),
            known: known.clone(),
            now,
        }
    }
}

impl Oracle for LookUp {
    fn facts(&self) -> Facts {
        self.facts
    }

    /// Its own: these are not the answers of the solver.
    fn identity(&self) -> Identity {
        self.identity
    }

    fn may_use_rayon(&self) -> bool {
        false
    }

    fn solve(&self, theta: &[f64], z: &mut [f64], outcomes: &mut [Outcome], _: &Limits<'_>) {
        let dim = self.facts.dim;
        let rows = theta.chunks_exact(dim).zip(z.chunks_exact_mut(dim));
        for ((theta, z), outcome) in rows.zip(outcomes.iter_mut()) {
            // A row is looked up only if something is known; otherwise its outcome stays unset, an error.
            if let Some((at, objective)) = self.known.best(theta) {
                z.copy_from_slice(self.known.state(at));
                self.known.use_at(at, self.now);
                *outcome = Ok(Solved {
                    objective,
                    proof: Proof::NONE,
                });
            }
        }
        let rows = outcomes.len() as u64;
        self.pool.0.look_ups.fetch_add(rows, Ordering::Relaxed);
    }
}
