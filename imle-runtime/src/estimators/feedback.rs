//! What the loss says of the states.

use std::borrow::Cow;

use imle_api::{Error, ErrorKind};

use crate::batch::Batch;
use crate::means::Means;
use crate::states::States;

const OF_MEAN: &str = "the gradient of the mean";

/// What the loss says of the states.
///
/// ```
/// use imle_runtime::Feedback;
/// let feedback = Feedback::from(&[0.5, -1.0]);
/// assert_eq!(feedback, Feedback::GradZ(&[0.5, -1.0]));
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Feedback<'a> {
    /// The derivative of *each sample's own* loss in its state, `[rows, samples, dim]`, not divided by the
    /// number of samples.
    GradZ(&'a [f64]),
    /// The derivative of a loss of the *mean* of the samples in that mean, `[rows, dim]`. It stands for the
    /// `grad_z` of each of them.
    GradMean(&'a [f64]),
    /// The loss of each sample, `[rows, samples]`, for estimators that need no derivative.
    Losses(&'a [f64]),
}

impl<'a> Feedback<'a> {
    /// The derivatives of the samples, `[rows, samples, dim]`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidInput`] if there are only losses.
    pub fn grad_z(self) -> Result<&'a [f64], Error> {
        match self {
            Self::GradZ(grad_z) => Ok(grad_z),
            _ => other_feedback("grad_z, the derivative of the loss of each sample"),
        }
    }

    /// The losses of the samples, `[rows, samples]`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidInput`] if there are only derivatives.
    pub fn losses(self) -> Result<&'a [f64], Error> {
        match self {
            Self::Losses(losses) => Ok(losses),
            _ => other_feedback("the loss of each sample, `Feedback::Losses`"),
        }
    }
}

fn other_feedback<T>(needed: &str) -> Result<T, Error> {
    let message = format!("this estimator needs {needed}");
    Err(Error::new(ErrorKind::InvalidInput, message))
}

impl<'a> From<&'a [f64]> for Feedback<'a> {
    fn from(grad_z: &'a [f64]) -> Self {
        Self::GradZ(grad_z)
    }
}

impl<'a> From<&'a Vec<f64>> for Feedback<'a> {
    fn from(grad_z: &'a Vec<f64>) -> Self {
        Self::GradZ(grad_z)
    }
}

impl<'a, const N: usize> From<&'a [f64; N]> for Feedback<'a> {
    fn from(grad_z: &'a [f64; N]) -> Self {
        Self::GradZ(grad_z)
    }
}

/// Feedback that fits the states and is finite, and zero where a sample failed.
pub(crate) enum Checked<'a> {
    GradZ(Cow<'a, [f64]>),
    Losses(Cow<'a, [f64]>),
}

impl<'a> Checked<'a> {
    pub(crate) fn new(
        batch: &Batch,
        states: &States,
        feedback: Feedback<'a>,
    ) -> Result<Self, Error> {
        let (samples, dim) = (states.samples(), states.dim());
        let without_failed =
            |name, values, width| without_failed(batch, name, values, width, states);
        match feedback {
            Feedback::GradZ(grad_z) => {
                check_length("grad_z", grad_z, states.z().len(), states)?;
                let checked = without_failed("grad_z", grad_z.into(), dim)?;
                Ok(Self::GradZ(checked))
            }
            Feedback::GradMean(grad) => {
                check_length(OF_MEAN, grad, states.rows() * dim, states)?;
                let rows = grad.chunks_exact(dim);
                let grad_z: Vec<f64> = rows.flat_map(|row| row.repeat(samples)).collect();
                let checked = without_failed(OF_MEAN, grad_z.into(), dim)?;
                Ok(Self::GradZ(checked))
            }
            Feedback::Losses(losses) => {
                check_length("losses", losses, states.outcomes().len(), states)?;
                Ok(Self::Losses(without_failed("losses", losses.into(), 1)?))
            }
        }
    }

    pub(crate) fn borrow(&self) -> Feedback<'_> {
        match self {
            Self::GradZ(grad_z) => Feedback::GradZ(grad_z),
            Self::Losses(losses) => Feedback::Losses(losses),
        }
    }
}

fn check_length(name: &str, values: &[f64], expected: usize, states: &States) -> Result<(), Error> {
    if values.len() == expected {
        return Ok(());
    }
    let (rows, samples, dim) = (states.rows(), states.samples(), states.dim());
    let message = format!(
        "{name} has {} values for states of [{rows}, {samples}, {dim}]",
        values.len()
    );
    Err(Error::new(ErrorKind::InvalidInput, message))
}

/// Checks `width` values of each sample, and sets them to zero where the sample failed.
fn without_failed<'a>(
    batch: &Batch,
    name: &str,
    mut checked: Cow<'a, [f64]>,
    width: usize,
    states: &States,
) -> Result<Cow<'a, [f64]>, Error> {
    let solved = |item: usize| states.outcomes()[item].is_ok();
    if let Some(&(item, column)) = batch.not_finite(&checked, width, solved).first() {
        let (row, sample) = (item / states.samples(), item % states.samples());
        let value = checked[item * width + column];
        let message = format!("{name} is {value} at row {row}, sample {sample}, column {column}");
        return Err(Error::new(ErrorKind::InvalidInput, message));
    }
    for item in (0..states.outcomes().len()).filter(|&item| !solved(item)) {
        checked.to_mut()[item * width..][..width].fill(0.0);
    }
    Ok(checked)
}

/// The gradient of the mean if it fits the means and is finite, and zero in the rows that have none.
pub(crate) fn check_grad_mu<'a>(
    batch: &Batch,
    means: &Means,
    grad_mu: &'a [f64],
) -> Result<Cow<'a, [f64]>, Error> {
    let (rows, dim) = (means.rows(), means.dim());
    let invalid = |message| Err(Error::new(ErrorKind::InvalidInput, message));
    if grad_mu.len() != rows * dim {
        let values = grad_mu.len();
        return invalid(format!(
            "{OF_MEAN} has {values} values for means of [{rows}, {dim}]"
        ));
    }
    let has_mean = |row: usize| means.solved(row) > 0;
    if let Some(&(row, column)) = batch.not_finite(grad_mu, dim, has_mean).first() {
        let value = grad_mu[row * dim + column];
        return invalid(format!(
            "{OF_MEAN} is {value} at row {row}, column {column}"
        ));
    }
    let mut checked = Cow::from(grad_mu);
    for row in (0..rows).filter(|&row| !has_mean(row)) {
        checked.to_mut()[row * dim..][..dim].fill(0.0);
    }
    Ok(checked)
}
