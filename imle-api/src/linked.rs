//! A solver as an oracle, without a shared library between them.

#[cfg(test)]
mod models;

use std::any::Any;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::PoisonError;

#[cfg(test)]
use loom::sync::Mutex;
#[cfg(not(test))]
use std::sync::Mutex;

use crate::marginals::no_marginals;
use crate::{
    Error, ErrorKind, Facts, Identity, Limits, MarginalsFn, Oracle, Outcome, Proof, Solved, Solver,
    in_serial_group, inner_product, read_config,
};

/// An instance of a [`Solver`] that is linked into this program.
///
/// Keeps one workspace for each thread that ever solved at the same time. A panic of the solver is the
/// error of its row and costs that workspace.
pub struct Linked<S: Solver> {
    solver: S,
    facts: Facts,
    identity: Identity,
    idle: Mutex<Vec<S::Workspace>>,
}

impl<S: Solver> Linked<S> {
    /// Makes an oracle of an instance.
    #[must_use]
    pub fn new(solver: S) -> Self {
        Self {
            facts: solver.facts(),
            solver,
            identity: Identity::unique(),
            idle: Mutex::default(),
        }
    }

    /// Builds the instance that a JSON configuration describes.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidConfig`] with the key and the value, or what the solver reports.
    pub fn open(config: &str) -> Result<Self, Error> {
        let config = read_config(config)?;
        let made = in_serial_group(S::SERIAL_GROUP, || caught(|| S::new(config)));
        Ok(Self::new(made.unwrap_or_else(Err)?))
    }
}

impl<S: Solver> Oracle for Linked<S> {
    fn facts(&self) -> Facts {
        self.facts
    }

    fn identity(&self) -> Identity {
        self.identity
    }

    fn solve(&self, theta: &[f64], z: &mut [f64], outcomes: &mut [Outcome], limits: &Limits<'_>) {
        self.each_row(theta, z, outcomes, |workspace, theta, z| {
            let solved = solve_row(&self.solver, workspace, theta, z, limits)?;
            Ok(solved.and_then(|solved| self.facts.check_state(z).map(|()| solved)))
        });
    }

    fn marginals(
        &self,
        theta: &[f64],
        mu: &mut [f64],
        log_partitions: &mut [Result<f64, Error>],
        limits: &Limits<'_>,
    ) {
        let Some(marginals) = S::MARGINALS else {
            return log_partitions.fill(Err(no_marginals(S::NAME)));
        };
        self.each_row(theta, mu, log_partitions, |workspace, theta, mu| {
            let found = marginals_row(marginals, &self.solver, workspace, theta, mu, limits)?;
            Ok(found.and_then(|log_partition| {
                let checked = self.facts.check_marginals(mu, log_partition);
                checked.map(|()| log_partition)
            }))
        });
    }
}

impl<S: Solver> Linked<S> {
    /// Does one row after the other on one workspace; an outer error of `work` costs that workspace.
    fn each_row<T>(
        &self,
        theta: &[f64],
        output: &mut [f64],
        results: &mut [Result<T, Error>],
        work: impl Fn(&mut S::Workspace, &[f64], &mut [f64]) -> Result<Result<T, Error>, Error>,
    ) {
        let dim = self.facts.dim;
        assert_eq!(theta.len(), results.len() * dim, "theta is [rows, dim]");
        assert_eq!(output.len(), theta.len(), "the output is [rows, dim]");
        let idle = || self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let idle_workspace = idle().pop();
        let workspace = in_serial_group(S::SERIAL_GROUP, || {
            let mut workspace = idle_workspace.unwrap_or_default();
            let rows = theta.chunks_exact(dim).zip(output.chunks_exact_mut(dim));
            for ((theta, output), result) in rows.zip(results) {
                *result = work(&mut workspace, theta, output).unwrap_or_else(|panic| {
                    workspace = S::Workspace::default();
                    Err(panic)
                });
            }
            workspace
        });
        idle().push(workspace);
    }
}

impl<S: Solver> fmt::Debug for Linked<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Linked")
            .field("solver", &S::NAME)
            .field("identity", &self.identity)
            .finish_non_exhaustive()
    }
}

/// Solves one row; the outer error says that the solver panicked and its workspace is lost.
pub(crate) fn solve_row<S: Solver>(
    solver: &S,
    workspace: &mut S::Workspace,
    theta: &[f64],
    z: &mut [f64],
    limits: &Limits<'_>,
) -> Result<Outcome, Error> {
    caught(|| {
        // Here, so that every solver stops between rows, also one that does not look at the limits.
        limits.check()?;
        let proof: Proof = solver.solve(workspace, theta, z, limits)?;
        let objective = inner_product(z, theta);
        Ok(Solved { objective, proof })
    })
}

/// Finds the marginals of one row; the outer error is as in [`solve_row`].
pub(crate) fn marginals_row<S: Solver>(
    marginals: MarginalsFn<S>,
    solver: &S,
    workspace: &mut S::Workspace,
    theta: &[f64],
    mu: &mut [f64],
    limits: &Limits<'_>,
) -> Result<Result<f64, Error>, Error> {
    caught(|| {
        limits.check()?;
        marginals(solver, workspace, theta, mu, limits)
    })
}

/// Runs `work` and turns a panic into an error with the panic's message.
pub(crate) fn caught<T>(work: impl FnOnce() -> T) -> Result<T, Error> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|payload| {
        let message = match panic_message(&payload) {
            Some(message) => message.to_owned(),
            None => "the panic carries no message".to_owned(),
        };
        // Dropping a payload may run code that panics again, across the boundary; leaking it cannot.
        std::mem::forget(payload);
        Error::new(ErrorKind::Panic, message)
    })
}

fn panic_message(payload: &Box<dyn Any + Send>) -> Option<&str> {
    payload
        .downcast_ref::<&'static str>()
        .copied()
        .or_else(|| payload.downcast_ref::<String>().map(String::as_str))
}
