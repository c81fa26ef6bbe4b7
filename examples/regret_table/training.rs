//! One cell of the table: train a model on the problems of a seed, and test it.

use std::time::Instant;

use imle_example_support::{Adam, Linear, RandomState};
use imle_runtime::Error;
use serde::{Deserialize, Serialize};

use crate::benchmark::{Benchmark, Task};
use crate::learner::Learner;
use crate::method::Method;

pub(crate) const BATCH: usize = 32;

/// How long and how fast a model is trained.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Recipe {
    pub(crate) epochs: usize,
    pub(crate) learning_rate: f64,
    /// The samples of methods that have noise.
    pub(crate) samples: usize,
}

impl Recipe {
    /// That of whoever published figures: for tours the authors of CaVE, who train half as long where every batch
    /// is solved, otherwise PyEPO's notebook of training losses.
    pub(crate) fn new(benchmark: Benchmark, learner: &Learner) -> Self {
        let solves = matches!(learner, Learner::Loss(..) | Learner::States(..));
        match benchmark {
            Benchmark::Tsp20 => Self {
                epochs: if solves { 10 } else { 20 },
                learning_rate: 5e-2,
                samples: 1,
            },
            Benchmark::Sp5 | Benchmark::Knapsack => Self {
                epochs: 20,
                learning_rate: 1e-2,
                samples: 3,
            },
        }
    }
}

/// What became of one model.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Outcome {
    pub(crate) normalized_regret: f64,
    pub(crate) mean_relative_regret: f64,
    /// The rows that were solved to train the model.
    pub(crate) solves: usize,
    pub(crate) seconds: f64,
}

/// Trains a linear model and tests it.
pub(crate) fn train(method: &Method, task: &Task) -> Result<Outcome, Error> {
    let start = Instant::now();
    let (train, test) = (&task.train, &task.test);
    let (features, dim) = (train.data.features(), train.data.dim());
    // Not the seed of the problems, or the model would start from the numbers that made them.
    let random = &mut RandomState::new(!task.seed);
    let mut model = Linear::new(features, dim, random);
    let recipe = Recipe::new(task.benchmark, &method.learner);
    let mut adam = Adam::new(recipe.learning_rate);
    let mut solves = 0;
    match method.learner.open(task, recipe.samples)? {
        None => model = Linear::least_squares(&train.data.x, &train.data.theta, features),
        Some(opened) => {
            let batches = train.data.rows().div_ceil(BATCH);
            for epoch in 0..recipe.epochs {
                let order = random.permutation(train.data.rows());
                for (number, rows) in (epoch * batches..).zip(order.chunks(BATCH)) {
                    let batch = train.select(rows);
                    let predicted = method.output.forward(model.forward(&batch.data.x));
                    let step = opened.step(&predicted, &batch, number as u64)?;
                    solves += step.solves;
                    let grad = method.output.backward(step.theta, &predicted);
                    let gradient = model.backward(&batch.data.x, &grad);
                    adam.step(model.parameters_mut(), &gradient);
                }
            }
        }
    }
    let predicted = method.output.forward(model.forward(&test.data.x));
    let z = task.decide(&predicted)?;
    Ok(Outcome {
        normalized_regret: test.normalized_regret(&z)?,
        mean_relative_regret: test.mean_relative_regret(&z)?,
        solves,
        seconds: start.elapsed().as_secs_f64(),
    })
}
