//! Exact marginals, held against sums over all states.

use super::Failure;
use super::case::{Case, dot};
use crate::{Error, ErrorKind, Limits, Oracle, unset};

/// Error allowed in a marginal and in a log-partition, beside that of the exponents.
const ROUNDING: f64 = 1e-9;
/// Of the exponents: what `<z, theta>` may be off, relative to the sum of `|theta|`.
const EXPONENT_ROUNDING: f64 = 20.0 * f64::EPSILON;

/// The marginals of some rows and their log-partitions.
type Found = (Vec<f64>, Vec<Result<f64, Error>>);

impl Case<'_> {
    /// Nothing to check if the oracle has no marginals.
    pub(super) fn marginals_are_exact(
        &self,
        oracle: &dyn Oracle,
        theta: &[f64],
    ) -> Result<(), Failure> {
        let (mu, log_partitions) = self.marginals(oracle, theta);
        let unsupported = |found: &Result<f64, Error>| matches!(found, Err(why) if why.kind() == ErrorKind::Unsupported);
        if log_partitions.iter().all(unsupported) {
            return Ok(());
        }
        let dim = self.facts.dim;
        let rows = theta.chunks_exact(dim).zip(mu.chunks_exact(dim));
        if self.complete {
            for ((theta, mu), found) in rows.zip(&log_partitions) {
                self.row_is_exact(theta, mu, found)?;
            }
        }
        self.same_on_a_used_workspace(oracle, theta, &(mu, log_partitions))
    }

    fn marginals(&self, oracle: &dyn Oracle, theta: &[f64]) -> Found {
        let mut mu = vec![f64::NAN; theta.len()];
        let mut log_partitions = vec![unset(); theta.len() / self.facts.dim];
        oracle.marginals(theta, &mut mu, &mut log_partitions, &Limits::none());
        (mu, log_partitions)
    }

    fn row_is_exact(
        &self,
        theta: &[f64],
        mu: &[f64],
        found: &Result<f64, Error>,
    ) -> Result<(), Failure> {
        let failure = |property, evidence: String| {
            Err(self.failure(property, format!("theta {theta:?} {evidence}")))
        };
        let found = match found {
            Err(why) if self.is_infeasible() && why.kind() == ErrorKind::Infeasible => {
                return Ok(());
            }
            Err(why) => return failure("marginals for every row", format!("got {why}")),
            Ok(_) if self.is_infeasible() => {
                return failure("infeasibility", "got marginals".to_owned());
            }
            Ok(found) => *found,
        };
        let (log_partition, expected) = self.enumerated(theta);
        let size = theta.iter().map(|theta| theta.abs()).sum::<f64>();
        let slack = ROUNDING + EXPONENT_ROUNDING * size;
        // Both written so that NaN fails.
        let close = (found - log_partition).abs() <= slack;
        if !close {
            return failure("log-partition", format!("got {found}, not {log_partition}"));
        }
        let wrong = |at: &usize| {
            let close = (mu[*at] - expected[*at]).abs() <= slack;
            !close
        };
        match (0..mu.len()).find(wrong) {
            None => Ok(()),
            Some(at) => failure(
                "marginals",
                format!("got mu[{at}] = {}, not {}", mu[at], expected[at]),
            ),
        }
    }

    /// The log-partition and the marginals, by looking at all states.
    fn enumerated(&self, theta: &[f64]) -> (f64, Vec<f64>) {
        let scores: Vec<f64> = self.states.iter().map(|z| dot(theta, z)).collect();
        let best = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let total: f64 = scores.iter().map(|score| (score - best).exp()).sum();
        let mut mu = vec![0.0; theta.len()];
        for (z, score) in self.states.iter().zip(&scores) {
            let probability = (score - best).exp() / total;
            mu.iter_mut()
                .zip(z)
                .for_each(|(mu, z)| *mu += probability * z);
        }
        (best + total.ln(), mu)
    }

    /// One by one and from the last to the first, with solves between, the results are the same to the bit.
    fn same_on_a_used_workspace(
        &self,
        oracle: &dyn Oracle,
        theta: &[f64],
        (mu, log_partitions): &Found,
    ) -> Result<(), Failure> {
        let dim = self.facts.dim;
        let bits = |mu: &[f64]| mu.iter().map(|mu| mu.to_bits()).collect::<Vec<_>>();
        for row in (0..log_partitions.len()).rev() {
            let values = row * dim..(row + 1) * dim;
            let theta = &theta[values.clone()];
            let (again, log_partition) = self.marginals(oracle, theta);
            let same = log_partition[0] == log_partitions[row]
                && (log_partition[0].is_err() || bits(&again) == bits(&mu[values.clone()]));
            if !same {
                return Err(self.failure(
                    "the same marginals in another split and on a used workspace",
                    format!(
                        "theta {theta:?} got {:?} with {:?} and then {again:?} with {:?}",
                        &mu[values], log_partitions[row], log_partition[0]
                    ),
                ));
            }
            self.solve(oracle, theta)?;
        }
        Ok(())
    }
}
