//! The main job: learn to predict the costs of shortest paths through a solver that is a plugin.
//!
//! A linear model sees five features and predicts the cost of each of the 40 arcs of a 5x5 grid. It can be
//! fitted to the costs themselves (two-stage), or trained through the solver (I-MLE), so that the path
//! chosen by its predictions is cheap under the true costs. The features explain the costs only in part:
//! what counts is *where* the model errs, and the regret on test problems shows it.
//!
//! ```sh
//! cargo run --release --example shortest_path                         # three seeds
//! cargo run --release --example shortest_path -- --seeds 10 --degree 6
//! ```
//!
//! `train.rs` is the part to read: it is what a program of your own would do.

mod estimator;
mod picture;
mod problems;
mod report;
mod train;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use clap::{Parser, value_parser};
use imle_runtime::{Cache, Registry, cargo_library_directory};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;

use estimator::Solver;
use problems::GRID;
use train::{Method, Run, train};

/// Learns the costs of shortest paths, fitted to costs (two-stage) and through the solver (I-MLE).
#[derive(Debug, Parser)]
#[command(name = "shortest_path")]
struct Options {
    /// Number of seeds; each draws its own problems, model and noise
    #[arg(long, default_value_t = 3, value_parser = value_parser!(u32).range(1..))]
    seeds: u32,
    /// Degree of the polynomial from features to costs: the higher, the less a linear model can fit
    #[arg(long, default_value_t = 4, value_parser = value_parser!(u32).range(1..=32))]
    degree: u32,
    /// Passes over the training problems
    #[arg(long, default_value_t = 20, value_parser = value_parser!(u32).range(1..))]
    epochs: u32,
    /// Samples of I-MLE for each training problem
    #[arg(long, default_value_t = 3, value_parser = value_parser!(u32).range(1..))]
    samples: u32,
    /// Threads; 0 for all cores. Results do not depend on it
    #[arg(long, default_value_t = 0)]
    threads: usize,
    /// Fail if a mean is more than this many points from the reference figures (degrees 4 and 6), or I-MLE
    /// is not better than two-stage
    #[arg(long, value_name = "POINTS")]
    check: Option<f64>,
    /// Folder for the pictures
    #[arg(long, default_value = "out", value_name = "DIR")]
    out: PathBuf,
}

fn main() -> ExitCode {
    match run(&Options::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("error: {why}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> Result<(), Box<dyn std::error::Error>> {
    let start = Instant::now();
    std::fs::create_dir_all(&options.out)
        .map_err(|why| format!("cannot make the folder {}: {why}", options.out.display()))?;
    let solver = open_solver()?;
    let runs = train_all(&solver, options)?;

    println!("{}", report::table(&runs, options));
    println!("{}", report::notes(options));
    let curves = options.out.join("learning_curves.svg");
    let paths = options.out.join("paths.svg");
    picture::learning_curves(&curves, &runs)
        .and_then(|()| picture::paths(&paths, &runs))
        .map_err(|why| format!("cannot draw into {}: {why}", options.out.display()))?;
    println!("Wrote {} and {}.", curves.display(), paths.display());
    println!("Took {:.1} s.", start.elapsed().as_secs_f64());
    if let Some(points) = options.check {
        report::check(&runs, options, points)?;
    }
    Ok(())
}

/// Finds the plugin among the libraries of this workspace and opens the grid.
fn open_solver() -> Result<Solver, imle_runtime::Error> {
    // SAFETY: the libraries in this folder were built from this workspace.
    let registry = unsafe { Registry::search([cargo_library_directory()?]) }?;
    let (height, width) = (GRID.height, GRID.width);
    let grid = json!({"height": height, "width": width, "moves": "right_down"});
    let oracle = registry.open("shortest-path", &json!({"grid": grid, "costs": "edges"}))?;
    let cache = Cache::new(64 << 20);
    Ok(Solver { oracle, cache })
}

/// Trains every method on every seed.
fn train_all(solver: &Solver, options: &Options) -> Result<Vec<Run>, imle_runtime::Error> {
    let epochs = u64::from(options.seeds) * Method::ALL.len() as u64 * u64::from(options.epochs);
    let style = ProgressStyle::with_template("{msg:28} [{bar:40}] {percent:>3} %  {eta} left")
        .expect("the template is well formed")
        .progress_chars("=> ");
    let progress = ProgressBar::new(epochs).with_style(style);
    let mut runs = Vec::new();
    for seed in 0..options.seeds {
        for method in Method::ALL {
            progress.set_message(format!("seed {seed}, {}", method.name()));
            runs.push(train(method, seed, solver, options, || progress.inc(1))?);
        }
    }
    progress.finish_and_clear();
    Ok(runs)
}
