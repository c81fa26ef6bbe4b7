//! The child process of `imle check`: loads the library, does one task, and says what it found.

use std::io::Read;
use std::path::PathBuf;

use imle_api::conformance::{Check, Property};
use imle_runtime::Plugin;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::check::Case;
use super::surroundings::Surroundings;
use crate::arguments::Common;
use crate::failure::{Exit, Failure};
use crate::loading;
use crate::output;

#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Task {
    Describe,
    Test(Job),
}

/// One property of one solver.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Job {
    pub(super) solver: String,
    /// Its place among [`Property::ALL`]; without, that the process is left as it was.
    pub(super) property: Option<usize>,
    pub(super) cases: Vec<Case>,
    pub(super) rows: usize,
    pub(super) seed: u64,
}

/// What a child found.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Finding {
    NotLoaded(String),
    Described(Described),
    Holds,
    /// The process is not as it was.
    Left(String),
    Broken {
        property: String,
        config: String,
        evidence: String,
    },
}

/// What a plugin says of itself.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Described {
    pub(super) name: String,
    pub(super) version: String,
    pub(super) license: Option<String>,
    pub(super) catches_panics: bool,
    pub(super) solvers: Vec<Solver>,
}

/// What a plugin says of a solver.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Solver {
    pub(super) name: String,
    pub(super) summary: String,
    /// Why there is no schema.
    pub(super) no_schema: Option<String>,
    /// The configurations that the schema gives as examples.
    pub(super) examples: Vec<Value>,
}

/// Runs in the child.
pub(crate) fn run_child(common: &Common) -> Result<(), Failure> {
    let failed = |why: std::io::Error| Failure::new(Exit::File, why);
    end_with_the_parent();
    output::keep_from_plugins()?;
    let mut task = String::new();
    std::io::stdin().read_to_string(&mut task).map_err(failed)?;
    let (library, task): (PathBuf, Task) = serde_json::from_str(&task).map_err(Failure::input)?;
    let before = Surroundings::now();
    let finding = match loading::plugin(&library, common) {
        Err(why) => Finding::NotLoaded(why.message),
        Ok(plugin) => match task {
            Task::Describe => Finding::Described(describe(&plugin)),
            Task::Test(job) => test(&plugin, &job, &before),
        },
    };
    let finding = serde_json::to_string(&finding).map_err(Failure::input)?;
    output::print_line(finding)
}

/// Where the system can do that: else an endless loop outlives a check that is interrupted.
fn end_with_the_parent() {
    #[cfg(target_os = "linux")]
    let _ = rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL));
}

fn describe(plugin: &Plugin) -> Described {
    let solver = |solver: &imle_runtime::SolverInfo| {
        let schema = plugin.schema(&solver.name);
        let examples = schema
            .as_ref()
            .ok()
            .and_then(|schema| schema["examples"].as_array());
        Solver {
            name: solver.name.clone(),
            summary: solver.summary.clone(),
            examples: examples.cloned().unwrap_or_default(),
            no_schema: schema.as_ref().err().map(ToString::to_string),
        }
    };
    Described {
        name: plugin.name().to_owned(),
        version: plugin.version().to_owned(),
        license: plugin.license().map(ToOwned::to_owned),
        catches_panics: plugin.catches_panics(),
        solvers: plugin.solvers().map(solver).collect(),
    }
}

fn test(plugin: &Plugin, job: &Job, before: &Surroundings) -> Finding {
    // What is asked of the solver while its surroundings are looked at is most of what there is.
    let property = job.property.and_then(|at| Property::ALL.get(at));
    let asked = property.copied().unwrap_or(Property::Optimality);
    let mut check = Check::new().rows(job.rows).seed(job.seed);
    for case in job.cases.iter().cloned() {
        check = match (case.refuses, case.states) {
            (true, _) => check.refuses(case.config),
            (false, Some(states)) => check.case(case.config, states),
            (false, None) => check.explore(case.config),
        };
    }
    let tested = check.test(asked, |config| plugin.open(&job.solver, config));
    match (property, tested) {
        (None, _) => match before.changed() {
            None => Finding::Holds,
            Some(changes) => Finding::Left(changes),
        },
        (Some(_), Ok(())) => Finding::Holds,
        (Some(_), Err(why)) => Finding::Broken {
            property: why.property().to_owned(),
            config: why.config().to_owned(),
            evidence: why.evidence().to_owned(),
        },
    }
}
