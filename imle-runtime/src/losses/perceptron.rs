//! The perceptron loss.

use imle_api::Error;
use serde::{Deserialize, Serialize};

use super::gap::{affine, gap};
use super::{Labels, Loss, LossValue};
use crate::parameters::{NoParameters, without_parameters};
use crate::pass::Pass;

/// The structured perceptron (Collins, "Discriminative training methods for hidden Markov models", EMNLP
/// 2002), with the right state `y`:
///
/// ```text
/// loss = max over z of <z, theta>  -  <y, theta>
/// grad = MAP(theta) - y
/// ```
///
/// Needs the right states. One solve a row, without noise. The simplest loss for states as labels, and where
/// to begin; theta = 0 makes it zero, so it tells right from wrong only by the path that training takes. By
/// Fact 1 of the I-MLE paper, I-MLE with the Hamming loss, the target of Eq. 14 and no noise has this gradient.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(from = "NoParameters", into = "NoParameters")]
pub struct Perceptron;
without_parameters!(Perceptron);

#[typetag::serde(name = "perceptron")]
impl Loss for Perceptron {
    fn evaluate(&self, pass: &Pass<'_>, labels: &Labels<'_>) -> Result<LossValue, Error> {
        let point = affine(pass, 1.0, |_, u| u.fill(0.0));
        Ok(gap(pass, labels.right_states()?, 1, point))
    }
}
