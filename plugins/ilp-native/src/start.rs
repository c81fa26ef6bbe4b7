//! The tableau that every cold solve begins with. It depends on the model alone.
//!
//! Equations are solved for one of their variables each, once: their own variables are fixed, so once
//! they have left the basis their columns can go. Free variables enter the basis for good, as nothing
//! can drive them out.

use crate::matrix::Matrix;
use crate::product::Product;
use crate::standard::Standard;
use crate::tableau::{Place, Side, Tableau};

/// An entry below this is no pivot.
const SMALLEST_PIVOT: f64 = 1e-7;
/// The residue of an equation without a pivot: above this it contradicts the others.
const CONTRADICTION: f64 = 1e-7;

/// The entries from which on a sparse model is kept as a product, and how sparse it must be.
const LARGE: usize = 50_000;
const SPARSE: f64 = 0.05;

/// A tableau to begin with, or why there is none.
#[derive(Debug)]
pub(crate) enum Start {
    Ready(Box<Tableau>),
    Infeasible,
    TooLarge,
}

impl Start {
    /// Builds a tableau of at most `most` numbers.
    pub(crate) fn new(standard: &Standard, most: usize) -> Self {
        if standard.infeasible {
            return Self::Infeasible;
        }
        let mut tableau = Tableau::of_rows(standard);
        let (rows, size) = (
            tableau.rows,
            tableau.rows.saturating_mul(tableau.columns + 1),
        );
        let entries: usize = standard.rows.iter().map(Vec::len).sum();
        let is_sparse = (entries as f64) < SPARSE * size as f64;
        if size >= LARGE && is_sparse && rows < tableau.columns {
            return if rows.saturating_mul(rows) > most / 2 {
                Self::TooLarge
            } else {
                Self::product(tableau, standard)
            };
        }
        if size > most {
            return Self::TooLarge;
        }
        tableau.matrix = Matrix::dense(&tableau, standard);
        tableau.costs.resize(tableau.columns + 1, 0.0);
        tableau.way.resize(tableau.columns, 0.0);
        let redundant = solve_equations(&mut tableau);
        for &r in &redundant {
            let fixed = tableau.basic.lower[r];
            tableau.load_row(r);
            if (tableau.line.entries[tableau.columns] - fixed).abs()
                > CONTRADICTION * (1.0 + fixed.abs())
            {
                return Self::Infeasible;
            }
        }
        drop_rows(&mut tableau, |r| redundant.contains(&r));
        enter_free(&mut tableau);
        Self::Ready(Box::new(tableau))
    }
}

impl Start {
    /// The basis of the rows, with the entries as a product.
    pub(crate) fn product(mut tableau: Tableau, standard: &Standard) -> Self {
        tableau.matrix = Matrix::Product(Box::new(Product::new(&tableau, standard)));
        Self::Ready(Box::new(tableau))
    }
}

fn pivot(tableau: &mut Tableau, r: usize, q: usize) {
    tableau.load_row(r);
    tableau.load_column(q);
    tableau.pivot(r, q);
}

/// Pivots the variables of equations out and drops their columns; returns the rows where that is not
/// possible, as nothing but fixed numbers is left in them.
fn solve_equations(tableau: &mut Tableau) -> Vec<usize> {
    let mut open: Vec<usize> = (0..tableau.rows)
        .filter(|&r| tableau.basic.lower[r] == tableau.basic.upper[r])
        .collect();
    let mut redundant = Vec::new();
    let is_fixed = |t: &Tableau, q: usize| t.nonbasic.lower[q] == t.nonbasic.upper[q];
    while !open.is_empty() {
        // The row with the fewest entries fills the others in least.
        let mut fewest = (usize::MAX, 0);
        for (at, &r) in open.iter().enumerate() {
            tableau.load_row(r);
            fewest = fewest.min((
                tableau.line.entries.iter().filter(|c| **c != 0.0).count(),
                at,
            ));
        }
        let r = open.swap_remove(fewest.1);
        tableau.load_row(r);
        let candidates = (0..tableau.columns).filter(|&q| !is_fixed(tableau, q));
        let candidates: Vec<usize> = candidates.collect();
        match sparsest(tableau, candidates) {
            Some(q) => pivot(tableau, r, q),
            None => redundant.push(r),
        }
    }
    drop_columns(tableau, |lower, upper| lower == upper);
    redundant
}

/// The column with the fewest entries among the large ones of the loaded row; free variables first.
fn sparsest(tableau: &mut Tableau, candidates: Vec<usize>) -> Option<usize> {
    let largest = candidates
        .iter()
        .fold(0.0, |m: f64, &q| m.max(tableau.line.entries[q].abs()));
    let large = (0.1 * largest).max(SMALLEST_PIVOT);
    let candidates = candidates
        .into_iter()
        .filter(|&q| tableau.line.entries[q].abs() >= large);
    let candidates: Vec<usize> = candidates.collect();
    let mut best = None;
    for q in candidates {
        tableau.load_column(q);
        let (lower, upper) = (tableau.nonbasic.lower[q], tableau.nonbasic.upper[q]);
        let is_free = lower == f64::NEG_INFINITY && upper == f64::INFINITY;
        let key = (
            !is_free,
            tableau.column.iter().filter(|c| **c != 0.0).count(),
            q,
        );
        best = Some(best.map_or(key, |best: (bool, usize, usize)| best.min(key)));
    }
    best.map(|key| key.2)
}

fn enter_free(tableau: &mut Tableau) {
    for q in 0..tableau.columns {
        let (lower, upper) = (tableau.nonbasic.lower[q], tableau.nonbasic.upper[q]);
        if lower > f64::NEG_INFINITY || upper < f64::INFINITY {
            continue;
        }
        tableau.load_column(q);
        let side = &tableau.basic;
        let bounded = |&r: &usize| side.lower[r].is_finite() || side.upper[r].is_finite();
        let size = |r: usize| tableau.column[r].abs();
        let best = (0..tableau.rows)
            .filter(bounded)
            .max_by(|&a, &b| size(a).total_cmp(&size(b)));
        if let Some(r) = best.filter(|&r| size(r) > SMALLEST_PIVOT) {
            pivot(tableau, r, q);
        }
    }
}

/// Drops columns whose variables are fixed, and keeps what they contribute.
fn drop_columns(t: &mut Tableau, drop: impl Fn(f64, f64) -> bool) {
    let Matrix::Dense { cells, .. } = &t.matrix else {
        return;
    };
    let side = &t.nonbasic;
    let is_kept: Vec<bool> = (0..t.columns)
        .map(|q| !drop(side.lower[q], side.upper[q]))
        .collect();
    let kept: Vec<usize> = (0..t.columns).filter(|&q| is_kept[q]).collect();
    let (old, width) = (t.columns + 1, kept.len() + 1);
    let mut fewer = Vec::with_capacity(t.rows * width);
    for row in cells.chunks_exact(old) {
        fewer.extend(kept.iter().map(|&q| row[q]));
        let dropped = (0..t.columns).filter(|&q| !is_kept[q]);
        fewer.push(row[old - 1] + dropped.map(|q| row[q] * side.lower[q]).sum::<f64>());
    }
    let mut nonbasic = Side::default();
    for q in 0..t.columns {
        t.place[side.variable[q]] = Place::Gone(side.lower[q]);
    }
    for &q in &kept {
        t.place[side.variable[q]] = Place::Column(nonbasic.variable.len());
        nonbasic.push(side.variable[q], side.lower[q], side.upper[q]);
    }
    t.matrix = Matrix::Dense {
        width,
        cells: fewer,
    };
    (t.nonbasic, t.columns) = (nonbasic, kept.len());
    t.costs.truncate(width);
    t.way.truncate(kept.len());
}

/// Drops rows: those of redundant equations.
fn drop_rows(t: &mut Tableau, drop: impl Fn(usize) -> bool) {
    let Matrix::Dense { width, cells } = &t.matrix else {
        return;
    };
    let width = *width;
    let mut fewer = Vec::with_capacity(cells.len());
    let mut basic = Side::default();
    for (r, row) in cells.chunks_exact(width).enumerate() {
        let (variable, lower) = (t.basic.variable[r], t.basic.lower[r]);
        if drop(r) {
            t.place[variable] = Place::Gone(lower);
            continue;
        }
        t.place[variable] = Place::Row(basic.variable.len());
        basic.push(variable, lower, t.basic.upper[r]);
        fewer.extend_from_slice(row);
    }
    t.rows = basic.variable.len();
    t.basic = basic;
    t.matrix = Matrix::Dense {
        width,
        cells: fewer,
    };
}
