//! The problems of one seed, with their answers.

use imle_example_support::{Grid, Problems, ShortestPathSettings};
use imle_runtime::{Error, Sense};

use crate::estimator::Estimator;

/// The grid of every problem: 40 arcs, 70 paths of 8 arcs each.
pub(crate) const GRID: Grid = Grid {
    height: 5,
    width: 5,
};
/// How many problems train a model, and how many others test it.
const ROWS: usize = 1000;

/// Draws the problems of a seed: those to train and those to test on.
pub(crate) fn of_seed(
    seed: u32,
    degree: u32,
    estimator: &mut Estimator,
) -> Result<(Problems, Problems), Error> {
    let settings = ShortestPathSettings {
        grid: GRID,
        rows: 2 * ROWS,
        degree,
        seed,
        ..ShortestPathSettings::default()
    };
    let (train, test) = settings.generate().split(ROWS, seed);
    let mut solve = |data| Problems::solve(data, Sense::Minimize, |costs| estimator.decide(costs));
    Ok((solve(train)?, solve(test)?))
}
