//! The loss that unifies many: a margin, a scale and a regularizer.

use imle_api::{Error, ErrorKind};
use serde::{Deserialize, Serialize};

use super::gap::{affine, gap};
use super::{Labels, Loss, LossValue};
use crate::pass::Pass;
use crate::sampling::Sampling;
use crate::sampling::not_negative;

/// The imitation loss of Dalle, Baty, Bouvier and Parmentier ("Learning with combinatorial optimization layers:
/// a probabilistic approach", 2022, as InferOpt.jl has it), with the right state `y`:
///
/// ```text
/// loss = mean over samples of  max over z of  margin(z, y) + alpha <z - y, theta + tau eps>
/// grad = alpha (mean of MAP - y)
/// ```
///
/// Needs the right states, and the true theta for the margin `regret`. One solve a sample; one a row if it is
/// not `perturbed`, and then there is no noise.
///
/// | margin | alpha | perturbed | is |
/// |---|---|---|---|
/// | none | 1 | no | [`Perceptron`](super::Perceptron) |
/// | hamming | 1 | no | [`StructuredSvm`](super::StructuredSvm) |
/// | regret | 2 | no | [`SpoPlus`](super::SpoPlus) |
/// | none | 1 | yes | [`FenchelYoung`](super::FenchelYoung) |
///
/// For what lies between those: a margin under noise, or SPO+ with another weight of the prediction.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Imitation {
    /// How far a state should fall behind the right one.
    pub margin: Margin,
    /// The weight of theta against the margin.
    pub alpha: f64,
    /// Whether theta gets the noise of the sampling.
    pub perturbed: bool,
}

impl Default for Imitation {
    fn default() -> Self {
        Self {
            margin: Margin::None,
            alpha: 1.0,
            perturbed: false,
        }
    }
}

/// How far a state should fall behind the right one, before a loss calls that enough.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Margin {
    /// Not at all.
    #[default]
    None,
    /// By the number of coordinates in which it differs. Needs states of zeros and ones.
    Hamming,
    /// By its regret under the true theta.
    Regret,
}

impl Margin {
    /// The margin is `<z - right, shift>` in every state: writes the shift of a row.
    pub(super) fn shift<'a>(
        self,
        pass: &Pass<'_>,
        labels: &'a Labels<'_>,
    ) -> Result<impl Fn(usize, &mut [f64]) + Sync + 'a, Error> {
        let (slope, label) = match self {
            Self::None => (0.0, labels.right_states()?),
            Self::Hamming => {
                (0..pass.rows()).try_for_each(|row| zeros_and_ones(pass, labels, row))?;
                (-2.0, labels.right_states()?)
            }
            Self::Regret => (-1.0, labels.true_theta()?),
        };
        let constant = f64::from(self == Self::Hamming);
        let dim = pass.dim();
        Ok(move |row: usize, shift: &mut [f64]| {
            for (shift, label) in shift.iter_mut().zip(&label[row * dim..]) {
                *shift = constant + slope * label;
            }
        })
    }
}

/// The Hamming distance is linear in the state only between zeros and ones.
fn zeros_and_ones(pass: &Pass<'_>, labels: &Labels<'_>, row: usize) -> Result<(), Error> {
    let facts = pass.facts(row);
    let (lower, upper) = (facts.z_lower, facts.z_upper);
    let right = &labels.right_states()?[row * pass.dim()..][..pass.dim()];
    let message = if !(facts.integral && lower >= 0.0 && upper <= 1.0) {
        format!("states of zeros and ones, not within [{lower}, {upper}] as those of row {row} are")
    } else if let Some(at) = right.iter().position(|&z| z != 0.0 && z != 1.0) {
        let z = right[at];
        format!("zeros and ones in the right states; row {row} has {z} at column {at}")
    } else {
        return Ok(());
    };
    let message = format!("the Hamming margin needs {message}");
    Err(Error::new(ErrorKind::InvalidInput, message))
}

#[typetag::serde(name = "imitation")]
impl Loss for Imitation {
    fn validate(&self, _: &Sampling) -> Result<(), Error> {
        not_negative("alpha", self.alpha)
    }

    fn evaluate(&self, pass: &Pass<'_>, labels: &Labels<'_>) -> Result<LossValue, Error> {
        let (alpha, right) = (self.alpha, labels.right_states()?);
        let plain = affine(pass, alpha, self.margin.shift(pass, labels)?);
        if !self.perturbed {
            return Ok(gap(pass, right, 1, plain));
        }
        let samples = pass.sampling().samples;
        Ok(gap(
            pass,
            right,
            samples,
            |row, sample, u: &mut [f64], slope: &mut [f64]| {
                plain(row, sample, u, slope)?;
                pass.perturb(row * samples + sample, alpha * pass.tau(row), u)
            },
        ))
    }
}
