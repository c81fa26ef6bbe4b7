//! What lies between a forward pass and its backward pass.

use imle_api::Identity;

use crate::buffers::Buffer;
use crate::means::Means;
use crate::oracles::Oracles;
use crate::states::States;

/// What a forward pass returned and its backward pass needs; used once. `Saved<Means>` is that of
/// [`Layer::forward_mean`](crate::Layer::forward_mean).
#[derive(Debug)]
pub struct Saved<Sampled = States> {
    pub(crate) sampled: Sampled,
    pub(crate) theta: Buffer<f64>, // in the sense of the oracle: to be maximised
    pub(crate) oracles: Oracles,
    pub(crate) call: u64,
    pub(crate) row_numbers: Vec<u64>,
    pub(crate) layer: Identity,
}

impl Saved {
    /// The states, row-major `[rows, samples, dim]`.
    #[must_use]
    pub fn z(&self) -> &[f64] {
        self.sampled.z()
    }

    /// The states with their outcomes.
    #[must_use]
    pub fn states(&self) -> &States {
        &self.sampled
    }
}

impl Saved<Means> {
    /// The means of the states, row-major `[rows, dim]`; NaN where no sample of a row was solved.
    #[must_use]
    pub fn mu(&self) -> &[f64] {
        self.sampled.mu()
    }

    /// The means with what became of the samples.
    #[must_use]
    pub fn means(&self) -> &Means {
        &self.sampled
    }
}
