//! The straight-through estimator: solving counts as the identity.

use imle_api::Error;
use serde::{Deserialize, Serialize};

use super::{Estimator, Feedback, Memory};
use crate::gradient::Gradient;
use crate::parameters::{NoParameters, without_parameters};
use crate::pass::Pass;
use crate::states::States;

/// The straight-through estimator (Bengio, Léonard, Courville, arXiv 1308.3432, 2013; Section 2 of the I-MLE
/// paper): the backward pass takes the perturbed MAP state for the identity.
///
/// ```text
/// z     = MAP(theta + tau eps)
/// grad  = mean over samples of grad_z
/// ```
///
/// Needs `grad_z`. A sample costs one solve, forward; none backward. It is biased, knows nothing of the feasible
/// set, and is a good baseline: the paper's synthetic experiment has it end at four times the gap of I-MLE.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(from = "NoParameters", into = "NoParameters")]
pub struct StraightThrough;
without_parameters!(StraightThrough);

#[typetag::serde(name = "straight_through")]
impl Estimator for StraightThrough {
    fn backward(
        &self,
        pass: &Pass<'_>,
        states: &States,
        feedback: Feedback<'_>,
        _: &mut Memory,
    ) -> Result<Gradient, Error> {
        let grad_z = feedback.grad_z()?;
        Ok(pass.mean_over_samples(states, |item, vector| {
            vector.copy_from_slice(&grad_z[item * pass.dim()..][..pass.dim()]);
            Ok(())
        }))
    }
}
