//! How much worse decisions are than the best ones. Two normalisations are in use, and they differ: a
//! regret without its normalisation is not a number.

use imle_api::{Error, ErrorKind, Limits, Oracle, Outcome, check_theta, unset};

use crate::batch::Batch;
use crate::sampling::{Sense, not_negative};

/// Returns the regret of each decision: how much worse its objective is than the optimum, never
/// negative for true optima.
///
/// ```
/// use imle_runtime::{Sense, regrets};
/// assert_eq!(regrets(&[5.0, 3.0], &[4.0, 3.0], Sense::Minimize)?, [1.0, 0.0]);
/// # Ok::<(), imle_runtime::Error>(())
/// ```
///
/// # Errors
///
/// [`ErrorKind::InvalidInput`] if the lengths differ.
pub fn regrets(objectives: &[f64], optima: &[f64], sense: Sense) -> Result<Vec<f64>, Error> {
    if objectives.len() != optima.len() {
        let message = format!(
            "{} objectives for {} optima",
            objectives.len(),
            optima.len()
        );
        return Err(Error::new(ErrorKind::InvalidInput, message));
    }
    let regret = |(objective, optimum): (&f64, &f64)| match sense {
        Sense::Maximize => optimum - objective,
        Sense::Minimize => objective - optimum,
    };
    Ok(objectives.iter().zip(optima).map(regret).collect())
}

/// Returns the sum of the regrets over the sum of the absolute optima: the normalized regret of PyEPO.
///
/// ```
/// use imle_runtime::{Sense, normalized_regret};
/// assert_eq!(normalized_regret(&[5.0, 3.0], &[4.0, 1.0], Sense::Minimize)?, 3.0 / 5.0);
/// # Ok::<(), imle_runtime::Error>(())
/// ```
///
/// # Errors
///
/// [`ErrorKind::InvalidInput`] if the lengths differ or every optimum is zero.
pub fn normalized_regret(objectives: &[f64], optima: &[f64], sense: Sense) -> Result<f64, Error> {
    let total: f64 = regrets(objectives, optima, sense)?.iter().sum();
    let scale: f64 = optima.iter().map(|optimum| optimum.abs()).sum();
    if scale == 0.0 {
        return Err(Error::new(ErrorKind::InvalidInput, "every optimum is zero"));
    }
    Ok(total / scale)
}

/// Returns the mean of each regret over its own absolute optimum, as the benchmark of Mandi et al. does.
///
/// ```
/// use imle_runtime::{Sense, mean_relative_regret};
/// assert_eq!(mean_relative_regret(&[5.0, 3.0], &[4.0, 1.0], Sense::Minimize)?, (0.25 + 2.0) / 2.0);
/// # Ok::<(), imle_runtime::Error>(())
/// ```
///
/// # Errors
///
/// [`ErrorKind::InvalidInput`] if the lengths differ, there are none, or an optimum is zero.
pub fn mean_relative_regret(
    objectives: &[f64],
    optima: &[f64],
    sense: Sense,
) -> Result<f64, Error> {
    let regrets = regrets(objectives, optima, sense)?;
    if let Some(row) = optima.iter().position(|&optimum| optimum == 0.0) {
        let message = format!("the optimum of row {row} is zero");
        return Err(Error::new(ErrorKind::InvalidInput, message));
    }
    if regrets.is_empty() {
        return Err(Error::new(ErrorKind::InvalidInput, "there are no rows"));
    }
    let total: f64 = regrets
        .iter()
        .zip(optima)
        .map(|(regret, optimum)| regret / optimum.abs())
        .sum();
    Ok(total / regrets.len() as f64)
}

/// Returns the share of decisions that are as good as the best: whose regret over the absolute optimum is below
/// `tolerance`. With costs that is `cost / optimum - 1 < tolerance`, the accuracy of the Warcraft experiments,
/// where `tolerance` is `1e-6`.
///
/// ```
/// use imle_runtime::{Sense, cost_ratio_accuracy};
/// assert_eq!(cost_ratio_accuracy(&[5.0, 3.0], &[4.0, 3.0], Sense::Minimize, 1e-6)?, 0.5);
/// # Ok::<(), imle_runtime::Error>(())
/// ```
///
/// # Errors
///
/// As [`mean_relative_regret`].
pub fn cost_ratio_accuracy(
    objectives: &[f64],
    optima: &[f64],
    sense: Sense,
    tolerance: f64,
) -> Result<f64, Error> {
    mean_relative_regret(objectives, optima, sense)?;
    let regrets = regrets(objectives, optima, sense)?;
    let ratios = regrets.iter().zip(optima);
    let good = ratios.filter(|(regret, optimum)| *regret / optimum.abs() < tolerance);
    Ok(good.count() as f64 / regrets.len() as f64)
}

/// Returns the share of states `[rows, dim]` that are the right ones in every coordinate. Where optima are not
/// unique, an optimal state can miss: see [`cost_ratio_accuracy`].
///
/// ```
/// use imle_runtime::exact_match;
/// assert_eq!(exact_match(&[1.0, 0.0, 0.0, 1.0], &[1.0, 0.0, 1.0, 0.0], 2)?, 0.5);
/// # Ok::<(), imle_runtime::Error>(())
/// ```
///
/// # Errors
///
/// [`ErrorKind::InvalidInput`] if the lengths differ, are not a multiple of dim, or there are no rows.
pub fn exact_match(z: &[f64], right: &[f64], dim: usize) -> Result<f64, Error> {
    mean_of_rows(z, right, dim, |differing| f64::from(differing == 0))
}

/// Returns the number of coordinates in which a state differs from the right one, on average over the rows of
/// `[rows, dim]`.
///
/// ```
/// use imle_runtime::hamming;
/// assert_eq!(hamming(&[1.0, 0.0, 0.0, 1.0], &[1.0, 0.0, 1.0, 0.0], 2)?, 1.0);
/// # Ok::<(), imle_runtime::Error>(())
/// ```
///
/// # Errors
///
/// As [`exact_match`].
pub fn hamming(z: &[f64], right: &[f64], dim: usize) -> Result<f64, Error> {
    mean_of_rows(z, right, dim, |differing| differing as f64)
}

fn mean_of_rows(
    z: &[f64],
    right: &[f64],
    dim: usize,
    score: impl Fn(usize) -> f64,
) -> Result<f64, Error> {
    if dim == 0 || z.is_empty() || z.len() != right.len() || !z.len().is_multiple_of(dim) {
        let (have, expected) = (z.len(), right.len());
        let message = format!("{have} and {expected} values are not rows of dim = {dim} each");
        return Err(Error::new(ErrorKind::InvalidInput, message));
    }
    let rows = z.chunks_exact(dim).zip(right.chunks_exact(dim));
    let scores = rows.map(|(z, right)| score(z.iter().zip(right).filter(|(a, b)| a != b).count()));
    Ok(scores.sum::<f64>() / (z.len() / dim) as f64)
}

/// Returns the true objective of the *worst* state that the predicted theta calls optimal, for each row of
/// `[rows, dim]`: the basis of the unambiguous regret (Elmachtoub and Grigas 2022, Definition 1), in which a
/// prediction that cannot tell good states from bad does not profit from the solver's tie rule. Hand the
/// objectives to [`normalized_regret`] or [`mean_relative_regret`].
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
    let (mut theta, mut rewards) = (predicted.to_vec(), truth.to_vec());
    sense.flip(&mut theta);
    sense.flip(&mut rewards);
    let solve = |weight: Option<f64>, rows: &[usize]| {
        solve_rows(oracle, rows, |row, out| {
            for (i, out) in out.iter_mut().enumerate() {
                let (theta, reward) = (theta[row * dim + i], rewards[row * dim + i]);
                *out = weight.map_or(theta, |weight| weight * theta - reward);
            }
        })
    };
    let product = |values: &[f64], row: usize, z: &[f64]| -> f64 {
        let values = &values[row * dim..][..dim];
        values.iter().zip(z).map(|(value, z)| value * z).sum()
    };
    let mut open: Vec<usize> = (0..rows).collect();
    let best = solve(None, &open)?;
    let mut worst = vec![f64::NAN; rows];
    for doubling in 0..=WEIGHTS {
        let z = solve(Some(f64::from(1_u32 << doubling)), &open)?;
        let mut still_open = Vec::new();
        for (z, row) in z.chunks_exact(dim).zip(open) {
            let optimum = product(&theta, row, &best[row * dim..][..dim]);
            let size: f64 = z
                .iter()
                .zip(&theta[row * dim..])
                .map(|(z, theta)| (z * theta).abs())
                .sum();
            if product(&theta, row, z) >= optimum - tolerance * size {
                worst[row] = product(truth, row, z);
            } else {
                still_open.push(row);
            }
        }
        open = still_open;
        if open.is_empty() {
            return Ok(worst);
        }
    }
    let message = format!("row {}: its ties are too close to tell apart", open[0]);
    Err(Error::new(ErrorKind::LimitReached, message))
}

/// Weights are 1, 2, 4, up to 2 to this: beyond it, the true theta loses half of its digits.
const WEIGHTS: u32 = 26;

fn solve_rows(
    oracle: &dyn Oracle,
    rows: &[usize],
    prepare: impl Fn(usize, &mut [f64]) + Sync,
) -> Result<Vec<f64>, Error> {
    let dim = oracle.facts().dim;
    let mut z = vec![f64::NAN; rows.len() * dim];
    let mut outcomes: Vec<Outcome> = vec![unset(); rows.len()];
    let prepare = |query: usize, theta: &mut [f64]| {
        prepare(rows[query], theta);
        Ok(())
    };
    let batch = Batch::new(0)?;
    batch.solve(
        dim,
        |_| oracle,
        prepare,
        &Limits::none(),
        &mut z,
        &mut outcomes,
    );
    for (outcome, row) in outcomes.into_iter().zip(rows) {
        outcome.map_err(|why| why.within(format_args!("row {row}")))?;
    }
    Ok(z)
}
