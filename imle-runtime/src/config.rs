//! The settings of a layer: plain data with defaults, the same in a program and in a file.

use std::sync::Arc;

use imle_api::{Error, ErrorKind};
use serde::{Deserialize, Serialize};

use crate::noise::{Gumbel, Noise};
use crate::target::{RelativePid, Target};

/// More threads than this are a typing mistake: starting them alone takes seconds.
const MOST_THREADS: usize = 1024;

/// The settings of an [`Imle`](crate::Imle) layer.
///
/// ```
/// use imle_runtime::{ImleConfig, SumOfGamma};
/// use std::sync::Arc;
///
/// let config = ImleConfig {
///     samples: 4,
///     noise: Arc::new(SumOfGamma { kappa: 3.0, terms: Some(10) }),
///     ..ImleConfig::default()
/// };
/// assert_eq!(config.tau, 1.0);
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ImleConfig {
    /// Whether theta is a reward to maximise or a cost to minimise.
    pub sense: Sense,
    /// The number of samples of each row; at least 1.
    pub samples: usize,
    /// The seed of the noise.
    pub seed: u64,
    /// The temperature of the noise.
    pub tau: f64,
    /// The temperature on the target side, if it is another one. The raw noise is the same.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tau_target: Option<f64>,
    /// The distribution of the noise.
    pub noise: Arc<dyn Noise>,
    /// The target distribution.
    pub target: Arc<dyn Target>,
    /// On which sides of theta the gradient looks.
    pub difference: Difference,
    /// Whether the gradient is divided by lambda, as a derivative is (Eq. 12). The paper's Algorithm 1
    /// leaves it to the learning rate.
    pub divide_by_lambda: bool,
    /// The number of threads; 0 for all cores. Results do not depend on it.
    pub threads: usize,
}

impl Default for ImleConfig {
    fn default() -> Self {
        Self {
            sense: Sense::Maximize,
            samples: 1,
            seed: 0,
            tau: 1.0,
            tau_target: None,
            noise: Arc::new(Gumbel),
            target: Arc::new(RelativePid::new(1.0)),
            difference: Difference::OneSided,
            divide_by_lambda: false,
            threads: 0,
        }
    }
}

impl ImleConfig {
    pub(crate) fn validate(&self) -> Result<(), Error> {
        let invalid = |message: String| Err(Error::new(ErrorKind::InvalidConfig, message));
        if self.samples == 0 {
            return invalid("samples = 0; use at least 1".to_owned());
        }
        if self.threads > MOST_THREADS {
            let threads = self.threads;
            return invalid(format!(
                "threads = {threads} is more than {MOST_THREADS}; 0 uses all cores"
            ));
        }
        for (name, tau) in [
            ("tau", self.tau),
            ("tau_target", self.tau_target.unwrap_or(0.0)),
        ] {
            if !(tau.is_finite() && tau >= 0.0) {
                return invalid(format!("{name} = {tau} is not a number from 0 up"));
            }
        }
        self.noise.validate().map_err(|why| why.within("noise"))?;
        self.target.validate().map_err(|why| why.within("target"))
    }
}

/// What theta means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Sense {
    /// Theta is a reward: states maximise `<z, theta>`.
    #[default]
    Maximize,
    /// Theta is a cost: states minimise `<z, theta>`. Noise, target and gradient follow.
    Minimize,
}

impl Sense {
    /// Turns costs into rewards, and a gradient in rewards into one in costs.
    pub(crate) fn flip(self, values: &mut [f64]) {
        if self == Self::Minimize {
            // Not `-value`, which makes a zero negative.
            values.iter_mut().for_each(|value| *value = 0.0 - *value);
        }
    }
}

/// On which sides of theta the gradient looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Difference {
    /// `z - MAP(theta - lambda grad_z + tau eps)`, as in the paper: one more solve a sample.
    #[default]
    OneSided,
    /// `(MAP(theta + lambda grad_z + tau eps) - MAP(theta - lambda grad_z + tau eps)) / 2`: two more
    /// solves. With a large lambda both sides saturate and the gradient forgets theta: keep it small.
    Central,
}
