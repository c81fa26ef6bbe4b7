//! What comes back from a backward pass.

use imle_api::Error;

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
