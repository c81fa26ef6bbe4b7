//! Estimators: theta -> states, with a way back from what the loss says of the states to a gradient in theta.

mod aimle;
mod baseline;
mod black_box;
mod exact;
mod feedback;
mod identity;
mod implicit;
mod perturbed;
mod score_function;
mod soft_sub;
mod straight_through;

use std::collections::BTreeMap;
use std::fmt;

use imle_api::Error;
use serde::{Deserialize, Serialize};

use crate::gradient::Gradient;
use crate::means::Means;
use crate::pass::Pass;
use crate::sampling::Sampling;
use crate::states::States;

pub use aimle::{Aimle, Scope};
pub use baseline::Baseline;
pub use black_box::BlackBox;
pub use exact::Exact;
pub use feedback::Feedback;
pub(crate) use feedback::{Checked, check_grad_mu};
pub use identity::{NegativeIdentity, Projection};
pub use implicit::ImplicitDifferentiation;
pub use perturbed::{Perturbation, Perturbed};
pub use score_function::{Score, ScoreFunction};
pub use soft_sub::{GumbelSoftmax, SoftSub};
pub use straight_through::StraightThrough;

/// Samples states and turns what the loss says of them into a gradient in theta.
///
/// [`Imle`](crate::Imle) is one. An open set: implement it, mark the implementation with
/// `#[typetag::serde(name = "...")]`, and a configuration file can name it by `type`. A
/// [`Layer`](crate::Layer) checks what goes in, keeps the sense of theta, and calls this.
#[typetag::serde(tag = "type")]
pub trait Estimator: fmt::Debug + Send + Sync {
    /// Checks the parameters, also against the settings that they are used with.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidConfig`](crate::ErrorKind::InvalidConfig) with the offending value.
    fn validate(&self, _: &Sampling) -> Result<(), Error> {
        Ok(())
    }

    /// Returns the states that the loss sees, `[rows, samples, dim]`: perturbed MAP states if not said
    /// otherwise.
    ///
    /// # Errors
    ///
    /// Whatever is wrong with the whole batch. A sample that cannot be solved has its own error in the states.
    fn forward(&self, pass: &Pass<'_>) -> Result<States, Error> {
        Ok(pass.sample())
    }

    /// Returns the gradient of the loss in theta, `[rows, dim]`: for each row the mean over its samples that
    /// were solved.
    ///
    /// `states` are those of [`forward`](Self::forward), in the same pass. `feedback` fits them and is finite,
    /// and zero where a sample failed.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidInput`](crate::ErrorKind::InvalidInput) if it needs another kind of feedback.
    fn backward(
        &self,
        pass: &Pass<'_>,
        states: &States,
        feedback: Feedback<'_>,
        memory: &mut Memory,
    ) -> Result<Gradient, Error>;

    /// Returns the means of the states that [`forward`](Self::forward) returns. By default it asks for those;
    /// an estimator that can do without keeps its memory from growing with the number of samples.
    ///
    /// # Errors
    ///
    /// As `forward`.
    fn forward_mean(&self, pass: &Pass<'_>) -> Result<Means, Error> {
        Ok(Means::of(&self.forward(pass)?))
    }

    /// Returns the gradient that [`backward`](Self::backward) returns for [`Feedback::GradMean`]. By default it
    /// samples the states again.
    ///
    /// `means` are those of [`forward_mean`](Self::forward_mean), in the same pass. `grad_mu`, `[rows, dim]`, is
    /// finite, and zero where no sample of a row was solved.
    ///
    /// # Errors
    ///
    /// As `backward`.
    fn backward_mean(
        &self,
        pass: &Pass<'_>,
        _means: &Means,
        grad_mu: &[f64],
        memory: &mut Memory,
    ) -> Result<Gradient, Error> {
        let states = self.forward(pass)?;
        let feedback = Checked::new(pass.batch, &states, Feedback::GradMean(grad_mu))?;
        self.backward(pass, &states, feedback.borrow(), memory)
    }
}

/// What an estimator remembers from step to step: named numbers, which can be saved with the model.
///
/// ```
/// let mut memory = imle_runtime::Memory::default();
/// memory.set("beta", vec![0.5]);
/// assert_eq!(memory.get("beta"), Some(&[0.5][..]));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Memory(BTreeMap<String, Vec<f64>>);

impl Memory {
    /// What was remembered under a name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&[f64]> {
        self.0.get(name).map(Vec::as_slice)
    }

    /// Remembers numbers under a name, in place of what was there.
    pub fn set(&mut self, name: &str, values: Vec<f64>) {
        self.0.insert(name.to_owned(), values);
    }

    /// Whether nothing is remembered.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
