//! Cells over seeds, beside what others found.

use imle_example_support::Spread;

use crate::benchmark::Benchmark;
use crate::cells::Cell;
use crate::method::Method;
use crate::published::{self, Published};

/// Seeds of the published figures.
const PUBLISHED_SEEDS: usize = 10;

/// A method at a degree, over seeds.
pub(crate) struct Summary {
    pub(crate) method: Method,
    pub(crate) degree: u32,
    pub(crate) seeds: usize,
    /// Normalized regret on the test problems, in percent.
    pub(crate) normalized: Spread,
    /// Mean relative regret on the test problems, in percent.
    pub(crate) relative: Spread,
    pub(crate) solves: f64,
    pub(crate) seconds: f64,
    pub(crate) published: Option<Published>,
    pub(crate) cave: Option<Published>,
}

impl Summary {
    /// Summarises the cells of one method and degree; `None` if there are none.
    pub(crate) fn of(
        benchmark: Benchmark,
        method: &Method,
        degree: u32,
        cells: &[&Cell],
    ) -> Option<Self> {
        let seeds = cells.len();
        if seeds == 0 {
            return None;
        }
        let percent = |of: &dyn Fn(&Cell) -> f64| {
            let values: Vec<f64> = cells.iter().map(|cell| 100.0 * of(cell)).collect();
            Spread::of(&values)
        };
        let mean = |of: &dyn Fn(&Cell) -> f64| {
            cells.iter().map(|cell| of(cell)).sum::<f64>() / seeds as f64
        };
        Some(Self {
            method: method.clone(),
            degree,
            seeds,
            normalized: percent(&|cell| cell.outcome.normalized_regret),
            relative: percent(&|cell| cell.outcome.mean_relative_regret),
            solves: mean(&|cell| cell.outcome.solves as f64),
            seconds: mean(&|cell| cell.outcome.seconds),
            published: published::main_figure(benchmark, method.name, degree),
            cave: published::cave(benchmark, method.name, degree),
        })
    }

    /// Our mean and two standard errors of it.
    pub(crate) fn interval(&self) -> (f64, f64) {
        let deviation = self.normalized.deviation.unwrap_or(0.0);
        (
            self.normalized.mean,
            2.0 * deviation / (self.seeds as f64).sqrt(),
        )
    }

    /// The published mean and two standard errors of it.
    pub(crate) fn published_interval(&self) -> Option<(f64, f64)> {
        let figure = self.published?;
        Some((
            figure.mean,
            2.0 * figure.deviation / (PUBLISHED_SEEDS as f64).sqrt(),
        ))
    }

    /// Two standard errors of the published mean. Fewer seeds than it has are compared by theirs.
    pub(crate) fn band(&self) -> Option<f64> {
        let seeds = self.seeds.min(PUBLISHED_SEEDS) as f64;
        self.published
            .map(|figure| 2.0 * figure.deviation / seeds.sqrt())
    }

    /// Whether our mean is further from the published one than the band; rounded as it is printed.
    pub(crate) fn is_outside(&self) -> bool {
        let distance = self
            .published
            .map(|figure| (self.normalized.mean - figure.mean).abs());
        matches!((distance, self.band()), (Some(distance), Some(band)) if distance > band + 0.005)
    }
}
