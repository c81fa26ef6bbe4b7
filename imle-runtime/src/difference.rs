//! From the states on both sides of theta to a gradient.

use std::borrow::Cow;

use imle_api::Error;
use serde::{Deserialize, Serialize};

use crate::gradient::Gradient;
use crate::numbers::all_zero;
use crate::pass::Pass;
use crate::states::{RowError, States};
use crate::summation::Tally;
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
        let mut differences = self.differences(pass, states, &queries, &solved);
        differences.gradient.skipped = skipped;
        differences
    }

    /// The temperature on the target side.
    pub(crate) fn tau(&self, pass: &Pass<'_>, theta: &[f64]) -> f64 {
        self.tau_target.unwrap_or(pass.sampling().tau).of(theta)
    }

    /// The solves that the gradient needs, and how many of samples that were solved it does not.
    fn queries(&self, pass: &Pass<'_>, states: &States) -> (Vec<Query>, usize) {
        let dim = states.dim;
        let needless = |target: &mut Vec<f64>, item: usize| {
            target.resize(dim, 0.0);
            let (grad, lambda) = (
                &self.grad_z[item * dim..][..dim],
                self.lambdas[item / states.samples],
            );
            let (theta, reach) = (pass.theta_of(item), states.reach[item]);
            self.changes_nothing(theta, grad, lambda, reach, target)
        };
        let needless: Vec<bool> = pass.batch.map(states.outcomes.len(), dim, needless);
        let (mut queries, mut skipped) = (Vec::new(), 0);
        for (item, outcome) in states.outcomes.iter().enumerate() {
            let sides = self.sides(self.lambdas[item / states.samples]);
            match (outcome, needless[item]) {
                (Err(_), _) => {}
                (Ok(_), true) => skipped += sides.count(),
                (Ok(_), false) => queries.extend(sides.map(|lambda| Query { item, lambda })),
            }
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
    fn differences(
        &self,
        pass: &Pass<'_>,
        states: &States,
        queries: &[Query],
        answers: &States,
    ) -> Differences {
        let (samples, dim) = (states.samples, states.dim);
        let mut theta = vec![0.0; states.rows() * dim];
        let mut tallies: Vec<Tally> = vec![Tally::EMPTY; states.rows()];
        pass.batch
            .for_each_row(dim, &mut theta, &mut tallies, |row, mean, tally| {
                tally.solved = states.solved(row).count();
                let first = queries.partition_point(|query| query.item < row * samples);
                let of_row = |query: &&Query| query.item < (row + 1) * samples;
                let count = queries[first..].iter().take_while(of_row).count();
                let mut place = first;
                for queries in queries[first..first + count].chunk_by(|a, b| a.item == b.item) {
                    let item = queries[0].item;
                    match answered(answers, place..place + queries.len()) {
                        Ok(z) => tally.nonzeros += self.add_difference(mean, states.state(item), z),
                        Err(error) => {
                            tally.solved -= 1;
                            tally.errors.push((item % samples, error));
                        }
                    }
                    place += queries.len();
                }
                self.divide(mean, row, tally.solved);
            });
        let mut errors: Vec<RowError> = states.errors().collect();
        for (row, tally) in tallies.iter_mut().enumerate() {
            let failed = tally.errors.drain(..);
            errors.extend(failed.map(|(sample, error)| RowError { row, sample, error }));
        }
        errors.sort_by_key(|error| (error.row, error.sample));
        Differences {
            gradient: Gradient {
                theta,
                errors,
                solves: queries.len(),
                skipped: 0,
            },
            nonzeros: tallies.iter().map(|tally| tally.nonzeros).collect(),
            solved: tallies.iter().map(|tally| tally.solved).collect(),
        }
    }

    /// Turns the sum of the differences of a row into a mean, and divides it by lambda if asked to.
    pub(crate) fn divide(&self, sum: &mut [f64], row: usize, solved: usize) {
        // Divisions are slow, and these would change nothing.
        if solved > 1 {
            sum.iter_mut().for_each(|value| *value /= solved as f64);
        }
        // A row with lambda = 0 has a zero gradient, which stays zero.
        if self.divide_by_lambda && self.lambdas[row] != 0.0 {
            sum.iter_mut().for_each(|value| *value /= self.lambdas[row]);
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
