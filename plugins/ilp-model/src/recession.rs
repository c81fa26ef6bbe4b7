//! Whether an objective has a bound, from a program that always has one.

use imle_api::Error;

use crate::{Kind, Model, Row, Variable};

/// What going one unit in a direction has to gain before it is no rounding, with coefficients of [`LARGEST`]:
/// 3e-11 of them.
const GAIN: f64 = 1e-6;
/// The least that the largest coefficient is scaled to: engines do not see reduced costs below 1e-7 or 1e-9.
const LARGEST: f64 = 32768.0;

/// Says whether `objective` grows without bound over `model`, provided that `model` has a point at all.
///
/// Engines are least to be believed about unbounded programs: several call some of them infeasible. So
/// `engine`, which maximises the objective that it gets over the model that it gets and writes the point, is
/// asked for the best direction in which the feasible set goes on for ever; that program is linear, bounded and
/// feasible. With rational coefficients the integers follow some multiple of every such direction.
///
/// Its objective is that part of `objective` in which anything can go on for ever, scaled up by a power of two:
/// beside the coefficients of bounded variables it may be less than engines see.
///
/// # Errors
///
/// Those of `engine`, which is not called if every variable of `objective` has its bounds.
pub fn is_unbounded(
    model: &Model,
    objective: &[f64],
    engine: impl FnOnce(&Model, &[f64], &mut Vec<f64>) -> Result<(), Error>,
) -> Result<bool, Error> {
    let Some(directions) = directions(model)? else {
        return Ok(false);
    };
    let Some(objective) = scaled(&directions, objective) else {
        return Ok(false);
    };
    let mut direction = Vec::new();
    engine(&directions, &objective, &mut direction)?;
    let gain: f64 = direction.iter().zip(&objective).map(|(d, c)| d * c).sum();
    Ok(gain > GAIN)
}

/// The objective over the variables that are not fixed, scaled until its largest coefficient is [`LARGEST`] or
/// more; none if it is zero there.
fn scaled(directions: &Model, objective: &[f64]) -> Option<Vec<f64>> {
    let variables = directions.variables().iter().zip(objective);
    let mut part: Vec<f64> = variables
        .map(|(v, &c)| if v.lower < v.upper { c } else { 0.0 })
        .collect();
    let largest = part.iter().fold(0.0_f64, |most, c| most.max(c.abs()));
    if largest == 0.0 {
        return None;
    }
    while part.iter().all(|c| c.abs() < LARGEST) {
        part.iter_mut().for_each(|c| *c *= 2.0);
    }
    Some(part)
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
