//! The tableau: every basic variable as a combination of the nonbasic ones.
//!
//! Row `r` says `basic[r] = sum over q of entry(r, q) * nonbasic[q]`. One more column stands for the number one:
//! it carries what fixed variables contribute. The objective is one more row, whose entries are the reduced
//! costs. The entries themselves are kept by a [`Matrix`].

use crate::matrix::{Exchange, Line, Matrix, combine};
use crate::standard::Standard;

/// Where a variable is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Place {
    Row(usize),
    Column(usize),
    /// Fixed for good, at this value.
    Gone(f64),
}

/// Variables along one side of the tableau.
#[derive(Debug, Default)]
pub(crate) struct Side {
    pub(crate) variable: Vec<usize>,
    pub(crate) lower: Vec<f64>,
    pub(crate) upper: Vec<f64>,
    pub(crate) value: Vec<f64>,
}

impl Side {
    fn copy(&mut self, from: &Self) {
        self.variable.clone_from(&from.variable);
        self.lower.clone_from(&from.lower);
        self.upper.clone_from(&from.upper);
        self.value.clone_from(&from.value);
    }

    pub(crate) fn push(&mut self, variable: usize, lower: f64, upper: f64) {
        self.variable.push(variable);
        self.lower.push(lower);
        self.upper.push(upper);
        self.value.push(lower.max(upper.min(0.0)));
    }
}

/// Variables, values and bounds around a matrix of entries.
#[derive(Debug, Default)]
pub(crate) struct Tableau {
    /// Without the objective.
    pub(crate) rows: usize,
    /// Without the column of the number one.
    pub(crate) columns: usize,
    pub(crate) matrix: Matrix,
    pub(crate) basic: Side,
    pub(crate) nonbasic: Side,
    /// Which way each nonbasic variable can move: 1 up, -1 down, 0 not at all, not a number both ways.
    pub(crate) way: Vec<f64>,
    pub(crate) place: Vec<Place>,
    /// The reduced costs, and last the objective of the number one.
    pub(crate) costs: Vec<f64>,
    /// Reference weights of the rows: how much a unit of infeasibility is worth in each.
    pub(crate) weight: Vec<f64>,
    /// The entries of the row and the column that were loaded last.
    pub(crate) line: Line,
    pub(crate) column: Vec<f64>,
    /// Nonbasic variables whose bounds changed, so that their values may have to.
    pub(crate) touched: Vec<usize>,
    /// Pivots since the entries were last computed afresh.
    pub(crate) age: usize,
}

impl Tableau {
    /// Becomes a copy of `from`, without allocating if it is of the same size.
    pub(crate) fn copy(&mut self, from: &Self) {
        (self.rows, self.columns, self.age) = (from.rows, from.columns, 0);
        self.matrix.copy(&from.matrix);
        self.basic.copy(&from.basic);
        self.nonbasic.copy(&from.nonbasic);
        self.place.clone_from(&from.place);
        self.weight.clear();
        self.weight.resize(self.rows, 1.0);
        self.way.clear();
        self.way.resize(self.columns, 0.0);
        self.costs.clear();
        self.costs.resize(self.columns + 1, 0.0);
        self.touched.clear();
    }

    /// Reads row `r` into `line`.
    pub(crate) fn load_row(&mut self, r: usize) {
        self.matrix.row(r, self.columns, &mut self.line);
    }

    /// The columns in which the loaded row is not zero, and its entries there.
    pub(crate) fn loaded(&self) -> impl Iterator<Item = (usize, f64)> {
        let Line { entries, support } = &self.line;
        // The last column, if it is listed, is that of the number one.
        let columns = match support.split_last() {
            Some((&last, others)) if last == self.columns => others,
            _ => support,
        };
        columns.iter().map(|&q| (q, entries[q]))
    }

    /// Reads column `q` into `column`.
    pub(crate) fn load_column(&mut self, q: usize) {
        self.matrix
            .column(q, self.nonbasic.variable[q], &mut self.column);
    }

    /// Makes the nonbasic variable of column `q` basic in row `r`, and the other way round. Both are loaded.
    pub(crate) fn pivot(&mut self, r: usize, q: usize) {
        let Self {
            line,
            column,
            costs,
            weight,
            ..
        } = self;
        let inverse = 1.0 / line.entries[q];
        line.scale(-inverse);
        line.entries[q] = inverse;
        let factor = std::mem::take(&mut costs[q]);
        line.support
            .iter()
            .for_each(|&j| costs[j] += factor * line.entries[j]);
        let exchange = Exchange {
            row: r,
            column: q,
            leaves: self.basic.variable[r],
            enters: self.nonbasic.variable[q],
            entries: column,
            line,
        };
        self.matrix.pivot(&exchange, weight);
        self.exchange(r, q);
        self.age += 1;
    }

    fn exchange(&mut self, r: usize, q: usize) {
        let (basic, nonbasic) = (&mut self.basic, &mut self.nonbasic);
        std::mem::swap(&mut basic.variable[r], &mut nonbasic.variable[q]);
        std::mem::swap(&mut basic.lower[r], &mut nonbasic.lower[q]);
        std::mem::swap(&mut basic.upper[r], &mut nonbasic.upper[q]);
        std::mem::swap(&mut basic.value[r], &mut nonbasic.value[q]);
        self.place[basic.variable[r]] = Place::Row(r);
        self.place[nonbasic.variable[q]] = Place::Column(q);
        self.orient(q);
    }

    /// Notes which way the nonbasic variable of column `q` can move.
    pub(crate) fn orient(&mut self, q: usize) {
        let Side {
            lower,
            upper,
            value,
            ..
        } = &self.nonbasic;
        let (down, up) = (value[q] > lower[q], value[q] < upper[q]);
        self.way[q] = match (down, up) {
            (false, false) => 0.0,
            (false, true) => 1.0,
            (true, false) => -1.0,
            (true, true) => f64::NAN,
        };
    }

    /// Sets the objective, by variable of the model.
    pub(crate) fn set_objective(&mut self, objective: &[f64]) {
        self.costs.clear();
        self.costs.resize(self.columns + 1, 0.0);
        for (at, &c) in objective.iter().enumerate() {
            match self.place[at] {
                _ if c == 0.0 => {}
                Place::Column(q) => self.costs[q] += c,
                Place::Gone(value) => self.costs[self.columns] += c * value,
                Place::Row(r) => {
                    self.load_row(r);
                    let Line { entries, support } = &self.line;
                    support
                        .iter()
                        .for_each(|&j| self.costs[j] += c * entries[j]);
                }
            }
        }
    }

    /// Computes the basic values from the nonbasic ones.
    pub(crate) fn set_basics(&mut self) {
        let Side {
            variable, value, ..
        } = &self.nonbasic;
        self.matrix.apply(variable, value, &mut self.basic.value);
    }

    /// The value of the objective.
    pub(crate) fn objective(&self) -> f64 {
        combine(&self.costs, &self.nonbasic.value)
    }

    /// Changes the value of a nonbasic variable, and of the basic ones with it; loads its column.
    pub(crate) fn shift(&mut self, q: usize, change: f64) {
        self.load_column(q);
        self.nonbasic.value[q] += change;
        let column = &self.column;
        self.basic
            .value
            .iter_mut()
            .zip(column)
            .for_each(|(value, t)| *value += t * change);
    }

    pub(crate) fn bounds(&self, variable: usize) -> (f64, f64) {
        match self.place[variable] {
            Place::Row(r) => (self.basic.lower[r], self.basic.upper[r]),
            Place::Column(q) => (self.nonbasic.lower[q], self.nonbasic.upper[q]),
            Place::Gone(value) => (value, value),
        }
    }

    /// Changes bounds; the value of a nonbasic variable is left for later.
    pub(crate) fn set_bounds(&mut self, variable: usize, (lower, upper): (f64, f64)) {
        let (side, at) = match self.place[variable] {
            Place::Row(r) => (&mut self.basic, r),
            Place::Column(q) => {
                self.touched.push(variable);
                (&mut self.nonbasic, q)
            }
            Place::Gone(_) => return,
        };
        (side.lower[at], side.upper[at]) = (lower, upper);
    }

    pub(crate) fn value(&self, variable: usize) -> f64 {
        match self.place[variable] {
            Place::Row(r) => self.basic.value[r],
            Place::Column(q) => self.nonbasic.value[q],
            Place::Gone(value) => value,
        }
    }

    /// The basis of the rows: each row's own variable, and the entries of the model.
    pub(crate) fn of_rows(standard: &Standard) -> Self {
        let mut tableau = Self {
            rows: standard.rows.len(),
            ..Self::default()
        };
        for at in 0..standard.lower.len() {
            let (lower, upper) = (standard.lower[at], standard.upper[at]);
            let place = if at >= standard.columns {
                tableau.basic.push(at, lower, upper);
                Place::Row(at - standard.columns)
            } else if lower == upper {
                Place::Gone(lower)
            } else {
                tableau.nonbasic.push(at, lower, upper);
                Place::Column(tableau.nonbasic.variable.len() - 1)
            };
            tableau.place.push(place);
        }
        tableau.columns = tableau.nonbasic.variable.len();
        tableau.weight = vec![1.0; tableau.rows];
        tableau
    }
}
