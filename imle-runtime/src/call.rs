//! One call: where its noise lives and when it gives up.

use imle_api::Limits;

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
    pub(crate) number: u64,
    pub(crate) first_row: u64,
    pub(crate) limits: Limits<'a>,
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
