//! Integer programs with [HiGHS](https://highs.dev), relaxation first.
//!
//! The configuration is that of every ILP plugin, [`imle_ilp_model::Config`]. Building this crate compiles HiGHS,
//! which needs cmake, a C++ compiler and libclang, and minutes; the library that results needs only the C++
//! runtime.
//!
//! **Relaxation first.** A workspace keeps the linear relaxation of its model in HiGHS, with the basis of the last
//! solve; from row to row only the costs change. Where the optimum of the relaxation is whole, as it always is
//! for assignments, paths and cardinality, it is the answer. Otherwise the row goes to branch and bound, in a
//! model that good_lp makes for it, because HiGHS keeps too much of an earlier search. The simplex method is the
//! primal one if every column has at most one positive and one negative coefficient and some column has both
//! (arcs of a network), else the dual one.
//!
//! **The same theta, the same state.** What a warm basis leads to can depend on where it came from, so it counts
//! only if it is proven to be the only optimum: every nonbasic column and row that could move would cost at
//! least 1e-6 of it (the largest coefficient of an objective is 32 or more), and continuous values are
//! bounds or integers. Everything else, ties above all, is asked again of a new instance of HiGHS, which
//! costs a few times as much. HiGHS runs on one thread without random or timed decisions. Ties go where its
//! walk from the slack basis, or its search, comes first.
//!
//! **Exactness.** Gaps are zero; rows, bounds and integers are exact to 1e-9 inside HiGHS, or to 1e-7 where it fails
//! at that. States whose scaled objectives differ by less than 1e-7 are ties to it. A point that
//! violates the model, as rounding may, is an error of its row, never a state. Feasibility jump and symmetry
//! detection are off: they take most of the time of a small program. HiGHS is not believed about unbounded programs,
//! some of which it has called infeasible; see [`imle_ilp_model::is_unbounded`].
//!
//! **Limits.** A time limit is HiGHS's own, which it looks at between iterations and nodes. A stop flag is looked at
//! before each row and before each solve of HiGHS, not inside: good_lp has no way to interrupt one. A search ends
//! with [`ErrorKind::LimitReached`] after a million nodes, whatever the limits of the call: memory grows with them.
//!
//! **Threads.** Workspaces are independent and may move between threads: HiGHS has a scheduler for each
//! thread, made when it is missed, and with one thread it has no workers.

#![deny(unsafe_code)]

mod ffi;
mod relaxation;

use good_lp::solvers::highs::{HighsParallelType, HighsProblem, highs};
use good_lp::variable::UnsolvedProblem;
use imle_api::{Error, ErrorKind, Limits, export_plugin};
use imle_ilp_model::{Backend, FreeVariables, IlpSolver, Model, is_unbounded, through_good_lp};

use crate::relaxation::{Answer, Relaxation};

/// The HiGHS engine.
#[derive(Debug)]
pub struct Highs;

/// What HiGHS keeps from row to row: the relaxation and its basis.
#[derive(Debug, Default)]
pub struct Resident(Relaxation);

impl Backend for Highs {
    const NAME: &'static str = "ilp-highs";
    const SUMMARY: &'static str =
        "integer programs, inline or from LP and MPS files; HiGHS on a resident relaxation";
    type Workspace = Resident;

    fn maximise(
        Resident(relaxation): &mut Resident,
        model: &Model,
        objective: &[f64],
        values: &mut Vec<f64>,
        limits: &Limits<'_>,
    ) -> Result<(), Error> {
        match relaxation.maximise(model, objective, values, limits)? {
            Answer::Whole => return Ok(()),
            Answer::Fractional => {}
            // An empty relaxation is not taken for an empty model: an unbounded one has been called empty.
            Answer::None => {
                let engine = |directions: &Model, part: &[f64], direction: &mut Vec<f64>| {
                    search(directions, part, direction, limits)
                };
                if is_unbounded(model, objective, engine)? {
                    search(model, &vec![0.0; objective.len()], values, limits)?;
                    let message = "the objective grows without bound over the feasible set";
                    return Err(Error::new(ErrorKind::Unbounded, message));
                }
            }
        }
        search(model, objective, values, limits)
    }
}

/// How exact HiGHS has to be about rows, bounds and integers, on the first attempt and on the next.
const TOLERANCES: [f64; 2] = [1e-9, 1e-7];

/// After so many nodes the search ends with an error: memory grows with them.
const MOST_NODES: i32 = 1_000_000;

/// Branch and bound, in a new model each time: HiGHS keeps too much of an earlier search.
fn search(
    model: &Model,
    objective: &[f64],
    values: &mut Vec<f64>,
    limits: &Limits<'_>,
) -> Result<(), Error> {
    let attempt = |tolerance: f64, values: &mut Vec<f64>| {
        through_good_lp(
            model,
            objective,
            values,
            limits,
            FreeVariables::Whole,
            |problem| Ok(engine(problem, tolerance, limits)),
        )?;
        model.make_exact(1e-6, values)
    };
    let mut last = Ok(());
    for tolerance in TOLERANCES {
        limits.check()?;
        last = attempt(tolerance, values);
        match &last {
            Err(why) if why.kind() == ErrorKind::BackendFailed => {}
            _ => return last,
        }
    }
    last
}

fn engine(problem: UnsolvedProblem, tolerance: f64, limits: &Limits<'_>) -> HighsProblem {
    let engine = highs(problem)
        .set_threads(1)
        .set_parallel(HighsParallelType::Off)
        .set_option("mip_rel_gap", 0.0)
        .set_option("mip_abs_gap", 0.0)
        .set_option("mip_heuristic_run_feasibility_jump", false)
        .set_option("mip_detect_symmetry", false)
        .set_option("mip_max_nodes", MOST_NODES)
        .set_option("mip_feasibility_tolerance", tolerance)
        .set_option("primal_feasibility_tolerance", tolerance)
        .set_option("dual_feasibility_tolerance", tolerance);
    match limits.time_left() {
        Some(left) => engine.set_time_limit(left.as_secs_f64()),
        None => engine,
    }
}

/// The solver `ilp-highs`.
pub type IlpHighs = IlpSolver<Highs>;

export_plugin!(IlpHighs);
