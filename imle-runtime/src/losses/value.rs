//! What a loss says of a batch.

use imle_api::{Error, ErrorKind};

use crate::pass::Pass;
use crate::states::{RowError, States};

/// The losses of a batch and their gradient.
#[derive(Clone, Debug, Default)]
pub struct LossValue {
    /// The loss of each row, `[rows]`; NaN where it could not be evaluated.
    pub losses: Vec<f64>,
    /// The gradient of each row's own loss in theta, `[rows, dim]`; in the costs if `sense = minimize`.
    /// Zero where the loss could not be evaluated.
    pub theta: Vec<f64>,
    /// What could not be solved.
    pub errors: Vec<RowError>,
    /// How many solves the evaluation asked for.
    pub solves: usize,
}

/// One row that is being evaluated.
struct Row<'a> {
    grad: &'a mut [f64],
    loss: Result<f64, Error>,
    solved: bool,
}

impl LossValue {
    /// Evaluates rows one by one: `evaluate` is told the row, adds to its gradient, which is zero at first,
    /// and returns its loss.
    ///
    /// Rows that `errors` name are left out. A row whose loss or gradient is not finite fails alone.
    #[must_use]
    pub fn of_rows(
        pass: &Pass<'_>,
        mut errors: Vec<RowError>,
        solves: usize,
        evaluate: impl Fn(usize, &mut [f64]) -> Result<f64, Error> + Sync,
    ) -> Self {
        let mut theta = vec![0.0; pass.theta().len()];
        let grads = theta.chunks_exact_mut(pass.dim());
        let mut rows: Vec<Row<'_>> = grads
            .map(|grad| Row {
                grad,
                loss: Ok(f64::NAN),
                solved: true,
            })
            .collect();
        errors
            .iter()
            .for_each(|error| rows[error.row].solved = false);
        pass.batch.threads.for_each(&mut rows, |row, state| {
            if state.solved {
                let loss = evaluate(row, state.grad);
                state.loss = loss.and_then(|loss| finite(loss, state.grad));
                if state.loss.is_err() {
                    state.grad.fill(0.0);
                }
            }
        });
        let mut losses = Vec::with_capacity(rows.len());
        for (row, state) in rows.into_iter().enumerate() {
            losses.push(*state.loss.as_ref().unwrap_or(&f64::NAN));
            let sample = 0;
            errors.extend(
                state
                    .loss
                    .err()
                    .map(|error| RowError { row, sample, error }),
            );
        }
        errors.sort_by_key(|error| (error.row, error.sample));
        Self {
            losses,
            theta,
            errors,
            solves,
        }
    }

    /// Like [`of_rows`](Self::of_rows), from the states of every row, `[samples, dim]`. A row one of whose
    /// samples could not be solved is not evaluated: a mean over the others is another number.
    #[must_use]
    pub fn of_states(
        pass: &Pass<'_>,
        states: &States,
        evaluate: impl Fn(usize, &[f64], &mut [f64]) -> Result<f64, Error> + Sync,
    ) -> Self {
        let values = states.samples() * states.dim();
        let solves = states.outcomes().len();
        Self::of_rows(pass, states.errors().collect(), solves, |row, grad| {
            evaluate(row, &states.z()[row * values..][..values], grad)
        })
    }

    /// Returns the value if every row was evaluated in full.
    ///
    /// # Errors
    ///
    /// The error of the first sample that could not be solved.
    pub fn all_solved(self) -> Result<Self, Error> {
        match self.errors.first() {
            None => Ok(self),
            Some(failed) => Err(failed.clone().into()),
        }
    }
}

/// Theta is finite; its product with a state may not be.
fn finite(loss: f64, grad: &[f64]) -> Result<f64, Error> {
    let message = match grad.iter().position(|value| !value.is_finite()) {
        Some(column) => format!("the gradient is {} at column {column}", grad[column]),
        None if loss.is_finite() => return Ok(loss),
        None => format!("the loss is {loss}"),
    };
    Err(Error::new(
        ErrorKind::InvalidTheta,
        format!("{message}: theta or a label is too large"),
    ))
}
