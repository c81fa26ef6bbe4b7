//! Ranks: values handed out in the order of theta.
//!
//! States are the permutations of `dim` values, by default the ranks 1 to `dim`; the `i`-th coordinate of a
//! state is the value that item `i` gets. The largest `<z, theta>` gives the largest value to the item
//! with the largest theta, the next to the next, and so on (the rearrangement inequality: swapping two
//! values that are in the other order than their theta gains), so the oracle is a sort.
//!
//! ```json
//! {"dim": 5}
//! {"dim": 5, "normalized": true}
//! {"dim": 3, "values": [0.5, 0.63, 1.0]}
//! ```
//!
//! `values` may be anything, in any order: discounts of a ranking measure, or repeated values.
//!
//! # Rank 1 for the best
//!
//! An oracle maximises, so the largest theta gets rank `dim`. Where scores are ranked from the best, as
//! in black-box differentiation of ranks ([Rolínek and others, CVPR 2020](https://arxiv.org/abs/1912.03500)),
//! rank 1 belongs to the largest score, which is the *minimum* of `<z, scores>`: use
//! `sense = minimize` on the estimator with theta the scores. With `"normalized": true` the
//! states are then the `rank / n` of the `TrueRanker` of blackbox-backprop.
//!
//! # Exactness and ties
//!
//! Exact for every theta, in `O(n log n)`. Of items with equal theta the one with the lower index gets the
//! larger value, and `-0.0` equals `0.0`.

#![forbid(unsafe_code)]

use imle_api::{Error, ErrorKind, Facts, Limits, Proof, Solver, export_plugin};

/// More items than this are a typing mistake rather than a problem, and their ranks would take gigabytes.
const MOST_ITEMS: usize = 1 << 24;

/// What is handed out.
///
/// ```
/// use imle_api::{Linked, solve_one};
/// use imle_ranking::Ranking;
///
/// let oracle = Linked::<Ranking>::open(r#"{"dim": 4}"#)?;
/// let (z, _) = solve_one(&oracle, &[0.3, -1.0, 2.0, 0.4])?;
/// assert_eq!(z, [2.0, 1.0, 4.0, 3.0]);
/// # Ok::<(), imle_api::Error>(())
/// ```
#[derive(Debug, serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("examples" = [{"dim": 4}]))]
pub struct Config {
    /// The number of items.
    pub dim: usize,
    /// Whether ranks are divided by `dim`; not together with `values`.
    #[serde(default)]
    pub normalized: bool,
    /// The values to hand out, `dim` of them, instead of the ranks 1 to `dim`.
    pub values: Option<Vec<f64>>,
}

/// The permutations of some values.
#[derive(Debug)]
pub struct Ranking {
    /// From large to small.
    values: Vec<f64>,
}

impl Solver for Ranking {
    const NAME: &'static str = "ranking";
    const SUMMARY: &'static str = "ranks, or other values, handed out in the order of theta";
    type Config = Config;
    type Workspace = Vec<usize>;

    fn new(config: Config) -> Result<Self, Error> {
        let invalid = |message| Err(Error::new(ErrorKind::InvalidConfig, message));
        let dim = config.dim;
        if !(1..=MOST_ITEMS).contains(&dim) {
            return invalid(format!("dim = {dim} is not between 1 and 2^24"));
        }
        let scale = if config.normalized { dim as f64 } else { 1.0 };
        let mut values = match config.values {
            None => (1..=dim).map(|rank| rank as f64 / scale).collect(),
            Some(_) if config.normalized => {
                return invalid("normalized divides ranks, but values are given".to_owned());
            }
            Some(values) => values,
        };
        if values.len() != dim {
            let count = values.len();
            return invalid(format!("there are {count} values for dim = {dim} items"));
        }
        values.sort_by(|a, b| b.total_cmp(a));
        Ok(Self { values })
    }

    fn facts(&self) -> Facts {
        let (largest, smallest) = (self.values[0], self.values[self.values.len() - 1]);
        let integral = self.values.iter().all(|value| value.fract() == 0.0);
        let facts = Facts::bounded(self.values.len(), smallest, largest, integral);
        let sum: f64 = self.values.iter().sum();
        // Sums beyond this are rounded, differently for every order.
        if integral && smallest >= 0.0 && sum < 2_f64.powi(53) {
            return facts.with_ones(sum as usize);
        }
        facts
    }

    fn solve(
        &self,
        order: &mut Vec<usize>,
        theta: &[f64],
        z: &mut [f64],
        _: &Limits<'_>,
    ) -> Result<Proof, Error> {
        order.clear();
        order.extend(0..theta.len());
        order.sort_unstable_by(|&a, &b| {
            let by_value = theta[b].partial_cmp(&theta[a]);
            by_value.expect("theta is finite").then(a.cmp(&b))
        });
        for (&item, &value) in order.iter().zip(&self.values) {
            z[item] = value;
        }
        Ok(Proof::radius(self.radius(order, theta)))
    }
}

impl Ranking {
    /// Half of the smallest gap between neighbours that would get other values in the other order.
    fn radius(&self, order: &[usize], theta: &[f64]) -> f64 {
        let neighbours = order.windows(2).zip(self.values.windows(2));
        neighbours
            .filter(|(_, values)| values[0] != values[1])
            .map(|(items, _)| theta[items[0]] / 2.0 - theta[items[1]] / 2.0)
            .fold(f64::INFINITY, f64::min)
    }
}

export_plugin!(Ranking);

#[cfg(test)]
mod tests {
    use super::*;
    use imle_api::conformance::Check;
    use imle_api::{Linked, Oracle, solve_one};
    use serde_json::json;

    /// Every order of the values.
    fn permutations(values: &[f64]) -> Vec<Vec<f64>> {
        if values.is_empty() {
            return vec![Vec::new()];
        }
        let begin_with = |at: usize| {
            let mut rest = values.to_vec();
            let value = rest.remove(at);
            let tails = permutations(&rest).into_iter();
            tails.map(move |tail| [vec![value], tail].concat())
        };
        (0..values.len()).flat_map(begin_with).collect()
    }

    #[test]
    fn obeys_the_law() {
        let ranks = |dim: usize| (1..=dim).map(|rank| rank as f64).collect::<Vec<_>>();
        let quarters: Vec<f64> = ranks(4).iter().map(|rank| rank / 4.0).collect();
        let values = [2.5, -1.0, 2.5, 0.0];
        Check::new()
            .case(json!({"dim": 1}), permutations(&ranks(1)))
            .case(json!({"dim": 5}), permutations(&ranks(5)))
            .case(
                json!({"dim": 4, "normalized": true}),
                permutations(&quarters),
            )
            .case(json!({"dim": 4, "values": values}), permutations(&values))
            .case(
                json!({"dim": 3, "values": [0, 0, 1]}),
                permutations(&[0.0, 0.0, 1.0]),
            )
            .refuses(json!({"dim": 0}))
            .refuses(json!({"dim": 1_u64 << 60}))
            .refuses(json!({"dim": 1_u64 << 31})) // 16 GiB of ranks
            .refuses(json!({"dim": 3, "values": [1.0, 2.0]}))
            .refuses(json!({"dim": 1, "values": [2.0], "normalized": true}))
            .refuses(json!({"values": [2.0]}))
            .run::<Ranking>()
            .unwrap();
    }

    #[test]
    fn ties_give_the_larger_value_to_the_lower_index() {
        let oracle = Linked::<Ranking>::open(r#"{"dim": 4}"#).unwrap();
        assert_eq!(oracle.facts().ones, Some(10));
        let (z, solved) = solve_one(&oracle, &[0.0, -0.0, 0.0, 5.0]).unwrap();
        assert_eq!(z, [3.0, 2.0, 1.0, 4.0]);
        assert_eq!(solved.proof.radius, 0.0);
    }

    /// One finite difference of blackbox-backprop's `TrueRanker`, which ranks from the largest score and
    /// steps by `+ lambda grad_z`: it is this oracle on negated scores.
    #[test]
    fn negated_scores_are_ranked_from_the_best() {
        let oracle = Linked::<Ranking>::open(r#"{"dim": 4, "normalized": true}"#).unwrap();
        let rank = |scores: [f64; 4]| solve_one(&oracle, &scores.map(|s| -s)).unwrap().0;
        assert_eq!(rank([0.25, 1.0, -0.5, 0.5]), [0.75, 0.25, 1.0, 0.5]);
        assert_eq!(rank([1.25, 0.0, -0.5, 0.5]), [0.25, 0.75, 1.0, 0.5]);
    }

    #[test]
    fn values_that_differ_by_sign_of_zero_only_are_equal() {
        let oracle = Linked::<Ranking>::open(r#"{"dim": 2, "values": [-0.0, 0.0]}"#).unwrap();
        let (z, solved) = solve_one(&oracle, &[1.0, 1.0]).unwrap();
        assert_eq!(z, [0.0, 0.0]);
        assert_eq!(solved.proof.radius, f64::MAX);
    }
}
