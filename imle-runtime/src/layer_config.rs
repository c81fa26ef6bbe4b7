//! A whole layer in a configuration file.

use std::fmt;
use std::sync::Arc;

use imle_api::{Error, ErrorKind, Oracle};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::cache::Cache;
use crate::estimators::Estimator;
use crate::fallback::Fallback;
use crate::finite_value::finite_value;
use crate::imle::Imle;
use crate::isolation::{Isolation, word_or_table};
use crate::layer::Layer;
use crate::losses::{Loss, LossLayer};
use crate::pool::{Pool, PoolConfig};
use crate::registry::Registry;
use crate::sampling::Sampling;

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
///     [sampling]
///     samples = 8
///     seed = 7
///     noise = { type = "sum_of_gamma", kappa = 3.0 }
///
///     [estimator]
///     type = "imle"
///     target = { type = "pid", lambda = 10.0 }
/// "#)?;
/// assert_eq!(layer.sampling.samples, 8);
/// let error = LayerConfig::from_toml("[oracle]\nsolver = \"k-subset\"\n[sampling]\nsample = 1").unwrap_err();
/// assert!(error.message().contains("unknown field `sample`"));
/// # Ok::<(), imle_runtime::Error>(())
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LayerConfig {
    /// Who solves.
    pub oracle: OracleConfig,
    /// How theta is read and perturbed.
    #[serde(default)]
    pub sampling: Sampling,
    /// How gradients are estimated; I-MLE with its defaults if not said otherwise.
    #[serde(default = "imle")]
    pub estimator: Arc<dyn Estimator>,
    /// The loss, for layers that are trained by one of [`Loss`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub loss: Option<Arc<dyn Loss>>,
    /// A pool of solutions in front of the solver, which makes both approximate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pool: Option<PoolConfig>,
}

fn imle() -> Arc<dyn Estimator> {
    Arc::new(Imle::default())
}

/// An oracle as a configuration file describes it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OracleConfig {
    /// The name of the solver in the registry.
    pub solver: String,
    /// The solvers that are asked, in order, about rows on which the one before failed; they read the same
    /// `config`. See [`Fallback`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fallback: Vec<String>,
    /// The solver's own configuration; see its schema. Its numbers are finite.
    #[serde(default = "empty", deserialize_with = "finite_value")]
    pub config: Value,
    /// The size of the cache in bytes; 0 for none.
    #[serde(default)]
    pub cache_bytes: usize,
    /// Whether the solvers run in processes of their own, and how: `"process"`, or a table of settings. They
    /// must then be loaded from libraries.
    #[serde(
        default,
        deserialize_with = "word_or_table",
        skip_serializing_if = "Option::is_none"
    )]
    pub isolation: Option<Isolation>,
}

fn empty() -> Value {
    Value::Object(serde_json::Map::new())
}

impl OracleConfig {
    fn open(&self, solver: &str, registry: &Registry) -> Result<Arc<dyn Oracle>, Error> {
        match &self.isolation {
            Some(isolation) => registry.open_isolated(solver, &self.config, isolation),
            None => registry.open(solver, &self.config),
        }
    }

    /// Opens the solvers behind `first`, if there are any.
    fn behind(
        &self,
        first: &Arc<dyn Oracle>,
        registry: &Registry,
    ) -> Result<Option<Arc<Fallback>>, Error> {
        if self.fallback.is_empty() {
            return Ok(None);
        }
        let mut backends = vec![(&self.solver, first.clone())];
        for solver in &self.fallback {
            backends.push((solver, self.open(solver, registry)?));
        }
        Ok(Some(Arc::new(Fallback::new(backends)?)))
    }
}

/// A layer that was opened.
pub struct Opened {
    /// The oracle of the layer and the loss: the one whose states a pool is told of, [`Pool::insert`].
    pub oracle: Arc<dyn Oracle>,
    /// The layer.
    pub layer: Layer,
    /// The loss over the same oracle, if there is one.
    pub loss: Option<LossLayer>,
    /// The solvers behind each other, if there is more than one.
    pub fallback: Option<Arc<Fallback>>,
    /// The cache in front of the solver, if it has one.
    pub cache: Option<Cache>,
    /// The pool of the layer and the loss, if they have one.
    pub pool: Option<Pool>,
}

impl fmt::Debug for Opened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { layer, loss, .. } = self;
        let fields = &mut f.debug_struct("Opened");
        fields.field("layer", layer).field("loss", loss);
        fields.finish_non_exhaustive()
    }
}

impl LayerConfig {
    /// Reads a layer from TOML.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidConfig`] with the place and the key that is wrong.
    pub fn from_toml(text: &str) -> Result<Self, Error> {
        let layer: Self = toml::from_str(text).map_err(invalid)?;
        layer.validate()?;
        Ok(layer)
    }

    /// Reads a layer from JSON.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidConfig`] with the place and the key that is wrong.
    pub fn from_json(text: &str) -> Result<Self, Error> {
        let layer: Self = serde_json::from_str(text).map_err(invalid)?;
        layer.validate()?;
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

    fn validate(&self) -> Result<(), Error> {
        self.sampling.validate()?;
        if let Some(isolation) = &self.oracle.isolation {
            let checked = isolation.validate();
            checked.map_err(|why| why.within("isolation"))?;
        }
        self.estimator
            .validate(&self.sampling)
            .map_err(|why| why.within("estimator"))?;
        if let Some(pool) = &self.pool {
            pool.validate().map_err(|why| why.within("pool"))?;
        }
        match &self.loss {
            None => Ok(()),
            Some(loss) => loss
                .validate(&self.sampling)
                .map_err(|why| why.within("loss")),
        }
    }

    /// Opens the layer with solvers of the registry.
    ///
    /// # Errors
    ///
    /// As [`Registry::open`] or [`Registry::open_isolated`], for every solver that is named, [`Fallback::new`] and [`Layer::new`].
    pub fn open(&self, registry: &Registry) -> Result<Opened, Error> {
        let mut oracle = self.oracle.open(&self.oracle.solver, registry)?;
        let fallback = self.oracle.behind(&oracle, registry)?;
        if let Some(fallback) = &fallback {
            oracle = fallback.clone();
        }
        let cache = (self.oracle.cache_bytes > 0).then(|| Cache::new(self.oracle.cache_bytes));
        if let Some(cache) = &cache {
            oracle = cache.wrap(oracle);
        }
        let loss = |loss: &Arc<dyn Loss>| {
            LossLayer::with_shared(oracle.clone(), loss.clone(), self.sampling.clone())
        };
        let mut loss = self.loss.as_ref().map(loss).transpose()?;
        let (estimator, sampling) = (self.estimator.clone(), self.sampling.clone());
        let mut layer = Layer::with_shared(oracle.clone(), estimator, sampling)?;
        let pool = self.pool.map(Pool::new).transpose()?;
        if let Some(pool) = &pool {
            layer = layer.with_pool(pool.clone());
            loss = loss.map(|loss| loss.with_pool(pool.clone()));
        }
        Ok(Opened {
            oracle,
            layer,
            loss,
            fallback,
            cache,
            pool,
        })
    }
}

fn invalid(why: impl std::fmt::Display) -> Error {
    Error::new(
        ErrorKind::InvalidConfig,
        why.to_string().trim_end().to_owned(),
    )
}
