//! `imle completions`: a script for a shell.

use clap::Args;
use clap_complete::Shell;

use crate::arguments::command_line;
use crate::failure::Failure;
use crate::output::print;

/// For bash: `imle completions bash > ~/.local/share/bash-completion/completions/imle`.
#[derive(Args, Debug)]
pub(crate) struct Completions {
    /// The shell
    shell: Shell,
}

impl Completions {
    pub(crate) fn run(&self) -> Result<(), Failure> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut command_line(), "imle", &mut script);
        print(String::from_utf8_lossy(&script))
    }
}
