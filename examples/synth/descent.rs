//! Gradient descent on the expected loss, with estimates of its gradient.

use std::sync::Arc;

use imle_example_support::RandomState;
use imle_runtime::{
    Error, Estimator, Gumbel, Imle, Layer, Noise, Oracle, Pid, Sampling, StraightThrough,
    SumOfGamma,
};

use crate::problem::{DIM, K, Problem};

const MOMENTUM: f64 = 0.9;

/// An estimate of the gradient from one sample, and the steps that are made with it.
#[derive(Clone, Debug)]
pub(crate) struct Method {
    pub(crate) name: &'static str,
    pub(crate) estimate: Estimate,
    pub(crate) learning_rate: f64,
    /// Losses on a curve: one more than steps.
    pub(crate) steps: usize,
}

#[derive(Clone, Debug)]
pub(crate) enum Estimate {
    /// Implicit maximum likelihood with an absolute lambda.
    Imle { lambda: f64, noise: Arc<dyn Noise> },
    /// The gradient of the loss at a perturbed MAP state, as if the state were theta.
    StraightThrough { noise: Arc<dyn Noise> },
    /// The score function, with faithful samples and exact marginals.
    ScoreFunction,
}

/// `E[L]` less its minimum, before each step of each run: `gaps[step][run]`.
pub(crate) type Gaps = Vec<Vec<f64>>;

/// The noise of the paper: `SoG(kappa, tau = 1, s = 10)`.
pub(crate) fn sum_of_gamma() -> Arc<dyn Noise> {
    let (kappa, terms) = (K as f64, Some(10));
    Arc::new(SumOfGamma { kappa, terms })
}

pub(crate) fn gumbel() -> Arc<dyn Noise> {
    Arc::new(Gumbel)
}

impl Method {
    /// Runs the descent from the same start `runs` times at once: each run is a row with noise of its own.
    pub(crate) fn descend(
        &self,
        problem: &Problem,
        oracle: &Arc<dyn Oracle>,
        runs: usize,
        seed: u64,
    ) -> Result<Gaps, Error> {
        let mut gradient = self.estimate.open(problem, oracle, seed)?;
        let mut theta = problem.start.repeat(runs);
        let mut velocity = vec![0.0; theta.len()];
        let minimum = problem.minimum();
        let mut gaps = Vec::new();
        for step in 0..self.steps {
            let rows = theta.chunks_exact(DIM);
            gaps.push(
                rows.map(|theta| problem.expected_loss(theta) - minimum)
                    .collect(),
            );
            let gradient = gradient(&theta, step as u64)?;
            for ((theta, velocity), grad) in theta.iter_mut().zip(&mut velocity).zip(gradient) {
                *velocity = MOMENTUM * *velocity + grad;
                *theta -= self.learning_rate * *velocity;
            }
        }
        Ok(gaps)
    }
}

/// Maps theta, `[runs, 10]`, and the number of the step to a gradient.
type GradientOf<'a> = Box<dyn FnMut(&[f64], u64) -> Result<Vec<f64>, Error> + 'a>;

impl Estimate {
    fn open<'a>(
        &self,
        problem: &'a Problem,
        oracle: &Arc<dyn Oracle>,
        seed: u64,
    ) -> Result<GradientOf<'a>, Error> {
        let descent = |estimator: Arc<dyn Estimator>, noise: &Arc<dyn Noise>| {
            let sampling = Sampling {
                noise: noise.clone(),
                seed,
                ..Sampling::default()
            };
            let layer = Layer::with_shared(oracle.clone(), estimator, sampling)?;
            Ok::<GradientOf<'a>, Error>(Box::new(move |theta, step| {
                let saved = layer.forward(theta, step)?;
                let grad_z = problem.grad_z(saved.z());
                layer.backward(saved, &grad_z)?.all_solved()
            }))
        };
        Ok(match self {
            Self::Imle { lambda, noise } => {
                let target = Arc::new(Pid::new(*lambda));
                descent(
                    Arc::new(Imle {
                        target,
                        ..Imle::default()
                    }),
                    noise,
                )?
            }
            Self::StraightThrough { noise } => descent(Arc::new(StraightThrough), noise)?,
            Self::ScoreFunction => {
                // 32 bits of seed are what NumPy's generator takes.
                let mut random = RandomState::new(seed as u32);
                Box::new(move |theta, _| {
                    let rows = theta.chunks_exact(DIM);
                    Ok(rows
                        .flat_map(|theta| problem.score_gradient(theta, &mut random))
                        .collect())
                })
            }
        })
    }
}
