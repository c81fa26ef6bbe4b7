//! Integer programs with [microlp](https://docs.rs/microlp): pure Rust, nothing to install.
//!
//! The configuration is that of every ILP plugin, [`imle_ilp_model::Config`]. The engine is simplex and
//! branch and bound; it is deterministic, so ties depend on theta alone. States whose objectives differ
//! by less than a part in 1e9 are ties to it. It cannot be interrupted inside a row but by a time limit:
//! a stop flag is looked at before each row.

#![forbid(unsafe_code)]

use good_lp::solvers::microlp::microlp;
use good_lp::{WithMipGap, WithTimeLimit};
use imle_api::{Error, ErrorKind, Limits, export_plugin};
use imle_ilp_model::{Backend, FreeVariables, IlpSolver, Model, through_good_lp};

/// The microlp engine.
#[derive(Debug)]
pub struct Microlp;

impl Backend for Microlp {
    const NAME: &'static str = "ilp-microlp";
    const SUMMARY: &'static str = "integer programs, inline or from LP and MPS files; pure Rust";
    // good_lp hands integer bounds to microlp as `i32`, and infinite ones as the ends of that range.
    const LARGEST_INTEGER: f64 = i32::MAX as f64;
    type Workspace = (); // good_lp's models are used up by a solve

    fn maximise(
        _: &mut (),
        model: &Model,
        objective: &[f64],
        values: &mut Vec<f64>,
        limits: &Limits<'_>,
    ) -> Result<(), Error> {
        through_good_lp(
            model,
            objective,
            values,
            limits,
            FreeVariables::Split,
            |problem| {
                let engine = microlp(problem)
                    .with_mip_gap(0.0)
                    .map_err(|why| Error::new(ErrorKind::BackendFailed, why.to_string()))?;
                Ok(match limits.time_left() {
                    Some(time) => engine.with_time_limit(time.as_secs_f64()),
                    None => engine,
                })
            },
        )
    }
}

/// The solver `ilp-microlp`.
pub type IlpMicrolp = IlpSolver<Microlp>;

export_plugin!(IlpMicrolp);
