//! The Gumbel distribution.

use std::sync::LazyLock;

use imle_api::Error;
use serde::{Deserialize, Serialize};

use super::quantile_table::{QuantileTable, Side, Tail};
use super::{Address, Noise, each_score};
use crate::parameters::{NoParameters, without_parameters};

/// Gumbel(0, 1): `-ln(-ln u)`; mean 0.5772, variance pi^2 / 6 (Papandreou and Yuille, 2011).
///
/// Draws are read from a table of the quantile function and are within 1e-6 of it.
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
        TABLE.fill(address, eps);
        Ok(())
    }

    fn score(&self, eps: &[f64], score: &mut [f64]) -> Result<(), Error> {
        each_score(eps, score, |eps| 1.0 - (-eps).exp())
    }
}

static TABLE: LazyLock<QuantileTable> =
    LazyLock::new(|| QuantileTable::new(tail).expect("this distribution can be tabulated"));

/// `P(X < x) = exp(-exp(-x))`.
fn tail(side: Side, x: f64) -> Tail {
    let rate = (-x).exp();
    match side {
        Side::Lower => Tail {
            ln_share: -rate,
            slope: rate,
        },
        Side::Upper => Tail {
            ln_share: (-(-rate).exp_m1()).ln(),
            slope: -rate / rate.exp_m1(),
        },
    }
}
