//! The law of the contract as a test that a plugin runs on itself.
//!
//! A plugin author lists small configurations with all of their states; [`Check::run`] then looks for a
//! theta that shows a broken promise. [`Check::run_on`] does the same to anything that opens oracles: a
//! loaded library, a wrapper.

mod case;
mod explore;
mod marginals;
mod property;

use std::fmt;
use std::sync::Arc;

use serde_json::Value;

use crate::{Error, Linked, Oracle, Solver};

pub use property::Property;

/// Configurations with known states, and configurations that must be refused.
///
/// What is checked, one [`Property`] after the other: facts that hold for every state; feasibility and
/// optimality against enumeration; nothing written next to the states or to theta; ties; the radius and the
/// bound, where given; one outcome for each row; results that depend on nothing but theta (order, splitting,
/// workspace history, threads); refusal of unknown keys and of the configurations named by
/// [`refuses`](Self::refuses); marginals and log-partition against enumeration, if the solver has them.
///
/// ```
/// use imle_api::conformance::{Check, binary_vectors};
/// # use imle_api::{Error, Facts, Limits, Proof, Solver};
/// # #[derive(serde::Deserialize, schemars::JsonSchema)]
/// # #[serde(deny_unknown_fields)]
/// # struct Config { dim: usize }
/// # struct OneHot { dim: usize }
/// # impl Solver for OneHot {
/// #     const NAME: &'static str = "one-hot";
/// #     const SUMMARY: &'static str = "the largest coordinate";
/// #     type Config = Config;
/// #     type Workspace = ();
/// #     fn new(config: Config) -> Result<Self, Error> {
/// #         if config.dim == 0 {
/// #             return Err(Error::new(imle_api::ErrorKind::InvalidConfig, "dim must be at least 1"));
/// #         }
/// #         Ok(Self { dim: config.dim })
/// #     }
/// #     fn facts(&self) -> Facts { Facts::binary(self.dim).with_ones(1) }
/// #     fn solve(&self, _: &mut (), theta: &[f64], z: &mut [f64], _: &Limits<'_>) -> Result<Proof, Error> {
/// #         let best = (1..self.dim).fold(0, |best, i| if theta[i] > theta[best] { i } else { best });
/// #         z.fill(0.0);
/// #         z[best] = 1.0;
/// #         Ok(Proof::NONE)
/// #     }
/// # }
/// let one_hot = |dim| binary_vectors(dim, |z| z.iter().sum::<f64>() == 1.0);
/// Check::new()
///     .case(serde_json::json!({"dim": 1}), one_hot(1))
///     .case(serde_json::json!({"dim": 6}), one_hot(6))
///     .refuses(serde_json::json!({"dim": 0}))
///     .run::<OneHot>()
///     .unwrap();
/// ```
#[derive(Clone, Debug)]
pub struct Check {
    /// Configurations with their states, if those are known.
    cases: Vec<(Value, Option<Vec<Vec<f64>>>)>,
    refused: Vec<Value>,
    rows: usize,
    seed: u64,
}

impl Default for Check {
    fn default() -> Self {
        Self::new()
    }
}

impl Check {
    /// No case yet, 200 rows of theta for each, seed 0.
    #[must_use]
    pub fn new() -> Self {
        Self {
            cases: Vec::new(),
            refused: Vec::new(),
            rows: 200,
            seed: 0,
        }
    }

    /// Adds a configuration and *all* states of its feasible set.
    ///
    /// Of states that differ in nothing that theta can tell apart, one is enough.
    #[must_use]
    pub fn case(mut self, config: Value, states: Vec<Vec<f64>>) -> Self {
        self.cases.push((config, Some(states)));
        self
    }

    /// Adds a configuration whose states nobody lists: the solver itself is asked for them.
    ///
    /// Of an instance over at most 12 zeros and ones that takes any theta, every vector `v` is asked for by
    /// `theta = 2 v - 1`, whose only maximiser it is if it is a state. Those that come back are the feasible set by
    /// the solver's own account, and it is held to that. Of other instances the states that come back for many
    /// thetas are collected: a state is then wrong if a collected one has a larger `<z, theta>`, and marginals
    /// are not compared.
    ///
    /// The objective of the instance must be `<z, theta>` alone, without a known part.
    ///
    /// ```
    /// use imle_api::conformance::{Check, Property};
    /// use imle_api::{Facts, FnOracle};
    /// use std::sync::Arc;
    ///
    /// // Promises the largest coordinate and never looks at the last one.
    /// let forgetful = || FnOracle::new(Facts::binary(3), |theta, z| {
    ///     z.fill(0.0);
    ///     z[if theta[1] > theta[0] { 1 } else { 0 }] = 1.0;
    ///     if theta[2] >= 1.0 && theta[0] < 0.0 && theta[1] < 0.0 { z.copy_from_slice(&[0.0, 0.0, 1.0]); }
    ///     Ok(())
    /// });
    /// let failure = Check::new()
    ///     .explore(serde_json::json!([3]))
    ///     .test(Property::Optimality, |_| Ok(Arc::new(forgetful())))
    ///     .unwrap_err();
    /// assert_eq!(failure.property(), "optimality");
    /// ```
    #[must_use]
    pub fn explore(mut self, config: Value) -> Self {
        self.cases.push((config, None));
        self
    }

    /// Adds a configuration that must be refused with a sentence.
    #[must_use]
    pub fn refuses(mut self, config: Value) -> Self {
        self.refused.push(config);
        self
    }

    /// Sets how many rows of theta are tried on each case.
    #[must_use]
    pub fn rows(mut self, rows: usize) -> Self {
        self.rows = rows;
        self
    }

    /// Sets the seed of the thetas.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Checks a solver that is linked into this program.
    ///
    /// # Errors
    ///
    /// The first broken promise, with the evidence.
    pub fn run<S: Solver>(&self) -> Result<(), Failure> {
        self.run_on(|config| Ok(Arc::new(Linked::<S>::open(&config.to_string())?)))
    }

    /// Checks whatever `open` makes of a configuration.
    ///
    /// # Errors
    ///
    /// The first broken promise, with the evidence.
    pub fn run_on(
        &self,
        open: impl Fn(&Value) -> Result<Arc<dyn Oracle>, Error>,
    ) -> Result<(), Failure> {
        let mut properties = Property::ALL.into_iter();
        properties.try_for_each(|property| self.test(property, &open))
    }

    /// Checks one property of whatever `open` makes of a configuration.
    ///
    /// # Errors
    ///
    /// The first broken promise, with the evidence.
    pub fn test(
        &self,
        property: Property,
        open: impl Fn(&Value) -> Result<Arc<dyn Oracle>, Error>,
    ) -> Result<(), Failure> {
        property.test(self, &open)
    }
}

/// Every vector of zeros and ones of length `dim` for which `keep` holds: states for a [`Check`].
///
/// ```
/// let pairs = imle_api::conformance::binary_vectors(3, |z| z.iter().sum::<f64>() == 2.0);
/// assert_eq!(pairs, [[1.0, 1.0, 0.0], [1.0, 0.0, 1.0], [0.0, 1.0, 1.0]]);
/// ```
///
/// # Panics
///
/// If `dim` is above 24: enumeration is for small sets.
#[must_use]
pub fn binary_vectors(dim: usize, keep: impl Fn(&[f64]) -> bool) -> Vec<Vec<f64>> {
    assert!(dim <= 24, "2^{dim} vectors are too many to enumerate");
    let vector = |bits: u32| {
        (0..dim)
            .map(move |i| f64::from(bits >> i & 1))
            .collect::<Vec<f64>>()
    };
    (0..1u32 << dim).map(vector).filter(|z| keep(z)).collect()
}

/// A broken promise and the evidence for it.
#[derive(Clone)]
pub struct Failure {
    property: &'static str,
    config: String,
    evidence: String,
}

impl Failure {
    fn new(property: &'static str, config: &Value, evidence: impl Into<String>) -> Self {
        Self {
            property,
            config: config.to_string(),
            evidence: evidence.into(),
        }
    }

    /// Names what does not hold.
    #[must_use]
    pub fn property(&self) -> &'static str {
        self.property
    }

    /// The configuration for which it does not, as JSON.
    #[must_use]
    pub fn config(&self) -> &str {
        &self.config
    }

    /// What was seen: the theta, what came back, and what would have been right.
    #[must_use]
    pub fn evidence(&self) -> &str {
        &self.evidence
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            property,
            config,
            evidence,
        } = self;
        write!(f, "{property} fails for {config}: {evidence}")
    }
}

// So that `unwrap` in a test prints the sentence.
impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for Failure {}
