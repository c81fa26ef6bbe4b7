//! Baselines: what is taken off a loss before its score is weighted by it.

use imle_api::{Error, ErrorKind};
use serde::{Deserialize, Serialize};

use super::Memory;
use crate::pass::Pass;
use crate::states::States;

/// What a score-function estimator takes off the loss of a sample: a control variate, since the score has mean zero.
///
/// None of them biases the gradient. What is taken off does not depend on the noise of the sample: with antithetic
/// samples, neither on that of its twin.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Baseline {
    /// Nothing.
    None,
    /// The mean loss of the other samples of the row that were solved (Kool, van Hoof, Welling, 2019): the same
    /// as taking off the mean of all and dividing by `samples - 1`, as InferOpt does. Zero for one sample.
    #[default]
    Others,
    /// That of the MAP state without noise, `<MAP(theta), grad_z>`, as jaxopt's `control_variate` (Berthet et al., 2020,
    /// Section 3): one more solve for each row, backward. It does for a single sample, too, and beside the mean of the
    /// others where there are few. For [`Perturbed`](super::Perturbed) alone: a score function is not told the loss
    /// of another state. `grad_z` is the mean over the other samples, or that of the sample if there are no
    /// others; of a loss of the mean state they are the same.
    Map,
    /// A moving average of the losses of earlier calls, `average <- decay average + (1 - decay) mean`, in the
    /// memory of the layer under `baseline`. Zero in the first call. A split of a batch is several calls.
    MovingAverage {
        /// The share of the average that is kept.
        decay: f64,
    },
}

impl Baseline {
    pub(super) fn validate(self) -> Result<(), Error> {
        match self {
            Self::MovingAverage { decay } if !(0.0..1.0).contains(&decay) => {
                let message =
                    format!("baseline: decay = {decay} is not a number from 0 to less than 1");
                Err(Error::new(ErrorKind::InvalidConfig, message))
            }
            _ => Ok(()),
        }
    }

    /// Returns the losses less their baselines, `[rows, samples]`, and moves the average on.
    pub(super) fn subtract(
        self,
        pass: &Pass<'_>,
        states: &States,
        losses: &[f64],
        memory: &mut Memory,
    ) -> Result<Vec<f64>, Error> {
        match self {
            // The loss of the MAP state is off already, where the derivative of the loss is known.
            Self::None | Self::Map => Ok(losses.to_vec()),
            Self::Others => {
                let means = Others::new(pass, states, 1, |item| &losses[item..=item]);
                let mut mean = [0.0];
                let less = |(item, loss): (usize, &f64)| {
                    means.mean(item, &mut mean);
                    loss - mean[0]
                };
                Ok(losses.iter().enumerate().map(less).collect())
            }
            Self::MovingAverage { decay } => {
                let average = recall(memory)?;
                let solved: Vec<f64> = (0..states.rows())
                    .flat_map(|row| states.solved(row))
                    .map(|item| losses[item])
                    .collect();
                if !solved.is_empty() {
                    let mean = solved.iter().sum::<f64>() / solved.len() as f64;
                    let next = average.map_or(mean, |old| decay * old + (1.0 - decay) * mean);
                    memory.set("baseline", vec![next]);
                }
                let baseline = average.unwrap_or(0.0);
                Ok(losses.iter().map(|loss| loss - baseline).collect())
            }
        }
    }
}

/// Means over the other samples of a row: those that were solved and whose noise is independent.
pub(super) struct Others<'a, F> {
    pass: &'a Pass<'a>,
    states: &'a States,
    value: F,
    sums: Vec<f64>, // [rows, width]
    width: usize,
}

impl<'v, F: Fn(usize) -> &'v [f64]> Others<'_, F> {
    /// `value` returns what is averaged, `[width]`, of an item.
    pub(super) fn new<'a>(
        pass: &'a Pass<'a>,
        states: &'a States,
        width: usize,
        value: F,
    ) -> Others<'a, F> {
        let mut sums = vec![0.0; states.rows() * width];
        for (row, sum) in sums.chunks_exact_mut(width).enumerate() {
            for item in states.solved(row) {
                add(sum, value(item), 1.0);
            }
        }
        Others {
            pass,
            states,
            value,
            sums,
            width,
        }
    }

    /// Writes the mean over the others of an item, and returns how many there are; zero if there are none.
    pub(super) fn mean(&self, item: usize, mean: &mut [f64]) -> usize {
        let samples = self.states.samples();
        let (row, sample) = (item / samples, item % samples);
        mean.copy_from_slice(&self.sums[row * self.width..][..self.width]);
        let mut count = self.states.solved(row).count();
        for partner in self.pass.partners(sample) {
            let partner = row * samples + partner;
            if self.states.outcomes()[partner].is_ok() {
                add(mean, (self.value)(partner), -1.0);
                count -= 1;
            }
        }
        match count {
            0 => mean.fill(0.0),
            count => mean.iter_mut().for_each(|mean| *mean /= count as f64),
        }
        count
    }
}

fn add(sum: &mut [f64], value: &[f64], weight: f64) {
    let pairs = sum.iter_mut().zip(value);
    pairs.for_each(|(sum, value)| *sum += weight * value);
}

fn recall(memory: &Memory) -> Result<Option<f64>, Error> {
    match memory.get("baseline") {
        None => Ok(None),
        Some(&[average]) if average.is_finite() => Ok(Some(average)),
        Some(other) => {
            let message = format!("the memory `baseline` holds {other:?}, not one number");
            Err(Error::new(ErrorKind::InvalidInput, message))
        }
    }
}
