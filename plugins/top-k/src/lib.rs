//! The best `k` of `dim` coordinates, or at most `k`, that each have a known cost.
//!
//! States are the 0/1 vectors with exactly `k` ones or, with `"at_most": true`, with up to `k`. The best state
//! maximises `<z, theta> - <z, costs>`: theta is learnt, the costs are part of the instance.
//!
//! ```json
//! {"dim": 5, "k": 2, "costs": [0.1, 0.1, 0.5, 2.0, 0.3], "at_most": true}
//! ```
//!
//! What counts is the *net* value `theta - cost` of a coordinate. Without `at_most` the `k` coordinates of the
//! largest net values are taken, with it those of them that are positive. Without costs and `at_most` this is
//! `k-subset`, which also has exact marginals.
//!
//! # Exactness and ties
//!
//! Exact for net values as rounded to `f64`; ties are broken by the lower index, and `-0.0` equals `0.0`. A row
//! whose net values are too large for a number is an [`InvalidTheta`](ErrorKind::InvalidTheta). Linear
//! time.

#![forbid(unsafe_code)]

use imle_api::{Error, ErrorKind, Facts, Limits, Proof, Solver, export_plugin};

const MOST_COORDINATES: usize = 1 << 31;

/// Which selections are feasible and what they cost.
///
/// ```
/// use imle_api::{Linked, solve_one};
/// use imle_top_k::TopK;
///
/// let config = r#"{"dim": 3, "k": 2, "costs": [0.5, 0.5, 2.0], "at_most": true}"#;
/// let oracle = Linked::<TopK>::open(config)?;
/// let (z, _) = solve_one(&oracle, &[1.0, 0.25, 1.5])?;
/// assert_eq!(z, [1.0, 0.0, 0.0]);
/// # Ok::<(), imle_api::Error>(())
/// ```
#[derive(Debug, serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The number of coordinates.
    pub dim: usize,
    /// The number of ones in every state, or the most there may be; from 1 to `dim`.
    pub k: usize,
    /// What each coordinate costs; nothing if absent.
    pub costs: Option<Vec<f64>>,
    /// Whether there may be fewer than `k` ones.
    #[serde(default)]
    pub at_most: bool,
}

/// The selections of `k` out of `dim` coordinates, or of at most `k`.
#[derive(Debug)]
pub struct TopK {
    k: usize,
    costs: Vec<f64>,
    at_most: bool,
}

/// Buffers that survive from row to row.
#[derive(Debug, Default)]
pub struct Workspace {
    net: Vec<f64>,
    order: Vec<usize>,
}

impl Solver for TopK {
    const NAME: &'static str = "top-k";
    const SUMMARY: &'static str = "the best k of n, or at most k, that each have a known cost";
    type Config = Config;
    type Workspace = Workspace;

    fn new(config: Config) -> Result<Self, Error> {
        let invalid = |message| Err(Error::new(ErrorKind::InvalidConfig, message));
        let Config {
            dim,
            k,
            costs,
            at_most,
        } = config;
        if dim > MOST_COORDINATES {
            return invalid(format!("dim = {dim} is more than 2^31"));
        }
        if k < 1 || k > dim {
            return invalid(format!("k = {k} is not between 1 and dim = {dim}"));
        }
        let costs = costs.unwrap_or_else(|| vec![0.0; dim]);
        if costs.len() != dim {
            let count = costs.len();
            return invalid(format!("there are {count} costs for dim = {dim}"));
        }
        if let Some(at) = costs.iter().position(|cost| !cost.is_finite()) {
            return invalid(format!("costs[{at}] = {} is not finite", costs[at]));
        }
        Ok(Self { k, costs, at_most })
    }

    fn facts(&self) -> Facts {
        let facts = Facts::binary(self.costs.len());
        match self.at_most {
            true => facts,
            false => facts.with_ones(self.k),
        }
    }

    fn solve(
        &self,
        workspace: &mut Workspace,
        theta: &[f64],
        z: &mut [f64],
        _limits: &Limits<'_>,
    ) -> Result<Proof, Error> {
        let Workspace { net, order } = workspace;
        net.clear();
        net.extend(
            theta
                .iter()
                .zip(&self.costs)
                .map(|(theta, cost)| theta - cost),
        );
        if let Some(column) = net.iter().position(|net| !net.is_finite()) {
            let (theta, cost) = (theta[column], self.costs[column]);
            let message = format!(
                "theta is {theta} at column {column}; less the cost of {cost} it is no number"
            );
            return Err(Error::new(ErrorKind::InvalidTheta, message));
        }
        order.clear();
        order.extend(0..net.len());
        let (_, &mut last, rest) = order.select_nth_unstable_by(self.k - 1, |&a, &b| {
            let by_value = net[b].partial_cmp(&net[a]);
            by_value.expect("net values are finite").then(a.cmp(&b))
        });
        let next = rest
            .iter()
            .map(|&i| net[i])
            .fold(f64::NEG_INFINITY, f64::max);
        z.fill(0.0);
        for &i in &order[..self.k] {
            z[i] = f64::from(!self.at_most || net[i] > 0.0);
        }
        Ok(Proof::radius(self.radius(net, net[last], next)))
    }
}

impl TopK {
    /// How far net values can move and leave the state as it is: until the last one that is taken meets the
    /// next or, where fewer may be taken, until one crosses zero.
    fn radius(&self, net: &[f64], last: f64, next: f64) -> f64 {
        let half_gap = last / 2.0 - next / 2.0;
        let radius = match (self.at_most, last > 0.0) {
            (false, _) => half_gap,
            (true, true) => half_gap.min(last),
            (true, false) => net
                .iter()
                .map(|net| net.abs())
                .fold(f64::INFINITY, f64::min),
        };
        // Net values were rounded, each by less than this.
        radius - f64::EPSILON * net.iter().fold(0.0, |most: f64, net| most.max(net.abs()))
    }
}

export_plugin!(TopK);

#[cfg(test)]
mod tests {
    use super::*;
    use imle_api::conformance::{Check, binary_vectors};
    use imle_api::{Linked, Oracle, solve_one};
    use serde_json::json;

    fn selections(dim: usize, k: usize, at_most: bool) -> Vec<Vec<f64>> {
        binary_vectors(dim, |z| {
            let ones = z.iter().sum::<f64>() as usize;
            ones == k || at_most && ones < k
        })
    }

    /// The largest `<z, theta>`, without costs: what the check knows to compare with.
    #[test]
    fn obeys_the_law() {
        let mut check = Check::new();
        for (dim, k) in [(1, 1), (4, 1), (5, 2), (6, 6), (9, 4)] {
            for at_most in [false, true] {
                let config = json!({"dim": dim, "k": k, "at_most": at_most});
                check = check.case(config, selections(dim, k, at_most));
            }
        }
        check
            .refuses(json!({"dim": 3, "k": 0}))
            .refuses(json!({"dim": 3, "k": 4}))
            .refuses(json!({"dim": 0, "k": 0}))
            .refuses(json!({"dim": 1_000_000_000_000_u64, "k": 1}))
            .refuses(json!({"dim": 3, "k": 1, "costs": [1.0]}))
            .refuses(json!({"dim": 1, "k": 1, "costs": [null]}))
            .run::<TopK>()
            .unwrap();
    }

    #[test]
    fn costs_are_subtracted_from_what_is_maximised() {
        let mut state = 1_u64;
        let mut quarters = |most: u64| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            ((state >> 33) % most) as f64 / 4.0
        };
        for round in 0..300 {
            let (dim, k, at_most) = (
                1 + round % 7,
                1 + round % 7 * (round % 3) / 3,
                round % 2 == 0,
            );
            let costs: Vec<f64> = (0..dim).map(|_| quarters(12)).collect();
            let theta: Vec<f64> = (0..dim).map(|_| quarters(12)).collect();
            let config = json!({"dim": dim, "k": k, "costs": costs, "at_most": at_most});
            let oracle = Linked::<TopK>::open(&config.to_string()).unwrap();
            // Quarters are added without rounding.
            let value = |z: &[f64]| -> f64 { (0..dim).map(|i| z[i] * (theta[i] - costs[i])).sum() };
            let states = selections(dim, k, at_most);
            let best = states
                .iter()
                .map(|z| value(z))
                .fold(f64::NEG_INFINITY, f64::max);
            let (z, solved) = solve_one(&oracle, &theta).unwrap();
            assert!(
                states.contains(&z) && value(&z) == best,
                "{config} {theta:?}: {z:?}"
            );
            let reported: f64 = z.iter().zip(&theta).map(|(z, theta)| z * theta).sum();
            assert_eq!(solved.objective, reported);
        }
    }

    #[test]
    fn facts_ties_and_zero() {
        let open = |config| Linked::<TopK>::open(config).unwrap();
        let exactly = open(r#"{"dim": 3, "k": 2, "costs": [1, 0, 1]}"#);
        assert_eq!(exactly.facts().ones, Some(2));
        assert_eq!(
            solve_one(&exactly, &[1.0, 0.0, 1.0]).unwrap().0,
            [1.0, 1.0, 0.0]
        );
        let at_most = open(r#"{"dim": 3, "k": 2, "costs": [1, 0, 1], "at_most": true}"#);
        assert_eq!(at_most.facts().ones, None);
        assert_eq!(
            solve_one(&at_most, &[1.0, -0.0, 2.0]).unwrap().0,
            [0.0, 0.0, 1.0]
        );
    }

    #[test]
    fn a_net_value_that_is_no_number_is_an_error_that_says_so() {
        let config = r#"{"dim": 2, "k": 1, "costs": [0.0, -1e308]}"#;
        let oracle = Linked::<TopK>::open(config).unwrap();
        let error = solve_one(&oracle, &[0.0, 1.7e308]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidTheta);
        assert!(
            error.message().contains("at column 1; less the cost of -1"),
            "{error}"
        );
        assert!(solve_one(&oracle, &[1.7e308, 0.0]).is_ok());
    }

    #[test]
    fn the_radius_reaches_to_the_next_or_to_zero() {
        let radius = |config: &str, theta: &[f64]| {
            let oracle = Linked::<TopK>::open(config).unwrap();
            solve_one(&oracle, theta).unwrap().1.proof.radius
        };
        let is_just_below = |radius: f64, exact: f64| radius < exact && radius > exact - 1e-12;
        let exactly = r#"{"dim": 3, "k": 1, "costs": [1, 1, 1]}"#;
        let at_most = r#"{"dim": 3, "k": 2, "costs": [1, 1, 1], "at_most": true}"#;
        assert!(is_just_below(radius(exactly, &[3.0, 2.0, 0.0]), 0.5));
        assert!(is_just_below(radius(at_most, &[3.0, 2.0, 1.5]), 0.25));
        assert!(is_just_below(radius(at_most, &[3.0, 2.0, -9.0]), 1.0));
        assert!(is_just_below(radius(at_most, &[3.0, 0.75, 0.5]), 0.25));
    }
}
