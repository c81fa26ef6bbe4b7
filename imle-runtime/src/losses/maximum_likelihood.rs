//! Maximum likelihood by perturb-and-MAP.

use imle_api::Error;
use serde::{Deserialize, Serialize};

use super::{FenchelYoung, Labels, Loss, LossValue};
use crate::pass::Pass;

/// Maximum likelihood of examples under `p(z; theta)`, by perturb-and-MAP (Niepert, Minervini, Franceschi,
/// "Implicit MLE", NeurIPS 2021, Section 4), times the temperature:
///
/// ```text
/// states (Fact 1):  loss = mean over samples of  max over z of <z - y, theta + tau eps>
///                   grad = mean of MAP(theta + tau eps) - y
/// theta (Fact 2):   loss = mean over samples of  max over z of <z - y', theta + tau eps>,  y' = MAP(r + tau eps)
///                   grad = mean of MAP(theta + tau eps) - MAP(r + tau eps)
/// ```
///
/// With states `y` the loss estimates `-tau log p(y; theta)`, and is the same as
/// [`FenchelYoung`]; without noise its gradient is the perceptron's. With the true theta `r` (the true costs
/// if `sense = minimize`) it estimates `tau KL(p(z; r), p(z; theta))`: both sides see the same noise, so that it
/// is zero at `theta = r` whatever the noise. The estimates are exact where perturb-and-MAP is: one-hot states
/// under Gumbel noise.
///
/// Needs the right states or the true theta, as `examples` says. One solve a sample, two with examples of theta.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MaximumLikelihood {
    /// What the labels are examples of.
    pub examples: Examples,
}

/// What labels are examples of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Examples {
    /// States.
    #[default]
    States,
    /// The parameters of a distribution over states: true theta.
    Theta,
}

#[typetag::serde(name = "maximum_likelihood")]
impl Loss for MaximumLikelihood {
    fn evaluate(&self, pass: &Pass<'_>, labels: &Labels<'_>) -> Result<LossValue, Error> {
        match self.examples {
            Examples::States => FenchelYoung.evaluate(pass, labels),
            Examples::Theta => Ok(of_theta(pass, labels.true_theta()?)),
        }
    }
}

fn of_theta(pass: &Pass<'_>, truth: &[f64]) -> LossValue {
    let samples = pass.sampling().samples;
    let dim = pass.dim();
    // The queries of a row: its samples at theta, then the same samples at the true theta.
    let states = pass.solve_each(2 * samples, |row, query, u| {
        match query < samples {
            true => u.copy_from_slice(pass.theta_row(row)),
            false => u.copy_from_slice(&truth[row * dim..][..dim]),
        }
        pass.perturb(row * samples + query % samples, pass.tau(row), u)
    });
    LossValue::of_states(pass, &states, |row, z, grad| {
        let (own, right) = z.split_at(samples * dim);
        let (mut u, mut loss) = (vec![0.0; dim], 0.0);
        let pairs = own.chunks_exact(dim).zip(right.chunks_exact(dim));
        for (sample, (own, right)) in pairs.enumerate() {
            u.copy_from_slice(pass.theta_row(row));
            pass.perturb(row * samples + sample, pass.tau(row), &mut u)?;
            for i in 0..dim {
                let step = (own[i] - right[i]) / samples as f64;
                loss += step * u[i];
                grad[i] += step;
            }
        }
        Ok(loss)
    })
}
