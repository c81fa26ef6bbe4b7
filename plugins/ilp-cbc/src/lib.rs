//! Integer programs with [CBC](https://github.com/coin-or/Cbc) of COIN-OR.
//!
//! The configuration is that of every ILP plugin, [`imle_ilp_model::Config`]. CBC is the system's:
//! `coinor-libcbc-dev` on Debian.
//!
//! **What CBC 2.10.8 gets wrong, and what is done.** In random small programs, as they stand:
//!
//! - It called unbounded programs infeasible. It is not asked any more: see
//!   [`imle_ilp_model::is_unbounded`], and then only for a point.
//! - With its preprocessing it returned points that violate rows by whole units, suboptimal points and
//!   false infeasibility where there are general integers. Preprocessing is off.
//! - It counts 0.9999998 as 1, and continuous values that fit the one miss a row, or the optimum, with the other. So
//!   the integers are rounded and fixed, and it is asked for the rest.
//! - A model that was solved once keeps its cutoff and its bounds. Every solve gets a new model.
//! - An assertion in Clp's `crunch` ended the process where a model had at most two rows and two columns (Clp issue
//!   288, Cbc issues 684 and 738). Models get a third column, fixed at zero, and the heuristics, which make such
//!   models of larger ones, are off.
//!
//! Where the optimum of the linear relaxation is whole, it is the answer; otherwise branch and bound
//! decides. A point that violates the model in spite of all is asked for again without cuts, and then it is an
//! error of its row, never a state.
//!
//! **Promises.** Gaps are zero; states whose scaled objectives differ by less than 1e-6 are ties. Nothing is kept from
//! row to row, so the same theta gives the same state. CBC is not thread-safe: the host runs one
//! solve at a time in the process, whatever the number of threads, also across libraries that declare the
//! serial group `libCbcSolver`.
//!
//! **This engine can end the process.** Debian builds CBC with assertions, and one that fails calls `abort`: no error
//! of a row, no unwinding. The one that was met is avoided, as above; there are others in its code. Where a process
//! must live, let this engine run in another one, or take another engine.
//!
//! **Limits.** The time limit is passed to CBC with its fraction of a second, and is looked at in branch and bound,
//! not inside a linear program. A stop flag is looked at before each solve of CBC. A search ends with
//! [`ErrorKind::LimitReached`] after a million nodes, whatever the limits of the call: memory grows with them.

#![forbid(unsafe_code)]

use good_lp::solvers::coin_cbc::coin_cbc;
use imle_api::{Error, ErrorKind, Limits, export_plugin};
use imle_ilp_model::{
    Backend, FreeVariables, IlpSolver, Kind, Model, Variable, is_unbounded, through_good_lp,
};

/// How far from an integer a value may be that is an integer up to rounding.
const ROUNDING: f64 = 1e-9;
/// How far CBC itself may be from an integer.
const INTEGRALITY: f64 = 1e-6;

/// The CBC engine.
#[derive(Debug)]
pub struct Cbc;

/// What is kept from row to row: the model without its integrality, for CBC keeps nothing well.
#[derive(Debug, Default)]
pub struct Relaxation(Option<Model>);

impl Backend for Cbc {
    const NAME: &'static str = "ilp-cbc";
    const SUMMARY: &'static str =
        "integer programs, inline or from LP and MPS files; CBC, one solve at a time";
    // CBC is not thread-safe, and the lock of its binding is one for each library that links it.
    const SERIAL_GROUP: Option<&'static str> = Some("libCbcSolver");
    type Workspace = Relaxation;

    fn maximise(
        Relaxation(relaxation): &mut Relaxation,
        model: &Model,
        objective: &[f64],
        values: &mut Vec<f64>,
        limits: &Limits<'_>,
    ) -> Result<(), Error> {
        let engine = |directions: &Model, part: &[f64], direction: &mut Vec<f64>| {
            solve(directions, part, direction, limits, &[])
        };
        if is_unbounded(model, objective, engine)? {
            search(model, &vec![0.0; objective.len()], values, limits)?;
            let message = "the objective grows without bound over the feasible set";
            return Err(Error::new(ErrorKind::Unbounded, message));
        }
        if relaxation.is_none() {
            *relaxation = Some(with_variables(model, |_, variable| Variable {
                kind: Kind::Continuous,
                ..variable.clone()
            })?);
        }
        if let Some(relaxation) = relaxation {
            let solved = solve(relaxation, objective, values, limits, &[]);
            if solved.is_ok() && model.make_exact(ROUNDING, values).is_ok() {
                return Ok(());
            }
        }
        search(model, objective, values, limits)
    }
}

/// Branch and bound without what makes smaller models of a model: see `FEWEST_COLUMNS`.
const WHOLE: [(&str, &str); 2] = [("preprocess", "off"), ("heur", "off")];
/// The options of branch and bound, on the first attempt and on the next.
const ATTEMPTS: [&[(&str, &str)]; 2] = [&WHOLE, &[WHOLE[0], WHOLE[1], ("cuts", "off")]];
/// Clp asserts that scratch numbers, of which 2 is one, are below the number of rows or of columns.
const FEWEST_COLUMNS: usize = 3;
/// After so many nodes the search ends with an error: memory grows with them.
const MOST_NODES: &str = "1000000";

/// Branch and bound.
fn search(
    model: &Model,
    objective: &[f64],
    values: &mut Vec<f64>,
    limits: &Limits<'_>,
) -> Result<(), Error> {
    let mut last = Ok(());
    for options in ATTEMPTS {
        limits.check()?;
        last = solve(model, objective, values, limits, options)
            .and_then(|()| finish(model, objective, values, limits));
        match &last {
            Err(why) if matches!(why.kind(), ErrorKind::BackendFailed | ErrorKind::Unbounded) => {}
            _ => return last,
        }
    }
    last
}

/// Rounds the integers, and solves for the rest once more: it fits what CBC took for integers.
fn finish(
    model: &Model,
    objective: &[f64],
    values: &mut Vec<f64>,
    limits: &Limits<'_>,
) -> Result<(), Error> {
    if model.variables().iter().all(Variable::is_integral) {
        return model.make_exact(INTEGRALITY, values);
    }
    let found = values.clone();
    let rest = with_variables(model, |at, variable| {
        let value = found[at].round().clamp(variable.lower, variable.upper);
        match variable.is_integral() {
            true => Variable {
                kind: Kind::Continuous,
                lower: value,
                upper: value,
                ..variable.clone()
            },
            false => variable.clone(),
        }
    })?;
    if solve(&rest, objective, values, limits, &[]).is_err() {
        values.clone_from(&found);
    }
    model.make_exact(INTEGRALITY, values)
}

/// The same rows over other variables.
fn with_variables(
    model: &Model,
    variable: impl Fn(usize, &Variable) -> Variable,
) -> Result<Model, Error> {
    let variables = model.variables().iter().enumerate();
    let variables = variables.map(|(at, from)| variable(at, from)).collect();
    Model::new(variables, model.rows().to_vec())
}

fn solve(
    model: &Model,
    objective: &[f64],
    values: &mut Vec<f64>,
    limits: &Limits<'_>,
    options: &[(&str, &str)],
) -> Result<(), Error> {
    let columns = model.variables().len();
    if columns < FEWEST_COLUMNS {
        let mut objective = objective.to_vec();
        objective.resize(FEWEST_COLUMNS, 0.0);
        solve(&padded(model)?, &objective, values, limits, options)?;
        values.truncate(columns);
        return Ok(());
    }
    let engine = |problem| {
        let mut engine = coin_cbc(problem);
        for (key, value) in options {
            engine.set_parameter(key, value);
        }
        engine.set_parameter("ratioGap", "0");
        engine.set_parameter("allowableGap", "0");
        // By default it stops 6e-7 below the best where theta is small beside a known objective.
        engine.set_parameter("increment", "1e-12");
        engine.set_parameter("dualTolerance", "1e-9");
        engine.set_parameter("maxNodes", MOST_NODES);
        if let Some(left) = limits.time_left() {
            engine.set_parameter("timeMode", "elapsed");
            engine.set_parameter("sec", &left.as_secs_f64().to_string());
        }
        Ok(engine)
    };
    through_good_lp(
        model,
        objective,
        values,
        limits,
        FreeVariables::Whole,
        engine,
    )
    .map_err(|why| {
        // What good_lp says of every limit but the time.
        if why.message().contains("Stopped") {
            let message = format!("no point was proven optimal within {MOST_NODES} nodes");
            return Error::new(ErrorKind::LimitReached, message);
        }
        why
    })
}

/// The same model with columns more that are fixed at zero.
fn padded(model: &Model) -> Result<Model, Error> {
    let mut variables = model.variables().to_vec();
    let longest = variables.iter().map(|variable| variable.name.len()).max();
    let stem = "_".repeat(longest.unwrap_or(0)); // no name is longer: the next ones are new
    for at in variables.len()..FEWEST_COLUMNS {
        variables.push(Variable {
            name: format!("{stem}{at}"),
            kind: Kind::Continuous,
            lower: 0.0,
            upper: 0.0,
        });
    }
    Model::new(variables, model.rows().to_vec())
}

/// The solver `ilp-cbc`.
pub type IlpCbc = IlpSolver<Cbc>;

export_plugin!(IlpCbc);
