//! `imle marginals`: how often each coordinate of a state is on.

use std::path::{Path, PathBuf};

use clap::Args;
use imle_runtime::{ErrorKind, Imle, Layer, Limits, RowError, Sampling, exact_marginals};
use serde_json::json;

use super::{explain, plot, rows};
use crate::arguments::Common;
use crate::arrays::{Array, Format};
use crate::failure::Failure;
use crate::files::is_stream;
use crate::instance::{Instance, InstanceOptions, ThetaOptions};
use crate::output::{json_rows, print_json};
use crate::sampling_options::SamplingOptions;

/// Samples of each row if nothing else is said.
const SAMPLES: usize = 1000;

/// Estimate the marginals of each row, or compute them where the solver can
///
/// Writes `[rows, dim]` means of sampled states. Without `--samples`, of 1000.
#[derive(Args, Debug)]
pub(crate) struct Marginals {
    #[command(flatten)]
    instance: InstanceOptions,
    #[command(flatten)]
    theta: ThetaOptions,
    #[command(flatten)]
    sampling: SamplingOptions,
    /// Compute those of p(z) ~ exp(<z, theta> / tau) exactly, where the solver can; the noise does not matter then
    #[arg(long)]
    exact: bool,
    /// Where marginals go: a .npy or CSV file, `-` for standard output; with --plot or --explain only if it is given
    #[arg(short, long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// The format of what is written, if the name of the file does not say it
    #[arg(long, value_name = "FORMAT")]
    format: Option<Format>,
    /// Draw the marginals of a row: bars, or a heat map if the instance is a grid
    #[arg(long, value_name = "FILE.svg")]
    plot: Option<PathBuf>,
    /// The row that is drawn
    #[arg(long, value_name = "N", default_value_t = 0)]
    row: usize,
    /// Height and width, to draw a heat map of an instance that does not say that it is a grid
    #[arg(long, value_name = "HEIGHTxWIDTH", value_parser = plot::parse_shape)]
    shape: Option<(usize, usize)>,
    /// Say what tau does: entropy, distinct states and the share of the MAP state, for tau and around it
    #[arg(long)]
    explain: bool,
}

impl Marginals {
    pub(crate) fn run(&self, common: &Common) -> Result<(), Failure> {
        let sampling = self.sampling.sampling(&self.theta, SAMPLES)?;
        self.instance
            .paths(common)
            .reads("theta", Some(&self.theta.theta))
            .writes("--out", self.out.as_deref(), self.format)?
            .draws("--plot", self.plot.as_deref())?
            .check()?;
        let instance = self.instance.open(common)?;
        let theta = self.theta.read(instance.dim)?;
        let (mu, errors) = match self.exact {
            true => self.exact(&instance, &theta, &sampling)?,
            false => self.sampled(&instance, &theta, &sampling)?,
        };
        let count = theta.len() / instance.dim;
        if let Some(path) = &self.plot {
            let grid = self.shape.or_else(|| plot::grid_of(&instance));
            plot::draw(path, &mu, instance.dim, self.row, grid)?;
        }
        let explained = match self.explain {
            true => Some(explain::explain(
                &instance.oracle,
                &theta,
                &sampling,
                self.theta.call(self.sampling.call),
            )?),
            false => None,
        };
        let array = Array::new([count, instance.dim], mu);
        self.write(common, &array)?;
        if common.json {
            let inline = self.out.as_deref().is_none_or(is_stream);
            print_json(&json!({
                "solver": self.instance.solver, "rows": count, "dim": instance.dim,
                "samples": (!self.exact).then_some(sampling.samples),
                "marginals": inline.then(|| json_rows(&array.values, instance.dim)),
                "explain": explained.as_deref().map(explain::to_json),
                "errors": rows::json_errors(&errors),
            }))?;
        } else if let Some(explained) = &explained {
            explain::print(explained)?;
        }
        let samples = if self.exact { 1 } else { sampling.samples };
        rows::end(&errors, count * samples)
    }

    /// To the file that is named, or to standard output if nothing else is asked for.
    fn write(&self, common: &Common, mu: &Array) -> Result<(), Failure> {
        let path = match &self.out {
            Some(path) => path,
            None if self.plot.is_some() || self.explain => return Ok(()),
            None => Path::new("-"),
        };
        match common.json && is_stream(path) {
            true => Ok(()), // the JSON has them
            false => Ok(mu.write(path, self.format)?),
        }
    }

    fn sampled(
        &self,
        instance: &Instance,
        theta: &[f64],
        sampling: &Sampling,
    ) -> Result<(Vec<f64>, Vec<RowError>), Failure> {
        let layer = Layer::new(instance.oracle.clone(), Imle::default(), sampling.clone())?;
        let call = self.theta.call(self.sampling.call);
        let dim = instance.dim;
        let (mut mu, mut errors) = (Vec::with_capacity(theta.len()), Vec::new());
        for (row, theta) in theta.chunks_exact(dim).enumerate() {
            let saved = layer.forward(theta, call.from_row(row as u64))?;
            mu.extend(saved.states().marginals());
            errors.extend(
                saved
                    .states()
                    .errors()
                    .map(|failed| RowError { row, ..failed }),
            );
        }
        Ok((mu, errors))
    }

    /// Those of the exponential family at temperature tau, which are had by dividing theta by it.
    fn exact(
        &self,
        instance: &Instance,
        theta: &[f64],
        sampling: &Sampling,
    ) -> Result<(Vec<f64>, Vec<RowError>), Failure> {
        let mut scaled = theta.to_vec();
        for row in scaled.chunks_exact_mut(instance.dim) {
            let tau = sampling.tau.of(row);
            if tau <= 0.0 {
                return Err(Failure::input("--exact needs a temperature above zero"));
            }
            row.iter_mut().for_each(|value| *value /= tau);
        }
        let found = exact_marginals(&*instance.oracle, &scaled, sampling.sense, &Limits::none())?;
        let mut errors = Vec::new();
        for (row, log_partition) in found.log_partitions.into_iter().enumerate() {
            match log_partition {
                Err(error) if error.kind() == ErrorKind::Unsupported => return Err(error.into()),
                Err(error) => errors.push(RowError {
                    row,
                    sample: 0,
                    error,
                }),
                Ok(_) => {}
            }
        }
        Ok((found.mu, errors))
    }
}
