//! Losses of the states that the solver returns, for estimators.

use imle_example_support::Problems;
use imle_runtime::Sense;

/// A loss of the mean of the samples.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum StateLoss {
    /// `mean |z - z*|` over the coordinates of all rows of a batch.
    MeanDistance,
    /// `mean |<c, z> - <c, z*>|` over the rows of a batch, with `c` the true theta.
    MeanRegret,
    /// The same with regrets computed in `f32`, as the published runs do.
    MeanRegretInSingle,
    /// `sum <c, z>` over the rows of a batch: regrets, but for a constant.
    SumRegret,
}

impl StateLoss {
    /// The derivative in the means `mu` of the samples of each row, `[rows, dim]`.
    pub(crate) fn gradient(self, mu: &[f64], batch: &Problems, sense: Sense) -> Vec<f64> {
        let (rows, dim) = (batch.data.rows() as f64, batch.data.dim());
        let truth = &batch.data.theta;
        match self {
            Self::MeanDistance => {
                let pairs = mu.iter().zip(&batch.z_true);
                pairs
                    .map(|(mu, z)| sign(mu - z) / (rows * dim as f64))
                    .collect()
            }
            Self::MeanRegret => {
                let objectives = batch.objectives(mu);
                let pairs = objectives.iter().zip(&batch.optima);
                scaled_rows(
                    batch,
                    pairs.map(|(objective, optimum)| sign(objective - optimum)),
                )
            }
            Self::MeanRegretInSingle => {
                let regrets = mu
                    .chunks_exact(dim)
                    .zip(truth.chunks_exact(dim))
                    .zip(&batch.optima);
                let sign = |((mu, c), optimum)| sign_in_single(mu, c, optimum);
                scaled_rows(batch, regrets.map(sign))
            }
            Self::SumRegret => match sense {
                Sense::Minimize => truth.clone(),
                Sense::Maximize => truth.iter().map(|c| -c).collect(),
            },
        }
    }
}

/// The true theta of each row, times its factor, over the number of rows.
fn scaled_rows(batch: &Problems, factors: impl Iterator<Item = f64>) -> Vec<f64> {
    let rows = batch.data.rows() as f64;
    let truth = batch.data.theta.chunks_exact(batch.data.dim());
    let scaled = |(truth, factor): (&'_ [f64], f64)| {
        truth
            .iter()
            .map(|c| factor / rows * c)
            .collect::<Vec<f64>>()
    };
    truth.zip(factors).flat_map(scaled).collect()
}

/// The sign of `<c, mu> - optimum` as `f32` has it: where they are equal, that of a rounding error, or zero.
fn sign_in_single(mu: &[f64], c: &[f64], optimum: &f64) -> f64 {
    let terms = mu.iter().zip(c).map(|(mu, c)| *mu as f32 * *c as f32);
    let regret = terms.sum::<f32>() - *optimum as f32;
    if regret == 0.0 {
        0.0
    } else {
        f64::from(regret.signum())
    }
}

/// The derivative of the absolute value, zero at zero; sums of a hundred terms are equal up to rounding.
fn sign(value: f64) -> f64 {
    if value.abs() < 1e-9 {
        0.0
    } else {
        value.signum()
    }
}
