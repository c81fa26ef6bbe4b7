//! The command line `imle`: solver plugins listed, checked, started and trusted; rows solved and sampled, layers run,
//! from files to files.
//!
//! `imle --help` lists the commands. Each is a file in `commands/`. What they share:
//!
//! - `arguments.rs`, the command line as clap reads it;
//! - `loading.rs`, where plugins come from, and the only place that loads one;
//! - `instance.rs` and `sampling_options.rs`, what several commands are told about a solver and its noise;
//! - [`arrays`], `.npy` and CSV;
//! - `paths.rs`, what is looked at before files are read and written;
//! - `failure.rs`, why a command ends early, and its exit code.

#![deny(unsafe_code)]

mod arguments;
pub mod arrays;
mod commands;
mod failure;
mod files;
mod instance;
#[allow(unsafe_code)]
mod loading;
mod output;
mod paths;
mod sampling_options;

pub use arguments::main;
