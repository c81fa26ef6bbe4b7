//! The structured support vector machine.

use imle_api::Error;
use serde::{Deserialize, Serialize};

use super::gap::{affine, gap};
use super::imitation::Margin;
use super::{Labels, Loss, LossValue};
use crate::parameters::{NoParameters, without_parameters};
use crate::pass::Pass;

/// The structured hinge loss with margin rescaling (Tsochantaridis, Joachims, Hofmann, Altun, "Large margin
/// methods for structured and interdependent output variables", JMLR 2005), with the Hamming distance as margin
/// and the right state `y`:
///
/// ```text
/// loss = max over z of  hamming(z, y) + <z - y, theta>
/// grad = MAP(theta + 1 - 2 y) - y
/// ```
///
/// Needs the right states, of zeros and ones. One solve a row, without noise. For states as labels: an upper
/// bound of the Hamming distance of `MAP(theta)`, and unlike the perceptron's it is zero only where the right
/// state wins clearly.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(from = "NoParameters", into = "NoParameters")]
pub struct StructuredSvm;
without_parameters!(StructuredSvm);

#[typetag::serde(name = "structured_svm")]
impl Loss for StructuredSvm {
    fn evaluate(&self, pass: &Pass<'_>, labels: &Labels<'_>) -> Result<LossValue, Error> {
        let margin = Margin::Hamming.shift(pass, labels)?;
        Ok(gap(
            pass,
            labels.right_states()?,
            1,
            affine(pass, 1.0, margin),
        ))
    }
}
