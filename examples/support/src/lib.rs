//! What the examples share: the field's benchmark data, bit for bit, and a linear model to train on it.
//!
//! * [`RandomState`]: NumPy's legacy random stream, which the benchmarks of the field are drawn from.
//! * [`ShortestPathData`]: features and arc costs of shortest-path problems on a grid.
//! * [`ilp_families`]: the integer programs that engines are timed on.
//! * [`Linear`] and [`Adam`]: the model that predicts costs from features, and what trains it.

#![forbid(unsafe_code)]

pub mod ilp_families;
mod linear;
mod numpy_random;
mod shortest_path_data;

pub use linear::{Adam, Linear};
pub use numpy_random::RandomState;
pub use shortest_path_data::{Grid, ShortestPathData, ShortestPathSettings, gather};
