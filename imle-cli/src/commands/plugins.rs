//! `imle plugins`: the libraries and solvers there are.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use imle_api::abi;
use imle_runtime::{Listing, Plugin, Registry};
use serde_json::{Value, json};

use super::show::Show;
use crate::arguments::Common;
use crate::failure::{Exit, Failure};
use crate::loading;
use crate::output::{print_json, print_line, remark, table};

/// List plugin libraries and their solvers, or show the configuration of one
///
/// Without folders, those of --plugins, and without those the usual ones: $XDG_DATA_HOME/imle/plugins,
/// /usr/local/lib/imle/plugins, /usr/lib/imle/plugins, and the build folder that this program lies in.
#[derive(Args, Debug)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Plugins {
    /// Folders of plugin libraries
    #[arg(value_name = "DIR")]
    searched: Vec<PathBuf>,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    Show(Show),
}

impl Plugins {
    pub(crate) fn run(&self, common: &Common) -> Result<(), Failure> {
        if let Some(Command::Show(show)) = &self.command {
            return show.run(common);
        }
        let mut common = common.clone();
        if !self.searched.is_empty() {
            common.folders.clone_from(&self.searched);
        }
        let registry = loading::registry(&common)?;
        match common.json {
            true => print_json(&to_json(&registry))?,
            false => print(&registry, &common)?,
        }
        match registry.problems().len() {
            0 => Ok(()),
            count => {
                let libraries = if count == 1 { "library" } else { "libraries" };
                let message = format!("{count} {libraries} could not be used");
                Err(Failure::after_all(Exit::Plugin, message))
            }
        }
    }
}

fn print(registry: &Registry, common: &Common) -> Result<(), Failure> {
    let list = registry.list();
    if list.is_empty() {
        remark(format_args!(
            "There are no plugins: {}",
            loading::searched(common)
        ));
    } else {
        let mut lines = table([
            "solver",
            "what it chooses",
            "version",
            "capabilities",
            "licence",
            "library",
        ]);
        for listing in &list {
            let plugin = listing.plugin.as_ref();
            let of_plugin = |text: fn(&Plugin) -> String| plugin.map_or_else(String::new, text);
            lines.add_row([
                listing.name.clone(),
                listing.solver.summary.clone(),
                of_plugin(|plugin| plugin.version().to_owned()),
                capabilities(listing).join(", "),
                of_plugin(|plugin| plugin.license().unwrap_or("not declared").to_owned()),
                of_plugin(|plugin| plugin.path().display().to_string()),
            ]);
        }
        print_line(lines)?;
    }
    for problem in registry.problems() {
        remark(format_args!("not loaded: {}", problem.message()));
    }
    Ok(())
}

/// What a solver can do, and what it cannot.
pub(super) fn capabilities(listing: &Listing) -> Vec<String> {
    let mut capabilities = Vec::new();
    let plugin = listing.plugin.as_ref();
    let has_marginals = plugin.is_some_and(|plugin| {
        let table = plugin.extension(&listing.solver.name, abi::MARGINALS);
        matches!(table, Ok(Some(_)))
    });
    if has_marginals {
        capabilities.push("exact marginals".to_owned());
    }
    if let Some(group) = &listing.solver.serial_group {
        capabilities.push(format!("one call at a time (`{group}`)"));
    }
    if plugin.is_some_and(|plugin| !plugin.catches_panics()) {
        capabilities.push("a panic ends the process".to_owned());
    }
    capabilities
}

fn to_json(registry: &Registry) -> Value {
    let solver = |listing: &Listing| {
        let plugin = listing.plugin.as_ref();
        json!({
            "name": listing.name,
            "summary": listing.solver.summary,
            "plugin": plugin.map(Plugin::name),
            "version": plugin.map(Plugin::version),
            "license": plugin.and_then(Plugin::license),
            "catches_panics": plugin.map(Plugin::catches_panics),
            "serial_group": listing.solver.serial_group,
            "capabilities": capabilities(listing),
            "library": plugin.map(Plugin::path),
        })
    };
    let problems = registry
        .problems()
        .iter()
        .map(|problem| problem.message().to_owned());
    json!({
        "solvers": registry.list().iter().map(solver).collect::<Value>(),
        "problems": problems.collect::<Value>(),
    })
}
