//! Implicit differentiation by perturbation.

use imle_api::{Error, ErrorKind};
use serde::{Deserialize, Serialize};

use super::{Estimator, Feedback, Memory};
use crate::difference::{Difference, Differences, Steps};
use crate::gradient::Gradient;
use crate::mean_difference::Nonzeros;
use crate::means::Means;
use crate::pass::Pass;
use crate::sampling::Sampling;
use crate::states::States;
use crate::target::Pid;

/// Implicit differentiation by perturbation (Domke, NeurIPS 2010; Eqs. 11 and 12 of the I-MLE paper), on marginals
/// that perturb-and-MAP estimates.
///
/// ```text
/// mu(theta)  = mean over samples of MAP(theta + tau eps)
/// grad       = (mu(theta) - mu(theta - lambda grad_mu)) / lambda          the same noise on both sides
/// ```
///
/// `grad_mu` is the derivative of a loss of the *mean* state, [`Feedback::GradMean`]; if there is a `grad_z` for each
/// sample, their mean. As lambda goes to zero this is the derivative of the mean state, with a variance that grows
/// as `1 / (lambda samples)`. Each sample steps the same way, which is all that makes it another thing than
/// [`Imle`](crate::Imle) with a [`Pid`] target, divided by lambda. [`Exact`](crate::Exact) has the same rule on exact
/// marginals.
///
/// Needs `grad_z`. A sample costs one solve forward and one backward, two with central differences.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImplicitDifferentiation {
    /// The step; positive.
    pub lambda: f64,
    /// On which sides of theta the gradient looks.
    #[serde(default)]
    pub difference: Difference,
}

#[typetag::serde(name = "implicit_differentiation")]
impl Estimator for ImplicitDifferentiation {
    fn validate(&self, _: &Sampling) -> Result<(), Error> {
        positive("lambda", self.lambda)
    }

    fn backward(
        &self,
        pass: &Pass<'_>,
        states: &States,
        feedback: Feedback<'_>,
        _: &mut Memory,
    ) -> Result<Gradient, Error> {
        let grad_z = shared(states, feedback.grad_z()?);
        let take = |steps: &Steps<'_>| steps.take(pass, states);
        Ok(self.step(pass, &grad_z, take).gradient)
    }

    fn forward_mean(&self, pass: &Pass<'_>) -> Result<Means, Error> {
        Ok(pass.sample_means())
    }

    fn backward_mean(
        &self,
        pass: &Pass<'_>,
        means: &Means,
        grad_mu: &[f64],
        _: &mut Memory,
    ) -> Result<Gradient, Error> {
        let take = |steps: &Steps<'_>| steps.take_means(pass, means, Nonzeros::NotCounted);
        Ok(self.step(pass, grad_mu, take).gradient)
    }
}

impl ImplicitDifferentiation {
    fn step(
        &self,
        pass: &Pass<'_>,
        grad_z: &[f64],
        take: impl FnOnce(&Steps<'_>) -> Differences,
    ) -> Differences {
        take(&Steps {
            target: &Pid::new(self.lambda),
            difference: self.difference,
            divide_by_lambda: true,
            tau_target: None,
            lambdas: &vec![self.lambda; pass.rows()],
            grad_z,
        })
    }
}

/// The mean of `grad_z` over the solved samples of each row, for every one of these; zero for the others.
fn shared(states: &States, grad_z: &[f64]) -> Vec<f64> {
    let dim = states.dim();
    let mut shared = vec![0.0; grad_z.len()];
    for row in 0..states.rows() {
        let mut mean = vec![0.0; dim];
        for item in states.solved(row) {
            let grad = &grad_z[item * dim..][..dim];
            mean.iter_mut()
                .zip(grad)
                .for_each(|(mean, grad)| *mean += grad);
        }
        let count = states.solved(row).count() as f64;
        mean.iter_mut().for_each(|mean| *mean /= count);
        for item in states.solved(row) {
            shared[item * dim..][..dim].copy_from_slice(&mean);
        }
    }
    shared
}

pub(super) fn positive(name: &str, value: f64) -> Result<(), Error> {
    if value.is_finite() && value > 0.0 {
        return Ok(());
    }
    let message = format!("{name} = {value} is not a positive number");
    Err(Error::new(ErrorKind::InvalidConfig, message))
}
