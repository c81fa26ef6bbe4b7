//! Target distributions: parameters `theta'` that the loss would rather have.

use std::fmt;

use imle_api::{Error, ErrorKind};
use serde::{Deserialize, Serialize};

use crate::numbers::{largest_size, sum_of_squares};
use crate::parameters::{NoParameters, without_parameters};
use crate::sampling::not_negative;

/// Chooses the parameters of the target distribution `q(z; theta')` of a row.
///
/// Theta is maximised here; an estimator with `sense = minimize` has turned costs into theta before.
/// An open set, like [`Noise`](crate::Noise).
#[typetag::serde(tag = "type")]
pub trait Target: fmt::Debug + Send + Sync {
    /// Checks the parameters.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidConfig`] with the offending value.
    fn validate(&self) -> Result<(), Error> {
        Ok(())
    }

    /// Returns the step `lambda` of a row; 0 makes its gradient zero.
    ///
    /// `theta` is `[dim]` and `grad_z` is `[samples, dim]`, of the samples that were solved.
    fn lambda(&self, theta: &[f64], grad_z: &[f64]) -> f64;

    /// Writes `theta'` of one sample into `target`; a negative `lambda` steps away from the target, for
    /// central differences.
    fn shift(&self, theta: &[f64], grad_z: &[f64], lambda: f64, target: &mut [f64]);
}

/// Perturbation-based implicit differentiation, Eq. 10 of the I-MLE paper with an absolute step:
/// `theta' = alpha theta - lambda grad_z`.
///
/// `lambda` is coupled to the scale of theta and to the reduction of the loss: a loss that is a mean
/// over the batch needs a `lambda` that is larger by the batch size. [`RelativePid`] does not.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pid {
    /// The step; 0 gives a zero gradient.
    pub lambda: f64,
    /// The share of theta in the target; 1 in the paper. With 0 the target is the loss alone.
    #[serde(default = "one")]
    pub alpha: f64,
}

impl Pid {
    /// Makes the target of the paper, `alpha = 1`.
    #[must_use]
    pub fn new(lambda: f64) -> Self {
        Self { lambda, alpha: 1.0 }
    }
}

fn one() -> f64 {
    1.0
}

#[typetag::serde(name = "pid")]
impl Target for Pid {
    fn validate(&self) -> Result<(), Error> {
        not_negative("lambda", self.lambda)?;
        if !self.alpha.is_finite() {
            let message = format!("alpha = {} is not finite", self.alpha);
            return Err(Error::new(ErrorKind::InvalidConfig, message));
        }
        Ok(())
    }

    fn lambda(&self, _: &[f64], _: &[f64]) -> f64 {
        self.lambda
    }

    fn shift(&self, theta: &[f64], grad_z: &[f64], lambda: f64, target: &mut [f64]) {
        step(target, theta, grad_z, |theta, grad| {
            self.alpha * theta - lambda * grad
        });
    }
}

/// Perturbation-based implicit differentiation with a step relative to each row:
/// `theta' = theta - lambda grad_z` with `lambda = ratio |theta| / |grad_z|`.
///
/// Norms are root mean squares: of the coordinates of theta, and of those of `grad_z` over all samples of
/// the row that were solved, so a row keeps one `lambda`. The result does not change when the loss is
/// scaled, nor with the other rows of the batch. `|theta|` counts as `floor` where it is smaller, or logits
/// that start at zero would never leave it. This is the scale rule of AIMLE (Minervini et al., 2023) for
/// each row by itself, without its controller.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RelativePid {
    /// The size of the step as a share of the size of theta.
    pub ratio: f64,
    /// The smallest root mean square that theta is taken to have.
    #[serde(default = "RelativePid::default_floor")]
    pub floor: f64,
}

impl RelativePid {
    /// Makes the target with the default floor, 0.1.
    #[must_use]
    pub fn new(ratio: f64) -> Self {
        Self {
            ratio,
            floor: Self::default_floor(),
        }
    }

    fn default_floor() -> f64 {
        0.1
    }
}

#[typetag::serde(name = "relative_pid")]
impl Target for RelativePid {
    fn validate(&self) -> Result<(), Error> {
        not_negative("ratio", self.ratio)?;
        not_negative("floor", self.floor)
    }

    fn lambda(&self, theta: &[f64], grad_z: &[f64]) -> f64 {
        let (theta, grad_z) = (root_mean_square(theta), root_mean_square(grad_z));
        let lambda = self.ratio * relative_step(theta, grad_z, self.floor);
        lambda.min(f64::MAX)
    }

    fn shift(&self, theta: &[f64], grad_z: &[f64], lambda: f64, target: &mut [f64]) {
        step(target, theta, grad_z, |theta, grad| theta - lambda * grad);
    }
}

/// The target for combinatorial problems, Eq. 14 of the I-MLE paper: a coordinate of `theta'` is that of
/// theta where `grad_z` is zero, and `-grad_z` elsewhere.
///
/// With the Hamming loss this gives the perceptron rule (Fact 1), with the regret the perturb-and-MAP
/// gradient of the likelihood (Fact 2). Its `lambda` is 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(from = "NoParameters", into = "NoParameters")]
pub struct Combinatorial;
without_parameters!(Combinatorial);

#[typetag::serde(name = "combinatorial")]
impl Target for Combinatorial {
    fn lambda(&self, _: &[f64], _: &[f64]) -> f64 {
        1.0
    }

    fn shift(&self, theta: &[f64], grad_z: &[f64], lambda: f64, target: &mut [f64]) {
        step(target, theta, grad_z, |theta, grad| {
            if grad == 0.0 { theta } else { -lambda * grad }
        });
    }
}

fn step(target: &mut [f64], theta: &[f64], grad_z: &[f64], rule: impl Fn(f64, f64) -> f64) {
    for ((target, &theta), &grad) in target.iter_mut().zip(theta).zip(grad_z) {
        *target = rule(theta, grad);
    }
}

/// Returns `|theta| / |grad_z|` of root mean squares, with `|theta|` at least `floor`; 0 if `grad_z` is zero.
pub(crate) fn relative_step(theta: f64, grad_z: f64, floor: f64) -> f64 {
    match grad_z {
        0.0 => 0.0,
        // A gradient of 1e-310 asks for more.
        grad => (theta.max(floor) / grad).min(f64::MAX),
    }
}

/// Of rows that are counted so many times each.
pub(crate) fn root_mean_square_of<'a>(rows: impl Iterator<Item = (&'a [f64], usize)>) -> f64 {
    let counted = rows.map(|(row, count)| (root_mean_square(row), count as f64));
    let sizes: Vec<(f64, f64)> = counted.collect();
    let largest = sizes.iter().map(|size| size.0).fold(0.0, f64::max);
    if largest == 0.0 {
        return 0.0;
    }
    let squares: f64 = sizes
        .iter()
        .map(|(size, count)| count * (size / largest).powi(2))
        .sum();
    let total: f64 = sizes.iter().map(|size| size.1).sum();
    largest * (squares / total).sqrt()
}

/// Of finite values, where squares neither overflow nor vanish.
pub(crate) fn root_mean_square(values: &[f64]) -> f64 {
    let count = values.len() as f64;
    let squares = sum_of_squares(values);
    if (1e-250..1e250).contains(&squares) {
        return (squares / count).sqrt();
    }
    // By the largest entry first.
    let largest = largest_size(values);
    if largest == 0.0 {
        return 0.0;
    }
    let squares: f64 = values.iter().map(|value| (value / largest).powi(2)).sum();
    largest * (squares / count).sqrt()
}
