//! The best assignment of rows to columns.
//!
//! States are 0/1 matrices of `rows` by `columns`, row by row, with at most one 1 in every row and in every
//! column. By default as many pairs are made as there can be, `min(rows, columns)`:
//!
//! ```json
//! {"rows": 3, "columns": 5}
//! ```
//!
//! With `"unmatched": true` a row and a column may also stay alone. Then exactly the pairs that pay are made:
//! a pair whose theta is not positive never is.
//!
//! # Exactness and ties
//!
//! The Hungarian method (Kuhn 1955, Munkres 1957) in cubic time, as
//! [`pathfinding`](https://docs.rs/pathfinding) has it, over
//! [integers](imle_api::to_integers): exact for theta rounded to a part in 2^57 of its largest magnitude for
//! 10 rows, in 2^52 for 500. Of several best assignments it is the one that the algorithm comes to,
//! which sees nothing but those integers. Limits are looked at before a row, not within.

#![forbid(unsafe_code)]

use imle_api::{Error, ErrorKind, Facts, Limits, Proof, Solver, export_plugin};
use pathfinding::kuhn_munkres::kuhn_munkres;
use pathfinding::matrix::Matrix;

/// More pairs than this are a typing mistake rather than a problem: cubic time.
const MOST_PAIRS: usize = 1 << 24;

/// Which assignments are feasible.
///
/// ```
/// use imle_api::{Linked, solve_one};
/// use imle_assignment::Assignment;
///
/// let oracle = Linked::<Assignment>::open(r#"{"rows": 2, "columns": 2}"#)?;
/// let (z, _) = solve_one(&oracle, &[3.0, 2.0, 2.0, -5.0])?;
/// assert_eq!(z, [0.0, 1.0, 1.0, 0.0]);
/// # Ok::<(), imle_api::Error>(())
/// ```
#[derive(Debug, serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("examples" = [{"rows": 3, "columns": 3}, {"rows": 2, "columns": 4, "unmatched": true}]))]
pub struct Config {
    /// The number of rows of theta and of a state.
    pub rows: usize,
    /// The number of columns.
    pub columns: usize,
    /// Whether fewer pairs may be made than there can be.
    #[serde(default)]
    pub unmatched: bool,
}

/// The assignments of `rows` to `columns`.
#[derive(Debug)]
pub struct Assignment {
    rows: usize,
    columns: usize,
    unmatched: bool,
}

impl Solver for Assignment {
    const NAME: &'static str = "assignment";
    const SUMMARY: &'static str =
        "rows matched with columns, all of the fewer or only where it pays";
    type Config = Config;
    type Workspace = Vec<i64>;

    fn new(config: Config) -> Result<Self, Error> {
        let Config {
            rows,
            columns,
            unmatched,
        } = config;
        let fits = |pairs: &usize| (1..=MOST_PAIRS).contains(pairs);
        if rows.checked_mul(columns).filter(fits).is_none() {
            let message = format!(
                "rows = {rows} by columns = {columns} are not between 1 and {MOST_PAIRS} pairs"
            );
            return Err(Error::new(ErrorKind::InvalidConfig, message));
        }
        Ok(Self {
            rows,
            columns,
            unmatched,
        })
    }

    fn facts(&self) -> Facts {
        let facts = Facts::binary(self.rows * self.columns);
        if self.unmatched {
            return facts;
        }
        facts.with_ones(self.fewer())
    }

    fn solve(
        &self,
        weights: &mut Vec<i64>,
        theta: &[f64],
        z: &mut [f64],
        limits: &Limits<'_>,
    ) -> Result<Proof, Error> {
        limits.check()?;
        imle_api::to_integers(theta, self.bits(), weights);
        let longer = self.rows.max(self.columns);
        // Where a pair need not be made, one that does not pay is as good as none: both add 0.
        let least = if self.unmatched { 0 } else { i64::MIN };
        let weight = |(line, cross)| weights[self.coordinate(line, cross)].max(least);
        let matrix = Matrix::from_fn(self.fewer(), longer, weight);
        let (_, crosses) = kuhn_munkres(&matrix);
        z.fill(0.0);
        for (line, &cross) in crosses.iter().enumerate() {
            if matrix[(line, cross)] > 0 || !self.unmatched {
                z[self.coordinate(line, cross)] = 1.0;
            }
        }
        Ok(Proof::NONE)
    }
}

impl Assignment {
    /// The number of lines on the side that has fewer, rows or columns; each gets a line that crosses it.
    fn fewer(&self) -> usize {
        self.rows.min(self.columns)
    }

    fn coordinate(&self, line: usize, cross: usize) -> usize {
        match self.rows <= self.columns {
            true => line * self.columns + cross,
            false => cross * self.columns + line,
        }
    }

    /// With weights of at most `C` in magnitude, a line's label is at most `C` and a crossing one's `2C`: one
    /// that is free has the label 0, so that no line's label falls below `-C`. The sum over all must fit.
    fn bits(&self) -> u32 {
        60 - self.fewer().ilog2()
    }
}

export_plugin!(Assignment);

#[cfg(test)]
mod tests {
    use super::*;
    use imle_api::conformance::{Check, binary_vectors};
    use imle_api::{Linked, solve_one};
    use serde_json::json;

    fn states(rows: usize, columns: usize, unmatched: bool) -> Vec<Vec<f64>> {
        binary_vectors(rows * columns, |z| {
            let row = |row: usize| z[row * columns..][..columns].iter().sum::<f64>();
            let column =
                |column: usize| (0..rows).map(|row| z[row * columns + column]).sum::<f64>();
            let pairs: f64 = z.iter().sum();
            (0..rows).all(|r| row(r) <= 1.0)
                && (0..columns).all(|c| column(c) <= 1.0)
                && (unmatched || pairs == rows.min(columns) as f64)
        })
    }

    #[test]
    fn obeys_the_law() {
        let mut check = Check::new();
        let sizes = [
            (1, 1),
            (1, 4),
            (4, 1),
            (2, 2),
            (3, 3),
            (2, 5),
            (5, 3),
            (4, 4),
        ];
        for (rows, columns) in sizes {
            for unmatched in [false, true] {
                let config = json!({"rows": rows, "columns": columns, "unmatched": unmatched});
                check = check.case(config, states(rows, columns, unmatched));
            }
        }
        check
            .refuses(json!({"rows": 0, "columns": 3}))
            .refuses(json!({"rows": 3, "columns": 0}))
            .refuses(json!({"rows": 3}))
            .refuses(json!({"rows": 1_u64 << 40, "columns": 1_u64 << 40}))
            .run::<Assignment>()
            .unwrap();
    }

    #[test]
    fn pairs_that_do_not_pay_are_not_made_when_they_need_not_be() {
        let config = r#"{"rows": 2, "columns": 2, "unmatched": true}"#;
        let oracle = Linked::<Assignment>::open(config).unwrap();
        let (z, _) = solve_one(&oracle, &[-1.0, 0.0, -0.0, -2.0]).unwrap();
        assert_eq!(z, [0.0; 4]);
        let (z, _) = solve_one(&oracle, &[-1.0, 1.0, -1.0, 2.0]).unwrap();
        assert_eq!(z, [0.0, 0.0, 0.0, 1.0]);
    }

    #[test]
    fn enormous_numbers_do_not_overflow() {
        for size in [2, 3, 33] {
            let config = format!(r#"{{"rows": {size}, "columns": {size}}}"#);
            let oracle = Linked::<Assignment>::open(&config).unwrap();
            let theta: Vec<f64> = (0..size * size)
                .map(|at| match at / size == at % size {
                    true => 1.7e308,
                    false => -1.7e308,
                })
                .collect();
            let (z, _) = solve_one(&oracle, &theta).unwrap();
            assert!((0..size * size).all(|at| (z[at] == 1.0) == (at / size == at % size)));
            let negated: Vec<f64> = theta.iter().map(|theta| -theta).collect();
            let (z, _) = solve_one(&oracle, &negated).unwrap();
            assert!((0..size).all(|at| z[at * size + at] == 0.0));
        }
    }

    /// Adding to a row or a column of a square theta adds the same to every state, so the state stays: large
    /// problems, whose states are too many to list.
    #[test]
    fn sums_of_rows_and_columns_do_not_matter() {
        let size = 40;
        let oracle = Linked::<Assignment>::open(r#"{"rows": 40, "columns": 40}"#).unwrap();
        // Whole numbers, and the states of a planted permutation: row r takes column (7 r + 3) mod 40.
        let planted = |row: usize| (7 * row + 3) % size;
        let cell = |row: usize, column: usize| {
            let offset = (row * row % 91) as f64 - (column * 31 % 57) as f64;
            let below = ((row * 13 + column * 29) % 17 + 1) as f64;
            offset - if column == planted(row) { 0.0 } else { below }
        };
        let theta: Vec<f64> = (0..size * size)
            .map(|at| cell(at / size, at % size))
            .collect();
        let (z, _) = solve_one(&oracle, &theta).unwrap();
        assert!((0..size).all(|row| z[row * size + planted(row)] == 1.0));
    }
}
