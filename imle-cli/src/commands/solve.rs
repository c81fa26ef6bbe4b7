//! `imle solve`: the state with the largest `<z, theta>` for each row.

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use imle_runtime::{Imle, Layer, NoNoise, Sampling};
use serde_json::json;

use super::rows;
use crate::arguments::Common;
use crate::arrays::{Array, Format};
use crate::failure::Failure;
use crate::files::is_stream;
use crate::instance::{InstanceOptions, ThetaOptions};
use crate::output::{json_rows, print_json};

/// Find the state with the largest <z, theta> for each row
///
/// Writes `[rows, dim]` states. With `--json` and no file, they are in the JSON, with their objectives.
#[derive(Args, Debug)]
pub(crate) struct Solve {
    #[command(flatten)]
    instance: InstanceOptions,
    #[command(flatten)]
    theta: ThetaOptions,
    /// Where states go: a .npy or CSV file, `-` for standard output
    #[arg(short, long, value_name = "FILE", default_value = "-")]
    out: PathBuf,
    /// The format of what is written, if the name of the file does not say it
    #[arg(long, value_name = "FORMAT")]
    format: Option<Format>,
    /// Also write <z, theta> of each row to this file, [rows, 1]
    #[arg(long, value_name = "FILE")]
    objectives: Option<PathBuf>,
}

impl Solve {
    pub(crate) fn run(&self, common: &Common) -> Result<(), Failure> {
        self.instance
            .paths(common)
            .reads("theta", Some(&self.theta.theta))
            .writes("--out", Some(&self.out), self.format)?
            .writes("--objectives", self.objectives.as_deref(), None)?
            .check()?;
        let instance = self.instance.open(common)?;
        let theta = self.theta.read(instance.dim)?;
        let sampling = Sampling {
            sense: self.theta.sense,
            threads: self.theta.threads,
            noise: Arc::new(NoNoise),
            tau: 0.0.into(),
            ..Sampling::default()
        };
        let layer = Layer::new(instance.oracle, Imle::default(), sampling)?;
        let solved = rows::forward(&layer, &theta, self.theta.call(0))?;
        let (dim, count) = (instance.dim, theta.len() / instance.dim);
        let objectives = rows::objectives(&theta, &solved.z, 1, dim);
        if let Some(path) = &self.objectives {
            Array::new([count, 1], objectives.clone()).write(path, None)?;
        }
        let to_json = common.json && is_stream(&self.out);
        if !to_json {
            Array::new([count, dim], solved.z.clone()).write(&self.out, self.format)?;
        }
        if common.json {
            print_json(&json!({
                "solver": self.instance.solver, "rows": count, "dim": dim,
                "states": to_json.then(|| json_rows(&solved.z, dim)),
                "objectives": objectives,
                "errors": rows::json_errors(&solved.errors),
            }))?;
        }
        rows::end(&solved.errors, count)
    }
}
