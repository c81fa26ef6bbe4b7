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

#[cfg(test)]
mod tests;

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
#[schemars(extend("examples" = [{"dim": 6, "k": 2}, {"dim": 5, "k": 2, "at_most": true}]))]
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
    dim: usize,
    k: usize,
    /// One for each coordinate, or none at all.
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
        if let Some(count) = costs.as_ref().map(Vec::len).filter(|&count| count != dim) {
            return invalid(format!("there are {count} costs for dim = {dim}"));
        }
        let costs = costs.unwrap_or_default();
        if let Some(at) = costs.iter().position(|cost| !cost.is_finite()) {
            return invalid(format!("costs[{at}] = {} is not finite", costs[at]));
        }
        Ok(Self {
            dim,
            k,
            costs,
            at_most,
        })
    }

    fn facts(&self) -> Facts {
        let facts = Facts::binary(self.dim);
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
        net.extend_from_slice(theta);
        net.iter_mut()
            .zip(&self.costs)
            .for_each(|(net, cost)| *net -= cost);
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
