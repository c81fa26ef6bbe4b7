//! How a model is trained: what turns its predictions into a gradient.

use std::sync::Arc;

use imle_example_support::Problems;
use imle_runtime::{
    Error, Estimator, Feedback, Labels, Layer, Loss, LossLayer, NoNoise, Noise, Sampling, Sense,
    SumOfGamma,
};
use serde_json::{Value, json};

use crate::benchmark::Task;

/// What turns predictions into a gradient.
#[derive(Clone)]
pub(crate) enum Learner {
    /// Linear regression on the true theta, solved outright. It makes no steps.
    LeastSquares,
    /// The mean squared error of theta.
    MeanSquares,
    /// A loss that looks at theta through the solver.
    Loss(Arc<dyn Loss>, Draw),
    /// A loss of the states that the solver returns.
    States(Arc<dyn Estimator>, Draw, StateLoss),
}

/// What perturbs theta.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Draw {
    /// Nothing: one state a row.
    Nothing,
    /// Sum-of-Gamma noise with kappa 5 and 10 terms, three samples.
    SumOfGamma,
}

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

/// The gradient of one batch in the predictions, and the solves that it took.
pub(crate) struct Step {
    pub(crate) theta: Vec<f64>,
    pub(crate) solves: usize,
}

/// A learner over an oracle.
pub(crate) enum Opened {
    MeanSquares,
    Loss(LossLayer),
    States(Layer, StateLoss, Sense),
}

impl Learner {
    pub(crate) fn loss(loss: impl Loss + 'static, draw: Draw) -> Self {
        Self::Loss(Arc::new(loss), draw)
    }

    pub(crate) fn states(estimator: impl Estimator + 'static, draw: Draw, loss: StateLoss) -> Self {
        Self::States(Arc::new(estimator), draw, loss)
    }

    /// Everything that decides what it does, for the record.
    pub(crate) fn setup(&self) -> Result<Value, serde_json::Error> {
        Ok(match self {
            Self::LeastSquares => json!("least squares"),
            Self::MeanSquares => json!("mean squares"),
            Self::Loss(loss, draw) => {
                json!({"loss": serde_json::to_value(&**loss)?, "noise": format!("{draw:?}")})
            }
            Self::States(estimator, draw, loss) => json!({
                "estimator": serde_json::to_value(&**estimator)?,
                "noise": format!("{draw:?}"),
                "state_loss": format!("{loss:?}"),
            }),
        })
    }

    /// Puts it over an oracle; least squares need none.
    pub(crate) fn open(&self, task: &Task) -> Result<Option<Opened>, Error> {
        let (oracle, sense) = (&task.oracle, task.sense);
        Ok(Some(match self {
            Self::LeastSquares => return Ok(None),
            Self::MeanSquares => Opened::MeanSquares,
            Self::Loss(loss, draw) => {
                let sampling = draw.sampling(sense, task.seed);
                Opened::Loss(LossLayer::with_shared(
                    oracle.clone(),
                    loss.clone(),
                    sampling,
                )?)
            }
            Self::States(estimator, draw, loss) => {
                let sampling = draw.sampling(sense, task.seed);
                let layer = Layer::with_shared(oracle.clone(), estimator.clone(), sampling)?;
                Opened::States(layer, *loss, sense)
            }
        }))
    }
}

impl Draw {
    fn sampling(self, sense: Sense, seed: u32) -> Sampling {
        let (samples, tau, noise): (_, _, Arc<dyn Noise>) = match self {
            Self::Nothing => (1, 0.0, Arc::new(NoNoise)),
            Self::SumOfGamma => (
                3,
                1.0,
                Arc::new(SumOfGamma {
                    kappa: 5.0,
                    terms: Some(10),
                }),
            ),
        };
        Sampling {
            sense,
            samples,
            seed: u64::from(seed),
            tau,
            noise,
            threads: 1, // the cells of the table are what runs side by side
        }
    }
}

impl Opened {
    /// Returns the gradient of the loss of a batch, in what was predicted for it.
    pub(crate) fn step(
        &self,
        predicted: &[f64],
        batch: &Problems,
        number: u64,
    ) -> Result<Step, Error> {
        match self {
            Self::MeanSquares => {
                let scale = 2.0 / predicted.len() as f64;
                let pairs = predicted.iter().zip(&batch.data.theta);
                let theta = pairs
                    .map(|(predicted, truth)| scale * (predicted - truth))
                    .collect();
                Ok(Step { theta, solves: 0 })
            }
            Self::Loss(loss) => {
                let labels = Labels::states(&batch.z_true).with_theta(&batch.data.theta);
                let value = loss.evaluate(predicted, &labels, number)?.all_solved()?;
                let rows = batch.data.rows() as f64;
                let theta = value.theta.iter().map(|grad| grad / rows).collect();
                Ok(Step {
                    theta,
                    solves: value.solves,
                })
            }
            Self::States(layer, loss, sense) => {
                let saved = layer.forward(predicted, number)?;
                let samples = saved.states().outcomes().len();
                let grad = loss.gradient(&saved.states().marginals(), batch, *sense);
                let gradient = layer.backward(saved, Feedback::GradMean(&grad))?;
                let solves = samples + gradient.solves;
                Ok(Step {
                    theta: gradient.all_solved()?,
                    solves,
                })
            }
        }
    }
}

impl StateLoss {
    /// The derivative in the means `mu` of the samples of each row, `[rows, dim]`.
    fn gradient(self, mu: &[f64], batch: &Problems, sense: Sense) -> Vec<f64> {
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
