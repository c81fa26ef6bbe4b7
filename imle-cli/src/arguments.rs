//! The command line as clap reads it, and what starts from it.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, CommandFactory, Parser, Subcommand, ValueEnum};
use imle_runtime::Lock;

use crate::commands::{
    bench, check, completions, man, marginals, new, plugins, run, sample, solve, trust,
};
use crate::failure::{EXIT_CODES, Failure};
use crate::output;

/// Learn through combinatorial solvers: list, check and start solver plugins; solve, sample and run layers.
///
/// Theta and all other arrays are .npy or CSV files, a row each line; `-` is standard input or output.
/// A solver's configuration is JSON, or the name of a JSON or TOML file; `imle plugins show SOLVER` lists its keys.
#[derive(Debug, Parser)]
#[command(name = "imle", version, after_help = EXIT_CODES, after_long_help = EXIT_CODES)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) common: Common,
    #[command(subcommand)]
    command: Command,
}

/// What every command understands.
#[derive(Args, Clone, Debug)]
pub(crate) struct Common {
    /// Print JSON instead of text
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// A folder of plugin libraries; can be given more than once. Without any, the usual folders are searched
    #[arg(
        long = "plugins",
        value_name = "DIR",
        global = true,
        env = "IMLE_PLUGIN_PATH",
        value_delimiter = ':'
    )]
    pub(crate) folders: Vec<PathBuf>,
    /// A lock file: only plugins that it lists are loaded
    #[arg(long, value_name = "FILE", global = true, env = Lock::VARIABLE)]
    pub(crate) lock: Option<PathBuf>,
    /// Colours; without, where the output is a terminal
    #[arg(long, value_name = "WHEN", global = true, default_value = "auto")]
    pub(crate) color: When,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum When {
    Auto,
    Always,
    Never,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Start a plugin project that builds and passes its check, in Rust or in C
    New(new::New),
    /// List plugin libraries and their solvers, or show the configuration of one
    Plugins(plugins::Plugins),
    /// Hold a plugin to the contract, in child processes
    Check(check::Check),
    #[command(hide = true)]
    CheckChild,
    /// Find the state with the largest <z, theta> for each row
    Solve(solve::Solve),
    /// Sample states under noise
    Sample(sample::Sample),
    /// Estimate the marginals of each row, or compute them where the solver can
    Marginals(marginals::Marginals),
    /// Measure rows per second over threads and batch sizes, with noise and with a cache
    Bench(bench::Bench),
    /// List a library in imle-plugins.lock, without running its code
    Trust(trust::Trust),
    /// Run a layer that a file describes, forward and backward
    Run(run::Run),
    /// Print a completion script
    Completions(completions::Completions),
    /// Print the manual page, or write all of them to a folder
    Man(man::Man),
}

impl Command {
    fn run(&self, common: &Common) -> Result<(), Failure> {
        match self {
            Self::New(new) => new.run(common),
            Self::Plugins(plugins) => plugins.run(common),
            Self::Check(check) => check.run(common),
            Self::CheckChild => check::run_child(common),
            Self::Solve(solve) => solve.run(common),
            Self::Sample(sample) => sample.run(common),
            Self::Marginals(marginals) => marginals.run(common),
            Self::Bench(bench) => bench.run(common),
            Self::Trust(trust) => trust.run(common),
            Self::Run(run) => run.run(common),
            Self::Completions(completions) => completions.run(),
            Self::Man(man) => man.run(),
        }
    }
}

/// Runs the command line of this process; returns its exit code.
#[must_use]
pub fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match arguments.common.color {
        When::Auto => {}
        when => {
            console::set_colors_enabled(when == When::Always);
            console::set_colors_enabled_stderr(when == When::Always);
        }
    }
    match arguments.command.run(&arguments.common) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            if arguments.common.json && !failure.in_json {
                // There is no other way left to say that even this could not be written.
                let _ = output::print_json(&failure.to_json());
            }
            let label = console::style("error:").for_stderr().red().bold();
            output::remark(format_args!("{label} {}", failure.message));
            ExitCode::from(failure.exit as u8)
        }
    }
}

/// The command line, for completions and manual pages.
pub(crate) fn command_line() -> clap::Command {
    Arguments::command()
}
