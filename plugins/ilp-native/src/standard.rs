//! The model in the shape that the engine works on: every row is a variable of its own.
//!
//! A row `l <= a x <= u` becomes a variable `s = a x` with the bounds `l` and `u`, so that the tableau
//! has no right-hand side. Rows of one term become bounds, and rows that cannot be violated are dropped.

use imle_ilp_model::{Model, Row};

/// How far a bound that was computed may be off, relative to its size.
const ROUNDING: f64 = 1e-9;

/// The variables and rows of a model. Variable `columns + i` is the value of row `i`.
#[derive(Debug)]
pub(crate) struct Standard {
    /// The number of variables of the model.
    pub(crate) columns: usize,
    /// Bounds of all variables, those of the model first.
    pub(crate) lower: Vec<f64>,
    pub(crate) upper: Vec<f64>,
    /// Every value of the variable is a multiple of this; 0 for a continuous one.
    pub(crate) step: Vec<f64>,
    /// The rows that are left, by column.
    pub(crate) rows: Vec<Vec<(usize, f64)>>,
    /// Whether bounds alone rule every point out.
    pub(crate) infeasible: bool,
}

impl Standard {
    pub(crate) fn new(model: &Model) -> Self {
        let variables = model.variables();
        let mut standard = Self {
            columns: variables.len(),
            lower: variables.iter().map(|v| v.lower).collect(),
            upper: variables.iter().map(|v| v.upper).collect(),
            step: variables
                .iter()
                .map(|v| f64::from(v.is_integral()))
                .collect(),
            rows: Vec::new(),
            infeasible: false,
        };
        let (single, rows): (Vec<&Row>, Vec<&Row>) =
            model.rows().iter().partition(|row| row.terms.len() == 1);
        single.into_iter().for_each(|row| standard.bound(row));
        rows.into_iter().for_each(|row| standard.add(row));
        standard
    }

    /// Takes a row of one term as bounds of its variable.
    fn bound(&mut self, row: &Row) {
        let (at, coefficient) = row.terms[0];
        let mut ends = [row.lower / coefficient, row.upper / coefficient];
        if coefficient < 0.0 {
            ends.reverse();
        }
        let [mut lower, mut upper] = ends;
        if self.step[at] > 0.0 {
            (lower, upper) = whole_within(lower, upper);
        }
        self.lower[at] = self.lower[at].max(lower);
        self.upper[at] = self.upper[at].min(upper);
        let width = self.upper[at] - self.lower[at];
        let slack = ROUNDING * (1.0 + self.lower[at].abs());
        if width < -slack {
            self.infeasible = true;
        } else if width < 0.0 {
            self.upper[at] = self.lower[at];
        }
    }

    fn add(&mut self, row: &Row) {
        let (least, most) = self.range(row);
        let whole = |&(at, c): &(usize, f64)| self.step[at] > 0.0 && c.fract() == 0.0;
        let is_whole = row.terms.iter().all(whole);
        let (lower, upper) = if is_whole {
            whole_within(row.lower, row.upper)
        } else {
            (row.lower, row.upper)
        };
        if lower > upper {
            self.infeasible = true;
            return;
        }
        let slack = ROUNDING * (1.0 + row.lower.abs().min(row.upper.abs()));
        if least >= row.lower && most <= row.upper {
            return;
        }
        if least > row.upper + slack || most < row.lower - slack {
            self.infeasible = true;
        }
        // A power of two costs no digit. The largest coefficient becomes 1 to 2.
        let largest = row.terms.iter().fold(0.0, |m: f64, t| m.max(t.1.abs()));
        let scale = (-largest.log2().floor()).exp2();
        self.step.push(if is_whole { scale } else { 0.0 });
        self.lower.push(lower * scale);
        self.upper.push(upper * scale);
        self.rows
            .push(row.terms.iter().map(|&(at, c)| (at, c * scale)).collect());
    }

    /// The least and the largest value of a row within the bounds.
    fn range(&self, row: &Row) -> (f64, f64) {
        row.terms
            .iter()
            .fold((0.0, 0.0), |(least, most), &(at, c)| {
                let ends = (c * self.lower[at], c * self.upper[at]);
                (least + ends.0.min(ends.1), most + ends.0.max(ends.1))
            })
    }
}

/// The integers from `lower` to `upper`, give or take rounding.
fn whole_within(lower: f64, upper: f64) -> (f64, f64) {
    let slack = |bound: f64| ROUNDING * (1.0 + bound.abs());
    let (lower, upper) = (lower - slack(lower), upper + slack(upper));
    (lower.ceil() + 0.0, upper.floor() + 0.0)
}
