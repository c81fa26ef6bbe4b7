//! A plugin in processes of its own: what takes one of them down costs the rows in flight and nothing else.
//!
//! [`Isolated`] (oracle.rs) is the oracle. It keeps a [`Worker`](process::Worker) (process.rs), a child process,
//! for each thread that calls it at a time. A socket opens the solver (wire.rs), and its end is the parent's, by
//! which the child ends, too. Rows lie in memory that both share (memory.rs), and so do the counters by which
//! each wakes the other (turns.rs). A thread (follower.rs) hears what the child prints and says when it is dead, and another (printer.rs) prints it. `serve` (worker.rs) is
//! the child's side. The child calls the plugin and judges nothing; all that it wrote is checked
//! here, as the states of a plugin in this process are.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use imle_api::{Error, ErrorKind};
use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

#[cfg(target_os = "linux")]
mod child;
#[cfg(target_os = "linux")]
mod death;
#[cfg(not(target_os = "linux"))]
mod elsewhere;
#[cfg(target_os = "linux")]
mod follower;
#[cfg(target_os = "linux")]
mod layout;
#[cfg(target_os = "linux")]
#[allow(unsafe_code)]
mod memory;
#[cfg(target_os = "linux")]
mod oracle;
#[cfg(target_os = "linux")]
mod printer;
#[cfg(target_os = "linux")]
mod process;
#[cfg(target_os = "linux")]
mod quarantine;
#[cfg(target_os = "linux")]
mod start;
#[cfg(target_os = "linux")]
mod turns;
#[cfg(target_os = "linux")]
mod wire;
#[cfg(target_os = "linux")]
#[allow(unsafe_code)]
mod worker;

#[cfg(not(target_os = "linux"))]
pub use elsewhere::{Isolated, serve};
#[cfg(target_os = "linux")]
pub use oracle::Isolated;
#[cfg(target_os = "linux")]
pub use worker::serve;

/// How a solver is kept in processes of its own; see [`Isolated`].
///
/// In a layer's file, `isolation = "process"` in the table `[oracle]`, or a table `[oracle.isolation]` with some
/// of these keys.
///
/// ```
/// use imle_runtime::LayerConfig;
///
/// let layer = LayerConfig::from_toml(r#"
///     [oracle]
///     solver = "k-subset"
///     config = { dim = 10, k = 3 }
///     isolation = { time_limit = 5.0, retries = 1 }
/// "#)?;
/// assert_eq!(layer.oracle.isolation.unwrap().time_limit, 5.0);
///
/// let layer = LayerConfig::from_toml("[oracle]\nsolver = \"k-subset\"\nisolation = \"process\"")?;
/// assert_eq!(layer.oracle.isolation.unwrap(), imle_runtime::Isolation::default());
/// # Ok::<(), imle_runtime::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Isolation {
    /// The program `imle-worker`. Without it, the file of that name beside the program that is running; never
    /// one in the working directory or found by a search.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub worker: Option<PathBuf>,
    /// Seconds that a process may go on without answering a row, or take to open the solver from its start to its answer,
    /// before it is killed. A solver that answers all rows of a call at its end needs as much as its longest call.
    pub time_limit: f64,
    /// Seconds between the time limit or the stop flag of a call and the end of a process that heeds neither.
    pub grace: f64,
    /// How often a row that is alone in its call is asked again after its process died. With 1 or more, the rows
    /// that a larger call lost are asked again in smaller ones, so that only the row to blame fails.
    pub retries: u32,
    /// So many processes may die in a row, with no call answered in between; then the solver is in quarantine.
    pub most_deaths: u32,
    /// Seconds that a quarantine lasts. After it one process is tried; if that one dies, the next begins.
    pub quarantine: f64,
}

impl Default for Isolation {
    /// Time limit 300 s, grace 1 s, no retries, quarantine of 60 s after 8 deaths.
    fn default() -> Self {
        Self {
            worker: None,
            time_limit: 300.0,
            grace: 1.0,
            retries: 0,
            most_deaths: 8,
            quarantine: 60.0,
        }
    }
}

impl Isolation {
    /// Checks the settings.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidConfig`] with the setting and its value.
    pub fn validate(&self) -> Result<(), Error> {
        let invalid = |message| Err(Error::new(ErrorKind::InvalidConfig, message));
        for (name, seconds) in [
            ("time_limit", self.time_limit),
            ("grace", self.grace),
            ("quarantine", self.quarantine),
        ] {
            if !(seconds > 0.0 && Duration::try_from_secs_f64(seconds).is_ok()) {
                let range = "a positive number of seconds";
                return invalid(format!("`{name}` = {seconds} is not {range}"));
            }
        }
        match self.most_deaths {
            0 => invalid("`most_deaths` = 0 allows no process; give at least 1".to_owned()),
            _ => Ok(()),
        }
    }
}

/// Reads an isolation from the word `"process"`, which is all defaults, or from a table.
pub(crate) fn word_or_table<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Isolation>, D::Error> {
    deserializer.deserialize_any(WordOrTable)
}

struct WordOrTable;

impl<'de> Visitor<'de> for WordOrTable {
    type Value = Option<Isolation>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("\"process\", or a table of its settings")
    }

    fn visit_str<E: serde::de::Error>(self, word: &str) -> Result<Self::Value, E> {
        match word {
            "process" => Ok(Some(Isolation::default())),
            _ => Err(E::unknown_variant(word, &["process"])),
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        Isolation::deserialize(MapAccessDeserializer::new(map)).map(Some)
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }
}
