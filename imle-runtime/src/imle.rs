//! Start here: implicit maximum likelihood estimation.
//!
//! `forward` perturbs theta and asks the oracle for a MAP state of every sample. `backward` asks again at
//! the target parameters, under *the same noise*, and returns the difference as a gradient (Niepert,
//! Minervini, Franceschi, NeurIPS 2021, Algorithm 1 and Eq. 9):
//!
//! ```text
//! z       = MAP(theta  + tau eps)                  eps ~ noise
//! theta'  = theta - lambda grad_z                  the target (Eq. 10; target.rs has others)
//! z'      = MAP(theta' + tau eps)
//! grad    = mean over samples of (z - z')
//! ```
//!
//! The noise is not stored: it is drawn again from its address (noise/mod.rs). Rows go to threads in batch.rs.

use std::sync::Arc;

use imle_api::{Error, ErrorKind, Identity, Limits, Oracle, Outcome, check_theta, unset};

use crate::batch::{Batch, Oracles};
use crate::call::Call;
use crate::config::ImleConfig;
use crate::difference::{Answers, Gradient, Query, queries};
use crate::noise::Address;
use crate::states::States;

/// A layer that samples states and learns through them.
///
/// ```
/// use imle_runtime::{Facts, FnOracle, Imle, ImleConfig};
/// use std::sync::Arc;
///
/// let largest = FnOracle::new(Facts::binary(3).with_ones(1), |theta, z| {
///     let best = (1..3).fold(0, |best, i| if theta[i] > theta[best] { i } else { best });
///     z.fill(0.0);
///     z[best] = 1.0;
///     Ok(())
/// });
/// let imle = Imle::new(Arc::new(largest), ImleConfig { samples: 200, ..ImleConfig::default() })?;
///
/// // A loss that grows with the first coordinate of a state: less of it is wanted.
/// let saved = imle.forward(&[0.2, 0.1, 0.0], 0)?;
/// let grad_z = [1.0, 0.0, 0.0].repeat(200);
/// let gradient = imle.backward(saved, &grad_z)?.all_solved()?;
/// assert!(gradient[0] > 0.0 && gradient[1] <= 0.0 && gradient[2] <= 0.0);
/// # Ok::<(), imle_runtime::Error>(())
/// ```
#[derive(Debug)]
pub struct Imle {
    config: ImleConfig,
    dim: usize,
    oracle: Oracles,
    batch: Batch,
    identity: Identity,
}

impl Imle {
    /// Makes a layer over an oracle.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidConfig`] with the setting that is wrong.
    pub fn new(oracle: Arc<dyn Oracle>, config: ImleConfig) -> Result<Self, Error> {
        config.validate()?;
        Ok(Self {
            dim: oracle.facts().dim,
            batch: Batch::new(config.threads)?,
            oracle: Oracles::Shared(oracle),
            identity: Identity::unique(),
            config,
        })
    }

    /// The settings.
    #[must_use]
    pub fn config(&self) -> &ImleConfig {
        &self.config
    }

    /// The number of coordinates of theta and of a state.
    #[must_use]
    pub fn dim(&self) -> usize {
        self.dim
    }

    /// Samples states: `theta` is `[rows, dim]`, the states are `[rows, samples, dim]`.
    ///
    /// The same `theta` in the same call gives the same states, on any number of threads.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidTheta`] if the length is not a multiple of dim or a value is not finite, with
    /// its row and column. A row that cannot be solved is not an error of the call: see [`States`].
    pub fn forward<'a>(&self, theta: &[f64], call: impl Into<Call<'a>>) -> Result<Saved, Error> {
        self.sample(self.oracle.pinned(), theta, call.into())
    }

    /// Like [`forward`](Self::forward), with an oracle for each row: instances that differ from row to
    /// row.
    ///
    /// # Errors
    ///
    /// As `forward`; [`ErrorKind::InvalidInput`] if there is not one oracle a row, or one of them has
    /// another dimension than this layer.
    pub fn forward_each<'a>(
        &self,
        oracles: &[Arc<dyn Oracle>],
        theta: &[f64],
        call: impl Into<Call<'a>>,
    ) -> Result<Saved, Error> {
        self.sample(self.one_a_row(oracles, theta)?, theta, call.into())
    }

    fn one_a_row(&self, oracles: &[Arc<dyn Oracle>], theta: &[f64]) -> Result<Oracles, Error> {
        let rows = check_theta(theta, self.dim)?;
        let invalid = |message| Err(Error::new(ErrorKind::InvalidInput, message));
        if oracles.len() != rows {
            return invalid(format!("{} oracles for {rows} rows", oracles.len()));
        }
        for (row, oracle) in oracles.iter().enumerate() {
            let (dim, own) = (oracle.facts().dim, self.dim);
            if dim != own {
                return invalid(format!(
                    "the oracle of row {row} has dim = {dim}, the layer has {own}"
                ));
            }
        }
        Ok(Oracles::Each(oracles.into()).pinned())
    }

    /// Estimates the marginals `mu`, `[rows, dim]`: the mean of the sampled states.
    ///
    /// # Errors
    ///
    /// As [`forward`](Self::forward), and the first sample that could not be solved: a mean over some of
    /// the samples is another number. [`States::marginals`] gives that one.
    pub fn marginals<'a>(
        &self,
        theta: &[f64],
        call: impl Into<Call<'a>>,
    ) -> Result<Vec<f64>, Error> {
        let saved = self.forward(theta, call)?;
        Ok(saved.states.all_solved()?.marginals())
    }

    /// Solves without noise: one state `MAP(theta)` for each row, as for evaluation.
    ///
    /// # Errors
    ///
    /// As [`forward`](Self::forward).
    pub fn map(&self, theta: &[f64]) -> Result<States, Error> {
        self.solve_plain(&self.oracle.pinned(), theta)
    }

    /// Like [`map`](Self::map), with an oracle for each row.
    ///
    /// # Errors
    ///
    /// As [`forward_each`](Self::forward_each).
    pub fn map_each(&self, oracles: &[Arc<dyn Oracle>], theta: &[f64]) -> Result<States, Error> {
        self.solve_plain(&self.one_a_row(oracles, theta)?, theta)
    }

    fn solve_plain(&self, oracles: &Oracles, theta: &[f64]) -> Result<States, Error> {
        let rows = check_theta(theta, self.dim)?;
        let mut theta = theta.to_vec();
        self.config.sense.flip(&mut theta);
        let prepare = |row: usize, out: &mut [f64]| {
            out.copy_from_slice(&theta[row * self.dim..][..self.dim]);
            Ok(())
        };
        let solved = self.solve(rows, |row| oracles.of(row), prepare, &Limits::none());
        Ok(self.states(1, solved))
    }

    fn sample(&self, oracles: Oracles, theta: &[f64], call: Call<'_>) -> Result<Saved, Error> {
        let rows = check_theta(theta, self.dim)?;
        self.check_size(rows)?;
        let mut theta = theta.to_vec();
        self.config.sense.flip(&mut theta);
        let (samples, dim) = (self.config.samples, self.dim);
        let prepare = |item: usize, out: &mut [f64]| {
            out.copy_from_slice(&theta[item / samples * dim..][..dim]);
            self.perturb(self.config.tau, &call, item, out)
        };
        let solved = self.solve(
            rows * samples,
            |item| oracles.of(item / samples),
            prepare,
            &call.limits,
        );
        let states = self.states(samples, solved);
        let call = Call {
            limits: Limits::none(),
            ..call
        };
        Ok(Saved {
            states,
            theta,
            oracles,
            call,
            layer: self.identity,
        })
    }

    /// The states of a call must fit into memory's addresses.
    fn check_size(&self, rows: usize) -> Result<(), Error> {
        let (samples, dim) = (self.config.samples, self.dim);
        let values = rows.checked_mul(samples).and_then(|n| n.checked_mul(dim));
        if values.is_some_and(|n| n <= isize::MAX as usize / size_of::<f64>()) {
            return Ok(());
        }
        let message =
            format!("{rows} rows x samples = {samples} x dim = {dim} states are too many");
        Err(Error::new(ErrorKind::InvalidInput, message))
    }

    /// Adds `tau eps` of sample `item = row * samples + sample`.
    fn perturb(
        &self,
        tau: f64,
        call: &Call<'_>,
        item: usize,
        theta: &mut [f64],
    ) -> Result<(), Error> {
        let (row, sample) = (item / self.config.samples, item % self.config.samples);
        let address = Address {
            seed: self.config.seed,
            call: call.number,
            row: call.first_row.wrapping_add(row as u64),
            sample: sample as u64,
        };
        let mut eps = vec![0.0; theta.len()];
        self.config.noise.fill(&address, &mut eps)?;
        theta
            .iter_mut()
            .zip(&eps)
            .for_each(|(theta, eps)| *theta += tau * eps);
        Ok(())
    }

    fn solve<'o>(
        &self,
        rows: usize,
        oracle_of: impl Fn(usize) -> &'o (dyn Oracle) + Sync,
        prepare: impl Fn(usize, &mut [f64]) -> Result<(), Error> + Sync,
        limits: &Limits<'_>,
    ) -> (Vec<f64>, Vec<Outcome>) {
        let mut z = vec![f64::NAN; rows * self.dim];
        let mut outcomes = vec![unset(); rows];
        self.batch
            .solve(self.dim, oracle_of, prepare, limits, &mut z, &mut outcomes);
        (z, outcomes)
    }

    fn states(&self, samples: usize, (z, outcomes): (Vec<f64>, Vec<Outcome>)) -> States {
        States {
            dim: self.dim,
            samples,
            z,
            outcomes,
        }
    }

    /// Returns the gradient of the loss in theta, `[rows, dim]`.
    ///
    /// `grad_z` is `[rows, samples, dim]`: the derivative of *each sample's own* loss, not divided by the
    /// number of samples. A sample whose `grad_z` is zero costs no solve and adds a zero gradient.
    /// `grad_z` of a sample that failed in `forward` is not looked at.
    ///
    /// The gradient of a row is the mean over its samples that were solved on every side; zero if there
    /// are none. [`Gradient::errors`] lists the samples that were not.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidInput`] if `grad_z` does not fit the states or is not finite.
    pub fn backward(&self, saved: Saved, grad_z: &[f64]) -> Result<Gradient, Error> {
        self.backward_within(saved, grad_z, &Limits::none())
    }

    /// Like [`backward`](Self::backward), with a time limit and a stop flag.
    ///
    /// # Errors
    ///
    /// As `backward`.
    pub fn backward_within(
        &self,
        saved: Saved,
        grad_z: &[f64],
        limits: &Limits<'_>,
    ) -> Result<Gradient, Error> {
        if saved.layer != self.identity {
            let message = "the saved states come from another layer, with noise of its own";
            return Err(Error::new(ErrorKind::InvalidInput, message));
        }
        let grad_z = self.check_grad_z(&saved.states, grad_z)?;
        let lambdas = self.lambdas(&saved, &grad_z);
        let queries = queries(&self.config, self.dim, &lambdas, &grad_z);
        let (samples, dim) = (self.config.samples, self.dim);
        let tau = self.config.tau_target.unwrap_or(self.config.tau);
        let prepare = |query: usize, out: &mut [f64]| {
            let Query { item, lambda } = queries[query];
            let theta = &saved.theta[item / samples * dim..][..dim];
            self.config
                .target
                .shift(theta, &grad_z[item * dim..][..dim], lambda, out);
            self.perturb(tau, &saved.call, item, out)
        };
        let oracle_of = |query: usize| saved.oracles.of(queries[query].item / samples);
        let (z, outcomes) = self.solve(queries.len(), oracle_of, prepare, limits);
        let answers = Answers {
            config: &self.config,
            lambdas: &lambdas,
            queries: &queries,
            z: &z,
            outcomes: &outcomes,
        };
        Ok(answers.gradient(&saved.states))
    }

    /// Checks `grad_z` and sets it to zero where a sample failed.
    fn check_grad_z(&self, states: &States, grad_z: &[f64]) -> Result<Vec<f64>, Error> {
        let invalid = |message| Err(Error::new(ErrorKind::InvalidInput, message));
        let (samples, dim) = (self.config.samples, self.dim);
        if grad_z.len() != states.z.len() {
            return invalid(format!(
                "grad_z has {} values for states of [{}, {samples}, {dim}]",
                grad_z.len(),
                states.rows()
            ));
        }
        let mut checked = grad_z.to_vec();
        for (item, grad) in checked.chunks_exact_mut(dim).enumerate() {
            if states.outcomes[item].is_err() {
                grad.fill(0.0);
            } else if let Some(column) = grad.iter().position(|value| !value.is_finite()) {
                let (row, sample) = (item / samples, item % samples);
                return invalid(format!(
                    "grad_z is {} at row {row}, sample {sample}, column {column}",
                    grad[column]
                ));
            }
        }
        Ok(checked)
    }

    /// The step of each row, from its samples that were solved.
    fn lambdas(&self, saved: &Saved, grad_z: &[f64]) -> Vec<f64> {
        let (samples, dim) = (self.config.samples, self.dim);
        let rows = saved
            .theta
            .chunks_exact(dim)
            .zip(grad_z.chunks_exact(samples * dim));
        rows.zip(saved.states.outcomes.chunks_exact(samples))
            .map(|((theta, grad_z), outcomes)| {
                let with_outcomes = grad_z.chunks_exact(dim).zip(outcomes);
                let solved = with_outcomes.filter(|(_, outcome)| outcome.is_ok());
                let grad_z: Vec<f64> = solved.flat_map(|(grad, _)| grad).copied().collect();
                self.config.target.lambda(theta, &grad_z)
            })
            .collect()
    }
}

/// The states of a forward pass and what its backward pass needs; used once.
#[derive(Debug)]
pub struct Saved {
    states: States,
    theta: Vec<f64>, // in the sense of the oracle: to be maximised
    oracles: Oracles,
    call: Call<'static>,
    layer: Identity,
}

impl Saved {
    /// The states, row-major `[rows, samples, dim]`.
    #[must_use]
    pub fn z(&self) -> &[f64] {
        self.states.z()
    }

    /// The states with their outcomes.
    #[must_use]
    pub fn states(&self) -> &States {
        &self.states
    }
}
