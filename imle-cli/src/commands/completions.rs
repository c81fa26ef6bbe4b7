//! `imle completions`: a script for a shell.

use clap::Args;
use clap_complete::Shell;
use serde_json::json;

use crate::arguments::{Common, command_line};
use crate::failure::Failure;
use crate::output::{print, print_json};

/// Print a completion script
///
/// For bash: `imle completions bash > ~/.local/share/bash-completion/completions/imle`.
#[derive(Args, Debug)]
pub(crate) struct Completions {
    /// The shell
    shell: Shell,
}

impl Completions {
    pub(crate) fn run(&self, common: &Common) -> Result<(), Failure> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut command_line(), "imle", &mut script);
        let script = String::from_utf8_lossy(&script);
        match common.json {
            true => print_json(&json!({"shell": self.shell.to_string(), "script": script})),
            false => print(script),
        }
    }
}
