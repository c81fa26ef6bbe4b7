//! One model, one seed: from features to costs to paths, and back.

use std::iter::repeat_n;
use std::sync::Arc;
use std::time::{Duration, Instant};

use imle_example_support::{Adam, Linear, Problems, RandomState};
use imle_runtime::{Error, Imle, Pid, RelativePid, Sampling, Sense, SumOfGamma, Target};

use crate::Options;
use crate::estimator::{Effort, Estimator, Solver};
use crate::problems;

const BATCH: usize = 32;
const LEARNING_RATE: f64 = 1e-2;

/// How a model is trained.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Method {
    /// Regression on the costs; no solver in the loop.
    TwoStage,
    /// I-MLE; the loss is the L1 distance from a sampled path to the true one.
    PathLoss,
    /// I-MLE; the loss is the true cost of a sampled path: its regret, but for a constant.
    RegretLoss,
}

impl Method {
    pub(crate) const ALL: [Self; 3] = [Self::TwoStage, Self::PathLoss, Self::RegretLoss];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::TwoStage => "two-stage",
            Self::PathLoss => "I-MLE, path loss",
            Self::RegretLoss => "I-MLE, regret loss",
        }
    }

    fn target(self) -> Arc<dyn Target> {
        match self {
            Self::TwoStage | Self::PathLoss => Arc::new(RelativePid::new(1.0)),
            // The derivative of this loss is the true costs, of the size of those to predict: a long
            // step along them asks for the path that is best under the true costs.
            Self::RegretLoss => Arc::new(Pid::new(10.0)),
        }
    }
}

/// What became of one model.
pub(crate) struct Run {
    pub(crate) method: Method,
    pub(crate) test: Problems,
    /// The path that the trained model chooses in each test problem, `[rows, arcs]`.
    pub(crate) z: Vec<f64>,
    /// The normalized regret on the test problems after each epoch.
    pub(crate) curve: Vec<f64>,
    /// The same of the trained model, and its mean relative regret.
    pub(crate) normalized_regret: f64,
    pub(crate) mean_relative_regret: f64,
    pub(crate) effort: Effort,
    pub(crate) time: Duration,
}

/// Trains a model on the problems of `seed` and tests it after each epoch.
pub(crate) fn train(
    method: Method,
    seed: u32,
    solver: &Solver,
    options: &Options,
    mut epoch_done: impl FnMut(),
) -> Result<Run, Error> {
    let start = Instant::now();
    let mut estimator = Estimator::new(solver, settings(method, seed, options))?;
    let (train, test) = problems::of_seed(seed, options.degree, &mut estimator)?;

    // Not the seed of the problems, or the model would start from the numbers that made them.
    let mut random = RandomState::new(!seed);
    let mut model = Linear::new(train.data.features(), train.data.dim(), &mut random);
    let mut adam = Adam::new(LEARNING_RATE);
    let (mut curve, mut z) = (Vec::new(), Vec::new());
    for _ in 0..options.epochs {
        for rows in random.permutation(train.data.rows()).chunks(BATCH) {
            let batch = train.select(rows);
            let costs = model.forward(&batch.data.x);
            let grad_costs = match method {
                Method::TwoStage => squared_error(&costs, &batch),
                Method::PathLoss => estimator.gradient(&costs, |z| path_loss(z, &batch))?,
                Method::RegretLoss => estimator.gradient(&costs, |z| regret_loss(z, &batch))?,
            };
            let gradient = model.backward(&batch.data.x, &grad_costs);
            adam.step(model.parameters_mut(), &gradient);
        }
        z = estimator.decide(&model.forward(&test.data.x))?;
        curve.push(test.normalized_regret(&z)?);
        epoch_done();
    }
    Ok(Run {
        method,
        normalized_regret: test.normalized_regret(&z)?,
        mean_relative_regret: test.mean_relative_regret(&z)?,
        test,
        z,
        curve,
        effort: estimator.effort(),
        time: start.elapsed(),
    })
}

fn settings(method: Method, seed: u32, options: &Options) -> (Imle, Sampling) {
    let imle = Imle {
        target: method.target(),
        ..Imle::default()
    };
    let sampling = Sampling {
        sense: Sense::Minimize,
        samples: options.samples as usize,
        seed: u64::from(seed),
        noise: Arc::new(SumOfGamma {
            kappa: 5.0,
            terms: Some(10),
        }),
        threads: options.threads,
        ..Sampling::default()
    };
    (imle, sampling)
}

/// The derivative of half the squared distance between costs.
fn squared_error(costs: &[f64], batch: &Problems) -> Vec<f64> {
    let pairs = costs.iter().zip(&batch.data.theta);
    pairs.map(|(predicted, cost)| predicted - cost).collect()
}

/// The derivative of the L1 distance: a sign, which for zeros and ones is the difference itself.
fn path_loss(z: &[f64], batch: &Problems) -> Vec<f64> {
    let truths = for_each_sample(&batch.z_true, z, batch);
    z.iter().zip(truths).map(|(z, truth)| z - truth).collect()
}

/// The derivative of the true cost `<z, costs>`.
fn regret_loss(z: &[f64], batch: &Problems) -> Vec<f64> {
    for_each_sample(&batch.data.theta, z, batch).collect()
}

/// Repeats each row of `[rows, arcs]` for every sample of it in `z`, `[rows, samples, arcs]`.
fn for_each_sample<'a>(
    rows: &'a [f64],
    z: &[f64],
    batch: &Problems,
) -> impl Iterator<Item = f64> + use<'a> {
    let samples = z.len() / rows.len();
    rows.chunks_exact(batch.data.dim())
        .flat_map(move |row| repeat_n(row, samples).flatten().copied())
}
