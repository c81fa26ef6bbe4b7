//! From the states on both sides of theta to a gradient.

use imle_api::{Error, Outcome};
use serde::{Deserialize, Serialize};

use crate::gradient::Gradient;
use crate::states::{RowError, States};

/// On which sides of theta the gradient looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Difference {
    /// `z - MAP(theta - lambda grad_z + tau eps)`, as in the paper: one more solve a sample.
    #[default]
    OneSided,
    /// `(MAP(theta + lambda grad_z + tau eps) - MAP(theta - lambda grad_z + tau eps)) / 2`: two more
    /// solves. With a large lambda both sides saturate and the gradient forgets theta: keep it small.
    Central,
}

/// One solve of the backward pass: a sample (`row * samples + sample`) and how far to step.
#[derive(Clone, Copy)]
pub(crate) struct Query {
    pub(crate) item: usize,
    pub(crate) lambda: f64,
}

/// The solves that the gradient needs: none for a sample whose `grad_z` or lambda is zero.
pub(crate) fn queries(
    difference: Difference,
    states: &States,
    lambdas: &[f64],
    grad_z: &[f64],
) -> Vec<Query> {
    let mut queries = Vec::new();
    for (item, grad) in grad_z.chunks_exact(states.dim).enumerate() {
        let lambda = lambdas[item / states.samples];
        if lambda == 0.0 || grad.iter().all(|&grad| grad == 0.0) {
            continue;
        }
        queries.push(Query { item, lambda });
        if difference == Difference::Central {
            queries.push(Query {
                item,
                lambda: -lambda,
            });
        }
    }
    queries
}

/// The queries of a backward pass and their answers.
pub(crate) struct Answers<'a> {
    pub(crate) difference: Difference,
    pub(crate) divide_by_lambda: bool,
    pub(crate) lambdas: &'a [f64],
    pub(crate) queries: &'a [Query],
    pub(crate) solved: &'a States,
}

impl Answers<'_> {
    /// Means of the differences between the two sides of each sample.
    pub(crate) fn gradient(&self, states: &States) -> Gradient {
        let (samples, dim) = (states.samples, states.dim);
        let mut theta = vec![0.0; states.rows() * dim];
        let mut errors: Vec<RowError> = states.errors().collect();
        let mut solved: Vec<usize> = states
            .outcomes
            .chunks_exact(samples)
            .map(count_solved)
            .collect();
        let mut first = 0;
        for queries in self.queries.chunk_by(|a, b| a.item == b.item) {
            let item = queries[0].item;
            let (row, sample) = (item / samples, item % samples);
            let forward = &states.z[item * dim..][..dim];
            match self.solved(first..first + queries.len(), dim) {
                Ok(z) => self.add_difference(&mut theta[row * dim..][..dim], forward, z),
                Err(error) => {
                    solved[row] -= 1;
                    errors.push(RowError { row, sample, error });
                }
            }
            first += queries.len();
        }
        for (row, theta) in theta.chunks_exact_mut(dim).enumerate() {
            let count = solved[row].max(1) as f64;
            let divisor = self.divisor(row);
            theta
                .iter_mut()
                .for_each(|value| *value = *value / count / divisor);
        }
        errors.sort_by_key(|error| (error.row, error.sample));
        Gradient {
            theta,
            errors,
            solves: self.queries.len(),
        }
    }

    /// The states of some queries, if all were solved.
    fn solved(&self, queries: std::ops::Range<usize>, dim: usize) -> Result<&[f64], Error> {
        let mut outcomes = self.solved.outcomes[queries.clone()].iter();
        match outcomes.find_map(|outcome| outcome.as_ref().err()) {
            Some(error) => Err(error.clone()),
            None => Ok(&self.solved.z[queries.start * dim..queries.end * dim]),
        }
    }

    /// `z` holds the state at the target and, for a central difference, the one on the other side.
    fn add_difference(&self, gradient: &mut [f64], forward: &[f64], z: &[f64]) {
        let (target, opposite) = z.split_at(forward.len());
        let (left, weight) = match self.difference {
            Difference::OneSided => (forward, 1.0),
            Difference::Central => (opposite, 0.5),
        };
        for ((gradient, left), target) in gradient.iter_mut().zip(left).zip(target) {
            *gradient += weight * (left - target);
        }
    }

    fn divisor(&self, row: usize) -> f64 {
        // A row with lambda = 0 has a zero gradient, which stays zero.
        match self.divide_by_lambda && self.lambdas[row] != 0.0 {
            true => self.lambdas[row],
            false => 1.0,
        }
    }
}

fn count_solved(outcomes: &[Outcome]) -> usize {
    outcomes.iter().filter(|outcome| outcome.is_ok()).count()
}
