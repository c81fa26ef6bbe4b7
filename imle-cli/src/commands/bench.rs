//! `imle bench`: what a user needs to know to size a run.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::Args;
use imle_runtime::{Cache, Imle, Layer, NoNoise, Oracle, Sampling, Sense, ThetaDomain};
use serde_json::{Value, json};

use crate::arguments::Common;
use crate::failure::{Exit, Failure};
use crate::instance::{Instance, InstanceOptions, parse_seconds, parse_sense, read_theta};
use crate::output::{print_json, print_line, progress, table};

/// Bytes of the cache that is measured.
const CACHE_BYTES: usize = 1 << 28;
/// Timings of a cell, of which the median counts.
const TIMINGS: usize = 5;

/// Measure rows per second over threads and batch sizes, with noise and with a cache
///
/// Solves rows of theta (random ones, if there is no file) again and again. A batch is one call; rows of a batch are
/// spread over the threads. `solve` is without noise; `noise` samples one state a row; `backward` is a whole step of I-MLE
/// with one sample, forward and backward: a solve, and a second one unless the solver has proven that its state would
/// stay; `cached` asks for a batch that the cache knows, as far as its 256 MiB go.
#[derive(Args, Debug)]
pub(crate) struct Bench {
    #[command(flatten)]
    instance: InstanceOptions,
    /// Rows of theta: a .npy or CSV file, `-` for standard input
    #[arg(long, value_name = "FILE")]
    theta: Option<PathBuf>,
    /// Whether theta is a reward or a cost
    #[arg(long, value_name = "SENSE", default_value = "maximize", value_parser = parse_sense)]
    sense: Sense,
    /// The numbers of threads; 0 for all cores. Without: 1, 2, 4 and so on to all cores
    #[arg(long, value_name = "N,..", value_delimiter = ',')]
    threads: Vec<usize>,
    /// The numbers of rows of a batch
    #[arg(
        long,
        value_name = "N,..",
        value_delimiter = ',',
        default_value = "1,32,1024"
    )]
    batch: Vec<usize>,
    /// The time for each cell of the table
    #[arg(
        long,
        value_name = "SECONDS",
        default_value = "0.5",
        value_parser = parse_seconds,
        allow_negative_numbers = true
    )]
    time: Duration,
}

/// What is done to a batch.
#[derive(Clone, Copy)]
enum Work {
    Solve,
    Noise,
    Backward,
    Cached,
}

const WORK: [(Work, &str); 4] = [
    (Work::Solve, "solve"),
    (Work::Noise, "noise"),
    (Work::Backward, "backward"),
    (Work::Cached, "cached"),
];

/// Rows per second for each kind of work.
struct Line {
    threads: usize,
    batch: usize,
    rates: Vec<f64>,
}

impl Bench {
    pub(crate) fn run(&self, common: &Common) -> Result<(), Failure> {
        if self.batch.contains(&0) {
            return Err(Failure::new(
                Exit::Usage,
                "--batch 0: a batch has at least one row",
            ));
        }
        let instance = self.instance.open(common)?;
        let known = match &self.theta {
            Some(path) => read_theta(path, instance.dim)?,
            None => self.random_theta(&instance),
        };
        if known.is_empty() {
            return Err(Failure::input("there are no rows of theta"));
        }
        let bar = progress(
            self.threads().len() * self.batch.len() * WORK.len(),
            "measuring",
        );
        let mut lines = Vec::new();
        for threads in self.threads() {
            for &batch in &self.batch {
                let theta: Vec<f64> = known
                    .iter()
                    .cycle()
                    .take(batch * instance.dim)
                    .copied()
                    .collect();
                let mut rates = Vec::new();
                for (work, _) in WORK {
                    rates.push(self.measure(&instance.oracle, &theta, threads, work)?);
                    bar.inc(1);
                }
                lines.push(Line {
                    threads,
                    batch,
                    rates,
                });
            }
        }
        bar.finish_and_clear();
        match common.json {
            true => print_json(&self.to_json(&instance, &lines)),
            false => print(&lines),
        }
    }

    /// One thread, all cores, and powers of two between.
    fn threads(&self) -> Vec<usize> {
        if !self.threads.is_empty() {
            return self.threads.clone();
        }
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let powers = std::iter::successors(Some(1), |threads| Some(threads * 2));
        powers
            .take_while(|&threads| threads < cores)
            .chain([cores])
            .collect()
    }

    /// As many different rows as the largest batch has.
    fn random_theta(&self, instance: &Instance) -> Vec<f64> {
        let mut random = fastrand::Rng::with_seed(0);
        let rows = self.batch.iter().copied().max().unwrap_or(1);
        let domain = instance.oracle.facts().theta_domain;
        let sign = if self.sense == Sense::Minimize {
            -1.0
        } else {
            1.0
        };
        let value = |_| match domain {
            ThetaDomain::Any => 2.0 * random.f64() - 1.0,
            ThetaDomain::NonPositive => -sign * random.f64(),
        };
        (0..rows * instance.dim).map(value).collect()
    }

    /// Rows per second, the median of some timings.
    fn measure(
        &self,
        oracle: &Arc<dyn Oracle>,
        theta: &[f64],
        threads: usize,
        work: Work,
    ) -> Result<f64, Failure> {
        let (oracle, plain) = match work {
            Work::Solve => (oracle.clone(), true),
            Work::Cached => (Cache::new(CACHE_BYTES).wrap(oracle.clone()), true),
            Work::Noise | Work::Backward => (oracle.clone(), false),
        };
        let mut sampling = Sampling {
            sense: self.sense,
            threads,
            ..Sampling::default()
        };
        if plain {
            sampling.noise = Arc::new(NoNoise);
            sampling.tau = 0.0.into();
        }
        let rows = theta.len() / oracle.facts().dim;
        let layer = Layer::new(oracle, Imle::default(), sampling)?;
        let ones = vec![1.0; theta.len()];
        let step = |call: u64| -> Result<(), Failure> {
            let saved = layer.forward(theta, call)?;
            saved.states().all_solved()?;
            if matches!(work, Work::Backward) {
                layer.backward(saved, &ones)?.all_solved()?;
            }
            Ok(())
        };
        step(0)?; // workspaces are made, and the cache is filled
        let mut call = 0;
        let mut rates = Vec::with_capacity(TIMINGS);
        for _ in 0..TIMINGS {
            let (start, first) = (Instant::now(), call);
            while start.elapsed() < self.time / TIMINGS as u32 || call == first {
                call += 1;
                step(call)?;
            }
            rates.push((call - first) as f64 * rows as f64 / start.elapsed().as_secs_f64());
        }
        rates.sort_by(f64::total_cmp);
        Ok(rates[TIMINGS / 2])
    }

    fn to_json(&self, instance: &Instance, lines: &[Line]) -> Value {
        let line = |line: &Line| {
            let mut object = json!({"threads": line.threads, "batch": line.batch});
            for ((_, name), rate) in WORK.iter().zip(&line.rates) {
                object[*name] = json!(rate);
            }
            object
        };
        json!({
            "solver": self.instance.solver, "config": instance.config, "dim": instance.dim,
            "rows_per_second": lines.iter().map(line).collect::<Value>(),
        })
    }
}

fn print(lines: &[Line]) -> Result<(), Failure> {
    let names = WORK.iter().map(|(_, name)| *name);
    let mut rows = table(["threads", "rows a batch"].into_iter().chain(names));
    for line in lines {
        let rates = line.rates.iter().map(|rate| format!("{rate:.3e}"));
        let threads = match line.threads {
            0 => "all".to_owned(),
            threads => threads.to_string(),
        };
        rows.add_row([threads, line.batch.to_string()].into_iter().chain(rates));
    }
    print_line(rows)?;
    print_line(
        "Rows per second, medians. `backward` counts a row once, however often it is solved.",
    )
}
