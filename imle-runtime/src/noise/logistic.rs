//! The logistic distribution.

use std::sync::LazyLock;

use imle_api::Error;
use serde::{Deserialize, Serialize};

use super::quantile_table::{QuantileTable, Side, Tail};
use super::{Address, Noise, each_score};
use crate::parameters::{NoParameters, without_parameters};

/// The standard logistic distribution: `ln(u / (1 - u))`, the difference of two Gumbel draws; mean 0, variance
/// `pi^2 / 3`.
///
/// A coordinate that may be 0 or 1, with Gumbel noise on both, is a coordinate with logistic noise on its 1:
/// see [`log_partition_bound`](crate::log_partition_bound). Draws are read from a table of the quantile
/// function and are within 1e-6 of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(from = "NoParameters", into = "NoParameters")]
pub struct Logistic;
without_parameters!(Logistic);

#[typetag::serde(name = "logistic")]
impl Noise for Logistic {
    fn fill(&self, address: &Address, eps: &mut [f64]) -> Result<(), Error> {
        TABLE.fill(address, eps);
        Ok(())
    }

    fn score(&self, eps: &[f64], score: &mut [f64]) -> Result<(), Error> {
        each_score(eps, score, |eps| (0.5 * eps).tanh())
    }

    fn is_symmetric(&self) -> bool {
        true
    }
}

static TABLE: LazyLock<QuantileTable> =
    LazyLock::new(|| QuantileTable::new(tail).expect("this distribution can be tabulated"));

/// `P(X < x) = 1 / (1 + exp(-x))`.
fn tail(side: Side, x: f64) -> Tail {
    let outwards = match side {
        Side::Lower => -x,
        Side::Upper => x,
    };
    // ln(1 / (1 + exp(outwards))), whose derivative outwards is -1 / (1 + exp(-outwards)).
    let ln_share = -(outwards.max(0.0) + (-outwards.abs()).exp().ln_1p());
    let hazard = 1.0 / (1.0 + (-outwards).exp());
    Tail {
        ln_share,
        slope: match side {
            Side::Lower => hazard,
            Side::Upper => -hazard,
        },
    }
}
