//! A whole layer in a configuration file.

use std::sync::Arc;

use imle_api::{Error, ErrorKind, Oracle};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::cache::Cache;
use crate::config::ImleConfig;
use crate::imle::Imle;
use crate::registry::Registry;

/// A layer as a configuration file describes it.
///
/// ```
/// use imle_runtime::LayerConfig;
///
/// let layer = LayerConfig::from_toml(r#"
///     [oracle]
///     solver = "k-subset"
///     config = { dim = 10, k = 3 }
///     cache_bytes = 16_777_216
///
///     [imle]
///     samples = 8
///     seed = 7
///     noise = { type = "sum_of_gamma", kappa = 3.0 }
///     target = { type = "pid", lambda = 10.0 }
/// "#)?;
/// assert_eq!(layer.imle.samples, 8);
/// let error = LayerConfig::from_toml("[oracle]\nsolver = \"k-subset\"\n[imle]\nlamda = 1").unwrap_err();
/// assert!(error.message().contains("unknown field `lamda`"));
/// # Ok::<(), imle_runtime::Error>(())
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LayerConfig {
    /// Who solves.
    pub oracle: OracleConfig,
    /// How states are sampled and gradients estimated.
    #[serde(default)]
    pub imle: ImleConfig,
}

/// An oracle as a configuration file describes it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OracleConfig {
    /// The name of the solver in the registry.
    pub solver: String,
    /// The solver's own configuration; see its schema.
    #[serde(default = "empty")]
    pub config: Value,
    /// The size of the cache in bytes; 0 for none.
    #[serde(default)]
    pub cache_bytes: usize,
}

fn empty() -> Value {
    Value::Object(serde_json::Map::new())
}

/// A layer that was opened, and its cache if it has one.
#[derive(Debug)]
pub struct Layer {
    /// The layer.
    pub imle: Imle,
    /// The cache in front of the solver.
    pub cache: Option<Cache>,
}

impl LayerConfig {
    /// Reads a layer from TOML.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidConfig`] with the place and the key that is wrong.
    pub fn from_toml(text: &str) -> Result<Self, Error> {
        let layer: Self = toml::from_str(text).map_err(invalid)?;
        layer.imle.validate()?;
        Ok(layer)
    }

    /// Reads a layer from JSON.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidConfig`] with the place and the key that is wrong.
    pub fn from_json(text: &str) -> Result<Self, Error> {
        let layer: Self = serde_json::from_str(text).map_err(invalid)?;
        layer.imle.validate()?;
        Ok(layer)
    }

    /// Writes the layer as TOML.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidConfig`] if TOML cannot hold a value: a null, or an integer above 2^63.
    pub fn to_toml(&self) -> Result<String, Error> {
        toml::to_string_pretty(self).map_err(invalid)
    }

    /// Writes the layer as JSON.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidConfig`] if JSON cannot hold a value.
    pub fn to_json(&self) -> Result<String, Error> {
        serde_json::to_string_pretty(self).map_err(invalid)
    }

    /// Opens the layer with a solver of the registry.
    ///
    /// # Errors
    ///
    /// As [`Registry::open`] and [`Imle::new`].
    pub fn open(&self, registry: &Registry) -> Result<Layer, Error> {
        let mut oracle: Arc<dyn Oracle> =
            registry.open(&self.oracle.solver, &self.oracle.config)?;
        let cache = (self.oracle.cache_bytes > 0).then(|| Cache::new(self.oracle.cache_bytes));
        if let Some(cache) = &cache {
            oracle = cache.wrap(oracle);
        }
        Ok(Layer {
            imle: Imle::new(oracle, self.imle.clone())?,
            cache,
        })
    }
}

fn invalid(why: impl std::fmt::Display) -> Error {
    Error::new(
        ErrorKind::InvalidConfig,
        why.to_string().trim_end().to_owned(),
    )
}
