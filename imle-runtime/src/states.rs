//! What comes back from a batch: states, and the reasons where there are none.

use imle_api::{Error, Outcome};

use crate::buffers::Buffer;

/// The states of one call, `[rows, samples, dim]`, and what became of each.
///
/// A sample that could not be solved has its own error and NaN in every coordinate; the others are not
/// affected.
#[derive(Clone, Debug)]
pub struct States {
    pub(crate) dim: usize,
    pub(crate) samples: usize,
    pub(crate) z: Buffer<f64>,
    pub(crate) outcomes: Buffer<Outcome>,
    /// How far theta can move under each before it may change; zero if nothing is known.
    pub(crate) reach: Buffer<f64>,
}

impl States {
    /// The states, row-major `[rows, samples, dim]`.
    #[must_use]
    pub fn z(&self) -> &[f64] {
        &self.z
    }

    /// The number of coordinates of a state.
    #[must_use]
    pub fn dim(&self) -> usize {
        self.dim
    }

    /// The number of samples of a row.
    #[must_use]
    pub fn samples(&self) -> usize {
        self.samples
    }

    /// The number of rows.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.outcomes.len() / self.samples
    }

    /// What became of each sample, `[rows, samples]`.
    ///
    /// Objectives are what the oracle maximised, `<z, theta>` with the perturbed theta: with
    /// `sense = minimize` that is the negated cost.
    pub fn outcomes(&self) -> &[Outcome] {
        &self.outcomes
    }

    /// The samples that could not be solved.
    pub fn errors(&self) -> impl Iterator<Item = RowError> {
        row_errors(&self.outcomes, self.samples)
    }

    /// Returns the states if every sample was solved.
    ///
    /// # Errors
    ///
    /// The error of the first sample that was not.
    pub fn all_solved(&self) -> Result<&Self, Error> {
        match self.errors().next() {
            None => Ok(self),
            Some(failed) => Err(failed.into()),
        }
    }

    /// Returns the marginals `mu`, `[rows, dim]`: the mean over the solved samples of each row, NaN if
    /// there is none.
    ///
    /// Under Gumbel noise on every state this estimates `E[z]` of the exponential family
    /// `p(z; theta)` (Section 3 of the I-MLE paper).
    #[must_use]
    pub fn marginals(&self) -> Vec<f64> {
        let mut mu = vec![0.0; self.rows() * self.dim];
        for (row, mu) in mu.chunks_exact_mut(self.dim).enumerate() {
            for item in self.solved(row) {
                let z = self.state(item);
                mu.iter_mut().zip(z).for_each(|(mu, z)| *mu += z);
            }
            let solved = self.solved(row).count() as f64;
            mu.iter_mut().for_each(|mu| *mu /= solved);
        }
        mu
    }

    /// The samples of a row that were solved, as items `row * samples + sample`.
    pub fn solved(&self, row: usize) -> impl Iterator<Item = usize> {
        let items = row * self.samples..(row + 1) * self.samples;
        items.filter(|&item| self.outcomes[item].is_ok())
    }

    /// The state of an item, `row * samples + sample`; NaN if it was not solved.
    #[must_use]
    pub fn state(&self, item: usize) -> &[f64] {
        &self.z[item * self.dim..][..self.dim]
    }
}

/// One sample that could not be solved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowError {
    /// The row of theta.
    pub row: usize,
    /// The sample of that row.
    pub sample: usize,
    /// Why.
    pub error: Error,
}

impl From<RowError> for Error {
    fn from(failed: RowError) -> Self {
        let RowError { row, sample, error } = failed;
        error.within(format_args!("row {row}, sample {sample}"))
    }
}

pub(crate) fn row_errors(outcomes: &[Outcome], samples: usize) -> impl Iterator<Item = RowError> {
    outcomes
        .iter()
        .enumerate()
        .filter_map(move |(at, outcome)| {
            outcome.as_ref().err().map(|error| RowError {
                row: at / samples,
                sample: at % samples,
                error: error.clone(),
            })
        })
}
