//! The problems of one seed, with their answers.

use imle_example_support::{Grid, ShortestPathData, ShortestPathSettings, gather};
use imle_runtime::{Error, Sense, mean_relative_regret, normalized_regret};

use crate::estimator::Estimator;

/// The grid of every problem: 40 arcs, 70 paths of 8 arcs each.
pub(crate) const GRID: Grid = Grid {
    height: 5,
    width: 5,
};
/// How many problems train a model, and how many others test it.
const ROWS: usize = 1000;

/// Features, true costs, and the path that is best under the true costs.
#[derive(Clone)]
pub(crate) struct Problems {
    pub(crate) data: ShortestPathData,
    /// The best paths, `[rows, arcs]`.
    pub(crate) z_true: Vec<f64>,
    /// What they cost.
    pub(crate) optima: Vec<f64>,
}

impl Problems {
    /// Draws the problems of a seed: those to train and those to test on.
    pub(crate) fn of_seed(
        seed: u32,
        degree: u32,
        estimator: &mut Estimator,
    ) -> Result<(Self, Self), Error> {
        let data = ShortestPathData::generate(&ShortestPathSettings {
            grid: GRID,
            rows: 2 * ROWS,
            degree,
            seed,
            ..ShortestPathSettings::default()
        });
        let (train, test) = data.split(ROWS, seed);
        Ok((
            Self::solve(train, estimator)?,
            Self::solve(test, estimator)?,
        ))
    }

    fn solve(data: ShortestPathData, estimator: &mut Estimator) -> Result<Self, Error> {
        let z_true = estimator.decide(&data.costs)?;
        Ok(Self {
            optima: objectives(&z_true, &data),
            z_true,
            data,
        })
    }

    /// Returns the problems of these rows.
    pub(crate) fn select(&self, rows: &[usize]) -> Self {
        Self {
            data: self.data.select(rows),
            z_true: gather(&self.z_true, self.data.arcs(), rows),
            optima: gather(&self.optima, 1, rows),
        }
    }

    /// Returns the sum of the regrets over the sum of the optima.
    pub(crate) fn normalized_regret(&self, z: &[f64]) -> Result<f64, Error> {
        normalized_regret(&self.objectives(z), &self.optima, Sense::Minimize)
    }

    /// Returns the mean of each regret over its own optimum.
    pub(crate) fn mean_relative_regret(&self, z: &[f64]) -> Result<f64, Error> {
        mean_relative_regret(&self.objectives(z), &self.optima, Sense::Minimize)
    }

    /// Returns what the paths `z`, one a row, cost in truth.
    pub(crate) fn objectives(&self, z: &[f64]) -> Vec<f64> {
        objectives(z, &self.data)
    }
}

fn objectives(z: &[f64], data: &ShortestPathData) -> Vec<f64> {
    let paths = z.chunks_exact(data.arcs());
    let costs = data.costs.chunks_exact(data.arcs());
    let cost = |(z, costs): (&[f64], &[f64])| z.iter().zip(costs).map(|(z, cost)| z * cost).sum();
    paths.zip(costs).map(cost).collect()
}
