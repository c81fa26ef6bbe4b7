//! The contract between imle and its solver plugins.
//!
//! An *oracle* answers one question: which state `z` of this problem maximises `<z, theta>`? A *plugin*
//! is a crate that implements [`Solver`] in safe Rust and ends with [`export_plugin!`]; a C compiler and
//! `include/imle_plugin.h` do as well. This crate holds what both sides of that boundary agree on:
//!
//! - [`Solver`], what a plugin author writes, and [`Oracle`], what everything else calls;
//! - [`Error`], one type for both sides;
//! - [`Linked`], a solver as an oracle without a library in between;
//! - [`conformance`], the law of the contract as a test that a plugin runs on itself;
//! - [`abi`], the C structs, for those who write a host or check a layout.
//!
//! Read [`writing_a_solver`] or `oracle.rs` first, then `plugins/k-subset/src/lib.rs`.

#![deny(unsafe_code)]

#[allow(unsafe_code)]
pub mod abi;
mod closure;
mod config;
pub mod conformance;
mod error;
#[allow(unsafe_code)]
mod export;
mod integers;
mod limits;
mod linked;
mod marginals;
mod numbers;
mod oracle;
mod serial;

pub use closure::FnOracle;
pub use config::read_config;
pub use error::{Error, ErrorKind};
pub use integers::to_integers;
pub use limits::{Limits, StopFlag};
pub use linked::Linked;
pub use marginals::MarginalsFn;
pub use numbers::{first_not_finite, inner_product};
pub use oracle::{
    Facts, Identity, Oracle, Outcome, Proof, Solved, Solver, ThetaDomain, check_theta, solve_one,
    unset,
};
pub use serial::in_serial_group;

#[doc = include_str!("../WRITING_A_SOLVER.md")]
pub mod writing_a_solver {}

/// Used by generated code; not public API.
#[doc(hidden)]
pub mod private {
    pub use crate::export::{Export, OnceExport, solver_table};
}
