//! A mean and how far the values are from it.

use std::fmt;

/// A mean over seeds and its standard deviation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spread {
    /// The mean.
    pub mean: f64,
    /// The standard deviation of a sample; one value alone has none.
    pub deviation: Option<f64>,
}

impl Spread {
    /// Summarises values.
    ///
    /// ```
    /// let spread = imle_example_support::Spread::of(&[1.0, 3.0]);
    /// assert_eq!(spread.to_string(), "2.00 ± 1.41");
    /// ```
    #[must_use]
    pub fn of(values: &[f64]) -> Self {
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
        let deviation = (values.len() > 1).then(|| (squares / (n - 1.0)).sqrt());
        Self { mean, deviation }
    }

    /// One deviation below the mean.
    #[must_use]
    pub fn low(self) -> f64 {
        self.mean - self.deviation.unwrap_or(0.0)
    }

    /// One deviation above the mean.
    #[must_use]
    pub fn high(self) -> f64 {
        self.mean + self.deviation.unwrap_or(0.0)
    }
}

impl fmt::Display for Spread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.2}", self.mean)?;
        match self.deviation {
            Some(deviation) => write!(f, " ± {deviation:.2}"),
            None => Ok(()),
        }
    }
}
