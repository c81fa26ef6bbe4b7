//! Integer programs for imle: what the ILP plugins share, whatever the engine behind them.
//!
//! A [`Config`] describes a feasible set by variables and rows, inline or as an LP or MPS file, and says
//! which variables theta addresses; they form the state `z`. A [`Problem`] is that configuration read
//! and checked. [`IlpSolver`] is the [`Solver`](imle_api::Solver) over it: it maximises
//! `<z, theta>` plus a known linear objective, and compares every point that an engine returns with
//! the rows, bounds and kinds of the problem as given.
//!
//! A back end is a small crate: a type that implements [`Backend`], usually by one call of
//! [`through_good_lp`], and `export_plugin!(IlpSolver<ThatType>)`. See `plugins/ilp-microlp`.

#![forbid(unsafe_code)]

mod backend;
mod bounds;
mod check;
mod config;
mod model;
mod modelling;
mod problem;
mod read;

pub use backend::{Backend, IlpSolver, Workspace};
pub use config::{Bound, Config, Infinity, ModelConfig, RowConfig, Sense, Terms, VariableConfig};
pub use model::{Kind, Model, Row, Variable};
pub use modelling::through_good_lp;
pub use problem::Problem;

use imle_api::{Error, ErrorKind};

fn invalid(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::InvalidConfig, message.into())
}
