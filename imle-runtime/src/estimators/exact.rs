//! Exact marginals: of small sets by enumeration, and of whatever has them.

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

/// The exact marginals of a set and their derivative: what the others are compared with.
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
/// Either `states` lists the set, or the oracle is asked for its exact marginals, as [`exact_marginals`] is; not all have
/// them. The oracle knows no derivative of them, so `lambda` must be set then: as it goes to zero, the central difference
/// is the derivative.
///
/// Needs `grad_z`. Costs no solve, but a sum over all states, or one computation of marginals forward and two backward;
/// noise is not looked at. For tests, for sets of a few thousand states, and for oracles with marginals.
///
/// [`exact_marginals`]: crate::exact_marginals
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exact {
    /// The states of the feasible set; if there is no list, the oracle's marginals are asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub states: Option<Vec<Vec<f64>>>,
    /// The step of a finite difference; the derivative itself if there is none, for which the states must be listed.
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
        match &self.states {
            Some(states) => listed(states)?,
            None if self.lambda.is_none() => {
                let message = "without a list of states the oracle's exact marginals are taken, whose derivative it does \
                               not know: set lambda, or list the states";
                return Err(Error::new(ErrorKind::InvalidConfig, message));
            }
            None => {}
        }
        self.lambda
            .map_or(Ok(()), |lambda| positive("lambda", lambda))?;
        one_sample("exact marginals have no noise", sampling)
    }

    fn forward(&self, pass: &Pass<'_>) -> Result<States, Error> {
        Ok(pass.compute(pass.rows(), |row, mu| {
            let theta = pass.theta_of(row);
            marginals(pass, row, self.states.as_deref(), theta, pass.tau(row), mu)?;
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
            match self.lambda {
                None => self.derivative(pass, row, grad, vector),
                Some(lambda) => self.finite_difference(pass, row, grad, lambda, vector),
            }
        }))
    }
}

impl Exact {
    fn derivative(
        &self,
        pass: &Pass<'_>,
        row: usize,
        grad: &[f64],
        to: &mut [f64],
    ) -> Result<(), Error> {
        let states = self.states.as_deref().unwrap_or_default(); // listed: `validate` wants them
        let tau = pass.tau(row);
        let distribution = Distribution::gibbs(states, pass.theta_row(row), tau)?;
        let covariance = distribution.covariance(|z| dot(z, grad));
        let pairs = to.iter_mut().zip(covariance);
        pairs.for_each(|(to, value)| *to = value / tau);
        Ok(())
    }

    fn finite_difference(
        &self,
        pass: &Pass<'_>,
        row: usize,
        grad: &[f64],
        lambda: f64,
        to: &mut [f64],
    ) -> Result<(), Error> {
        let (theta, tau) = (pass.theta_row(row), pass.tau(row));
        let mu = |step: f64, mu: &mut [f64]| {
            let pairs = theta.iter().zip(grad);
            let moved: Vec<f64> = pairs.map(|(theta, grad)| theta + step * grad).collect();
            marginals(pass, row, self.states.as_deref(), &moved, tau, mu)
        };
        let (left, width) = match self.difference {
            Difference::OneSided => (0.0, lambda),
            Difference::Central => (lambda, 2.0 * lambda),
        };
        mu(left, to)?;
        let mut right = vec![0.0; to.len()];
        mu(-lambda, &mut right)?;
        let pairs = to.iter_mut().zip(right);
        pairs.for_each(|(to, right)| *to = (*to - right) / width);
        Ok(())
    }
}

/// Writes the marginals of `exp(<z, theta> / tau)`: over the states of a list, or as the oracle of a row has them.
pub(super) fn marginals(
    pass: &Pass<'_>,
    row: usize,
    states: Option<&[Vec<f64>]>,
    theta: &[f64],
    tau: f64,
    mu: &mut [f64],
) -> Result<(), Error> {
    match states {
        Some(states) => mu.copy_from_slice(&Distribution::gibbs(states, theta, tau)?.mean()),
        None if tau == 0.0 => {
            let message = "the temperature of this row is zero, which leaves no distribution";
            return Err(Error::new(ErrorKind::InvalidTheta, message));
        }
        None => {
            let scaled: Vec<f64> = theta.iter().map(|theta| theta / tau).collect();
            pass.marginals(row, &scaled, mu)?;
        }
    }
    Ok(())
}

/// Checks a list of states of a configuration.
pub(super) fn listed(states: &[Vec<f64>]) -> Result<(), Error> {
    check_states(states, states.first().map_or(0, Vec::len))
        .map_err(|why| Error::new(ErrorKind::InvalidConfig, why.message().to_owned()))
}
