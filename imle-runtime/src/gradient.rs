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
