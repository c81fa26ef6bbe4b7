//! Continuous relaxations of one-hot states and of subsets.

use imle_api::{Error, ErrorKind};
use serde::{Deserialize, Serialize};

use super::implicit::positive;
use super::{Estimator, Feedback, Memory};
use crate::distribution::dot;
use crate::gradient::Gradient;
use crate::pass::Pass;
use crate::sampling::Sampling;
use crate::states::States;

/// The Gumbel-softmax or Concrete relaxation of one-hot states (Jang, Gu, Poole; Maddison, Mnih, Teh; both ICLR 2017).
///
/// ```text
/// z     = softmax((theta + tau eps) / temperature)
/// grad  = mean over samples of z (grad_z - <z, grad_z>) / temperature
/// ```
///
/// With `straight_through` the loss sees the MAP state instead, and the gradient is that of the relaxation. The oracle
/// must have one-hot states.
///
/// Needs `grad_z`. Costs no solve; a sample costs one, forward, with `straight_through`. Use it where a relaxed state
/// is good enough for the loss; it knows no other set.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GumbelSoftmax {
    /// How soft a state is: nearly one-hot at 0.1, nearly uniform at 10.
    pub temperature: f64,
    /// Whether the loss sees MAP states.
    pub straight_through: bool,
}

/// Relaxed subset sampling, SoftSub (Xie and Ermon, IJCAI 2019, Eqs. 7 to 9): a softmax for each of the `k` ones, each
/// of which is barred from where the earlier ones are.
///
/// ```text
/// a(1)    = theta + tau eps
/// p(j)    = softmax(a(j) / temperature)             j = 1..k
/// a(j+1)  = a(j) + ln(1 - p(j))
/// z       = p(1) + ... + p(k)
/// ```
///
/// `k` is the number of ones that the oracle states; with `k = 1` it is [`GumbelSoftmax`]. The gradient is the exact
/// derivative of these lines. `1 - p` counts as at least 1e-38, as in the authors' program. A coordinate of `z`
/// can be more than 1 where the temperature is high.
///
/// Needs `grad_z`. Costs no solve, and `k` softmaxes a sample on both ways; with `straight_through` a sample costs one
/// solve, forward.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SoftSub {
    /// How soft a state is: nearly 0/1 at 0.1.
    pub temperature: f64,
    /// Whether the loss sees MAP states.
    pub straight_through: bool,
}

impl Default for GumbelSoftmax {
    fn default() -> Self {
        Self {
            temperature: 0.5,
            straight_through: false,
        }
    }
}

impl Default for SoftSub {
    fn default() -> Self {
        Self {
            temperature: 0.5,
            straight_through: false,
        }
    }
}

#[typetag::serde(name = "gumbel_softmax")]
impl Estimator for GumbelSoftmax {
    fn validate(&self, sampling: &Sampling) -> Result<(), Error> {
        SoftSub::from(*self).validate(sampling)
    }

    fn forward(&self, pass: &Pass<'_>) -> Result<States, Error> {
        for row in 0..pass.rows() {
            if ones(pass, row)? != 1 {
                let message = format!(
                    "gumbel_softmax is for one-hot states, and those of row {row} have {} ones; use soft_sub",
                    ones(pass, row)?
                );
                return Err(Error::new(ErrorKind::InvalidInput, message));
            }
        }
        SoftSub::from(*self).forward(pass)
    }

    fn backward(
        &self,
        pass: &Pass<'_>,
        states: &States,
        feedback: Feedback<'_>,
        memory: &mut Memory,
    ) -> Result<Gradient, Error> {
        SoftSub::from(*self).backward(pass, states, feedback, memory)
    }
}

impl From<GumbelSoftmax> for SoftSub {
    fn from(one: GumbelSoftmax) -> Self {
        Self {
            temperature: one.temperature,
            straight_through: one.straight_through,
        }
    }
}

#[typetag::serde(name = "soft_sub")]
impl Estimator for SoftSub {
    fn validate(&self, _: &Sampling) -> Result<(), Error> {
        positive("temperature", self.temperature)
    }

    fn forward(&self, pass: &Pass<'_>) -> Result<States, Error> {
        for row in 0..pass.rows() {
            ones(pass, row)?;
        }
        if self.straight_through {
            return Ok(pass.sample());
        }
        let samples = pass.sampling().samples;
        let states = pass.compute(pass.rows() * samples, |item, z| {
            let mut theta = vec![0.0; z.len()];
            pass.perturbed(item, &mut theta)?;
            let relaxed = Relaxed::new(&theta, ones(pass, item / samples)?, self.temperature);
            z.copy_from_slice(&relaxed.z());
            Ok(dot(z, &theta))
        });
        Ok(States { samples, ..states })
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
            let mut theta = vec![0.0; vector.len()];
            pass.perturbed(item, &mut theta)?;
            let ones = ones(pass, item / states.samples())?;
            let relaxed = Relaxed::new(&theta, ones, self.temperature);
            let grad_z = &grad_z[item * pass.dim()..][..pass.dim()];
            vector.copy_from_slice(&relaxed.pull_back(grad_z));
            Ok(())
        }))
    }
}

fn ones(pass: &Pass<'_>, row: usize) -> Result<usize, Error> {
    let facts = pass.facts(row);
    match facts.ones {
        Some(ones) if facts.integral && facts.z_lower >= 0.0 && facts.z_upper <= 1.0 => Ok(ones),
        _ => {
            let message = format!(
                "the oracle of row {row} does not say that its states are 0/1 vectors with one number of ones"
            );
            Err(Error::new(ErrorKind::InvalidInput, message))
        }
    }
}

/// `1 - p` is at least this.
const SMALLEST: f64 = 1e-38;

/// The softmaxes `p(j)` of a perturbed theta.
struct Relaxed {
    softmaxes: Vec<Vec<f64>>,
    temperature: f64,
}

impl Relaxed {
    fn new(theta: &[f64], ones: usize, temperature: f64) -> Self {
        let mut scores = theta.to_vec();
        let mut softmaxes: Vec<Vec<f64>> = Vec::with_capacity(ones);
        for _ in 0..ones {
            if let Some(last) = softmaxes.last() {
                let pairs = scores.iter_mut().zip(last);
                pairs.for_each(|(score, p)| *score += (1.0 - p).max(SMALLEST).ln());
            }
            softmaxes.push(softmax(&scores, temperature));
        }
        Self {
            softmaxes,
            temperature,
        }
    }

    fn z(&self) -> Vec<f64> {
        let mut z = self.softmaxes[0].clone();
        for p in &self.softmaxes[1..] {
            z.iter_mut().zip(p).for_each(|(z, p)| *z += p);
        }
        z
    }

    /// Multiplies with the transposed Jacobian, from the last softmax to the first.
    fn pull_back(&self, grad_z: &[f64]) -> Vec<f64> {
        let mut grad_scores = vec![0.0; grad_z.len()]; // in a(j + 1)
        for (j, p) in self.softmaxes.iter().enumerate().rev() {
            let is_last = j + 1 == self.softmaxes.len();
            let barred = |at: usize| {
                let rest = 1.0 - p[at];
                let counts = !is_last && rest > SMALLEST;
                if counts { grad_scores[at] / rest } else { 0.0 }
            };
            let grad_p: Vec<f64> = (0..p.len()).map(|at| grad_z[at] - barred(at)).collect();
            let mean = dot(p, &grad_p);
            for ((grad, p), grad_p) in grad_scores.iter_mut().zip(p).zip(grad_p) {
                *grad += p * (grad_p - mean) / self.temperature;
            }
        }
        grad_scores
    }
}

fn softmax(scores: &[f64], temperature: f64) -> Vec<f64> {
    let largest = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let exps: Vec<f64> = scores
        .iter()
        .map(|score| ((score - largest) / temperature).exp())
        .collect();
    let sum: f64 = exps.iter().sum();
    exps.into_iter().map(|exp| exp / sum).collect()
}
