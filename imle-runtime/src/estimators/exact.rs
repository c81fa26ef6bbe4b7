//! Exact marginals of small sets, by enumeration.

use imle_api::{Error, ErrorKind};
use serde::{Deserialize, Serialize};

use super::black_box::one_sample;
use super::implicit::positive;
use super::{Estimator, Feedback, Memory};
use crate::difference::Difference;
use crate::distribution::{Distribution, check_states, dot};
use crate::gradient::Gradient;
use crate::pass::Pass;
use crate::sampling::Sampling;
use crate::states::States;

/// The exact marginals of a small set and their exact derivative: what the others are compared with.
///
/// ```text
/// mu    = E z   under p(z) = exp(<z, theta> / tau) / Z                     Eq. 4 of the I-MLE paper
/// grad  = E <z, grad_mu> (z - mu) / tau                                    Eq. 12, the limit
/// grad  = (mu(theta) - mu(theta - lambda grad_mu)) / lambda                Eq. 11, where lambda is set
/// ```
///
/// The one state of each row is `mu`, not a state of the set. The exact gradient of an expected loss that is not
/// linear is [`Distribution::covariance`].
///
/// Needs `grad_z`. Costs no solve, and a sum over all states; noise and oracle are not looked at. For tests, and for
/// sets of a few thousand states.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exact {
    /// The states of the feasible set.
    pub states: Vec<Vec<f64>>,
    /// The step of a finite difference; the derivative itself if there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lambda: Option<f64>,
    /// On which sides of theta a finite difference looks.
    #[serde(default)]
    pub difference: Difference,
}

#[typetag::serde(name = "exact")]
impl Estimator for Exact {
    fn validate(&self, sampling: &Sampling) -> Result<(), Error> {
        if sampling.tau.is_zero() {
            let message = "tau = 0 leaves no distribution to differentiate";
            return Err(Error::new(ErrorKind::InvalidConfig, message));
        }
        listed(&self.states)?;
        self.lambda
            .map_or(Ok(()), |lambda| positive("lambda", lambda))?;
        one_sample("exact marginals have no noise", sampling)
    }

    fn forward(&self, pass: &Pass<'_>) -> Result<States, Error> {
        Ok(pass.compute(pass.rows(), |row, mu| {
            let theta = pass.theta_of(row);
            mu.copy_from_slice(&self.at(theta, pass.tau(row))?.mean());
            Ok(dot(mu, theta))
        }))
    }

    fn backward(
        &self,
        pass: &Pass<'_>,
        states: &States,
        feedback: Feedback<'_>,
        _: &mut Memory,
    ) -> Result<Gradient, Error> {
        let grads = feedback.grad_z()?;
        Ok(pass.mean_over_samples(states, |row, vector| {
            let grad = &grads[row * pass.dim()..][..pass.dim()];
            let (theta, tau) = (pass.theta_of(row), pass.tau(row));
            let gradient = match self.lambda {
                None => self.derivative(theta, tau, grad)?,
                Some(lambda) => self.finite_difference(theta, tau, grad, lambda)?,
            };
            vector.copy_from_slice(&gradient);
            Ok(())
        }))
    }
}

impl Exact {
    fn at(&self, theta: &[f64], tau: f64) -> Result<Distribution, Error> {
        Distribution::gibbs(&self.states, theta, tau)
    }

    fn derivative(&self, theta: &[f64], tau: f64, grad: &[f64]) -> Result<Vec<f64>, Error> {
        let covariance = self.at(theta, tau)?.covariance(|z| dot(z, grad));
        Ok(covariance.into_iter().map(|value| value / tau).collect())
    }

    fn finite_difference(
        &self,
        theta: &[f64],
        tau: f64,
        grad: &[f64],
        lambda: f64,
    ) -> Result<Vec<f64>, Error> {
        let mu = |step: f64| {
            let moved = theta
                .iter()
                .zip(grad)
                .map(|(theta, grad)| theta + step * grad);
            let moved: Vec<f64> = moved.collect();
            self.at(&moved, tau).map(|distribution| distribution.mean())
        };
        let (left, width) = match self.difference {
            Difference::OneSided => (mu(0.0)?, lambda),
            Difference::Central => (mu(lambda)?, 2.0 * lambda),
        };
        let right = mu(-lambda)?;
        let sides = left.into_iter().zip(right);
        Ok(sides.map(|(left, right)| (left - right) / width).collect())
    }
}

/// Checks a list of states of a configuration.
pub(super) fn listed(states: &[Vec<f64>]) -> Result<(), Error> {
    check_states(states, states.first().map_or(0, Vec::len))
        .map_err(|why| Error::new(ErrorKind::InvalidConfig, why.message().to_owned()))
}
