//! The child process of `imle check`: loads the library, does one task, and says what it found.

use std::io::{Read, Write};
use std::path::PathBuf;
use std::process::{Child, ExitStatus};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use imle_api::conformance::{Check, Property};
use imle_runtime::Plugin;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::check::Case;
use crate::arguments::Common;
use crate::failure::{Exit, Failure};
use crate::loading;

/// How often a child that has closed its output is looked at.
const LOOK: Duration = Duration::from_millis(10);

#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Task {
    Describe,
    Test(Job),
}

/// One property of one solver.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Job {
    pub(super) solver: String,
    /// Its place among [`Property::ALL`].
    pub(super) property: usize,
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

/// Runs in the child. The plugin may print what it likes: its standard output is our standard error.
pub(crate) fn run_child(common: &Common) -> Result<(), Failure> {
    let failed = |why: std::io::Error| Failure::new(Exit::File, why);
    let mut report = private_output().map_err(failed)?;
    let mut task = String::new();
    std::io::stdin().read_to_string(&mut task).map_err(failed)?;
    let (library, task): (PathBuf, Task) = serde_json::from_str(&task).map_err(Failure::input)?;
    let finding = match loading::plugin(&library, common) {
        Err(why) => Finding::NotLoaded(why.message),
        Ok(plugin) => match task {
            Task::Describe => Finding::Described(describe(&plugin)),
            Task::Test(job) => test(&plugin, &job)?,
        },
    };
    let finding = serde_json::to_string(&finding).map_err(Failure::input)?;
    writeln!(report, "{finding}").map_err(failed)
}

/// Standard output as it was given to us, out of the plugin's reach by that name.
#[cfg(unix)]
fn private_output() -> std::io::Result<std::fs::File> {
    use std::os::fd::AsFd;
    let own = std::io::stdout().as_fd().try_clone_to_owned()?;
    rustix::stdio::dup2_stdout(std::io::stderr())?;
    Ok(own.into())
}

#[cfg(not(unix))]
fn private_output() -> std::io::Result<std::io::Stdout> {
    Ok(std::io::stdout())
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

fn test(plugin: &Plugin, job: &Job) -> Result<Finding, Failure> {
    let property = Property::ALL.get(job.property).copied();
    let property = property.ok_or_else(|| Failure::input("there is no such property"))?;
    let mut check = Check::new().rows(job.rows).seed(job.seed);
    for case in job.cases.iter().cloned() {
        check = match (case.refuses, case.states) {
            (true, _) => check.refuses(case.config),
            (false, Some(states)) => check.case(case.config, states),
            (false, None) => check.explore(case.config),
        };
    }
    Ok(
        match check.test(property, |config| plugin.open(&job.solver, config)) {
            Ok(()) => Finding::Holds,
            Err(why) => Finding::Broken {
                property: why.property().to_owned(),
                config: why.config().to_owned(),
                evidence: why.evidence().to_owned(),
            },
        },
    )
}

/// Runs in the parent: hands the task over, waits, and kills what takes too long. Returns what the child said, and how it
/// died if it did.
pub(super) fn watch(mut child: Child, task: &str, limit: Duration) -> (String, Option<String>) {
    let deadline = Instant::now() + limit;
    if let Some(mut input) = child.stdin.take() {
        // A child that is dead already is seen below.
        let _ = input.write_all(task.as_bytes());
    }
    let (sender, receiver) = mpsc::channel();
    if let Some(mut output) = child.stdout.take() {
        std::thread::spawn(move || {
            let mut said = String::new();
            let _ = output.read_to_string(&mut said);
            let _ = sender.send(said);
        });
    }
    let said = receiver.recv_timeout(limit);
    let status = wait_until(&mut child, deadline);
    let Some(status) = status else {
        let _ = child.kill();
        let _ = child.wait();
        let seconds = limit.as_secs_f64();
        let died = format!("it did not end within {seconds} s, and was killed");
        return (said.unwrap_or_default(), Some(died));
    };
    (
        said.unwrap_or_default(),
        (!status.success()).then(|| how(status)),
    )
}

fn wait_until(child: &mut Child, deadline: Instant) -> Option<ExitStatus> {
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return Some(status),
            Ok(None) if Instant::now() < deadline => std::thread::sleep(LOOK),
            _ => return None,
        }
    }
}

/// How a process ended that should not have.
fn how(status: ExitStatus) -> String {
    #[cfg(unix)]
    {
        use std::os::unix::process::ExitStatusExt;
        if let Some(signal) = status.signal() {
            let name = nix::sys::signal::Signal::try_from(signal)
                .map_or_else(|_| format!("signal {signal}"), |signal| signal.to_string());
            return format!("the process was ended by {name}");
        }
    }
    match status.code() {
        Some(code) => format!("it ended the process with exit code {code}"),
        None => "the process ended".to_owned(),
    }
}
