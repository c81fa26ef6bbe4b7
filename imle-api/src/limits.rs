//! When to give up: a deadline and a flag that somebody else may raise.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use crate::{Error, ErrorKind};

/// A flag that asks running solves to stop soon.
///
/// Raised from any thread; solvers look at it between steps of their work.
///
/// ```
/// let flag = imle_api::StopFlag::default();
/// flag.raise();
/// assert!(flag.is_raised());
/// flag.lower();
/// assert!(!flag.is_raised());
/// ```
// `repr(transparent)`: the ABI hands the address of the inner word to the plugin.
#[derive(Debug, Default)]
#[repr(transparent)]
pub struct StopFlag(AtomicU32);

impl StopFlag {
    /// Asks running solves to stop.
    pub fn raise(&self) {
        self.0.store(1, Ordering::Release);
    }

    /// Takes the request back, so that the flag can serve the next call.
    pub fn lower(&self) {
        self.0.store(0, Ordering::Release);
    }

    /// Returns whether a stop was asked for.
    #[must_use]
    pub fn is_raised(&self) -> bool {
        self.0.load(Ordering::Acquire) != 0
    }

    pub(crate) fn word(&self) -> &AtomicU32 {
        &self.0
    }
}

/// The limits of one call: a deadline, a stop flag, both or neither.
///
/// ```
/// use imle_api::{ErrorKind, Limits, StopFlag};
/// use std::time::Duration;
///
/// let stop = StopFlag::default();
/// let limits = Limits::none().with_time(Duration::from_secs(60)).with_stop(&stop);
/// assert!(limits.check().is_ok());
/// stop.raise();
/// assert_eq!(limits.check().unwrap_err().kind(), ErrorKind::Stopped);
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Limits<'a> {
    deadline: Option<Instant>,
    stop: Option<&'a AtomicU32>,
}

impl<'a> Limits<'a> {
    /// No limit at all.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// Sets the time that the call may take, counted from now.
    #[must_use]
    pub fn with_time(self, time: Duration) -> Self {
        // A duration beyond what the clock can hold is no limit.
        Self {
            deadline: Instant::now().checked_add(time),
            ..self
        }
    }

    /// Sets the flag that stops the call.
    #[must_use]
    pub fn with_stop(self, stop: &'a StopFlag) -> Self {
        self.with_stop_word(stop.word())
    }

    pub(crate) fn with_stop_word(self, stop: &'a AtomicU32) -> Self {
        Self {
            stop: Some(stop),
            ..self
        }
    }

    /// Returns whether there is a limit at all.
    #[must_use]
    pub fn are_set(&self) -> bool {
        self.deadline.is_some() || self.stop.is_some()
    }

    /// Returns the time left, `None` without a time limit and zero after the deadline.
    #[must_use]
    pub fn time_left(&self) -> Option<Duration> {
        self.deadline
            .map(|deadline| deadline.saturating_duration_since(Instant::now()))
    }

    /// Returns the word that a plugin polls: non-zero asks it to stop.
    #[must_use]
    pub fn stop_word(&self) -> Option<&'a AtomicU32> {
        self.stop
    }

    /// Says whether to go on; costs a clock reading if there is a time limit.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Stopped`] if the flag is up, [`ErrorKind::LimitReached`] after the deadline.
    pub fn check(&self) -> Result<(), Error> {
        if self
            .stop
            .is_some_and(|word| word.load(Ordering::Acquire) != 0)
        {
            return Err(Error::new(ErrorKind::Stopped, "the stop flag was raised"));
        }
        if self.time_left().is_some_and(|left| left.is_zero()) {
            return Err(Error::new(
                ErrorKind::LimitReached,
                "the time limit of the call was reached",
            ));
        }
        Ok(())
    }
}
