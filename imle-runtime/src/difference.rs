//! From the states on both sides of theta to a gradient.

use std::borrow::Cow;

use imle_api::Error;
use serde::{Deserialize, Serialize};

use crate::gradient::Gradient;
use crate::numbers::all_zero;
use crate::pass::Pass;
use crate::states::{RowError, States};
use crate::target::Target;
use crate::temperature::Temperature;

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

/// How a finite difference of MAP states is taken.
pub(crate) struct Steps<'a> {
    pub(crate) target: &'a dyn Target,
    pub(crate) difference: Difference,
    pub(crate) divide_by_lambda: bool,
    pub(crate) tau_target: Option<Temperature>,
    /// The step of each row; none where it is zero.
    pub(crate) lambdas: &'a [f64],
    /// `[rows, samples, dim]` for states, `[rows, dim]` for means.
    pub(crate) grad_z: &'a [f64],
}

/// The gradient, and what a controller of the step looks at.
pub(crate) struct Differences {
    pub(crate) gradient: Gradient,
    /// The coordinates that differ, summed over the samples of each row.
    pub(crate) nonzeros: Vec<usize>,
    /// The samples of each row that were solved on every side.
    pub(crate) solved: Vec<usize>,
}

/// One solve of the backward pass: a sample (`row * samples + sample`) and how far to step.
#[derive(Clone, Copy)]
struct Query {
    item: usize,
    lambda: f64,
}

impl Steps<'_> {
    /// Solves at the targets, under the noise of the forward pass, and takes the mean of the differences over the
    /// samples of each row.
    pub(crate) fn take(&self, pass: &Pass<'_>, states: &States) -> Differences {
        let (dim, samples) = (states.dim, states.samples);
        let (queries, skipped) = self.queries(pass, states);
        let solved = pass.solve(
            queries.len(),
            |query| queries[query].item / samples,
            |query, target| {
                let Query { item, lambda } = queries[query];
                let theta = pass.theta_of(item);
                let grad = &self.grad_z[item * dim..][..dim];
                self.target.shift(theta, grad, lambda, target);
                pass.perturb(item, self.tau(pass, theta), target)
            },
        );
        let mut differences = self.differences(states, &queries, &solved);
        differences.gradient.skipped = skipped;
        differences
    }

    /// The temperature on the target side.
    pub(crate) fn tau(&self, pass: &Pass<'_>, theta: &[f64]) -> f64 {
        self.tau_target.unwrap_or(pass.sampling().tau).of(theta)
    }

    /// The solves that the gradient needs, and how many of samples that were solved it does not.
    fn queries(&self, pass: &Pass<'_>, states: &States) -> (Vec<Query>, usize) {
        let (mut queries, mut skipped) = (Vec::new(), 0);
        let mut target = vec![0.0; states.dim];
        for (item, grad) in self.grad_z.chunks_exact(states.dim).enumerate() {
            if states.outcomes[item].is_err() {
                continue;
            }
            let lambda = self.lambdas[item / states.samples];
            let (theta, reach) = (pass.theta_of(item), states.reach[item]);
            if self.changes_nothing(theta, grad, lambda, reach, &mut target) {
                skipped += self.sides(lambda).count();
                continue;
            }
            let sides = self.sides(lambda);
            queries.extend(sides.map(|lambda| Query { item, lambda }));
        }
        (queries, skipped)
    }

    /// The steps to the sides at which a sample is solved: the target, and the opposite for a central difference.
    pub(crate) fn sides(&self, lambda: f64) -> impl Iterator<Item = f64> + use<> {
        let opposite = (self.difference == Difference::Central).then_some(-lambda);
        std::iter::once(lambda).chain(opposite)
    }

    /// Whether the state at the target, and at the opposite, is known to be that of the forward pass: there is no
    /// step, or it is within `reach`. `target` is memory to use.
    pub(crate) fn changes_nothing(
        &self,
        theta: &[f64],
        grad: &[f64],
        lambda: f64,
        reach: f64,
        target: &mut [f64],
    ) -> bool {
        if lambda == 0.0 || all_zero(grad) {
            return true;
        }
        if reach == 0.0 || self.tau_target.is_some() {
            return false;
        }
        let mut sides = self.sides(lambda);
        sides.all(|lambda| {
            self.target.shift(theta, grad, lambda, target);
            let steps = theta.iter().zip(&*target).map(|(a, b)| (b - a).abs());
            steps.fold(true, |all, step| all & (step < reach))
        })
    }

    /// Means of the differences between the two sides of each sample.
    fn differences(&self, states: &States, queries: &[Query], answers: &States) -> Differences {
        let (samples, dim) = (states.samples, states.dim);
        let mut theta = vec![0.0; states.rows() * dim];
        let mut nonzeros = vec![0; states.rows()];
        let mut errors: Vec<RowError> = states.errors().collect();
        let mut solved: Vec<usize> = (0..states.rows())
            .map(|row| states.solved(row).count())
            .collect();
        let mut first = 0;
        for queries in queries.chunk_by(|a, b| a.item == b.item) {
            let item = queries[0].item;
            let (row, sample) = (item / samples, item % samples);
            let sum = &mut theta[row * dim..][..dim];
            match answered(answers, first..first + queries.len()) {
                Ok(z) => nonzeros[row] += self.add_difference(sum, states.state(item), z),
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
        let solves = queries.len();
        Differences {
            gradient: Gradient {
                theta,
                errors,
                solves,
                skipped: 0,
            },
            nonzeros,
            solved,
        }
    }

    /// `z` holds the state at the target and, for a central difference, the one on the other side. Returns in how
    /// many coordinates the two sides differ.
    fn add_difference(&self, gradient: &mut [f64], forward: &[f64], z: &[f64]) -> usize {
        let (target, opposite) = z.split_at(forward.len());
        let (left, weight) = match self.difference {
            Difference::OneSided => (forward, 1.0),
            Difference::Central => (opposite, 0.5),
        };
        let mut nonzeros = 0;
        for ((gradient, left), target) in gradient.iter_mut().zip(left).zip(target) {
            *gradient += weight * (left - target);
            nonzeros += usize::from(left != target);
        }
        nonzeros
    }

    pub(crate) fn divisor(&self, row: usize) -> f64 {
        // A row with lambda = 0 has a zero gradient, which stays zero.
        match self.divide_by_lambda && self.lambdas[row] != 0.0 {
            true => self.lambdas[row],
            false => 1.0,
        }
    }
}

/// The states of some queries, if all were solved.
fn answered(answers: &States, queries: std::ops::Range<usize>) -> Result<&[f64], Error> {
    let mut outcomes = answers.outcomes[queries.clone()].iter();
    match outcomes.find_map(|outcome| outcome.as_ref().err()) {
        Some(error) => Err(error.clone()),
        None => Ok(&answers.z[queries.start * answers.dim..queries.end * answers.dim]),
    }
}

/// The `grad_z` of the samples of a row that were solved, one after the other.
pub(crate) fn grad_z_of_solved<'a>(
    states: &States,
    grad_z: &'a [f64],
    row: usize,
) -> Cow<'a, [f64]> {
    let (dim, samples) = (states.dim, states.samples);
    let of_row = &grad_z[row * samples * dim..][..samples * dim];
    if states.solved(row).count() == samples {
        return of_row.into();
    }
    let of = |item: usize| &grad_z[item * dim..][..dim];
    states.solved(row).flat_map(of).copied().collect()
}
