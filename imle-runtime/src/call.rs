//! One call: where its noise lives and when it gives up.

use imle_api::{Error, ErrorKind, Limits};

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
/// let shuffled = Call::from(17).with_rows(&[3, 0, 2]); // the examples that this batch holds
/// # let _ = (second_half, shuffled);
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Call<'a> {
    pub(crate) number: u64,
    rows: Rows<'a>,
    pub(crate) limits: Limits<'a>,
}

/// How the rows of a call are numbered.
#[derive(Clone, Copy, Debug)]
enum Rows<'a> {
    From(u64),
    Each(&'a [u64]),
}

impl Default for Rows<'_> {
    fn default() -> Self {
        Self::From(0)
    }
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
        let rows = Rows::From(first_row);
        Self { rows, ..self }
    }

    /// Numbers each row, as by the index of its example in the data set: in batches that are shuffled, or split
    /// in any way, an example keeps its noise and whatever else goes by row, like a controller of
    /// [`Aimle`](crate::Aimle) or the coin of a [`Pool`](crate::Pool).
    ///
    /// Rows with the same number have the same noise.
    #[must_use]
    pub fn with_rows(self, rows: &'a [u64]) -> Self {
        let rows = Rows::Each(rows);
        Self { rows, ..self }
    }

    /// Sets a time limit and a stop flag.
    #[must_use]
    pub fn within(self, limits: Limits<'a>) -> Self {
        Self { limits, ..self }
    }

    /// The number of a row.
    pub(crate) fn row(&self, row: usize) -> u64 {
        match self.rows {
            Rows::From(first) => first.wrapping_add(row as u64),
            Rows::Each(rows) => rows[row],
        }
    }

    /// Checks that every row has a number.
    pub(crate) fn check_rows(&self, rows: usize) -> Result<(), Error> {
        match self.rows {
            Rows::Each(numbers) if numbers.len() != rows => {
                let message = format!(
                    "`with_rows` numbers {} rows, and theta has {rows}",
                    numbers.len()
                );
                Err(Error::new(ErrorKind::InvalidInput, message))
            }
            _ => Ok(()),
        }
    }
}
