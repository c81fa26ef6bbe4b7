//! Problems with their answers, and how good other answers are.

use imle_runtime::{Error, Sense, mean_relative_regret, normalized_regret};

use crate::dataset::dot;
use crate::{Dataset, gather};

/// Features, true theta, and the state that is best under the true theta.
#[derive(Clone, Debug)]
pub struct Problems {
    /// The features and the true theta.
    pub data: Dataset,
    /// The best states, `[rows, dim]`.
    pub z_true: Vec<f64>,
    /// What they cost, or earn.
    pub optima: Vec<f64>,
    sense: Sense,
}

impl Problems {
    /// Solves the problems of a data set: `decide` returns the best state of each row of a theta.
    ///
    /// # Errors
    ///
    /// As `decide`.
    pub fn solve(
        data: Dataset,
        sense: Sense,
        decide: impl FnOnce(&[f64]) -> Result<Vec<f64>, Error>,
    ) -> Result<Self, Error> {
        let z_true = decide(&data.theta)?;
        Ok(Self {
            optima: objectives(&z_true, &data),
            z_true,
            data,
            sense,
        })
    }

    /// Returns the problems of these rows.
    ///
    /// # Panics
    ///
    /// If there is no such row.
    #[must_use]
    pub fn select(&self, rows: &[usize]) -> Self {
        Self {
            data: self.data.select(rows),
            z_true: gather(&self.z_true, self.data.dim(), rows),
            optima: gather(&self.optima, 1, rows),
            sense: self.sense,
        }
    }

    /// Returns the sum of the regrets of the states `z`, one a row, over the sum of the optima.
    ///
    /// # Errors
    ///
    /// If there is not one state for each row.
    pub fn normalized_regret(&self, z: &[f64]) -> Result<f64, Error> {
        normalized_regret(&self.objectives(z), &self.optima, self.sense)
    }

    /// Returns the mean of each regret over its own optimum.
    ///
    /// # Errors
    ///
    /// If there is not one state for each row.
    pub fn mean_relative_regret(&self, z: &[f64]) -> Result<f64, Error> {
        mean_relative_regret(&self.objectives(z), &self.optima, self.sense)
    }

    /// Returns what the states `z`, one a row, cost or earn in truth.
    #[must_use]
    pub fn objectives(&self, z: &[f64]) -> Vec<f64> {
        objectives(z, &self.data)
    }
}

fn objectives(z: &[f64], data: &Dataset) -> Vec<f64> {
    let states = z.chunks_exact(data.dim());
    let theta = data.theta.chunks_exact(data.dim());
    states.zip(theta).map(|(z, theta)| dot(z, theta)).collect()
}
