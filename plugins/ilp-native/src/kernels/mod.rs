//! Feasible sets with an algorithm of their own, recognised when the model is loaded.
//!
//! A kernel is a function of the objective alone, so what it returns for a theta never depends on what was
//! solved before. Where one does not apply (to this model, or to this objective) the general engine does.

mod assignment;
mod cardinality;
mod flow;
mod knapsack;

use imle_ilp_model::{Model, Variable};

use assignment::Assignment;
use cardinality::Cardinality;
use flow::Flow;
use knapsack::Knapsack;

/// A feasible set that a kernel knows.
#[derive(Debug)]
pub(crate) enum Structure {
    Cardinality(Cardinality),
    Assignment(Assignment),
    Flow(Flow),
    Knapsack(Knapsack),
}

/// Scratch memory of all kernels; a workspace uses one of them.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    cardinality: Vec<i64>,
    assignment: assignment::Scratch,
    flow: flow::Scratch,
    knapsack: knapsack::Scratch,
}

impl Structure {
    pub(crate) fn of(model: &Model) -> Option<Self> {
        let cardinality = Cardinality::of(model).map(Self::Cardinality);
        cardinality
            .or_else(|| Assignment::of(model).map(Self::Assignment))
            .or_else(|| Flow::of(model).map(Self::Flow))
            .or_else(|| Knapsack::of(model).map(Self::Knapsack))
    }

    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Cardinality(_) => "cardinality",
            Self::Assignment(_) => "assignment",
            Self::Flow(_) => "shortest path",
            Self::Knapsack(_) => "knapsack",
        }
    }

    /// Writes the best point; false if the general engine has to.
    pub(crate) fn maximise(
        &self,
        scratch: &mut Scratch,
        objective: &[f64],
        values: &mut Vec<f64>,
    ) -> bool {
        values.clear();
        values.resize(objective.len(), 0.0);
        match self {
            Self::Cardinality(kernel) => {
                kernel.maximise(&mut scratch.cardinality, objective, values)
            }
            Self::Assignment(kernel) => kernel.maximise(&mut scratch.assignment, objective, values),
            Self::Flow(kernel) => kernel.maximise(&mut scratch.flow, objective, values),
            Self::Knapsack(kernel) => kernel.maximise(&mut scratch.knapsack, objective, values),
        }
    }
}

/// Whether a variable is 0 or 1 and may be both.
fn is_binary(variable: &Variable) -> bool {
    variable.is_integral() && variable.lower == 0.0 && variable.upper == 1.0
}

/// The rows in which each variable appears, with its coefficients.
pub(crate) fn columns(model: &Model) -> Vec<Vec<(usize, f64)>> {
    let mut columns = vec![Vec::new(); model.variables().len()];
    for (r, row) in model.rows().iter().enumerate() {
        for &(at, coefficient) in &row.terms {
            columns[at].push((r, coefficient));
        }
    }
    columns
}
