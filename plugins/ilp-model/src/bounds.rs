//! Finite bounds for integer variables, where the rows imply them.
//!
//! Some engines need finite bounds of integers, and a host draws conclusions from the bounds of a
//! state. `2 x + 3 y <= 12` with `x, y >= 0` says `x <= 6` although nobody wrote it.

use crate::{Row, Variable};

/// Bounds travel along a chain of rows, one row a pass; a longer chain is left without.
const PASSES: usize = 20;
/// By how much an implied bound is loosened, relative to the numbers that it came from: rounding must
/// never cut a point off.
const ROUNDING: f64 = 1e-6;

/// Replaces infinite bounds of integer variables by those that the rows imply.
pub(crate) fn tighten(variables: &mut [Variable], rows: &[Row]) {
    let open = |v: &Variable| v.is_integral() && !(v.lower.is_finite() && v.upper.is_finite());
    if !variables.iter().any(open) {
        return;
    }
    // Continuous variables take part, as `x <= y <= 3` bounds `x` too, but keep the bounds they have.
    let mut implied: Vec<Variable> = variables.to_vec();
    for _ in 0..PASSES {
        let mut changed = false;
        for row in rows {
            changed |= tighten_by(row.terms.iter().copied(), row.upper, &mut implied);
            let negated = row
                .terms
                .iter()
                .map(|&(at, coefficient)| (at, -coefficient));
            changed |= tighten_by(negated, -row.lower, &mut implied);
        }
        if !changed {
            break;
        }
    }
    for (variable, implied) in variables.iter_mut().zip(implied) {
        if variable.is_integral() {
            // Crossed bounds mean that nothing is feasible; the engine will find that in the rows.
            let upper = implied.upper.max(implied.lower);
            *variable = Variable { upper, ..implied };
        }
    }
}

/// Draws the bounds that `sum of terms <= rhs` implies; says whether there were any.
fn tighten_by(
    terms: impl Iterator<Item = (usize, f64)> + Clone,
    rhs: f64,
    variables: &mut [Variable],
) -> bool {
    if rhs == f64::INFINITY {
        return false;
    }
    let least = |variables: &[Variable], (at, coefficient): (usize, f64)| {
        let variable = &variables[at];
        coefficient
            * if coefficient > 0.0 {
                variable.lower
            } else {
                variable.upper
            }
    };
    let (mut sum, mut infinite) = (0.0, 0);
    for term in terms.clone() {
        match least(variables, term) {
            f64::NEG_INFINITY => infinite += 1,
            value => sum += value,
        }
    }
    let mut changed = false;
    for (at, coefficient) in terms {
        let own = least(variables, (at, coefficient));
        let others = match (infinite, own == f64::NEG_INFINITY) {
            (0, _) => sum - own,
            (1, true) => sum,
            _ => continue,
        };
        let bound = (rhs - others) / coefficient;
        let slack = ROUNDING * (1.0 + (rhs.abs() + others.abs()) / coefficient.abs());
        changed |= replace_infinite(&mut variables[at], coefficient > 0.0, bound, slack);
    }
    changed
}

fn replace_infinite(variable: &mut Variable, is_upper: bool, bound: f64, slack: f64) -> bool {
    let integral = variable.is_integral();
    let (side, bound) = match is_upper {
        true if integral => (&mut variable.upper, (bound + slack).floor()),
        true => (&mut variable.upper, bound + slack),
        false if integral => (&mut variable.lower, (bound - slack).ceil()),
        false => (&mut variable.lower, bound - slack),
    };
    let replaced = side.is_infinite() && bound.is_finite();
    if replaced {
        *side = bound + 0.0; // no negative zero
    }
    replaced
}
