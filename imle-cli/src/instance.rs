//! What several commands are told about the problem: a solver, its configuration, and rows of theta.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use imle_runtime::{Call, ErrorKind, Limits, Oracle, Sense};
use serde_json::Value;

use crate::arguments::Common;
use crate::arrays::Array;
use crate::failure::Failure;
use crate::files::{file_of, json_or_file};
use crate::loading;
use crate::paths::Paths;

/// An instance of a solver.
#[derive(Args, Debug)]
pub(crate) struct InstanceOptions {
    /// The name of the solver; `imle plugins` lists them
    pub(crate) solver: String,
    /// The solver's configuration: JSON, or the name of a JSON or TOML file
    #[arg(short, long, value_name = "JSON|FILE", default_value = "{}")]
    config: String,
    /// Load only this library
    #[arg(long, value_name = "FILE")]
    library: Option<PathBuf>,
}

/// An instance that was opened.
pub(crate) struct Instance {
    pub(crate) oracle: Arc<dyn Oracle>,
    pub(crate) config: Value,
    pub(crate) dim: usize,
}

impl InstanceOptions {
    /// The files that say what the instance is.
    pub(crate) fn paths<'a>(&'a self, common: &'a Common) -> Paths<'a> {
        Paths::default()
            .reads("--config", file_of(&self.config))
            .reads("--library", self.library.as_deref())
            .reads("the lock", common.lock.as_deref())
    }

    pub(crate) fn open(&self, common: &Common) -> Result<Instance, Failure> {
        let config = json_or_file(&self.config)?;
        let opened = match &self.library {
            Some(library) => loading::plugin(library, common)?.open(&self.solver, &config),
            None => loading::registry(common)?.open(&self.solver, &config),
        };
        let oracle = opened.map_err(|why| match why.kind() {
            ErrorKind::InvalidConfig => {
                let hint = format!("`imle plugins show {}` lists the keys", self.solver);
                Failure::input(format!("{why}; {hint}"))
            }
            ErrorKind::NotFound if self.library.is_none() => {
                loading::not_found(why.message(), common)
            }
            _ => why.into(),
        })?;
        Ok(Instance {
            dim: oracle.facts().dim,
            oracle,
            config,
        })
    }
}

/// Rows of theta, how they are read, and how they are solved.
#[derive(Args, Debug)]
pub(crate) struct ThetaOptions {
    /// Rows of theta: a .npy or CSV file, `-` for standard input
    #[arg(default_value = "-")]
    pub(crate) theta: PathBuf,
    /// Whether theta is a reward or a cost
    #[arg(long, value_name = "SENSE", default_value = "maximize", value_parser = parse_sense)]
    pub(crate) sense: Sense,
    /// The number of threads; 0 for all cores
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) threads: usize,
    /// Give up after this time; rows that are not solved by then fail
    #[arg(long, value_name = "SECONDS", value_parser = parse_seconds, allow_negative_numbers = true)]
    time_limit: Option<Duration>,
}

impl ThetaOptions {
    /// Reads theta, `[rows, dim]`.
    pub(crate) fn read(&self, dim: usize) -> Result<Vec<f64>, Failure> {
        read_theta(&self.theta, dim)
    }

    /// A call that starts now.
    pub(crate) fn call(&self, number: u64) -> Call<'static> {
        let limits = match self.time_limit {
            None => Limits::none(),
            Some(time) => Limits::none().with_time(time),
        };
        Call::from(number).within(limits)
    }
}

/// Reads finite rows of theta, `[rows, dim]`.
pub(crate) fn read_theta(path: &std::path::Path, dim: usize) -> Result<Vec<f64>, Failure> {
    let theta = Array::read(path)?;
    let name = match path.to_str() {
        Some("-") => "standard input".to_owned(),
        _ => path.display().to_string(),
    };
    let check = || {
        theta.rows_of(dim)?;
        theta.check_finite()
    };
    check().map_err(|why| why.within(format_args!("theta in {name}")))?;
    Ok(theta.values)
}

pub(crate) fn parse_sense(text: &str) -> Result<Sense, String> {
    serde_json::from_value(Value::from(text)).map_err(|_| "use maximize or minimize".to_owned())
}

pub(crate) fn parse_seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text
        .parse()
        .map_err(|_| "not a number of seconds".to_owned())?;
    Duration::try_from_secs_f64(seconds).map_err(|why| why.to_string())
}
