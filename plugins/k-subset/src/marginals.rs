//! The exponential family over subsets, by dynamic programming over elementary symmetric polynomials.
//!
//! Choosing the subset coordinate by coordinate is a Markov chain whose state is the number of ones still
//! to come. With `suffix[i][j]` the logarithm of the summed weight of all ways to choose `j` of the
//! coordinates from `i` on,
//!
//! ```text
//! suffix[i][j]    = log(exp(skip_i + suffix[i + 1][j]) + exp(choose_i + suffix[i + 1][j - 1]))
//! P(choose i | j) = exp(choose_i + suffix[i + 1][j - 1] - suffix[i][j])
//! ```
//!
//! and a pass from the front sums the marginals up from probabilities, without a difference of large numbers.
//! Weights are relative to the MAP state: `choose_i` and `skip_i` are zero for what the MAP state does and
//! the loss, not positive, for the opposite. So what matters is small, however large theta is.

use imle_api::{Error, ErrorKind, Limits};

use crate::KSubset;
use crate::select::{Candidates, Threshold, select};

/// More entries of the table than this take gigabytes a thread.
const MOST_ENTRIES: usize = 1 << 28;

/// The limits are looked at once in this many coordinates.
const PATIENCE: usize = 256;

/// Buffers that survive from row to row.
#[derive(Debug, Default)]
pub struct Workspace {
    /// For the selection of the MAP state.
    pub(crate) candidates: Candidates,
    /// The logarithm of the weight of choosing a coordinate and of skipping it.
    weights: Vec<[f64; 2]>,
    /// `[dim + 1][k + 1]`.
    suffix: Vec<f64>,
    /// `[k + 1]`: the probability that so many ones are still to come, before a coordinate and after it.
    before: Vec<f64>,
    after: Vec<f64>,
}

impl KSubset {
    pub(crate) fn marginals(
        &self,
        workspace: &mut Workspace,
        theta: &[f64],
        mu: &mut [f64],
        limits: &Limits<'_>,
    ) -> Result<f64, Error> {
        let entries = (self.dim + 1).checked_mul(self.k + 1);
        if entries.is_none_or(|entries| entries > MOST_ENTRIES) {
            let message = format!(
                "exact marginals of k = {} out of dim = {} need a table of more than 2^28 numbers",
                self.k, self.dim
            );
            return Err(Error::new(ErrorKind::Unsupported, message));
        }
        let best = self.weigh(workspace, theta, mu);
        self.fill_suffix(workspace, limits)?;
        self.sum_up(workspace, mu);
        Ok(best + workspace.suffix[self.k])
    }

    /// Writes the weights, and the MAP state into `z`; returns its objective.
    fn weigh(&self, workspace: &mut Workspace, theta: &[f64], z: &mut [f64]) -> f64 {
        let Threshold { last, .. } = select(&mut workspace.candidates, self.k, theta, z);
        let weight = |(theta, z): (&f64, &f64)| match *z {
            0.0 => [theta - last, 0.0],
            _ => [0.0, last - theta],
        };
        workspace.weights.clear();
        workspace.weights.extend(theta.iter().zip(&*z).map(weight));
        theta.iter().zip(z).map(|(theta, z)| theta * *z).sum()
    }

    /// The numbers of ones that can be still to come before coordinate `i`, of `k` in all.
    fn to_come(&self, i: usize) -> std::ops::RangeInclusive<usize> {
        self.k.saturating_sub(i)..=self.k.min(self.dim - i)
    }

    fn fill_suffix(&self, workspace: &mut Workspace, limits: &Limits<'_>) -> Result<(), Error> {
        let width = self.k + 1;
        let suffix = &mut workspace.suffix;
        suffix.clear();
        suffix.resize((self.dim + 1) * width, f64::NEG_INFINITY);
        suffix[self.dim * width] = 0.0;
        for i in (0..self.dim).rev() {
            if i % PATIENCE == 0 {
                limits.check()?;
            }
            let (here, next) = suffix[i * width..].split_at_mut(width);
            let [choose, skip] = workspace.weights[i];
            for j in self.to_come(i) {
                let chosen = j.checked_sub(1).map(|rest| choose + next[rest]);
                here[j] = log_sum(skip + next[j], chosen.unwrap_or(f64::NEG_INFINITY));
            }
        }
        Ok(())
    }

    fn sum_up(&self, workspace: &mut Workspace, mu: &mut [f64]) {
        let width = self.k + 1;
        let (before, after) = (&mut workspace.before, &mut workspace.after);
        for probabilities in [&mut *before, &mut *after] {
            probabilities.clear();
            probabilities.resize(width, 0.0);
        }
        before[self.k] = 1.0;
        for (i, mu) in mu.iter_mut().enumerate() {
            let next = &workspace.suffix[(i + 1) * width..][..width];
            let [choose, skip] = workspace.weights[i];
            after.fill(0.0);
            *mu = 0.0;
            for j in self.to_come(i) {
                let Some(rest) = j.checked_sub(1) else {
                    after[j] += before[j];
                    continue;
                };
                let [chosen, skipped] = shares(choose + next[rest], skip + next[j]);
                after[rest] += before[j] * chosen;
                after[j] += before[j] * skipped;
                *mu += before[j] * chosen;
            }
            std::mem::swap(before, after);
        }
    }
}

/// `log(exp(a) + exp(b))`.
fn log_sum(a: f64, b: f64) -> f64 {
    let (large, small) = if a > b { (a, b) } else { (b, a) };
    if small == f64::NEG_INFINITY {
        return large;
    }
    large + (small - large).exp().ln_1p()
}

/// The shares of `exp(a)` and `exp(b)` in their sum: neither is a difference from one.
fn shares(a: f64, b: f64) -> [f64; 2] {
    let small = (-(a - b).abs()).exp();
    let (large, small) = (1.0 / (1.0 + small), small / (1.0 + small));
    if a > b {
        [large, small]
    } else {
        [small, large]
    }
}
