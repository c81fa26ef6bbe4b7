//! Exact marginals and log-partitions of a batch, for solvers that have them.

use imle_api::{Error, ErrorKind, Limits, Oracle, check_theta, unset};
use rayon::iter::{IndexedParallelIterator, ParallelIterator};
use rayon::slice::{ParallelSlice, ParallelSliceMut};

use crate::Sense;
use crate::batch::rows_a_call;

/// The marginals and the log-partition of each row of a batch.
///
/// A row that has none carries its own error and NaN in every coordinate; the others are not affected.
#[derive(Clone, Debug)]
pub struct ExactMarginals {
    /// `E[z]`, row-major `[rows, dim]`.
    pub mu: Vec<f64>,
    /// The log-partition of each row, or why there is none: `[rows]`.
    pub log_partitions: Vec<Result<f64, Error>>,
}

impl ExactMarginals {
    /// Returns the marginals if every row has them.
    ///
    /// # Errors
    ///
    /// The error of the first row that has none.
    pub fn all_exact(&self) -> Result<&Self, Error> {
        for (row, found) in self.log_partitions.iter().enumerate() {
            if let Err(why) = found {
                return Err(why.clone().within(format_args!("row {row}")));
            }
        }
        Ok(self)
    }
}

/// Finds the exact marginals and log-partitions of `theta`, `[rows, dim]`, in parallel over rows.
///
/// The distribution over the states `z` in `C` of the oracle is (Eq. 3 of the I-MLE paper)
///
/// ```text
/// p(z; theta) = exp(<z, theta> - A(theta))     A = log of the sum of exp(<z, theta>), the log-partition
/// mu          = E[z] = dA / dtheta
/// ```
///
/// With [`Sense::Minimize`] theta holds costs, `p(z)` is proportional to `exp(-<z, theta>)`, and `mu` is
/// still `E[z]`, so `dA / dtheta = -mu`. For the temperature `tau` divide theta by it before the call. The
/// threads are those of the rayon pool that it is called from; results do not depend on them.
///
/// The negative log-likelihood of an example `z` is `A(theta) - <z, theta>` with the gradient `mu - z`:
/// learning by maximum likelihood, exactly.
///
/// ```
/// use imle_runtime::{Facts, FnOracle, Limits, Sense, exact_marginals};
///
/// // One coordinate, on or off.
/// let oracle = FnOracle::new(Facts::binary(1), |theta, z| {
///     z[0] = f64::from(theta[0] > 0.0);
///     Ok(())
/// });
/// let oracle = oracle.with_marginals(|theta, mu| {
///     mu[0] = 1.0 / (1.0 + (-theta[0]).exp());
///     Ok(theta[0].exp().ln_1p())
/// });
/// let costs = [0.0, 3.0_f64.ln()]; // two rows
/// let exact = exact_marginals(&oracle, &costs, Sense::Minimize, &Limits::none())?;
/// let exact = exact.all_exact()?;
/// assert!((exact.mu[0] - 0.5).abs() < 1e-12);
/// assert!((exact.mu[1] - 0.25).abs() < 1e-12);
/// # Ok::<(), imle_runtime::Error>(())
/// ```
///
/// # Errors
///
/// [`ErrorKind::InvalidTheta`] if theta is not `[rows, dim]` or not finite. A row has the error
/// [`ErrorKind::Unsupported`] if the solver has no exact marginals for this instance, and
/// [`ErrorKind::InvalidTheta`] if its absolute values sum to infinity.
pub fn exact_marginals(
    oracle: &dyn Oracle,
    theta: &[f64],
    sense: Sense,
    limits: &Limits<'_>,
) -> Result<ExactMarginals, Error> {
    let pinned = oracle.pin();
    let oracle = pinned.as_deref().unwrap_or(oracle);
    let dim = oracle.facts().dim;
    let rows = check_theta(theta, dim)?;
    let mut mu = vec![f64::NAN; theta.len()];
    let mut log_partitions = vec![unset(); rows];
    let share = rows.div_ceil(8 * rayon::current_num_threads()).max(1);
    let rows_a_call = rows_a_call(dim, limits).min(share);
    theta
        .par_chunks(rows_a_call * dim)
        .zip(mu.par_chunks_mut(rows_a_call * dim))
        .zip(log_partitions.par_chunks_mut(rows_a_call))
        .for_each(|((theta, mu), log_partitions)| {
            let rewards = rewards(theta, dim, sense);
            oracle.marginals(&rewards, mu, log_partitions, limits);
            let rows = theta.chunks_exact(dim).zip(mu.chunks_exact_mut(dim));
            for ((theta, mu), found) in rows.zip(log_partitions) {
                if let Some(why) = overflow(theta) {
                    *found = Err(why);
                }
                if found.is_err() {
                    mu.fill(f64::NAN);
                }
            }
        });
    Ok(ExactMarginals { mu, log_partitions })
}

/// Writes the exact marginals of one row, which is to be maximised, and returns its log-partition.
pub(crate) fn marginals_of_row(
    oracle: &dyn Oracle,
    theta: &[f64],
    mu: &mut [f64],
    limits: &Limits<'_>,
) -> Result<f64, Error> {
    if let Some(why) = overflow(theta) {
        return Err(why);
    }
    let mut log_partition = [unset()];
    oracle.marginals(theta, mu, &mut log_partition, limits);
    let [found] = log_partition;
    found
}

/// Theta as the oracle maximises it; a row that fails by [`overflow`] never reaches the solver and is zero.
fn rewards(theta: &[f64], dim: usize, sense: Sense) -> Vec<f64> {
    let mut rewards = theta.to_vec();
    for row in rewards.chunks_exact_mut(dim) {
        if overflow(row).is_some() {
            row.fill(0.0);
        } else if sense == Sense::Minimize {
            row.iter_mut().for_each(|value| *value = -*value);
        }
    }
    rewards
}

fn overflow(theta: &[f64]) -> Option<Error> {
    let size = theta.iter().map(|value| value.abs()).sum::<f64>();
    size.is_infinite().then(|| {
        let message = "the absolute values of theta sum to infinity; scale theta down";
        Error::new(ErrorKind::InvalidTheta, message)
    })
}
