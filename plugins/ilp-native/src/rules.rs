//! Which variable to branch on, what the reduced costs rule out, and what a branch costs at least.

use crate::dual::PIVOT;
use crate::standard::Standard;
use crate::tableau::Tableau;

/// A number of steps this near to the next whole number is that number.
const WHOLE: f64 = 1e-9;

/// What to do at a node.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Choice {
    /// Nothing: the relaxation's optimum is integral.
    Integral,
    /// No child can be better than the incumbent.
    Nothing,
    /// Only one child can.
    Force(usize, (f64, f64)),
    /// Visit the first child, then the second, whose points are worse than the node's bound by `drop`.
    Split {
        variable: usize,
        first: (f64, f64),
        second: (f64, f64),
        drop: f64,
    },
}

/// Chooses by penalties: what the first dual step towards each child costs at least (Tomlin).
pub(crate) fn choose(t: &mut Tableau, standard: &Standard, tolerance: f64, gap: f64) -> Choice {
    let mut choice = Choice::Integral;
    let mut most = -1.0;
    for r in 0..t.rows {
        let (variable, value) = (t.basic.variable[r], t.basic.value[r]);
        if variable >= standard.columns || standard.step[variable] == 0.0 {
            continue;
        }
        let floor = value.floor();
        let part = value - floor;
        if part.min(1.0 - part) <= tolerance {
            continue;
        }
        let (lower, upper) = (t.basic.lower[r], t.basic.upper[r]);
        // At a bound up to rounding: the child on this side would be this node again, for ever.
        if value <= lower || value >= upper {
            continue;
        }
        t.load_row(r);
        let (down, up) = penalties(t, standard, part);
        let (below, above) = ((lower, floor), (floor + 1.0, upper));
        match (down >= gap, up >= gap) {
            (true, true) => return Choice::Nothing,
            (true, false) => return Choice::Force(variable, above),
            (false, true) => return Choice::Force(variable, below),
            (false, false) => {}
        }
        let merit = down.min(up) + 1e-3 * down.max(up) + 1e-9 * part.min(1.0 - part);
        if merit > most {
            most = merit;
            choice = if down < up || down == up && part < 0.5 {
                Choice::Split {
                    variable,
                    first: below,
                    second: above,
                    drop: up,
                }
            } else {
                Choice::Split {
                    variable,
                    first: above,
                    second: below,
                    drop: down,
                }
            };
        }
    }
    choice
}

/// By how much the objective falls at least if the loaded row goes down by `part` or up by the rest.
fn penalties(t: &Tableau, standard: &Standard, part: f64) -> (f64, f64) {
    let (mut down, mut up) = (f64::INFINITY, f64::INFINITY);
    for (q, entry) in t.loaded() {
        let (way, cost, variable) = (t.way[q], t.costs[q], t.nonbasic.variable[q]);
        let push = entry * way;
        if push.is_nan() && entry.abs() > PIVOT {
            return (0.0, 0.0);
        }
        if push.abs() <= PIVOT {
            continue;
        }
        let cost = cost.abs();
        // An integer that moves at all moves by a step.
        let least = cost * standard.step[variable];
        if push > 0.0 {
            up = up.min(((1.0 - part) * cost / push).max(least));
        } else {
            down = down.min((part * cost / -push).max(least));
        }
    }
    (down, up)
}

/// Narrows the bounds of nonbasic integers to what the reduced costs leave them: one whose cost exceeds
/// the gap cannot move. The old bounds go onto the trail.
pub(crate) fn fix(
    t: &mut Tableau,
    standard: &Standard,
    gap: f64,
    trail: &mut Vec<(usize, (f64, f64))>,
) {
    if gap == f64::INFINITY {
        return;
    }
    for q in 0..t.columns {
        let cost = t.costs[q];
        let side = &mut t.nonbasic;
        let (lower, upper, value) = (side.lower[q], side.upper[q], side.value[q]);
        // A range without end times no cost is not a number, and not above the gap either.
        let exceeds = cost.abs() * (upper - lower) > gap;
        let step = standard.step[side.variable[q]];
        if !exceeds || step == 0.0 {
            continue;
        }
        let room = (gap / cost.abs() / step + WHOLE).floor() * step;
        if value == lower && cost < 0.0 && lower + room < upper {
            trail.push((side.variable[q], (lower, upper)));
            side.upper[q] = lower + room;
            t.orient(q);
        } else if value == upper && cost > 0.0 && upper - room > lower {
            trail.push((side.variable[q], (lower, upper)));
            side.lower[q] = upper - room;
            t.orient(q);
        }
    }
}
