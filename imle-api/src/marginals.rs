//! Exact marginals: what a solver may offer beside its MAP states.

use crate::{Error, ErrorKind, Facts, Limits, Solver};

/// Relative rounding that marginals may show: much more than a sound algorithm has, much less than a wrong
/// one.
const MARGINALS_SLACK: f64 = 1e-6;

/// Writes the marginals `mu` of a row of theta and returns its log-partition, by an exact algorithm.
///
/// They are those of the exponential family over the feasible set `C` of the instance, in which every
/// state counts once (Eq. 3 of the I-MLE paper at temperature 1):
///
/// ```text
/// p(z; theta) = exp(<z, theta> - A(theta))
/// A(theta)    = log of the sum over z in C of exp(<z, theta>)     the log-partition, returned
/// mu          = E[z] = the gradient of A                          [dim], written whole
/// ```
///
/// Theta is finite and so is the sum of its absolute values, so no sum of coordinates overflows. The
/// result depends on nothing but theta, like a state.
///
/// ```
/// use imle_api::{Error, Facts, Limits, Linked, MarginalsFn, Oracle, Proof, Solver, unset};
///
/// /// Every subset of `dim` coordinates: each is chosen by itself.
/// struct Subsets {
///     dim: usize,
/// }
///
/// impl Subsets {
///     fn marginals(&self, _: &mut (), theta: &[f64], mu: &mut [f64], _: &Limits<'_>) -> Result<f64, Error> {
///         mu.iter_mut().zip(theta).for_each(|(mu, theta)| *mu = 1.0 / (1.0 + (-theta).exp()));
///         Ok(theta.iter().map(|theta| theta.max(0.0) + (-theta.abs()).exp().ln_1p()).sum())
///     }
/// }
///
/// impl Solver for Subsets {
///     const MARGINALS: Option<MarginalsFn<Self>> = Some(Self::marginals);
///     // and the rest as for any solver
/// #   const NAME: &'static str = "subsets";
/// #   const SUMMARY: &'static str = "every subset";
/// #   type Config = usize;
/// #   type Workspace = ();
/// #   fn new(dim: usize) -> Result<Self, Error> { Ok(Self { dim }) }
/// #   fn facts(&self) -> Facts { Facts::binary(self.dim) }
/// #   fn solve(&self, _: &mut (), theta: &[f64], z: &mut [f64], _: &Limits<'_>) -> Result<Proof, Error> {
/// #       z.iter_mut().zip(theta).for_each(|(z, &theta)| *z = f64::from(theta > 0.0));
/// #       Ok(Proof::NONE)
/// #   }
/// }
///
/// let oracle = Linked::<Subsets>::open("2")?;
/// let (mut mu, mut log_partition) = ([0.0; 2], [unset()]);
/// oracle.marginals(&[0.0, 3.0_f64.ln()], &mut mu, &mut log_partition, &Limits::none());
/// assert!((mu[0] - 0.5).abs() < 1e-12 && (mu[1] - 0.75).abs() < 1e-12);
/// assert!((log_partition[0].clone()? - 8.0_f64.ln()).abs() < 1e-12); // (1 + 1) (1 + 3)
/// # Ok::<(), Error>(())
/// ```
///
/// # Errors
///
/// What keeps this row from having marginals; [`ErrorKind::Unsupported`] if no row of the instance has
/// them.
pub type MarginalsFn<S> = fn(
    instance: &S,
    workspace: &mut <S as Solver>::Workspace,
    theta: &[f64],
    mu: &mut [f64],
    limits: &Limits<'_>,
) -> Result<f64, Error>;

impl Facts {
    /// Checks marginals against these facts: an average of states keeps their bounds and their sum, up to
    /// rounding.
    ///
    /// ```
    /// let facts = imle_api::Facts::binary(2).with_ones(1);
    /// assert!(facts.check_marginals(&[0.25, 0.75], 1.5).is_ok());
    /// let broken = facts.check_marginals(&[0.25, 1.25], 1.5).unwrap_err();
    /// assert_eq!(broken.message(), "mu[1] = 1.25 is not within [0, 1]");
    /// ```
    ///
    /// # Errors
    ///
    /// [`ErrorKind::ContractBroken`] with the value that is not finite, out of bounds, or not the sum.
    pub fn check_marginals(&self, mu: &[f64], log_partition: f64) -> Result<(), Error> {
        let broken = |message| Err(Error::new(ErrorKind::ContractBroken, message));
        if !log_partition.is_finite() {
            return broken(format!("the log-partition is {log_partition}"));
        }
        let (lower, upper) = (self.z_lower, self.z_upper);
        let slack = |bound: f64| MARGINALS_SLACK * (1.0 + bound.abs());
        // Written so that NaN fails.
        let wrong = |mu: &f64| {
            !(mu.is_finite() && *mu >= lower - slack(lower) && *mu <= upper + slack(upper))
        };
        if let Some(at) = mu.iter().position(wrong) {
            return broken(format!(
                "mu[{at}] = {} is not within [{lower}, {upper}]",
                mu[at]
            ));
        }
        let (sum, size) = mu
            .iter()
            .fold((0.0, 0.0), |(sum, size), mu| (sum + mu, size + mu.abs()));
        match self.ones {
            Some(ones) if (sum - ones as f64).abs() > MARGINALS_SLACK * (1.0 + size) => {
                broken(format!("mu sums to {sum}, but every state sums to {ones}"))
            }
            _ => Ok(()),
        }
    }
}

/// What is answered where there are no exact marginals.
pub(crate) fn no_marginals(who: &str) -> Error {
    let message = format!("{who} has no exact marginals; estimate them by the mean of samples");
    Error::new(ErrorKind::Unsupported, message)
}
