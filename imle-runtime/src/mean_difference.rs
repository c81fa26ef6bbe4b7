//! From the means on both sides of theta to a gradient, without the states.

use crate::difference::{Difference, Differences, Steps};
use crate::gradient::Gradient;
use crate::means::Means;
use crate::pass::Pass;
use crate::states::RowError;
use crate::summation::{Summation, Sums, add};

/// Whether the coordinates in which two states differ are counted.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Nonzeros {
    Counted,
    /// Then a one-sided difference needs no state of the forward pass, only their sum.
    NotCounted,
}

impl Steps<'_> {
    /// Takes the differences that [`take`](Self::take) takes where `grad_z` is the same for every sample.
    pub(crate) fn take_means(
        &self,
        pass: &Pass<'_>,
        means: &Means,
        nonzeros: Nonzeros,
    ) -> Differences {
        let (rows, skipped) = self.rows_to_solve(pass, means);
        let summed_before =
            self.difference == Difference::OneSided && nonzeros == Nonzeros::NotCounted;
        let base =
            |at: usize, side: usize, theta: &mut [f64]| self.base(pass, rows[at], side, theta);
        let mut sums = pass.sum(&Summation {
            rows: &rows,
            sides: if summed_before { 1 } else { 2 },
            base: &base,
            wanted: &|at, sample| !means.failed(rows[at], sample),
        });
        let asked: usize = rows.iter().map(|&row| means.solved(row)).sum();
        let mut solves = asked * if summed_before { 1 } else { 2 };
        if summed_before {
            solves += add_unanswered(pass, &rows, &mut sums);
            for (&row, sum) in rows.iter().zip(sums.z.chunks_exact_mut(means.dim())) {
                let pairs = sum.iter_mut().zip(means.sum(row));
                pairs.for_each(|(sum, before)| *sum = before - *sum);
            }
        }
        let mut differences = self.mean_differences(means, &rows, sums);
        differences.gradient.solves = solves;
        differences.gradient.skipped = skipped;
        differences
    }

    /// The rows whose gradient needs solves, and how many solves of the others it does not need.
    fn rows_to_solve(&self, pass: &Pass<'_>, means: &Means) -> (Vec<usize>, usize) {
        let dim = means.dim();
        let needless = |target: &mut Vec<f64>, row: usize| {
            target.resize(dim, 0.0);
            let (theta, grad) = (pass.theta_row(row), &self.grad_z[row * dim..][..dim]);
            self.changes_nothing(theta, grad, self.lambdas[row], means.reach(row), target)
        };
        let needless: Vec<bool> = pass.batch.map(means.rows(), dim, needless);
        let (mut rows, mut skipped) = (Vec::new(), 0);
        for (row, needless) in needless.into_iter().enumerate() {
            match (means.solved(row), needless) {
                (0, _) => {}
                (solved, true) => skipped += solved * self.sides(self.lambdas[row]).count(),
                (_, false) => rows.push(row),
            }
        }
        (rows, skipped)
    }

    /// Theta of a side without its noise, and the temperature: the target, then what it is subtracted from.
    fn base(&self, pass: &Pass<'_>, row: usize, side: usize, base: &mut [f64]) -> f64 {
        if side == 1 && self.difference == Difference::OneSided {
            return pass.base(row, base);
        }
        let (theta, grad) = (
            pass.theta_row(row),
            &self.grad_z[row * pass.dim..][..pass.dim],
        );
        let sign = if side == 0 { 1.0 } else { -1.0 };
        let lambda = sign * self.lambdas[row];
        self.target.shift(theta, grad, lambda, base);
        self.tau(pass, theta)
    }

    /// Turns sums of differences into means.
    fn mean_differences(&self, means: &Means, rows: &[usize], sums: Sums) -> Differences {
        let dim = means.dim();
        let mut theta = vec![0.0; means.rows() * dim];
        let mut nonzeros = vec![0; means.rows()];
        let mut solved: Vec<usize> = (0..means.rows()).map(|row| means.solved(row)).collect();
        let mut errors = means.errors().to_vec();
        let weight = match self.difference {
            Difference::OneSided => 1.0,
            Difference::Central => 0.5,
        };
        for ((&row, sum), tally) in rows.iter().zip(sums.z.chunks_exact(dim)).zip(sums.tallies) {
            (nonzeros[row], solved[row]) = (tally.nonzeros, tally.solved);
            let failed = tally.errors.into_iter();
            errors.extend(failed.map(|(sample, error)| RowError { row, sample, error }));
            if tally.solved > 0 {
                let theta = &mut theta[row * dim..][..dim];
                let pairs = theta.iter_mut().zip(sum);
                pairs.for_each(|(theta, sum)| *theta = weight * sum);
                self.divide(theta, row, tally.solved);
            }
        }
        errors.sort_by_key(|error| (error.row, error.sample));
        Differences {
            gradient: Gradient {
                theta,
                errors,
                ..Gradient::default()
            },
            nonzeros,
            solved,
        }
    }
}

/// Adds the states that samples without an answer at the target had before, so that they are left out on both
/// sides. They are solved again, because only their sum was kept. Returns how many solves that took.
fn add_unanswered(pass: &Pass<'_>, rows: &[usize], sums: &mut Sums) -> usize {
    let places: Vec<usize> = (0..rows.len())
        .filter(|&at| sums.tallies[at].solved > 0 && !sums.tallies[at].errors.is_empty())
        .collect();
    let rows: Vec<usize> = places.iter().map(|&at| rows[at]).collect();
    let unanswered = |at: usize, sample: usize| {
        let errors = &sums.tallies[places[at]].errors;
        errors
            .binary_search_by_key(&sample, |error| error.0)
            .is_ok()
    };
    let before = pass.sum(&Summation {
        rows: &rows,
        sides: 1,
        base: &|at, _, theta| pass.base(rows[at], theta),
        wanted: &unanswered,
    });
    let solves = places.iter().map(|&at| sums.tallies[at].errors.len()).sum();
    let dim = pass.dim;
    for ((&at, z), tally) in places
        .iter()
        .zip(before.z.chunks_exact(dim))
        .zip(before.tallies)
    {
        add(&mut sums.z[at * dim..][..dim], z);
        for (sample, error) in tally.errors {
            // Not to be told from the others in the sum: the row has no gradient.
            sums.tallies[at].solved = 0;
            let why =
                error.within("it was solved in forward and not again, so its row has no gradient");
            let errors = &mut sums.tallies[at].errors;
            if let Ok(place) = errors.binary_search_by_key(&sample, |error| error.0) {
                errors[place].1 = why;
            }
        }
    }
    solves
}
