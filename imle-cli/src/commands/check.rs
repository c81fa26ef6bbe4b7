//! `imle check`: a plugin held to the contract, each property in a process of its own.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use clap::Args;
use imle_api::conformance::Property;
use indicatif::ProgressBar;
use serde_json::Value;

use super::check_child::{Described, Finding, Job, Solver, Task};
use super::check_process::{self, Ended};
use super::check_report::{Report, Verdict};
use crate::arguments::Common;
use crate::failure::{Exit, Failure};
use crate::files::{json_or_file, read_text};
use crate::instance::parse_seconds;
use crate::output::progress;

pub(crate) use super::check_child::run_child;

/// The property that no other crate knows.
const LEFT_AS_IT_WAS: &str =
    "directory, environment, signals and children of the process are left as they were";

/// Hold a plugin to the contract, in child processes
///
/// Each property is tried in a process of its own, so a crash or an endless loop is a finding like any other.
///
/// What is tried are the configurations of --config and --cases, or else the `examples` in the schema of the solver.
/// Their objective must be <z, theta> alone, without a known part.
/// The states of a small instance over zeros and ones are asked for one by one, and the solver is held to its own
/// account of them; of other instances the states that come back are held against each other. A file of --cases
/// lists the states themselves: [{"config": .., "states": [[..], ..]}, {"config": .., "refuses": true}].
#[derive(Args, Debug)]
pub(crate) struct Check {
    /// The plugin library
    library: PathBuf,
    /// Check only this solver of it
    solver: Option<String>,
    /// A configuration to try: JSON, or the name of a JSON or TOML file; can be given more than once
    #[arg(short, long = "config", value_name = "JSON|FILE")]
    configs: Vec<String>,
    /// A JSON file of configurations with all of their states, or that must be refused
    #[arg(long, value_name = "FILE")]
    cases: Option<PathBuf>,
    /// The rows of theta that are tried on each configuration
    #[arg(long, value_name = "N", default_value_t = 200)]
    rows: usize,
    /// The seed of the thetas
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
    /// The time that each property may take
    #[arg(
        long,
        value_name = "SECONDS",
        default_value = "60",
        value_parser = parse_seconds,
        allow_negative_numbers = true
    )]
    time_limit: Duration,
}

impl Check {
    pub(crate) fn run(&self, common: &Common) -> Result<(), Failure> {
        if !self.library.is_file() {
            let why = match self.library.is_dir() {
                true => "it is a folder; name the library in it",
                false => "there is no such file; was the library built?",
            };
            let message = format!("{}: {why}", self.library.display());
            return Err(Failure::new(Exit::Plugin, message));
        }
        let cases = self.cases()?;
        let mut report = Report::new(common.json);
        let described = self.ask(Task::Describe, common)?;
        report.library(&self.library, &described)?;
        if let Ok(Finding::Described(described)) = described {
            for solver in self.chosen(&described)? {
                self.check_solver(solver, &cases, common, &mut report)?;
            }
        }
        report.end()
    }

    fn chosen<'a>(&self, described: &'a Described) -> Result<Vec<&'a Solver>, Failure> {
        let is_asked =
            |solver: &&Solver| self.solver.as_ref().is_none_or(|name| *name == solver.name);
        let chosen: Vec<&Solver> = described.solvers.iter().filter(is_asked).collect();
        match (&self.solver, chosen.is_empty()) {
            (Some(name), true) => {
                let names: Vec<&str> = described
                    .solvers
                    .iter()
                    .map(|solver| &*solver.name)
                    .collect();
                let message = format!("no solver `{name}` in it; there are: {}", names.join(", "));
                Err(Failure::new(Exit::Plugin, message))
            }
            _ => Ok(chosen),
        }
    }

    fn check_solver(
        &self,
        solver: &Solver,
        cases: &[Case],
        common: &Common,
        report: &mut Report,
    ) -> Result<(), Failure> {
        report.solver(solver)?;
        let cases = match cases.is_empty() {
            false => cases.to_vec(),
            true => solver.examples.iter().cloned().map(Case::explore).collect(),
        };
        if cases.is_empty() {
            let message =
                "there is nothing to try: the schema has no `examples`; give --config or --cases";
            return report.verdict(
                "there is a configuration to try",
                &Verdict::Fails(message.into()),
            );
        }
        let job = |property| Job {
            solver: solver.name.clone(),
            property,
            cases: cases.clone(),
            rows: self.rows,
            seed: self.seed,
        };
        let bar = match common.json {
            true => ProgressBar::hidden(),
            false => progress(Property::ALL.len() + 1, "checking"),
        };
        let properties = Property::ALL.iter().map(ToString::to_string);
        for (at, property) in properties.chain([LEFT_AS_IT_WAS.to_owned()]).enumerate() {
            let task = Task::Test(job((at < Property::ALL.len()).then_some(at)));
            let verdict = verdict(self.ask(task, common)?);
            bar.suspend(|| report.verdict(&property, &verdict))?;
            bar.inc(1);
        }
        bar.finish_and_clear();
        Ok(())
    }

    fn cases(&self) -> Result<Vec<Case>, Failure> {
        let configs = self
            .configs
            .iter()
            .map(|config| json_or_file(config).map(Case::explore));
        let mut cases = configs.collect::<Result<Vec<_>, _>>()?;
        if let Some(path) = &self.cases {
            let read: Vec<Case> = serde_json::from_str(&read_text(path)?)
                .map_err(|why| Failure::input(format!("{}: {why}", path.display())))?;
            cases.extend(read);
        }
        Ok(cases)
    }

    /// Has a child process do a task; an inner error says how the child died.
    fn ask(&self, task: Task, common: &Common) -> Result<Result<Finding, String>, Failure> {
        let failed = |why| Failure::new(Exit::File, format!("cannot start a process: {why}"));
        let program = std::env::current_exe().map_err(failed)?;
        let task = serde_json::to_string(&(&self.library, task)).map_err(Failure::input)?;
        let mut command = Command::new(program);
        command.arg("check-child");
        if let Some(lock) = &common.lock {
            command.arg("--lock").arg(lock);
        }
        let Ended { said, died } =
            check_process::run(command, &task, self.time_limit).map_err(failed)?;
        Ok(match (serde_json::from_str(&said), died) {
            (Ok(finding @ Finding::Broken { .. }), _) | (Ok(finding), None) => Ok(finding),
            (_, Some(died)) => Err(died),
            (Err(_), None) => Err("it ended the process as if all were well".to_owned()),
        })
    }
}

fn verdict(finding: Result<Finding, String>) -> Verdict {
    match finding {
        Ok(Finding::Holds) => Verdict::Holds,
        Ok(Finding::Broken {
            property,
            config,
            evidence,
        }) => Verdict::Fails(format!("{property} fails for {config}: {evidence}")),
        Ok(Finding::NotLoaded(why) | Finding::Left(why)) | Err(why) => Verdict::Fails(why),
        Ok(Finding::Described(_)) => Verdict::Fails("no answer".to_owned()),
    }
}

/// A configuration to try.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Case {
    pub(super) config: Value,
    /// All of its states, if they are known.
    #[serde(default)]
    pub(super) states: Option<Vec<Vec<f64>>>,
    /// Whether it must be refused.
    #[serde(default)]
    pub(super) refuses: bool,
}

impl Case {
    fn explore(config: Value) -> Self {
        Self {
            config,
            states: None,
            refuses: false,
        }
    }
}
