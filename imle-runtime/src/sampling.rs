//! How theta is read and perturbed: plain data with defaults, the same in a program and in a file.

use std::sync::Arc;

use imle_api::{Error, ErrorKind};
use serde::{Deserialize, Serialize};

use crate::noise::{Gumbel, Noise};
use crate::temperature::Temperature;

/// More threads than this are a typing mistake: starting them alone takes seconds.
const MOST_THREADS: usize = 1024;

/// What every estimator and every loss has in common: the sense of theta, the noise and the threads.
///
/// ```
/// use imle_runtime::{Sampling, SumOfGamma};
/// use std::sync::Arc;
///
/// let sampling = Sampling {
///     samples: 4,
///     noise: Arc::new(SumOfGamma { kappa: 3.0, terms: Some(10) }),
///     ..Sampling::default()
/// };
/// assert_eq!(sampling.tau, 1.0.into());
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Sampling {
    /// Whether theta is a reward to maximise or a cost to minimise.
    pub sense: Sense,
    /// The number of samples of each row; at least 1.
    pub samples: usize,
    /// The seed of the noise.
    pub seed: u64,
    /// The temperature of the noise.
    pub tau: Temperature,
    /// The distribution of the noise.
    pub noise: Arc<dyn Noise>,
    /// Whether sample `2 i + 1` has the negated noise of sample `2 i`: fewer samples for the same variance
    /// where the loss is nearly linear in the noise. Only for symmetric noise.
    pub antithetic: bool,
    /// The number of threads, with the one that calls; 0 for all cores. Results do not depend on it.
    pub threads: usize,
}

impl Default for Sampling {
    fn default() -> Self {
        Self {
            sense: Sense::Maximize,
            samples: 1,
            seed: 0,
            tau: Temperature::Fixed(1.0),
            noise: Arc::new(Gumbel),
            antithetic: false,
            threads: 0,
        }
    }
}

impl Sampling {
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
        self.tau.validate("tau")?;
        self.noise.validate().map_err(|why| why.within("noise"))?;
        if self.antithetic && !self.noise.is_symmetric() {
            return invalid(format!(
                "antithetic samples need symmetric noise, and {:?} is not; use normal or logistic noise",
                self.noise
            ));
        }
        Ok(())
    }
}

/// Checks that a setting is a number from 0 up.
pub(crate) fn not_negative(name: &str, value: f64) -> Result<(), Error> {
    if value.is_finite() && value >= 0.0 {
        return Ok(());
    }
    let message = format!("{name} = {value} is not a number from 0 up");
    Err(Error::new(ErrorKind::InvalidConfig, message))
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
