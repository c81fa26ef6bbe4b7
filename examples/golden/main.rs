//! Runs every case of a vectors file and says which hold.
//!
//! `cargo run --release --example golden -- tests/vectors/imle_vectors.json`
//!
//! What a file may hold is said under `meta` in it and in `own_vectors.json` beside it.

mod cases;

use std::path::PathBuf;
use std::process::ExitCode;

use cases::Verdict;
use clap::Parser;
use imle_runtime::{Registry, cargo_library_directory};
use serde_json::Value;

/// Runs every case of a vectors file: a line each, then the counts. The exit status is 1 if one fails.
#[derive(Parser)]
struct Arguments {
    /// A JSON file in the format of those in tests/vectors.
    file: PathBuf,
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(0) => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(why) => {
            eprintln!("error: {why}");
            ExitCode::FAILURE
        }
    }
}

/// Prints the verdicts and returns the number of failures.
fn run(arguments: &Arguments) -> Result<usize, Box<dyn std::error::Error>> {
    let place = arguments.file.display();
    let text = std::fs::read_to_string(&arguments.file).map_err(|why| format!("{place}: {why}"))?;
    let file: Value = serde_json::from_str(&text).map_err(|why| format!("{place}: {why}"))?;
    let list = file["cases"]
        .as_array()
        .ok_or_else(|| format!("{place}: no array `cases`"))?;
    // SAFETY: the libraries in this directory were built from this workspace.
    let registry = unsafe { Registry::search([cargo_library_directory()?]) }?;
    let (mut ok, mut failed, mut unsupported) = (0, 0, 0);
    for case in list {
        let id = case["id"].as_str().unwrap_or("(no id)");
        match cases::run(case, &registry) {
            Verdict::Ok => {
                ok += 1;
                println!("{id}: ok");
            }
            Verdict::Fail(what) => {
                failed += 1;
                println!("{id}: FAIL {what}");
            }
            Verdict::Unsupported(what) => {
                unsupported += 1;
                println!("{id}: {what}");
            }
        }
    }
    println!("{ok} ok, {failed} failed, {unsupported} unsupported");
    Ok(failed)
}
