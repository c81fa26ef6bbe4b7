//! The synthetic experiments of the I-MLE paper (Niepert, Minervini, Franceschi, NeurIPS 2021, Section 6), with
//! the figures of the authors' program beside ours.
//!
//! States have 5 of 10 coordinates set; the loss is the squared distance to a fixed vector. All 252 states can
//! be listed, so the expected loss is known exactly while theta follows estimates of its gradient.
//!
//! ```sh
//! cargo run --release --example synth
//! ```
//!
//! `descent.rs` is the part to read.

mod curves;
mod descent;
mod histograms;
mod problem;
mod sensitivity;
mod table;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use clap::{Parser, value_parser};
use imle_runtime::{Registry, cargo_library_directory};
use serde_json::json;

use problem::{DIM, K, Problem};
use sensitivity::Sensitivity;

/// Runs the synthetic experiments of the I-MLE paper and draws its Figures 2 and 3.
#[derive(Debug, Parser)]
#[command(name = "synth")]
struct Options {
    /// Runs of each setting, each with noise of its own. The paper has 100, where chance moves the map: of its 30
    /// cells 15 to 19 favour Sum-of-Gamma, depending on the seed
    #[arg(long, default_value_t = 1000, value_parser = value_parser!(u32).range(2..=100_000))]
    runs: u32,
    /// Seed of the noise
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Fail if a final gap is more than three standard errors from that of the authors' program
    #[arg(long)]
    check: bool,
    /// Folder for the pictures and tables
    #[arg(long, default_value = "out/synth", value_name = "DIR")]
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
    // SAFETY: the libraries in this folder were built from this workspace.
    let registry = unsafe { Registry::search([cargo_library_directory()?]) }?;
    let oracle = registry.open("k-subset", &json!({"dim": DIM, "k": K}))?;
    let (problem, runs) = (Problem::of_the_paper(), options.runs as usize);
    let states = problem.states();
    println!(
        "{states} states; E[L] cannot go below {:.5}.",
        problem.minimum()
    );

    let mut lines = Vec::new();
    for (method, published) in table::methods() {
        let gaps = method.descend(&problem, &oracle, runs, options.seed)?;
        lines.push(table::Line::new(method, published, &gaps));
    }
    println!("{}", table::draw(&lines));
    println!("{}", table::notes(runs));

    let sensitivity = Sensitivity::measure(&problem, &oracle, runs, options.seed)?;
    println!("{}", sensitivity.sentence());
    let sums = histograms::sums(options.seed)?;
    println!("{}", histograms::sentence(&sums));

    let path = |name| options.out.join(name);
    let pictures = ["curves.svg", "sensitivity.svg", "histograms.svg"].map(path);
    curves::draw(&pictures[0], &lines)
        .and_then(|()| sensitivity.draw(&pictures[1]))
        .and_then(|()| histograms::draw(&pictures[2], &sums))
        .map_err(|why| format!("cannot draw into {}: {why}", options.out.display()))?;
    let (gaps, map) = (path("gaps.csv"), path("sensitivity.csv"));
    std::fs::write(&gaps, table::csv(&lines))
        .and_then(|()| std::fs::write(&map, sensitivity.csv()))
        .map_err(|why| format!("cannot write into {}: {why}", options.out.display()))?;
    for path in pictures.iter().chain([&gaps, &map]) {
        println!("Wrote {}.", path.display());
    }
    println!("Took {:.1} s.", start.elapsed().as_secs_f64());
    if options.check {
        table::check(&lines)?;
    }
    Ok(())
}
