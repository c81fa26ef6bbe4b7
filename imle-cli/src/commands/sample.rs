//! `imle sample`: states under noise.

use std::path::PathBuf;

use clap::Args;
use imle_runtime::{Imle, Layer};
use serde_json::{Value, json};

use super::rows;
use crate::arguments::Common;
use crate::arrays::{Array, Format};
use crate::failure::Failure;
use crate::files::is_stream;
use crate::instance::{InstanceOptions, ThetaOptions};
use crate::output::{json_rows, print_json};
use crate::sampling_options::SamplingOptions;

/// Samples of each row if nothing else is said.
const SAMPLES: usize = 10;

/// Sample states under noise
///
/// Writes `[rows, samples, dim]` states; as CSV, the samples of a row are lines that follow each other.
/// Without `--samples`, 10 of each row.
#[derive(Args, Debug)]
pub(crate) struct Sample {
    #[command(flatten)]
    instance: InstanceOptions,
    #[command(flatten)]
    theta: ThetaOptions,
    #[command(flatten)]
    sampling: SamplingOptions,
    /// Where states go: a .npy or CSV file, `-` for standard output
    #[arg(short, long, value_name = "FILE", default_value = "-")]
    out: PathBuf,
    /// The format of what is written, if the name of the file does not say it
    #[arg(long, value_name = "FORMAT")]
    format: Option<Format>,
}

impl Sample {
    pub(crate) fn run(&self, common: &Common) -> Result<(), Failure> {
        let sampling = self.sampling.sampling(&self.theta, SAMPLES)?;
        let samples = sampling.samples;
        self.instance
            .paths(common)
            .reads("theta", Some(&self.theta.theta))
            .writes("--out", Some(&self.out), self.format)?
            .check()?;
        let instance = self.instance.open(common)?;
        let theta = self.theta.read(instance.dim)?;
        let layer = Layer::new(instance.oracle, Imle::default(), sampling)?;
        let solved = rows::forward(&layer, &theta, self.theta.call(self.sampling.call))?;
        let (dim, count) = (instance.dim, theta.len() / instance.dim);
        let to_json = common.json && is_stream(&self.out);
        if !to_json {
            Array::new([count, samples, dim], solved.z.clone()).write(&self.out, self.format)?;
        }
        if common.json {
            let of_row = |z: &[f64]| json_rows(z, dim);
            let states = solved.z.chunks_exact(samples * dim).map(of_row);
            print_json(&json!({
                "solver": self.instance.solver, "rows": count, "samples": samples, "dim": dim,
                "states": to_json.then(|| states.collect::<Value>()),
                "errors": rows::json_errors(&solved.errors),
            }))?;
        }
        rows::end(&solved.errors, count * samples)
    }
}
