//! Perturbed optimisers.

use imle_api::{Error, ErrorKind};
use serde::{Deserialize, Serialize};

use super::baseline::{Baseline, Others};
use super::score_function::{has_score, weighted_noise_scores};
use super::{Estimator, Feedback, Memory};
use crate::distribution::dot;
use crate::gradient::Gradient;
use crate::pass::Pass;
use crate::sampling::Sampling;
use crate::states::States;

/// A perturbed optimiser (Berthet et al., NeurIPS 2020, Proposition 3.1; multiplicative: Dalle et al., 2022,
/// arXiv 2207.13513): the exact derivative of the mean state of a perturbed solver, by samples.
///
/// ```text
/// z     = MAP(theta + tau eps)                              additive
/// z     = MAP(theta exp(tau eps - tau^2 / 2))               multiplicative, coordinate by coordinate
/// grad  = mean over samples of (<z, grad_z> - baseline) score(eps) / tau          (/ theta, multiplicative)
/// ```
///
/// Without bias for the derivative of the mean state, [`Feedback::GradMean`]. With a `grad_z` for each sample it is
/// that of `E <z, grad_z>`, each `grad_z` held fixed. Multiplicative noise keeps the signs of theta, as a
/// shortest-path solver needs it, and its size follows that of each coordinate; a coordinate that is zero has no
/// derivative, and its row fails. Its temperature is a number, not relative to theta.
///
/// Needs `grad_z` and noise with a [score](crate::Noise::score). A sample costs one solve, forward; none backward, but one
/// for each row with the baseline [`Baseline::Map`]. Use
/// it where the loss is one of the *mean* state; its variance grows with the number of coordinates, which the
/// baseline fights.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Perturbed {
    /// How the noise meets theta.
    pub perturbation: Perturbation,
    /// What is taken off `<z, grad_z>`: InferOpt's variance reduction, if not said otherwise.
    pub baseline: Baseline,
}

/// How noise meets theta in a [`Perturbed`] optimiser.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Perturbation {
    /// `theta + tau eps`.
    #[default]
    Additive,
    /// `theta exp(tau eps - tau^2 / 2)`: with normal noise theta is its mean.
    Multiplicative,
}

#[typetag::serde(name = "perturbed")]
impl Estimator for Perturbed {
    fn validate(&self, sampling: &Sampling) -> Result<(), Error> {
        if sampling.tau.is_zero() {
            let message = "tau = 0 leaves no distribution to differentiate";
            return Err(Error::new(ErrorKind::InvalidConfig, message));
        }
        if self.perturbation == Perturbation::Multiplicative {
            sampling.tau.validate_factor()?;
        }
        self.baseline.validate()?;
        has_score(sampling)
    }

    fn forward(&self, pass: &Pass<'_>) -> Result<States, Error> {
        Ok(match self.perturbation {
            Perturbation::Additive => pass.sample(),
            Perturbation::Multiplicative => {
                pass.sample_with(|item, theta| multiply(pass, item, theta))
            }
        })
    }

    fn backward(
        &self,
        pass: &Pass<'_>,
        states: &States,
        feedback: Feedback<'_>,
        memory: &mut Memory,
    ) -> Result<Gradient, Error> {
        let grad_z = feedback.grad_z()?;
        let mut losses: Vec<f64> = grad_z
            .chunks_exact(pass.dim())
            .enumerate()
            .map(|(item, grad)| match states.outcomes()[item] {
                Ok(_) => dot(states.state(item), grad),
                Err(_) => 0.0,
            })
            .collect();
        let map = (self.baseline == Baseline::Map).then(|| pass.map());
        if let Some(map) = &map {
            subtract_map(pass, states, map, grad_z, &mut losses);
        }
        let losses = self.baseline.subtract(pass, states, &losses, memory)?;
        let finish = |item: usize, score: &mut [f64]| {
            if let Some(map) = &map {
                map.outcomes()[item / states.samples()].clone()?;
            }
            if self.perturbation == Perturbation::Multiplicative {
                let pairs = score.iter_mut().zip(pass.theta_of(item));
                pairs.for_each(|(score, theta)| *score /= theta);
            }
            Ok(())
        };
        Ok(Gradient {
            solves: map.as_ref().map_or(0, States::rows),
            ..weighted_noise_scores(pass, states, &losses, finish)
        })
    }
}

/// Takes `<MAP(theta), grad_z>` off the losses; `grad_z` must not depend on the noise of the sample, so it is that of the
/// others where there are any.
fn subtract_map(
    pass: &Pass<'_>,
    states: &States,
    map: &States,
    grad_z: &[f64],
    losses: &mut [f64],
) {
    let dim = pass.dim();
    let of = |item: usize| &grad_z[item * dim..][..dim];
    let others = Others::new(pass, states, dim, of);
    let mut grad = vec![0.0; dim];
    for (item, loss) in losses.iter_mut().enumerate() {
        let row = item / states.samples();
        if map.outcomes()[row].is_err() {
            continue; // its samples fail
        }
        if others.mean(item, &mut grad) == 0 {
            grad.copy_from_slice(of(item));
        }
        *loss -= dot(map.state(row), &grad);
    }
}

fn multiply(pass: &Pass<'_>, item: usize, theta: &mut [f64]) -> Result<(), Error> {
    if let Some(column) = pass.theta_of(item).iter().position(|&theta| theta == 0.0) {
        let message =
            format!("theta is 0 at column {column}, which multiplicative noise cannot move");
        return Err(Error::new(ErrorKind::InvalidTheta, message));
    }
    pass.eps(item, theta)?;
    let tau = pass.tau(item / pass.sampling().samples);
    let pairs = theta.iter_mut().zip(pass.theta_of(item));
    pairs.for_each(|(eps, theta)| *eps = theta * (tau * *eps - 0.5 * tau * tau).exp());
    Ok(())
}
