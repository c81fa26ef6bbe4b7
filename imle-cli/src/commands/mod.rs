//! The commands, one a file.

pub(crate) mod bench;
pub(crate) mod check;
mod check_child;
mod check_process;
mod check_report;
pub(crate) mod completions;
mod explain;
pub(crate) mod man;
pub(crate) mod marginals;
pub(crate) mod new;
mod plot;
pub(crate) mod plugins;
mod rows;
pub(crate) mod run;
mod run_files;
pub(crate) mod sample;
mod schema;
mod show;
pub(crate) mod solve;
mod surroundings;
pub(crate) mod trust;
