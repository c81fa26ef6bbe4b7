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
