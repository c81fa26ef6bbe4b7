//! The oracle: who is asked, what a death costs, and who is asked again.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use imle_api::{Error, ErrorKind, Facts, Identity, Limits, Oracle, Outcome};

use super::Isolation;
use super::layout::Layout;
use super::process::Worker;
use super::quarantine::Quarantine;
use super::start::{NoWorker, worker_program};
use super::turns::Verb;
use super::wire::{LONGEST_CONFIG, Opening, VERSION};
use crate::library_file::{Stamp, stamp_of};
use crate::plugin_calls::Rows;
use crate::plugin_checks::Returned;
use crate::trust::enforced;

/// An instance of a plugin's solver that is served by processes of its own, one for each thread that calls it at
/// a time.
///
/// The library is never loaded into this process. States, outcomes, errors and marginals are those of the plugin
/// loaded here, to the bit; overhead and costs are in [`failures`](crate::failures), with what becomes of every
/// way to fail. In short: when a process crashes, exits, hangs or is killed, the rows in flight that it had not
/// answered fail with the signal, the exit code or the limit, and the next call gets a new process; see
/// [`Isolation::retries`]. The processes end with this one, however it ends. A serial group is a lock of one
/// process: here every process holds its own, so its calls no longer wait for each other.
///
/// What the solver prints, on either stream, comes out of this program's standard error.
///
/// In a process that was forked from the one that opened it, every row is an [`ErrorKind::Unsupported`]: two
/// processes cannot share a worker. Open another one there.
///
/// On Linux alone; elsewhere opening one is an [`ErrorKind::Unsupported`].
///
/// ```no_run
/// use imle_runtime::{Isolated, Isolation, solve_one};
///
/// let isolation = Isolation { time_limit: 5.0, retries: 1, ..Isolation::default() };
/// let oracle = Isolated::open("/opt/imle/libimle_k_subset.so", "k-subset", r#"{"dim": 3, "k": 1}"#, &isolation)?;
/// assert_eq!(solve_one(&oracle, &[0.5, 2.0, 1.0])?.0, [0.0, 1.0, 0.0]);
/// # Ok::<(), imle_runtime::Error>(())
/// ```
pub struct Isolated {
    opening: Opening,
    settings: Isolation,
    program: PathBuf,
    stamp: Option<Stamp>,
    /// The process that opened it.
    owner: u32,
    facts: Facts,
    identity: Identity,
    idle: Mutex<Vec<Worker>>,
    quarantine: Quarantine,
    deaths: AtomicU64,
}

impl Isolated {
    /// Opens an instance of a solver of the library, from JSON text, in a first process.
    ///
    /// # Errors
    ///
    /// As [`Plugin::load`](crate::Plugin::load) and [`Plugin::open`](crate::Plugin::open); what
    /// [`Isolation::validate`] says; [`ErrorKind::NotFound`] if the program `imle-worker` is not where it was
    /// looked for; [`ErrorKind::BackendFailed`] if the process dies of opening the solver,
    /// [`ErrorKind::LimitReached`] if that takes too long; [`ErrorKind::Unsupported`] elsewhere than on Linux.
    pub fn open(
        library: impl AsRef<Path>,
        solver: &str,
        config: &str,
        isolation: &Isolation,
    ) -> Result<Self, Error> {
        isolation
            .validate()
            .map_err(|why| why.within("isolation"))?;
        if config.len() > LONGEST_CONFIG {
            let message = format!(
                "the configuration has {} bytes, and isolation takes at most {LONGEST_CONFIG}; put what is long into a \
                 file, if the solver reads one",
                config.len()
            );
            return Err(Error::new(ErrorKind::InvalidConfig, message));
        }
        let program = worker_program(isolation)?;
        let library = library.as_ref();
        // Where it is now, whatever becomes of the working directory. Links are the worker's to follow: a lock may lie
        // on either side of them.
        let library = std::path::absolute(library).unwrap_or_else(|_| library.to_owned());
        let stamp = stamp_of(&library).ok();
        let library = library.into_os_string().into_string().map_err(|path| {
            let message = format!("the path {} is not UTF-8", path.display());
            Error::new(ErrorKind::Io, message)
        })?;
        let mut opened = Self {
            opening: Opening {
                version: VERSION.to_owned(),
                library,
                solver: solver.to_owned(),
                config: config.to_owned(),
                locks: enforced(),
            },
            quarantine: Quarantine::new(
                isolation.most_deaths,
                Duration::from_secs_f64(isolation.quarantine),
            ),
            settings: isolation.clone(),
            program,
            stamp,
            owner: std::process::id(),
            facts: Facts::binary(1), // until the first worker has spoken
            identity: Identity::unique(),
            idle: Mutex::default(),
            deaths: AtomicU64::new(0),
        };
        let worker = opened.start().map_err(|lost| lost.why)?;
        opened.facts = worker.facts;
        opened.idle().push(worker);
        Ok(opened)
    }

    /// How many processes have died so far, or had to be killed.
    #[must_use]
    pub fn deaths(&self) -> u64 {
        self.deaths.load(Ordering::Relaxed)
    }

    /// The ids of the processes that wait for a call.
    #[must_use]
    pub fn idle_processes(&self) -> Vec<u32> {
        let idle = self.idle();
        let alive = idle.iter().filter(|worker| worker.is_alive());
        alive.map(Worker::id).collect()
    }

    /// Ends a quarantine: the next call gets a process.
    pub fn release(&self) {
        self.quarantine.end();
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Worker>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn start(&self) -> Result<Worker, Lost> {
        let limit = Duration::from_secs_f64(self.settings.time_limit);
        Worker::start(&self.program, &self.opening, limit).map_err(|why| match why {
            NoWorker::Refused(why) => Lost { why, to_ask: false },
            NoWorker::Died(cause, words) => Lost {
                why: cause
                    .error(&self.opening.solver, &words)
                    .within("while it was opened"),
                to_ask: true,
            },
        })
    }

    /// A worker that waits, or a new one.
    fn take_worker(&self) -> Result<Worker, Lost> {
        let refused = |why| Lost { why, to_ask: false };
        if self.owner != std::process::id() {
            let message = "it was opened before this process was forked, by the process that it was forked from; \
                           open it anew";
            return Err(refused(Error::new(ErrorKind::Unsupported, message)));
        }
        self.quarantine
            .check(&self.opening.solver)
            .map_err(refused)?;
        loop {
            let Some(worker) = self.idle().pop() else {
                break;
            };
            if worker.is_alive() {
                return Ok(worker);
            }
            // Somebody ended it while it waited; no row was in flight.
            self.deaths.fetch_add(1, Ordering::Relaxed);
        }
        let changed = |message: &str| {
            let why = Error::new(ErrorKind::Io, message.to_owned());
            refused(why.within(format_args!("plugin {}", self.opening.library)))
        };
        if self.stamp != stamp_of(Path::new(&self.opening.library)).ok() {
            return Err(changed(
                "the file has changed since it was opened; give the new version a new path",
            ));
        }
        let worker = self.start().inspect_err(|lost| {
            if lost.to_ask {
                self.count_death(&lost.why);
            }
        })?;
        if worker.facts != self.facts {
            return Err(changed(
                "another process of the same solver states other facts about the same instance",
            ));
        }
        Ok(worker)
    }

    fn count_death(&self, why: &Error) {
        self.deaths.fetch_add(1, Ordering::Relaxed);
        self.quarantine.count_death(why);
    }

    /// Answers rows, however many.
    fn answer<T: Clone + PartialEq>(
        &self,
        asked: &Asked<'_, T>,
        theta: &[f64],
        output: &mut [f64],
        results: &mut [Result<T, Error>],
    ) {
        let dim = self.facts.dim;
        let mut all = Rows::unset(dim, theta, output, results);
        let (count, most) = (all.results.len(), Layout::most_rows(dim));
        for from in (0..count).step_by(most) {
            let mut rows = all.part(from..count.min(from + most));
            rows.answer(|rows| self.ask(asked, rows));
        }
    }

    /// Asks a worker about rows, and others about those that it lost. The error is that of the call.
    fn ask<T: Clone + PartialEq>(
        &self,
        asked: &Asked<'_, T>,
        mut rows: Rows<'_, T>,
    ) -> Result<(), Error> {
        let mut lost = match self.ask_once(asked, &mut rows) {
            Ok(called) => return called,
            Err(lost) => lost,
        };
        if !lost.to_ask || self.settings.retries == 0 {
            return Err(lost.why);
        }
        if rows.results.len() > 1 {
            self.ask_in_parts(asked, &mut rows);
            return Ok(());
        }
        for _ in 0..self.settings.retries {
            // A process that answered before it died has answered. The memory of another one, if that dies without
            // an answer, would take the place of the state.
            if rows.next_unset(0).is_none() {
                return Ok(());
            }
            lost = match self.ask_once(asked, &mut rows) {
                Ok(called) => return called,
                Err(lost) => lost,
            };
        }
        Err(lost.why)
    }

    /// Asks about the first row that was lost alone, for a solver that goes from row to row died of it, and then
    /// about the others in halves, for one that does not.
    fn ask_in_parts<T: Clone + PartialEq>(&self, asked: &Asked<'_, T>, rows: &mut Rows<'_, T>) {
        let mut from = 0;
        while let Some(run) = rows.next_unset(from) {
            from = run.end;
            let rest = run.start + 1;
            let middle = rest + (run.end - rest) / 2;
            for part in [run.start..rest, rest..middle, middle..run.end] {
                if !part.is_empty() {
                    rows.part(part).answer(|rows| self.ask(asked, rows));
                }
            }
        }
    }

    fn ask_once<T>(
        &self,
        asked: &Asked<'_, T>,
        rows: &mut Rows<'_, T>,
    ) -> Result<Result<(), Error>, Lost> {
        let mut worker = self.take_worker()?;
        let result = |returned: &Returned, row, theta: &[f64], output: &[f64]| {
            (asked.result)(returned, row, &self.facts, theta, output)
        };
        let called = worker.call(asked.verb, rows, &self.settings, asked.limits, result);
        match called {
            Ok(called) => {
                self.idle().push(worker);
                self.quarantine.end();
                Ok(called)
            }
            Err(cause) => {
                let why = cause.error(&self.opening.solver, &worker.last_words());
                let to_ask = cause.is_the_solver_s();
                if to_ask {
                    self.count_death(&why);
                } else {
                    self.deaths.fetch_add(1, Ordering::Relaxed);
                }
                Err(Lost { why, to_ask })
            }
        }
    }
}

/// Judges what the plugin wrote about a row: its number, the facts, its theta and its output.
type Judge<T> = fn(&Returned, usize, &Facts, &[f64], &[f64]) -> Result<T, Error>;

/// What is asked about rows.
struct Asked<'a, T> {
    verb: Verb,
    limits: &'a Limits<'a>,
    result: Judge<T>,
}

/// Rows without a result, because there is no process, or no longer.
struct Lost {
    why: Error,
    /// Whether asking again may help.
    to_ask: bool,
}

impl Oracle for Isolated {
    fn facts(&self) -> Facts {
        self.facts
    }

    fn may_use_rayon(&self) -> bool {
        false
    }

    fn identity(&self) -> Identity {
        self.identity
    }

    fn solve(&self, theta: &[f64], z: &mut [f64], outcomes: &mut [Outcome], limits: &Limits<'_>) {
        let asked = Asked {
            verb: Verb::Solve,
            limits,
            result: Returned::outcome,
        };
        self.answer(&asked, theta, z, outcomes);
    }

    fn marginals(
        &self,
        theta: &[f64],
        mu: &mut [f64],
        log_partitions: &mut [Result<f64, Error>],
        limits: &Limits<'_>,
    ) {
        let asked = Asked {
            verb: Verb::Marginals,
            limits,
            result: |returned, row, facts, _, mu| returned.log_partition(row, facts, mu),
        };
        self.answer(&asked, theta, mu, log_partitions);
    }
}

impl Drop for Isolated {
    /// Lets the instances be destroyed; those that take longer than the grace are not waited for.
    fn drop(&mut self) {
        if self.owner != std::process::id() {
            return; // they serve the process that this one was forked from
        }
        let idle = self.idle.get_mut().unwrap_or_else(PoisonError::into_inner);
        idle.iter_mut().for_each(Worker::ask_to_end);
        for worker in idle {
            worker.wait_for_end(Duration::from_secs_f64(self.settings.grace));
        }
    }
}

impl fmt::Debug for Isolated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Isolated")
            .field("library", &self.opening.library)
            .field("solver", &self.opening.solver)
            .field("identity", &self.identity)
            .finish_non_exhaustive()
    }
}
