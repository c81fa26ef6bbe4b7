//! Perturbed Fenchel-Young losses.

use imle_api::Error;
use serde::{Deserialize, Serialize};

use super::gap::gap;
use super::{Labels, Loss, LossValue};
use crate::parameters::{NoParameters, without_parameters};
use crate::pass::Pass;
use crate::sampling::Sampling;

/// The Fenchel-Young loss of a perturbed maximiser (Berthet, Blondel, Teboul, Cuturi, Vert, Bach, "Learning
/// with differentiable perturbed optimizers", NeurIPS 2020, Section 4), with the right state `y`:
///
/// ```text
/// loss = mean over samples of  max over z of <z - y, theta + tau eps>
/// grad = mean of MAP(theta + tau eps) - y
/// ```
///
/// The paper's `F(theta) - <y, theta>` in expectation, up to the constant `-tau E<y, eps>`: the same noise
/// on both sides makes it never negative, and gives it less variance. It is zero if every sample is the right
/// state. For one-hot states under Gumbel noise it is the logistic loss, times tau.
///
/// Needs the right states. One solve a sample. The loss to try first where states are the labels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(from = "NoParameters", into = "NoParameters")]
pub struct FenchelYoung;
without_parameters!(FenchelYoung);

#[typetag::serde(name = "fenchel_young")]
impl Loss for FenchelYoung {
    fn evaluate(&self, pass: &Pass<'_>, labels: &Labels<'_>) -> Result<LossValue, Error> {
        let samples = pass.sampling().samples;
        let point = |row: usize, sample: usize, u: &mut [f64], slope: &mut [f64]| {
            u.copy_from_slice(pass.theta_row(row));
            slope.fill(1.0);
            pass.perturb(row * samples + sample, pass.tau(row), u)
        };
        Ok(gap(pass, labels.right_states()?, samples, point))
    }
}

/// The Fenchel-Young loss under multiplicative noise (Dalle, Baty, Bouvier, Parmentier, "Learning with
/// combinatorial optimization layers: a probabilistic approach", 2022), with the right state `y`:
///
/// ```text
/// w    = exp(tau eps - tau^2 / 2)                    one factor a coordinate
/// loss = mean over samples of  max over z of <z - y, w theta>
/// grad = mean of w (MAP(w theta) - y)
/// ```
///
/// Under normal noise the factors have mean 1, which is what the half is for, and the loss is the paper's
/// `F(theta) - <y, theta>` in expectation; under another noise it is still a convex loss that is never negative,
/// with this gradient. No perturbation changes the sign of theta: costs that are not negative stay so.
/// Its temperature is a number, not relative to theta.
///
/// Needs the right states. One solve a sample. For solvers that refuse some signs, such as Dijkstra's, and for
/// theta of very different sizes, where one temperature does not fit all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(from = "NoParameters", into = "NoParameters")]
pub struct FenchelYoungMultiplicative;
without_parameters!(FenchelYoungMultiplicative);

#[typetag::serde(name = "fenchel_young_multiplicative")]
impl Loss for FenchelYoungMultiplicative {
    fn validate(&self, sampling: &Sampling) -> Result<(), Error> {
        sampling.tau.validate_factor()
    }

    fn evaluate(&self, pass: &Pass<'_>, labels: &Labels<'_>) -> Result<LossValue, Error> {
        let samples = pass.sampling().samples;
        let point = |row: usize, sample: usize, u: &mut [f64], slope: &mut [f64]| {
            let tau = pass.tau(row);
            pass.eps(row * samples + sample, slope)?;
            for ((u, w), theta) in u.iter_mut().zip(slope).zip(pass.theta_row(row)) {
                *w = (tau * *w - 0.5 * tau * tau).exp();
                *u = *w * theta;
            }
            Ok(())
        };
        Ok(gap(pass, labels.right_states()?, samples, point))
    }
}
