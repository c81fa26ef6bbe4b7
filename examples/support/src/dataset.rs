//! Features and what they should predict, one problem a row.

use crate::RandomState;

/// Features and the true theta of problems, one a row. Theta is a row of costs or of rewards, whichever the
/// benchmark has.
#[derive(Clone, Debug)]
pub struct Dataset {
    /// The features, `[rows, features]`.
    pub x: Vec<f64>,
    /// The true costs or rewards, `[rows, dim]`.
    pub theta: Vec<f64>,
    pub(crate) features: usize,
    pub(crate) dim: usize,
}

impl Dataset {
    /// Returns the number of problems.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.theta.len() / self.dim
    }

    /// Returns the number of features of a problem.
    #[must_use]
    pub fn features(&self) -> usize {
        self.features
    }

    /// Returns the number of coordinates of theta.
    #[must_use]
    pub fn dim(&self) -> usize {
        self.dim
    }

    /// Splits into training and test problems as scikit-learn's
    /// `train_test_split(test_size=test_rows, random_state=seed)` does.
    ///
    /// # Panics
    ///
    /// If there are fewer than `test_rows` problems.
    #[must_use]
    pub fn split(&self, test_rows: usize, seed: u32) -> (Self, Self) {
        let order = RandomState::new(seed).permutation(self.rows());
        let (test, train) = order.split_at(test_rows);
        (self.select(train), self.select(test))
    }

    /// Returns the problems of these rows, in this order.
    ///
    /// # Panics
    ///
    /// If there is no such row.
    #[must_use]
    pub fn select(&self, rows: &[usize]) -> Self {
        Self {
            x: gather(&self.x, self.features, rows),
            theta: gather(&self.theta, self.dim, rows),
            ..*self
        }
    }
}

/// Copies the given rows of a matrix of that width.
///
/// ```
/// let matrix = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
/// assert_eq!(imle_example_support::gather(&matrix, 2, &[2, 0]), [5.0, 6.0, 1.0, 2.0]);
/// ```
///
/// # Panics
///
/// If a row is not in the matrix.
#[must_use]
pub fn gather(matrix: &[f64], width: usize, rows: &[usize]) -> Vec<f64> {
    rows.iter()
        .flat_map(|&row| &matrix[row * width..(row + 1) * width])
        .copied()
        .collect()
}

/// Returns `B x / sqrt(features)` of every row of `x`, `[rows, dim]`: what the benchmarks bend into costs.
/// `x` is `[rows, features]` and `B` is `[dim, features]`.
pub(crate) fn signals(x: &[f64], b: &[f64], features: usize) -> Vec<f64> {
    let scale = (features as f64).sqrt();
    let signal = |x: &[f64], b: &[f64]| dot(x, b) / scale;
    let of_row = |x| b.chunks_exact(features).map(move |b| signal(x, b));
    x.chunks_exact(features).flat_map(of_row).collect()
}

pub(crate) fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// Rounds to what fits an `f32`, as the published data sets are.
pub(crate) fn single(value: f64) -> f64 {
    f64::from(value as f32)
}
