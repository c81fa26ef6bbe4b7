//! The files of a run: on the command line and in the table `[run]`.

use std::path::{Path, PathBuf};

use clap::Args;
use imle_runtime::Feedback;
use serde::Deserialize;

use super::run::Wrap;
use crate::arrays::Array;
use crate::failure::Failure;
use crate::files::is_stream;
use crate::output::remark;
use crate::paths::Paths;

/// Where arrays come from and go to, and the number of the call.
#[derive(Args, Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Files {
    /// Rows of theta, [rows, dim]
    #[arg(long, value_name = "FILE")]
    theta: Option<PathBuf>,
    /// The derivative of each sample's own loss, [rows, samples, dim]
    #[arg(long, value_name = "FILE", group = "feedback")]
    grad_z: Option<PathBuf>,
    /// The derivative of a loss of the mean of the samples, [rows, dim]
    #[arg(long, value_name = "FILE", group = "feedback")]
    grad_mean: Option<PathBuf>,
    /// The loss of each sample, [rows, samples]
    #[arg(long, value_name = "FILE", group = "feedback")]
    losses: Option<PathBuf>,
    /// The true theta, for the loss of the layer, [rows, dim]
    #[arg(long, value_name = "FILE")]
    pub(super) true_theta: Option<PathBuf>,
    /// The right states, for the loss of the layer, [rows, dim]
    #[arg(long, value_name = "FILE")]
    pub(super) states: Option<PathBuf>,
    /// Write the sampled states, [rows, samples, dim]
    #[arg(long, value_name = "FILE")]
    pub(super) z: Option<PathBuf>,
    /// Write the mean of the sampled states, [rows, dim]
    #[arg(long, value_name = "FILE")]
    pub(super) marginals: Option<PathBuf>,
    /// Write the gradient in theta, [rows, dim]
    #[arg(long, value_name = "FILE")]
    grad_theta: Option<PathBuf>,
    /// Write the loss of each row, [rows, 1]
    #[arg(long, value_name = "FILE")]
    pub(super) loss_values: Option<PathBuf>,
    /// The number of the call, such as the training step
    #[arg(long, value_name = "N")]
    call: Option<u64>,
}

impl Files {
    /// Relative paths are relative to `folder`.
    pub(super) fn within(self, folder: &Path) -> Self {
        let place = |path: Option<PathBuf>| {
            path.map(|path| {
                if is_stream(&path) {
                    path
                } else {
                    folder.join(path)
                }
            })
        };
        Self {
            theta: place(self.theta),
            grad_z: place(self.grad_z),
            grad_mean: place(self.grad_mean),
            losses: place(self.losses),
            true_theta: place(self.true_theta),
            states: place(self.states),
            z: place(self.z),
            marginals: place(self.marginals),
            grad_theta: place(self.grad_theta),
            loss_values: place(self.loss_values),
            call: self.call,
        }
    }

    /// What is not said here is as `other` says. One kind of feedback takes the place of any other.
    pub(super) fn or(self, other: Self) -> Self {
        let own = self.grad_z.is_some() || self.grad_mean.is_some() || self.losses.is_some();
        let feedback = |path: Option<PathBuf>| path.filter(|_| !own);
        Self {
            theta: self.theta.or(other.theta),
            grad_z: self.grad_z.or(feedback(other.grad_z)),
            grad_mean: self.grad_mean.or(feedback(other.grad_mean)),
            losses: self.losses.or(feedback(other.losses)),
            true_theta: self.true_theta.or(other.true_theta),
            states: self.states.or(other.states),
            z: self.z.or(other.z),
            marginals: self.marginals.or(other.marginals),
            grad_theta: self.grad_theta.or(other.grad_theta),
            loss_values: self.loss_values.or(other.loss_values),
            call: self.call.or(other.call),
        }
    }

    pub(super) fn paths(&self) -> Result<Paths<'_>, Failure> {
        Paths::default()
            .reads("theta", self.theta.as_deref())
            .reads("grad_z", self.grad_z.as_deref())
            .reads("grad_mean", self.grad_mean.as_deref())
            .reads("losses", self.losses.as_deref())
            .reads("true_theta", self.true_theta.as_deref())
            .reads("states", self.states.as_deref())
            .writes("z", self.z.as_deref(), None)?
            .writes("marginals", self.marginals.as_deref(), None)?
            .writes("grad_theta", self.grad_theta.as_deref(), None)?
            .writes("loss_values", self.loss_values.as_deref(), None)
    }

    pub(super) fn theta(&self) -> Result<&Path, Failure> {
        let missing = || Failure::input("no file of theta: `theta` in [run], or --theta FILE");
        self.theta.as_deref().ok_or_else(missing)
    }

    pub(super) fn grad_theta(&self) -> Result<&Path, Failure> {
        let missing = || {
            let message = "no file for the gradient: `grad_theta` in [run], or --grad-theta FILE";
            Failure::input(message)
        };
        self.grad_theta.as_deref().ok_or_else(missing)
    }

    /// Says that a gradient stays away, or that nothing was asked for.
    pub(super) fn remark_on_no_feedback(&self) {
        if self.grad_theta.is_some() {
            remark("no gradient is written: it needs grad_z, grad_mean or losses");
        } else if self.z.is_none() && self.marginals.is_none() {
            remark("nothing is written: name a file for z, marginals or grad_theta");
        }
    }

    pub(super) fn call(&self) -> u64 {
        self.call.unwrap_or(0)
    }

    /// What the loss says of the states: the file, what is in it, and what it is.
    pub(super) fn feedback(&self) -> Result<Option<(&Path, Array, Wrap)>, Failure> {
        let kinds: [(&Option<PathBuf>, Wrap); 3] = [
            (&self.grad_z, |values| Feedback::GradZ(values)),
            (&self.grad_mean, |values| Feedback::GradMean(values)),
            (&self.losses, |values| Feedback::Losses(values)),
        ];
        let mut named = kinds
            .into_iter()
            .filter_map(|(path, wrap)| Some((path.as_deref()?, wrap)));
        let Some((path, wrap)) = named.next() else {
            return Ok(None);
        };
        if named.next().is_some() {
            let message = "[run] names more than one of grad_z, grad_mean and losses";
            return Err(Failure::input(message));
        }
        Ok(Some((path, Array::read(path)?, wrap)))
    }
}
