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
        "the tableau would have more than {MOST_CELLS} cells; the same configuration works with ilp-highs, \
         which is made for problems of this size"
    );
    Error::new(ErrorKind::Unsupported, message)
}

#[cfg(test)]
mod tests {
    use fastrand::Rng;
    use imle_ilp_model::{Config, Problem};
    use serde_json::json;

    use super::*;

    /// Six mixed variables and four rows of either kind, with small whole numbers: many are infeasible.
    fn random_model(rng: &mut Rng) -> Model {
        let kinds = ["binary", "integer", "continuous"];
        let variable = |at: usize| {
            let kind = kinds[at % 3];
            let upper = if kind == "binary" { 1 } else { 4 };
            json!({"name": format!("v{at}"), "kind": kind, "lower": 0, "upper": upper})
        };
        let variables: Vec<_> = (0..6).map(variable).collect();
        let mut row = |_| {
            let mut terms = serde_json::Map::new();
            for at in 0..6 {
                match rng.i32(-3..=3) {
                    0 => {}
                    c => drop(terms.insert(format!("v{at}"), json!(c))),
                }
            }
            let sense = ["<=", ">=", "="][rng.usize(0..3)];
            json!({"terms": terms, "sense": sense, "rhs": rng.i32(0..=6)})
        };
        let rows: Vec<_> = (0..4)
            .map(&mut row)
            .filter(|r| r["terms"] != json!({}))
            .collect();
        let config = json!({"model": {"variables": variables, "rows": rows}});
        let config: Config = serde_json::from_value(config).expect("a configuration");
        Problem::new(config).expect("a model").model().clone()
    }

    /// What an engine makes of an objective: the optimum, or the kind of its error.
    fn solve(
        engine: &Engine,
        search: &mut Search,
        model: &Model,
        c: &[f64],
    ) -> Result<f64, ErrorKind> {
        let solved = engine.maximise(search, model, c, &Limits::none());
        solved.map(|()| search.value).map_err(|why| why.kind())
    }

    #[test]
    fn entries_as_a_product_give_the_optima_of_those_written_out() {
        let (mut solved, mut infeasible) = (0, 0);
        for seed in 0..2000 {
            let rng = &mut Rng::with_seed(seed);
            let model = random_model(rng);
            let (written, product) = (Engine::default(), Engine::default());
            let standard = Standard::new(&model);
            if standard.infeasible || standard.rows.is_empty() {
                continue;
            }
            let start = Start::product(Tableau::of_rows(&standard), &standard);
            assert!(product.prepared.set((standard, start)).is_ok());
            let mut searches = [Search::default(), Search::default()];
            for _ in 0..6 {
                let objective: Vec<f64> = (0..6).map(|_| f64::from(rng.i32(-8..=8))).collect();
                let [a, b] = &mut searches;
                let a = solve(&written, a, &model, &objective);
                let b = solve(&product, b, &model, &objective);
                match (a, b) {
                    (Ok(a), Ok(b)) => assert!((a - b).abs() < 1e-6, "seed {seed}: {a}, {b}"),
                    (a, b) => assert_eq!(a, b, "seed {seed}"),
                }
                solved += usize::from(a.is_ok());
                infeasible += usize::from(a == Err(ErrorKind::Infeasible));
            }
        }
        assert!(solved > 1000 && infeasible > 1000, "{solved}, {infeasible}");
    }
}
