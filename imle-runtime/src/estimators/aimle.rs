//! Adaptive I-MLE: a controller chooses the step.

use std::collections::BTreeMap;

use imle_api::{Error, ErrorKind};
use serde::{Deserialize, Serialize};

use super::{Estimator, Feedback, Memory};
use crate::difference::{Difference, Differences, Steps};
use crate::gradient::Gradient;
use crate::mean_difference::Nonzeros;
use crate::means::Means;
use crate::pass::Pass;
use crate::sampling::{Sampling, not_negative};
use crate::states::States;
use crate::target::{Pid, relative_step, root_mean_square_of};
use crate::temperature::Temperature;

/// Adaptive I-MLE (Minervini, Franceschi, Niepert, AAAI 2023, Algorithm 1): I-MLE whose step is large enough
/// that gradients are not all zero, and no larger.
///
/// ```text
/// lambda  = beta |theta| / |grad_z|                  |.| a root mean square, over the scope
/// theta'  = theta - lambda grad_z
/// grad    = mean over samples of (z - MAP(theta' + tau eps)) / lambda
/// norm   <- decay norm + (1 - decay) nonzeros        coordinates that differ, per sample
/// beta   <- max(beta + update, 0)                    update = momentum update +- step
/// ```
///
/// `beta` grows by `step` while `norm` is below `target_norm`, and shrinks by it otherwise, after each backward
/// pass. The default starts at `beta = 1` with steps of 0.001, so that a controller that has not settled yet
/// is a relative I-MLE.
///
/// The authors' program divides by another `lambda` than the one that it stepped with, larger gradients by the
/// root of the number of samples; this does not.
///
/// Needs `grad_z`. Solver calls as [`Imle`](crate::Imle): a sample costs one forward and one backward, two with
/// central differences; none backward while `beta` or its `grad_z` is zero. From the mean alone
/// ([`Layer::backward_mean`](crate::Layer::backward_mean)) it is two backward in either case, because the states are
/// compared one by one. Use it where no good lambda is known, and with losses whose scale changes.
///
/// The controller lives in the [`Memory`] of the layer, [`Layer::memory`](crate::Layer::memory): save it with
/// the model. With [`Scope::Batch`] there is one, under `controller`, and a split of a batch into several calls
/// is several steps; with [`Scope::Row`] each example has its own, under `row N`, where `N` is the number of its row,
/// [`Call::with_rows`](crate::Call::with_rows): in shuffled batches hand in the indices of the examples. Rows of a call
/// with the same number share one.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Aimle {
    /// On which sides of theta the gradient looks.
    pub difference: Difference,
    /// The temperature on the target side, if it is another one. The raw noise is the same.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tau_target: Option<Temperature>,
    /// What a controller is for.
    pub scope: Scope,
    /// The step as a share of the size of theta, to start from.
    pub initial_beta: f64,
    /// By how much `beta` changes after a backward pass.
    pub step: f64,
    /// The share of the last change that is made again.
    pub momentum: f64,
    /// How many coordinates of a sample shall differ, on average.
    pub target_norm: f64,
    /// The average to start from.
    pub initial_norm: f64,
    /// The share of the average that is kept from pass to pass.
    pub decay: f64,
    /// The smallest root mean square that theta is taken to have: logits that start at zero leave it.
    pub floor: f64,
}

/// What one controller of [`Aimle`] is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// All rows of a call, whose sizes are taken together: the authors' rule.
    #[default]
    Batch,
    /// Each row by itself.
    Row,
}

impl Default for Aimle {
    fn default() -> Self {
        Self {
            difference: Difference::OneSided,
            tau_target: None,
            scope: Scope::Batch,
            initial_beta: 1.0,
            step: 1e-3,
            momentum: 0.0,
            target_norm: 1.0,
            initial_norm: 1.0,
            decay: 0.9,
            floor: 0.1,
        }
    }
}

#[typetag::serde(name = "aimle")]
impl Estimator for Aimle {
    fn validate(&self, _: &Sampling) -> Result<(), Error> {
        if let Some(tau) = self.tau_target {
            tau.validate("tau_target")?;
        }
        not_negative("initial_beta", self.initial_beta)?;
        not_negative("step", self.step)?;
        not_negative("target_norm", self.target_norm)?;
        not_negative("initial_norm", self.initial_norm)?;
        not_negative("floor", self.floor)?;
        share("momentum", self.momentum)?;
        share("decay", self.decay)
    }

    fn backward(
        &self,
        pass: &Pass<'_>,
        states: &States,
        feedback: Feedback<'_>,
        memory: &mut Memory,
    ) -> Result<Gradient, Error> {
        let grad_z = feedback.grad_z()?;
        let unit_step = |rows: &[usize]| {
            let solved = |row| states.solved(row).count();
            let thetas = rows.iter().map(|&row| (pass.theta_row(row), solved(row)));
            let grad = |item: usize| (&grad_z[item * pass.dim()..][..pass.dim()], 1);
            let grads = rows.iter().flat_map(|&row| states.solved(row).map(grad));
            self.unit_step(thetas, grads)
        };
        self.controlled(pass, grad_z, memory, unit_step, |steps| {
            steps.take(pass, states)
        })
    }

    fn forward_mean(&self, pass: &Pass<'_>) -> Result<Means, Error> {
        Ok(pass.sample_means())
    }

    fn backward_mean(
        &self,
        pass: &Pass<'_>,
        means: &Means,
        grad_mu: &[f64],
        memory: &mut Memory,
    ) -> Result<Gradient, Error> {
        let unit_step = |rows: &[usize]| {
            let theta = |&row: &usize| (pass.theta_row(row), means.solved(row));
            let grad = |&row: &usize| {
                let grad = &grad_mu[row * pass.dim()..][..pass.dim()];
                (grad, means.solved(row))
            };
            let (thetas, grads) = (rows.iter().map(theta), rows.iter().map(grad));
            self.unit_step(thetas, grads)
        };
        self.controlled(pass, grad_mu, memory, unit_step, |steps| {
            steps.take_means(pass, means, Nonzeros::Counted)
        })
    }
}

/// What is remembered: in a [`Memory`] these three numbers.
#[derive(Clone, Copy)]
struct Controller {
    beta: f64,
    norm: f64,
    update: f64,
}

impl Aimle {
    /// Takes differences at the steps that the controllers choose, and shows them the outcome.
    fn controlled(
        &self,
        pass: &Pass<'_>,
        grad_z: &[f64],
        memory: &mut Memory,
        unit_step: impl Fn(&[usize]) -> f64,
        take: impl FnOnce(&Steps<'_>) -> Differences,
    ) -> Result<Gradient, Error> {
        let groups = self.groups(pass);
        let mut controllers = Vec::new();
        let mut lambdas = vec![0.0; pass.rows()];
        for (name, rows) in &groups {
            let controller = self.recall(memory, name)?;
            let lambda = controller.beta * unit_step(rows);
            rows.iter()
                .for_each(|&row| lambdas[row] = lambda.min(f64::MAX));
            controllers.push(controller);
        }
        let differences = take(&Steps {
            target: &Pid::new(0.0), // the step is given with each query
            difference: self.difference,
            divide_by_lambda: true,
            tau_target: self.tau_target,
            lambdas: &lambdas,
            grad_z,
        });
        for ((name, rows), controller) in groups.iter().zip(controllers) {
            let over_rows = |counts: &[usize]| rows.iter().map(|&row| counts[row]).sum::<usize>();
            let solved = over_rows(&differences.solved);
            if solved > 0 {
                let nonzeros = over_rows(&differences.nonzeros);
                let next = self.adapt(controller, nonzeros as f64 / solved as f64);
                memory.set(name, vec![next.beta, next.norm, next.update]);
            }
        }
        Ok(differences.gradient)
    }

    /// `|theta| / |grad_z|` over rows that are counted so many times each.
    fn unit_step<'a>(
        &self,
        thetas: impl Iterator<Item = (&'a [f64], usize)>,
        grads: impl Iterator<Item = (&'a [f64], usize)>,
    ) -> f64 {
        let (theta, grad) = (root_mean_square_of(thetas), root_mean_square_of(grads));
        relative_step(theta, grad, self.floor)
    }

    /// The rows that share a controller, and its name.
    fn groups(&self, pass: &Pass<'_>) -> BTreeMap<String, Vec<usize>> {
        let mut groups: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for row in 0..pass.rows() {
            let name = match self.scope {
                Scope::Batch => "controller".to_owned(),
                Scope::Row => format!("row {}", pass.row_number(row)),
            };
            groups.entry(name).or_default().push(row);
        }
        groups
    }

    fn recall(&self, memory: &Memory, name: &str) -> Result<Controller, Error> {
        let invalid = |message| Err(Error::new(ErrorKind::InvalidInput, message));
        match memory.get(name) {
            None => Ok(Controller {
                beta: self.initial_beta,
                norm: self.initial_norm,
                update: 0.0,
            }),
            Some(&[beta, norm, update]) => {
                let values = [("beta", beta), ("norm", norm), ("update", update)];
                let wrong = |(name, value): &(&str, f64)| {
                    !value.is_finite() || (*value < 0.0 && *name != "update")
                };
                match values.iter().find(|value| wrong(value)) {
                    None => Ok(Controller { beta, norm, update }),
                    Some((what, value)) => invalid(format!(
                        "the memory `{name}` holds {what} = {value}, which no controller of aimle has"
                    )),
                }
            }
            Some(other) => invalid(format!(
                "the memory `{name}` holds {other:?}, not beta, norm and update of aimle"
            )),
        }
    }

    fn adapt(&self, controller: Controller, nonzeros: f64) -> Controller {
        let norm = self.decay * controller.norm + (1.0 - self.decay) * nonzeros;
        let direction = if norm < self.target_norm { 1.0 } else { -1.0 };
        let update = self.momentum * controller.update + direction * self.step;
        Controller {
            beta: (controller.beta + update).clamp(0.0, f64::MAX),
            norm,
            update,
        }
    }
}

fn share(name: &str, value: f64) -> Result<(), Error> {
    if (0.0..1.0).contains(&value) {
        return Ok(());
    }
    let message = format!("{name} = {value} is not a number from 0 to less than 1");
    Err(Error::new(ErrorKind::InvalidConfig, message))
}
