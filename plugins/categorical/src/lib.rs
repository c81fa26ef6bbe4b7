//! The largest coordinate of every block: several categorical variables side by side.
//!
//! Theta is cut into blocks of the given sizes, one after the other, and a state has a single 1 in each:
//!
//! ```json
//! {"blocks": [3, 3, 2]}
//! ```
//!
//! Ties are broken by the lower index, and `-0.0` equals `0.0`. Exact for every theta; linear time. For a
//! single block this is `k-subset` with `k = 1`.
//!
//! Exact marginals are the softmax of every block, and the log-partition is the sum of theirs.

#![forbid(unsafe_code)]

use imle_api::{Error, ErrorKind, Facts, Limits, MarginalsFn, Proof, Solver, export_plugin};

const MOST_COORDINATES: usize = 1 << 31;

/// How theta is cut into blocks.
///
/// ```
/// use imle_api::{Linked, solve_one};
/// use imle_categorical::Categorical;
///
/// let oracle = Linked::<Categorical>::open(r#"{"blocks": [2, 3]}"#)?;
/// let (z, _) = solve_one(&oracle, &[0.1, 0.7, 0.2, 0.0, 0.9])?;
/// assert_eq!(z, [0.0, 1.0, 0.0, 0.0, 1.0]);
/// # Ok::<(), imle_api::Error>(())
/// ```
#[derive(Debug, serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("examples" = [{"blocks": [3, 2, 4]}]))]
pub struct Config {
    /// The number of coordinates of each block, at least 1.
    pub blocks: Vec<usize>,
}

/// One choice in every block.
#[derive(Debug)]
pub struct Categorical {
    blocks: Vec<usize>,
    dim: usize,
}

impl Solver for Categorical {
    const NAME: &'static str = "categorical";
    const SUMMARY: &'static str = "the largest coordinate of every block";
    const MARGINALS: Option<MarginalsFn<Self>> = Some(Self::marginals);
    type Config = Config;
    type Workspace = ();

    fn new(Config { blocks }: Config) -> Result<Self, Error> {
        let invalid = |message| Err(Error::new(ErrorKind::InvalidConfig, message));
        if blocks.is_empty() {
            return invalid("blocks is empty; at least one block is needed".to_owned());
        }
        if let Some(at) = blocks.iter().position(|&size| size == 0) {
            return invalid(format!(
                "blocks[{at}] = 0; a block has at least 1 coordinate"
            ));
        }
        let sum = |dim: usize, &size: &usize| dim.checked_add(size);
        match blocks.iter().try_fold(0, sum) {
            Some(dim) if dim <= MOST_COORDINATES => Ok(Self { blocks, dim }),
            _ => invalid("the blocks have more than 2^31 coordinates in all".to_owned()),
        }
    }

    fn facts(&self) -> Facts {
        Facts::binary(self.dim).with_ones(self.blocks.len())
    }

    fn solve(
        &self,
        _: &mut (),
        theta: &[f64],
        z: &mut [f64],
        _: &Limits<'_>,
    ) -> Result<Proof, Error> {
        z.fill(0.0);
        let mut radius = f64::INFINITY;
        let mut first = 0;
        for &size in &self.blocks {
            let (largest, block_radius) = choose(&theta[first..first + size]);
            z[first + largest] = 1.0;
            radius = radius.min(block_radius);
            first += size;
        }
        Ok(Proof::radius(radius))
    }
}

impl Categorical {
    fn marginals(
        &self,
        _: &mut (),
        theta: &[f64],
        mu: &mut [f64],
        _: &Limits<'_>,
    ) -> Result<f64, Error> {
        mu.copy_from_slice(theta);
        let mut first = 0;
        let block = |&size: &usize| {
            first += size;
            softmax(&mut mu[first - size..first])
        };
        Ok(self.blocks.iter().map(block).sum())
    }
}

/// Replaces a block by its softmax; returns its log-partition.
fn softmax(block: &mut [f64]) -> f64 {
    let largest = block.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    block
        .iter_mut()
        .for_each(|theta| *theta = (*theta - largest).exp());
    let sum: f64 = block.iter().sum();
    block.iter_mut().for_each(|weight| *weight /= sum);
    largest + sum.ln()
}

/// The first of the largest, and half of what it is ahead by.
fn choose(block: &[f64]) -> (usize, f64) {
    let (mut largest, mut next) = (0, f64::NEG_INFINITY);
    for (at, &theta) in block.iter().enumerate().skip(1) {
        if theta > block[largest] {
            (largest, next) = (at, block[largest]);
        } else {
            next = next.max(theta);
        }
    }
    (largest, block[largest] / 2.0 - next / 2.0)
}

export_plugin!(Categorical);

#[cfg(test)]
mod tests {
    use super::*;
    use imle_api::conformance::{Check, binary_vectors};
    use imle_api::{Linked, Oracle, solve_one, unset};
    use serde_json::json;

    fn states(blocks: &[usize]) -> Vec<Vec<f64>> {
        binary_vectors(blocks.iter().sum(), |z| {
            let mut rest = z;
            blocks.iter().all(|&size| {
                let (block, others) = rest.split_at(size);
                rest = others;
                block.iter().sum::<f64>() == 1.0
            })
        })
    }

    #[test]
    fn obeys_the_law() {
        let mut check = Check::new();
        for blocks in [&[1][..], &[4], &[3, 3, 2], &[1, 5, 1], &[2, 2, 2, 2, 2]] {
            check = check.case(json!({"blocks": blocks}), states(blocks));
        }
        check
            .refuses(json!({"blocks": []}))
            .refuses(json!({"blocks": [2, 0]}))
            .refuses(json!({"blocks": [-1]}))
            .refuses(json!({"blocks": [u64::MAX, 2]}))
            .refuses(json!({"blocks": 3}))
            .run::<Categorical>()
            .unwrap();
    }

    #[test]
    fn ties_go_to_the_lower_index_and_zeros_have_no_sign() {
        let oracle = Linked::<Categorical>::open(r#"{"blocks": [2, 3]}"#).unwrap();
        let (z, solved) = solve_one(&oracle, &[-0.0, 0.0, 1.0, 2.0, 2.0]).unwrap();
        assert_eq!(z, [1.0, 0.0, 0.0, 1.0, 0.0]);
        assert_eq!(solved.proof.radius, 0.0);
    }

    #[test]
    fn marginals_are_a_softmax_in_every_block() {
        let oracle = Linked::<Categorical>::open(r#"{"blocks": [2, 1, 2]}"#).unwrap();
        let (mut mu, mut log_partition) = ([0.0; 5], [unset()]);
        let theta = [3_f64.ln(), 0.0, 5.0, -1000.0, 1000.0];
        oracle.marginals(&theta, &mut mu, &mut log_partition, &Limits::none());
        let wrong = |(mu, exact): (&f64, f64)| (mu - exact).abs() > 1e-15;
        assert!(
            !mu.iter().zip([0.75, 0.25, 1.0, 0.0, 1.0]).any(wrong),
            "{mu:?}"
        );
        let [log_partition] = log_partition.map(Result::unwrap);
        assert!((log_partition - (4_f64.ln() + 1005.0)).abs() < 1e-12);
    }

    #[test]
    fn the_radius_is_half_the_smallest_lead() {
        let oracle = Linked::<Categorical>::open(r#"{"blocks": [2, 3, 1]}"#).unwrap();
        let (_, solved) = solve_one(&oracle, &[3.0, 1.0, 0.0, 0.5, 0.25, 7.0]).unwrap();
        assert!(solved.proof.radius < 0.125 && solved.proof.radius > 0.124_999);
        let alone = Linked::<Categorical>::open(r#"{"blocks": [1, 1]}"#).unwrap();
        let (_, solved) = solve_one(&alone, &[-1e308, 1e308]).unwrap();
        assert_eq!(solved.proof.radius, f64::MAX);
    }
}
