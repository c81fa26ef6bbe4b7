//! Perturbations of theta. Every draw has an address, so results do not depend on threads or splits.

use std::fmt;

use imle_api::{Error, ErrorKind};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use rand_distr::{Distribution, Gamma, StandardNormal};
use serde::{Deserialize, Serialize};

use crate::parameters::{NoParameters, without_parameters};

/// Where a row of noise lives: the same address always holds the same noise.
///
/// ```
/// use imle_runtime::{Address, Gumbel, Noise};
///
/// let address = Address { seed: 7, call: 0, row: 3, sample: 1 };
/// let (mut once, mut again) = ([0.0; 4], [0.0; 4]);
/// Gumbel.fill(&address, &mut once)?;
/// Gumbel.fill(&address, &mut again)?;
/// assert_eq!(once, again);
/// # Ok::<(), imle_runtime::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Address {
    /// The seed of the estimator.
    pub seed: u64,
    /// The number of the call: the training step, usually.
    pub call: u64,
    /// The row of theta in that call.
    pub row: u64,
    /// The sample of that row.
    pub sample: u64,
}

impl Address {
    /// Returns the generator of this address: ChaCha with 8 rounds, keyed by the address itself.
    #[must_use]
    pub fn generator(&self) -> impl Rng + use<> {
        let mut key = [0; 32];
        let words = [self.seed, self.call, self.row, self.sample];
        for (bytes, word) in key.chunks_exact_mut(8).zip(words) {
            bytes.copy_from_slice(&word.to_le_bytes());
        }
        ChaCha8Rng::from_seed(key)
    }
}

/// A distribution of perturbations, at unit temperature.
///
/// An open set: implement it, mark the implementation with `#[typetag::serde(name = "...")]`, and a
/// configuration file can name it by `type`.
#[typetag::serde(tag = "type")]
pub trait Noise: fmt::Debug + Send + Sync {
    /// Checks the parameters.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidConfig`] with the offending value.
    fn validate(&self) -> Result<(), Error> {
        Ok(())
    }

    /// Writes the noise that lives at `address` into `eps`, one value a coordinate.
    ///
    /// # Errors
    ///
    /// Whatever keeps this row from having noise; the row fails with it.
    fn fill(&self, address: &Address, eps: &mut [f64]) -> Result<(), Error>;
}

/// No noise: `MAP(theta)`. With one sample, I-MLE is then the rule of Pogancic et al. (2020).
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(from = "NoParameters", into = "NoParameters")]
pub struct NoNoise;
without_parameters!(NoNoise);

#[typetag::serde(name = "none")]
impl Noise for NoNoise {
    fn fill(&self, _: &Address, eps: &mut [f64]) -> Result<(), Error> {
        eps.fill(0.0);
        Ok(())
    }
}

/// Gumbel(0, 1): `-ln(-ln u)`; mean 0.5772, variance pi^2 / 6 (Papandreou and Yuille, 2011).
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(from = "NoParameters", into = "NoParameters")]
pub struct Gumbel;
without_parameters!(Gumbel);

impl Gumbel {
    /// Returns the value below which a share `u` of the draws lies.
    ///
    /// ```
    /// assert!((imle_runtime::Gumbel::quantile(0.5) - 0.366_512_920_581_664_35).abs() < 1e-15);
    /// ```
    #[must_use]
    pub fn quantile(u: f64) -> f64 {
        -(-u.ln()).ln()
    }
}

#[typetag::serde(name = "gumbel")]
impl Noise for Gumbel {
    fn fill(&self, address: &Address, eps: &mut [f64]) -> Result<(), Error> {
        let mut generator = address.generator();
        eps.fill_with(|| Self::quantile(open_uniform(&mut generator)));
        Ok(())
    }
}

/// The standard normal distribution.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(from = "NoParameters", into = "NoParameters")]
pub struct Normal;
without_parameters!(Normal);

#[typetag::serde(name = "normal")]
impl Noise for Normal {
    fn fill(&self, address: &Address, eps: &mut [f64]) -> Result<(), Error> {
        let mut generator = address.generator();
        eps.fill_with(|| StandardNormal.sample(&mut generator));
        Ok(())
    }
}

/// Sum-of-Gamma noise, Eq. 13 of the I-MLE paper at `tau = 1`:
/// `(sum over i = 1..s of G_i - ln s) / kappa` with `G_i ~ Gamma(shape 1 / kappa, scale kappa / i)`.
///
/// The sum of `kappa` independent draws tends to Gumbel(0, 1) as `terms` grows: the noise to use where
/// every state has `kappa` ones. With 10 terms, as in the paper, that sum has mean 0.626, not 0.577.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SumOfGamma {
    /// The number of ones in a state; any positive real number.
    pub kappa: f64,
    /// The number of terms `s` of the sum; 10 in the paper.
    #[serde(default = "SumOfGamma::ten_terms")]
    pub terms: u32,
}

impl SumOfGamma {
    fn ten_terms() -> u32 {
        10
    }

    /// Puts a value together from its Gamma draws, which are summed already.
    ///
    /// ```
    /// let noise = imle_runtime::SumOfGamma { kappa: 5.0, terms: 3 };
    /// assert!((2.0 * noise.assemble(0.625) + 0.189_444_915_467_243_94).abs() < 1e-12);
    /// ```
    #[must_use]
    pub fn assemble(&self, sum_of_draws: f64) -> f64 {
        (sum_of_draws - f64::from(self.terms).ln()) / self.kappa
    }

    /// Returns the mean, `(H_s - ln s) / kappa`.
    #[must_use]
    pub fn mean(&self) -> f64 {
        let harmonic: f64 = (1..=self.terms).map(|i| 1.0 / f64::from(i)).sum();
        self.assemble(harmonic)
    }

    /// Returns the variance, `(sum of 1 / i^2) / kappa`.
    #[must_use]
    pub fn variance(&self) -> f64 {
        let squares: f64 = (1..=self.terms).map(|i| f64::from(i).powi(-2)).sum();
        squares / self.kappa
    }

    /// Returns the value that no draw is below, `-ln(s) / kappa`.
    #[must_use]
    pub fn lower_bound(&self) -> f64 {
        self.assemble(0.0)
    }
}

#[typetag::serde(name = "sum_of_gamma")]
impl Noise for SumOfGamma {
    fn validate(&self) -> Result<(), Error> {
        if !(self.kappa.is_finite() && self.kappa > 0.0) {
            let message = format!("kappa = {} is not a positive number", self.kappa);
            return Err(Error::new(ErrorKind::InvalidConfig, message));
        }
        if self.terms == 0 {
            return Err(Error::new(
                ErrorKind::InvalidConfig,
                "terms = 0; use at least 1",
            ));
        }
        Ok(())
    }

    fn fill(&self, address: &Address, eps: &mut [f64]) -> Result<(), Error> {
        // Scale, not rate: Gamma(1 / kappa, scale kappa / i) is kappa / i times a draw of unit scale.
        let unit = Gamma::new(1.0 / self.kappa, 1.0).map_err(|why| {
            Error::new(
                ErrorKind::InvalidConfig,
                format!("kappa = {}: {why}", self.kappa),
            )
        })?;
        let mut generator = address.generator();
        eps.fill_with(|| {
            let scaled = |i| self.kappa / f64::from(i) * unit.sample(&mut generator);
            self.assemble((1..=self.terms).map(scaled).sum())
        });
        Ok(())
    }
}

/// Noise that was drawn elsewhere, for replaying a recorded case.
///
/// The seed and the number of the call are ignored: every call gets the same noise.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Replay {
    /// `[rows][samples][dim]`.
    pub eps: Vec<Vec<Vec<f64>>>,
}

#[typetag::serde(name = "replay")]
impl Noise for Replay {
    fn validate(&self) -> Result<(), Error> {
        let mut values = self.eps.iter().flatten().flatten();
        if let Some(value) = values.find(|value| !value.is_finite()) {
            let message = format!("replayed noise has the value {value}");
            return Err(Error::new(ErrorKind::InvalidConfig, message));
        }
        Ok(())
    }

    fn fill(&self, address: &Address, eps: &mut [f64]) -> Result<(), Error> {
        let Address { row, sample, .. } = *address;
        let recorded = usize::try_from(row).ok().and_then(|row| self.eps.get(row));
        let recorded = recorded.and_then(|row| row.get(usize::try_from(sample).ok()?));
        match recorded {
            Some(recorded) if recorded.len() == eps.len() => {
                eps.copy_from_slice(recorded);
                Ok(())
            }
            Some(recorded) => {
                let (have, need) = (recorded.len(), eps.len());
                let message = format!(
                    "replayed noise of row {row}, sample {sample} has {have} values for dim = {need}"
                );
                Err(Error::new(ErrorKind::InvalidInput, message))
            }
            None => {
                let message = format!("no noise was recorded for row {row}, sample {sample}");
                Err(Error::new(ErrorKind::InvalidInput, message))
            }
        }
    }
}

/// A uniform number strictly between 0 and 1, so that logarithms of it and of its logarithm are finite.
fn open_uniform(generator: &mut impl Rng) -> f64 {
    // 52 bits and a half: the largest value is 1 - 2^-53, the smallest 2^-53.
    const SCALE: f64 = 1.0 / (1u64 << 52) as f64;
    ((generator.next_u64() >> 12) as f64 + 0.5) * SCALE
}
