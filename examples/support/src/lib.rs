//! What the examples share: the field's benchmark data, bit for bit, and a linear model to train on it.
//!
//! * [`RandomState`]: NumPy's legacy random stream, which the benchmarks of the field are drawn from.
//! * [`ilp_families`]: the integer programs that engines are timed on.
//! * [`ShortestPathSettings`], [`KnapsackSettings`], [`TspSettings`], [`PortfolioSettings`]: the benchmarks;
//!   each draws a [`Dataset`].
//! * [`Problems`]: a data set with its answers, and the regret of other answers; [`Spread`]: a mean over seeds.
//! * [`drawing`]: what their pictures have in common.
//! * [`Linear`] and [`Adam`]: the model that predicts costs from features, and what trains it.

#![forbid(unsafe_code)]

mod dataset;
pub mod drawing;
pub mod ilp_families;
mod knapsack_data;
mod linear;
mod numpy_random;
mod portfolio_data;
mod problems;
mod shortest_path_data;
mod spread;
mod tsp_data;

pub use dataset::{Dataset, gather};
pub use knapsack_data::{KnapsackData, KnapsackSettings};
pub use linear::{Adam, Linear};
pub use numpy_random::RandomState;
pub use portfolio_data::{PortfolioData, PortfolioSettings};
pub use problems::Problems;
pub use shortest_path_data::{Grid, ShortestPathSettings};
pub use spread::Spread;
pub use tsp_data::TspSettings;
