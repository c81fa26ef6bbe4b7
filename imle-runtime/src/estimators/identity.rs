//! Negative identity: solving counts as the identity, after what the solver does not see is projected away.

use imle_api::{Error, ErrorKind};
use serde::{Deserialize, Serialize};

use super::{Estimator, Feedback, Memory};
use crate::gradient::Gradient;
use crate::pass::Pass;
use crate::states::States;
use crate::target::root_mean_square;

/// Identity with projection (Sahoo et al., ICLR 2023, Eqs. 4 and 6): the backward pass takes the solver for the
/// identity, and theta is first projected onto what can make a difference to it.
///
/// ```text
/// z     = MAP(P(theta) + tau eps)
/// grad  = mean over samples of P'(theta)^T grad_z
/// ```
///
/// The paper minimises costs and calls it the *negative* identity: with `sense = minimize` that is what it is.
/// Without a projection it is the [`StraightThrough`](crate::StraightThrough) estimator. The noise meets the
/// projected theta, so its temperature has a meaning that training does not change.
///
/// Needs `grad_z`. A sample costs one solve, forward; none backward: half of what I-MLE and black-box
/// differentiation pay.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NegativeIdentity {
    /// What is projected away.
    pub projection: Projection,
}

/// What [`NegativeIdentity`] projects away before solving.
///
/// The scale of theta never changes the MAP state. Its mean does not where all states have the same number of ones,
/// and is refused elsewhere.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Projection {
    /// Nothing.
    #[default]
    None,
    /// The mean: `theta - mean`.
    Mean,
    /// The scale: `theta / |theta|`, the Euclidean norm.
    Norm,
    /// Both: `(theta - mean) / standard deviation`.
    Std,
}

#[typetag::serde(name = "negative_identity")]
impl Estimator for NegativeIdentity {
    fn forward(&self, pass: &Pass<'_>) -> Result<States, Error> {
        for row in 0..pass.rows() {
            self.projection.check(pass, row)?;
        }
        Ok(pass.sample_with(|item, theta| {
            theta.copy_from_slice(pass.theta_of(item));
            self.projection.project(theta);
            pass.perturb(item, pass.sampling().tau.of(theta), theta)
        }))
    }

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
            self.projection.pull_back(pass.theta_of(item), vector);
            Ok(())
        }))
    }
}

impl Projection {
    fn takes_mean(self) -> bool {
        matches!(self, Self::Mean | Self::Std)
    }

    fn takes_scale(self) -> bool {
        matches!(self, Self::Norm | Self::Std)
    }

    fn check(self, pass: &Pass<'_>, row: usize) -> Result<(), Error> {
        if !self.takes_mean() || pass.facts(row).ones.is_some() {
            return Ok(());
        }
        let message = format!(
            "the oracle of row {row} does not say that all states have the same number of ones, so taking the \
             mean off theta could change the state; use the projection `norm` or `none`"
        );
        Err(Error::new(ErrorKind::InvalidInput, message))
    }

    /// Projects theta, and returns by what it was divided. A theta of nothing but zeros stays.
    fn project(self, theta: &mut [f64]) -> f64 {
        if self.takes_mean() {
            center(theta);
        }
        if !self.takes_scale() {
            return 1.0;
        }
        let mut scale = root_mean_square(theta);
        if self == Self::Norm {
            scale *= (theta.len() as f64).sqrt();
        }
        if scale == 0.0 {
            return 1.0;
        }
        theta.iter_mut().for_each(|theta| *theta /= scale);
        scale
    }

    /// Multiplies with the transposed Jacobian of the projection.
    fn pull_back(self, theta: &[f64], vector: &mut [f64]) {
        let mut projected = theta.to_vec();
        let scale = self.project(&mut projected);
        if self.takes_scale() {
            let length = dot(&projected, &projected);
            if length > 0.0 {
                let along = dot(&projected, vector) / length;
                let pairs = vector.iter_mut().zip(&projected);
                pairs.for_each(|(value, projected)| *value = (*value - along * projected) / scale);
            }
        }
        if self.takes_mean() {
            center(vector);
        }
    }
}

fn center(values: &mut [f64]) {
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    values.iter_mut().for_each(|value| *value -= mean);
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}
