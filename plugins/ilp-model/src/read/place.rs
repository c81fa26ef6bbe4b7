//! Where in a text something stands, so that errors can say so.

use std::fmt;

use imle_api::Error;

use crate::invalid;

/// A line and a column, both counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) line: usize,
    pub(crate) column: usize,
}

impl Place {
    /// The error that `message` is, at this place.
    pub(crate) fn error(self, message: impl fmt::Display) -> Error {
        invalid(format!(
            "line {}, column {}: {message}",
            self.line, self.column
        ))
    }
}
