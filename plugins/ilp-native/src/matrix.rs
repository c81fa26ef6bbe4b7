//! The entries of a tableau, written out or as a product.
//!
//! Written out, a pivot changes every entry. As the product of a square inverse with the sparse rows of the
//! model, it changes the inverse alone, and a row or a column is computed when it is asked for: that is
//! the better choice where the model is sparse and has many more columns than rows.

use crate::standard::Standard;
use crate::tableau::{Place, Tableau};

/// An entry of a smaller magnitude is rounding.
const DUST: f64 = 1e-12;

/// The entries; the column after the last stands for the number one.
#[derive(Debug)]
pub(crate) enum Matrix {
    Dense { width: usize, cells: Vec<f64> },
    Product(Product),
}

impl Default for Matrix {
    fn default() -> Self {
        Self::Dense {
            width: 1,
            cells: Vec::new(),
        }
    }
}

/// `inverse * model`, where `model` has a column for every variable, those of the rows included.
#[derive(Clone, Debug, Default)]
pub(crate) struct Product {
    rows: usize,
    inverse: Vec<f64>,
    by_row: Vec<Vec<(usize, f64)>>,
    by_column: Vec<Vec<(usize, f64)>>,
    /// What fixed variables contribute to each row of the model.
    constant: Vec<f64>,
    /// The column of the tableau that each variable has; a basic one has the column after all others.
    slot: Vec<usize>,
    own: Vec<f64>,
    support: Vec<usize>,
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
            // The model is the same for good; the inverse alone changes.
            (Self::Product(to), Self::Product(from)) if to.rows == from.rows && to.rows > 0 => {
                to.inverse.clone_from(&from.inverse);
                to.slot.clone_from(&from.slot);
            }
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

    /// The same as a product.
    pub(crate) fn product(tableau: &Tableau, standard: &Standard) -> Self {
        let rows = tableau.rows;
        let mut product = Product {
            rows,
            ..Product::default()
        };
        product.by_column.resize(standard.lower.len(), Vec::new());
        product
            .slot
            .resize(standard.lower.len(), tableau.columns + 1);
        for (q, &at) in tableau.nonbasic.variable.iter().enumerate() {
            product.slot[at] = q;
        }
        for (i, row) in standard.rows.iter().enumerate() {
            let mut constant = 0.0;
            for &(at, c) in row {
                match tableau.place[at] {
                    Place::Gone(value) => constant += c * value,
                    _ => product.by_column[at].push((i, c)),
                }
            }
            product.constant.push(constant);
            let live = row
                .iter()
                .copied()
                .filter(|t| !matches!(tableau.place[t.0], Place::Gone(_)));
            let own = standard.columns + i;
            product.by_row.push(live.chain([(own, -1.0)]).collect());
            product.by_column[own].push((i, -1.0));
        }
        product.inverse.resize(rows * rows, 0.0);
        (0..rows).for_each(|i| product.inverse[i * rows + i] = 1.0);
        Self::Product(product)
    }

    /// Reads row `r` of a tableau with so many columns.
    pub(crate) fn row(&mut self, r: usize, columns: usize, line: &mut Vec<f64>) {
        line.clear();
        match self {
            Self::Dense { width, cells } => {
                line.extend_from_slice(&cells[r * *width..(r + 1) * *width]);
            }
            Self::Product(product) => {
                line.resize(columns + 2, 0.0);
                product.row(r, line);
                line.truncate(columns + 1);
            }
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
            Self::Product(Product {
                rows,
                inverse,
                by_column,
                constant,
                ..
            }) => {
                let mut sums = constant.clone();
                for (&at, &value) in variables.iter().zip(values).filter(|pair| *pair.1 != 0.0) {
                    by_column[at]
                        .iter()
                        .for_each(|&(i, c)| sums[i] += c * value);
                }
                for (basic, row) in basics.iter_mut().zip(inverse.chunks_exact(*rows)) {
                    *basic = row.iter().zip(&sums).map(|(t, sum)| t * sum).sum();
                }
            }
        }
    }

    /// Reads column `q`, of a nonbasic variable.
    pub(crate) fn column(&self, q: usize, variable: usize, column: &mut Vec<f64>) {
        column.clear();
        match self {
            Self::Dense { width, cells } => {
                column.extend(cells.chunks_exact(*width).map(|row| row[q]));
            }
            Self::Product(Product {
                rows,
                inverse,
                by_column,
                ..
            }) => {
                column.resize(*rows, 0.0);
                for &(i, c) in &by_column[variable] {
                    let entries = inverse.iter().skip(i).step_by(*rows);
                    column
                        .iter_mut()
                        .zip(entries)
                        .for_each(|(sum, t)| *sum += c * t);
                }
                column.iter_mut().for_each(|c| *c = dusted(*c));
            }
        }
    }

    /// Exchanges a row with a column.
    pub(crate) fn pivot(&mut self, exchange: &Exchange<'_>) {
        let &Exchange {
            row: r,
            column: q,
            entries,
            line,
            support,
            ..
        } = exchange;
        match self {
            Self::Dense { width, cells } => {
                cells[r * *width..(r + 1) * *width].copy_from_slice(line);
                for (i, row) in cells.chunks_exact_mut(*width).enumerate() {
                    if i != r && entries[i] != 0.0 {
                        row[q] = 0.0;
                        add(row, entries[i], line, support);
                    }
                }
            }
            Self::Product(product) => product.pivot(exchange),
        }
    }
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
    /// The row as it becomes, and where it is not zero.
    pub(crate) line: &'a [f64],
    pub(crate) support: &'a [usize],
}

impl Product {
    fn row(&self, r: usize, line: &mut [f64]) {
        let weights = &self.inverse[r * self.rows..(r + 1) * self.rows];
        let mut constant = 0.0;
        for (i, &weight) in weights.iter().enumerate() {
            if weight != 0.0 {
                for &(at, c) in &self.by_row[i] {
                    line[self.slot[at]] += weight * c;
                }
                constant += weight * self.constant[i];
            }
        }
        line.iter_mut().for_each(|c| *c = dusted(*c));
        let columns = line.len() - 2;
        line[columns] = constant;
    }

    fn pivot(&mut self, exchange: &Exchange<'_>) {
        let Exchange {
            row: r,
            entries,
            line,
            ..
        } = *exchange;
        let Self {
            rows,
            inverse,
            own,
            support,
            slot,
            ..
        } = self;
        // The entry where the row and the column cross is the inverse of what it was.
        let factor = -line[exchange.column];
        own.clear();
        own.extend(
            inverse[r * *rows..(r + 1) * *rows]
                .iter()
                .map(|c| dusted(c * factor)),
        );
        inverse[r * *rows..(r + 1) * *rows].copy_from_slice(own);
        find_support(own, support);
        for (i, row) in inverse.chunks_exact_mut(*rows).enumerate() {
            if i != r && entries[i] != 0.0 {
                add(row, entries[i], own, support);
            }
        }
        slot[exchange.enters] = line.len();
        slot[exchange.leaves] = exchange.column;
    }
}

/// Adds a multiple of `line`, which is zero but at `support`.
fn add(row: &mut [f64], factor: f64, line: &[f64], support: &[usize]) {
    if support.len() * 3 < row.len() {
        for &j in support {
            row[j] = dusted(row[j] + factor * line[j]);
        }
    } else {
        row.iter_mut().zip(line).for_each(|(c, p)| *c += factor * p);
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
