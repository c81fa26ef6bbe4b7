//! A Rust function as an oracle.

use std::fmt;

use crate::linked::caught;
use crate::marginals::no_marginals;
use crate::{Error, Facts, Identity, Limits, Oracle, Outcome, Proof, Solved, inner_product};

/// An oracle made of facts and a function that writes the MAP state of a row.
///
/// The function obeys [the law](crate::Oracle); a panic in it is the error of its row.
///
/// ```
/// use imle_api::{Facts, FnOracle, solve_one};
///
/// let sign = FnOracle::new(Facts::binary(3), |theta, z| {
///     z.iter_mut().zip(theta).for_each(|(z, &theta)| *z = f64::from(theta > 0.0));
///     Ok(())
/// });
/// assert_eq!(solve_one(&sign, &[0.5, -1.0, 2.0])?.0, [1.0, 0.0, 1.0]);
/// # Ok::<(), imle_api::Error>(())
/// ```
pub struct FnOracle<F> {
    facts: Facts,
    identity: Identity,
    solve: F,
    marginals: Option<RowMarginals>,
}

type RowMarginals = Box<dyn Fn(&[f64], &mut [f64]) -> Result<f64, Error> + Send + Sync>;

impl<F> FnOracle<F>
where
    F: Fn(&[f64], &mut [f64]) -> Result<(), Error> + Send + Sync,
{
    /// Makes an oracle of `solve`, which gets a finite row of theta and a row of z to write.
    pub fn new(facts: Facts, solve: F) -> Self {
        Self {
            facts,
            identity: Identity::unique(),
            solve,
            marginals: None,
        }
    }

    /// Adds exact marginals: `marginals` gets a row of theta and a row of mu to write, and returns the
    /// log-partition, as [`MarginalsFn`](crate::MarginalsFn) says.
    #[must_use]
    pub fn with_marginals(
        self,
        marginals: impl Fn(&[f64], &mut [f64]) -> Result<f64, Error> + Send + Sync + 'static,
    ) -> Self {
        Self {
            marginals: Some(Box::new(marginals)),
            ..self
        }
    }

    /// Does one row after the other; a coordinate that `work` does not write is NaN.
    fn each_row<T>(
        &self,
        theta: &[f64],
        output: &mut [f64],
        results: &mut [Result<T, Error>],
        work: impl Fn(&[f64], &mut [f64]) -> Result<T, Error>,
    ) {
        let dim = self.facts.dim;
        assert_eq!(theta.len(), results.len() * dim, "theta is [rows, dim]");
        assert_eq!(output.len(), theta.len(), "the output is [rows, dim]");
        let rows = theta.chunks_exact(dim).zip(output.chunks_exact_mut(dim));
        for ((theta, output), result) in rows.zip(results) {
            output.fill(f64::NAN);
            *result = work(theta, output);
        }
    }
}

impl<F> Oracle for FnOracle<F>
where
    F: Fn(&[f64], &mut [f64]) -> Result<(), Error> + Send + Sync,
{
    fn facts(&self) -> Facts {
        self.facts
    }

    fn identity(&self) -> Identity {
        self.identity
    }

    fn solve(&self, theta: &[f64], z: &mut [f64], outcomes: &mut [Outcome], limits: &Limits<'_>) {
        self.each_row(theta, z, outcomes, |theta, z| {
            limits.check()?;
            caught(|| (self.solve)(theta, z)).unwrap_or_else(Err)?;
            self.facts.check_state(z)?;
            Ok(Solved {
                objective: inner_product(z, theta),
                proof: Proof::NONE,
            })
        });
    }

    fn marginals(
        &self,
        theta: &[f64],
        mu: &mut [f64],
        log_partitions: &mut [Result<f64, Error>],
        limits: &Limits<'_>,
    ) {
        let Some(marginals) = &self.marginals else {
            return log_partitions.fill(Err(no_marginals("this closure")));
        };
        self.each_row(theta, mu, log_partitions, |theta, mu| {
            limits.check()?;
            let log_partition = caught(|| marginals(theta, mu)).unwrap_or_else(Err)?;
            self.facts.check_marginals(mu, log_partition)?;
            Ok(log_partition)
        });
    }
}

impl<F> fmt::Debug for FnOracle<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FnOracle")
            .field("facts", &self.facts)
            .field("identity", &self.identity)
            .finish_non_exhaustive()
    }
}
