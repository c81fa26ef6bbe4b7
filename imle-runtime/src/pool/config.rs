//! How a pool decides and how much it holds.

use imle_api::{Error, ErrorKind};
use rand_xoshiro::rand_core::Rng;
use serde::{Deserialize, Serialize};

use crate::call::Call;
use crate::noise::Address;

/// How a [`Pool`](crate::Pool) decides and how much it holds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PoolConfig {
    /// The share of rows that are solved; the others are looked up. From 0 to 1.
    pub solve_ratio: f64,
    /// What is decided at a time.
    pub rule: PoolRule,
    /// The seed of the decisions.
    pub seed: u64,
    /// The bytes that all states may take. States that were neither found nor solved for the longest time are
    /// dropped, an eighth of the bytes at a time. What a call solves waits for the next in as many bytes again.
    pub most_bytes: usize,
}

impl Default for PoolConfig {
    fn default() -> Self {
        Self {
            solve_ratio: 0.05,
            rule: PoolRule::Row,
            seed: 0,
            most_bytes: 64 << 20,
        }
    }
}

impl PoolConfig {
    pub(crate) fn validate(&self) -> Result<(), Error> {
        if (0.0..=1.0).contains(&self.solve_ratio) {
            return Ok(());
        }
        let message = format!("solve_ratio = {} is not within [0, 1]", self.solve_ratio);
        Err(Error::new(ErrorKind::InvalidConfig, message))
    }

    /// Whether a row is solved, whatever its theta is.
    pub(super) fn solves(&self, call: &Call<'_>, row: usize) -> bool {
        let row = match self.rule {
            PoolRule::Row => call.row(row),
            PoolRule::Batch => u64::MAX,
        };
        let address = Address {
            seed: self.seed,
            call: call.number,
            row,
            sample: u64::MAX, // where no noise lives
        };
        let coin = (address.generator().next_u64() >> 11) as f64 / (1_u64 << 53) as f64;
        coin < self.solve_ratio
    }
}

/// What is decided at a time: solve or look up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PoolRule {
    /// Each row by itself, for all of its samples.
    #[default]
    Row,
    /// The whole batch: the rule of PyEPO and of Mandi et al., for comparison with their figures. (PyEPO decides
    /// again in its backward passes; here they follow the forward pass.)
    Batch,
}
