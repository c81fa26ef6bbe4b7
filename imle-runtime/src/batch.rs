//! Rows to threads. The oracle is told nothing, and no result depends on who solved it.

use std::sync::Arc;

use imle_api::{Error, ErrorKind, Limits, Oracle, Outcome, unset};
use rayon::iter::{IndexedParallelIterator, IntoParallelRefMutIterator, ParallelIterator};
use rayon::slice::ParallelSliceMut;
use rayon::{ThreadPool, ThreadPoolBuilder};

use crate::pool::PooledRow;

/// Rows that go to an oracle in one call: enough to make the call cheap, few enough that a slow row
/// does not keep the others waiting.
const MOST_ROWS_A_CALL: usize = 64;

/// Hands rows to threads.
#[derive(Debug)]
pub(crate) struct Batch {
    threads: usize,
    pool: Option<ThreadPool>,
}

impl Batch {
    /// `threads = 0` uses all cores.
    pub(crate) fn new(threads: usize) -> Result<Self, Error> {
        let pool = match threads {
            0 | 1 => None,
            _ => Some(
                ThreadPoolBuilder::new()
                    .num_threads(threads)
                    .build()
                    .map_err(|why| {
                        let message = format!("cannot start {threads} threads: {why}");
                        Error::new(ErrorKind::Io, message)
                    })?,
            ),
        };
        Ok(Self { threads, pool })
    }

    fn workers(&self) -> usize {
        match self.threads {
            0 => rayon::current_num_threads(),
            threads => threads,
        }
    }

    /// Solves `outcomes.len()` rows: `prepare` writes the theta of a row, `oracle_of` names who solves it.
    ///
    /// A row that cannot be prepared, or whose theta is not finite, fails alone. `z` of a failed row is
    /// NaN, so that nobody takes it for a state.
    pub(crate) fn solve<'a>(
        &self,
        dim: usize,
        oracle_of: impl Fn(usize) -> &'a (dyn Oracle) + Sync,
        prepare: impl Fn(usize, &mut [f64]) -> Result<(), Error> + Sync,
        limits: &Limits<'_>,
        z: &mut [f64],
        outcomes: &mut [Outcome],
    ) {
        let rows = rows_a_call(outcomes.len(), self.workers(), limits);
        let chunks = z
            .par_chunks_mut(rows * dim)
            .zip(outcomes.par_chunks_mut(rows));
        let solve_chunk =
            |theta: &mut Vec<f64>, index: usize, z: &mut [f64], outcomes: &mut [Outcome]| {
                let chunk = Chunk {
                    first: index * rows,
                    dim,
                    oracle_of: &oracle_of,
                    limits,
                };
                chunk.solve(&prepare, theta, z, outcomes);
            };
        if self.workers() == 1 {
            let mut theta = Vec::new();
            let chunks = z
                .chunks_mut(rows * dim)
                .zip(outcomes.chunks_mut(rows))
                .enumerate();
            chunks.for_each(|(index, (z, outcomes))| solve_chunk(&mut theta, index, z, outcomes));
            return;
        }
        let run = || {
            chunks
                .enumerate()
                .for_each_init(Vec::new, |theta, (index, (z, outcomes))| {
                    solve_chunk(theta, index, z, outcomes);
                });
        };
        match &self.pool {
            Some(pool) => pool.install(run),
            None => run(),
        }
    }

    /// Works on each item by itself; which thread does so decides nothing.
    pub(crate) fn for_each<T: Send>(&self, items: &mut [T], work: impl Fn(usize, &mut T) + Sync) {
        if self.workers() == 1 {
            let items = items.iter_mut().enumerate();
            return items.for_each(|(at, item)| work(at, item));
        }
        let mut run = || {
            let items = items.par_iter_mut().enumerate();
            items.for_each(|(at, item)| work(at, item));
        };
        match &self.pool {
            Some(pool) => pool.install(run),
            None => run(),
        }
    }

    /// Writes rows that need no oracle. A row that fails, or is not finite, fails alone and is NaN.
    pub(crate) fn each(
        &self,
        dim: usize,
        rows: &mut [f64],
        outcomes: &mut [Outcome],
        write: impl Fn(usize, &mut [f64]) -> Outcome + Sync,
    ) {
        let mut rows: Vec<_> = rows.chunks_exact_mut(dim).zip(outcomes).collect();
        self.for_each(&mut rows, |index, (row, outcome)| {
            let written = write(index, row);
            **outcome = written.and_then(|solved| check_computed(row).map(|()| solved));
            if outcome.is_err() {
                row.fill(f64::NAN);
            }
        });
    }
}

/// How many of so many rows go to an oracle in one call.
pub(crate) fn rows_a_call(rows: usize, workers: usize, limits: &Limits<'_>) -> usize {
    if limits.are_set() {
        return 1; // a limit is looked at between calls, for solvers that do not look themselves
    }
    rows.div_ceil(8 * workers).clamp(1, MOST_ROWS_A_CALL)
}

/// Consecutive rows that one thread takes at a time.
struct Chunk<'a, 'o, O: Fn(usize) -> &'o dyn Oracle> {
    first: usize,
    dim: usize,
    oracle_of: &'a O,
    limits: &'a Limits<'a>,
}

impl<'o, O: Fn(usize) -> &'o dyn Oracle> Chunk<'_, 'o, O> {
    fn solve(
        &self,
        prepare: &impl Fn(usize, &mut [f64]) -> Result<(), Error>,
        theta: &mut Vec<f64>,
        z: &mut [f64],
        outcomes: &mut [Outcome],
    ) {
        let dim = self.dim;
        theta.clear();
        theta.resize(z.len(), 0.0);
        let mut ready = vec![false; outcomes.len()];
        for (row, outcome) in outcomes.iter_mut().enumerate() {
            let theta = &mut theta[row * dim..][..dim];
            let prepared = prepare(self.first + row, theta).and_then(|()| check_finite(theta));
            ready[row] = prepared.is_ok();
            *outcome = prepared.and(unset());
        }
        let mut row = 0;
        while row < outcomes.len() {
            let end = self.end_of_run(row, &ready);
            if ready[row] {
                let (values, rows) = (row * dim..end * dim, row..end);
                self.call(
                    row,
                    &theta[values.clone()],
                    &mut z[values],
                    &mut outcomes[rows],
                );
            }
            row = end;
        }
        for (z, outcome) in z.chunks_exact_mut(dim).zip(outcomes) {
            if outcome.is_err() {
                z.fill(f64::NAN);
            }
        }
    }

    /// Rows go to an oracle together while they are ready and share it.
    fn end_of_run(&self, start: usize, ready: &[bool]) -> usize {
        let identity = |row: usize| (self.oracle_of)(self.first + row).identity();
        let same = |&row: &usize| ready[row] == ready[start] && identity(row) == identity(start);
        (start + 1..ready.len())
            .find(|row| !same(row))
            .unwrap_or(ready.len())
    }

    fn call(&self, row: usize, theta: &[f64], z: &mut [f64], outcomes: &mut [Outcome]) {
        match self.limits.check() {
            Ok(()) => (self.oracle_of)(self.first + row).solve(theta, z, outcomes, self.limits),
            Err(why) => outcomes.fill(Err(why)),
        }
    }
}

/// Theta and noise are finite by themselves; their sum or a scaled gradient may not be. Whoever reports the
/// row knows its number.
fn check_finite(theta: &[f64]) -> Result<(), Error> {
    let Some(column) = theta.iter().position(|value| !value.is_finite()) else {
        return Ok(());
    };
    let value = theta[column];
    let message = format!("after perturbation, theta is {value} at column {column}");
    Err(Error::new(ErrorKind::InvalidTheta, message))
}

/// Numbers that were computed from finite ones may have overflowed.
fn check_computed(row: &[f64]) -> Result<(), Error> {
    let Some(column) = row.iter().position(|value| !value.is_finite()) else {
        return Ok(());
    };
    let value = row[column];
    let message = format!("what was computed is {value} at column {column}");
    Err(Error::new(ErrorKind::InvalidInput, message))
}

/// Who solves the rows of a call: one oracle for all, or one for each.
#[derive(Clone)]
pub(crate) enum Oracles {
    Shared(Arc<dyn Oracle>),
    Each(Arc<[Arc<dyn Oracle>]>),
    /// A pool decided, for one call.
    Pooled(Arc<[PooledRow]>),
}

impl Oracles {
    pub(crate) fn of(&self, row: usize) -> &dyn Oracle {
        match self {
            Self::Shared(oracle) => &**oracle,
            Self::Each(oracles) => &*oracles[row],
            Self::Pooled(rows) => &*rows[row].oracle,
        }
    }

    pub(crate) fn shared(&self, row: usize) -> Arc<dyn Oracle> {
        match self {
            Self::Shared(oracle) => oracle.clone(),
            Self::Each(oracles) => oracles[row].clone(),
            Self::Pooled(rows) => rows[row].oracle.clone(),
        }
    }

    /// What a pool says of a row, if there is one.
    pub(crate) fn pooled(&self, row: usize) -> Option<&PooledRow> {
        match self {
            Self::Pooled(rows) => Some(&rows[row]),
            _ => None,
        }
    }

    /// The instances that a call starting now uses throughout.
    pub(crate) fn pinned(&self) -> Self {
        let pin = |oracle: &Arc<dyn Oracle>| oracle.pin().unwrap_or_else(|| oracle.clone());
        match self {
            Self::Shared(oracle) => Self::Shared(pin(oracle)),
            Self::Each(oracles) => Self::Each(oracles.iter().map(pin).collect()),
            Self::Pooled(_) => self.clone(),
        }
    }
}

impl std::fmt::Debug for Oracles {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Shared(oracle) => write!(f, "Shared({:?})", oracle.identity()),
            Self::Each(oracles) => write!(f, "Each({} oracles)", oracles.len()),
            Self::Pooled(rows) => write!(f, "Pooled({} rows)", rows.len()),
        }
    }
}
