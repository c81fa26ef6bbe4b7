//! Solves rows of theta with any plugin library that follows `imle_plugin.h`.
//!
//! `echo "0.5 2 1" | cargo run --release --example solve -- LIBRARY k-subset '{"dim": 3, "k": 1}'`

use std::io::{self, BufRead, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser;
use imle_runtime::{Error, ErrorKind, Oracle, Plugin, solve_one};

/// Reads rows of theta from standard input, one a line, and prints a line for each: the state that
/// maximises <z, theta>, or `error: ...`.
#[derive(Parser)]
struct Arguments {
    /// The plugin library.
    library: PathBuf,
    /// The name of a solver in it.
    solver: String,
    /// The solver's configuration as JSON.
    config_json: String,
}

fn main() -> ExitCode {
    let oracle = match open(&Arguments::parse()) {
        Ok(oracle) => oracle,
        Err(why) => {
            eprintln!("error: {why}");
            return ExitCode::FAILURE;
        }
    };
    match solve_lines(&*oracle) {
        Ok(()) => ExitCode::SUCCESS,
        // Whoever reads our output has seen enough.
        Err(why) if why.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("error: {why}");
            ExitCode::FAILURE
        }
    }
}

fn open(arguments: &Arguments) -> Result<Arc<dyn Oracle>, Error> {
    // SAFETY: whoever names a library on the command line trusts its code.
    let plugin = unsafe { Plugin::load(&arguments.library) }?;
    plugin.open_json(&arguments.solver, &arguments.config_json)
}

fn solve_lines(oracle: &dyn Oracle) -> io::Result<()> {
    let mut output = io::stdout().lock();
    for line in io::stdin().lock().split(b'\n') {
        let line = line?;
        match parse(&line).and_then(|theta| row(oracle, &theta)) {
            Ok(z) => writeln!(output, "{z}")?,
            Err(why) => writeln!(output, "error: {why}")?,
        }
    }
    output.flush()
}

fn parse(line: &[u8]) -> Result<Vec<f64>, Error> {
    let number = |word: &str| {
        word.parse().map_err(|_| {
            let message = format!("`{word}` is not a number");
            Error::new(ErrorKind::InvalidTheta, message)
        })
    };
    String::from_utf8_lossy(line)
        .split_whitespace()
        .map(number)
        .collect()
}

fn row(oracle: &dyn Oracle, theta: &[f64]) -> Result<String, Error> {
    let dim = oracle.facts().dim;
    if theta.len() != dim {
        let message = format!("the row has {} numbers, not dim = {dim}", theta.len());
        return Err(Error::new(ErrorKind::InvalidTheta, message));
    }
    let (z, _) = solve_one(oracle, theta)?;
    Ok(z.iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(" "))
}
