//! Whether a point lies in the feasible set as the user gave it.
//!
//! [`satisfies`] is for points that the search finds. [`Membership`] is for those that leave: exact, and quick for
//! a point that is mostly zero, as the kernels' are.

use std::ops::Range;

use imle_ilp_model::{Model, Variable};

use crate::kernels::columns;

/// By how much a point may violate a row, absolutely and relative to the terms.
const TOLERANCE: f64 = 5e-7;
const ROUNDING: f64 = 5e-13;

/// Says whether `values` satisfies every row and bound of `model`.
pub(crate) fn satisfies(model: &Model, values: &[f64]) -> bool {
    let inside = |(variable, &value): (&Variable, &f64)| {
        value >= variable.lower - TOLERANCE && value <= variable.upper + TOLERANCE
    };
    if !model.variables().iter().zip(values).all(inside) {
        return false;
    }
    model.rows().iter().all(|row| {
        let (mut sum, mut magnitude) = (0.0, 0.0);
        for &(at, coefficient) in &row.terms {
            let term = coefficient * values[at];
            sum += term;
            magnitude += term.abs();
        }
        let tolerance = TOLERANCE + ROUNDING * magnitude;
        sum >= row.lower - tolerance && sum <= row.upper + tolerance
    })
}

/// As many values as are looked at together.
const CHUNK: usize = 16;

/// The feasible set by columns.
#[derive(Debug)]
pub(crate) struct Membership {
    variables: Vec<Column>,
    /// `(row, coefficient)` of all columns, one after the other.
    terms: Vec<(u32, f64)>,
    rows: Vec<(f64, f64)>,
    /// Whether every variable may be zero.
    takes_zeros: bool,
}

#[derive(Debug)]
struct Column {
    lower: f64,
    upper: f64,
    is_integral: bool,
    terms: Range<usize>,
}

impl Column {
    /// Without tolerance.
    fn takes(&self, value: f64) -> bool {
        value >= self.lower && value <= self.upper && (!self.is_integral || value.fract() == 0.0)
    }
}

impl Membership {
    pub(crate) fn new(model: &Model) -> Self {
        let mut terms = Vec::new();
        let mut columns = columns(model).into_iter();
        let column = |variable: &Variable| {
            let begin = terms.len();
            let of_variable = columns.next().into_iter().flatten();
            terms.extend(of_variable.map(|(row, c)| (row as u32, c)));
            Column {
                lower: variable.lower,
                upper: variable.upper,
                is_integral: variable.is_integral(),
                terms: begin..terms.len(),
            }
        };
        let variables: Vec<Column> = model.variables().iter().map(column).collect();
        Self {
            takes_zeros: variables.iter().all(|column| column.takes(0.0)),
            rows: model.rows().iter().map(|r| (r.lower, r.upper)).collect(),
            variables,
            terms,
        }
    }

    /// Says whether `values` is a point of the set: kinds and bounds exactly, rows up to the rounding that
    /// every back end is granted. `sums` is scratch.
    pub(crate) fn contains(&self, values: &[f64], sums: &mut Vec<(f64, f64)>) -> bool {
        sums.clear();
        sums.resize(self.rows.len(), (0.0, 0.0));
        for (from, some) in values.chunks(CHUNK).enumerate() {
            // Zeros of either sign, all of them at once.
            if self.takes_zeros && some.iter().fold(0, |any, v| any | v.to_bits() << 1) == 0 {
                continue;
            }
            for (column, &value) in self.variables[from * CHUNK..].iter().zip(some) {
                if value == 0.0 && self.takes_zeros {
                    continue;
                }
                if !column.takes(value) {
                    return false;
                }
                for &(row, coefficient) in &self.terms[column.terms.clone()] {
                    let term = coefficient * value;
                    let (sum, magnitude) = &mut sums[row as usize];
                    (*sum, *magnitude) = (*sum + term, *magnitude + term.abs());
                }
            }
        }
        let mut rows = self.rows.iter().zip(sums);
        rows.all(|(&(lower, upper), &mut (sum, magnitude))| {
            let tolerance = TOLERANCE + ROUNDING * magnitude;
            sum >= lower - tolerance && sum <= upper + tolerance
        })
    }
}

#[cfg(test)]
mod tests {
    use imle_ilp_model::{Config, Problem};

    use super::*;

    /// `1 <= x + n <= 3`, `2 n - s = 0`: x binary, n integer from -1 to 3, s continuous from -2 to 5.
    fn model() -> Model {
        let config = r#"{"model": {
            "binaries": 1,
            "variables": [
                {"name": "n", "kind": "integer", "lower": -1, "upper": 3},
                {"name": "s", "kind": "continuous", "lower": -2, "upper": 5}
            ],
            "rows": [
                {"terms": {"x0": 1, "n": 1}, "sense": ">=", "rhs": 1},
                {"terms": {"x0": 1, "n": 1}, "sense": "<=", "rhs": 3},
                {"terms": {"n": 2, "s": -1}, "sense": "=", "rhs": 0}
            ]
        }}"#;
        let config: Config = serde_json::from_str(config).expect("a configuration");
        Problem::new(config).expect("a model").model().clone()
    }

    #[test]
    fn membership_takes_the_points_that_satisfy_bounds_kinds_and_rows() {
        let model = model();
        let membership = Membership::new(&model);
        let sums = &mut Vec::new();
        for steps in 0..4 * 9 * 17 {
            // Halves from outside to outside.
            let (x, n, s) = (steps % 4, steps / 4 % 9, steps / 36);
            let values = [x as f64 / 2.0, n as f64 / 2.0 - 1.0, s as f64 / 2.0 - 2.5];
            let is_whole = x % 2 == 0 && n % 2 == 0;
            let expected = is_whole && satisfies(&model, &values);
            assert_eq!(membership.contains(&values, sums), expected, "{values:?}");
        }
    }

    #[test]
    fn membership_takes_no_point_that_is_off_by_rounding_and_none_that_is_not_a_number() {
        let membership = Membership::new(&model());
        let sums = &mut Vec::new();
        assert!(membership.contains(&[1.0, 2.0, 4.0], sums));
        assert!(!membership.contains(&[1.0, 2.0 + 1e-12, 4.0], sums));
        assert!(!membership.contains(&[1.0, f64::NAN, 4.0], sums));
        assert!(!membership.contains(&[1.0, 2.0, f64::INFINITY], sums));
    }
}
