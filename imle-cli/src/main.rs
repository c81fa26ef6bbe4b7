//! The program `imle`; see `imle --help`.

#![forbid(unsafe_code)]

use std::process::ExitCode;

fn main() -> ExitCode {
    imle_cli::main()
}
