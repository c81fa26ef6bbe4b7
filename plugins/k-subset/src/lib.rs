//! The k largest of n coordinates: the plugin to copy.
//!
//! States are the 0/1 vectors of `dim` coordinates with exactly `k` ones; `k = 1` is the categorical
//! distribution. Ties are broken by the lower index, and `-0.0` equals `0.0`. Linear time.
//!
//! Exact marginals and the log-partition take time and memory `dim * k`, by dynamic programming:
//!
//! ```
//! use imle_api::{Limits, Linked, Oracle, unset};
//! use imle_k_subset::KSubset;
//!
//! let oracle = Linked::<KSubset>::open(r#"{"dim": 3, "k": 2}"#)?;
//! let (mut mu, mut log_partition) = ([0.0; 3], [unset()]);
//! oracle.marginals(&[2_f64.ln(), 0.0, 0.0], &mut mu, &mut log_partition, &Limits::none());
//! // The pairs 01 and 02 weigh 2, the pair 12 weighs 1.
//! assert!((log_partition[0].clone()? - 5_f64.ln()).abs() < 1e-12);
//! assert!(mu.iter().zip([0.8, 0.6, 0.6]).all(|(mu, exact)| (mu - exact).abs() < 1e-12));
//! # Ok::<(), imle_api::Error>(())
//! ```

#![forbid(unsafe_code)]

mod marginals;
mod narrow;
mod rank;
mod select;

use imle_api::{Error, ErrorKind, Facts, Limits, MarginalsFn, Proof, Solver, export_plugin};

use select::{Threshold, select};

pub use marginals::Workspace;

/// Which subsets are feasible.
#[derive(Debug, serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("examples" = [{"dim": 6, "k": 2}]))]
pub struct Config {
    /// The number of coordinates.
    pub dim: usize,
    /// The number of ones in every state, from 1 to `dim`.
    pub k: usize,
}

/// The subsets of `k` out of `dim` coordinates.
#[derive(Debug)]
pub struct KSubset {
    dim: usize,
    k: usize,
}

impl Solver for KSubset {
    const NAME: &'static str = "k-subset";
    const SUMMARY: &'static str = "the k largest of n coordinates; k = 1 is the categorical";
    const MARGINALS: Option<MarginalsFn<Self>> = Some(Self::marginals);
    type Config = Config;
    type Workspace = Workspace;

    fn new(Config { dim, k }: Config) -> Result<Self, Error> {
        if dim > 1 << 31 {
            let message = format!("dim = {dim} is more than 2^31");
            return Err(Error::new(ErrorKind::InvalidConfig, message));
        }
        if k < 1 || k > dim {
            let message = format!("k = {k} is not between 1 and dim = {dim}");
            return Err(Error::new(ErrorKind::InvalidConfig, message));
        }
        Ok(Self { dim, k })
    }

    fn facts(&self) -> Facts {
        Facts::binary(self.dim).with_ones(self.k)
    }

    fn solve(
        &self,
        workspace: &mut Workspace,
        theta: &[f64],
        z: &mut [f64],
        _limits: &Limits<'_>,
    ) -> Result<Proof, Error> {
        let Threshold { last, next } = select(&mut workspace.candidates, self.k, theta, z);
        // Moving every coordinate by less than half the gap does not change who is in.
        let radius = next.map_or(f64::INFINITY, |next| last / 2.0 - next / 2.0);
        Ok(Proof::radius(radius))
    }
}

export_plugin!(KSubset);

#[cfg(test)]
mod tests {
    use super::*;
    use imle_api::conformance::{Check, binary_vectors};
    use imle_api::{Linked, solve_one};
    use serde_json::json;

    fn subsets(dim: usize, k: usize) -> Vec<Vec<f64>> {
        binary_vectors(dim, |z| z.iter().sum::<f64>() == k as f64)
    }

    #[test]
    fn obeys_the_law() {
        let mut check = Check::new();
        for (dim, k) in [(1, 1), (4, 1), (5, 2), (6, 6), (9, 4)] {
            check = check.case(json!({"dim": dim, "k": k}), subsets(dim, k));
        }
        check
            .refuses(json!({"dim": 3, "k": 0}))
            .refuses(json!({"dim": 3, "k": 4}))
            .refuses(json!({"dim": 0, "k": 0}))
            .refuses(json!({"dim": 1_000_000_000_000_u64, "k": 1}))
            .refuses(json!({"dim": 3}))
            .refuses(json!({"dim": 3, "k": -1}))
            .run::<KSubset>()
            .unwrap();
    }

    #[test]
    fn ties_go_to_the_lower_index_and_zeros_have_no_sign() {
        let oracle = Linked::<KSubset>::open(r#"{"dim": 5, "k": 2}"#).unwrap();
        let (z, solved) = solve_one(&oracle, &[-1.0, -0.0, 0.0, -0.0, -2.0]).unwrap();
        assert_eq!(z, [0.0, 1.0, 1.0, 0.0, 0.0]);
        assert_eq!(solved.proof.radius, 0.0);
    }

    #[test]
    fn the_radius_is_half_the_gap() {
        let oracle = Linked::<KSubset>::open(r#"{"dim": 3, "k": 1}"#).unwrap();
        let (_, solved) = solve_one(&oracle, &[3.0, 1.0, 0.0]).unwrap();
        assert!(solved.proof.radius < 1.0 && solved.proof.radius > 0.999_999);
        // Half of a gap that is itself too large for a number.
        let (_, solved) = solve_one(&oracle, &[1e308, -1e308, -1e308]).unwrap();
        assert!(solved.proof.radius < 1e308);
    }
}
