//! Losses: theta and a label -> a value and its gradient in theta.

mod active_set;
mod contrastive;
mod fenchel_young;
mod gap;
mod imitation;
mod labels;
mod maximum_likelihood;
mod perceptron;
mod pooled;
mod ranking;
mod regret;
mod sparse_map;
mod spo_plus;
mod structured_svm;
mod value;

use std::fmt;
use std::sync::Arc;

use imle_api::{Error, Oracle};

use crate::call::Call;
use crate::engine::Engine;
use crate::oracles::Oracles;
use crate::pass::Pass;
use crate::pool::Pool;
use crate::sampling::Sampling;

pub use contrastive::{ContrastiveMap, NoiseContrastive};
pub use fenchel_young::{FenchelYoung, FenchelYoungMultiplicative};
pub use imitation::{Imitation, Margin};
pub use labels::Labels;
pub use maximum_likelihood::{Examples, MaximumLikelihood};
pub use perceptron::Perceptron;
pub use ranking::{ListwiseRanking, PairwiseRanking, PointwiseRanking};
pub use regret::{DirectionalRegret, Regret};
pub use sparse_map::SparseMap;
pub use spo_plus::SpoPlus;
pub use structured_svm::StructuredSvm;
pub use value::LossValue;

/// A loss that looks at theta through a solver.
///
/// An open set, like [`Estimator`](crate::Estimator). A [`LossLayer`] checks what goes in, keeps the sense
/// of theta, and calls this; theta and the true theta of the labels are to be maximised here.
#[typetag::serde(tag = "type")]
pub trait Loss: fmt::Debug + Send + Sync {
    /// Checks the parameters, also against the settings that they are used with.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidConfig`](crate::ErrorKind::InvalidConfig) with the offending value.
    fn validate(&self, _: &Sampling) -> Result<(), Error> {
        Ok(())
    }

    /// Returns the loss of each row and its gradient in theta.
    ///
    /// `labels` fit the rows and are finite.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidInput`](crate::ErrorKind::InvalidInput) if a label that it needs is not there.
    fn evaluate(&self, pass: &Pass<'_>, labels: &Labels<'_>) -> Result<LossValue, Error>;
}

/// A loss over an oracle.
///
/// ```
/// use imle_runtime::{Facts, FnOracle, Labels, LossLayer, Sampling, Sense, SpoPlus};
/// use std::sync::Arc;
///
/// let cheapest = FnOracle::new(Facts::binary(3).with_ones(1), |theta, z| {
///     let best = (1..3).fold(0, |best, i| if theta[i] > theta[best] { i } else { best });
///     z.fill(0.0);
///     z[best] = 1.0;
///     Ok(())
/// });
/// let sampling = Sampling { sense: Sense::Minimize, ..Sampling::default() };
/// let loss = LossLayer::new(Arc::new(cheapest), SpoPlus, sampling)?;
///
/// let (predicted, costs) = ([1.0, 2.0, 3.0], [3.0, 1.0, 2.0]);
/// let best = [0.0, 1.0, 0.0]; // the best state under `costs`
/// let value = loss.evaluate(&predicted, &Labels::theta(&costs).with_states(&best), 0)?.all_solved()?;
/// assert_eq!(value.losses, [4.0]); // max over z of <z, costs - 2 predicted> + <best, 2 predicted - costs>
/// assert_eq!(value.theta, [-2.0, 2.0, 0.0]);
/// # Ok::<(), imle_runtime::Error>(())
/// ```
#[derive(Debug)]
pub struct LossLayer {
    engine: Engine,
    loss: Arc<dyn Loss>,
}

impl LossLayer {
    /// Puts a loss over an oracle.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidConfig`](crate::ErrorKind::InvalidConfig) with the setting that is wrong.
    pub fn new(
        oracle: Arc<dyn Oracle>,
        loss: impl Loss + 'static,
        sampling: Sampling,
    ) -> Result<Self, Error> {
        Self::with_shared(oracle, Arc::new(loss), sampling)
    }

    /// Like [`new`](Self::new), for a loss that was read from a file or is shared.
    ///
    /// # Errors
    ///
    /// As `new`.
    pub fn with_shared(
        oracle: Arc<dyn Oracle>,
        loss: Arc<dyn Loss>,
        sampling: Sampling,
    ) -> Result<Self, Error> {
        let engine = Engine::new(oracle, sampling)?;
        loss.validate(&engine.sampling)
            .map_err(|why| why.within("loss"))?;
        Ok(Self { engine, loss })
    }

    /// Puts a pool of solutions in front of the solvers: their states are then approximate. Some losses look
    /// at its states, and need one.
    #[must_use]
    pub fn with_pool(mut self, pool: Pool) -> Self {
        self.engine.pool = Some(pool);
        self
    }

    /// Returns the loss of each row of `theta`, `[rows, dim]`, and its gradient.
    ///
    /// The same arguments in the same call give the same value, on any number of threads.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidTheta`](crate::ErrorKind::InvalidTheta) or
    /// [`ErrorKind::InvalidInput`](crate::ErrorKind::InvalidInput) with what is wrong with theta or the labels.
    /// A row that cannot be solved is not an error of the call: see [`LossValue`].
    pub fn evaluate<'a>(
        &self,
        theta: &[f64],
        labels: &Labels<'_>,
        call: impl Into<Call<'a>>,
    ) -> Result<LossValue, Error> {
        self.evaluate_with(self.engine.oracles.pinned(), theta, labels, call.into())
    }

    /// Like [`evaluate`](Self::evaluate), with an oracle for each row.
    ///
    /// # Errors
    ///
    /// As `evaluate`; [`ErrorKind::InvalidInput`](crate::ErrorKind::InvalidInput) if there is not one oracle
    /// a row, or one of them has another dimension than this loss.
    pub fn evaluate_each<'a>(
        &self,
        oracles: &[Arc<dyn Oracle>],
        theta: &[f64],
        labels: &Labels<'_>,
        call: impl Into<Call<'a>>,
    ) -> Result<LossValue, Error> {
        let oracles = self.engine.one_a_row(oracles, theta)?;
        self.evaluate_with(oracles, theta, labels, call.into())
    }

    fn evaluate_with(
        &self,
        oracles: Oracles,
        theta: &[f64],
        labels: &Labels<'_>,
        call: Call<'_>,
    ) -> Result<LossValue, Error> {
        let theta = self.engine.to_rewards(theta)?;
        let sense = self.engine.sampling.sense;
        let labels = labels.to_rewards(theta.len(), sense)?;
        let oracles = self.engine.answering(oracles, &theta, &call)?;
        let pass = self.engine.pass(&theta, &oracles, call);
        let mut value = self.loss.evaluate(&pass, &labels)?;
        sense.flip(&mut value.theta);
        Ok(value)
    }
}
