//! Rows that assign: every variable links one row of each side, and all coefficients are 1.
//!
//! Solved row by row with shortest augmenting paths (Jonker and Volgenant's form of the Hungarian method),
//! in cubic time. Ties are broken by the order of rows and variables in the model.

use imle_ilp_model::{Model, Row};

use super::{columns, is_binary};

/// No variable links the two rows.
const NONE: u32 = u32::MAX;
/// The largest matrix, in entries.
const MOST_ENTRIES: usize = 1 << 24;

/// Rows of one side, each to be assigned to a row of the other.
#[derive(Debug)]
pub(crate) struct Assignment {
    rows: usize,
    columns: usize,
    /// The variable that links a row and a column, where there is one.
    link: Vec<u32>,
    /// Further variables that link the same: `(place in the matrix, variable)`.
    parallel: Vec<(usize, u32)>,
}

#[derive(Debug, Default)]
pub(crate) struct Scratch {
    cost: Vec<f64>,
    link: Vec<u32>,
    row_price: Vec<f64>,
    column_price: Vec<f64>,
    /// The row that each column has; `rows` for none.
    owner: Vec<usize>,
    distance: Vec<f64>,
    before: Vec<usize>,
    done: Vec<bool>,
}

impl Assignment {
    pub(super) fn of(model: &Model) -> Option<Self> {
        if model.variables().is_empty() || !model.variables().iter().all(is_binary) {
            return None;
        }
        let columns = columns(model);
        if !columns
            .iter()
            .all(|c| c.len() == 2 && c.iter().all(|entry| entry.1 == 1.0))
        {
            return None;
        }
        let is_row = sides(model.rows(), &columns)?;
        let mut index = [0, 0];
        let number = is_row.iter().map(|&is_row| {
            index[usize::from(is_row)] += 1;
            index[usize::from(is_row)] - 1
        });
        let number: Vec<usize> = number.collect();
        let [width, rows] = index;
        if width.checked_mul(rows)? > MOST_ENTRIES {
            return None;
        }
        let mut link = vec![NONE; width * rows];
        let mut parallel = Vec::new();
        for (variable, ends) in columns.iter().enumerate() {
            let (a, b) = (ends[0].0, ends[1].0);
            let (row, column) = if is_row[a] { (a, b) } else { (b, a) };
            let at = number[row] * width + number[column];
            let variable = u32::try_from(variable).ok()?;
            if link[at] == NONE {
                link[at] = variable;
            } else {
                parallel.push((at, variable));
            }
        }
        Some(Self {
            rows,
            columns: width,
            link,
            parallel,
        })
    }

    pub(super) fn maximise(&self, s: &mut Scratch, objective: &[f64], z: &mut [f64]) -> bool {
        self.prepare(s, objective);
        for row in 0..self.rows {
            if s.owner.contains(&row) {
                continue;
            }
            if !self.augment(s, row) {
                return false;
            }
        }
        for (column, &row) in s.owner.iter().enumerate() {
            if row < self.rows {
                z[s.link[row * self.columns + column] as usize] = 1.0;
            }
        }
        true
    }

    /// Sets costs, prices that leave no cost negative, and the assignments that are free at once.
    fn prepare(&self, s: &mut Scratch, objective: &[f64]) {
        s.link.clone_from(&self.link);
        for &(at, variable) in &self.parallel {
            if objective[variable as usize] > objective[s.link[at] as usize] {
                s.link[at] = variable;
            }
        }
        s.cost.clear();
        s.cost.extend(s.link.iter().map(|&variable| match variable {
            NONE => f64::INFINITY,
            variable => -objective[variable as usize],
        }));
        s.column_price.clear();
        s.column_price.resize(self.columns, 0.0);
        s.row_price.clear();
        s.owner.clear();
        s.owner.resize(self.columns, self.rows);
        for (row, costs) in s.cost.chunks_exact(self.columns).enumerate() {
            let (mut cheapest, mut least) = (0, f64::INFINITY);
            for (column, &cost) in costs.iter().enumerate() {
                if cost < least {
                    (cheapest, least) = (column, cost);
                }
            }
            s.row_price
                .push(if least == f64::INFINITY { 0.0 } else { least });
            if s.owner[cheapest] == self.rows && least < f64::INFINITY {
                s.owner[cheapest] = row;
            }
        }
    }

    /// Assigns one more row along a shortest path of reassignments; false if there is none.
    fn augment(&self, s: &mut Scratch, row: usize) -> bool {
        let Scratch {
            cost,
            row_price,
            column_price,
            owner,
            distance,
            before,
            done,
            ..
        } = s;
        let width = self.columns;
        distance.clear();
        distance.resize(width, f64::INFINITY);
        done.clear();
        done.resize(width, false);
        before.clear();
        before.resize(width, row);
        let (mut scanned, mut reached) = (row, 0.0);
        let end = loop {
            let offset = reached - row_price[scanned];
            let costs = &cost[scanned * width..(scanned + 1) * width];
            let (mut nearest, mut least) = (width, f64::INFINITY);
            for column in 0..width {
                if done[column] {
                    continue;
                }
                let through = costs[column] - column_price[column] + offset;
                if through < distance[column] {
                    distance[column] = through;
                    before[column] = scanned;
                }
                if distance[column] < least {
                    (nearest, least) = (column, distance[column]);
                }
            }
            if nearest == width {
                return false;
            }
            (reached, done[nearest]) = (least, true);
            if owner[nearest] == self.rows {
                break nearest;
            }
            scanned = owner[nearest];
        };
        row_price[row] += reached;
        for column in (0..width).filter(|&c| done[c] && c != end) {
            let change = reached - distance[column];
            row_price[owner[column]] += change;
            column_price[column] -= change;
        }
        let mut column = end;
        loop {
            let new = before[column];
            owner[column] = new;
            if new == row {
                return true;
            }
            // The column that `new` had before is the one it was reached through.
            match (0..width).find(|&c| c != column && owner[c] == new && done[c]) {
                Some(previous) => column = previous,
                None => return false,
            }
        }
    }
}

/// Splits the rows in two sides such that every variable links both; true for the side that must be
/// assigned whole.
fn sides(rows: &[Row], columns: &[Vec<(usize, f64)>]) -> Option<Vec<bool>> {
    let exactly_one = |row: &Row| row.lower == 1.0 && row.upper == 1.0;
    let at_most_one = |row: &Row| row.lower <= 0.0 && row.upper == 1.0;
    let mut neighbours = vec![Vec::new(); rows.len()];
    for ends in columns {
        neighbours[ends[0].0].push(ends[1].0);
        neighbours[ends[1].0].push(ends[0].0);
    }
    let mut side: Vec<Option<bool>> = vec![None; rows.len()];
    let mut whole = vec![false; rows.len()];
    for first in 0..rows.len() {
        if side[first].is_some() {
            continue;
        }
        side[first] = Some(true);
        let mut part = vec![first];
        let mut next = 0;
        while let Some(&row) = part.get(next) {
            next += 1;
            for &other in &neighbours[row] {
                match side[other] {
                    None => {
                        side[other] = side[row].map(|s| !s);
                        part.push(other);
                    }
                    same if same == side[row] => return None,
                    Some(_) => {}
                }
            }
        }
        let (a, b): (Vec<usize>, Vec<usize>) =
            part.into_iter().partition(|&r| side[r] == Some(true));
        let all =
            |part: &[usize], holds: &dyn Fn(&Row) -> bool| part.iter().all(|&r| holds(&rows[r]));
        let fits = |a: &[usize], b: &[usize]| {
            all(a, &exactly_one)
                && (all(b, &at_most_one) || all(b, &exactly_one) && a.len() == b.len())
        };
        let assigned = if fits(&a, &b) {
            a
        } else if fits(&b, &a) {
            b
        } else {
            return None;
        };
        assigned.into_iter().for_each(|r| whole[r] = true);
    }
    Some(whole)
}
