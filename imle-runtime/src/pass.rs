//! One pass over a batch: what an estimator or a loss may ask.

use std::cell::Cell;

use imle_api::{Error, ErrorKind, Facts, Limits, Proof, Solved, first_not_finite};

use crate::batch::Batch;
use crate::call::Call;
use crate::exact::marginals_of_row;
use crate::gradient::Gradient;
use crate::noise::Address;
use crate::oracles::Oracles;
use crate::sampling::Sampling;
use crate::states::{RowError, States};

/// One pass over a batch: theta of each row, who solves it, and where its noise lives.
///
/// Everything here is to be maximised. With `sense = minimize` the layer has turned costs into theta
/// before, and turns the gradient back afterwards, so an [`Estimator`](crate::Estimator) or a
/// [`Loss`](crate::Loss) knows one sense only.
///
/// A sample is addressed by its *item*, `row * samples + sample`.
#[derive(Debug)]
pub struct Pass<'a> {
    pub(crate) sampling: &'a Sampling,
    pub(crate) batch: &'a Batch,
    pub(crate) dim: usize,
    pub(crate) theta: &'a [f64],
    pub(crate) oracles: &'a Oracles,
    pub(crate) call: Call<'a>,
}

impl Pass<'_> {
    /// The number of coordinates of theta and of a state.
    #[must_use]
    pub fn dim(&self) -> usize {
        self.dim
    }

    /// The number of rows.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.theta.len() / self.dim
    }

    /// The settings of the layer.
    #[must_use]
    pub fn sampling(&self) -> &Sampling {
        self.sampling
    }

    /// Theta of all rows, `[rows, dim]`.
    #[must_use]
    pub fn theta(&self) -> &[f64] {
        self.theta
    }

    /// Theta of the row of an item, `[dim]`.
    #[must_use]
    pub fn theta_of(&self, item: usize) -> &[f64] {
        self.theta_row(item / self.sampling.samples)
    }

    /// Where the noise of an item lives.
    #[must_use]
    pub fn address(&self, item: usize) -> Address {
        let (row, sample) = (item / self.sampling.samples, item % self.sampling.samples);
        Address {
            seed: self.sampling.seed,
            call: self.call.number,
            row: self.row_number(row),
            sample: sample as u64,
        }
    }

    /// The number of a row, as the call has it: the same for any split of a batch.
    #[must_use]
    pub fn row_number(&self, row: usize) -> u64 {
        self.call.row(row)
    }

    /// The temperature of a row.
    #[must_use]
    pub fn tau(&self, row: usize) -> f64 {
        self.sampling
            .tau
            .of(&self.theta[row * self.dim..][..self.dim])
    }

    /// What holds for the states of a row.
    #[must_use]
    pub fn facts(&self, row: usize) -> Facts {
        self.oracles.of(row).facts()
    }

    /// Writes the noise of an item, at unit temperature. The same item always gets the same.
    ///
    /// # Errors
    ///
    /// As [`Noise::fill`](crate::Noise::fill).
    pub fn eps(&self, item: usize, eps: &mut [f64]) -> Result<(), Error> {
        let mirrored = self.sampling.antithetic && item % self.sampling.samples % 2 == 1;
        let address = self.address(item - usize::from(mirrored));
        self.sampling.noise.fill(&address, eps)?;
        if mirrored {
            eps.iter_mut().for_each(|eps| *eps = -*eps);
        }
        Ok(())
    }

    /// The samples whose noise is that of a sample, up to its sign: itself, or the two of an antithetic pair.
    pub(crate) fn partners(&self, sample: usize) -> std::ops::Range<usize> {
        if !self.sampling.antithetic {
            return sample..sample + 1;
        }
        let first = sample - sample % 2;
        first..(first + 2).min(self.sampling.samples)
    }

    /// Adds `tau eps` of an item to `theta`.
    ///
    /// # Errors
    ///
    /// As [`Noise::fill`](crate::Noise::fill).
    pub fn perturb(&self, item: usize, tau: f64, theta: &mut [f64]) -> Result<(), Error> {
        thread_local! {
            /// Taken out while it is used: noise of a user's own may do anything.
            static EPS: Cell<Vec<f64>> = const { Cell::new(Vec::new()) };
        }
        let mut eps = EPS.take();
        eps.resize(theta.len(), 0.0);
        let drawn = self.eps(item, &mut eps);
        if drawn.is_ok() {
            let pairs = theta.iter_mut().zip(&eps);
            pairs.for_each(|(theta, eps)| *theta += tau * eps);
        }
        EPS.set(eps);
        drawn
    }

    /// Samples states: `MAP(theta + tau eps)` of every item, `[rows, samples, dim]`.
    #[must_use]
    pub fn sample(&self) -> States {
        self.sample_with(|item, theta| self.perturbed(item, theta))
    }

    /// Writes `theta + tau eps` of an item.
    ///
    /// # Errors
    ///
    /// As [`Noise::fill`](crate::Noise::fill).
    pub fn perturbed(&self, item: usize, theta: &mut [f64]) -> Result<(), Error> {
        theta.copy_from_slice(self.theta_of(item));
        self.perturb(item, self.tau(item / self.sampling.samples), theta)
    }

    /// Solves one theta for every item, `[rows, samples, dim]`: `prepare` writes it, all of it, over anything.
    pub fn sample_with(
        &self,
        prepare: impl Fn(usize, &mut [f64]) -> Result<(), Error> + Sync,
    ) -> States {
        let samples = self.sampling.samples;
        self.solve_each(samples, |row, sample, theta| {
            prepare(row * samples + sample, theta)
        })
    }

    /// Solves without noise: `MAP(theta)` of every row, `[rows, 1, dim]`.
    #[must_use]
    pub fn map(&self) -> States {
        self.solve_each(1, |row, _, theta| {
            theta.copy_from_slice(self.theta_row(row));
            Ok(())
        })
    }

    /// Solves `queries` thetas, each over the feasible set of a row: `row_of` names that row and `prepare`
    /// writes theta. The states are `[queries, 1, dim]`.
    ///
    /// A query that cannot be prepared, or whose theta is not finite, fails alone.
    pub fn solve(
        &self,
        queries: usize,
        row_of: impl Fn(usize) -> usize + Sync,
        prepare: impl Fn(usize, &mut [f64]) -> Result<(), Error> + Sync,
    ) -> States {
        let oracle_of = |query| self.oracles.of(row_of(query));
        let limits = &self.call.limits;
        self.batch
            .solve(queries, self.dim, oracle_of, prepare, limits)
    }

    /// Makes states without the oracle, `[queries, 1, dim]`: `write` writes each, on any thread, and returns
    /// its objective.
    ///
    /// One that cannot be written fails alone.
    pub fn compute(
        &self,
        queries: usize,
        write: impl Fn(usize, &mut [f64]) -> Result<f64, Error> + Sync,
    ) -> States {
        self.batch.compute(queries, self.dim, |query, z| {
            self.call.limits.check()?;
            let objective = write(query, z)?;
            let proof = Proof::NONE;
            Ok(Solved { objective, proof })
        })
    }

    /// Returns a gradient that is the mean of one vector for each sample: `write` writes that of an item.
    ///
    /// Samples of `states` that failed, those that `write` fails for and those whose vector is not finite are left out
    /// and reported.
    pub fn mean_over_samples(
        &self,
        states: &States,
        write: impl Fn(usize, &mut [f64]) -> Result<(), Error> + Sync,
    ) -> Gradient {
        let vectors = self.compute(states.outcomes.len(), |item, vector| {
            states.outcomes[item].clone()?;
            write(item, vector)?;
            match first_not_finite(vector) {
                None => Ok(0.0),
                Some(column) => Err(not_finite(vector[column], column)),
            }
        });
        let vectors = States {
            samples: states.samples,
            ..vectors
        };
        let mut theta = vectors.marginals();
        for (row, theta) in theta.chunks_exact_mut(self.dim).enumerate() {
            if vectors.solved(row).next().is_none() {
                theta.fill(0.0);
            }
        }
        let errors: Vec<RowError> = vectors.errors().collect();
        Gradient {
            theta,
            errors,
            ..Gradient::default()
        }
    }

    /// Solves `queries` thetas for every row: `prepare` is told the row and the number of the query, and
    /// writes theta. The states are `[rows, queries, dim]`.
    ///
    /// Fails as [`solve`](Self::solve) does.
    pub fn solve_each(
        &self,
        queries: usize,
        prepare: impl Fn(usize, usize, &mut [f64]) -> Result<(), Error> + Sync,
    ) -> States {
        let states = self.solve(
            self.rows() * queries,
            |item| item / queries,
            |item, theta| prepare(item / queries, item % queries, theta),
        );
        States {
            samples: queries,
            ..states
        }
    }

    /// Writes the exact marginals of a row's oracle under `theta`, at unit temperature, and returns the log-partition.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Unsupported`] if the oracle has none, and what its computation of them returns.
    pub fn marginals(&self, row: usize, theta: &[f64], mu: &mut [f64]) -> Result<f64, Error> {
        marginals_of_row(self.oracles.of(row), theta, mu, &self.call.limits)
    }

    /// Theta of a row, `[dim]`.
    #[must_use]
    pub fn theta_row(&self, row: usize) -> &[f64] {
        &self.theta[row * self.dim..][..self.dim]
    }

    /// Checks that the layer has a pool of solutions.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidInput`] if it has none.
    pub fn check_pool(&self) -> Result<(), Error> {
        let message = "this loss compares states of a pool: give the layer one, `with_pool`";
        match (0..self.rows()).all(|row| self.oracles.pooled(row).is_some()) {
            true => Ok(()),
            false => Err(Error::new(ErrorKind::InvalidInput, message)),
        }
    }

    /// The states of a row's instance that the pool of this layer knows, `[count, dim]`; at least one.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidInput`] if there is no pool or it knows none.
    pub fn known_states(&self, row: usize) -> Result<&[f64], Error> {
        match self.oracles.pooled(row) {
            Some(pooled) if pooled.known.len() > 0 => Ok(pooled.known.states()),
            _ => {
                let message = "the pool knows no state of this row's instance: insert some first";
                Err(Error::new(ErrorKind::InvalidInput, message))
            }
        }
    }

    /// Whether a row is solved, and not looked up in a pool.
    #[must_use]
    pub fn is_solved(&self, row: usize) -> bool {
        self.oracles.pooled(row).is_none_or(|pooled| pooled.solved)
    }

    /// The time limit and the stop flag of this pass.
    #[must_use]
    pub fn limits(&self) -> &Limits<'_> {
        &self.call.limits
    }
}

fn not_finite(value: f64, column: usize) -> Error {
    let message = format!(
        "the gradient of this sample is {value} at column {column}: theta or the loss is too large, or the temperature \
         is zero (a relative one with floor = 0 is, where theta does not spread)"
    );
    Error::new(ErrorKind::InvalidTheta, message)
}
