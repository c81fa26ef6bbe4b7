//! How much worse decisions are than the best ones. Two normalisations are in use, and they differ: a
//! regret without its normalisation is not a number.

use imle_api::{Error, ErrorKind};

use crate::sampling::Sense;

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
/// [`ErrorKind::InvalidInput`] if the lengths differ, or with the row whose value is not finite.
pub fn regrets(objectives: &[f64], optima: &[f64], sense: Sense) -> Result<Vec<f64>, Error> {
    if objectives.len() != optima.len() {
        let message = format!(
            "{} objectives for {} optima",
            objectives.len(),
            optima.len()
        );
        return Err(Error::new(ErrorKind::InvalidInput, message));
    }
    for (name, values) in [("objective", objectives), ("optimum", optima)] {
        if let Some(row) = values.iter().position(|value| !value.is_finite()) {
            let message = format!("the {name} of row {row} is {}", values[row]);
            return Err(Error::new(ErrorKind::InvalidInput, message));
        }
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
