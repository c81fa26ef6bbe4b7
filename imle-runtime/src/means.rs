//! The means of samples that were not kept.

use imle_api::Error;

use crate::pass::Pass;
use crate::states::{RowError, States};
use crate::summation::{Summation, Sums, Tally, add};

/// The mean of the samples of each row, `mu`, `[rows, dim]`, and which samples are not in it.
///
/// Made by [`Pass::sample_means`], in memory that does not grow with the number of samples.
#[derive(Clone, Debug)]
pub struct Means {
    dim: usize,
    samples: usize,
    mu: Vec<f64>,
    /// Of the states. Those of integers are exact, other than means.
    sums: Vec<f64>,
    tallies: Vec<Tally>,
    errors: Vec<RowError>,
}

impl Means {
    /// The means `mu`, row-major `[rows, dim]`: over the solved samples of each row, NaN if there is none.
    #[must_use]
    pub fn mu(&self) -> &[f64] {
        &self.mu
    }

    /// The number of coordinates of a mean.
    #[must_use]
    pub fn dim(&self) -> usize {
        self.dim
    }

    /// The number of rows.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.tallies.len()
    }

    /// The number of samples that were asked for, of each row.
    #[must_use]
    pub fn samples(&self) -> usize {
        self.samples
    }

    /// The number of samples of a row that were solved.
    #[must_use]
    pub fn solved(&self, row: usize) -> usize {
        self.tallies[row].solved
    }

    /// The samples that could not be solved and are left out, by row and sample.
    #[must_use]
    pub fn errors(&self) -> &[RowError] {
        &self.errors
    }

    /// Returns the means if every sample was solved.
    ///
    /// # Errors
    ///
    /// The error of the first sample that was not.
    pub fn all_solved(&self) -> Result<&Self, Error> {
        match self.errors.first() {
            None => Ok(self),
            Some(failed) => Err(failed.clone().into()),
        }
    }

    /// Takes the means of samples that were kept.
    #[must_use]
    pub fn of(states: &States) -> Self {
        let mut sums = Sums {
            z: vec![0.0; states.rows() * states.dim],
            tallies: vec![Tally::EMPTY; states.rows()],
        };
        for (row, z) in sums.z.chunks_exact_mut(states.dim).enumerate() {
            for item in states.solved(row) {
                sums.tallies[row].count(states.reach[item]);
                add(z, states.state(item));
            }
        }
        for RowError { row, sample, error } in states.errors() {
            sums.tallies[row].errors.push((sample, error));
        }
        Self::new(states.samples, states.dim, sums)
    }

    fn new(samples: usize, dim: usize, sums: Sums) -> Self {
        let Sums { z, mut tallies } = sums;
        let mut mu = z.clone();
        let mut errors = Vec::new();
        for (row, (mu, tally)) in mu.chunks_exact_mut(dim).zip(&mut tallies).enumerate() {
            let count = tally.solved as f64;
            mu.iter_mut().for_each(|mu| *mu /= count); // 0 / 0 is NaN
            let failed = tally.errors.drain(..);
            errors.extend(failed.map(|(sample, error)| RowError { row, sample, error }));
        }
        Self {
            dim,
            samples,
            mu,
            sums: z,
            tallies,
            errors,
        }
    }

    /// The sum of the states of a row.
    pub(crate) fn sum(&self, row: usize) -> &[f64] {
        &self.sums[row * self.dim..][..self.dim]
    }

    /// How far theta of a row can move before the state of any of its samples may change.
    pub(crate) fn reach(&self, row: usize) -> f64 {
        self.tallies[row].reach
    }

    /// Whether a sample could not be solved.
    pub(crate) fn failed(&self, row: usize, sample: usize) -> bool {
        let place = |error: &RowError| (error.row, error.sample);
        !self.errors.is_empty()
            && self
                .errors
                .binary_search_by_key(&(row, sample), place)
                .is_ok()
    }
}

impl Pass<'_> {
    /// Samples states as [`sample`](Self::sample) does, and keeps only their means: the memory does not grow with
    /// the number of samples.
    #[must_use]
    pub fn sample_means(&self) -> Means {
        let rows: Vec<usize> = (0..self.rows()).collect();
        let sums = self.sum(&Summation {
            rows: &rows,
            sides: 1,
            base: &|row, _, theta| self.base(row, theta),
            wanted: &|_, _| true,
        });
        Means::new(self.sampling.samples, self.dim, sums)
    }

    /// Theta of a row, which its samples perturb, and the temperature.
    pub(crate) fn base(&self, row: usize, theta: &mut [f64]) -> f64 {
        theta.copy_from_slice(self.theta_row(row));
        self.tau(row)
    }
}
