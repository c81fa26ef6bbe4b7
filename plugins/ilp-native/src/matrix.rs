//! The entries of a tableau, written out or as a product.
//!
//! Written out, a pivot changes every entry. As a [`Product`] with the sparse rows of the model, it changes
//! the inverse of the basis alone, and a row or a column is computed when it is asked for: that is the better
//! choice where the model is sparse and has many more columns than rows.

use crate::product::Product;
use crate::standard::Standard;
use crate::tableau::{Place, Tableau};

/// An entry of a smaller magnitude is rounding.
const DUST: f64 = 1e-12;
/// Beyond this all weights start again from one: an infinite one would hide its violation.
pub(crate) const LARGEST_WEIGHT: f64 = 1e30;

/// The entries; the column after the last stands for the number one.
#[derive(Debug)]
pub(crate) enum Matrix {
    Dense { width: usize, cells: Vec<f64> },
    Product(Box<Product>),
}

impl Default for Matrix {
    fn default() -> Self {
        Self::Dense {
            width: 1,
            cells: Vec::new(),
        }
    }
}

impl Matrix {
    pub(crate) fn copy(&mut self, from: &Self) {
        match (self, from) {
            (
                Self::Dense { width, cells },
                Self::Dense {
                    width: from_width,
                    cells: from,
                },
            ) => {
                *width = *from_width;
                cells.clone_from(from);
            }
            (Self::Product(to), Self::Product(from)) if to.is_of_size(from) => to.restart(from),
            (to, Self::Dense { width, cells }) => {
                *to = Self::Dense {
                    width: *width,
                    cells: cells.clone(),
                }
            }
            (to, Self::Product(from)) => *to = Self::Product(from.clone()),
        }
    }

    /// Writes the entries of `tableau`, whose basis is that of the rows.
    pub(crate) fn dense(tableau: &Tableau, standard: &Standard) -> Self {
        let width = tableau.columns + 1;
        let mut cells = vec![0.0; tableau.rows * width];
        for (row, cells) in standard.rows.iter().zip(cells.chunks_exact_mut(width)) {
            for &(at, c) in row {
                match tableau.place[at] {
                    Place::Column(q) => cells[q] += c,
                    Place::Gone(value) => cells[width - 1] += c * value,
                    Place::Row(_) => {}
                }
            }
        }
        Self::Dense { width, cells }
    }

    /// Reads row `r` of a tableau with so many columns, and where it is not zero.
    pub(crate) fn row(&mut self, r: usize, columns: usize, line: &mut Line) {
        match self {
            Self::Dense { width, cells } => {
                line.entries.clear();
                line.entries
                    .extend_from_slice(&cells[r * *width..(r + 1) * *width]);
                find_support(&line.entries, &mut line.support);
            }
            Self::Product(product) => product.row(r, columns, line),
        }
    }

    /// Computes the basic values of the nonbasic ones.
    pub(crate) fn apply(&self, variables: &[usize], values: &[f64], basics: &mut [f64]) {
        match self {
            Self::Dense { width, cells } => {
                for (basic, row) in basics.iter_mut().zip(cells.chunks_exact(*width)) {
                    *basic = combine(row, values);
                }
            }
            Self::Product(product) => product.apply(variables, values, basics),
        }
    }

    /// Reads column `q`, of a nonbasic variable.
    pub(crate) fn column(&self, q: usize, variable: usize, column: &mut Vec<f64>) {
        match self {
            Self::Dense { width, cells } => {
                column.clear();
                column.extend(cells.chunks_exact(*width).map(|row| row[q]));
            }
            Self::Product(product) => product.column(variable, column),
        }
    }

    /// Exchanges a row with a column, and updates the reference weights of the rows.
    pub(crate) fn pivot(&mut self, exchange: &Exchange<'_>, weight: &mut [f64]) {
        let &Exchange {
            row: r,
            column: q,
            entries,
            line,
            ..
        } = exchange;
        match self {
            Self::Dense { width, cells } => {
                weigh(weight, r, line.entries[q], entries);
                cells[r * *width..(r + 1) * *width].copy_from_slice(&line.entries);
                for (i, row) in cells.chunks_exact_mut(*width).enumerate() {
                    if i != r && entries[i] != 0.0 {
                        row[q] = 0.0;
                        add(row, entries[i], line);
                    }
                }
            }
            Self::Product(product) => product.pivot(exchange, weight),
        }
    }
}

/// Updates the weights as Forrest and Goldfarb's dual devex does; `inverse` is one over the pivot.
fn weigh(weight: &mut [f64], r: usize, inverse: f64, entries: &[f64]) {
    let own = weight[r] * inverse * inverse;
    if own > LARGEST_WEIGHT {
        weight.fill(1.0);
        return;
    }
    for (weight, entry) in weight.iter_mut().zip(entries) {
        *weight = weight.max(entry * entry * own);
    }
    weight[r] = own.max(1.0);
}

/// One pivot: row `row` and column `column` change places.
#[derive(Debug)]
pub(crate) struct Exchange<'a> {
    pub(crate) row: usize,
    pub(crate) column: usize,
    /// The variables that leave the basis and enter it.
    pub(crate) leaves: usize,
    pub(crate) enters: usize,
    /// The column as it was.
    pub(crate) entries: &'a [f64],
    /// The row as it becomes.
    pub(crate) line: &'a Line,
}

/// A row of numbers that may be mostly zero.
#[derive(Clone, Debug, Default)]
pub(crate) struct Line {
    pub(crate) entries: Vec<f64>,
    /// Where entries are not zero. It may list a few that are.
    pub(crate) support: Vec<usize>,
}

impl Line {
    /// Whether it pays to look at the support alone.
    pub(crate) fn is_sparse(&self) -> bool {
        self.support.len() * 3 < self.entries.len()
    }

    /// Multiplies all entries.
    pub(crate) fn scale(&mut self, factor: f64) {
        if self.is_sparse() {
            let Self { entries, support } = self;
            support
                .iter()
                .for_each(|&j| entries[j] = dusted(entries[j] * factor));
        } else {
            self.entries
                .iter_mut()
                .for_each(|c| *c = dusted(*c * factor));
        }
    }
}

/// Adds a multiple of `line` to a row.
pub(crate) fn add(row: &mut [f64], factor: f64, line: &Line) {
    let entries = &line.entries;
    if line.is_sparse() {
        for &j in &line.support {
            row[j] = dusted(row[j] + factor * entries[j]);
        }
    } else {
        row.iter_mut()
            .zip(entries)
            .for_each(|(c, p)| *c += factor * p);
    }
}

pub(crate) fn dusted(value: f64) -> f64 {
    if value.abs() < DUST { 0.0 } else { value }
}

/// A row times values, and the number one times the last entry.
pub(crate) fn combine(row: &[f64], values: &[f64]) -> f64 {
    let products = row.iter().zip(values).map(|(t, x)| t * x);
    products.sum::<f64>() + row[values.len()]
}

/// Lists where a row is not zero. Without a branch: where that is, is as good as random.
pub(crate) fn find_support(row: &[f64], support: &mut Vec<usize>) {
    support.resize(row.len() + 1, 0);
    let mut count = 0;
    for (at, entry) in row.iter().enumerate() {
        support[count] = at;
        count += usize::from(*entry != 0.0);
    }
    support.truncate(count);
}
