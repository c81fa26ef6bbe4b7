//! Learn through a combinatorial solver, whatever the solver is.
//!
//! Read in this order:
//!
//! - [`Imle`] (imle.rs), the estimator that gives the project its name, and [`Layer`] (layer.rs), an estimator
//!   over an oracle: [`forward`](Layer::forward) and [`backward`](Layer::backward);
//! - [`Noise`] (noise/mod.rs) and [`Target`] (target.rs), its two open choices;
//! - [`Estimator`] (estimators/) and [`Loss`] (losses/), the field's other ways to learn through a solver;
//! - [`methods`], a table of all of them, and [`Distribution`] (distribution.rs), what they sampled from;
//! - [`Registry`] (registry.rs) and [`Plugin`] (plugin.rs), where solvers come from, and [`Lock`] (trust.rs), which of
//!   them may;
//! - [`Cache`] (cache.rs), an exact memory in front of any oracle;
//! - [`Pool`] (pool/mod.rs), an approximate one;
//! - [`Portfolio`] (portfolio.rs) and [`Fallback`] (fallback.rs), several back ends for one problem;
//! - [`Isolated`] (isolation/), a plugin in processes of its own, and [`failures`], what can go wrong and what
//!   happens then;
//! - [`exact_marginals`] (exact.rs), for solvers that have them;
//! - [`LayerConfig`] (layer_config.rs), all of that in a file;
//! - [`normalized_regret`] and [`mean_relative_regret`] (metrics.rs), [`worst_objectives`] for predictions with ties.
//!
//! The traits and errors come from `imle-api`.

#![deny(unsafe_code)]

mod backends;
mod batch;
mod buffers;
mod cache;
mod call;
mod difference;
mod distribution;
mod engine;
mod estimators;
mod exact;
mod fallback;
mod finite_value;
mod gradient;
mod imle;
mod isolation;
mod layer;
mod layer_config;
mod library_file;
mod log_partition;
mod losses;
mod mean_difference;
mod means;
mod metrics;
mod noise;
mod numbers;
mod oracles;
mod parameters;
mod pass;
#[allow(unsafe_code)]
mod plugin;
#[allow(unsafe_code)]
mod plugin_calls;
mod plugin_checks;
#[allow(unsafe_code)]
mod plugin_oracle;
#[allow(unsafe_code)]
mod plugin_search;
#[allow(unsafe_code)]
mod plugin_text;
mod pool;
mod portfolio;
mod private_copy;
mod registry;
mod sampling;
mod saved;
mod states;
mod summation;
mod sync;
mod target;
mod temperature;
mod threads;
mod trust;
mod worst_objectives;

pub use cache::{Cache, CacheStatistics};
pub use call::Call;
pub use difference::Difference;
pub use distribution::Distribution;
pub use estimators::{
    Aimle, Baseline, BlackBox, Estimator, Exact, Feedback, GumbelSoftmax, ImplicitDifferentiation,
    Memory, NegativeIdentity, Perturbation, Perturbed, Projection, Scope, Score, ScoreFunction,
    SoftSub, StraightThrough,
};
pub use exact::{ExactMarginals, exact_marginals};
pub use fallback::Fallback;
pub use gradient::Gradient;
pub use imle::Imle;
pub use imle_api::{
    Error, ErrorKind, Facts, FnOracle, Identity, Limits, Linked, Oracle, Outcome, Proof, Solved,
    Solver, StopFlag, ThetaDomain, solve_one,
};
pub use isolation::{Isolated, Isolation, serve};
pub use layer::Layer;
pub use layer_config::{LayerConfig, Opened, OracleConfig};
pub use log_partition::{Estimate, log_partition_bound};
pub use losses::{
    ContrastiveMap, DirectionalRegret, Examples, FenchelYoung, FenchelYoungMultiplicative,
    Imitation, Labels, ListwiseRanking, Loss, LossLayer, LossValue, Margin, MaximumLikelihood,
    NoiseContrastive, PairwiseRanking, Perceptron, PointwiseRanking, Regret, SparseMap, SpoPlus,
    StructuredSvm,
};
pub use means::Means;
pub use metrics::{
    cost_ratio_accuracy, exact_match, hamming, mean_relative_regret, normalized_regret, regrets,
};
pub use noise::{Address, Gumbel, Logistic, NoNoise, Noise, Normal, Replay, SumOfGamma};
pub use pass::Pass;
pub use plugin::{Plugin, SolverInfo};
pub use plugin_search::cargo_library_directory;
pub use pool::{Pool, PoolConfig, PoolRule, PoolStatistics};
pub use portfolio::Portfolio;
pub use registry::{Listing, Registry};
pub use sampling::{Sampling, Sense};
pub use saved::Saved;
pub use states::{RowError, States};
pub use target::{Combinatorial, Pid, RelativePid, Target};
pub use temperature::{RelativeTemperature, Temperature};
pub use trust::Lock;
pub use worst_objectives::worst_objectives;

#[doc = include_str!("../METHODS.md")]
pub mod methods {}

#[doc = include_str!("../PERFORMANCE.md")]
pub mod performance {}

#[doc = include_str!("../FAILURES.md")]
pub mod failures {}

/// Compiles the programs of the README.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
#[derive(Debug)]
pub struct Readme;
