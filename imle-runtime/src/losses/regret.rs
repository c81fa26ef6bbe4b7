//! The regret, and its finite differences.

use imle_api::{Error, ErrorKind};
use serde::{Deserialize, Serialize};

use super::pooled::{add, dot};
use super::{Labels, Loss, LossValue};
use crate::difference::Difference;
use crate::pass::Pass;
use crate::sampling::Sampling;

/// The regret by a finite difference (Huang and Gupta, "Decision-focused learning with directional gradients",
/// NeurIPS 2024), for rewards `r` and their best state `z*`. With `V(theta) = max over z of <z, theta>` the
/// decision is worth `<MAP(theta), r>`, the derivative of `V` towards `r`, which has a difference in its place:
///
/// ```text
/// one-sided  loss = <z*, r> - (V(theta) - V(theta - h r)) / h
///            grad = -(MAP(theta) - MAP(theta - h r)) / h
/// central    loss = <z*, r> - (V(theta + h r) - V(theta - h r)) / 2h
///            grad = -(MAP(theta + h r) - MAP(theta - h r)) / 2h
/// ```
///
/// The gradient is the exact one of this loss. The one-sided loss is never below the regret, since `V` is convex;
/// the central one is a closer estimate of either sign. Neither is convex. Needs the true theta and the right
/// states. Two solves a row, without noise. For true costs as labels when the model is too simple for SPO+ to be
/// consistent; begin near a good theta.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DirectionalRegret {
    /// The step `h` along the true theta, against which theta is measured.
    pub step: f64,
    /// On which sides of theta to look.
    pub difference: Difference,
}

impl Default for DirectionalRegret {
    fn default() -> Self {
        Self {
            step: 0.1,
            difference: Difference::OneSided,
        }
    }
}

/// The regret itself, for rewards `r` and their best state `z*`:
///
/// ```text
/// loss = <z* - MAP(theta), r>
/// grad = that of DirectionalRegret
/// ```
///
/// The regret is constant almost everywhere and its own gradient is zero there, so this has the gradient of
/// [`DirectionalRegret`] with the same settings, which is *not* its derivative. The value is that of `MAP(theta)`.
/// Needs the true theta and the right states. Two solves a row if one-sided, three if central, without noise. For
/// watching the regret while training on its difference.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Regret(pub DirectionalRegret);

#[typetag::serde(name = "directional_regret")]
impl Loss for DirectionalRegret {
    fn validate(&self, _: &Sampling) -> Result<(), Error> {
        if self.step.is_finite() && self.step > 0.0 {
            return Ok(());
        }
        let message = format!("step = {} is not a positive number", self.step);
        Err(Error::new(ErrorKind::InvalidConfig, message))
    }

    fn evaluate(&self, pass: &Pass<'_>, labels: &Labels<'_>) -> Result<LossValue, Error> {
        let (ahead, behind) = self.steps();
        let (truth, dim) = (labels.true_theta()?, pass.dim());
        let right = labels.right_states()?;
        let states = pass.solve_each(2, |row, query, u| {
            self.shift(pass, truth, row, [ahead, behind][query], u);
            Ok(())
        });
        Ok(LossValue::of_states(pass, &states, |row, z, grad| {
            let (z_ahead, z_behind) = z.split_at(dim);
            let mut u = vec![0.0; dim];
            let mut value = |step, z: &[f64]| {
                self.shift(pass, truth, row, step, &mut u);
                dot(&u, z)
            };
            let difference = value(ahead, z_ahead) - value(behind, z_behind);
            self.add_gradient(grad, z_ahead, z_behind);
            let best = dot(&right[row * dim..][..dim], &truth[row * dim..]);
            Ok(best - difference / (ahead - behind))
        }))
    }
}

impl DirectionalRegret {
    /// How far along the true theta both sides are.
    fn steps(&self) -> (f64, f64) {
        match self.difference {
            Difference::OneSided => (0.0, -self.step),
            Difference::Central => (self.step, -self.step),
        }
    }

    /// Writes `theta + step truth`.
    fn shift(&self, pass: &Pass<'_>, truth: &[f64], row: usize, step: f64, out: &mut [f64]) {
        out.copy_from_slice(pass.theta_row(row));
        add(out, step, &truth[row * pass.dim()..]);
    }

    fn add_gradient(&self, grad: &mut [f64], ahead: &[f64], behind: &[f64]) {
        let (front, back) = self.steps();
        for ((grad, ahead), behind) in grad.iter_mut().zip(ahead).zip(behind) {
            *grad += (behind - ahead) / (front - back);
        }
    }
}

#[typetag::serde(name = "regret")]
impl Loss for Regret {
    fn validate(&self, sampling: &Sampling) -> Result<(), Error> {
        self.0.validate(sampling)
    }

    fn evaluate(&self, pass: &Pass<'_>, labels: &Labels<'_>) -> Result<LossValue, Error> {
        let Self(directional) = self;
        let (truth, dim) = (labels.true_theta()?, pass.dim());
        let right = labels.right_states()?;
        let (ahead, behind) = directional.steps();
        // MAP(theta) comes first; one-sided, it is one of the two sides.
        let steps = match directional.difference {
            Difference::OneSided => vec![ahead, behind],
            Difference::Central => vec![0.0, ahead, behind],
        };
        let states = pass.solve_each(steps.len(), |row, query, u| {
            directional.shift(pass, truth, row, steps[query], u);
            Ok(())
        });
        Ok(LossValue::of_states(pass, &states, |row, z, grad| {
            let (z_ahead, z_behind) = z[z.len() - 2 * dim..].split_at(dim);
            directional.add_gradient(grad, z_ahead, z_behind);
            let (truth, right) = (&truth[row * dim..][..dim], &right[row * dim..][..dim]);
            Ok(dot(right, truth) - dot(&z[..dim], truth))
        }))
    }
}
