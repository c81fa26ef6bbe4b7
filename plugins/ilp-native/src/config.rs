//! The configuration: that of every ILP plugin, and what only this one has.

use std::path::PathBuf;

use imle_ilp_model::{ModelConfig, Terms};
use schemars::JsonSchema;
use serde::Deserialize;

/// The configuration of `ilp-native`.
///
/// All keys but `structure` are those of [`imle_ilp_model::Config`], so that the name of the solver is all
/// that changes from one back end to another.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The feasible set, written out here.
    #[serde(default)]
    pub model: Option<ModelConfig>,
    /// The feasible set as a file: LP (`.lp`) or MPS (`.mps`).
    #[serde(default)]
    pub file: Option<PathBuf>,
    /// The variables that theta addresses, in the order of theta; they form the state. Left out: all
    /// binary and integer variables, in the order in which they are declared, or first appear in the file.
    #[serde(default)]
    pub theta: Option<Vec<String>>,
    /// A known linear objective, maximised together with theta. It may name any variable.
    #[serde(default)]
    pub objective: Terms,
    /// Whether the file's own objective is added to the known one, with its sign turned if the file
    /// minimises. Otherwise it is ignored.
    #[serde(default)]
    pub keep_objective: bool,
    /// How far from an integer the engine's value of an integer variable may be; at least 0 and below 0.5.
    #[serde(default = "default_integrality_tolerance")]
    pub integrality_tolerance: f64,
    /// Whether problems with a structure of their own (one cardinality row, an assignment, a shortest path,
    /// one knapsack row) go to an algorithm made for it. Turn it off to measure the general engine.
    #[serde(default = "yes")]
    pub structure: bool,
}

fn default_integrality_tolerance() -> f64 {
    imle_ilp_model::Config::default().integrality_tolerance
}

fn yes() -> bool {
    true
}

impl Default for Config {
    fn default() -> Self {
        imle_ilp_model::Config::default().into()
    }
}

impl From<imle_ilp_model::Config> for Config {
    fn from(config: imle_ilp_model::Config) -> Self {
        Self {
            model: config.model,
            file: config.file,
            theta: config.theta,
            objective: config.objective,
            keep_objective: config.keep_objective,
            integrality_tolerance: config.integrality_tolerance,
            structure: true,
        }
    }
}

impl From<Config> for imle_ilp_model::Config {
    fn from(config: Config) -> Self {
        Self {
            model: config.model,
            file: config.file,
            theta: config.theta,
            objective: config.objective,
            keep_objective: config.keep_objective,
            integrality_tolerance: config.integrality_tolerance,
        }
    }
}
