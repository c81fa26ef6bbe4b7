//! A layer: an oracle, an estimator, and how theta is sampled.

use std::sync::{Arc, Mutex, PoisonError};

use imle_api::{Error, ErrorKind, Identity, Limits, Oracle};

use crate::call::Call;
use crate::engine::Engine;
use crate::estimators::{Checked, Estimator, Feedback, Memory, check_grad_mu};
use crate::gradient::Gradient;
use crate::means::Means;
use crate::oracles::Oracles;
use crate::pass::Pass;
use crate::pool::Pool;
use crate::sampling::Sampling;
use crate::saved::Saved;
use crate::states::States;

/// A layer that samples states of a feasible set and learns through them.
///
/// It keeps the memory of its largest calls, up to five copies of their states, and uses it again until it is dropped.
///
/// ```
/// use imle_runtime::{Facts, FnOracle, Imle, Layer, Sampling};
/// use std::sync::Arc;
///
/// let positive = FnOracle::new(Facts::binary(2), |theta, z| {
///     z.iter_mut().zip(theta).for_each(|(z, &theta)| *z = f64::from(theta > 0.0));
///     Ok(())
/// });
/// let layer = Layer::new(Arc::new(positive), Imle::default(), Sampling::default())?;
/// let saved = layer.forward(&[0.5, -0.5], 0)?; // states: [rows, samples, dim]
/// let grad_z: Vec<f64> = saved.z().iter().map(|z| z - 1.0).collect();
/// let grad_theta = layer.backward(saved, &grad_z)?.all_solved()?; // [rows, dim]
/// # assert_eq!(grad_theta.len(), 2);
/// # Ok::<(), imle_runtime::Error>(())
/// ```
#[derive(Debug)]
pub struct Layer {
    engine: Engine,
    estimator: Arc<dyn Estimator>,
    memory: Mutex<Memory>,
    identity: Identity,
}

impl Layer {
    /// Makes a layer over an oracle.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidConfig`] with the setting that is wrong.
    pub fn new(
        oracle: Arc<dyn Oracle>,
        estimator: impl Estimator + 'static,
        sampling: Sampling,
    ) -> Result<Self, Error> {
        Self::with_shared(oracle, Arc::new(estimator), sampling)
    }

    /// Like [`new`](Self::new), for an estimator that was read from a file or is shared.
    ///
    /// # Errors
    ///
    /// As `new`.
    pub fn with_shared(
        oracle: Arc<dyn Oracle>,
        estimator: Arc<dyn Estimator>,
        sampling: Sampling,
    ) -> Result<Self, Error> {
        let engine = Engine::new(oracle, sampling)?;
        estimator
            .validate(&engine.sampling)
            .map_err(|why| why.within("estimator"))?;
        Ok(Self {
            engine,
            estimator,
            memory: Mutex::default(),
            identity: Identity::unique(),
        })
    }

    /// Puts a pool of solutions in front of the solvers, in both passes: their states are then approximate.
    /// [`map`](Self::map) stays exact.
    #[must_use]
    pub fn with_pool(mut self, pool: Pool) -> Self {
        self.engine.pool = Some(pool);
        self
    }

    /// The settings.
    #[must_use]
    pub fn sampling(&self) -> &Sampling {
        &self.engine.sampling
    }

    /// The estimator.
    #[must_use]
    pub fn estimator(&self) -> &dyn Estimator {
        &*self.estimator
    }

    /// The number of coordinates of theta and of a state.
    #[must_use]
    pub fn dim(&self) -> usize {
        self.engine.dim
    }

    /// Samples states: `theta` is `[rows, dim]`, the states are `[rows, samples, dim]`.
    ///
    /// The same `theta` in the same call gives the same states, on any number of threads.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidTheta`] if the length is not a multiple of dim or a value is not finite, with
    /// its row and column. A row that cannot be solved is not an error of the call: see [`States`].
    pub fn forward<'a>(&self, theta: &[f64], call: impl Into<Call<'a>>) -> Result<Saved, Error> {
        let oracles = self.engine.oracles.pinned();
        self.sample(oracles, theta, call.into(), |estimator, pass| {
            estimator.forward(pass)
        })
    }

    /// Like [`forward`](Self::forward), with an oracle for each row: instances that differ from row to
    /// row.
    ///
    /// # Errors
    ///
    /// As `forward`; [`ErrorKind::InvalidInput`] if there is not one oracle a row, or one of them has
    /// another dimension than this layer.
    pub fn forward_each<'a>(
        &self,
        oracles: &[Arc<dyn Oracle>],
        theta: &[f64],
        call: impl Into<Call<'a>>,
    ) -> Result<Saved, Error> {
        let oracles = self.engine.one_a_row(oracles, theta)?;
        self.sample(oracles, theta, call.into(), |estimator, pass| {
            estimator.forward(pass)
        })
    }

    /// Samples states and returns their means `mu`, `[rows, dim]`, for a loss that looks at nothing else:
    /// [`backward_mean`](Self::backward_mean) is the way back. The states are those of [`forward`](Self::forward).
    ///
    /// For I-MLE the memory does not grow with the number of samples: no state is kept. Estimators that look at
    /// the states one by one make them all, and again in the backward pass.
    ///
    /// ```
    /// use imle_runtime::{Facts, FnOracle, Imle, Layer, Sampling};
    /// use std::sync::Arc;
    ///
    /// let positive = FnOracle::new(Facts::binary(2), |theta, z| {
    ///     z.iter_mut().zip(theta).for_each(|(z, &theta)| *z = f64::from(theta > 0.0));
    ///     Ok(())
    /// });
    /// let sampling = Sampling { samples: 1000, ..Sampling::default() };
    /// let layer = Layer::new(Arc::new(positive), Imle::default(), sampling)?;
    /// let saved = layer.forward_mean(&[0.5, -0.5], 0)?; // mu: [rows, dim]
    /// let grad_mu: Vec<f64> = saved.mu().iter().map(|mu| mu - 1.0).collect();
    /// let grad_theta = layer.backward_mean(saved, &grad_mu)?.all_solved()?; // [rows, dim]
    /// # assert!(grad_theta[0] < 0.0 && grad_theta[1] < 0.0);
    /// # Ok::<(), imle_runtime::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As `forward`. [`Means`] says which samples could not be solved.
    pub fn forward_mean<'a>(
        &self,
        theta: &[f64],
        call: impl Into<Call<'a>>,
    ) -> Result<Saved<Means>, Error> {
        let oracles = self.engine.oracles.pinned();
        let forward = |estimator: &dyn Estimator, pass: &Pass<'_>| estimator.forward_mean(pass);
        self.sample(oracles, theta, call.into(), forward)
    }

    /// Like [`forward_mean`](Self::forward_mean), with an oracle for each row.
    ///
    /// # Errors
    ///
    /// As `forward_mean` and [`forward_each`](Self::forward_each).
    pub fn forward_mean_each<'a>(
        &self,
        oracles: &[Arc<dyn Oracle>],
        theta: &[f64],
        call: impl Into<Call<'a>>,
    ) -> Result<Saved<Means>, Error> {
        let oracles = self.engine.one_a_row(oracles, theta)?;
        let forward = |estimator: &dyn Estimator, pass: &Pass<'_>| estimator.forward_mean(pass);
        self.sample(oracles, theta, call.into(), forward)
    }

    /// Estimates the marginals `mu`, `[rows, dim]`: the mean of the sampled states, which are not kept.
    ///
    /// # Errors
    ///
    /// As [`forward`](Self::forward), and the first sample that could not be solved: a mean over some of
    /// the samples is another number. [`forward_mean`](Self::forward_mean) gives that one.
    pub fn marginals<'a>(
        &self,
        theta: &[f64],
        call: impl Into<Call<'a>>,
    ) -> Result<Vec<f64>, Error> {
        let saved = self.forward_mean(theta, call)?;
        Ok(saved.means().all_solved()?.mu().to_vec())
    }

    /// Solves without noise: one state `MAP(theta)` for each row, as for evaluation.
    ///
    /// # Errors
    ///
    /// As [`forward`](Self::forward).
    pub fn map(&self, theta: &[f64]) -> Result<States, Error> {
        self.solve_plain(&self.engine.oracles.pinned(), theta)
    }

    /// Like [`map`](Self::map), with an oracle for each row.
    ///
    /// # Errors
    ///
    /// As [`forward_each`](Self::forward_each).
    pub fn map_each(&self, oracles: &[Arc<dyn Oracle>], theta: &[f64]) -> Result<States, Error> {
        self.solve_plain(&self.engine.one_a_row(oracles, theta)?, theta)
    }

    fn solve_plain(&self, oracles: &Oracles, theta: &[f64]) -> Result<States, Error> {
        let theta = self.engine.to_rewards(theta)?;
        Ok(self.engine.pass(&theta, oracles, Call::default()).map())
    }

    /// Samples whatever an estimator returns of a pass.
    fn sample<Sampled>(
        &self,
        oracles: Oracles,
        theta: &[f64],
        call: Call<'_>,
        forward: impl FnOnce(&dyn Estimator, &Pass<'_>) -> Result<Sampled, Error>,
    ) -> Result<Saved<Sampled>, Error> {
        let theta = self.engine.to_rewards(theta)?;
        let oracles = self.engine.answering(oracles, &theta, &call)?;
        let pass = self.engine.pass(&theta, &oracles, call);
        let sampled = forward(&*self.estimator, &pass)?;
        let row_numbers = (0..pass.rows()).map(|row| call.row(row)).collect();
        Ok(Saved {
            sampled,
            theta,
            oracles,
            call: call.number,
            row_numbers,
            layer: self.identity,
        })
    }

    /// Returns the gradient of the loss in theta, `[rows, dim]`.
    ///
    /// `feedback` is usually `grad_z`, `[rows, samples, dim]`: the derivative of *each sample's own* loss,
    /// not divided by the number of samples. [`Feedback`] has other kinds. What it says of a sample that
    /// failed in `forward` is not looked at.
    ///
    /// The gradient of a row is the mean over its samples that were solved on every side; zero if there
    /// are none. [`Gradient::errors`] lists the samples that were not.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidInput`] if the feedback does not fit the states, is not finite, or is not of the
    /// kind that the estimator needs.
    pub fn backward<'a>(
        &self,
        saved: Saved,
        feedback: impl Into<Feedback<'a>>,
    ) -> Result<Gradient, Error> {
        self.backward_within(saved, feedback, &Limits::none())
    }

    /// Like [`backward`](Self::backward), with a time limit and a stop flag.
    ///
    /// # Errors
    ///
    /// As `backward`.
    pub fn backward_within<'a>(
        &self,
        saved: Saved,
        feedback: impl Into<Feedback<'a>>,
        limits: &Limits<'_>,
    ) -> Result<Gradient, Error> {
        let feedback = Checked::new(&self.engine.batch, &saved.sampled, feedback.into())?;
        let samples = saved.sampled.samples();
        self.back(&saved, samples, limits, |pass, states, memory| {
            let feedback = feedback.borrow();
            self.estimator.backward(pass, states, feedback, memory)
        })
    }

    /// Returns the gradient in theta, `[rows, dim]`, of a loss of the means, from its derivative in them:
    /// `grad_mu`, `[rows, dim]`. It is that of [`backward`](Self::backward) for
    /// [`Feedback::GradMean`], up to rounding: of sums where states are not integers, and of a lambda that is relative
    /// to `grad_z`, which there is a mean over equal samples. What it says of a row without a mean is not looked at.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidInput`] if `grad_mu` does not fit the means or is not finite, or the estimator needs
    /// other feedback.
    pub fn backward_mean(&self, saved: Saved<Means>, grad_mu: &[f64]) -> Result<Gradient, Error> {
        self.backward_mean_within(saved, grad_mu, &Limits::none())
    }

    /// Like [`backward_mean`](Self::backward_mean), with a time limit and a stop flag.
    ///
    /// # Errors
    ///
    /// As `backward_mean`.
    pub fn backward_mean_within(
        &self,
        saved: Saved<Means>,
        grad_mu: &[f64],
        limits: &Limits<'_>,
    ) -> Result<Gradient, Error> {
        let grad_mu = check_grad_mu(&self.engine.batch, &saved.sampled, grad_mu)?;
        let samples = saved.sampled.samples();
        self.back(&saved, samples, limits, |pass, means, memory| {
            self.estimator.backward_mean(pass, means, &grad_mu, memory)
        })
    }

    fn back<Sampled>(
        &self,
        saved: &Saved<Sampled>,
        samples: usize,
        limits: &Limits<'_>,
        backward: impl FnOnce(&Pass<'_>, &Sampled, &mut Memory) -> Result<Gradient, Error>,
    ) -> Result<Gradient, Error> {
        if saved.layer != self.identity {
            let message = "the saved states come from another layer, with noise of its own";
            return Err(Error::new(ErrorKind::InvalidInput, message));
        }
        let call = Call::from(saved.call)
            .with_rows(&saved.row_numbers)
            .within(*limits);
        let pass = self.engine.pass(&saved.theta, &saved.oracles, call);
        let mut memory = self.memory();
        let mut gradient = backward(&pass, &saved.sampled, &mut memory)?;
        self.set_memory(memory);
        gradient = gradient.finite(&self.engine.batch, self.dim(), samples);
        self.engine.sampling.sense.flip(&mut gradient.theta);
        Ok(gradient)
    }

    /// Returns what the estimator remembers from the backward passes so far, to be saved with the model.
    #[must_use]
    pub fn memory(&self) -> Memory {
        let memory = self.memory.lock();
        memory.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Replaces what the estimator remembers, as when a saved model is loaded.
    ///
    /// Backward passes read the memory when they start and write it when they end: if the estimator has one,
    /// let them follow one another.
    pub fn set_memory(&self, memory: Memory) {
        *self.memory.lock().unwrap_or_else(PoisonError::into_inner) = memory;
    }
}
