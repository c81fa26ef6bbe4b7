//! Differentiation of black-box solvers by interpolation.

use imle_api::{Error, ErrorKind};
use serde::{Deserialize, Serialize};

use super::{Estimator, Feedback, Memory};
use crate::difference::{Difference, Steps};
use crate::gradient::Gradient;
use crate::pass::Pass;
use crate::sampling::{Sampling, not_negative};
use crate::states::States;
use crate::target::Pid;

/// Differentiation of black-box solvers (Vlastelica Pogančić et al., ICLR 2020, Algorithm 1): the gradient of a
/// piecewise linear interpolation of the loss.
///
/// ```text
/// z     = MAP(theta)
/// grad  = (z - MAP(theta - lambda grad_z)) / lambda
/// ```
///
/// It is [`Imle`](crate::Imle) with a [`Pid`] target, without noise and divided by lambda. The noise of the
/// layer is not looked at, so there is one sample.
///
/// Needs `grad_z`. A row costs one solve forward and one backward. A small lambda gives zero gradients, a large one
/// a perceptron; noise (I-MLE, perturbed optimisers) does better in most published comparisons.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BlackBox {
    /// How far the interpolation reaches; 0 gives a zero gradient. 10 to 20 in the paper.
    pub lambda: f64,
}

#[typetag::serde(name = "black_box")]
impl Estimator for BlackBox {
    fn validate(&self, sampling: &Sampling) -> Result<(), Error> {
        not_negative("lambda", self.lambda)?;
        one_sample("black_box solves without noise", sampling)
    }

    fn forward(&self, pass: &Pass<'_>) -> Result<States, Error> {
        Ok(pass.map())
    }

    fn backward(
        &self,
        pass: &Pass<'_>,
        states: &States,
        feedback: Feedback<'_>,
        _: &mut Memory,
    ) -> Result<Gradient, Error> {
        let steps = Steps {
            target: &Pid::new(self.lambda),
            difference: Difference::OneSided,
            divide_by_lambda: true,
            tau_target: Some(0.0.into()),
            lambdas: &vec![self.lambda; states.rows()],
            grad_z: feedback.grad_z()?,
        };
        Ok(steps.take(pass, states).gradient)
    }
}

/// Refuses more samples than one where all would be the same.
pub(super) fn one_sample(why: &str, sampling: &Sampling) -> Result<(), Error> {
    if sampling.samples == 1 {
        return Ok(());
    }
    let message = format!(
        "{why}: samples = {} would all be the same; use 1",
        sampling.samples
    );
    Err(Error::new(ErrorKind::InvalidConfig, message))
}
