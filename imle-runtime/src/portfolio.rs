//! Several back ends for one problem: tried against each other, then the fastest right one alone.

use std::fmt;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, TryLockError};
use std::time::{Duration, Instant};

use imle_api::{Error, ErrorKind, Facts, Identity, Limits, Oracle, Outcome, unset};

use crate::backends::{Backend, listed};

/// Objectives that differ by less than this, relative to their size, agree.
const AGREEMENT: f64 = 1e-6;

/// An oracle that times its back ends on the first rows and keeps the fastest that was never worse.
///
/// While the trial lasts, every row is solved by every back end that is still in it, and the answer is
/// that of the first listed one whose objective no other beats. A back end that returns a worse objective
/// than another, or fails where another succeeds, is out. After `trial_rows` rows the fastest of the rest
/// answers alone; a line of the log (crate `log`, level info) says which, with the times.
///
/// Which back end wins depends on the machine. Where a row has several best states the state may
/// therefore differ from run to run; objectives do not. The identity changes with the decision, so a cache
/// does not mix the two.
///
/// ```
/// use imle_runtime::{Facts, FnOracle, Oracle, Portfolio, solve_one};
/// use std::sync::Arc;
/// use std::time::Duration;
///
/// let backend = |wait: u64| -> Arc<dyn Oracle> {
///     Arc::new(FnOracle::new(Facts::binary(1), move |theta, z| {
///         std::thread::sleep(Duration::from_millis(wait));
///         z[0] = f64::from(theta[0] > 0.0);
///         Ok(())
///     }))
/// };
/// let backends = [("slow", backend(5)), ("fast", backend(0))];
/// let portfolio = Portfolio::new(backends, 3)?;
/// for theta in [-1.0, 1.0, 2.0] {
///     solve_one(&portfolio, &[theta])?;
/// }
/// assert_eq!(portfolio.chosen(), Some("fast"));
/// # Ok::<(), imle_runtime::Error>(())
/// ```
pub struct Portfolio {
    backends: Vec<Backend>,
    trial_rows: usize,
    trial: Mutex<Trial>,
    chosen: OnceLock<usize>,
    identity: Identity,
}

/// What the trial found so far.
struct Trial {
    rows: usize,
    /// The time of each back end.
    times: Vec<Duration>,
    /// Why a back end is out.
    out: Vec<Option<String>>,
}

impl Portfolio {
    /// Makes a portfolio of named back ends of one problem that decides after `trial_rows` rows.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidConfig`] if there is no back end, no trial, two back ends have the same name, or the
    /// dimensions differ.
    pub fn new<N: Into<String>>(
        backends: impl IntoIterator<Item = (N, Arc<dyn Oracle>)>,
        trial_rows: usize,
    ) -> Result<Self, Error> {
        if trial_rows == 0 {
            let message = "trial_rows = 0; use at least 1";
            return Err(Error::new(ErrorKind::InvalidConfig, message));
        }
        let backends = listed("portfolio", backends)?;
        Ok(Self {
            trial: Mutex::new(Trial {
                rows: 0,
                times: vec![Duration::ZERO; backends.len()],
                out: vec![None; backends.len()],
            }),
            backends,
            trial_rows,
            chosen: OnceLock::new(),
            identity: Identity::unique(),
        })
    }

    /// The back end that answers alone, once the trial is over.
    #[must_use]
    pub fn chosen(&self) -> Option<&str> {
        self.chosen
            .get()
            .map(|&chosen| self.backends[chosen].name.as_str())
    }

    /// The back ends that are out, with the reason.
    #[must_use]
    pub fn dropped(&self) -> Vec<(String, String)> {
        let trial = self.trial.lock().unwrap_or_else(PoisonError::into_inner);
        let named = self.backends.iter().zip(&trial.out);
        named
            .filter_map(|(backend, why)| Some((backend.name.clone(), why.clone()?)))
            .collect()
    }

    /// Solves a row with every back end that is in, and takes the time.
    fn ask(
        &self,
        is_in: impl Fn(usize) -> bool,
        theta: &[f64],
        limits: &Limits<'_>,
    ) -> Vec<Answer> {
        let mut answers = Vec::new();
        for (index, backend) in self.backends.iter().enumerate() {
            if is_in(index) {
                let mut z = vec![f64::NAN; theta.len()];
                let mut outcome = [unset()];
                let start = Instant::now();
                backend.oracle.solve(theta, &mut z, &mut outcome, limits);
                let time = start.elapsed();
                let [outcome] = outcome;
                answers.push(Answer {
                    index,
                    z,
                    outcome,
                    time,
                });
            }
        }
        answers
    }

    /// Solves a row in the trial: counts times and drops whoever is worse.
    fn try_row(
        &self,
        trial: &mut Trial,
        theta: &[f64],
        z: &mut [f64],
        limits: &Limits<'_>,
    ) -> Outcome {
        let answers = self.ask(|index| trial.out[index].is_none(), theta, limits);
        let best = best_objective(&answers);
        for answer in &answers {
            trial.times[answer.index] += answer.time;
            if let Verdict::Worse(why) = verdict(&answer.outcome, best) {
                self.drop_backend(trial, answer.index, why);
            }
        }
        trial.rows += 1;
        if trial.rows == self.trial_rows {
            self.decide(trial);
        }
        first_best(answers, best, z)
    }

    fn solve_in_trial(&self, theta: &[f64], z: &mut [f64], limits: &Limits<'_>) -> Outcome {
        // One row at a time: back ends that run beside each other would be timed against each other.
        let trial = match self.trial.try_lock() {
            Err(TryLockError::WouldBlock) if self.may_not_wait() => {
                let answers = self.ask(|_| true, theta, limits);
                let best = best_objective(&answers);
                return first_best(answers, best, z);
            }
            Err(TryLockError::WouldBlock) => self.trial.lock(),
            Err(TryLockError::Poisoned(poisoned)) => Err(poisoned),
            Ok(trial) => Ok(trial),
        };
        let mut trial = trial.unwrap_or_else(PoisonError::into_inner);
        let Some(oracle) = self.current() else {
            return self.try_row(&mut trial, theta, z, limits);
        };
        drop(trial); // it was decided while we waited
        let mut outcome = [unset()];
        oracle.solve(theta, z, &mut outcome, limits);
        let [outcome] = outcome;
        outcome
    }

    /// A worker of rayon that waits inside a back end may have picked up this row on top of another one.
    fn may_not_wait(&self) -> bool {
        self.may_use_rayon() && rayon::current_thread_index().is_some()
    }

    fn drop_backend(&self, trial: &mut Trial, index: usize, why: String) {
        log::warn!("portfolio: `{}` is out: {why}", self.backends[index].name);
        trial.out[index] = Some(why);
    }

    fn decide(&self, trial: &Trial) {
        let in_trial = (0..self.backends.len()).filter(|&index| trial.out[index].is_none());
        let fastest = in_trial.min_by_key(|&index| trial.times[index]);
        let fastest = fastest.expect("the one that answered last is still in the trial");
        let time =
            |index: usize| trial.times[index] / u32::try_from(trial.rows).unwrap_or(u32::MAX);
        let times = self.backends.iter().enumerate();
        let times = times.map(|(index, backend)| format!("{} {:?}", backend.name, time(index)));
        log::info!(
            "portfolio: `{}` answers alone after {} rows; time a row: {}",
            self.backends[fastest].name,
            trial.rows,
            times.collect::<Vec<_>>().join(", ")
        );
        let _ = self.chosen.set(fastest); // another thread cannot have: it would hold the trial
    }

    fn current(&self) -> Option<&Arc<dyn Oracle>> {
        self.chosen
            .get()
            .map(|&chosen| &self.backends[chosen].oracle)
    }
}

/// What a back end says about a row.
struct Answer {
    index: usize,
    z: Vec<f64>,
    outcome: Outcome,
    time: Duration,
}

fn best_objective(answers: &[Answer]) -> Option<f64> {
    let solved = answers
        .iter()
        .filter_map(|answer| answer.outcome.as_ref().ok());
    solved.map(|solved| solved.objective).reduce(f64::max)
}

/// Takes the answer of the first listed back end that no other beats.
fn first_best(answers: Vec<Answer>, best: Option<f64>, z: &mut [f64]) -> Outcome {
    let is_best = |answer: &Answer| matches!(verdict(&answer.outcome, best), Verdict::Best);
    let answer = answers.into_iter().find(is_best);
    let answer = answer.expect("the best answer is not worse than itself");
    z.copy_from_slice(&answer.z);
    answer.outcome
}

/// What an outcome says about its back end, beside the best objective of all.
enum Verdict {
    Best,
    /// A limit of the call was reached, which is the caller's doing.
    OutOfTime,
    Worse(String),
}

fn verdict(outcome: &Outcome, best: Option<f64>) -> Verdict {
    // Where all fail, any error is an answer.
    let Some(best) = best else {
        return Verdict::Best;
    };
    match outcome {
        Ok(solved) if solved.objective >= best - AGREEMENT * (1.0 + best.abs()) => Verdict::Best,
        Ok(solved) => {
            let objective = solved.objective;
            Verdict::Worse(format!("objective {objective} where another found {best}"))
        }
        Err(why) if matches!(why.kind(), ErrorKind::LimitReached | ErrorKind::Stopped) => {
            Verdict::OutOfTime
        }
        Err(why) => Verdict::Worse(format!("{why}, where another found objective {best}")),
    }
}

impl Oracle for Portfolio {
    fn facts(&self) -> Facts {
        self.current().unwrap_or(&self.backends[0].oracle).facts()
    }

    fn identity(&self) -> Identity {
        self.current()
            .map_or(self.identity, |oracle| oracle.identity())
    }

    fn solve(&self, theta: &[f64], z: &mut [f64], outcomes: &mut [Outcome], limits: &Limits<'_>) {
        let dim = self.facts().dim;
        for (row, outcome) in outcomes.iter_mut().enumerate() {
            let values = row * dim..(row + 1) * dim;
            let (theta, z) = (&theta[values.clone()], &mut z[values]);
            if let Some(oracle) = self.current() {
                oracle.solve(theta, z, std::slice::from_mut(outcome), limits);
                continue;
            }
            *outcome = self.solve_in_trial(theta, z, limits);
        }
    }

    fn may_use_rayon(&self) -> bool {
        self.backends
            .iter()
            .any(|backend| backend.oracle.may_use_rayon())
    }

    /// Those of the chosen back end; before there is one, of the first.
    fn marginals(
        &self,
        theta: &[f64],
        mu: &mut [f64],
        log_partitions: &mut [Result<f64, Error>],
        limits: &Limits<'_>,
    ) {
        self.current()
            .unwrap_or(&self.backends[0].oracle)
            .marginals(theta, mu, log_partitions, limits);
    }

    /// Once the trial is over, calls go to the chosen back end directly.
    fn pin(&self) -> Option<Arc<dyn Oracle>> {
        self.current()
            .map(|oracle| oracle.pin().unwrap_or_else(|| oracle.clone()))
    }
}

impl fmt::Debug for Portfolio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self
            .backends
            .iter()
            .map(|backend| backend.name.as_str())
            .collect();
        f.debug_struct("Portfolio")
            .field("backends", &names)
            .field("chosen", &self.chosen())
            .finish_non_exhaustive()
    }
}
