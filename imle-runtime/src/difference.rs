//! From the states on both sides of theta to a gradient.

use imle_api::{Error, Outcome};

use crate::config::{Difference, ImleConfig};
use crate::states::{RowError, States};

/// The gradient of a backward pass.
#[derive(Clone, Debug)]
pub struct Gradient {
    /// The gradient in theta, row-major `[rows, dim]`; in the costs if `sense = minimize`.
    pub theta: Vec<f64>,
    /// The samples that could not be solved, in forward or in backward, and are left out.
    pub errors: Vec<RowError>,
    /// How many solves the backward pass asked for.
    pub solves: usize,
}

impl Gradient {
    /// Returns the gradient if every sample was solved.
    ///
    /// # Errors
    ///
    /// The error of the first sample that was not.
    pub fn all_solved(self) -> Result<Vec<f64>, Error> {
        match self.errors.into_iter().next() {
            None => Ok(self.theta),
            Some(failed) => Err(failed.into()),
        }
    }
}

/// One solve of the backward pass: a sample (`row * samples + sample`) and how far to step.
#[derive(Clone, Copy)]
pub(crate) struct Query {
    pub(crate) item: usize,
    pub(crate) lambda: f64,
}

/// The solves that the gradient needs: none for a sample whose `grad_z` or lambda is zero.
pub(crate) fn queries(
    config: &ImleConfig,
    dim: usize,
    lambdas: &[f64],
    grad_z: &[f64],
) -> Vec<Query> {
    let mut queries = Vec::new();
    for (item, grad) in grad_z.chunks_exact(dim).enumerate() {
        let lambda = lambdas[item / config.samples];
        if lambda == 0.0 || grad.iter().all(|&grad| grad == 0.0) {
            continue;
        }
        queries.push(Query { item, lambda });
        if config.difference == Difference::Central {
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
    pub(crate) config: &'a ImleConfig,
    pub(crate) lambdas: &'a [f64],
    pub(crate) queries: &'a [Query],
    pub(crate) z: &'a [f64],
    pub(crate) outcomes: &'a [Outcome],
}

impl Answers<'_> {
    /// Means of the differences between the two sides of each sample.
    pub(crate) fn gradient(&self, states: &States) -> Gradient {
        let (samples, dim) = (self.config.samples, states.dim);
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
        self.config.sense.flip(&mut theta);
        errors.sort_by_key(|error| (error.row, error.sample));
        Gradient {
            theta,
            errors,
            solves: self.queries.len(),
        }
    }

    /// The states of some queries, if all were solved.
    fn solved(&self, queries: std::ops::Range<usize>, dim: usize) -> Result<&[f64], Error> {
        let mut outcomes = self.outcomes[queries.clone()].iter();
        match outcomes.find_map(|outcome| outcome.as_ref().err()) {
            Some(error) => Err(error.clone()),
            None => Ok(&self.z[queries.start * dim..queries.end * dim]),
        }
    }

    /// `z` holds the state at the target and, for a central difference, the one on the other side.
    fn add_difference(&self, gradient: &mut [f64], forward: &[f64], z: &[f64]) {
        let (target, opposite) = z.split_at(forward.len());
        let (left, weight) = match self.config.difference {
            Difference::OneSided => (forward, 1.0),
            Difference::Central => (opposite, 0.5),
        };
        for ((gradient, left), target) in gradient.iter_mut().zip(left).zip(target) {
            *gradient += weight * (left - target);
        }
    }

    fn divisor(&self, row: usize) -> f64 {
        // A row with lambda = 0 has a zero gradient, which stays zero.
        match self.config.divide_by_lambda && self.lambdas[row] != 0.0 {
            true => self.lambdas[row],
            false => 1.0,
        }
    }
}

fn count_solved(outcomes: &[Outcome]) -> usize {
    outcomes.iter().filter(|outcome| outcome.is_ok()).count()
}
