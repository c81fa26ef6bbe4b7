//! The Fenchel-Young loss of the quadratic regularizer: SparseMAP.

use imle_api::{Error, ErrorKind};
use serde::{Deserialize, Serialize};

use super::active_set::ActiveSet;
use super::pooled::dot;
use super::{Labels, Loss, LossValue};
use crate::pass::Pass;
use crate::sampling::Sampling;
use crate::states::RowError;

/// The SparseMAP loss (Niculae, Martins, Blondel, Cardie, "SparseMAP: differentiable sparse structured inference",
/// ICML 2018; a Fenchel-Young loss of Blondel, Martins, Niculae, JMLR 2020), with the right state `y`
/// and the convex hull of the states:
///
/// ```text
/// value(mu) = <theta, mu> - weight / 2 |mu|^2
/// loss      = max over mu in the hull of value(mu)  -  value(y)
/// grad      = that mu - y
/// ```
///
/// Smooth, never negative, and zero once `y` wins by a margin. The maximum is found over any oracle by an active
/// set of states, and its optimality is certified by an upper bound: the loss is exact within
/// `bound = tolerance (1 + |<theta, mu>| + weight |mu|^2)`, and `mu` within `sqrt(2 bound / weight)`.
///
/// Needs the right states. No noise. As many solves a row as it takes, usually a few more than there are states in
/// `mu`. For a smooth loss without samples, when solves are cheap.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SparseMap {
    /// The weight of the regularizer; small is close to the perceptron.
    pub weight: f64,
    /// The gap at which the search stops, relative to the terms of the value.
    pub tolerance: f64,
    /// A row that takes more solves than this fails.
    pub most_solves: usize,
}

impl Default for SparseMap {
    fn default() -> Self {
        Self {
            weight: 1.0,
            tolerance: 1e-9,
            most_solves: 1000,
        }
    }
}

/// The search of one row.
struct Search {
    active: ActiveSet,
    /// Whether it goes on.
    open: bool,
    error: Option<Error>,
}

#[typetag::serde(name = "sparse_map")]
impl Loss for SparseMap {
    fn validate(&self, _: &Sampling) -> Result<(), Error> {
        for (name, value) in [("weight", self.weight), ("tolerance", self.tolerance)] {
            if !(value.is_finite() && value > 0.0) {
                let message = format!("{name} = {value} is not a positive number");
                return Err(Error::new(ErrorKind::InvalidConfig, message));
            }
        }
        Ok(())
    }

    fn evaluate(&self, pass: &Pass<'_>, labels: &Labels<'_>) -> Result<LossValue, Error> {
        let (right, dim) = (labels.right_states()?, pass.dim());
        let (searches, solves) = self.search(pass);
        let errors = searches.iter().enumerate().filter_map(|(row, search)| {
            let (error, sample) = (search.error.clone()?, 0);
            Some(RowError { row, sample, error })
        });
        Ok(LossValue::of_rows(
            pass,
            errors.collect(),
            solves,
            |row, grad| {
                let (mu, right) = (&searches[row].active.mu, &right[row * dim..][..dim]);
                let theta = pass.theta_row(row);
                for i in 0..dim {
                    grad[i] = mu[i] - right[i];
                }
                let squares = dot(mu, mu) - dot(right, right);
                Ok(dot(grad, theta) - 0.5 * self.weight * squares)
            },
        ))
    }
}

impl SparseMap {
    /// Searches all rows, one solve a round for each that is not done; returns how many solves it took.
    fn search(&self, pass: &Pass<'_>) -> (Vec<Search>, usize) {
        let (dim, mut solves) = (pass.dim(), 0);
        let mut searches: Vec<Search> = (0..pass.rows())
            .map(|_| Search {
                active: ActiveSet::new(self.weight, dim),
                open: true,
                error: None,
            })
            .collect();
        for round in 0.. {
            let open: Vec<usize> = (0..searches.len())
                .filter(|&row| searches[row].open)
                .collect();
            if open.is_empty() {
                break;
            }
            let solved = pass.solve(
                open.len(),
                |query| open[query],
                |query, theta| {
                    let row = open[query];
                    searches[row].active.direction(pass.theta_row(row), theta);
                    Ok(())
                },
            );
            solves += open.len();
            let mut query_of = vec![None; searches.len()];
            open.iter()
                .enumerate()
                .for_each(|(query, &row)| query_of[row] = Some(query));
            pass.batch.threads.for_each(&mut searches, |row, search| {
                if let Some(query) = query_of[row] {
                    let z = &solved.z()[query * dim..][..dim];
                    let step = match &solved.outcomes()[query] {
                        Ok(_) => self.step(search, pass.theta_row(row), z, round + 1),
                        Err(error) => Err(error.clone()),
                    };
                    search.open = step == Ok(true);
                    search.error = step.err();
                }
            });
        }
        (searches, solves)
    }

    /// Takes in the answer of the oracle; returns whether the search goes on.
    fn step(
        &self,
        search: &mut Search,
        u: &[f64],
        z: &[f64],
        solves: usize,
    ) -> Result<bool, Error> {
        let active = &mut search.active;
        if active.is_empty() {
            active.take_in(u, z);
            return Ok(true);
        }
        let gap = active.bound(u, z);
        let size = 1.0 + dot(u, &active.mu).abs() + self.weight * dot(&active.mu, &active.mu);
        if gap <= self.tolerance * size {
            return Ok(false);
        }
        let stuck = |why: String| {
            let message = format!(
                "SparseMAP: {why} the gap is {gap:e}, not {:e}",
                self.tolerance * size
            );
            Err(Error::new(ErrorKind::LimitReached, message))
        };
        if solves >= self.most_solves {
            return stuck(format!("after most_solves = {}", self.most_solves));
        }
        match active.take_in(u, z) {
            true => Ok(true),
            false => stuck(format!("after {solves} solves rounding ends the search,")),
        }
    }
}
