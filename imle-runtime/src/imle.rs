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
//! The noise is not stored: it is drawn again from its address (noise.rs). Rows go to threads in batch.rs.

use std::sync::Arc;

use imle_api::{Error, ErrorKind, Limits, Oracle, Outcome, check_theta, unset};
use serde::{Deserialize, Serialize};

use crate::batch::{Batch, Oracles};
use crate::noise::{Address, Gumbel, Noise};
use crate::states::{RowError, States};
use crate::target::{RelativePid, Target};

/// The settings of an [`Imle`] layer.
///
/// ```
/// use imle_runtime::{ImleConfig, SumOfGamma};
/// use std::sync::Arc;
///
/// let config = ImleConfig {
///     samples: 4,
///     noise: Arc::new(SumOfGamma { kappa: 3.0, terms: 10 }),
///     ..ImleConfig::default()
/// };
/// assert_eq!(config.tau, 1.0);
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ImleConfig {
    /// Whether theta is a reward to maximise or a cost to minimise.
    pub sense: Sense,
    /// The number of samples of each row; at least 1.
    pub samples: usize,
    /// The seed of the noise.
    pub seed: u64,
    /// The temperature of the noise.
    pub tau: f64,
    /// The temperature on the target side, if it is another one. The raw noise is the same.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tau_target: Option<f64>,
    /// The distribution of the noise.
    pub noise: Arc<dyn Noise>,
    /// The target distribution.
    pub target: Arc<dyn Target>,
    /// On which sides of theta the gradient looks.
    pub difference: Difference,
    /// Whether the gradient is divided by lambda, as a derivative is (Eq. 12). The paper's Algorithm 1
    /// leaves it to the learning rate.
    pub divide_by_lambda: bool,
    /// The number of threads; 0 for all cores. Results do not depend on it.
    pub threads: usize,
}

impl Default for ImleConfig {
    fn default() -> Self {
        Self {
            sense: Sense::Maximize,
            samples: 1,
            seed: 0,
            tau: 1.0,
            tau_target: None,
            noise: Arc::new(Gumbel),
            target: Arc::new(RelativePid { ratio: 1.0 }),
            difference: Difference::OneSided,
            divide_by_lambda: false,
            threads: 0,
        }
    }
}

impl ImleConfig {
    fn validate(&self) -> Result<(), Error> {
        let invalid = |message: String| Err(Error::new(ErrorKind::InvalidConfig, message));
        if self.samples == 0 {
            return invalid("samples = 0; use at least 1".to_owned());
        }
        for (name, tau) in [
            ("tau", self.tau),
            ("tau_target", self.tau_target.unwrap_or(0.0)),
        ] {
            if !(tau.is_finite() && tau >= 0.0) {
                return invalid(format!("{name} = {tau} is not a number from 0 up"));
            }
        }
        self.noise.validate().map_err(|why| why.within("noise"))?;
        self.target.validate().map_err(|why| why.within("target"))
    }
}

/// What theta means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Sense {
    /// Theta is a reward: states maximise `<z, theta>`.
    #[default]
    Maximize,
    /// Theta is a cost: states minimise `<z, theta>`. Noise, target and gradient follow.
    Minimize,
}

impl Sense {
    /// Turns costs into rewards, and a gradient in rewards into one in costs.
    fn flip(self, values: &mut [f64]) {
        if self == Self::Minimize {
            // Not `-value`, which makes a zero negative.
            values.iter_mut().for_each(|value| *value = 0.0 - *value);
        }
    }
}

/// On which sides of theta the gradient looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Difference {
    /// `z - MAP(theta - lambda grad_z + tau eps)`, as in the paper: one more solve a sample.
    #[default]
    OneSided,
    /// `(MAP(theta + lambda grad_z + tau eps) - MAP(theta - lambda grad_z + tau eps)) / 2`: two more
    /// solves. With a large lambda both sides saturate and the gradient forgets theta: keep it small.
    Central,
}

/// The address and the limits of one call.
///
/// The number is part of the address of the noise: use the training step. A bare number will do where a
/// `Call` is asked for.
///
/// ```
/// use imle_runtime::{Call, Limits};
/// use std::time::Duration;
///
/// let second_half = Call::from(17).from_row(500).within(Limits::none().with_time(Duration::from_secs(2)));
/// # let _ = second_half;
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Call<'a> {
    number: u64,
    first_row: u64,
    limits: Limits<'a>,
}

impl From<u64> for Call<'_> {
    fn from(number: u64) -> Self {
        Self {
            number,
            ..Self::default()
        }
    }
}

impl<'a> Call<'a> {
    /// Counts the rows from `first_row`: a batch that is split into several calls gets the noise of the
    /// whole.
    #[must_use]
    pub fn from_row(self, first_row: u64) -> Self {
        Self { first_row, ..self }
    }

    /// Sets a time limit and a stop flag.
    #[must_use]
    pub fn within(self, limits: Limits<'a>) -> Self {
        Self { limits, ..self }
    }
}

/// A layer that samples states and learns through them. See the [crate documentation](crate) for a
/// program.
#[derive(Debug)]
pub struct Imle {
    config: ImleConfig,
    dim: usize,
    oracle: Oracles,
    batch: Batch,
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
        self.sample(Oracles::Each(oracles.into()).pinned(), theta, call.into())
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
        let mut theta = theta.to_vec();
        let rows = check_theta(&theta, self.dim)?;
        self.config.sense.flip(&mut theta);
        let oracle = self.oracle.pinned();
        let prepare = |row: usize, out: &mut [f64]| {
            out.copy_from_slice(&theta[row * self.dim..][..self.dim]);
            Ok(())
        };
        let solved = self.solve(rows, |row| oracle.of(row), prepare, &Limits::none());
        Ok(self.states(1, solved))
    }

    fn sample(&self, oracles: Oracles, theta: &[f64], call: Call<'_>) -> Result<Saved, Error> {
        let rows = check_theta(theta, self.dim)?;
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
        })
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
            row: call.first_row + row as u64,
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
        let grad_z = self.check_grad_z(&saved.states, grad_z)?;
        let lambdas = self.lambdas(&saved, &grad_z);
        let queries = self.queries(&lambdas, &grad_z);
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
        let sides = Sides {
            queries: &queries,
            z: &z,
            outcomes: &outcomes,
        };
        Ok(self.differences(&saved.states, &lambdas, &sides))
    }

    /// Checks `grad_z` and sets it to zero where a sample failed.
    fn check_grad_z(&self, states: &States, grad_z: &[f64]) -> Result<Vec<f64>, Error> {
        let invalid = |message| Err(Error::new(ErrorKind::InvalidInput, message));
        let (samples, dim) = (self.config.samples, self.dim);
        if states.dim != dim || states.samples != samples {
            return invalid("the saved states come from a layer of another shape".to_owned());
        }
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

    fn lambdas(&self, saved: &Saved, grad_z: &[f64]) -> Vec<f64> {
        let rows = saved.theta.chunks_exact(self.dim);
        rows.zip(grad_z.chunks_exact(self.config.samples * self.dim))
            .map(|(theta, grad_z)| self.config.target.lambda(theta, grad_z))
            .collect()
    }

    /// The solves that the gradient needs: none for a sample whose `grad_z` or lambda is zero.
    fn queries(&self, lambdas: &[f64], grad_z: &[f64]) -> Vec<Query> {
        let mut queries = Vec::new();
        for (item, grad) in grad_z.chunks_exact(self.dim).enumerate() {
            let lambda = lambdas[item / self.config.samples];
            if lambda == 0.0 || grad.iter().all(|&grad| grad == 0.0) {
                continue;
            }
            queries.push(Query { item, lambda });
            if self.config.difference == Difference::Central {
                queries.push(Query {
                    item,
                    lambda: -lambda,
                });
            }
        }
        queries
    }

    /// Means of the differences between the two sides of each sample.
    fn differences(&self, states: &States, lambdas: &[f64], sides: &Sides<'_>) -> Gradient {
        let (samples, dim) = (self.config.samples, self.dim);
        let mut gradient = vec![0.0; states.rows() * dim];
        let mut solved: Vec<usize> = states
            .outcomes
            .chunks_exact(samples)
            .map(count_solved)
            .collect();
        let mut errors: Vec<RowError> = states.errors().collect();
        let sides_of_item = sides.queries.chunk_by(|a, b| a.item == b.item);
        let mut first = 0;
        for queries in sides_of_item {
            let item = queries[0].item;
            let row = item / samples;
            let gradient = &mut gradient[row * dim..][..dim];
            match sides.solved(first, queries.len(), dim) {
                Ok(z) => match self.config.difference {
                    Difference::OneSided => {
                        add_difference(gradient, &states.z[item * dim..][..dim], z, 1.0)
                    }
                    Difference::Central => add_difference(gradient, &z[dim..], &z[..dim], 0.5),
                },
                Err(error) => {
                    solved[row] -= 1;
                    let sample = item % samples;
                    errors.push(RowError { row, sample, error });
                }
            }
            first += queries.len();
        }
        for (row, gradient) in gradient.chunks_exact_mut(dim).enumerate() {
            let divisor = match self.config.divide_by_lambda {
                true if lambdas[row] != 0.0 => lambdas[row],
                _ => 1.0,
            };
            let count = solved[row].max(1) as f64;
            gradient
                .iter_mut()
                .for_each(|value| *value = *value / count / divisor);
        }
        self.config.sense.flip(&mut gradient);
        errors.sort_by_key(|error| (error.row, error.sample));
        Gradient {
            theta: gradient,
            errors,
            solves: sides.queries.len(),
        }
    }
}

fn count_solved(outcomes: &[Outcome]) -> usize {
    outcomes.iter().filter(|outcome| outcome.is_ok()).count()
}

/// Adds `weight (left - right)`.
fn add_difference(gradient: &mut [f64], left: &[f64], right: &[f64], weight: f64) {
    for ((gradient, left), right) in gradient.iter_mut().zip(left).zip(right) {
        *gradient += weight * (left - right);
    }
}

/// One solve of the backward pass: a sample and how far to step.
#[derive(Clone, Copy)]
struct Query {
    item: usize,
    lambda: f64,
}

/// The solved queries of a backward pass.
struct Sides<'a> {
    queries: &'a [Query],
    z: &'a [f64],
    outcomes: &'a [Outcome],
}

impl Sides<'_> {
    /// The states of `count` queries from `first`, if all were solved.
    fn solved(&self, first: usize, count: usize, dim: usize) -> Result<&[f64], Error> {
        let outcomes = &self.outcomes[first..first + count];
        if let Some(error) = outcomes.iter().find_map(|outcome| outcome.as_ref().err()) {
            return Err(error.clone());
        }
        Ok(&self.z[first * dim..(first + count) * dim])
    }
}

/// The states of a forward pass and what its backward pass needs; used once.
#[derive(Debug)]
pub struct Saved {
    states: States,
    theta: Vec<f64>, // in the sense of the oracle: to be maximised
    oracles: Oracles,
    call: Call<'static>,
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

/// The gradient of a backward pass.
#[derive(Clone, Debug)]
pub struct Gradient {
    /// The gradient in theta, row-major `[rows, dim]`; in the costs if `sense = minimize`.
    pub theta: Vec<f64>,
    /// The samples that could not be solved, in forward or in backward, and are left out.
    pub errors: Vec<RowError>,
    /// How many solves the backward pass asked for.
    pub solves: usize,
}

impl Gradient {
    /// Returns the gradient if every sample was solved.
    ///
    /// # Errors
    ///
    /// The error of the first sample that was not.
    pub fn all_solved(self) -> Result<Vec<f64>, Error> {
        match self.errors.into_iter().next() {
            None => Ok(self.theta),
            Some(failed) => Err(failed.into()),
        }
    }
}
