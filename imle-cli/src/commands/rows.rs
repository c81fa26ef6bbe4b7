//! Rows of theta through a layer, and what becomes of those that could not be solved.

use imle_runtime::{Call, Layer, Outcome, RowError};
use serde_json::{Value, json};

use crate::failure::{Exit, Failure};
use crate::output::{progress, remark};

/// Rows that are solved between two steps of the progress bar.
const ROWS_A_STEP: usize = 1024;
/// Failed rows that are named one by one.
const MOST_NAMED: usize = 5;

/// What came back for all rows.
pub(crate) struct Solved {
    /// `[rows, samples, dim]`.
    pub(crate) z: Vec<f64>,
    /// `[rows, samples]`.
    pub(crate) outcomes: Vec<Outcome>,
    pub(crate) errors: Vec<RowError>,
}

/// Samples states for all rows, with a progress bar where there are many.
pub(crate) fn forward(layer: &Layer, theta: &[f64], call: Call<'_>) -> Result<Solved, Failure> {
    let dim = layer.dim();
    let bar = progress((theta.len() / dim).div_ceil(ROWS_A_STEP), "solving");
    let mut solved = Solved {
        z: Vec::with_capacity(theta.len() * layer.sampling().samples),
        outcomes: Vec::new(),
        errors: Vec::new(),
    };
    for (step, rows) in theta.chunks(ROWS_A_STEP * dim).enumerate() {
        let first_row = step * ROWS_A_STEP;
        let saved = layer.forward(rows, call.from_row(first_row as u64))?;
        let states = saved.states();
        solved.z.extend_from_slice(states.z());
        solved.outcomes.extend_from_slice(states.outcomes());
        solved.errors.extend(states.errors().map(|failed| RowError {
            row: failed.row + first_row,
            ..failed
        }));
        bar.inc(1);
    }
    bar.finish_and_clear();
    Ok(solved)
}

/// The failures for JSON.
pub(crate) fn json_errors(errors: &[RowError]) -> Value {
    let error = |failed: &RowError| {
        let RowError { row, sample, error } = failed;
        json!({"row": row, "sample": sample, "kind": error.kind().to_string(), "message": error.message()})
    };
    errors.iter().map(error).collect()
}

/// Ends the command by what failed, after everything else was written.
pub(crate) fn end(errors: &[RowError], of: usize) -> Result<(), Failure> {
    if errors.is_empty() {
        return Ok(());
    }
    for RowError { row, sample, error } in errors.iter().take(MOST_NAMED) {
        remark(format_args!("row {row}, sample {sample}: {error}"));
    }
    let failed = errors.len();
    let message = format!("{failed} of {of} could not be solved; NaN stands for their states");
    Err(Failure::after_all(Exit::Rows, message))
}

/// `<z, theta>` of every state, `[rows, samples]`.
pub(crate) fn objectives(theta: &[f64], z: &[f64], samples: usize, dim: usize) -> Vec<f64> {
    let states = z.chunks_exact(dim).enumerate();
    states
        .map(|(item, z)| {
            let theta = &theta[item / samples * dim..][..dim];
            theta.iter().zip(z).map(|(theta, z)| theta * z).sum::<f64>() + 0.0
        })
        .collect()
}
