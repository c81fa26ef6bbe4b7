//! What goes over the socket between a process and its worker: one exchange of JSON, which opens the solver. All
//! else is in shared memory.

use std::io::{self, Read, Write};

use imle_api::{Error, ErrorKind, Facts, ThetaDomain, abi};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::plugin_checks::facts_of;
use crate::trust::Lock;

/// Both sides are built from one version of this crate; this says so.
pub(super) const VERSION: &str = env!("CARGO_PKG_VERSION");

/// No text of the opening exchange is longer.
const LONGEST_TEXT: u64 = 1 << 32;

/// The first message: what to serve.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Opening {
    pub(super) version: String,
    pub(super) library: String,
    pub(super) solver: String,
    /// JSON text, as it was given.
    pub(super) config: String,
    /// What the process that asks enforces.
    pub(super) locks: Vec<Lock>,
}

/// The answer to it: the facts of the instance, or a code and a sentence.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Opened {
    Facts(WireFacts),
    Failed(i32, String),
}

/// Facts of an instance as plain numbers.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct WireFacts {
    dim: u64,
    ones: u64,
    integral: bool,
    /// The bits: JSON has no infinities.
    z_lower: u64,
    z_upper: u64,
    theta_domain: u32,
}

impl WireFacts {
    pub(super) fn of(facts: &Facts) -> Self {
        Self {
            dim: facts.dim as u64,
            ones: facts.ones.map_or(abi::ONES_VARY, |ones| ones as u64),
            integral: facts.integral,
            z_lower: facts.z_lower.to_bits(),
            z_upper: facts.z_upper.to_bits(),
            theta_domain: facts.theta_domain as u32,
        }
    }

    /// Checks them as those of a plugin in this process are.
    pub(super) fn read(&self) -> Result<Facts, Error> {
        let info = abi::Info {
            struct_size: size_of::<abi::Info>() as u32,
            flags: match self.integral {
                true => abi::INFO_INTEGRAL,
                false => 0,
            },
            dim: self.dim,
            ones: self.ones,
            z_lower: f64::from_bits(self.z_lower),
            z_upper: f64::from_bits(self.z_upper),
            theta_domain: self.theta_domain,
            reserved: 0,
        };
        debug_assert_eq!(ThetaDomain::Any as u32, 0);
        facts_of(&info).map_err(|why| {
            let message = format!("the worker states {why}");
            Error::new(ErrorKind::ContractBroken, message)
        })
    }
}

/// Sends a value as JSON behind its length.
pub(super) fn send_json(mut to: impl Write, value: &impl Serialize) -> io::Result<()> {
    let text = serde_json::to_vec(value)?;
    to.write_all(&(text.len() as u64).to_ne_bytes())?;
    to.write_all(&text)
}

/// Receives what [`send_json`] sent.
pub(super) fn receive_json<T: DeserializeOwned>(mut from: impl Read) -> io::Result<T> {
    let mut length = [0; 8];
    from.read_exact(&mut length)?;
    let length = u64::from_ne_bytes(length);
    if length > LONGEST_TEXT {
        return Err(io::Error::other(format!("a text of {length} bytes")));
    }
    let mut text = Vec::new();
    from.take(length).read_to_end(&mut text)?;
    if text.len() as u64 != length {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(serde_json::from_slice(&text)?)
}
