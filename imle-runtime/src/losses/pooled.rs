//! What the losses over a solution pool share.

use imle_api::Error;

use super::LossValue;
use crate::pass::Pass;
use crate::states::RowError;

/// Evaluates rows over the states, `[count, dim]`, that the pool knows of their instance; `evaluate` is told
/// the row. The rows that the pool wants solved are solved, without noise: so it grows, for later calls.
pub(super) fn over_pool(
    pass: &Pass<'_>,
    evaluate: impl Fn(usize, &[f64], &mut [f64]) -> Result<f64, Error> + Sync,
) -> Result<LossValue, Error> {
    pass.check_pool()?;
    let growing: Vec<usize> = (0..pass.rows())
        .filter(|&row| pass.is_solved(row))
        .collect();
    let solved = pass.solve(
        growing.len(),
        |query| growing[query],
        |query, theta| {
            theta.copy_from_slice(pass.theta_row(growing[query]));
            Ok(())
        },
    );
    let errors = solved.errors().map(|failed| RowError {
        row: growing[failed.row],
        ..failed
    });
    Ok(LossValue::of_rows(
        pass,
        errors.collect(),
        growing.len(),
        |row, grad| evaluate(row, pass.known_states(row)?, grad),
    ))
}

pub(super) fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// `out += weight z`.
pub(super) fn add(out: &mut [f64], weight: f64, z: &[f64]) {
    out.iter_mut()
        .zip(z)
        .for_each(|(out, z)| *out += weight * z);
}
