//! What is known of the right answers.

use std::borrow::Cow;

use imle_api::{Error, ErrorKind};

use crate::sampling::Sense;

/// What is known of the right answers: the true theta, the right states, or both.
///
/// ```
/// use imle_runtime::Labels;
/// let labels = Labels::states(&[0.0, 1.0]).with_theta(&[0.5, 2.0]);
/// assert_eq!(labels.true_theta()?, [0.5, 2.0]);
/// assert!(Labels::states(&[0.0, 1.0]).true_theta().is_err());
/// # Ok::<(), imle_runtime::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Labels<'a> {
    theta: Option<Cow<'a, [f64]>>,
    z: Option<&'a [f64]>,
}

impl<'a> Labels<'a> {
    /// The true theta of each row, `[rows, dim]`: the true costs if `sense = minimize`.
    #[must_use]
    pub fn theta(theta: &'a [f64]) -> Self {
        Self::default().with_theta(theta)
    }

    /// The right state of each row, `[rows, dim]`.
    #[must_use]
    pub fn states(z: &'a [f64]) -> Self {
        Self::default().with_states(z)
    }

    /// Adds the true theta.
    #[must_use]
    pub fn with_theta(self, theta: &'a [f64]) -> Self {
        let theta = Some(Cow::Borrowed(theta));
        Self { theta, ..self }
    }

    /// Adds the right states.
    #[must_use]
    pub fn with_states(self, z: &'a [f64]) -> Self {
        Self { z: Some(z), ..self }
    }

    /// The true theta of each row.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidInput`] if it was not given.
    pub fn true_theta(&self) -> Result<&[f64], Error> {
        let message = "this loss needs the true theta (the true costs) as a label";
        self.theta
            .as_deref()
            .ok_or_else(|| Error::new(ErrorKind::InvalidInput, message))
    }

    /// The right state of each row.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidInput`] if it was not given.
    pub fn right_states(&self) -> Result<&[f64], Error> {
        let message = "this loss needs the right states as labels";
        self.z
            .ok_or_else(|| Error::new(ErrorKind::InvalidInput, message))
    }

    /// Checks the labels of rows with `values` coordinates in all, and turns costs into rewards.
    pub(crate) fn to_rewards(&self, values: usize, sense: Sense) -> Result<Labels<'a>, Error> {
        let mut labels = self.clone();
        if let Some(theta) = &mut labels.theta {
            check("the true theta", theta, values)?;
            sense.flip(theta.to_mut());
        }
        if let Some(z) = labels.z {
            check("the right states", z, values)?;
        }
        Ok(labels)
    }
}

fn check(name: &str, label: &[f64], values: usize) -> Result<(), Error> {
    let invalid = |message| Err(Error::new(ErrorKind::InvalidInput, message));
    if label.len() != values {
        let have = label.len();
        return invalid(format!("{name}: {have} values for the {values} of theta"));
    }
    match label.iter().position(|value| !value.is_finite()) {
        Some(at) => invalid(format!("{name}: {} at position {at}", label[at])),
        None => Ok(()),
    }
}
