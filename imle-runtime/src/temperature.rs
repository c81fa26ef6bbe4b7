//! The temperature of the noise: a number, or a multiple of how far theta spreads.

use std::fmt;

use imle_api::{Error, ErrorKind};
use serde::de::value::MapAccessDeserializer;
use serde::de::{self, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use crate::sampling::not_negative;

/// The temperature `tau` by which noise is multiplied.
///
/// In a file it is a number, or `{ relative = 0.5 }`: that multiple of the standard deviation of the row of
/// theta that it perturbs. Noise of order 1 does nothing to a theta of order 100, and drowns one of order
/// 0.01; a relative temperature is right for both. Gradients take it as a constant.
///
/// ```
/// use imle_runtime::{Sampling, Temperature};
///
/// let fixed = Temperature::from(0.5);
/// let relative = Temperature::relative(0.5);
/// assert_eq!(fixed.of(&[-16.0, 16.0]), 0.5);
/// assert_eq!(relative.of(&[-16.0, 16.0]), 8.0);
/// let sampling = Sampling { tau: relative, ..Sampling::default() };
/// # let _ = sampling;
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Temperature {
    /// The same for every row.
    Fixed(f64),
    /// A multiple of the standard deviation of each row.
    Relative(RelativeTemperature),
}

/// A temperature as a multiple of the standard deviation of a row of theta.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RelativeTemperature {
    /// The multiple.
    pub relative: f64,
    /// The smallest standard deviation that theta is taken to have: a theta that starts at zero has noise, too.
    #[serde(default = "default_floor")]
    pub floor: f64,
}

fn default_floor() -> f64 {
    0.1
}

impl From<f64> for Temperature {
    fn from(tau: f64) -> Self {
        Self::Fixed(tau)
    }
}

impl Temperature {
    /// A multiple of the standard deviation of each row, which counts as 0.1 where it is smaller.
    #[must_use]
    pub fn relative(relative: f64) -> Self {
        let floor = default_floor();
        Self::Relative(RelativeTemperature { relative, floor })
    }

    /// Returns the temperature for a row of theta.
    #[must_use]
    pub fn of(&self, theta: &[f64]) -> f64 {
        match self {
            Self::Fixed(tau) => *tau,
            Self::Relative(tau) => tau.relative * standard_deviation(theta).max(tau.floor),
        }
    }

    /// Whether there is no noise at all.
    #[must_use]
    pub fn is_zero(&self) -> bool {
        match self {
            Self::Fixed(tau) => *tau == 0.0,
            Self::Relative(tau) => tau.relative == 0.0,
        }
    }

    /// Refuses what cannot be the temperature of a factor: it has no unit, and the spread of theta has that of theta.
    pub(crate) fn validate_factor(&self) -> Result<(), Error> {
        match self {
            Self::Fixed(_) => Ok(()),
            Self::Relative(_) => {
                let message = "multiplicative noise follows the size of theta by itself; give tau as a number";
                Err(Error::new(ErrorKind::InvalidConfig, message))
            }
        }
    }

    pub(crate) fn validate(&self, name: &str) -> Result<(), Error> {
        match self {
            Self::Fixed(tau) => not_negative(name, *tau),
            Self::Relative(tau) => {
                not_negative(&format!("{name}.relative"), tau.relative)?;
                not_negative(&format!("{name}.floor"), tau.floor)
            }
        }
    }
}

/// By hand: serde's own form for a choice without a tag has no good message for a wrong key.
impl<'de> Deserialize<'de> for Temperature {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TemperatureVisitor)
    }
}

struct TemperatureVisitor;

impl<'de> Visitor<'de> for TemperatureVisitor {
    type Value = Temperature;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number or `{ relative = number }`")
    }

    fn visit_f64<E: de::Error>(self, tau: f64) -> Result<Temperature, E> {
        Ok(tau.into())
    }

    fn visit_u64<E: de::Error>(self, tau: u64) -> Result<Temperature, E> {
        Ok((tau as f64).into())
    }

    fn visit_i64<E: de::Error>(self, tau: i64) -> Result<Temperature, E> {
        Ok((tau as f64).into())
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Temperature, A::Error> {
        let relative = RelativeTemperature::deserialize(MapAccessDeserializer::new(map))?;
        Ok(Temperature::Relative(relative))
    }
}

/// Of a finite row, without overflow where its entries are large.
fn standard_deviation(theta: &[f64]) -> f64 {
    let largest = theta
        .iter()
        .fold(0.0, |largest: f64, theta| largest.max(theta.abs()));
    if largest == 0.0 {
        return 0.0;
    }
    let count = theta.len() as f64;
    let mean = theta.iter().map(|theta| theta / largest).sum::<f64>() / count;
    let squares: f64 = theta
        .iter()
        .map(|theta| (theta / largest - mean).powi(2))
        .sum();
    largest * (squares / count).sqrt()
}
