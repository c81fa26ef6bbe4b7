//! `imle plugins show`: one solver, its configuration, and an example.

use std::path::PathBuf;

use clap::Args;
use imle_runtime::{Facts, Listing, Plugin, Registry, ThetaDomain};
use serde_json::{Value, json};

use super::plugins::capabilities;
use super::schema::{Key, keys};
use crate::arguments::Common;
use crate::failure::{Exit, Failure};
use crate::loading;
use crate::output::{print_json, print_line, table};

/// Show what a solver is and how it is configured, with an example that works
#[derive(Args, Debug)]
pub(crate) struct Show {
    /// The name of the solver
    solver: String,
    /// Load only this library
    #[arg(long, value_name = "FILE")]
    library: Option<PathBuf>,
}

impl Show {
    pub(crate) fn run(&self, common: &Common) -> Result<(), Failure> {
        let registry = match &self.library {
            None => loading::registry(common)?,
            Some(library) => {
                let registry = Registry::new();
                registry.add(&loading::plugin(library, common)?)?;
                registry
            }
        };
        let list = registry.list();
        let Some(listing) = list.iter().find(|listing| listing.name == self.solver) else {
            let names: Vec<&str> = list.iter().map(|listing| &*listing.name).collect();
            let mut message = format!("no solver `{}`", self.solver);
            if !names.is_empty() {
                message = format!("{message}; there are: {}", names.join(", "));
            }
            return Err(match &self.library {
                None => loading::not_found(&message, common),
                Some(_) => Failure::new(Exit::Plugin, message),
            });
        };
        let schema = match &listing.plugin {
            Some(plugin) => plugin.schema(&listing.solver.name)?,
            None => Value::Null,
        };
        let examples = Example::all(&registry, &self.solver, &schema)?;
        match common.json {
            true => print_json(&self.to_json(listing, &schema, &examples)),
            false => print(listing, &schema, &examples),
        }
    }

    fn to_json(&self, listing: &Listing, schema: &Value, examples: &[Example]) -> Value {
        let key = |key: &Key| {
            json!({
                "key": key.path, "type": key.kind, "required": key.required,
                "default": key.default, "meaning": key.meaning,
            })
        };
        let example =
            |example: &Example| json!({"config": example.config, "dim": example.facts.dim});
        json!({
            "name": self.solver,
            "summary": listing.solver.summary,
            "library": listing.plugin.as_ref().map(Plugin::path),
            "version": listing.plugin.as_ref().map(Plugin::version),
            "capabilities": capabilities(listing),
            "keys": keys(schema).iter().map(key).collect::<Value>(),
            "examples": examples.iter().map(example).collect::<Value>(),
            "schema": schema,
        })
    }
}

/// A configuration from the schema that was opened: it works.
struct Example {
    config: Value,
    facts: Facts,
}

impl Example {
    fn all(registry: &Registry, solver: &str, schema: &Value) -> Result<Vec<Self>, Failure> {
        let configs = schema.get("examples").and_then(Value::as_array);
        let open = |config: &Value| {
            let oracle = registry.open(solver, config).map_err(|why| {
                let place = format!("the plugin's own example {config} does not work");
                Failure::from(why).within(place)
            })?;
            Ok(Self {
                config: config.clone(),
                facts: oracle.facts(),
            })
        };
        configs.into_iter().flatten().map(open).collect()
    }
}

fn print(listing: &Listing, schema: &Value, examples: &[Example]) -> Result<(), Failure> {
    let bold = |text: &str| console::style(text.to_owned()).bold();
    print_line(format_args!(
        "{}: {}",
        bold(&listing.name),
        listing.solver.summary
    ))?;
    if let Some(plugin) = &listing.plugin {
        let license = plugin.license().unwrap_or("not declared");
        print_line(format_args!(
            "{} {}, licence {license}",
            plugin.name(),
            plugin.version()
        ))?;
        print_line(plugin.path().display())?;
    }
    for capability in capabilities(listing) {
        print_line(format_args!("- {capability}"))?;
    }
    let mut lines = table(["key", "type", "default", "meaning"]);
    for key in keys(schema) {
        let default = match (&key.default, key.required) {
            (Some(default), _) => default.to_string(),
            (None, true) => "required".to_owned(),
            (None, false) => String::new(),
        };
        lines.add_row([key.path, key.kind, default, key.meaning]);
    }
    print_line(format_args!("\n{lines}"))?;
    for Example { config, facts } in examples {
        print_line(format_args!("\nAn example: {}", sentence(facts)))?;
        print_line(format_args!("  --config '{config}'"))?;
    }
    if examples.is_empty() {
        print_line("\nThe schema has no `examples`.")?;
    }
    Ok(())
}

/// What holds for the states of an instance.
fn sentence(facts: &Facts) -> String {
    let Facts {
        dim,
        z_lower,
        z_upper,
        ..
    } = facts;
    let values = match (facts.integral, *z_lower, *z_upper) {
        (true, 0.0, 1.0) => "zeros and ones".to_owned(),
        (true, ..) => format!("integers from {z_lower} to {z_upper}"),
        (false, ..) => format!("numbers from {z_lower} to {z_upper}"),
    };
    let ones = facts
        .ones
        .map_or_else(String::new, |ones| format!(", which sum to {ones}"));
    let domain = match facts.theta_domain {
        ThetaDomain::Any => "",
        ThetaDomain::NonPositive => "; theta must not be positive, so costs are `--sense minimize`",
    };
    format!("states of {dim} {values}{ones}{domain}")
}
