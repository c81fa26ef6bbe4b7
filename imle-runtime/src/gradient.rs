//! What comes back from a backward pass.

use imle_api::{Error, ErrorKind};

use crate::batch::Batch;
use crate::states::RowError;

/// The gradient of a backward pass.
#[derive(Clone, Debug, Default)]
pub struct Gradient {
    /// The gradient in theta, row-major `[rows, dim]`; in the costs if `sense = minimize`.
    pub theta: Vec<f64>,
    /// The samples that could not be solved, in forward or in backward, and are left out.
    pub errors: Vec<RowError>,
    /// How many solves the backward pass asked for.
    pub solves: usize,
    /// How many more it did without, of samples that were solved: their `grad_z` or lambda is zero, or what the
    /// solver proved of the state covers the step to the target ([`Proof::radius`](crate::Proof::radius)).
    pub skipped: usize,
}

impl Gradient {
    /// Reports all samples of a row whose gradient is not finite, and sets it to zero: as where a difference is divided
    /// by a lambda of 1e-310.
    pub(crate) fn finite(mut self, batch: &Batch, dim: usize, samples: usize) -> Self {
        self.errors.sort_by_key(|error| (error.row, error.sample));
        let reported = self.errors.len(); // in order, and looked for there only
        for (row, column) in batch.not_finite(&self.theta, dim, |_| true) {
            let theta = &mut self.theta[row * dim..][..dim];
            let message = format!(
                "the gradient of this row is {} at column {column}: lambda is too small to divide by, or the loss too large",
                theta[column]
            );
            theta.fill(0.0);
            for sample in 0..samples {
                let known = &self.errors[..reported];
                let place = |error: &RowError| (error.row, error.sample);
                if known.binary_search_by_key(&(row, sample), place).is_err() {
                    let error = Error::new(ErrorKind::InvalidInput, message.clone());
                    self.errors.push(RowError { row, sample, error });
                }
            }
        }
        self.errors.sort_by_key(|error| (error.row, error.sample));
        self
    }

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
