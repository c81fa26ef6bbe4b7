//! The worst of the states that a prediction calls optimal.

use imle_api::{Error, ErrorKind, Limits, Oracle, check_theta};

use crate::batch::Batch;
use crate::buffers::Buffer;
use crate::sampling::{Sense, not_negative};

/// Weights are 1, 2, 4, up to 2 to this: beyond it, the true theta loses half of its digits.
const MOST_DOUBLINGS: u32 = 26;

/// Returns the true objective of the *worst* state that the predicted theta calls optimal, for each row of
/// `[rows, dim]`: the basis of the unambiguous regret (the unambiguous SPO loss of Elmachtoub and Grigas, Management Science 2022), in which a
/// prediction that cannot tell good states from bad does not profit from the solver's tie rule. Hand the
/// objectives to [`normalized_regret`](crate::normalized_regret) or [`mean_relative_regret`](crate::mean_relative_regret).
///
/// The worst state is `z' = MAP(weight theta - r)`, with the predicted theta and the true `r` as rewards, for the
/// first weight of a growing sequence at which `<z', theta>` is within `tolerance` (of itself, relative to the sum
/// of absolute products) of the optimum. Then it is worst among all states that are at least as good as itself
/// under the prediction: exactly the worst of the ties if none of those is a mere near-tie within the tolerance,
/// and never better than them. PyEPO rounds predictions to 1e-5 for the same purpose.
///
/// Costs at least two solves a row.
///
/// ```
/// use imle_runtime::{Facts, FnOracle, Sense, worst_objectives};
///
/// let cheapest = FnOracle::new(Facts::binary(3).with_ones(1), |theta, z| {
///     let best = (1..3).fold(0, |best, i| if theta[i] > theta[best] { i } else { best });
///     z.fill(0.0);
///     z[best] = 1.0;
///     Ok(())
/// });
/// // The solver takes the first of the two that look equal; the second would cost 7.
/// let worst = worst_objectives(&cheapest, &[1.0, 1.0, 2.0], &[4.0, 7.0, 9.0], Sense::Minimize, 1e-9)?;
/// assert_eq!(worst, [7.0]);
/// # Ok::<(), imle_runtime::Error>(())
/// ```
///
/// # Errors
///
/// [`ErrorKind::InvalidTheta`] for theta that is not finite or does not fit, and
/// [`ErrorKind::InvalidConfig`] for a negative tolerance. The first row that cannot be solved, with its number;
/// [`ErrorKind::LimitReached`] if no weight tells its ties apart within the tolerance.
pub fn worst_objectives(
    oracle: &dyn Oracle,
    predicted: &[f64],
    truth: &[f64],
    sense: Sense,
    tolerance: f64,
) -> Result<Vec<f64>, Error> {
    not_negative("tolerance", tolerance)?;
    let pinned = oracle.pin();
    let oracle = pinned.as_deref().unwrap_or(oracle);
    let dim = oracle.facts().dim;
    let rows = check_theta(predicted, dim)?;
    if check_theta(truth, dim)? != rows {
        let message = format!("{rows} predicted rows for {} true ones", truth.len() / dim);
        return Err(Error::new(ErrorKind::InvalidInput, message));
    }
    let mut ties = Ties {
        oracle,
        batch: Batch::new(0)?,
        dim,
        theta: predicted.to_vec(),
        rewards: truth.to_vec(),
    };
    sense.flip(&mut ties.theta);
    sense.flip(&mut ties.rewards);
    let mut worst = ties.search(rows, tolerance)?;
    sense.flip(&mut worst);
    Ok(worst)
}

/// Predicted and true rewards of rows over one oracle.
struct Ties<'a> {
    oracle: &'a dyn Oracle,
    batch: Batch,
    dim: usize,
    theta: Vec<f64>,
    rewards: Vec<f64>,
}

impl Ties<'_> {
    /// The true reward of the worst tie of each row.
    fn search(&self, rows: usize, tolerance: f64) -> Result<Vec<f64>, Error> {
        let mut open: Vec<usize> = (0..rows).collect();
        let best = self.solve(&open, |theta, _| theta)?;
        let optimum = |row| dot(self.row(&self.theta, row), self.row(&best, row));
        let optima: Vec<f64> = (0..rows).map(optimum).collect();
        let mut worst = vec![f64::NAN; rows];
        for doublings in 0..=MOST_DOUBLINGS {
            let weight = f64::from(1_u32 << doublings);
            let z = self.solve(&open, |theta, reward| weight * theta - reward)?;
            let mut states = z.chunks_exact(self.dim);
            open.retain(|&row| {
                let z = states.next().expect("each open row was solved");
                let theta = self.row(&self.theta, row);
                let size: f64 = z
                    .iter()
                    .zip(theta)
                    .map(|(z, theta)| (z * theta).abs())
                    .sum();
                let is_tie = dot(theta, z) >= optima[row] - tolerance * size;
                if is_tie {
                    worst[row] = dot(self.row(&self.rewards, row), z);
                }
                !is_tie
            });
            if open.is_empty() {
                return Ok(worst);
            }
        }
        let message = format!("row {}: its ties are too close to tell apart", open[0]);
        Err(Error::new(ErrorKind::LimitReached, message))
    }

    /// Solves rows for a mixture of what is predicted and what is true.
    fn solve(
        &self,
        rows: &[usize],
        mix: impl Fn(f64, f64) -> f64 + Sync,
    ) -> Result<Buffer<f64>, Error> {
        let prepare = |query: usize, out: &mut [f64]| {
            let (theta, rewards) = (
                self.row(&self.theta, rows[query]),
                self.row(&self.rewards, rows[query]),
            );
            for ((out, theta), reward) in out.iter_mut().zip(theta).zip(rewards) {
                *out = mix(*theta, *reward);
            }
            Ok(())
        };
        let limits = Limits::none();
        let solved = self
            .batch
            .solve(rows.len(), self.dim, |_| self.oracle, prepare, &limits);
        for (outcome, row) in solved.outcomes.iter().zip(rows) {
            if let Err(why) = outcome {
                return Err(why.clone().within(format_args!("row {row}")));
            }
        }
        Ok(solved.z)
    }

    fn row<'a>(&self, values: &'a [f64], row: usize) -> &'a [f64] {
        &values[row * self.dim..][..self.dim]
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}
