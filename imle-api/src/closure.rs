//! A Rust function as an oracle.

use std::fmt;

use crate::linked::caught;
use crate::{Error, Facts, Identity, Limits, Oracle, Outcome, Proof, Solved};

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
}

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
        let dim = self.facts.dim;
        assert_eq!(theta.len(), outcomes.len() * dim, "theta is [rows, dim]");
        assert_eq!(z.len(), theta.len(), "z is [rows, dim]");
        let rows = theta.chunks_exact(dim).zip(z.chunks_exact_mut(dim));
        for ((theta, z), outcome) in rows.zip(outcomes) {
            z.fill(f64::NAN); // a coordinate that is not written is no state
            let solved = limits
                .check()
                .and_then(|()| caught(|| (self.solve)(theta, z)).unwrap_or_else(Err))
                .and_then(|()| self.facts.check_state(z));
            *outcome = solved.map(|()| Solved {
                objective: theta.iter().zip(&*z).map(|(theta, z)| theta * z).sum(),
                proof: Proof::NONE,
            });
        }
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
