//! Start here: implicit maximum likelihood estimation.
//!
//! The forward pass perturbs theta and asks the oracle for a MAP state of every sample. The backward pass
//! asks again at the target parameters, under *the same noise*, and returns the difference as a gradient
//! (Niepert, Minervini, Franceschi, NeurIPS 2021, Algorithm 1 and Eq. 9):
//!
//! ```text
//! z       = MAP(theta  + tau eps)                  eps ~ noise
//! theta'  = theta - lambda grad_z                  the target (Eq. 10; target.rs has others)
//! z'      = MAP(theta' + tau eps)
//! grad    = mean over samples of (z - z')
//! ```
//!
//! The noise is not stored: it is drawn again from its address (noise/mod.rs). A [`Layer`](crate::Layer)
//! (layer.rs) holds the estimator and its oracle; batch.rs hands rows to threads.

use std::sync::Arc;

use imle_api::Error;
use serde::{Deserialize, Serialize};

use crate::difference::{Difference, Steps, grad_z_of_solved};
use crate::estimators::{Estimator, Feedback, Memory};
use crate::gradient::Gradient;
use crate::mean_difference::Nonzeros;
use crate::means::Means;
use crate::pass::Pass;
use crate::sampling::Sampling;
use crate::states::States;
use crate::target::{RelativePid, Target};
use crate::temperature::Temperature;

/// Implicit maximum likelihood estimation: two MAP states under the same noise make a gradient.
///
/// Needs `grad_z`. A sample costs one solve forward and one backward, two with central differences; one
/// whose `grad_z` or lambda is zero costs none backward, and neither does one whose state the solver proved to
/// be that at the target ([`Proof::radius`](crate::Proof::radius)).
///
/// ```
/// use imle_runtime::{Facts, FnOracle, Imle, Layer, Pid, Sampling};
/// use std::sync::Arc;
///
/// let largest = FnOracle::new(Facts::binary(3).with_ones(1), |theta, z| {
///     let best = (1..3).fold(0, |best, i| if theta[i] > theta[best] { i } else { best });
///     z.fill(0.0);
///     z[best] = 1.0;
///     Ok(())
/// });
/// let imle = Imle { target: Arc::new(Pid::new(10.0)), ..Imle::default() };
/// let layer = Layer::new(Arc::new(largest), imle, Sampling { samples: 200, ..Sampling::default() })?;
///
/// // A loss that grows with the first coordinate of a state: less of it is wanted.
/// let saved = layer.forward(&[0.2, 0.1, 0.0], 0)?;
/// let grad_z = [1.0, 0.0, 0.0].repeat(200);
/// let gradient = layer.backward(saved, &grad_z)?.all_solved()?;
/// assert!(gradient[0] > 0.0 && gradient[1] <= 0.0 && gradient[2] <= 0.0);
/// # Ok::<(), imle_runtime::Error>(())
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Imle {
    /// The target distribution.
    pub target: Arc<dyn Target>,
    /// The temperature on the target side, if it is another one. The raw noise is the same.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tau_target: Option<Temperature>,
    /// On which sides of theta the gradient looks.
    pub difference: Difference,
    /// Whether the gradient is divided by lambda, as a derivative is (Eq. 12). The paper's Algorithm 1
    /// leaves it to the learning rate.
    pub divide_by_lambda: bool,
}

impl Default for Imle {
    fn default() -> Self {
        Self {
            target: Arc::new(RelativePid::new(1.0)),
            tau_target: None,
            difference: Difference::OneSided,
            divide_by_lambda: false,
        }
    }
}

#[typetag::serde(name = "imle")]
impl Estimator for Imle {
    fn validate(&self, _: &Sampling) -> Result<(), Error> {
        if let Some(tau) = self.tau_target {
            tau.validate("tau_target")?;
        }
        self.target.validate().map_err(|why| why.within("target"))
    }

    fn backward(
        &self,
        pass: &Pass<'_>,
        states: &States,
        feedback: Feedback<'_>,
        _: &mut Memory,
    ) -> Result<Gradient, Error> {
        let grad_z = feedback.grad_z()?;
        let lambda = |(): &mut (), row: usize| {
            let grad_z = grad_z_of_solved(states, grad_z, row);
            self.target.lambda(pass.theta_row(row), &grad_z)
        };
        let width = states.samples() * states.dim();
        let lambdas: Vec<f64> = pass.batch.map(states.rows(), width, lambda);
        Ok(self.steps(&lambdas, grad_z).take(pass, states).gradient)
    }

    fn forward_mean(&self, pass: &Pass<'_>) -> Result<Means, Error> {
        Ok(pass.sample_means())
    }

    fn backward_mean(
        &self,
        pass: &Pass<'_>,
        means: &Means,
        grad_mu: &[f64],
        _: &mut Memory,
    ) -> Result<Gradient, Error> {
        let rows = grad_mu.chunks_exact(pass.dim()).enumerate();
        let lambda = |(row, grad)| self.target.lambda(pass.theta_row(row), grad);
        let lambdas: Vec<f64> = rows.map(lambda).collect();
        let steps = self.steps(&lambdas, grad_mu);
        Ok(steps.take_means(pass, means, Nonzeros::NotCounted).gradient)
    }
}

impl Imle {
    fn steps<'a>(&'a self, lambdas: &'a [f64], grad_z: &'a [f64]) -> Steps<'a> {
        Steps {
            target: &*self.target,
            difference: self.difference,
            divide_by_lambda: self.divide_by_lambda,
            tau_target: self.tau_target,
            lambdas,
            grad_z,
        }
    }
}
