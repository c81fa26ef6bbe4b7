//! The baseline of the benchmark: what a program that models with good_lp and its CBC gets today, with
//! CBC's options as they are. To learn through CBC take `ilp-cbc`, which promises more.

#![forbid(unsafe_code)]

use good_lp::solvers::coin_cbc::coin_cbc;
use imle_api::{Error, Limits, export_plugin};
use imle_ilp_model::{Backend, FreeVariables, IlpSolver, Model, through_good_lp};

/// CBC by way of good_lp.
#[derive(Debug)]
pub struct CbcDefault;

impl Backend for CbcDefault {
    const NAME: &'static str = "ilp-cbc-default";
    const SUMMARY: &'static str = "the baseline of a benchmark: good_lp with CBC, default options";
    const SERIAL_GROUP: Option<&'static str> = Some("cbc");
    type Workspace = ();

    fn maximise(
        _: &mut (),
        model: &Model,
        objective: &[f64],
        values: &mut Vec<f64>,
        limits: &Limits<'_>,
    ) -> Result<(), Error> {
        let free = FreeVariables::Whole;
        through_good_lp(model, objective, values, limits, free, |problem| {
            Ok(coin_cbc(problem))
        })
    }
}

/// The solver `ilp-cbc-default`.
pub type IlpCbcDefault = IlpSolver<CbcDefault>;

export_plugin!(IlpCbcDefault);
