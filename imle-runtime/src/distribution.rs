//! A distribution over states: atoms and weights.

use imle_api::{Error, ErrorKind};

use crate::states::States;

/// A distribution over finitely many states, each of which is there once: its atoms, the heaviest first.
///
/// ```
/// use imle_runtime::Distribution;
///
/// let one_hot = [vec![1.0, 0.0], vec![0.0, 1.0]];
/// let softmax = Distribution::gibbs(&one_hot, &[0.0, 3.0_f64.ln()], 1.0)?;
/// assert!((softmax.share(&[0.0, 1.0]) - 0.75).abs() < 1e-12);
/// assert!((softmax.expectation(|z| 10.0 * z[0]) - 2.5).abs() < 1e-12);
/// # Ok::<(), imle_runtime::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Distribution {
    dim: usize,
    atoms: Vec<f64>,
    weights: Vec<f64>,
}

impl Distribution {
    /// The exact distribution of the exponential family over the given states, Eq. 4 of the I-MLE paper:
    /// `p(z) = exp(<z, theta> / tau) / Z`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidInput`] if there is no state, one has another length than theta or is there twice, or
    /// `tau` is not positive.
    pub fn gibbs(states: &[Vec<f64>], theta: &[f64], tau: f64) -> Result<Self, Error> {
        check_states(states, theta.len())?;
        if !(tau.is_finite() && tau > 0.0) {
            let message = format!("tau = {tau} is not a positive number");
            return Err(Error::new(ErrorKind::InvalidInput, message));
        }
        let scores: Vec<f64> = states.iter().map(|z| dot(z, theta) / tau).collect();
        let largest = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let weighted = states.iter().zip(&scores);
        let atoms = weighted.map(|(z, score)| (&z[..], (score - largest).exp()));
        Ok(Self::merged(theta.len(), atoms.collect()))
    }

    /// The sampled states of a row that were solved, with the share of the samples as weights. `None` if there
    /// are none.
    #[must_use]
    pub fn of_samples(states: &States, row: usize) -> Option<Self> {
        let atoms: Vec<_> = states
            .solved(row)
            .map(|item| (states.state(item), 1.0))
            .collect();
        (!atoms.is_empty()).then(|| Self::merged(states.dim(), atoms))
    }

    fn merged(dim: usize, mut atoms: Vec<(&[f64], f64)>) -> Self {
        let total: f64 = atoms.iter().map(|(_, weight)| weight).sum();
        atoms.sort_by(|a, b| compare(a.0, b.0));
        let mut merged: Vec<(&[f64], f64)> = Vec::new();
        for (z, weight) in atoms {
            match merged.last_mut() {
                Some((last, sum)) if compare(last, z).is_eq() => *sum += weight,
                _ => merged.push((z, weight)),
            }
        }
        merged.sort_by(|a, b| b.1.total_cmp(&a.1)); // stable: equal weights stay in the order of their states
        Self {
            dim,
            atoms: merged.iter().flat_map(|(z, _)| *z).copied().collect(),
            weights: merged.iter().map(|(_, weight)| weight / total).collect(),
        }
    }

    /// The atoms and their weights, the heaviest first.
    pub fn atoms(&self) -> impl Iterator<Item = (&[f64], f64)> {
        self.atoms
            .chunks_exact(self.dim)
            .zip(self.weights.iter().copied())
    }

    /// The number of atoms.
    #[must_use]
    pub fn len(&self) -> usize {
        self.weights.len()
    }

    /// Whether there is no atom, which is never so.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.weights.is_empty()
    }

    /// The `count` heaviest atoms, with weights that sum to 1 again.
    #[must_use]
    pub fn top(&self, count: usize) -> Self {
        let heaviest: Vec<_> = self.atoms().take(count.max(1)).collect();
        Self::merged(self.dim, heaviest)
    }

    /// The weight of a state; 0 if it is not there. Of the MAP state: how sure the distribution is.
    #[must_use]
    pub fn share(&self, z: &[f64]) -> f64 {
        let found = self.atoms().find(|(atom, _)| compare(atom, z).is_eq());
        found.map_or(0.0, |(_, weight)| weight)
    }

    /// The expectation of any cost of a state: through post-processing, another solver, anything.
    pub fn expectation(&self, mut cost: impl FnMut(&[f64]) -> f64) -> f64 {
        self.atoms().map(|(z, weight)| weight * cost(z)).sum()
    }

    /// The mean of the states: the marginals `mu`, `[dim]`.
    #[must_use]
    pub fn mean(&self) -> Vec<f64> {
        let mut mean = vec![0.0; self.dim];
        for (z, weight) in self.atoms() {
            mean.iter_mut()
                .zip(z)
                .for_each(|(mean, z)| *mean += weight * z);
        }
        mean
    }

    /// The covariance of a cost with the state, `E[cost(z) (z - mu)]`, `[dim]`.
    ///
    /// For a [`gibbs`](Self::gibbs) distribution this is `tau` times the exact gradient of the expected cost in
    /// theta; with `cost(z) = <z, v>` it is `tau` times the exact `v^T d mu / d theta`.
    pub fn covariance(&self, mut cost: impl FnMut(&[f64]) -> f64) -> Vec<f64> {
        let costs: Vec<f64> = self.atoms().map(|(z, _)| cost(z)).collect();
        let mean_cost: f64 = costs.iter().zip(&self.weights).map(|(c, w)| c * w).sum();
        let mu = self.mean();
        let mut covariance = vec![0.0; self.dim];
        for ((z, weight), cost) in self.atoms().zip(costs) {
            for ((covariance, z), mu) in covariance.iter_mut().zip(z).zip(&mu) {
                *covariance += weight * (cost - mean_cost) * (z - mu);
            }
        }
        covariance
    }

    /// The entropy, in nats; of a distribution of samples that of the samples, which is too low on average.
    #[must_use]
    pub fn entropy(&self) -> f64 {
        let positive = self.weights.iter().filter(|&&weight| weight > 0.0);
        positive
            .map(|weight| -weight * weight.ln())
            .sum::<f64>()
            .max(0.0)
    }
}

/// Checks a list of the states of a feasible set.
pub(crate) fn check_states(states: &[Vec<f64>], dim: usize) -> Result<(), Error> {
    let invalid = |message: String| Err(Error::new(ErrorKind::InvalidInput, message));
    if states.is_empty() {
        return invalid("the list of states is empty".to_owned());
    }
    for (at, z) in states.iter().enumerate() {
        if z.len() != dim {
            return invalid(format!(
                "state {at} has {} values, not dim = {dim}",
                z.len()
            ));
        }
        if let Some(value) = z.iter().find(|z| !z.is_finite()) {
            return invalid(format!("state {at} has the value {value}"));
        }
    }
    let mut order: Vec<usize> = (0..states.len()).collect();
    order.sort_by(|&a, &b| compare(&states[a], &states[b]).then(a.cmp(&b)));
    let twins = order
        .windows(2)
        .find(|pair| compare(&states[pair[0]], &states[pair[1]]).is_eq());
    match twins {
        Some(pair) => invalid(format!("states {} and {} are the same", pair[0], pair[1])),
        None => Ok(()),
    }
}

/// By the first coordinate that differs; zero is zero, whatever its sign.
fn compare(a: &[f64], b: &[f64]) -> std::cmp::Ordering {
    let pairs = a.iter().zip(b);
    let orders = pairs.map(|(a, b)| (a + 0.0).total_cmp(&(b + 0.0)));
    orders
        .fold(std::cmp::Ordering::Equal, std::cmp::Ordering::then)
        .then(a.len().cmp(&b.len()))
}

pub(crate) fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}
