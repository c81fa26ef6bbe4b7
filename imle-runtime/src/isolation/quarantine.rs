//! When a solver whose processes die one after the other is left alone.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use imle_api::{Error, ErrorKind};

/// Counts deaths in a row.
#[derive(Debug)]
pub(super) struct Quarantine {
    most_deaths: u32,
    time: Duration,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Since a call was last answered.
    deaths: u32,
    /// When the quarantine began, and the death that it began with.
    since: Option<(Instant, String)>,
}

impl Quarantine {
    pub(super) fn new(most_deaths: u32, time: Duration) -> Self {
        Self {
            most_deaths,
            time,
            state: Mutex::default(),
        }
    }

    /// Says whether a process may be asked.
    pub(super) fn check(&self, solver: &str) -> Result<(), Error> {
        let mut state = self.state();
        let Some((since, last)) = &state.since else {
            return Ok(());
        };
        let left = self.time.saturating_sub(since.elapsed());
        if left.is_zero() {
            // One process is tried, by whoever comes first; the others wait for what becomes of it.
            let last = last.clone();
            state.since = Some((Instant::now(), last));
            return Ok(());
        }
        let message = format!(
            "solver `{solver}` is in quarantine for another {:.0} s: {} of its processes died in a row, the last \
             one so: {last}. A new instance, or `Isolated::release`, ends it",
            left.as_secs_f64().ceil(),
            state.deaths
        );
        Err(Error::new(ErrorKind::BackendFailed, message))
    }

    pub(super) fn count_death(&self, why: &Error) {
        let mut state = self.state();
        state.deaths += 1;
        if state.deaths >= self.most_deaths {
            let why = why.message().to_owned();
            if state.since.is_none() {
                log::warn!("quarantine after {} deaths in a row: {why}", state.deaths);
            }
            state.since = Some((Instant::now(), why));
        }
    }

    /// A call was answered, or somebody vouches for the solver.
    pub(super) fn end(&self) {
        *self.state() = State::default();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
