//! The entries of a tableau as the inverse of its basis times the sparse rows of the model.

use crate::matrix::{Exchange, LARGEST_WEIGHT, Line, add, dusted, find_support};
use crate::standard::Standard;
use crate::tableau::{Place, Tableau};

/// A weight is not below this for rounding.
const LEAST_WEIGHT: f64 = 1e-4;

/// `inverse * model`, where `model` has a column for every variable, those of the rows included.
#[derive(Clone, Debug, Default)]
pub(crate) struct Product {
    rows: usize,
    /// By row and once more by column: a pivot reads a row and a column, and strides are slow.
    inverse: Vec<f64>,
    transpose: Vec<f64>,
    by_row: Vec<Vec<(u32, f64)>>,
    by_column: Vec<Vec<(u32, f64)>>,
    /// What fixed variables contribute to each row of the model.
    constant: Vec<f64>,
    /// The column of the tableau that each variable has; a basic one has the column after all others.
    slot: Vec<u32>,
    /// The row of the inverse that a pivot multiplied, and the rows that it changed.
    own: Line,
    changed: Vec<usize>,
}

impl Product {
    /// The entries of `tableau`, whose basis is that of the rows.
    pub(crate) fn new(tableau: &Tableau, standard: &Standard) -> Self {
        let (rows, variables) = (tableau.rows, standard.lower.len());
        let mut product = Self {
            rows,
            by_column: vec![Vec::new(); variables],
            slot: vec![tableau.columns as u32 + 1; variables],
            inverse: vec![0.0; rows * rows],
            transpose: vec![0.0; rows * rows],
            ..Self::default()
        };
        product.set_identity();
        for (q, &at) in tableau.nonbasic.variable.iter().enumerate() {
            product.slot[at] = q as u32;
        }
        for (i, row) in standard.rows.iter().enumerate() {
            let (mut constant, mut live) = (0.0, Vec::new());
            for &(at, c) in row.iter().chain(&[(standard.columns + i, -1.0)]) {
                match tableau.place[at] {
                    Place::Gone(value) => constant += c * value,
                    _ => {
                        live.push((at as u32, c));
                        product.by_column[at].push((i as u32, c));
                    }
                }
            }
            product.constant.push(constant);
            product.by_row.push(live);
        }
        product
    }

    fn set_identity(&mut self) {
        for square in [&mut self.inverse, &mut self.transpose] {
            square.fill(0.0);
            (0..self.rows).for_each(|i| square[i * self.rows + i] = 1.0);
        }
    }

    pub(crate) fn is_of_size(&self, other: &Self) -> bool {
        self.rows == other.rows && self.rows > 0
    }

    /// Goes back to the basis of the rows, which `start` has; the model is the same for good.
    pub(crate) fn restart(&mut self, start: &Self) {
        self.set_identity();
        self.slot.clone_from(&start.slot);
    }

    /// Computes row `r` of a tableau with so many columns.
    pub(crate) fn row(&self, r: usize, columns: usize, line: &mut Line) {
        let Line { entries, support } = line;
        if entries.len() == columns + 2 {
            support.iter().for_each(|&j| entries[j] = 0.0);
        } else {
            entries.clear();
            entries.resize(columns + 2, 0.0);
        }
        let mut constant = 0.0;
        support.clear();
        let slot = self.slot.as_slice();
        let weights = &self.inverse[r * self.rows..(r + 1) * self.rows];
        for (i, &weight) in weights.iter().enumerate().filter(|w| *w.1 != 0.0) {
            constant += weight * self.constant[i];
            for &(at, c) in &self.by_row[i] {
                let j = slot[at as usize] as usize;
                entries[j] += weight * c;
            }
        }
        entries[columns + 1] = 0.0;
        entries[columns] = constant;
        entries.iter_mut().for_each(|c| *c = dusted(*c));
        find_support(entries, support);
    }

    /// Computes the basic values of the nonbasic ones.
    pub(crate) fn apply(&self, variables: &[usize], values: &[f64], basics: &mut [f64]) {
        let mut sums = self.constant.clone();
        for (&at, &value) in variables.iter().zip(values).filter(|pair| *pair.1 != 0.0) {
            self.by_column[at]
                .iter()
                .for_each(|&(i, c)| sums[i as usize] += c * value);
        }
        basics.fill(0.0);
        for (sum, column) in sums.iter().zip(self.transpose.chunks_exact(self.rows)) {
            if *sum != 0.0 {
                basics
                    .iter_mut()
                    .zip(column)
                    .for_each(|(basic, t)| *basic += sum * t);
            }
        }
    }

    /// Computes the column of a nonbasic variable.
    pub(crate) fn column(&self, variable: usize, column: &mut Vec<f64>) {
        column.clear();
        column.resize(self.rows, 0.0);
        for &(i, c) in &self.by_column[variable] {
            let entries = &self.transpose[i as usize * self.rows..][..self.rows];
            column
                .iter_mut()
                .zip(entries)
                .for_each(|(sum, t)| *sum += c * t);
        }
        column.iter_mut().for_each(|c| *c = dusted(*c));
    }

    /// Exchanges a row with a column.
    ///
    /// `weight` becomes the squared norm of every row of the inverse, which makes the dual method's choice of a
    /// row that of steepest edge (Forrest and Goldfarb).
    pub(crate) fn pivot(&mut self, exchange: &Exchange<'_>, weight: &mut [f64]) {
        let &Exchange {
            row: r,
            column: q,
            entries,
            line,
            ..
        } = exchange;
        let rows = self.rows;
        // The entry where the row and the column cross is the inverse of what it was.
        self.multiply_row(r, -line.entries[q]);
        let own = norm(&self.own);
        self.changed.clear();
        for (i, row) in self.inverse.chunks_exact_mut(rows).enumerate() {
            if i != r && entries[i] != 0.0 {
                weight[i] += entries[i] * (2.0 * dot(row, &self.own) + entries[i] * own);
                weight[i] = weight[i].clamp(LEAST_WEIGHT, LARGEST_WEIGHT);
                add(row, entries[i], &self.own);
                self.changed.push(i);
            }
        }
        weight[r] = own.clamp(LEAST_WEIGHT, LARGEST_WEIGHT);
        self.changed.push(r);
        for &j in &self.own.support {
            let column = &mut self.transpose[j * rows..(j + 1) * rows];
            for &i in &self.changed {
                column[i] = self.inverse[i * rows + j];
            }
        }
        self.slot[exchange.enters] = line.entries.len() as u32 - 1;
        self.slot[exchange.leaves] = q as u32;
    }

    /// Multiplies a row of the inverse, and keeps a copy of it.
    fn multiply_row(&mut self, r: usize, factor: f64) {
        let row = &mut self.inverse[r * self.rows..(r + 1) * self.rows];
        self.own.entries.clear();
        self.own.entries.extend_from_slice(row);
        find_support(row, &mut self.own.support);
        self.own.scale(factor);
        row.copy_from_slice(&self.own.entries);
    }
}

fn dot(row: &[f64], line: &Line) -> f64 {
    line.support.iter().map(|&j| row[j] * line.entries[j]).sum()
}

fn norm(line: &Line) -> f64 {
    line.support.iter().map(|&j| line.entries[j].powi(2)).sum()
}
