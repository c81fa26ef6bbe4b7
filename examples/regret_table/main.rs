//! The field's benchmark table, with our figures beside the published ones.
//!
//! A linear model predicts the costs of a combinatorial problem from features; each method trains it in its
//! own way, and the regret of its decisions on test problems is what counts. Data, split, model, optimiser
//! and settings are those of whoever published figures: the same should come out, up to the noise of ten seeds.
//!
//! ```sh
//! cargo run --release --example regret_table                                 # the whole grid
//! cargo run --release --example regret_table -- --degrees 4 --methods spo-plus,imle-regret
//! ```
//!
//! Finished cells are kept in the folder, so that a run that was stopped goes on where it was.

mod benchmark;
mod cells;
mod grid;
mod learner;
mod method;
mod output;
mod plots;
mod published;
mod report;
mod state_loss;
mod summary;
mod table;
mod training;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use clap::builder::PossibleValuesParser;
use clap::{Parser, value_parser};
use imle_runtime::{Registry, cargo_library_directory};

use benchmark::Benchmark;
use cells::Cells;
use grid::Grid;
use summary::Summary;

/// Trains every method of the benchmark table and prints our regrets beside the published ones.
#[derive(Debug, Parser)]
#[command(name = "regret_table")]
struct Options {
    /// The problems to learn
    #[arg(long, value_enum, default_value_t = Benchmark::Sp5)]
    benchmark: Benchmark,
    /// Methods, separated by commas; all if not given, over tours those of the published table
    #[arg(long, value_delimiter = ',', value_parser = PossibleValuesParser::new(method::names()))]
    methods: Vec<String>,
    /// Degrees of the polynomial from features to costs, separated by commas; 1,2,4,6 if not given, over tours 4,6
    #[arg(long, value_delimiter = ',', value_parser = value_parser!(u32).range(1..=16))]
    degrees: Vec<u32>,
    /// Number of seeds, from 0 up; the published figures have ten
    #[arg(long, default_value_t = 10, value_parser = value_parser!(u32).range(1..=1000))]
    seeds: u32,
    /// Cells that run side by side; 0 for all cores. Results do not depend on it
    #[arg(long, default_value_t = 0)]
    threads: usize,
    /// Fail if a mean is more than two standard errors from the published one
    #[arg(long)]
    check: bool,
    /// Folder for the finished cells, the table and the report
    #[arg(long, default_value = "out/regret_table", value_name = "DIR")]
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
    let benchmark = options.benchmark;
    let degrees = match &options.degrees[..] {
        [] => benchmark.degrees(),
        degrees => degrees,
    };
    let grid = Grid {
        benchmark,
        methods: method::chosen(benchmark, &options.methods),
        degrees: degrees.to_vec(),
        seeds: options.seeds,
    };
    let mut cells = Cells::open(&options.out)?;
    let trained = grid.fill(&mut cells, &registry, options.threads)?;

    let summaries = grid.summaries(&cells)?;
    println!("{}", table::draw(&summaries, degrees));
    let notes = notes(options);
    println!("{notes}");
    for (title, remark) in table::remarks(&summaries) {
        println!("{title}: {remark}\n");
    }
    let name = benchmark.name();
    let [csv, html] = ["csv", "html"].map(|kind| options.out.join(format!("{name}.{kind}")));
    let page = report::html(benchmark, &summaries, degrees, &notes)?;
    table::write_csv(&csv, name, &summaries)
        .and_then(|()| std::fs::write(&html, page))
        .map_err(|why| format!("cannot write into {}: {why}", options.out.display()))?;
    println!("Wrote {} and {}.", csv.display(), html.display());
    let models: usize = summaries.iter().map(|summary| summary.seeds).sum();
    let before = match models - trained {
        0 => String::new(),
        before => format!("; {before} were there from runs before"),
    };
    println!(
        "Trained {trained} models in {:.1} s{before}.",
        start.elapsed().as_secs_f64()
    );
    if options.check {
        check(&summaries)?;
    }
    Ok(())
}

fn notes(options: &Options) -> String {
    let Options {
        seeds, benchmark, ..
    } = options;
    [
        format!(
            "  Normalized regret on 1000 test problems in percent, mean ± standard deviation over {seeds} seeds."
        ),
        format!(
            "* more than two standard errors from the reference: {}.",
            benchmark.published_by()
        ),
        format!("  {}\n", benchmark.settings()),
    ]
    .join("\n")
}

/// Fails with the cells that are outside their band.
fn check(summaries: &[Summary]) -> Result<(), String> {
    let outside = summaries.iter().filter(|summary| summary.is_outside());
    let names: Vec<String> = outside
        .map(|Summary { method, degree, .. }| format!("{} at degree {degree}", method.name))
        .collect();
    let compared = summaries
        .iter()
        .filter(|summary| summary.published.is_some());
    match (names.is_empty(), compared.count()) {
        (_, 0) => Err("there is no published figure to compare with".to_owned()),
        (true, _) => Ok(()),
        _ => Err(format!("outside two standard errors: {}", names.join(", "))),
    }
}
