//! Times every integer-programming engine on families whose objective changes from solve to solve.
//!
//! ```sh
//! cargo build --release -p imle-ilp-cbc -p imle-ilp-highs -p imle-ilp-cbc-default
//! cargo run --release --example ilp_families
//! ```
//!
//! Engines whose libraries are not there are named and left out. All of them solve the same objectives in
//! turns, and their objectives are compared. The baseline is good_lp with CBC and CBC's own options, a new
//! model for every objective (`imle-ilp-cbc-default`). `--export` writes models, objectives and times for
//! `reference.py`, which adds solvers from PyPI.

mod export;
mod measure;
mod report;

use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use imle_example_support::ilp_families::{
    Family, assignment, grid, k_subset, knapsack, set_packing, tsp_dfj, tsp_mtz,
};
use measure::{Measured, engines, measure};

/// Times the integer-programming engines on families of programs.
#[derive(Parser)]
struct Options {
    /// Only families whose name contains this.
    #[arg(long, default_value = "")]
    only: String,
    /// Objectives a family.
    #[arg(long, default_value_t = 200)]
    objectives: usize,
    /// The scale of the Gumbel noise around the base of each family.
    #[arg(long, default_value_t = 1.0)]
    sigma: f64,
    /// Objectives that an engine gets in one call before the next one has its turn, as the samples of a row
    /// come together. With 1, every solve begins with caches that the other engines have filled.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..))]
    turn: u32,
    /// Seconds of CPU time after which an engine is done with a family.
    #[arg(long, default_value_t = 20.0)]
    seconds: f64,
    /// Larger problems instead, which show where the embedded engine stops being the right choice.
    #[arg(long)]
    sizes: bool,
    /// Write models, objectives and times into this folder.
    #[arg(long)]
    export: Option<PathBuf>,
    /// Fail if `ilp-native` is below a floor.
    #[arg(long)]
    check: bool,
}

fn main() -> ExitCode {
    match run(&Options::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(why) => {
            eprintln!("error: {why}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> Result<bool, Box<dyn Error>> {
    let engines = engines()?;
    let families = if options.sizes { larger() } else { families() };
    let mut measured: Vec<Measured> = Vec::new();
    for family in families.iter().filter(|f| f.name.contains(&options.only)) {
        eprintln!("{} ...", family.name);
        let thetas = family.thetas(options.sigma, options.objectives);
        let turn = options.turn as usize;
        let result = measure(family, &engines, &thetas, turn, options.seconds)?;
        if let Some(folder) = &options.export {
            export::write(folder, family, &thetas, &result)?;
        }
        measured.push(result);
    }
    println!("{}", report::times(&measured));
    let floors = report::floors(&measured);
    if !options.sizes {
        println!("{}", floors.table);
    }
    let wrong: usize = measured.iter().map(Measured::wrong).sum();
    println!("{wrong} objectives on which engines disagree");
    Ok(wrong == 0 && !(options.check && floors.missed))
}

/// The families of the study.
fn families() -> Vec<Family> {
    vec![
        k_subset("k-subset 20/5", 20, 5),
        assignment("assignment 10", 10),
        tsp_dfj("TSP 8, subtour rows", 8),
        tsp_mtz("TSP 8, order variables", 8),
        grid("grid 12x12, linear", 12, "continuous"),
        grid("grid 12x12, binary", 12, "binary"),
        grid("grid 30x30, linear", 30, "continuous"),
        set_packing("set packing 200x60", 200, 60),
        knapsack("knapsacks 100x5", 100, 5, 100),
    ]
}

fn larger() -> Vec<Family> {
    vec![
        k_subset("k-subset 1000/50", 1000, 50),
        assignment("assignment 20", 20),
        assignment("assignment 30", 30),
        grid("grid 20x20, linear", 20, "continuous"),
        knapsack("knapsacks 200x5", 200, 5, 100),
        set_packing("set packing 400x120", 400, 120),
    ]
}
