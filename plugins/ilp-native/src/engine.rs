//! The general engine: what is built once for an instance, and what a thread keeps between rows.

use std::sync::OnceLock;

use imle_api::{Error, ErrorKind, Limits};
use imle_ilp_model::Model;

use crate::branch::{Ended, Search, Task};
use crate::budget::Budget;
use crate::relaxation::settle_all;
use crate::standard::Standard;
use crate::start::Start;
use crate::tableau::Tableau;

/// The largest tableau, in cells of 8 bytes. One is kept by the instance and up to two by each thread.
const MOST_CELLS: usize = 1 << 24;

/// The shared part. Built when the first row needs it: instances with a structure may never do.
#[derive(Debug, Default)]
pub(crate) struct Engine {
    prepared: OnceLock<(Standard, Start)>,
}

impl Engine {
    /// Writes a point of `model` that maximises `objective` into `search.best`.
    pub(crate) fn maximise(
        &self,
        search: &mut Search,
        model: &Model,
        objective: &[f64],
        limits: &Limits<'_>,
    ) -> Result<(), Error> {
        let (standard, start) = self.prepared.get_or_init(|| {
            let standard = Standard::new(model);
            let start = Start::new(&standard, MOST_CELLS);
            (standard, start)
        });
        let start = match start {
            Start::Ready(tableau) => tableau,
            Start::Infeasible => return Err(infeasible()),
            Start::TooLarge => return Err(too_large()),
        };
        let task = Task {
            model,
            standard,
            start,
            objective,
        };
        let budget = &mut Budget::new(limits);
        load(&mut search.tableau, start, objective);
        match search.run(task, budget)? {
            Ended::Unbounded => Err(self.unbounded(search, task, budget)),
            Ended::Done if search.value == f64::NEG_INFINITY => Err(infeasible()),
            Ended::Done => Ok(()),
        }
    }

    /// An unbounded relaxation means an unbounded problem if there is a point at all.
    fn unbounded(&self, search: &mut Search, task: Task<'_>, budget: &mut Budget<'_>) -> Error {
        let zero = vec![0.0; task.objective.len()];
        load(&mut search.tableau, task.start, &zero);
        match search.run(
            Task {
                objective: &zero,
                ..task
            },
            budget,
        ) {
            Err(why) => why,
            Ok(_) if search.value == f64::NEG_INFINITY => infeasible(),
            Ok(_) => {
                let message = "the objective grows without bound over the feasible set";
                Error::new(ErrorKind::Unbounded, message)
            }
        }
    }
}

/// Begins afresh: with the basis that depends on the model alone.
fn load(tableau: &mut Tableau, start: &Tableau, objective: &[f64]) {
    tableau.copy(start);
    tableau.set_objective(objective);
    settle_all(tableau);
    tableau.set_basics();
}

fn infeasible() -> Error {
    Error::new(
        ErrorKind::Infeasible,
        "no point satisfies every row and bound",
    )
}

fn too_large() -> Error {
    let message = format!(
        "the tableau would have more than {MOST_CELLS} cells; ilp-highs is the better choice for a problem of this size"
    );
    Error::new(ErrorKind::Unsupported, message)
}
