//! Integer programs for imle: what the ILP plugins share, whatever the engine behind them.
//!
//! A [`Config`] describes a feasible set by variables and rows, inline or as an LP or MPS file, and says
//! which variables theta addresses; they form the state `z`. A [`Problem`] is that configuration read
//! and checked. [`IlpSolver`] is the [`Solver`](imle_api::Solver) over it: it maximises
//! `<z, theta>` plus a known linear objective, and compares every point that an engine returns with
//! the rows, bounds and kinds of the problem as given.
//!
//! | | `ilp-native` | `ilp-microlp` | `ilp-highs` | `ilp-cbc` |
//! |---|---|---|---|---|
//! | engine | imle's own | microlp 0.6 | HiGHS 1.16 | CBC of the system, e.g. 2.10.8 |
//! | exact up to | a part in 1e10 | a part in 1e9 | 1e-7, objectives scaled to 32 | 1e-6, likewise |
//! | same theta, same state | yes | yes | yes | yes |
//! | threads | any number | any number | any number | one solve at a time in a process |
//! | kept from row to row | model, first basis | nothing | relaxation, last basis | nothing |
//! | time limit | every hundred pivots | between steps | HiGHS's own clock | CBC's own clock, in branch and bound |
//! | stop flag | every hundred pivots | before a row | before each solve of HiGHS | before each solve of CBC |
//! | can end the process | no | no | not seen | yes, by assertions of Debian's build |
//! | nodes of a search | 2^32 | any number | a million | a million |
//! | integers without bounds | within its limits | refused | yes | yes |
//! | licence of the engine | MIT OR Apache-2.0 | Apache-2.0 | MIT, linked statically | EPL-2.0, linked dynamically |
//! | to build | nothing | nothing | cmake, C++ compiler, libclang | coinor-libcbc-dev |
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
mod recession;

pub use backend::{Backend, IlpSolver, Workspace};
pub use config::{Bound, Config, Infinity, ModelConfig, RowConfig, Sense, Terms, VariableConfig};
pub use model::{Kind, Model, Row, Variable};
pub use modelling::{FreeVariables, through_good_lp};
pub use problem::Problem;
pub use recession::is_unbounded;

use imle_api::{Error, ErrorKind};

fn invalid(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::InvalidConfig, message.into())
}
