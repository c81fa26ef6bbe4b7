//! Perturbations of theta. Every draw has an address, so results do not depend on threads or splits.

mod characteristic;
mod gumbel;
mod logistic;
mod normal;
mod quantile_table;
mod sum_of_gamma;

use std::fmt;

use imle_api::{Error, ErrorKind};
use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::{Rng, SeedableRng};
use serde::{Deserialize, Serialize};

use crate::parameters::{NoParameters, without_parameters};

pub use gumbel::Gumbel;
pub use logistic::Logistic;
pub use normal::Normal;
pub use sum_of_gamma::SumOfGamma;

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
    /// Returns the generator of this address: xoshiro256++ (Blackman and Vigna, 2021), whose state of 256 bits
    /// is the address itself, mixed.
    ///
    /// Different addresses have different states, as mixing can be undone, and the states are as good as drawn
    /// at random: sequences of 2^30 words at 2^60 addresses overlap somewhere once in 2^106 times.
    #[must_use]
    #[inline]
    pub fn generator(&self) -> impl Rng + use<> {
        let mut words = [self.seed, self.call, self.row, self.sample];
        for (word, constant) in words.iter_mut().zip(MIX_CONSTANTS) {
            *word ^= constant;
        }
        for _ in 0..MIX_ROUNDS {
            mix(&mut words);
        }
        let mut state = [0; 32];
        for (bytes, word) in state.as_chunks_mut().0.iter_mut().zip(words) {
            *bytes = word.to_le_bytes();
        }
        Xoshiro256PlusPlus::from_seed(state)
    }
}

/// The constants of SipHash: a state is not all zeros, and no two words start alike.
const MIX_CONSTANTS: [u64; 4] = [
    0x736f_6d65_7073_6575,
    0x646f_7261_6e64_6f6d,
    0x6c79_6765_6e65_7261,
    0x7465_6462_7974_6573,
];

/// After 5 rounds every bit of the address turns every bit of the state half of the time, as far as 4000 addresses
/// can tell, and after 4 it does not.
const MIX_ROUNDS: usize = 8;

/// The round of SipHash (Aumasson and Bernstein, 2012): invertible on 256 bits, with four words that fit
/// registers.
#[inline]
fn mix([a, b, c, d]: &mut [u64; 4]) {
    *a = a.wrapping_add(*b);
    *c = c.wrapping_add(*d);
    *b = b.rotate_left(13) ^ *a;
    *d = d.rotate_left(16) ^ *c;
    *a = a.rotate_left(32);
    *c = c.wrapping_add(*b);
    *a = a.wrapping_add(*d);
    *b = b.rotate_left(17) ^ *c;
    *d = d.rotate_left(21) ^ *a;
    *c = c.rotate_left(32);
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

    /// Writes the noise that lives at `address` into `eps`, one value a coordinate. `eps` holds anything before, and is to
    /// be written whole.
    ///
    /// # Errors
    ///
    /// Whatever keeps this row from having noise; the row fails with it.
    fn fill(&self, address: &Address, eps: &mut [f64]) -> Result<(), Error>;

    /// Writes the score of each coordinate, `-d ln p(eps) / d eps` for the density `p`: what score-function
    /// estimators multiply with. Its mean over draws is 0.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Unsupported`] if this noise has no density that is known and differentiable.
    fn score(&self, _eps: &[f64], _score: &mut [f64]) -> Result<(), Error> {
        let message = format!("{self:?} has no score; use gumbel, normal or logistic noise");
        Err(Error::new(ErrorKind::Unsupported, message))
    }

    /// Whether `eps` and `-eps` are equally likely, as antithetic samples need it.
    fn is_symmetric(&self) -> bool {
        false
    }
}

/// Writes the scores of coordinates that are independent and alike.
fn each_score(eps: &[f64], score: &mut [f64], of: impl Fn(f64) -> f64) -> Result<(), Error> {
    score
        .iter_mut()
        .zip(eps)
        .for_each(|(score, &eps)| *score = of(eps));
    Ok(())
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

    fn is_symmetric(&self) -> bool {
        true
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
