//! The two traits that everything else serves.
//!
//! A [`Solver`] is what a plugin author writes: a configuration, a workspace, and one row at a time.
//! An [`Oracle`] is what the rest of the system sees: one feasible set, shared by threads, answering
//! rows of theta. [`Linked`](crate::Linked) turns the first into the second inside one program; the
//! export macro and the runtime's loader do the same across a shared library.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use schemars::JsonSchema;
use serde::de::DeserializeOwned;

use crate::marginals::{MarginalsFn, no_marginals};
use crate::numbers::{first_not_finite, sum_of_integers};
use crate::{Error, ErrorKind, Limits};

/// A combinatorial solver, as its author writes it.
///
/// One value is one *instance*: one feasible set, immutable and shared by threads. Everything that
/// changes while solving lives in the [`Workspace`](Solver::Workspace), which one thread uses at a time.
///
/// ```
/// use imle_api::{Error, ErrorKind, Facts, Limits, Proof, Solver};
///
/// /// Chooses the largest coordinate; the first one on ties.
/// struct OneHot {
///     dim: usize,
/// }
///
/// #[derive(serde::Deserialize, schemars::JsonSchema)]
/// #[serde(deny_unknown_fields)]
/// struct Config {
///     dim: usize,
/// }
///
/// impl Solver for OneHot {
///     const NAME: &'static str = "one-hot";
///     const SUMMARY: &'static str = "the largest coordinate";
///     type Config = Config;
///     type Workspace = ();
///
///     fn new(config: Config) -> Result<Self, Error> {
///         if config.dim == 0 {
///             return Err(Error::new(ErrorKind::InvalidConfig, "dim must be at least 1"));
///         }
///         Ok(Self { dim: config.dim })
///     }
///
///     fn facts(&self) -> Facts {
///         Facts::binary(self.dim).with_ones(1)
///     }
///
///     fn solve(&self, _: &mut (), theta: &[f64], z: &mut [f64], _: &Limits<'_>) -> Result<Proof, Error> {
///         let best = (1..self.dim).fold(0, |best, i| if theta[i] > theta[best] { i } else { best });
///         z.fill(0.0);
///         z[best] = 1.0;
///         Ok(Proof::NONE)
///     }
/// }
/// # let oracle = imle_api::Linked::<OneHot>::open(r#"{"dim": 3}"#)?;
/// # assert_eq!(imle_api::solve_one(&oracle, &[0.5, 2.0, 1.0])?.0, [0.0, 1.0, 0.0]);
/// # Ok::<(), Error>(())
/// ```
pub trait Solver: Sized + Send + Sync + 'static {
    /// The name by which a configuration asks for this solver, e.g. `"k-subset"`.
    const NAME: &'static str;
    /// One line for a listing.
    const SUMMARY: &'static str;
    /// Names a process-wide lock for engines that are not re-entrant: at most one call at a time runs
    /// over all solvers, of all plugins, that name the same group. Such a solver must not use rayon when
    /// it is linked in: the thread that holds the lock could pick up another of its rows and wait for
    /// itself.
    const SERIAL_GROUP: Option<&'static str> = None;

    /// Exact marginals, for solvers that have them: a function of the type [`MarginalsFn`].
    ///
    /// An instance for which they are intractable answers
    /// [`ErrorKind::Unsupported`].
    const MARGINALS: Option<MarginalsFn<Self>> = None;

    /// What describes an instance. Unknown keys are refused; the JSON Schema is derived.
    type Config: DeserializeOwned + JsonSchema;
    /// Scratch memory that one thread uses at a time and that survives from row to row.
    type Workspace: Default + Send + 'static;

    /// Builds the instance that `config` describes.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidConfig`] with the offending value, or
    /// whatever keeps the instance from being built.
    fn new(config: Self::Config) -> Result<Self, Error>;

    /// States the dimension and what holds for every state.
    fn facts(&self) -> Facts;

    /// Writes the MAP state of `theta` into `z`; both have `dim` entries and `theta` is finite.
    ///
    /// `z` holds anything on entry and must be written whole. It obeys the law of the [`Oracle`].
    ///
    /// # Errors
    ///
    /// What keeps this row from being solved. The other rows of a batch go on.
    fn solve(
        &self,
        workspace: &mut Self::Workspace,
        theta: &[f64],
        z: &mut [f64],
        limits: &Limits<'_>,
    ) -> Result<Proof, Error>;
}

/// What holds for every state of an instance.
///
/// ```
/// let facts = imle_api::Facts::binary(5).with_ones(2);
/// assert_eq!((facts.dim, facts.ones, facts.z_upper), (5, Some(2), 1.0));
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Facts {
    /// The number of coordinates of theta and of a state; at least 1.
    pub dim: usize,
    /// No coordinate of a state is below this.
    pub z_lower: f64,
    /// No coordinate of a state is above this.
    pub z_upper: f64,
    /// Whether every coordinate of a state is an integer.
    pub integral: bool,
    /// The sum of every state if it is the same for all: the `k` of Theorem 1 of the I-MLE paper, and
    /// the natural `kappa` of Sum-of-Gamma noise.
    pub ones: Option<usize>,
    /// For which theta the solver is exact.
    pub theta_domain: ThetaDomain,
}

impl Facts {
    /// States are 0/1 vectors of `dim` coordinates.
    #[must_use]
    pub const fn binary(dim: usize) -> Self {
        Self::bounded(dim, 0.0, 1.0, true)
    }

    /// States lie in `[z_lower, z_upper]^dim` and are integral or not.
    #[must_use]
    pub const fn bounded(dim: usize, z_lower: f64, z_upper: f64, integral: bool) -> Self {
        Self {
            dim,
            z_lower,
            z_upper,
            integral,
            ones: None,
            theta_domain: ThetaDomain::Any,
        }
    }

    /// Every state sums to `ones`.
    #[must_use]
    pub const fn with_ones(self, ones: usize) -> Self {
        Self {
            ones: Some(ones),
            ..self
        }
    }

    /// Checks a state against these facts.
    ///
    /// ```
    /// let facts = imle_api::Facts::binary(3).with_ones(1);
    /// assert!(facts.check_state(&[0.0, 1.0, 0.0]).is_ok());
    /// let broken = facts.check_state(&[0.0, 0.5, 0.5]).unwrap_err();
    /// assert_eq!(broken.message(), "z[1] = 0.5 is not an integer");
    /// ```
    ///
    /// # Errors
    ///
    /// [`ErrorKind::ContractBroken`] with the first coordinate that is not finite, out of bounds or not
    /// integral, or with the sum if that is not the declared number of ones.
    pub fn check_state(&self, z: &[f64]) -> Result<(), Error> {
        let broken = |message| Err(Error::new(ErrorKind::ContractBroken, message));
        let (lower, upper) = (self.z_lower, self.z_upper);
        // Written so that NaN fails.
        let wrong = |z: &f64| !(z.is_finite() && (lower..=upper).contains(z));
        // First without a place, in one pass that the compiler turns into vector instructions. It passes nothing
        // that is wrong; what it does not pass is looked at one by one.
        let is_binary = self.integral && (lower, upper) == (0.0, 1.0);
        let all_right = if is_binary {
            z.iter()
                .fold(true, |all, z| all & ((*z == 0.0) | (*z == 1.0)))
        } else {
            let looks_right = |z: &f64| {
                let within = (*z >= lower) & (*z <= upper) & (z.abs() <= f64::MAX);
                within & (!self.integral | is_small_integer(*z))
            };
            z.iter().fold(true, |all, z| all & looks_right(z))
        };
        if !all_right && let Some(at) = z.iter().position(wrong) {
            return broken(format!(
                "z[{at}] = {} is not within [{lower}, {upper}]",
                z[at]
            ));
        }
        if !all_right
            && self.integral
            && let Some(at) = z.iter().position(|z| z.fract() != 0.0)
        {
            return broken(format!("z[{at}] = {} is not an integer", z[at]));
        }
        let Some(ones) = self.ones else {
            return Ok(());
        };
        // Integers sum exactly; fractions that sum to a whole do so up to rounding.
        let (sum, slack) = match self.integral {
            true => (sum_of_integers(z), 0.0),
            false => {
                let size: f64 = z.iter().map(|z| z.abs()).sum();
                (z.iter().sum(), 1e-9 * size)
            }
        };
        if (sum - ones as f64).abs() > slack {
            return broken(format!("z sums to {sum}, but every state sums to {ones}"));
        }
        Ok(())
    }

    /// The solver is exact only for theta in `theta_domain`.
    #[must_use]
    pub const fn with_theta_domain(self, theta_domain: ThetaDomain) -> Self {
        Self {
            theta_domain,
            ..self
        }
    }
}

/// Whether `value` is an integer of less than 2^51: adding 2^52 rounds everything else.
fn is_small_integer(value: f64) -> bool {
    const SHIFT: f64 = (1_u64 << 52) as f64;
    let size = value.abs();
    size + SHIFT - SHIFT == size
}

/// For which theta a solver is exact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum ThetaDomain {
    /// Every finite theta.
    Any = 0,
    /// No coordinate above zero: costs `-theta` that are not negative.
    NonPositive = 1,
}

/// What a solver proved about a row beside its state. Zero knowledge is always a legal answer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Proof {
    /// A proven upper bound on `max <z', theta>`; infinity if none.
    pub bound: f64,
    /// `z` is the *unique* maximiser for every theta' with `max_i |theta'_i - theta_i| < radius`;
    /// 0 if nothing is proven. Rounded down.
    pub radius: f64,
}

impl Proof {
    /// Nothing proven.
    pub const NONE: Self = Self {
        bound: f64::INFINITY,
        radius: 0.0,
    };

    /// Only a radius, computed in floating point and rounded down here; 0 unless `radius` is positive.
    ///
    /// ```
    /// use imle_api::Proof;
    /// assert!(Proof::radius(0.5).radius < 0.5);
    /// assert_eq!(Proof::radius(-0.5), Proof::NONE);
    /// ```
    #[must_use]
    pub fn radius(radius: f64) -> Self {
        Self {
            radius: if radius > 0.0 {
                radius.next_down()
            } else {
                0.0
            },
            ..Self::NONE
        }
    }
}

/// A solved row: the objective of its state and what was proven about it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Solved {
    /// `<z, theta>`.
    pub objective: f64,
    /// What the solver proved.
    pub proof: Proof,
}

/// What became of one row: a state in `z`, or the reason why there is none.
pub type Outcome = Result<Solved, Error>;

/// Identifies one instance for as long as the process lives.
///
/// No two instances share an identity, even when one is dropped before the other is made, so a cache
/// keyed by it never serves the state of another problem.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Identity(u64);

impl Identity {
    /// Returns an identity that nobody else has.
    #[must_use]
    pub fn unique() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        Self(NEXT.fetch_add(1, Ordering::Relaxed))
    }
}

/// Answers one question for rows of theta: which `z` of this feasible set maximises `<z, theta>`?
///
/// Loaded plugins, linked-in solvers, Rust closures and wrappers around another oracle are all this
/// one trait. An oracle may be called from many threads at once.
///
/// # The law
///
/// A state `z` that is returned lies in the feasible set `C` and maximises `<z, theta>` over it (plus a
/// known linear part of the objective, if the instance has one; objectives are reported without it). It
/// depends on nothing but theta: ties are broken by a documented rule, whatever was solved before and on
/// whatever thread. Caching and reproducibility both rest on that law;
/// [`conformance`](crate::conformance) tests it.
pub trait Oracle: Send + Sync {
    /// What holds for every state.
    fn facts(&self) -> Facts;

    /// Whether solving may wait for other work of this program's rayon pool.
    ///
    /// A worker of that pool may pick up another row while it waits, so nothing that calls such an oracle
    /// may block on a row. A loaded library has a rayon of its own.
    fn may_use_rayon(&self) -> bool {
        true
    }

    /// The instance that answers; a wrapper that changes no answer returns its inner one's.
    fn identity(&self) -> Identity;

    /// Solves `outcomes.len()` rows.
    ///
    /// `theta` and `z` are row-major `[rows, dim]`. Theta is finite. Every outcome is written; `z` of a
    /// failed row is unspecified.
    ///
    /// # Panics
    ///
    /// If the lengths do not fit together.
    fn solve(&self, theta: &[f64], z: &mut [f64], outcomes: &mut [Outcome], limits: &Limits<'_>);

    /// Writes the exact marginals of `log_partitions.len()` rows, where they are tractable.
    ///
    /// `theta` and `mu` are row-major `[rows, dim]`. Theta is finite, and so is the sum of the absolute
    /// values of each row. Every log-partition is written; `mu` of a failed row is unspecified. What they
    /// are is said at [`MarginalsFn`]; those of `exp(<z, theta> / tau)` are had by dividing theta by `tau`.
    ///
    /// By default every row is [`ErrorKind::Unsupported`]. A wrapper that changes no answer forwards
    /// the call.
    ///
    /// # Panics
    ///
    /// If the lengths do not fit together.
    fn marginals(
        &self,
        theta: &[f64],
        mu: &mut [f64],
        log_partitions: &mut [Result<f64, Error>],
        limits: &Limits<'_>,
    ) {
        let _ = (theta, mu, limits);
        log_partitions.fill(Err(no_marginals("this oracle")));
    }

    /// The oracle that a call starting now should use throughout, if that can change.
    ///
    /// An entry of a registry can be replaced while calls run; a batch pins it first, so that its rows
    /// all see one instance. Wrappers pin what they wrap.
    fn pin(&self) -> Option<Arc<dyn Oracle>> {
        None
    }
}

/// Solves one row: the state and what is known about it.
///
/// # Errors
///
/// Whatever kept the row from being solved;
/// [`ErrorKind::InvalidTheta`] for a wrong length or a value that is
/// not finite.
pub fn solve_one(
    oracle: &(impl Oracle + ?Sized),
    theta: &[f64],
) -> Result<(Vec<f64>, Solved), Error> {
    let dim = oracle.facts().dim;
    if theta.len() != dim {
        let message = format!("theta has {} values, not dim = {dim}", theta.len());
        return Err(Error::new(ErrorKind::InvalidTheta, message));
    }
    if let Some(column) = first_not_finite(theta) {
        let message = format!("theta is {} at column {column}", theta[column]);
        return Err(Error::new(ErrorKind::InvalidTheta, message));
    }
    let mut z = vec![f64::NAN; dim];
    let mut outcome = [unset()];
    oracle.solve(theta, &mut z, &mut outcome, &Limits::none());
    let [outcome] = outcome;
    Ok((z, outcome?))
}

/// Checks that `theta` is `[rows, dim]` for some number of rows and finite; returns the rows.
///
/// # Errors
///
/// [`ErrorKind::InvalidTheta`] with the length, or with the row, the
/// column and the value.
pub fn check_theta(theta: &[f64], dim: usize) -> Result<usize, Error> {
    let invalid = |message| Err(Error::new(ErrorKind::InvalidTheta, message));
    if dim == 0 || !theta.len().is_multiple_of(dim) {
        let values = theta.len();
        return invalid(format!(
            "theta has {values} values, which is not a multiple of dim = {dim}"
        ));
    }
    match first_not_finite(theta) {
        None => Ok(theta.len() / dim),
        Some(at) => {
            let (value, row, column) = (theta[at], at / dim, at % dim);
            invalid(format!("theta is {value} at row {row}, column {column}"))
        }
    }
}

/// The result of a row that nobody has worked on yet: of a solve, or of a call for marginals.
pub const fn unset<T>() -> Result<T, Error> {
    Err(Error::fixed(
        ErrorKind::ContractBroken,
        "the solver left this row unset",
    ))
}
