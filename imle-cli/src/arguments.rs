//! The command line as clap reads it, and what starts from it.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, CommandFactory, Parser, Subcommand, ValueEnum};
use imle_runtime::Lock;

use crate::commands::{
    bench, check, completions, man, marginals, new, plugins, run, sample, solve, trust,
};
use crate::failure::{EXIT_CODES, Exit, Failure};
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

/// What each does, in a line and in full, is said where it is done.
#[derive(Debug, Subcommand)]
enum Command {
    New(new::New),
    Plugins(plugins::Plugins),
    Check(check::Check),
    #[command(hide = true)]
    CheckChild,
    Solve(solve::Solve),
    Sample(sample::Sample),
    Marginals(marginals::Marginals),
    Bench(bench::Bench),
    Trust(trust::Trust),
    Run(run::Run),
    Completions(completions::Completions),
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
            Self::Completions(completions) => completions.run(common),
            Self::Man(man) => man.run(common),
        }
    }
}

/// Runs the command line of this process; returns its exit code.
#[must_use]
pub fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(why) => return not_understood(&why),
    };
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
            say_in_json(&failure, arguments.common.json);
            let label = console::style("error:").for_stderr().red().bold();
            output::remark(format_args!("{label} {}", failure.message));
            ExitCode::from(failure.exit as u8)
        }
    }
}

/// Prints the help that was asked for, or what is wrong with the command line.
fn not_understood(why: &clap::Error) -> ExitCode {
    let asks_for_json = std::env::args_os().any(|argument| argument == "--json");
    let sentence = why.to_string();
    let sentence = sentence.trim_start_matches("error: ").trim_end();
    let failure = Failure::new(Exit::Usage, sentence);
    say_in_json(&failure, asks_for_json && why.use_stderr());
    // There is no other way left to say that even this could not be written.
    let _ = why.print();
    ExitCode::from(why.exit_code() as u8)
}

fn say_in_json(failure: &Failure, is_asked: bool) {
    if is_asked && !failure.in_json {
        let _ = output::print_json(&failure.to_json()); // likewise
    }
}

/// The command line, for completions and manual pages.
pub(crate) fn command_line() -> clap::Command {
    Arguments::command()
}
