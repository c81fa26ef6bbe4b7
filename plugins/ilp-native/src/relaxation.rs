//! The linear relaxation within the bounds of the moment, by whichever simplex method applies.

use imle_api::Error;

use crate::budget::{Budget, failed};
use crate::dual::{self, Candidate, PIVOT, dual};
use crate::primal::{self, PAYS, primal};
use crate::tableau::{Place, Tableau};

/// A reduced cost below this has no sign.
const NOTHING: f64 = 1e-11;
/// Pivots after which the cells are computed afresh.
const OLD: usize = 2000;

/// What became of a relaxation. The tableau holds its optimum or is in between.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Relaxed {
    Optimal,
    Infeasible,
    Unbounded,
    /// The optimum is not above the cutoff.
    Cutoff,
}

impl From<dual::End> for Relaxed {
    fn from(end: dual::End) -> Self {
        match end {
            dual::End::Optimal => Self::Optimal,
            dual::End::Infeasible => Self::Infeasible,
            dual::End::Cutoff => Self::Cutoff,
        }
    }
}

/// Maximises `objective` over the bounds that `t` holds, starting from its basis.
pub(crate) fn relax(
    t: &mut Tableau,
    objective: &[f64],
    cutoff: f64,
    candidates: &mut Vec<Candidate>,
    budget: &mut Budget<'_>,
) -> Result<Relaxed, Error> {
    let mut is_dual_feasible = place(t);
    for _ in 0..10 {
        if is_dual_feasible {
            let end = dual(t, cutoff, candidates, budget)?;
            // Rounding may have turned the sign of a reduced cost.
            if end != dual::End::Optimal || is_placed(t) {
                return Ok(end.into());
            }
            is_dual_feasible = settle_all(t);
        } else {
            settle_all(t);
            return two_phases(t, objective, candidates, budget);
        }
    }
    match primal(t, budget)? {
        primal::End::Optimal => Ok(Relaxed::Optimal),
        primal::End::Unbounded => Err(failed("rounding made a bounded relaxation look unbounded")),
    }
}

/// Phase one ignores the costs that nothing bounds, which leaves a basis that the dual method can
/// repair; phase two goes from there with all of them.
fn two_phases(
    t: &mut Tableau,
    objective: &[f64],
    candidates: &mut Vec<Candidate>,
    budget: &mut Budget<'_>,
) -> Result<Relaxed, Error> {
    for q in 0..t.columns {
        let (_, is_bounded) = goal(t, q);
        if !is_bounded {
            t.costs[q] = 0.0;
        }
    }
    let end = dual(t, f64::NEG_INFINITY, candidates, budget)?;
    t.set_objective(objective);
    if end != dual::End::Optimal {
        return Ok(end.into());
    }
    Ok(match primal(t, budget)? {
        primal::End::Optimal => Relaxed::Optimal,
        primal::End::Unbounded => Relaxed::Unbounded,
    })
}

/// The bound at which column `q` should be by its reduced cost, and whether it is one that the cost
/// allows.
fn goal(t: &Tableau, q: usize) -> (f64, bool) {
    let cost = t.costs[q];
    let (lower, upper, value) = (
        t.nonbasic.lower[q],
        t.nonbasic.upper[q],
        t.nonbasic.value[q],
    );
    let wanted = if cost > NOTHING {
        upper
    } else if cost < -NOTHING {
        lower
    } else if value == upper {
        upper
    } else {
        lower
    };
    if wanted.is_finite() {
        return (wanted, true);
    }
    let other = if wanted == upper { lower } else { upper };
    (
        if other.is_finite() { other } else { 0.0 },
        cost.abs() <= PAYS,
    )
}

/// Puts the nonbasic variables that may not be there at the bound of their reduced cost; false if one has
/// none.
fn place(t: &mut Tableau) -> bool {
    let mut is_dual_feasible = true;
    while let Some(variable) = t.touched.pop() {
        if let Place::Column(q) = t.place[variable] {
            is_dual_feasible &= settle(t, q);
        }
    }
    is_dual_feasible
}

/// Puts every nonbasic variable at the bound of its reduced cost; false if one has none, which the next
/// relaxation will find again.
pub(crate) fn settle_all(t: &mut Tableau) -> bool {
    t.touched.clear();
    let is_dual_feasible = (0..t.columns).fold(true, |all, q| settle(t, q) & all);
    if !is_dual_feasible {
        t.touched.extend_from_slice(&t.nonbasic.variable);
    }
    is_dual_feasible
}

fn settle(t: &mut Tableau, q: usize) -> bool {
    let (goal, is_bounded) = goal(t, q);
    let value = t.nonbasic.value[q];
    if value != goal {
        t.shift(q, goal - value);
        t.nonbasic.value[q] = goal;
    }
    t.orient(q);
    is_bounded
}

/// Whether no reduced cost has the wrong sign.
fn is_placed(t: &Tableau) -> bool {
    let wrong = t
        .costs
        .iter()
        .zip(&t.way)
        .fold(0.0, |most: f64, (cost, way)| most.max(cost * way));
    wrong <= NOTHING
}

/// Computes the entries of an old tableau afresh from `start`, for the same basis and bounds.
pub(crate) fn refresh(t: &mut Tableau, start: &Tableau, spare: &mut Tableau, objective: &[f64]) {
    if t.age < OLD {
        return;
    }
    spare.copy(start);
    let is_basic = |at: usize| matches!(t.place[at], Place::Row(_));
    for q in 0..spare.columns {
        if !is_basic(spare.nonbasic.variable[q]) {
            continue;
        }
        spare.load_column(q);
        let size = |r: usize| spare.column[r].abs();
        let rows = (0..spare.rows).filter(|&r| !is_basic(spare.basic.variable[r]));
        let largest = rows.max_by(|&a, &b| size(a).total_cmp(&size(b)));
        if let Some(r) = largest.filter(|&r| size(r) > PIVOT) {
            spare.load_row(r);
            spare.pivot(r, q);
        }
    }
    for at in 0..t.place.len() {
        spare.set_bounds(at, t.bounds(at));
    }
    spare.set_objective(objective);
    for q in 0..spare.columns {
        spare.nonbasic.value[q] = t.value(spare.nonbasic.variable[q]);
    }
    settle_all(spare);
    spare.set_basics();
    spare.age = 0;
    std::mem::swap(t, spare);
}
