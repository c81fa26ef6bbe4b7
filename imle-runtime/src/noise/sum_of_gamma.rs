//! Sum-of-Gamma noise: the paper's sum and its limit.

use std::cell::Cell;
use std::collections::HashMap;
use std::f64::consts::{LN_2, PI};
use std::ops::RangeInclusive;
use std::sync::{LazyLock, Mutex, PoisonError};

use imle_api::{Error, ErrorKind};
use serde::{Deserialize, Serialize};

use super::characteristic::GammaSum;
use super::quantile_table::{QuantileTable, Tail};
use super::{Address, Noise};

/// Beyond, integrals take minutes and find no table.
const KAPPAS: RangeInclusive<f64> = 1e-5..=1e7;

/// The mean of Gumbel(0, 1).
const EULER_GAMMA: f64 = 0.577_215_664_901_532_9;

/// Sum-of-Gamma noise: the distribution whose sum of `kappa` independent draws is Gumbel(0, 1). It is the noise
/// to use where every state has `kappa` ones (Lemma 1 and Theorem 1 of the I-MLE paper).
///
/// By default it is the limit itself, with characteristic function `Gamma(1 - i t)^(1 / kappa)`. With
/// `terms = s` it is the paper's truncation, Eq. 13 at `tau = 1`:
/// `(sum over i = 1..s of G_i - ln s) / kappa` with `G_i ~ Gamma(shape 1 / kappa, scale kappa / i)`.
/// The paper has 10 terms, and then the sum of `kappa` draws has mean 0.626, not 0.577.
///
/// Draws are read from a table of the quantile function: the share of draws below any value is right to 1e-6
/// of itself, in both tails, down to 2^-64. The first layer or draw with a `kappa` and a number of terms makes that
/// table, in some 30 to 100 ms; the process keeps its 64 KiB from then on.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SumOfGamma {
    /// The number of ones in a state; any real number from 1e-5 to 1e7.
    pub kappa: f64,
    /// The number of terms `s` of the sum, 10 in the paper; `None` for the limit of more and more terms.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub terms: Option<u32>,
}

impl SumOfGamma {
    /// Puts a value together from its Gamma draws, which are summed already. Has no meaning for the limit,
    /// which is not such a sum: then nothing is subtracted.
    ///
    /// ```
    /// let noise = imle_runtime::SumOfGamma { kappa: 5.0, terms: Some(3) };
    /// assert!((2.0 * noise.assemble(0.625) + 0.189_444_915_467_243_94).abs() < 1e-12);
    /// ```
    #[must_use]
    pub fn assemble(&self, sum_of_draws: f64) -> f64 {
        let offset = self.terms.map_or(0.0, |terms| f64::from(terms).ln());
        (sum_of_draws - offset) / self.kappa
    }

    /// Returns the mean, `(H_s - ln s) / kappa`; of the limit, Euler's `gamma / kappa`.
    #[must_use]
    pub fn mean(&self) -> f64 {
        match self.terms {
            Some(terms) => self.assemble((1..=terms).map(|i| 1.0 / f64::from(i)).sum()),
            None => EULER_GAMMA / self.kappa,
        }
    }

    /// Returns the variance, `(sum of 1 / i^2) / kappa`; of the limit, `pi^2 / (6 kappa)`.
    #[must_use]
    pub fn variance(&self) -> f64 {
        let squares = match self.terms {
            Some(terms) => (1..=terms).map(|i| f64::from(i).powi(-2)).sum(),
            None => PI * PI / 6.0,
        };
        squares / self.kappa
    }

    /// Returns the value that no draw is below: `-ln(s) / kappa`, or minus infinity for the limit.
    #[must_use]
    pub fn lower_bound(&self) -> f64 {
        match self.terms {
            Some(_) => self.assemble(0.0),
            None => f64::NEG_INFINITY,
        }
    }

    /// Returns the value below which a share `u` of the draws lies. No draw is further out than the shares
    /// 2^-64 and 1 - 2^-64.
    ///
    /// ```
    /// use imle_runtime::{Gumbel, SumOfGamma};
    ///
    /// let noise = SumOfGamma { kappa: 1.0, terms: None };
    /// assert!((noise.quantile(0.9)? - Gumbel::quantile(0.9)).abs() < 1e-6);
    /// # Ok::<(), imle_runtime::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidConfig`] if the parameters are not valid.
    pub fn quantile(&self, u: f64) -> Result<f64, Error> {
        let quantiles = self.quantiles()?;
        let mut eps = [quantiles.table.inverse(u)];
        quantiles.finish(&mut eps);
        Ok(eps[0])
    }

    fn quantiles(&self) -> Result<&'static Quantiles, Error> {
        thread_local! {
            /// A layer asks for the same ones row after row.
            static LAST: Cell<Option<(Key, &'static Quantiles)>> = const { Cell::new(None) };
        }
        let key = (self.kappa.to_bits(), self.terms);
        if let Some((last, quantiles)) = LAST.get()
            && last == key
        {
            return Ok(quantiles);
        }
        self.check_parameters()?;
        let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
        let quantiles = match known.get(&key) {
            Some(quantiles) => quantiles,
            None => {
                let table = self.tabulate().ok_or_else(|| self.too_extreme())?;
                let offset = self.terms.map(|_| -self.assemble(0.0));
                let made = Box::new(Quantiles { table, offset });
                *known.entry(key).or_insert(Box::leak(made))
            }
        };
        LAST.set(Some((key, quantiles)));
        Ok(quantiles)
    }

    fn check_parameters(&self) -> Result<(), Error> {
        let invalid = |message: String| Err(Error::new(ErrorKind::InvalidConfig, message));
        if !KAPPAS.contains(&self.kappa) {
            let kappa = self.kappa;
            return invalid(format!("kappa = {kappa:?} is not between 1e-5 and 1e7"));
        }
        if self.terms == Some(0) {
            return invalid("terms = 0; use at least 1".to_owned());
        }
        Ok(())
    }

    fn too_extreme(&self) -> Error {
        let message = format!("kappa = {}: no table of draws can be made", self.kappa);
        Error::new(ErrorKind::InvalidConfig, message)
    }

    fn tabulate(&self) -> Option<QuantileTable> {
        let Self { kappa, terms } = *self;
        let sum = GammaSum { kappa, terms };
        let Some(terms) = terms else {
            return QuantileTable::new(|side, x| sum.tail(side, x));
        };
        // For `y`, the sum over kappa. Near its lower end `P(Y < y) = (s!)^(1 / kappa) y^power / Gamma(1 + power)`.
        let terms = f64::from(terms);
        let power = terms / kappa;
        let ln_scale = libm::lgamma(1.0 + terms) / kappa - libm::lgamma(1.0 + power);
        QuantileTable::new(|side, log2_y| {
            let ln_y = log2_y * LN_2;
            let y = ln_y.exp();
            if y * terms * terms < 1e-12 * (terms + kappa) {
                let ln_share = ln_scale + power * ln_y;
                let slope = power * LN_2;
                return Tail::from_lower(side, Tail { ln_share, slope });
            }
            let Tail { ln_share, slope } = sum.tail(side, y);
            Tail {
                ln_share,
                slope: slope * y * LN_2,
            }
        })
    }
}

#[typetag::serde(name = "sum_of_gamma")]
impl Noise for SumOfGamma {
    fn validate(&self) -> Result<(), Error> {
        self.quantiles().map(|_| ()) // there may be none for an extreme kappa
    }

    fn fill(&self, address: &Address, eps: &mut [f64]) -> Result<(), Error> {
        let quantiles = self.quantiles()?;
        quantiles.table.fill(address, eps);
        quantiles.finish(eps);
        Ok(())
    }
}

/// The quantile function of a `kappa` and a number of terms.
#[derive(Debug)]
struct Quantiles {
    /// Of the noise, for the limit. For a sum of terms, of `log2 y` with `y` their sum over kappa: near its lower end
    /// its distribution function is a power, `y^(terms / kappa)`, and that of a large kappa has most of its mass
    /// within rounding of it.
    table: QuantileTable,
    /// What is subtracted from `y`: `ln(s) / kappa`.
    offset: Option<f64>,
}

impl Quantiles {
    /// Turns what the table holds into noise.
    fn finish(&self, eps: &mut [f64]) {
        if let Some(offset) = self.offset {
            eps.iter_mut().for_each(|eps| *eps = exp2(*eps) - offset);
        }
    }
}

/// Returns `2^x` within 2e-9 of itself for `x < 900`; zero where that is below the range of numbers.
///
/// Without a branch or a table, so that a loop over it is vectorised.
fn exp2(x: f64) -> f64 {
    // Adding this leaves no bits for a fraction: the sum is rounded and ends in the integer.
    const ROUND: f64 = 1.5 * (1u64 << 52) as f64;
    /// Keeps the exponent in range until the last product, which may underflow gradually.
    const SPARE: i32 = 128;
    let x = x.max(-1100.0);
    let shifted = x + ROUND;
    let f = x - (shifted - ROUND);
    // The minimax polynomial of degree 6 on [-0.5, 0.5].
    let (f2, low) = (f * f, 1.0 + 0.693_147_206_702_832_6 * f);
    let middle = 0.240_226_509_222_887_58 + 0.055_503_272_266_703_02 * f;
    let high = 0.009_618_056_678_524_638 + 0.001_340_042_817_761_583_8 * f;
    let power = low + f2 * (middle + f2 * (high + f2 * 0.000_154_614_446_985_691_3));
    let exponent = shifted.to_bits().wrapping_add(SPARE as u64) << 52;
    f64::from_bits(power.to_bits().wrapping_add(exponent)) * 2f64.powi(-SPARE)
}

type Key = (u64, Option<u32>);

/// Made once, kept for ever: a program has few pairs of kappa and terms.
static KNOWN: LazyLock<Mutex<HashMap<Key, &'static Quantiles>>> = LazyLock::new(Mutex::default);
