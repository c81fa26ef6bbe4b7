//! Whether a point lies in the feasible set as the user gave it.

use imle_ilp_model::Model;

/// By how much a point may violate a row, absolutely and relative to the terms.
const TOLERANCE: f64 = 5e-7;
const ROUNDING: f64 = 5e-13;

/// Says whether `values` satisfies every row and bound of `model`.
pub(crate) fn satisfies(model: &Model, values: &[f64]) -> bool {
    let inside = |(variable, &value): (&imle_ilp_model::Variable, &f64)| {
        value >= variable.lower - TOLERANCE && value <= variable.upper + TOLERANCE
    };
    if !model.variables().iter().zip(values).all(inside) {
        return false;
    }
    model.rows().iter().all(|row| {
        let (mut sum, mut magnitude) = (0.0, 0.0);
        for &(at, coefficient) in &row.terms {
            let term = coefficient * values[at];
            sum += term;
            magnitude += term.abs();
        }
        let tolerance = TOLERANCE + ROUNDING * magnitude;
        sum >= row.lower - tolerance && sum <= row.upper + tolerance
    })
}
