//! The normal distribution.

use std::f64::consts::{PI, SQRT_2};
use std::sync::LazyLock;

use imle_api::Error;
use serde::{Deserialize, Serialize};

use super::quantile_table::{QuantileTable, Side, Tail};
use super::{Address, Noise, each_score};
use crate::parameters::{NoParameters, without_parameters};

/// The standard normal distribution.
///
/// Draws are read from a table of the quantile function and are within 1e-6 of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(from = "NoParameters", into = "NoParameters")]
pub struct Normal;
without_parameters!(Normal);

#[typetag::serde(name = "normal")]
impl Noise for Normal {
    fn fill(&self, address: &Address, eps: &mut [f64]) -> Result<(), Error> {
        TABLE.fill(address, eps);
        Ok(())
    }

    fn score(&self, eps: &[f64], score: &mut [f64]) -> Result<(), Error> {
        each_score(eps, score, |eps| eps)
    }

    fn is_symmetric(&self) -> bool {
        true
    }
}

static TABLE: LazyLock<QuantileTable> =
    LazyLock::new(|| QuantileTable::new(tail).expect("this distribution can be tabulated"));

fn tail(side: Side, x: f64) -> Tail {
    let outwards = match side {
        Side::Lower => -x,
        Side::Upper => x,
    };
    let share = 0.5 * libm::erfc(outwards / SQRT_2);
    let hazard = (-0.5 * x * x).exp() / (2.0 * PI).sqrt() / share;
    Tail {
        ln_share: share.ln(),
        slope: match side {
            Side::Lower => hazard,
            Side::Upper => -hazard,
        },
    }
}
