//! The exponential family over the paths of a graph without cycles.
//!
//! A random path is a Markov chain that walks from the source to the target. With `ahead[u]` the logarithm
//! of the summed weight of all ways from `u` to the target,
//!
//! ```text
//! ahead[u]     = log of the sum over arcs u -> v of exp(ahead[v] - loss(u -> v))
//! P(u -> v | u) = exp(ahead[v] - loss(u -> v) - ahead[u])
//! loss(u -> v)  = cost(u -> v) + distance[v] - distance[u], not negative
//! ```
//!
//! so one pass from the target and one from the source give the probability of every arc. Weights are
//! relative to the cheapest path, so what matters is small, however large the costs are.

use imle_api::{Error, ErrorKind, Limits};

use crate::network::{Arc, Network};
use crate::{ShortestPath, Workspace};

/// Buffers that survive from row to row, one entry a place.
#[derive(Debug, Default)]
pub(crate) struct Sums {
    /// The logarithm of the weight of all ways to the target.
    ahead: Vec<f64>,
    /// The probability that the path passes.
    passes: Vec<f64>,
}

impl ShortestPath {
    pub(crate) fn marginals(
        &self,
        workspace: &mut Workspace,
        theta: &[f64],
        mu: &mut [f64],
        limits: &Limits<'_>,
    ) -> Result<f64, Error> {
        let network = &self.network;
        if !network.is_acyclic() {
            let message = "exact marginals need a graph without cycles between source and target; \
                           estimate them by the mean of samples";
            return Err(Error::new(ErrorKind::Unsupported, message));
        }
        let scale = workspace.start(theta, network.len());
        workspace.in_order(network);
        limits.check()?;
        workspace.sum_ahead(network, scale);
        workspace.sum_up(network, scale, mu);
        let source = network.source();
        let last = network.last().map_or(0.0, |last| theta[last]);
        let best = last - workspace.distance[source] / scale;
        Ok(best + workspace.sums.ahead[source])
    }
}

impl Workspace {
    /// What a path loses by this step against the cheapest way on.
    fn loss(&self, place: usize, arc: Arc, scale: f64) -> f64 {
        let way = self.costs[arc.coordinate as usize] + self.distance[arc.end as usize];
        (way - self.distance[place]) / scale
    }

    fn sum_ahead(&mut self, network: &Network, scale: f64) {
        let mut ahead = std::mem::take(&mut self.sums.ahead);
        ahead.clear();
        ahead.push(0.0);
        for place in 1..network.len() {
            let arcs = network.out(place).iter();
            let ways = || {
                let way = |&arc: &Arc| ahead[arc.end as usize] - self.loss(place, arc, scale);
                arcs.clone().map(way)
            };
            let most = ways().fold(f64::NEG_INFINITY, f64::max);
            let sum: f64 = ways().map(|way| (way - most).exp()).sum();
            ahead.push(most + sum.ln());
        }
        self.sums.ahead = ahead;
    }

    fn sum_up(&mut self, network: &Network, scale: f64, mu: &mut [f64]) {
        let mut passes = std::mem::take(&mut self.sums.passes);
        passes.clear();
        passes.resize(network.len(), 0.0);
        passes[network.source()] = 1.0;
        mu.fill(0.0);
        let ahead = &self.sums.ahead;
        for place in (1..network.len()).rev() {
            for &arc in network.out(place) {
                let way = ahead[arc.end as usize] - self.loss(place, arc, scale);
                let share = passes[place] * (way - ahead[place]).exp();
                passes[arc.end as usize] += share;
                mu[arc.coordinate as usize] += share;
            }
        }
        if let Some(last) = network.last() {
            mu[last] = passes[0];
        }
        self.sums.passes = passes;
    }
}
