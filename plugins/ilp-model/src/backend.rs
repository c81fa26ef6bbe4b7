//! The seam between the shared problem and an engine.

use std::fmt;
use std::marker::PhantomData;

use imle_api::{Error, ErrorKind, Facts, Limits, Proof, Solver};

use crate::{Config, Model, Problem};

/// An engine for mixed-integer linear programs.
///
/// Everything else is done for it: reading, checking and naming on the way in, and on the way out a
/// check of every point against the model, so an engine that errs costs a row, not a wrong state.
pub trait Backend: 'static {
    /// The name of the solver, e.g. `"ilp-microlp"`.
    const NAME: &'static str;
    /// One line for a listing.
    const SUMMARY: &'static str;
    /// See [`Solver::SERIAL_GROUP`].
    const SERIAL_GROUP: Option<&'static str> = None;
    /// The largest magnitude of an integer variable that the engine is exact for. A model with integer
    /// variables beyond it, or without a bound, is refused if this is finite.
    const LARGEST_INTEGER: f64 = f64::INFINITY;

    /// What the engine keeps from row to row, for one instance and one thread at a time: nothing, or a
    /// model of which only the objective changes.
    type Workspace: Default + Send + 'static;

    /// Writes the value of every variable of `model`, in order, at a point that maximises `objective`.
    ///
    /// Returning means proven optimal, up to the engine's rounding. The same model and objective give the
    /// same point, whatever was solved before.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Infeasible`], [`ErrorKind::Unbounded`], [`ErrorKind::LimitReached`] when `limits`
    /// ran out before the proof, and [`ErrorKind::BackendFailed`] for everything else.
    fn maximise(
        workspace: &mut Self::Workspace,
        model: &Model,
        objective: &[f64],
        values: &mut Vec<f64>,
        limits: &Limits<'_>,
    ) -> Result<(), Error>;
}

/// The integer-programming solver that a [`Backend`] makes.
///
/// Ties are broken by the engine: the same theta gives the same state, but which of several it is
/// depends on the engine.
pub struct IlpSolver<B> {
    problem: Problem,
    backend: PhantomData<fn() -> B>,
}

impl<B> fmt::Debug for IlpSolver<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IlpSolver")
            .field("problem", &self.problem)
            .finish()
    }
}

/// Buffers of one row, and what the engine keeps.
pub struct Workspace<B: Backend> {
    objective: Vec<f64>,
    values: Vec<f64>,
    backend: B::Workspace,
}

impl<B: Backend> Default for Workspace<B> {
    fn default() -> Self {
        Self {
            objective: Vec::new(),
            values: Vec::new(),
            backend: B::Workspace::default(),
        }
    }
}

impl<B: Backend> fmt::Debug for Workspace<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Workspace").finish_non_exhaustive()
    }
}

impl<B: Backend> Solver for IlpSolver<B> {
    const NAME: &'static str = B::NAME;
    const SUMMARY: &'static str = B::SUMMARY;
    const SERIAL_GROUP: Option<&'static str> = B::SERIAL_GROUP;
    type Config = Config;
    type Workspace = Workspace<B>;

    fn new(config: Config) -> Result<Self, Error> {
        let problem = Problem::new(config)?;
        check_integers::<B>(problem.model())?;
        Ok(Self {
            problem,
            backend: PhantomData,
        })
    }

    fn facts(&self) -> Facts {
        self.problem.facts()
    }

    fn solve(
        &self,
        workspace: &mut Workspace<B>,
        theta: &[f64],
        z: &mut [f64],
        limits: &Limits<'_>,
    ) -> Result<Proof, Error> {
        limits.check()?;
        let Workspace {
            objective,
            values,
            backend,
        } = workspace;
        self.problem.objective_for(theta, objective)?;
        B::maximise(backend, self.problem.model(), objective, values, limits)?;
        self.problem.state_of(values, z)?;
        Ok(Proof::NONE)
    }
}

fn check_integers<B: Backend>(model: &Model) -> Result<(), Error> {
    let limit = B::LARGEST_INTEGER;
    let beyond = |value: f64| value.abs() > limit;
    let integral = model.variables().iter().filter(|v| v.is_integral());
    for variable in integral {
        let (name, lower, upper) = (&variable.name, variable.lower, variable.upper);
        if beyond(lower) || beyond(upper) {
            let message = format!(
                "{} needs bounds within {} on integer variables, but `{name}` goes from {lower} to {upper} \
                 and no row bounds it further",
                B::NAME,
                limit,
            );
            return Err(Error::new(ErrorKind::Unsupported, message));
        }
    }
    Ok(())
}
