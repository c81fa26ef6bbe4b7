//! How a model is trained: what turns its predictions into a gradient.

use std::sync::Arc;

use imle_example_support::Problems;
use imle_runtime::{
    Error, Estimator, Feedback, Labels, Layer, Loss, LossLayer, NoNoise, Noise, Normal, Pool,
    PoolConfig, PoolRule, Sampling, Sense, SumOfGamma,
};
use serde_json::{Value, json};

use crate::benchmark::Task;
use crate::state_loss::StateLoss;

/// What turns predictions into a gradient.
#[derive(Clone)]
pub(crate) enum Learner {
    /// Linear regression on the true theta, solved outright. It makes no steps.
    LeastSquares,
    /// The mean squared error of theta.
    MeanSquares,
    /// A loss that looks at theta through the solver.
    Loss(Arc<dyn Loss>, Draw),
    /// A loss over a pool of solutions, of which a twentieth of the batches is solved.
    Pooled(Arc<dyn Loss>),
    /// A loss of the states that the solver returns.
    States(Arc<dyn Estimator>, Draw, StateLoss),
}

/// What perturbs theta.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Draw {
    /// Nothing: one state a row.
    Nothing,
    /// Normal noise of that deviation.
    Normal(f64),
    /// Sum-of-Gamma noise with kappa 5 and 10 terms.
    SumOfGamma,
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

    pub(crate) fn pooled(loss: impl Loss + 'static) -> Self {
        Self::Pooled(Arc::new(loss))
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
            Self::Pooled(loss) => {
                json!({"loss": serde_json::to_value(&**loss)?, "pool": pool_config(0)})
            }
            Self::States(estimator, draw, loss) => json!({
                "estimator": serde_json::to_value(&**estimator)?,
                "noise": format!("{draw:?}"),
                "state_loss": format!("{loss:?}"),
            }),
        })
    }

    /// Puts it over an oracle, with so many samples where there is noise; least squares need none.
    pub(crate) fn open(&self, task: &Task, samples: usize) -> Result<Option<Opened>, Error> {
        let (oracle, sense) = (&task.oracle, task.sense);
        Ok(Some(match self {
            Self::LeastSquares => return Ok(None),
            Self::MeanSquares => Opened::MeanSquares,
            Self::Loss(loss, draw) => {
                let sampling = draw.sampling(sense, task.seed, samples);
                Opened::Loss(LossLayer::with_shared(
                    oracle.clone(),
                    loss.clone(),
                    sampling,
                )?)
            }
            Self::Pooled(loss) => {
                let sampling = Draw::Nothing.sampling(sense, task.seed, 1);
                let pool = Pool::new(pool_config(task.seed))?;
                pool.insert(&**oracle, &task.train.z_true)?;
                let loss = LossLayer::with_shared(oracle.clone(), loss.clone(), sampling)?;
                Opened::Loss(loss.with_pool(pool))
            }
            Self::States(estimator, draw, loss) => {
                let sampling = draw.sampling(sense, task.seed, samples);
                let layer = Layer::with_shared(oracle.clone(), estimator.clone(), sampling)?;
                Opened::States(layer, *loss, sense)
            }
        }))
    }
}

/// PyEPO's rule: a coin decides for a whole batch.
fn pool_config(seed: u32) -> PoolConfig {
    PoolConfig {
        solve_ratio: 0.05,
        rule: PoolRule::Batch,
        seed: u64::from(seed),
        ..PoolConfig::default()
    }
}

impl Draw {
    fn sampling(self, sense: Sense, seed: u32, samples: usize) -> Sampling {
        let (samples, tau, noise): (usize, f64, Arc<dyn Noise>) = match self {
            Self::Nothing => (1, 0.0, Arc::new(NoNoise)),
            Self::Normal(deviation) => (samples, deviation, Arc::new(Normal)),
            Self::SumOfGamma => (
                samples,
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
            tau: tau.into(),
            noise,
            threads: 1, // the cells of the table are what runs side by side
            ..Sampling::default()
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
