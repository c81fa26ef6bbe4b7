//! A configuration read and checked: the model, what theta addresses, and the known objective.

use std::collections::HashSet;

use imle_api::{Error, ErrorKind, Facts};

use crate::config::Config;
use crate::model::index;
use crate::{Model, invalid, read};

/// Maximise `<z, theta>` plus a known linear objective over a [`Model`], where `z` are the variables
/// that theta addresses.
#[derive(Clone, Debug)]
pub struct Problem {
    model: Model,
    theta: Vec<usize>,
    known: Vec<f64>,
    integrality_tolerance: f64,
    facts: Facts,
}

impl Problem {
    /// Reads and checks what `config` describes.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidConfig`] with the name and the value at fault, or
    /// [`ErrorKind::Io`] with the path of a file that cannot be read.
    pub fn new(config: Config) -> Result<Self, Error> {
        let tolerance = config.integrality_tolerance;
        if !(0.0..0.5).contains(&tolerance) {
            return Err(invalid(format!(
                "integrality_tolerance = {tolerance} is not at least 0 and below 0.5"
            )));
        }
        let (model, mut known) = match (config.model, &config.file) {
            (Some(model), None) if !config.keep_objective => {
                (Model::from_config(model)?, Vec::new())
            }
            (Some(_), None) => {
                return Err(invalid(
                    "keep_objective needs `file`: an inline model has no objective",
                ));
            }
            (None, Some(path)) => read::file(path)?,
            _ => {
                return Err(invalid(
                    "exactly one of `model` and `file` describes the problem",
                ));
            }
        };
        if !config.keep_objective {
            known.clear();
        }
        known.resize(model.variables().len(), 0.0);
        add_known(&mut known, &config.objective.0, &model)?;
        let theta = theta_variables(config.theta.as_deref(), &model)?;
        let facts = facts(&model, &theta);
        Ok(Self {
            model,
            theta,
            known,
            integrality_tolerance: tolerance,
            facts,
        })
    }

    /// Returns the feasible set.
    #[must_use]
    pub fn model(&self) -> &Model {
        &self.model
    }

    /// Returns the variables that theta addresses, by index and in the order of theta.
    #[must_use]
    pub fn theta(&self) -> &[usize] {
        &self.theta
    }

    /// Returns what holds for every state.
    #[must_use]
    pub fn facts(&self) -> Facts {
        self.facts
    }

    /// Writes the coefficient of each variable in the objective to maximise: theta plus what is known.
    ///
    /// The whole is scaled by a power of two, which changes no maximiser and costs no digit: engines
    /// compare costs with absolute tolerances, and a small theta deserves the same answer as a large one.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidTheta`] if a sum overflows.
    pub fn objective_for(&self, theta: &[f64], objective: &mut Vec<f64>) -> Result<(), Error> {
        objective.clone_from(&self.known);
        for (&variable, theta) in self.theta.iter().zip(theta) {
            objective[variable] += theta;
        }
        let largest = objective
            .iter()
            .fold(0.0, |largest: f64, c| largest.max(c.abs()));
        if largest == f64::INFINITY {
            let message = "theta plus the known objective is too large for a number";
            return Err(Error::new(ErrorKind::InvalidTheta, message));
        }
        if largest > 0.0 {
            let scale = LARGEST_COEFFICIENT / power_of_two_below(largest);
            objective.iter_mut().for_each(|c| *c = *c * scale + 0.0); // no negative zero
        }
        Ok(())
    }

    /// Makes an engine's point exact, or says what is wrong with it, and writes its state into `z`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::BackendFailed`] with the variable or the row that the point violates.
    pub fn state_of(&self, values: &mut [f64], z: &mut [f64]) -> Result<(), Error> {
        self.model.make_exact(self.integrality_tolerance, values)?;
        for (z, &variable) in z.iter_mut().zip(&self.theta) {
            *z = values[variable];
        }
        Ok(())
    }
}

/// What the largest coefficient of a scaled objective is, up to a factor of two. Engines take differences of
/// 1e-9 or so for equal: that should be little beside a coefficient. They also take differences of 1e-10 for
/// real: that should be much beside the rounding of a coefficient, or a bounded program looks unbounded.
const LARGEST_COEFFICIENT: f64 = 32.0;

/// The largest power of two that is not above `value`, which is positive and finite.
fn power_of_two_below(value: f64) -> f64 {
    const EXPONENT: u64 = 0x7ff << 52;
    // A smaller theta is not worth an infinite scale.
    const SMALLEST: f64 = f64::from_bits((1023 - 1000) << 52);
    f64::from_bits(value.to_bits() & EXPONENT).max(SMALLEST)
}

fn add_known(known: &mut [f64], terms: &[(String, f64)], model: &Model) -> Result<(), Error> {
    let index = index(model.variables());
    for (name, coefficient) in terms {
        let Some(&at) = index.get(name.as_str()) else {
            return Err(invalid(format!(
                "objective names unknown variable `{name}`"
            )));
        };
        known[at] += coefficient;
        if !known[at].is_finite() {
            return Err(invalid(format!(
                "objective has the coefficient {} for `{name}`",
                known[at]
            )));
        }
    }
    Ok(())
}

fn theta_variables(names: Option<&[String]>, model: &Model) -> Result<Vec<usize>, Error> {
    let variables = model.variables();
    let Some(names) = names else {
        let integral: Vec<usize> = (0..variables.len())
            .filter(|&at| variables[at].is_integral())
            .collect();
        if integral.is_empty() {
            return Err(invalid(
                "no variable is binary or integer: say with `theta` which form the state",
            ));
        }
        return Ok(integral);
    };
    if names.is_empty() {
        return Err(invalid("theta names no variable"));
    }
    let index = index(variables);
    let mut seen = HashSet::new();
    let resolve = |name: &String| match index.get(name.as_str()) {
        None => Err(invalid(format!("theta names unknown variable `{name}`"))),
        Some(&at) if !seen.insert(at) => {
            Err(invalid(format!("theta names variable `{name}` twice")))
        }
        Some(&at) => Ok(at),
    };
    names.iter().map(resolve).collect()
}

fn facts(model: &Model, theta: &[usize]) -> Facts {
    let variables = || theta.iter().map(|&at| &model.variables()[at]);
    let lower = variables().map(|v| v.lower).fold(f64::INFINITY, f64::min);
    let upper = variables()
        .map(|v| v.upper)
        .fold(f64::NEG_INFINITY, f64::max);
    let integral = variables().all(|v| v.is_integral());
    let facts = Facts::bounded(theta.len(), lower, upper, integral);
    match ones(model, theta) {
        Some(ones) => facts.with_ones(ones),
        None => facts,
    }
}

/// The `k` of a row that says "exactly k of the binary variables that theta addresses".
fn ones(model: &Model, theta: &[usize]) -> Option<usize> {
    let mut sorted = theta.to_vec();
    sorted.sort_unstable();
    let is_binary = |&at: &usize| {
        let variable = &model.variables()[at];
        variable.is_integral() && variable.lower >= 0.0 && variable.upper <= 1.0
    };
    if !sorted.iter().all(is_binary) {
        return None;
    }
    let row = model.rows().iter().find(|row| {
        let sum_of_theta = row
            .terms
            .iter()
            .copied()
            .eq(sorted.iter().map(|&at| (at, 1.0)));
        // A row that asks for more ones than there are makes the program infeasible: no fact at all.
        let possible = 0.0..=theta.len() as f64;
        sum_of_theta
            && row.lower == row.upper
            && row.lower.fract() == 0.0
            && possible.contains(&row.lower)
    })?;
    Some(row.lower as usize)
}
