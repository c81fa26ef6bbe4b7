//! The primal simplex method with bounds on every variable: from a feasible basis to the best.

use imle_api::Error;

use crate::budget::{Budget, failed};
use crate::dual::PIVOT;
use crate::tableau::Tableau;

/// A reduced cost below this does not pay.
pub(crate) const PAYS: f64 = 1e-9;
/// Steps that differ by less are equal: the larger pivot wins.
const EQUAL_STEP: f64 = 1e-10;

/// How a run of the primal simplex method ended.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum End {
    Optimal,
    Unbounded,
}

/// Runs until no nonbasic variable improves the objective.
pub(crate) fn primal(t: &mut Tableau, budget: &mut Budget<'_>) -> Result<End, Error> {
    let patience = 50 * (t.rows + t.columns) + 1000;
    for step in 0.. {
        budget.step()?;
        let bland = step > patience;
        if step > 20 * patience {
            return Err(failed("the primal simplex method does not end"));
        }
        let Some((q, upward)) = entering(t, bland) else {
            return Ok(End::Optimal);
        };
        let range = t.nonbasic.upper[q] - t.nonbasic.lower[q];
        t.load_column(q);
        let (length, row) = blocking(t, upward, bland);
        if range <= length {
            if range == f64::INFINITY {
                return Ok(End::Unbounded);
            }
            t.shift(q, if upward { range } else { -range });
            let side = &mut t.nonbasic;
            side.value[q] = if upward { side.upper[q] } else { side.lower[q] };
            t.orient(q);
            continue;
        }
        let Some((r, bound)) = row else {
            return Ok(End::Unbounded);
        };
        t.shift(q, if upward { length } else { -length });
        t.basic.value[r] = bound;
        t.load_row(r);
        t.pivot(r, q);
    }
    Ok(End::Optimal)
}

/// The column of the largest reduced cost that pays, and whether it rises.
fn entering(t: &Tableau, bland: bool) -> Option<(usize, bool)> {
    let side = &t.nonbasic;
    let (mut best, mut most) = (None, 0.0);
    for (q, &cost) in t.costs[..t.columns].iter().enumerate() {
        let pays = if cost > 0.0 {
            side.value[q] < side.upper[q]
        } else {
            side.value[q] > side.lower[q]
        };
        if !pays || cost.abs() <= PAYS {
            continue;
        }
        let merit = if bland {
            1.0 / (1.0 + side.variable[q] as f64)
        } else {
            cost.abs()
        };
        if merit > most {
            (best, most) = (Some((q, cost > 0.0)), merit);
        }
    }
    best
}

/// How far the loaded column can go, the row that stops it, and the bound that the row reaches.
fn blocking(t: &Tableau, upward: bool, bland: bool) -> (f64, Option<(usize, f64)>) {
    let side = &t.basic;
    let (mut length, mut best, mut most) = (f64::INFINITY, None, 0.0);
    for (r, &entry) in t.column.iter().enumerate() {
        if entry.abs() <= PIVOT {
            continue;
        }
        let rises = (entry > 0.0) == upward;
        let bound = if rises { side.upper[r] } else { side.lower[r] };
        if bound.is_infinite() {
            continue;
        }
        let step = ((bound - side.value[r]).abs() / entry.abs()).max(0.0);
        let beyond = (rises && side.value[r] > bound) || (!rises && side.value[r] < bound);
        let step = if beyond { 0.0 } else { step };
        let merit = if bland {
            1.0 / (1.0 + side.variable[r] as f64)
        } else {
            entry.abs()
        };
        let shorter = step < length - EQUAL_STEP;
        if shorter || step <= length + EQUAL_STEP && merit > most {
            (best, most) = (Some((r, bound)), merit);
            length = length.min(step);
        }
    }
    (length, best)
}
