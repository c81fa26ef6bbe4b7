//! Whether an objective has a bound, from a program that always has one.

use imle_api::Error;

use crate::{Kind, Model, Row, Variable};

/// What going one unit in a direction has to gain before it is no rounding; objectives are scaled to 32 or more.
const GAIN: f64 = 1e-7;

/// Says whether `objective` grows without bound over `model`, provided that `model` has a point at all.
///
/// Engines are least to be believed about unbounded programs: several call some of them infeasible. So
/// `engine`, which maximises `objective` over the model that it gets and writes the point, is asked for the
/// best direction in which the feasible set goes on for ever; that program is linear, bounded and feasible.
/// With rational coefficients the integers follow some multiple of every such direction.
///
/// # Errors
///
/// Those of `engine`, which is not called if every variable has its bounds.
pub fn is_unbounded(
    model: &Model,
    objective: &[f64],
    engine: impl FnOnce(&Model, &mut Vec<f64>) -> Result<(), Error>,
) -> Result<bool, Error> {
    let Some(directions) = directions(model)? else {
        return Ok(false);
    };
    let mut direction = Vec::new();
    engine(&directions, &mut direction)?;
    let gain: f64 = direction.iter().zip(objective).map(|(d, c)| d * c).sum();
    Ok(gain > GAIN)
}

/// The directions, up to length 1, in which the feasible set goes on for ever; none if a box holds the set.
fn directions(model: &Model) -> Result<Option<Model>, Error> {
    let side = |bound: f64| if bound.is_finite() { 0.0 } else { bound };
    let variables: Vec<Variable> = model
        .variables()
        .iter()
        .map(|variable| Variable {
            kind: Kind::Continuous,
            lower: side(variable.lower).max(-1.0),
            upper: side(variable.upper).min(1.0),
            ..variable.clone()
        })
        .collect();
    if variables.iter().all(|v| v.lower == v.upper) {
        return Ok(None);
    }
    let rows = model.rows().iter().map(|row| Row {
        lower: side(row.lower),
        upper: side(row.upper),
        ..row.clone()
    });
    Model::new(variables, rows.collect()).map(Some)
}
