//! What a user writes: the feasible set, what theta addresses, and the known part of the objective.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Deserialize;
use serde::de::{self, MapAccess, Visitor};

use crate::Kind;

/// The configuration that every ILP plugin reads.
///
/// Exactly one of `model` and `file` describes the feasible set.
///
/// ```
/// let config = r#"{
///     "model": {
///         "variables": [
///             {"name": "x", "kind": "binary"},
///             {"name": "n", "kind": "integer", "lower": -2, "upper": 3},
///             {"name": "slack", "kind": "continuous"}
///         ],
///         "rows": [
///             {"name": "budget", "terms": {"x": 2, "n": 1, "slack": -1}, "sense": "<=", "rhs": 4}
///         ]
///     },
///     "theta": ["x", "n"],
///     "objective": {"slack": -0.5}
/// }"#;
/// let problem = imle_ilp_model::Problem::new(imle_api::read_config(config)?)?;
/// assert_eq!(problem.facts().dim, 2);
/// # Ok::<(), imle_api::Error>(())
/// ```
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("examples" = [
    {"model": {"binaries": 4, "rows": [{"terms": {"x0": 2.0, "x1": 3.0, "x2": 1.0, "x3": 2.0}, "sense": "<=", "rhs": 4.0}]}}
]))]
pub struct Config {
    /// The feasible set, written out here.
    #[serde(default)]
    pub model: Option<ModelConfig>,
    /// The feasible set as a file: LP (`.lp`) or MPS (`.mps`). A relative path starts at the working
    /// directory of the process.
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
    /// Whether a back end may send a feasible set that it recognises (one cardinality row, an assignment, a
    /// shortest path, one knapsack row) to an algorithm made for it. Only `ilp-native` recognises any; turn
    /// it off to measure its general engine.
    #[serde(default = "default_structure")]
    pub structure: bool,
}

fn default_integrality_tolerance() -> f64 {
    1e-6
}

fn default_structure() -> bool {
    true
}

/// Nothing but the defaults; a model or a file is still to be named.
impl Default for Config {
    fn default() -> Self {
        Self {
            model: None,
            file: None,
            theta: None,
            objective: Terms::default(),
            keep_objective: false,
            integrality_tolerance: default_integrality_tolerance(),
            structure: default_structure(),
        }
    }
}

/// A feasible set written out: variables and linear rows.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ModelConfig {
    /// This many binary variables named `x0`, `x1`, ..., declared before `variables`; at most 2^20.
    #[serde(default)]
    pub binaries: usize,
    /// The variables. Their names are unique.
    #[serde(default)]
    pub variables: Vec<VariableConfig>,
    /// The rows that a point of the feasible set satisfies.
    #[serde(default)]
    pub rows: Vec<RowConfig>,
}

/// One variable.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct VariableConfig {
    /// The name by which rows, `theta` and `objective` refer to it.
    pub name: String,
    /// Which values it takes.
    pub kind: Kind,
    /// The smallest value; 0 if left out.
    #[serde(default)]
    pub lower: Option<Bound>,
    /// The largest value. If left out, 1 for a binary variable and no bound for the others.
    #[serde(default)]
    pub upper: Option<Bound>,
}

/// A number, or `"inf"` or `"-inf"` for no bound. A magnitude of 1e20 or more is no bound either.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(untagged, expecting = "expected a number, \"inf\" or \"-inf\"")]
pub enum Bound {
    /// A bound.
    Number(f64),
    /// No bound.
    Infinite(Infinity),
}

/// No bound, on either side.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
pub enum Infinity {
    /// No upper bound.
    #[serde(rename = "inf")]
    Positive,
    /// No lower bound.
    #[serde(rename = "-inf")]
    Negative,
}

impl Bound {
    /// Returns the bound as a number, infinite where there is none.
    #[must_use]
    pub fn value(self) -> f64 {
        match self {
            Self::Number(value) => value,
            Self::Infinite(Infinity::Positive) => f64::INFINITY,
            Self::Infinite(Infinity::Negative) => f64::NEG_INFINITY,
        }
    }
}

/// One linear row: `terms sense rhs`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RowConfig {
    /// The name that errors use; `row 1`, `row 2`, ... if left out.
    #[serde(default)]
    pub name: Option<String>,
    /// The coefficient of each variable.
    pub terms: Terms,
    /// How the sum of the terms compares with `rhs`.
    pub sense: Sense,
    /// The number on the right-hand side.
    pub rhs: f64,
}

/// How a row compares with its right-hand side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
pub enum Sense {
    /// At most.
    #[serde(rename = "<=")]
    Le,
    /// At least.
    #[serde(rename = ">=")]
    Ge,
    /// Equal.
    #[serde(rename = "=", alias = "==")]
    Eq,
}

impl Sense {
    /// The interval of values that a row of this sense allows.
    pub(crate) fn interval(self, rhs: f64) -> (f64, f64) {
        match self {
            Self::Le => (f64::NEG_INFINITY, rhs),
            Self::Ge => (rhs, f64::INFINITY),
            Self::Eq => (rhs, rhs),
        }
    }
}

/// A coefficient for each of some variables: a map from names to numbers.
#[derive(Clone, Debug, Default, JsonSchema)]
#[schemars(with = "BTreeMap<String, f64>")]
pub struct Terms(pub Vec<(String, f64)>);

// A plain map would keep the last of two equal names without a word.
impl<'de> Deserialize<'de> for Terms {
    fn deserialize<D: de::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries;
        impl<'de> Visitor<'de> for Entries {
            type Value = Terms;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map from variable names to numbers")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Terms, A::Error> {
                let mut terms = Vec::new();
                let mut seen = std::collections::HashSet::new();
                while let Some((name, coefficient)) = map.next_entry::<String, f64>()? {
                    if !seen.insert(name.clone()) {
                        let message = format!("variable `{name}` appears twice");
                        return Err(de::Error::custom(message));
                    }
                    terms.push((name, coefficient));
                }
                Ok(Terms(terms))
            }
        }
        deserializer.deserialize_map(Entries)
    }
}
