//! No engine is believed: its point is compared with the model as given.

use imle_api::{Error, ErrorKind};

use crate::{Model, Row, Variable};

/// By how much a point may violate a row or a bound, absolutely.
const FEASIBILITY_TOLERANCE: f64 = 1e-6;
/// What evaluating a row may cost, relative to the sum of the magnitudes of its terms.
const ROUNDING: f64 = 1e-12;

/// Rounds integer variables, clips the others to their bounds, and checks the point that results.
pub(crate) fn make_exact(model: &Model, tolerance: f64, values: &mut [f64]) -> Result<(), Error> {
    if values.len() != model.variables().len() {
        let (got, expected) = (values.len(), model.variables().len());
        return Err(failed(format!(
            "it gave {got} values for {expected} variables"
        )));
    }
    for (variable, value) in model.variables().iter().zip(values.iter_mut()) {
        *value = exact(variable, tolerance, *value)?;
    }
    model
        .rows()
        .iter()
        .try_for_each(|row| check_row(row, values))
}

fn exact(variable: &Variable, tolerance: f64, value: f64) -> Result<f64, Error> {
    let Variable {
        name, lower, upper, ..
    } = variable;
    let out = |value: f64| {
        failed(format!(
            "variable `{name}` is {value}, not from {lower} to {upper}"
        ))
    };
    if !value.is_finite() {
        return Err(out(value));
    }
    if variable.is_integral() {
        let rounded = value.round() + 0.0; // no negative zero
        if (value - rounded).abs() > tolerance {
            let message = format!(
                "integer variable `{name}` is {value}, further from an integer than the tolerance {tolerance}"
            );
            return Err(failed(message));
        }
        return if (*lower..=*upper).contains(&rounded) {
            Ok(rounded)
        } else {
            Err(out(value))
        };
    }
    let clipped = value.clamp(*lower, *upper) + 0.0;
    if (value - clipped).abs() > FEASIBILITY_TOLERANCE + ROUNDING * value.abs() {
        return Err(out(value));
    }
    Ok(clipped)
}

fn check_row(row: &Row, values: &[f64]) -> Result<(), Error> {
    let (mut sum, mut magnitude) = (0.0, 0.0);
    for &(variable, coefficient) in &row.terms {
        let term = coefficient * values[variable];
        sum += term;
        magnitude += term.abs();
    }
    let tolerance = FEASIBILITY_TOLERANCE + ROUNDING * magnitude;
    // A sum that is not a number must not pass, whatever way the comparison is written.
    if sum >= row.lower - tolerance && sum <= row.upper + tolerance {
        return Ok(());
    }
    let Row {
        name, lower, upper, ..
    } = row;
    Err(failed(format!(
        "row `{name}` is {sum}, not from {lower} to {upper}"
    )))
}

fn failed(why: String) -> Error {
    Error::new(
        ErrorKind::BackendFailed,
        format!("the engine returned a wrong point: {why}"),
    )
}
