//! What `imle check` prints: a line for each property, and the evidence where one does not hold.

use std::path::Path;

use console::style;
use serde_json::{Value, json};

use super::check_child::{Described, Finding, Solver};
use crate::failure::{Exit, Failure};
use crate::output::{print_json, print_line};

/// What became of a property.
pub(super) enum Verdict {
    Holds,
    /// With the evidence.
    Fails(String),
}

/// Prints as it goes, or collects for JSON.
pub(super) struct Report {
    json: Option<Value>,
    solver: Option<String>,
    passed: usize,
    failed: usize,
}

impl Report {
    pub(super) fn new(json: bool) -> Self {
        Self {
            json: json.then(|| json!({"findings": []})),
            solver: None,
            passed: 0,
            failed: 0,
        }
    }

    /// The library as a whole: whether it loads, and what it says of itself.
    pub(super) fn library(
        &mut self,
        library: &Path,
        described: &Result<Finding, String>,
    ) -> Result<(), Failure> {
        let verdict = match described {
            Ok(Finding::Described(described)) => {
                self.describe(library, described)?;
                Verdict::Holds
            }
            Ok(Finding::NotLoaded(why)) | Err(why) => Verdict::Fails(why.clone()),
            Ok(_) => Verdict::Fails("no answer".to_owned()),
        };
        self.verdict("the library loads, and its tables are right", &verdict)
    }

    fn describe(&mut self, library: &Path, described: &Described) -> Result<(), Failure> {
        let Described {
            name,
            version,
            license,
            catches_panics,
            ..
        } = described;
        if let Some(json) = &mut self.json {
            json["library"] = json!(library);
            json["plugin"] = json!({
                "name": name, "version": version, "license": license, "catches_panics": catches_panics,
            });
            return Ok(());
        }
        print_line(format_args!(
            "{} {version}, {}",
            style(name).bold(),
            library.display()
        ))?;
        if license.is_none() {
            self.note("it declares no licence")?;
        }
        if !catches_panics {
            self.note("a panic ends the process")?;
        }
        Ok(())
    }

    pub(super) fn solver(&mut self, solver: &Solver) -> Result<(), Failure> {
        self.solver = Some(solver.name.clone());
        if self.json.is_none() {
            print_line(format_args!(
                "\n{}: {}",
                style(&solver.name).bold(),
                solver.summary
            ))?;
            if let Some(why) = &solver.no_schema {
                self.note(&format!("its configuration has no schema: {why}"))?;
            }
        }
        Ok(())
    }

    fn note(&self, text: &str) -> Result<(), Failure> {
        print_line(format_args!("  {} {text}", style("note").yellow()))
    }

    pub(super) fn verdict(&mut self, property: &str, verdict: &Verdict) -> Result<(), Failure> {
        let evidence = match verdict {
            Verdict::Holds => {
                self.passed += 1;
                None
            }
            Verdict::Fails(evidence) => {
                self.failed += 1;
                Some(evidence)
            }
        };
        if let Some(json) = &mut self.json {
            let finding = json!({
                "solver": self.solver, "property": property, "holds": evidence.is_none(), "evidence": evidence,
            });
            if let Some(findings) = json["findings"].as_array_mut() {
                findings.push(finding);
            }
            return Ok(());
        }
        match evidence {
            None => print_line(format_args!("  {}   {property}", style("ok").green())),
            Some(evidence) => {
                print_line(format_args!("  {} {property}", style("FAIL").red().bold()))?;
                print_line(format_args!("       {evidence}"))
            }
        }
    }

    /// The summary.
    pub(super) fn end(self) -> Result<(), Failure> {
        let Self {
            passed,
            failed,
            json,
            ..
        } = self;
        match json {
            Some(mut json) => {
                json["passed"] = json!(passed);
                json["failed"] = json!(failed);
                print_json(&json)?;
            }
            None => print_line(format_args!("\n{passed} passed, {failed} failed"))?,
        }
        match failed {
            0 => Ok(()),
            1 => Err(Failure::after_all(Exit::Broken, "1 broken promise")),
            _ => Err(Failure::after_all(
                Exit::Broken,
                format!("{failed} broken promises"),
            )),
        }
    }
}
