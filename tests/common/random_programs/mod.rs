//! Random small integer programs, and what is true of them without any engine.

mod truth;
mod written;

use fastrand::Rng;

/// A program; its continuous variables come last, and theta addresses the first `addressed` variables.
pub(crate) struct Program {
    /// Bounds of the variables from an integer to an integer, and of the continuous ones.
    pub(crate) integers: Vec<(i32, i32)>,
    pub(crate) continuous: Vec<(f64, f64)>,
    pub(crate) rows: Vec<Row>,
    /// What is known of the objective, over all variables.
    pub(crate) known: Vec<f64>,
    pub(crate) addressed: usize,
}

/// `lower <= terms <= upper`, one coefficient for each variable.
#[derive(Clone)]
pub(crate) struct Row {
    terms: Vec<f64>,
    lower: f64,
    upper: f64,
}

/// What makes a program small.
struct Shape {
    most_rows: usize,
    /// Coefficients are whole, or whole numbers of such parts. Many equations over hundredths have points that
    /// are feasible up to rounding and not exactly, about which engines may differ.
    parts: i32,
    addressed: usize,
}

impl Program {
    /// At most five integers, which theta addresses, and two continuous variables: few enough to enumerate.
    pub(crate) fn small(rng: &mut Rng) -> Self {
        let integers: Vec<_> = (0..rng.usize(1..=5)).map(|_| integer_bounds(rng)).collect();
        let continuous = (0..rng.usize(0..=2)).map(|_| continuous_bounds(rng));
        let continuous: Vec<_> = continuous.collect();
        let addressed = integers.len();
        let shape = Shape {
            most_rows: 4,
            parts: 100,
            addressed,
        };
        Self::over(integers, continuous, shape, rng)
    }

    /// Up to fourteen integers and four continuous variables, all of them in theta: a state shows by itself
    /// that it is feasible and what it is worth.
    pub(crate) fn larger(rng: &mut Rng) -> Self {
        let integers: Vec<_> = (0..rng.usize(4..=14))
            .map(|_| integer_bounds(rng))
            .collect();
        let continuous = (0..rng.usize(0..=4)).map(|_| continuous_bounds(rng));
        let continuous: Vec<_> = continuous.collect();
        let addressed = integers.len() + continuous.len();
        let shape = Shape {
            most_rows: 8,
            parts: 2,
            addressed,
        };
        Self::over(integers, continuous, shape, rng)
    }

    fn over(
        integers: Vec<(i32, i32)>,
        continuous: Vec<(f64, f64)>,
        shape: Shape,
        rng: &mut Rng,
    ) -> Self {
        let n = integers.len() + continuous.len();
        let parts = if rng.bool() { shape.parts } else { 1 };
        let known = (0..n).map(|_| match rng.bool() {
            true => 0.0,
            false => coefficient(rng, parts),
        });
        let known = known.collect();
        let mut rows = Vec::new();
        for _ in 0..rng.usize(0..=shape.most_rows) {
            let terms = (0..n).map(|_| match rng.u8(0..3) {
                0 => 0.0,
                _ => coefficient(rng, parts),
            });
            let terms: Vec<f64> = terms.collect();
            let sense = rng.usize(0..4);
            if terms.iter().any(|&c| c != 0.0) {
                let rhs = f64::from(rng.i32(-4..=8));
                let (lower, upper) = match sense {
                    0 | 1 => (f64::NEG_INFINITY, rhs),
                    2 => (rhs, f64::INFINITY),
                    _ => (rhs, rhs),
                };
                let row = Row {
                    terms,
                    lower,
                    upper,
                };
                rows.push(row);
            }
        }
        // The same row again, and one that follows from it: degenerate on purpose.
        if rng.u8(0..4) == 0 && !rows.is_empty() {
            rows.push(rows[0].doubled());
        }
        Self {
            integers,
            continuous,
            rows,
            known,
            addressed: shape.addressed,
        }
    }

    /// Gives some rows that have one end another one.
    pub(crate) fn with_ranges(mut self, rng: &mut Rng) -> Self {
        for row in &mut self.rows {
            let width = f64::from(rng.i32(0..=4));
            match (row.lower.is_finite(), row.upper.is_finite(), rng.bool()) {
                (false, true, true) => row.lower = row.upper - width,
                (true, false, true) => row.upper = row.lower + width,
                _ => {}
            }
        }
        self
    }
}

impl Row {
    fn doubled(&self) -> Self {
        Self {
            terms: self.terms.iter().map(|c| 2.0 * c).collect(),
            lower: 2.0 * self.lower,
            upper: 2.0 * self.upper,
        }
    }
}

fn integer_bounds(rng: &mut Rng) -> (i32, i32) {
    match rng.u8(0..4) {
        0 => (-2, 3),
        1 => {
            let lower = rng.i32(-3..=1);
            (lower, lower + rng.i32(0..=4))
        }
        _ => (0, 1),
    }
}

fn continuous_bounds(rng: &mut Rng) -> (f64, f64) {
    match rng.u8(0..6) {
        0 => (0.0, f64::INFINITY),
        1 => (f64::NEG_INFINITY, f64::INFINITY),
        2 => (f64::NEG_INFINITY, 2.5),
        _ => (f64::from(rng.i32(-3..=0)), f64::from(rng.i32(0..=4)) + 0.5),
    }
}

fn coefficient(rng: &mut Rng, parts: i32) -> f64 {
    let whole = f64::from(rng.i32(-4..=4));
    match parts {
        1 => whole,
        parts => whole + f64::from(rng.i32(0..parts)) / f64::from(parts),
    }
}

/// Zero, tied, tiny, large or smooth.
pub(crate) fn theta(rng: &mut Rng, dim: usize) -> Vec<f64> {
    let kind = rng.u8(0..6);
    (0..dim)
        .map(|_| match kind {
            0 => 0.0,
            1 => f64::from(rng.i32(-1..=1)),
            2 => (rng.f64() - 0.5) * 1e-6,
            3 => (rng.f64() - 0.5) * 1e4,
            _ => (rng.f64() - 0.5) * 8.0,
        })
        .collect()
}
