//! Score-function estimators: REINFORCE.

use imle_api::{Error, ErrorKind};
use serde::{Deserialize, Serialize};

use super::baseline::{Baseline, Others};
use super::exact::{listed, marginals};
use super::{Estimator, Feedback, Memory};
use crate::gradient::Gradient;
use crate::pass::Pass;
use crate::sampling::Sampling;
use crate::states::States;

/// The score-function estimator, REINFORCE (Williams, 1992; Section 2 of the I-MLE paper): needs the loss of each
/// sample and no derivative of it.
///
/// ```text
/// z     = MAP(theta + tau eps)
/// grad  = mean over samples of (loss - baseline) score
/// ```
///
/// Needs the losses, [`Feedback::Losses`]. A sample costs one solve, forward; none backward. Use it where the loss has
/// no derivative in the state, as after another solver or a simulator: it needs many samples, since its variance
/// grows with the number of coordinates.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ScoreFunction {
    /// Whose score.
    pub score: Score,
    /// What is taken off the losses.
    pub baseline: Baseline,
}

/// The score that [`ScoreFunction`] weights: the derivative of a log-density in theta.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Score {
    /// `-d ln p(eps) / d eps / tau`: of the perturbed theta. The gradient of `E loss(MAP(theta + tau eps))` without
    /// bias, for any oracle; the noise must have a [score](crate::Noise::score).
    #[default]
    Noise,
    /// `(z - mu) / tau` with `mu` the mean of the other samples: of the exponential family `p(z; theta)`, Eq. 4 of
    /// the I-MLE paper, as far as perturb-and-MAP samples from it. It does over one-hot states with Gumbel noise.
    /// At least two samples, and four if they are antithetic; a sample that is the only one that was solved fails.
    Marginals,
    /// `(z - mu) / tau` with the exact `mu`: the estimator of the paper's experiments. As `marginals` otherwise.
    Exact {
        /// The states of a small feasible set; if there is no list, the oracle is asked for its exact marginals.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        states: Option<Vec<Vec<f64>>>,
    },
}

#[typetag::serde(name = "score_function")]
impl Estimator for ScoreFunction {
    fn validate(&self, sampling: &Sampling) -> Result<(), Error> {
        let invalid = |message: String| Err(Error::new(ErrorKind::InvalidConfig, message));
        if sampling.tau.is_zero() {
            return invalid("tau = 0 leaves no distribution to differentiate".to_owned());
        }
        self.baseline.validate()?;
        if self.baseline == Baseline::Map {
            let message = "baseline = \"map\" needs the loss of the MAP state, and a score function is told those of the \
                           samples only";
            return invalid(message.to_owned());
        }
        let needed = if sampling.antithetic { 4 } else { 2 };
        match &self.score {
            Score::Noise => has_score(sampling),
            Score::Exact { states } => states.as_deref().map_or(Ok(()), listed),
            Score::Marginals if sampling.samples < needed => invalid(format!(
                "samples = {}; the mean of the others needs at least {needed}",
                sampling.samples
            )),
            _ => Ok(()),
        }
    }

    fn backward(
        &self,
        pass: &Pass<'_>,
        states: &States,
        feedback: Feedback<'_>,
        memory: &mut Memory,
    ) -> Result<Gradient, Error> {
        let losses = feedback.losses()?;
        match &self.score {
            Score::Noise => {
                let losses = self.baseline.subtract(pass, states, losses, memory)?;
                Ok(weighted_noise_scores(pass, states, &losses, |_, _| Ok(())))
            }
            Score::Marginals => {
                // A common baseline drops out of a covariance; `Others` would scale it.
                let losses = match self.baseline {
                    Baseline::Others => losses.to_vec(),
                    baseline => baseline.subtract(pass, states, losses, memory)?,
                };
                let means = Others::new(pass, states, pass.dim(), |item| states.state(item));
                Ok(weighted_states(
                    pass,
                    states,
                    &losses,
                    |item, mu| match means.mean(item, mu) {
                        0 => Err(no_others(states, item)),
                        _ => Ok(()),
                    },
                ))
            }
            Score::Exact { states: all } => {
                let losses = self.baseline.subtract(pass, states, losses, memory)?;
                let mu = pass.compute(pass.rows(), |row, mu| {
                    let (theta, tau) = (pass.theta_row(row), pass.tau(row));
                    marginals(pass, row, all.as_deref(), theta, tau, mu).map(|()| 0.0)
                });
                Ok(weighted_states(pass, states, &losses, |item, to| {
                    let row = item / states.samples();
                    mu.outcomes()[row].clone()?;
                    to.copy_from_slice(mu.state(row));
                    Ok(())
                }))
            }
        }
    }
}

/// Without a mean to compare with, `z - 0` would be no score. It is an error of the kind that the others have.
fn no_others(states: &States, item: usize) -> Error {
    let message = "no other sample of this row was solved, so there is no mean to compare it with";
    let row = item / states.samples();
    let failed = states.errors().find(|failed| failed.row == row);
    let kind = failed.map_or(ErrorKind::BackendFailed, |failed| failed.error.kind());
    Error::new(kind, message)
}

/// The mean over samples of `loss (z - mu) / tau`; `center` writes `mu` of an item.
fn weighted_states(
    pass: &Pass<'_>,
    states: &States,
    losses: &[f64],
    center: impl Fn(usize, &mut [f64]) -> Result<(), Error> + Sync,
) -> Gradient {
    pass.mean_over_samples(states, |item, vector| {
        center(item, vector)?;
        let weight = losses[item] / pass.tau(item / states.samples());
        let pairs = vector.iter_mut().zip(states.state(item));
        pairs.for_each(|(value, z)| *value = weight * (z - *value));
        Ok(())
    })
}

/// The mean over samples of `loss score(eps) / tau`; `finish` turns the score in theta + tau eps into that of another
/// parameter of an item.
pub(super) fn weighted_noise_scores(
    pass: &Pass<'_>,
    states: &States,
    losses: &[f64],
    finish: impl Fn(usize, &mut [f64]) -> Result<(), Error> + Sync,
) -> Gradient {
    pass.mean_over_samples(states, |item, vector| {
        let mut eps = vec![0.0; vector.len()];
        pass.eps(item, &mut eps)?;
        pass.sampling().noise.score(&eps, vector)?;
        let weight = losses[item] / pass.tau(item / states.samples());
        vector.iter_mut().for_each(|value| *value *= weight);
        finish(item, vector)
    })
}

/// Refuses noise that has no score, before anything is solved.
pub(super) fn has_score(sampling: &Sampling) -> Result<(), Error> {
    match sampling.noise.score(&[], &mut []) {
        Ok(()) => Ok(()),
        Err(why) => Err(Error::new(
            ErrorKind::InvalidConfig,
            why.message().to_owned(),
        )),
    }
}
