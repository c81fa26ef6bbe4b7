//! The SPO+ loss.

use imle_api::Error;
use serde::{Deserialize, Serialize};

use super::{Labels, Loss, LossValue};
use crate::parameters::{NoParameters, without_parameters};
use crate::pass::Pass;

/// The convex upper bound of the regret of Elmachtoub and Grigas ("Smart 'Predict, then Optimize'",
/// Management Science 2022, Eq. 9), here for rewards `r` and their best state `z*`:
///
/// ```text
/// loss = max over z of <z, 2 theta - r>  -  <z*, 2 theta - r>
/// grad = 2 (MAP(2 theta - r) - z*)
/// ```
///
/// Needs the true theta and the right states. One solve a row, without noise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(from = "NoParameters", into = "NoParameters")]
pub struct SpoPlus;
without_parameters!(SpoPlus);

#[typetag::serde(name = "spo_plus")]
impl Loss for SpoPlus {
    fn evaluate(&self, pass: &Pass<'_>, labels: &Labels<'_>) -> Result<LossValue, Error> {
        let (truth, right) = (labels.true_theta()?, labels.right_states()?);
        let dim = pass.dim();
        let solved = pass.solve(
            pass.rows(),
            |row| row,
            |row, out| {
                shifted(pass.theta(), truth, row * dim, out);
                Ok(())
            },
        );
        let mut value = LossValue {
            solves: pass.rows(),
            errors: solved.errors().collect(),
            ..LossValue::default()
        };
        let mut theta = vec![0.0; dim];
        for (row, outcome) in solved.outcomes().iter().enumerate() {
            let at = row * dim;
            if outcome.is_err() {
                value.losses.push(f64::NAN);
                value.theta.resize(at + dim, 0.0);
                continue;
            }
            shifted(pass.theta(), truth, at, &mut theta);
            let states = solved.z()[at..at + dim].iter().zip(&right[at..at + dim]);
            let steps: Vec<f64> = states.map(|(z, right)| z - right).collect();
            let loss = steps.iter().zip(&theta).map(|(step, theta)| step * theta);
            value.losses.push(loss.sum());
            value.theta.extend(steps.iter().map(|step| 2.0 * step));
        }
        Ok(value)
    }
}

/// Writes `2 theta - truth` of the row that starts `at`.
fn shifted(theta: &[f64], truth: &[f64], at: usize, out: &mut [f64]) {
    for ((out, theta), truth) in out.iter_mut().zip(&theta[at..]).zip(&truth[at..]) {
        *out = 2.0 * theta - truth;
    }
}
