//! The relaxation of a model: linear, resident, with a warm basis.

use std::ffi::CStr;

use imle_api::{Error, ErrorKind, Limits};
use imle_ilp_model::Model;

use crate::ffi::{LinearProgram, Resident, Standing, Status, Value, Vertex};

/// How far from an integer a value at a vertex may be that is an integer up to rounding.
const ROUNDING: f64 = 1e-9;
/// By how much leaving a vertex must cost, per unit of the variable or row that moves, before the vertex counts
/// as the only optimum. A thousand times what HiGHS takes for optimal; objectives are scaled to 32 or more.
const STRICT: f64 = 1e-6;

/// What the relaxation says about an objective.
#[derive(Debug)]
pub(crate) enum Answer {
    /// The maximum of the relaxation, at a point of the model: the maximum of the model.
    Whole,
    /// The maximum of the relaxation, at a point that is not in the model.
    Fractional,
    /// HiGHS found no maximum.
    None,
}

/// What is kept of a relaxation from row to row.
#[derive(Debug, Default)]
pub(crate) struct Relaxation {
    program: LinearProgram,
    resident: Option<Resident>,
    vertex: Vertex,
}

impl Relaxation {
    /// Maximises `objective` over the relaxation of `model` and writes the maximiser.
    ///
    /// The answer is a function of the model and the objective: a warm solve counts only if it ends at an
    /// optimum that is proven to be the only one. Otherwise a new instance of HiGHS is asked, and
    /// becomes the resident one.
    pub(crate) fn maximise(
        &mut self,
        model: &Model,
        objective: &[f64],
        values: &mut Vec<f64>,
        limits: &Limits<'_>,
    ) -> Result<Answer, Error> {
        if self.program.costs.is_empty() {
            self.program = linear_program(model);
        }
        for (cost, coefficient) in self.program.costs.iter_mut().zip(objective) {
            *cost = -coefficient;
        }
        if let Some(mut warm) = self.resident.take() {
            warm.set_costs(&self.program.costs)?;
            let status = warm.run(seconds(limits))?;
            let is_vertex = status == Status::Optimal && warm.vertex(&mut self.vertex);
            if is_vertex && self.settle(model) && self.is_only_optimum() {
                self.resident = Some(warm);
                return Ok(self.answer(model, values));
            }
        }
        limits.check()?;
        let mut cold = Resident::new(&self.program, &options(model))?;
        let answer = match cold.run(seconds(limits))? {
            Status::Optimal if cold.vertex(&mut self.vertex) => {
                self.settle(model);
                self.answer(model, values)
            }
            Status::TimeLimit => {
                limits.check()?;
                let message = "the time ran out before a point was proven optimal";
                return Err(Error::new(ErrorKind::LimitReached, message));
            }
            _ => return Ok(Answer::None),
        };
        self.resident = Some(cold);
        Ok(answer)
    }

    /// Replaces continuous values that are a bound or an integer up to rounding by that number; says whether
    /// all of them are. The others depend, in their last bits, on the pivots that led to them.
    fn settle(&mut self, model: &Model) -> bool {
        let mut is_settled = true;
        for (variable, value) in model.variables().iter().zip(&mut self.vertex.columns) {
            if variable.is_integral() {
                continue;
            }
            let numbers = [variable.lower, variable.upper, value.round()];
            match numbers
                .into_iter()
                .find(|number| (*value - number).abs() <= ROUNDING)
            {
                Some(number) => *value = number,
                None => is_settled = false,
            }
        }
        is_settled
    }

    fn answer(&self, model: &Model, values: &mut Vec<f64>) -> Answer {
        values.clone_from(&self.vertex.columns);
        let mut variables = model.variables().iter().zip(values.iter());
        let is_integral =
            variables.all(|(v, x)| !v.is_integral() || (x - x.round()).abs() <= ROUNDING);
        // Rounding may have cost a row with large coefficients too much.
        if is_integral && model.make_exact(ROUNDING, values).is_ok() {
            Answer::Whole
        } else {
            Answer::Fractional
        }
    }

    /// Says whether every way to leave the vertex costs something: then it is the only optimum, and how HiGHS
    /// came there does not matter.
    fn is_only_optimum(&self) -> bool {
        let LinearProgram {
            lower,
            upper,
            row_lower,
            row_upper,
            ..
        } = &self.program;
        all_strict(self.vertex.column_standings(), lower, upper)
            && all_strict(self.vertex.row_standings(), row_lower, row_upper)
    }
}

fn all_strict(
    standings: impl Iterator<Item = (Standing, f64)>,
    lower: &[f64],
    upper: &[f64],
) -> bool {
    let bounds = lower.iter().zip(upper);
    standings
        .zip(bounds)
        .all(|((standing, derivative), (lower, upper))| match standing {
            Standing::Basic => true,
            _ if lower == upper => true,
            Standing::AtLower => derivative > STRICT,
            Standing::AtUpper => derivative < -STRICT,
            Standing::Free => false,
        })
}

fn seconds(limits: &Limits<'_>) -> f64 {
    limits
        .time_left()
        .map_or(f64::INFINITY, |left| left.as_secs_f64())
}

fn options(model: &Model) -> [(&'static CStr, Value); 9] {
    const DUAL: i32 = 1;
    const PRIMAL: i32 = 4;
    let method = if is_network(model) { PRIMAL } else { DUAL };
    [
        (c"output_flag", Value::Bool(false)),
        (c"threads", Value::Int(1)),
        (c"parallel", Value::Text(c"off")),
        (c"solver", Value::Text(c"simplex")),
        (c"simplex_strategy", Value::Int(method)),
        (c"presolve", Value::Text(c"off")), // it would give the basis away
        (c"small_matrix_value", Value::Float(1e-12)),
        (c"primal_feasibility_tolerance", Value::Float(1e-9)),
        (c"dual_feasibility_tolerance", Value::Float(1e-9)),
    ]
}

/// Says whether the columns are arcs, which leave one row and enter another. There the primal method takes
/// two thirds of the time of the dual one, and elsewhere more of it.
fn is_network(model: &Model) -> bool {
    let columns = model.variables().len();
    let (mut leaves, mut enters) = (vec![0; columns], vec![0; columns]);
    for &(at, coefficient) in model.rows().iter().flat_map(|row| &row.terms) {
        let count = if coefficient > 0.0 {
            &mut leaves
        } else {
            &mut enters
        };
        count[at] += 1;
    }
    let arcs = || leaves.iter().zip(&enters);
    arcs().all(|(&l, &e)| l <= 1 && e <= 1) && arcs().any(|(&l, &e)| l == 1 && e == 1)
}

fn linear_program(model: &Model) -> LinearProgram {
    let mut program = LinearProgram::default();
    for variable in model.variables() {
        program.costs.push(0.0);
        program.lower.push(variable.lower);
        program.upper.push(variable.upper);
    }
    for row in model.rows() {
        program.row_lower.push(row.lower);
        program.row_upper.push(row.upper);
        program.starts.push(program.indices.len() as i32);
        for &(at, coefficient) in &row.terms {
            program.indices.push(at as i32);
            program.coefficients.push(coefficient);
        }
    }
    program
}
