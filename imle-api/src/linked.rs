//! A solver as an oracle, without a shared library between them.

use std::any::Any;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, PoisonError};

use crate::{
    Error, ErrorKind, Facts, Identity, Limits, Oracle, Outcome, Proof, Solved, Solver,
    in_serial_group, read_config,
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
        let facts = self.facts;
        let dim = facts.dim;
        assert_eq!(theta.len(), outcomes.len() * dim, "theta is [rows, dim]");
        assert_eq!(z.len(), theta.len(), "z is [rows, dim]");
        let idle = || self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let idle_workspace = idle().pop();
        let workspace = in_serial_group(S::SERIAL_GROUP, || {
            let mut workspace = idle_workspace.unwrap_or_default();
            let rows = theta.chunks_exact(dim).zip(z.chunks_exact_mut(dim));
            for ((theta, z), outcome) in rows.zip(outcomes) {
                *outcome = match solve_row(&self.solver, &mut workspace, theta, z, limits) {
                    Ok(Ok(solved)) => facts.check_state(z).map(|()| solved),
                    Ok(failed) => failed,
                    Err(panic) => {
                        workspace = S::Workspace::default();
                        Err(panic)
                    }
                };
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
        let objective = theta.iter().zip(&*z).map(|(theta, z)| theta * z).sum();
        Ok(Solved { objective, proof })
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
