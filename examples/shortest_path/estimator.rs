//! The way to the solver: decisions, gradients, and a watch that counts both.

use std::sync::Arc;
use std::time::{Duration, Instant};

use imle_runtime::{Cache, Error, Imle, Layer, Oracle, Sampling};

/// The solver that was loaded, and a memory for what is asked of it without noise.
pub(crate) struct Solver {
    pub(crate) oracle: Arc<dyn Oracle>,
    pub(crate) cache: Cache,
}

/// Asks the solver for paths and for gradients through them.
pub(crate) struct Estimator {
    /// Straight to the solver: noise makes every row new, so there is nothing to remember.
    sampling: Layer,
    /// Through the cache: every run solves the same true costs.
    deciding: Layer,
    step: u64,
    cache: Cache,
    hits_before: u64,
    effort: Effort,
}

/// What an estimator asked of the solver.
#[derive(Clone, Copy, Default)]
pub(crate) struct Effort {
    /// The rows to solve.
    pub(crate) solves: u64,
    /// How many of them the cache answered.
    pub(crate) hits: u64,
    /// The time that it took, noise included.
    pub(crate) time: Duration,
}

impl Estimator {
    pub(crate) fn new(solver: &Solver, (imle, sampling): (Imle, Sampling)) -> Result<Self, Error> {
        let cached = solver.cache.wrap(solver.oracle.clone());
        Ok(Self {
            sampling: Layer::new(solver.oracle.clone(), imle.clone(), sampling.clone())?,
            deciding: Layer::new(cached, imle, sampling)?,
            step: 0,
            cache: solver.cache.clone(),
            hits_before: solver.cache.statistics().hits,
            effort: Effort::default(),
        })
    }

    /// Returns the cheapest path under each row of `costs`.
    pub(crate) fn decide(&mut self, costs: &[f64]) -> Result<Vec<f64>, Error> {
        let start = Instant::now();
        let states = self.deciding.map(costs)?;
        let z = states.all_solved()?.z().to_vec();
        self.count(states.rows(), start);
        Ok(z)
    }

    /// Returns the gradient in `costs` of a loss of sampled paths, whose derivative in the samples
    /// `[rows, samples, arcs]` is `grad_z`.
    pub(crate) fn gradient(
        &mut self,
        costs: &[f64],
        grad_z: impl FnOnce(&[f64]) -> Vec<f64>,
    ) -> Result<Vec<f64>, Error> {
        let start = Instant::now();
        let saved = self.sampling.forward(costs, self.step)?;
        let samples = saved.states().outcomes().len();
        let grad_z = grad_z(saved.z());
        let gradient = self.sampling.backward(saved, &grad_z)?;
        self.count(samples + gradient.solves, start);
        self.step += 1;
        gradient.all_solved()
    }

    pub(crate) fn effort(&self) -> Effort {
        Effort {
            hits: self.cache.statistics().hits - self.hits_before,
            ..self.effort
        }
    }

    fn count(&mut self, solves: usize, start: Instant) {
        self.effort.solves += solves as u64;
        self.effort.time += start.elapsed();
    }
}
