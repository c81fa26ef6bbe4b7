//! When to look at the clock, and how to fail.

use imle_api::{Error, ErrorKind, Limits};

/// Steps between two looks at the limits.
const STEPS: u32 = 100;
/// Nodes of one search: a search of more goes on for hours.
const NODES: u64 = 1 << 32;
/// Branchings above a node: integers without bounds can be branched on for ever.
const DEPTH: usize = 1 << 16;

/// The limits of one row.
#[derive(Debug)]
pub(crate) struct Budget<'a> {
    limits: &'a Limits<'a>,
    left: u32,
    nodes: u64,
}

impl<'a> Budget<'a> {
    pub(crate) fn new(limits: &'a Limits<'a>) -> Self {
        Self {
            limits,
            left: STEPS,
            nodes: 0,
        }
    }

    /// Counts a pivot or a piece of work like it.
    pub(crate) fn step(&mut self) -> Result<(), Error> {
        self.left -= 1;
        if self.left == 0 {
            self.left = STEPS;
            self.limits.check()?;
        }
        Ok(())
    }

    /// Counts a node at some depth.
    pub(crate) fn node(&mut self, depth: usize) -> Result<(), Error> {
        self.nodes += 1;
        if self.nodes > NODES || depth > DEPTH {
            let message =
                "the search for integers grew too large; do all integer variables have bounds?";
            return Err(Error::new(ErrorKind::LimitReached, message));
        }
        self.step()
    }
}

/// A numerical failure.
pub(crate) fn failed(why: impl Into<String>) -> Error {
    Error::new(ErrorKind::BackendFailed, why.into())
}
