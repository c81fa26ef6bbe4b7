//! The benchmarks: where problems come from and who solves them.

use std::sync::Arc;

use clap::ValueEnum;
use imle_example_support::{
    Dataset, KnapsackData, KnapsackSettings, Problems, ShortestPathSettings, TspSettings,
};
use imle_runtime::{Error, Imle, Layer, NoNoise, Oracle, Registry, Sampling, Sense};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// How many problems train a model, and how many others test it.
pub(crate) const ROWS: usize = 1000;

/// A benchmark of the field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Benchmark {
    /// Shortest paths on a 5x5 grid, 40 arcs, 5 features
    Sp5,
    /// Knapsacks of 32 items and 2 resources of capacity 20, 5 features
    Knapsack,
    /// Tours through 20 nodes, 10 features; seconds a model
    Tsp20,
}

impl Benchmark {
    /// The name in files and on the command line.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Sp5 => "sp5",
            Self::Knapsack => "knapsack",
            Self::Tsp20 => "tsp20",
        }
    }

    /// What a reader calls it.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Sp5 => "shortest paths on a 5x5 grid",
            Self::Knapsack => "knapsacks of 32 items and 2 resources",
            Self::Tsp20 => "tours through 20 nodes",
        }
    }

    /// Whose figures ours are beside.
    pub(crate) fn published_by(self) -> &'static str {
        match self {
            Self::Sp5 => "PyEPO 2.2.5 over an exact solver, ten seeds",
            Self::Knapsack => "nobody prints any for this benchmark",
            Self::Tsp20 => "CaVE (Tang and Khalil, CPAIOR 2024), ten runs on the same problems",
        }
    }

    /// How models are trained, and why so.
    pub(crate) fn settings(self) -> &'static str {
        match self {
            Self::Sp5 | Self::Knapsack => {
                "Linear models, 1000 training problems, batches of 32, Adam at 0.01, 20 epochs, three samples where \
                 there is noise, as in PyEPO's notebook of training losses."
            }
            Self::Tsp20 => {
                "Linear models, 1000 training problems, batches of 32, Adam at 0.05; SPO+ and PFY 10 epochs, and PFY \
                 one sample, the others 20: as the authors' program has it, problems and split to the bit. Trained \
                 like the shortest paths (20 epochs at 0.01, three samples, other problems, four and five seeds) we \
                 had found 8.54 for SPO+ at degree 6 and 6.01 for PFY at degree 4."
            }
        }
    }

    pub(crate) fn sense(self) -> Sense {
        match self {
            Self::Sp5 | Self::Tsp20 => Sense::Minimize,
            Self::Knapsack => Sense::Maximize,
        }
    }

    /// The degrees that there are figures for.
    pub(crate) fn degrees(self) -> &'static [u32] {
        match self {
            Self::Sp5 | Self::Knapsack => &[1, 2, 4, 6],
            Self::Tsp20 => &[4, 6],
        }
    }

    /// The seed of the problems of a run, and that of their split: those of whoever published figures.
    fn seeds(self, run: u32) -> (u32, u32) {
        match self {
            Self::Sp5 | Self::Knapsack => (run, run),
            Self::Tsp20 => (42 + run, 135),
        }
    }

    /// Draws the problems of a seed, and names the plugin and the instance that solve them.
    fn generate(self, seed: u32, degree: u32) -> (Dataset, &'static str, Value) {
        let rows = 2 * ROWS;
        match self {
            Self::Sp5 => {
                let default = ShortestPathSettings::default();
                let settings = ShortestPathSettings {
                    rows,
                    seed,
                    degree,
                    ..default
                };
                let (height, width) = (settings.grid.height, settings.grid.width);
                let grid = json!({"height": height, "width": width, "moves": "right_down"});
                let instance = json!({"grid": grid, "costs": "edges"});
                (settings.generate(), "shortest-path", instance)
            }
            Self::Knapsack => {
                let settings = KnapsackSettings {
                    rows,
                    seed,
                    degree,
                    ..KnapsackSettings::default()
                };
                let KnapsackData { weights, data } = settings.generate();
                let weights: Vec<&[u32]> = weights.chunks_exact(settings.items).collect();
                // Weights are in hundredths.
                let capacities = vec![2000; settings.resources];
                let instance = json!({"weights": weights, "capacities": capacities});
                (data, "knapsack", instance)
            }
            Self::Tsp20 => {
                let settings = TspSettings {
                    rows,
                    seed,
                    degree,
                    ..TspSettings::default()
                };
                (settings.generate(), "tsp", json!({"nodes": settings.nodes}))
            }
        }
    }
}

/// The problems of one seed and degree, with their answers.
pub(crate) struct Task {
    pub(crate) benchmark: Benchmark,
    pub(crate) oracle: Arc<dyn Oracle>,
    pub(crate) sense: Sense,
    /// The number of the run: the seed of the model and of the noise.
    pub(crate) seed: u32,
    pub(crate) train: Problems,
    pub(crate) test: Problems,
}

impl Task {
    pub(crate) fn new(
        benchmark: Benchmark,
        seed: u32,
        degree: u32,
        registry: &Registry,
    ) -> Result<Self, Error> {
        let (data_seed, split_seed) = benchmark.seeds(seed);
        let (data, solver, instance) = benchmark.generate(data_seed, degree);
        let oracle = registry.open(solver, &instance)?;
        let sense = benchmark.sense();
        let decide = |theta: &[f64]| decide(&oracle, sense, theta);
        let (train, test) = data.split(ROWS, split_seed);
        Ok(Self {
            train: Problems::solve(train, sense, decide)?,
            test: Problems::solve(test, sense, decide)?,
            benchmark,
            oracle,
            sense,
            seed,
        })
    }

    /// Returns the best state under each row of `theta`.
    pub(crate) fn decide(&self, theta: &[f64]) -> Result<Vec<f64>, Error> {
        decide(&self.oracle, self.sense, theta)
    }
}

fn decide(oracle: &Arc<dyn Oracle>, sense: Sense, theta: &[f64]) -> Result<Vec<f64>, Error> {
    let sampling = Sampling {
        sense,
        noise: Arc::new(NoNoise),
        threads: 1,
        ..Sampling::default()
    };
    let layer = Layer::new(oracle.clone(), Imle::default(), sampling)?;
    Ok(layer.map(theta)?.all_solved()?.z().to_vec())
}
