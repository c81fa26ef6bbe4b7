//! One model in the terms of `good_lp`, for every engine that it speaks to.

use good_lp::solvers::{ObjectiveDirection, SolutionStatus};
use good_lp::variable::UnsolvedProblem;
use good_lp::{
    Expression, ProblemVariables, ResolutionError, Solution, SolverModel, constraint, variable,
};
use imle_api::{Error, ErrorKind, Limits};

use crate::{Model, Row, Variable};

/// Maximises `objective` over `model` with the engine that `engine` makes of a problem without rows.
///
/// `engine` also sets the engine's options: a gap of zero, always, and the time that is left. Errors are told
/// apart as [`Backend::maximise`](crate::Backend::maximise) asks; a point that is not proven optimal is an error.
///
/// # Errors
///
/// See [`Backend::maximise`](crate::Backend::maximise).
pub fn through_good_lp<M>(
    model: &Model,
    objective: &[f64],
    values: &mut Vec<f64>,
    limits: &Limits<'_>,
    free: FreeVariables,
    engine: impl FnOnce(UnsolvedProblem) -> Result<M, Error>,
) -> Result<(), Error>
where
    M: SolverModel<Error = ResolutionError>,
{
    let mut problem = ProblemVariables::new();
    let columns: Vec<Column> = model
        .variables()
        .iter()
        .map(|v| Column::new(v, free, &mut problem))
        .collect();
    let maximised = sum(&columns, objective.iter().copied().enumerate());
    let mut engine = engine(problem.optimise(ObjectiveDirection::Maximisation, maximised))?;
    for row in model.rows() {
        add_row(&mut engine, &columns, row);
    }
    let solution = engine.solve().map_err(|why| failure(why, limits))?;
    match solution.status() {
        // Of an engine that was asked for no gap, a gap is the rounding of its bound.
        SolutionStatus::Optimal | SolutionStatus::GapLimit => {}
        SolutionStatus::TimeLimit => {
            let message = "the time or another limit ran out before a point was proven optimal";
            return Err(Error::new(ErrorKind::LimitReached, message));
        }
    }
    values.clear();
    values.extend(columns.iter().map(|column| column.value(&solution)));
    Ok(())
}

/// How an engine gets the continuous variables without any bound.
///
/// Not every engine is right about them: in random programs microlp 0.6 called some unbounded that are not, and
/// did not return from others. CBC 2.10 is, but lets the two halves of a split one grow together until their
/// difference has lost its digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FreeVariables {
    /// As they are.
    Whole,
    /// As the difference of two variables from 0 on.
    Split,
}

/// A variable as engines get it: `plus`, or `plus - minus` with both from 0 on.
struct Column {
    plus: good_lp::Variable,
    minus: Option<good_lp::Variable>,
}

impl Column {
    fn new(from: &Variable, free: FreeVariables, problem: &mut ProblemVariables) -> Self {
        let (lower, upper) = (from.lower, from.upper);
        if from.is_integral() {
            let plus = problem.add(variable().clamp(lower, upper).integer());
            return Self { plus, minus: None };
        }
        let is_free = (lower, upper) == (f64::NEG_INFINITY, f64::INFINITY);
        if is_free && free == FreeVariables::Split {
            let [plus, minus] = [0, 1].map(|_| problem.add(variable().min(0)));
            return Self {
                plus,
                minus: Some(minus),
            };
        }
        Self {
            plus: problem.add(variable().clamp(lower, upper)),
            minus: None,
        }
    }

    fn value(&self, solution: &impl Solution) -> f64 {
        solution.value(self.plus) - self.minus.map_or(0.0, |minus| solution.value(minus))
    }
}

fn sum(columns: &[Column], terms: impl ExactSizeIterator<Item = (usize, f64)>) -> Expression {
    let mut sum = Expression::with_capacity(terms.len());
    for (at, coefficient) in terms.filter(|term| term.1 != 0.0) {
        sum.add_mul(coefficient, columns[at].plus);
        if let Some(minus) = columns[at].minus {
            sum.add_mul(-coefficient, minus);
        }
    }
    sum
}

fn add_row(engine: &mut impl SolverModel, columns: &[Column], row: &Row) {
    if row.terms.is_empty() {
        return; // `Model::new` has seen that 0 is allowed
    }
    let terms = || sum(columns, row.terms.iter().copied());
    if row.lower == row.upper {
        engine.add_constraint(constraint!(terms() == row.lower));
        return;
    }
    if row.upper.is_finite() {
        engine.add_constraint(constraint!(terms() <= row.upper));
    }
    if row.lower.is_finite() {
        engine.add_constraint(constraint!(terms() >= row.lower));
    }
}

fn failure(why: ResolutionError, limits: &Limits<'_>) -> Error {
    let (kind, message) = match why {
        ResolutionError::Infeasible => (
            ErrorKind::Infeasible,
            "no point satisfies every row and bound".to_owned(),
        ),
        ResolutionError::Unbounded => (
            ErrorKind::Unbounded,
            "the objective grows without bound over the feasible set".to_owned(),
        ),
        // Out of time without a point is one more string to good_lp.
        other => match limits.check() {
            Err(reached) => return reached,
            Ok(()) => (ErrorKind::BackendFailed, other.to_string()),
        },
    };
    Error::new(kind, message)
}
