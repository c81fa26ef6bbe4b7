//! Learning to rank the states of a solution pool.
//!
//! Mandi, Bucarey, Tchomba, Guns, "Decision-focused learning: through the lens of learning to rank", ICML 2022:
//! the true theta `r` orders the states of a pool, and theta should order them alike.

use imle_api::{Error, ErrorKind};
use serde::{Deserialize, Serialize};

use super::pooled::{add, dot, over_pool};
use super::{Labels, Loss, LossValue};
use crate::parameters::{NoParameters, without_parameters};
use crate::pass::Pass;
use crate::sampling::{Sampling, not_negative};

/// The pointwise loss (Mandi et al., ICML 2022): theta should give every state its true value.
///
/// ```text
/// loss = mean over the pool of <z, theta - r>^2
/// grad = mean over the pool of 2 <z, theta - r> z
/// ```
///
/// Needs a pool and the true theta `r`. Solves the rows that the pool wants solved, no other. The tamest of the
/// three, close to regression of theta.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(from = "NoParameters", into = "NoParameters")]
pub struct PointwiseRanking;
without_parameters!(PointwiseRanking);

#[typetag::serde(name = "pointwise_ranking")]
impl Loss for PointwiseRanking {
    fn evaluate(&self, pass: &Pass<'_>, labels: &Labels<'_>) -> Result<LossValue, Error> {
        let (truth, dim) = (labels.true_theta()?, pass.dim());
        over_pool(pass, |row, known, grad| {
            let share = dim as f64 / known.len() as f64;
            let mut loss = 0.0;
            for z in known.chunks_exact(dim) {
                let error = dot(z, pass.theta_row(row)) - dot(z, &truth[row * dim..]);
                loss += share * error * error;
                add(grad, 2.0 * share * error, z);
            }
            Ok(loss)
        })
    }
}

/// The pairwise loss (Mandi et al., ICML 2022): the truly best state of the pool, `b`, should stay
/// ahead of every state that is truly worse.
///
/// ```text
/// loss = mean over the worse states of  max(0, margin + <z - b, theta>)
/// grad = mean over the worse states of  z - b where that is positive, else 0
/// ```
///
/// `b` is the first of the best ones. Needs a pool and the true theta. Solves the rows that the pool wants
/// solved, no other. For when the order of the best matters and the values do not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PairwiseRanking {
    /// How far ahead is far enough.
    pub margin: f64,
}

#[typetag::serde(name = "pairwise_ranking")]
impl Loss for PairwiseRanking {
    fn validate(&self, _: &Sampling) -> Result<(), Error> {
        not_negative("margin", self.margin)
    }

    fn evaluate(&self, pass: &Pass<'_>, labels: &Labels<'_>) -> Result<LossValue, Error> {
        let (truth, dim) = (labels.true_theta()?, pass.dim());
        over_pool(pass, |row, known, grad| {
            let value = |z: &[f64]| dot(z, &truth[row * dim..]);
            let states = || known.chunks_exact(dim);
            let best = states().reduce(|best, z| if value(z) > value(best) { z } else { best });
            let Some(best) = best else { return Ok(0.0) };
            let worse: Vec<&[f64]> = states().filter(|z| value(z) < value(best)).collect();
            let theta = pass.theta_row(row);
            let (share, mut loss) = (1.0 / worse.len() as f64, 0.0);
            for z in worse {
                let hinge = self.margin + dot(z, theta) - dot(best, theta);
                if hinge > 0.0 {
                    loss += share * hinge;
                    add(grad, share, z);
                    add(grad, -share, best);
                }
            }
            Ok(loss)
        })
    }
}

/// The listwise loss (Mandi et al., ICML 2022): the softmax over the pool should be the one that
/// the true theta gives.
///
/// ```text
/// p    = softmax over the pool of <z, r> / temperature,  q the same of <z, theta>
/// loss = sum over the pool of p log(p / q)
/// grad = sum over the pool of (q - p) z / temperature
/// ```
///
/// The paper's cross entropy without the entropy of `p`, which is a constant: so it is zero at `theta = r`. (PyEPO
/// divides the sum by the size of the pool.) Needs a pool and the true theta `r`. Solves the rows that the pool
/// wants solved, no other. The strongest of the three in published tables.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ListwiseRanking {
    /// The temperature of both softmaxes; small is steep.
    pub temperature: f64,
}

impl Default for ListwiseRanking {
    fn default() -> Self {
        Self { temperature: 1.0 }
    }
}

#[typetag::serde(name = "listwise_ranking")]
impl Loss for ListwiseRanking {
    fn validate(&self, _: &Sampling) -> Result<(), Error> {
        if self.temperature.is_finite() && self.temperature > 0.0 {
            return Ok(());
        }
        let message = format!(
            "temperature = {} is not a positive number",
            self.temperature
        );
        Err(Error::new(ErrorKind::InvalidConfig, message))
    }

    fn evaluate(&self, pass: &Pass<'_>, labels: &Labels<'_>) -> Result<LossValue, Error> {
        let (truth, dim) = (labels.true_theta()?, pass.dim());
        over_pool(pass, |row, known, grad| {
            let log_shares = |theta: &[f64]| {
                let scores = known
                    .chunks_exact(dim)
                    .map(|z| dot(z, theta) / self.temperature);
                log_softmax(scores.collect())
            };
            let own = log_shares(pass.theta_row(row));
            let right = log_shares(&truth[row * dim..][..dim]);
            let mut loss = 0.0;
            for ((z, own), right) in known.chunks_exact(dim).zip(own).zip(right) {
                loss += right.exp() * (right - own);
                add(grad, (own.exp() - right.exp()) / self.temperature, z);
            }
            Ok(loss)
        })
    }
}

fn log_softmax(mut scores: Vec<f64>) -> Vec<f64> {
    let most = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let sum: f64 = scores.iter().map(|score| (score - most).exp()).sum();
    scores
        .iter_mut()
        .for_each(|score| *score -= most + sum.ln());
    scores
}
