//! The SPO+ loss.

use imle_api::Error;
use serde::{Deserialize, Serialize};

use super::gap::{affine, gap};
use super::imitation::Margin;
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
/// Needs the true theta and the right states. One solve a row, without noise. The first loss to try where the
/// true costs are known. [`Imitation`](super::Imitation) has another factor than 2.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(from = "NoParameters", into = "NoParameters")]
pub struct SpoPlus;
without_parameters!(SpoPlus);

#[typetag::serde(name = "spo_plus")]
impl Loss for SpoPlus {
    fn evaluate(&self, pass: &Pass<'_>, labels: &Labels<'_>) -> Result<LossValue, Error> {
        let margin = Margin::Regret.shift(pass, labels)?;
        Ok(gap(
            pass,
            labels.right_states()?,
            1,
            affine(pass, 2.0, margin),
        ))
    }
}
