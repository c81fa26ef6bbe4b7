//! The dual simplex method with bounds on every variable.
//!
//! It needs reduced costs of the right sign and repairs basic values that violate their bounds. A step may
//! flip several nonbasic variables to their other bound before one enters the basis. The objective
//! never rises, so it is a bound at all times.

use imle_api::Error;

use crate::budget::{Budget, failed};
use crate::tableau::{Side, Tableau};

/// By how much a basic value may violate a bound.
pub(crate) const FEASIBLE: f64 = 1e-9;
/// An entry below this is no pivot.
pub(crate) const PIVOT: f64 = 1e-9;
/// Ratios that differ by less are equal: the larger pivot wins.
const EQUAL_RATIO: f64 = 1e-11;

/// How a run of the dual simplex method ended.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum End {
    Optimal,
    Infeasible,
    /// The objective fell to the cutoff.
    Cutoff,
}

/// A column that could enter.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Candidate {
    ratio: f64,
    size: f64,
    column: usize,
}

/// Runs until the basic values are within their bounds.
pub(crate) fn dual(
    t: &mut Tableau,
    cutoff: f64,
    candidates: &mut Vec<Candidate>,
    budget: &mut Budget<'_>,
) -> Result<End, Error> {
    let patience = 50 * (t.rows + t.columns) + 1000;
    for step in 0.. {
        budget.step()?;
        // Bland's rule ends what cycles.
        let bland = step > patience;
        if step > 20 * patience {
            return Err(failed("the dual simplex method does not end"));
        }
        let Some(r) = leaving(t, bland) else {
            return Ok(End::Optimal);
        };
        if cutoff > f64::NEG_INFINITY && t.objective() <= cutoff {
            return Ok(End::Cutoff);
        }
        let raise = t.basic.value[r] < t.basic.lower[r];
        let bound = if raise {
            t.basic.lower[r]
        } else {
            t.basic.upper[r]
        };
        t.load_row(r);
        collect(t, raise, candidates);
        let gap = (t.basic.value[r] - bound).abs();
        let entering = if bland {
            first(t, candidates)
        } else {
            flip(t, gap, candidates)
        };
        let Some(q) = entering else {
            return Ok(End::Infeasible);
        };
        enter(t, r, q, bound);
    }
    Ok(End::Optimal)
}

/// The row of the largest violation by its weight; by Bland's rule that of the first variable.
fn leaving(t: &Tableau, bland: bool) -> Option<usize> {
    let Side {
        variable,
        lower,
        upper,
        value,
    } = &t.basic;
    let (mut best, mut most) = (None, 0.0);
    for r in 0..t.rows {
        let violation = (lower[r] - value[r]).max(value[r] - upper[r]);
        if violation <= FEASIBLE || violation <= FEASIBLE * value[r].abs() {
            continue;
        }
        let merit = if bland {
            1.0 / (1.0 + variable[r] as f64)
        } else {
            violation * violation / t.weight[r]
        };
        if merit > most {
            (best, most) = (Some(r), merit);
        }
    }
    best
}

/// Lists the columns that can move the loaded row towards its bound, with the ratio at which each one's
/// reduced cost changes sign.
fn collect(t: &Tableau, raise: bool, candidates: &mut Vec<Candidate>) {
    let sign = if raise { 1.0 } else { -1.0 };
    // Which columns qualify is as good as random, so no branch asks: each one is written, and the next one
    // over it unless it counts. A free variable's way is not a number, and it counts.
    let nobody = Candidate {
        ratio: 0.0,
        size: 0.0,
        column: 0,
    };
    candidates.resize(t.line.support.len() + 1, nobody);
    let mut count = 0;
    for (column, entry) in t.loaded() {
        let size = entry * t.way[column] * sign;
        candidates[count] = Candidate {
            ratio: 0.0,
            size,
            column,
        };
        count += usize::from(size > PIVOT || size.is_nan());
    }
    candidates.truncate(count);
    let mut is_any_free = false;
    for candidate in candidates.iter_mut() {
        let Candidate {
            ratio,
            size,
            column,
        } = candidate;
        if size.is_nan() {
            *size = t.line.entries[*column].abs();
            is_any_free = true;
        } else {
            *ratio = (-t.costs[*column] * t.way[*column]).max(0.0) / *size;
        }
    }
    if is_any_free {
        candidates.retain(|candidate| candidate.size > PIVOT);
    }
}

/// Flips the columns whose bounds are too near to close the gap and returns the one that enters. Without one
/// the flipped columns are where their costs do not allow them: they stay marked as touched.
fn flip(t: &mut Tableau, mut gap: f64, candidates: &mut Vec<Candidate>) -> Option<usize> {
    let settled = t.touched.len();
    loop {
        let at = cheapest(candidates)?;
        let Candidate { size, column, .. } = candidates.swap_remove(at);
        let range = t.nonbasic.upper[column] - t.nonbasic.lower[column];
        gap -= size * range;
        if gap <= FEASIBLE || candidates.is_empty() && gap <= 10.0 * FEASIBLE {
            t.touched.truncate(settled);
            return Some(column);
        }
        t.touched.push(t.nonbasic.variable[column]);
        let at_lower = t.nonbasic.value[column] == t.nonbasic.lower[column];
        t.shift(column, if at_lower { range } else { -range });
        // Exactly at the bound, whatever the sum says.
        let side = &mut t.nonbasic;
        side.value[column] = if at_lower {
            side.upper[column]
        } else {
            side.lower[column]
        };
        t.way[column] = -t.way[column];
    }
}

/// The candidate of the smallest ratio; of equal ones that of the largest entry.
fn cheapest(candidates: &[Candidate]) -> Option<usize> {
    let least = candidates.iter().fold(f64::INFINITY, |m, c| m.min(c.ratio));
    let (mut best, mut most) = (None, 0.0);
    for (at, candidate) in candidates.iter().enumerate() {
        if candidate.ratio <= least + EQUAL_RATIO && candidate.size > most {
            (best, most) = (Some(at), candidate.size);
        }
    }
    best
}

fn first(t: &Tableau, candidates: &[Candidate]) -> Option<usize> {
    let least = candidates.iter().fold(f64::INFINITY, |m, c| m.min(c.ratio));
    let equal = candidates.iter().filter(|c| c.ratio <= least + EQUAL_RATIO);
    equal
        .map(|c| c.column)
        .min_by_key(|&q| t.nonbasic.variable[q])
}

/// Moves row `r`, which is loaded, to `bound` by column `q` and exchanges the two.
fn enter(t: &mut Tableau, r: usize, q: usize, bound: f64) {
    let pivot = t.line.entries[q];
    t.shift(q, (bound - t.basic.value[r]) / pivot);
    t.basic.value[r] = bound;
    t.pivot(r, q);
}
