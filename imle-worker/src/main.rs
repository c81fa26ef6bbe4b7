//! Serves a solver plugin to imle from a process of its own; see `imle_runtime::Isolated`, which starts it.

#![forbid(unsafe_code)]

fn main() -> std::process::ExitCode {
    imle_runtime::serve()
}
