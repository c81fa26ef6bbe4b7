//! Rows to threads. The oracle is told nothing, and no result depends on who solved it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use imle_api::{Error, ErrorKind, Limits, Oracle, Outcome, Solved, first_not_finite, unset};
use rayon::{Scope, ThreadPool, ThreadPoolBuilder};

use crate::buffers::{Buffer, Buffers};
use crate::numbers::largest_size;
use crate::pool::PooledRow;
use crate::states::States;

/// Rows that a thread takes at a time: enough to make that cheap, few enough that a slow row does not keep
/// the others waiting.
const MOST_ROWS_A_UNIT: usize = 64;

/// What one thread does in less is not worth another one, which takes 20 to 100 us to wake.
const WAKING: Duration = Duration::from_micros(100);

/// A pass over fewer numbers takes less than that.
const NUMBERS_FOR_THREADS: usize = 131_072;

/// Numbers of theta that go to an oracle in one call: they and their states stay in the nearest cache.
const NUMBERS_A_CALL: usize = 2048;

/// Hands rows to threads, and memory to calls.
#[derive(Debug)]
pub(crate) struct Batch {
    threads: usize,
    pool: Option<ThreadPool>,
    /// What a solve of the last call took one thread, in nanoseconds: calls of a layer are much alike. No result depends
    /// on it.
    solve_took: AtomicU64,
    numbers: Buffers<f64>,
    outcomes: Buffers<Outcome>,
}

impl Batch {
    /// `threads = 0` uses all cores.
    pub(crate) fn new(threads: usize) -> Result<Self, Error> {
        let pool = match threads {
            0 | 1 => None,
            _ => Some(
                ThreadPoolBuilder::new()
                    .num_threads(threads - 1) // and the one that calls
                    .build()
                    .map_err(|why| {
                        let message = format!("cannot start {threads} threads: {why}");
                        Error::new(ErrorKind::Io, message)
                    })?,
            ),
        };
        Ok(Self {
            threads,
            pool,
            solve_took: AtomicU64::new(u64::MAX), // nothing is known
            numbers: Buffers::default(),
            outcomes: Buffers::default(),
        })
    }

    pub(crate) fn workers(&self) -> usize {
        match self.threads {
            0 => rayon::current_num_threads(),
            threads => threads,
        }
    }

    /// How many of so many rows one thread takes at a time.
    pub(crate) fn rows_a_unit(&self, rows: usize) -> usize {
        rows.div_ceil(16 * self.workers())
            .clamp(1, MOST_ROWS_A_UNIT)
    }

    /// Solves `count` rows: `prepare` writes the theta of a row, `oracle_of` names who solves it.
    ///
    /// A row that cannot be prepared, or whose theta is not finite, fails alone. `z` of a failed row is
    /// NaN, so that nobody takes it for a state.
    pub(crate) fn solve<'a>(
        &self,
        count: usize,
        dim: usize,
        oracle_of: impl Fn(usize) -> &'a (dyn Oracle) + Sync,
        prepare: impl Fn(usize, &mut [f64]) -> Result<(), Error> + Sync,
        limits: &Limits<'_>,
    ) -> States {
        let mut solved = self.room(count, dim);
        let rows = self.rows_a_unit(count);
        let parts = solved.z.chunks_mut(rows * dim);
        let parts = parts.zip(solved.outcomes.chunks_mut(rows));
        let mut units: Vec<_> = parts.zip(solved.reach.chunks_mut(rows)).collect();
        let rows_a_call = rows_a_call(dim, limits);
        self.for_each_of_solves(
            count,
            &mut units,
            |scratch: &mut Scratch, index, ((z, outcomes), reach)| {
                let calls = z.chunks_mut(rows_a_call * dim);
                let calls = calls.zip(outcomes.chunks_mut(rows_a_call));
                let calls = calls.zip(reach.chunks_mut(rows_a_call));
                for (call, ((z, outcomes), reach)) in calls.enumerate() {
                    let first = index * rows + call * rows_a_call;
                    let oracle_of = |row| oracle_of(first + row);
                    let prepare = |row, theta: &mut [f64]| prepare(first + row, theta);
                    scratch.solve(oracle_of, prepare, limits, z, outcomes, reach);
                }
            },
        );
        solved
    }

    /// Room for states of one sample a row: whoever asks for it writes every row.
    fn room(&self, rows: usize, dim: usize) -> States {
        States {
            dim,
            samples: 1,
            z: self.numbers.take(rows * dim, 0.0),
            outcomes: self.outcomes.take(rows, unset()),
            reach: self.numbers.take(rows, 0.0),
        }
    }

    /// Finds a value for each of `count` rows of `width` numbers, with memory that is used again.
    pub(crate) fn map<T: Send + Clone + Default, M: Default + Send>(
        &self,
        count: usize,
        width: usize,
        of: impl Fn(&mut M, usize) -> T + Sync,
    ) -> Vec<T> {
        let mut values = vec![T::default(); count];
        let rows = self.rows_a_pass(count, width);
        let mut units: Vec<_> = values.chunks_mut(rows).collect();
        self.for_each_with(&mut units, |memory, index, values| {
            for (offset, value) in values.iter_mut().enumerate() {
                *value = of(memory, index * rows + offset);
            }
        });
        values
    }

    /// Works on each row of numbers, `[rows, dim]`, and what is noted of it.
    pub(crate) fn for_each_row<T: Send>(
        &self,
        dim: usize,
        numbers: &mut [f64],
        notes: &mut [T],
        work: impl Fn(usize, &mut [f64], &mut T) + Sync,
    ) {
        let rows = self.rows_a_pass(notes.len(), dim);
        let parts = numbers.chunks_mut(rows * dim).zip(notes.chunks_mut(rows));
        let mut units: Vec<_> = parts.collect();
        self.for_each_with(&mut units, |(): &mut (), index, (numbers, notes)| {
            let parts = numbers.chunks_exact_mut(dim).zip(notes.iter_mut());
            for (offset, (numbers, note)) in parts.enumerate() {
                work(index * rows + offset, numbers, note);
            }
        });
    }

    /// How many rows of `width` numbers one thread takes at a time for a pass over them: all, where waking
    /// another thread takes longer than that.
    fn rows_a_pass(&self, count: usize, width: usize) -> usize {
        match count * width < NUMBERS_FOR_THREADS {
            true => count.max(1),
            false => self.rows_a_unit(count),
        }
    }

    /// Works on each item by itself; which thread does so decides nothing.
    pub(crate) fn for_each<T: Send>(&self, items: &mut [T], work: impl Fn(usize, &mut T) + Sync) {
        let together = self.rows_a_unit(items.len());
        let mut units: Vec<_> = items.chunks_mut(together).collect();
        self.for_each_with(&mut units, |(): &mut (), index, items| {
            let items = items.iter_mut().enumerate();
            items.for_each(|(offset, item)| work(index * together + offset, item));
        });
    }

    /// Likewise, one item at a time, with memory that is used again: one for each thread at work.
    pub(crate) fn for_each_with<T: Send, M: Default + Send>(
        &self,
        items: &mut [T],
        work: impl Fn(&mut M, usize, &mut T) + Sync,
    ) {
        self.share_out(false, items, work);
    }

    /// Likewise, for items that are so many solves together, which the last ones tell the time of.
    pub(crate) fn for_each_of_solves<T: Send, M: Default + Send>(
        &self,
        solves: usize,
        items: &mut [T],
        work: impl Fn(&mut M, usize, &mut T) + Sync,
    ) {
        let a_solve = self.solve_took.load(Ordering::Relaxed);
        let is_short = u128::from(a_solve) * solves as u128 <= WAKING.as_nanos();
        let start = Instant::now();
        let threads = match self.share_out(is_short, items, work) {
            true => self.workers(),
            false => 1,
        };
        let took = start.elapsed().as_nanos() * threads as u128 / solves.max(1) as u128;
        self.solve_took.store(took as u64, Ordering::Relaxed);
    }

    /// Likewise. What is thought to be short this thread begins alone, and wakes the others if it was not. Returns
    /// whether it did.
    fn share_out<T: Send, M: Default + Send>(
        &self,
        is_short: bool,
        items: &mut [T],
        work: impl Fn(&mut M, usize, &mut T) + Sync,
    ) -> bool {
        if self.workers() == 1 || items.len() <= 1 {
            let (mut memory, items) = (M::default(), items.iter_mut().enumerate());
            items.for_each(|(at, item)| work(&mut memory, at, item));
            return false;
        }
        let helpers = (items.len() - 1).min(self.workers() - 1);
        // One by one, or the items behind a slow one would wait for it.
        let items = Mutex::new(items.iter_mut().enumerate());
        let next = || items.lock().unwrap_or_else(PoisonError::into_inner).next();
        let (start, mut memory) = (Instant::now(), M::default());
        while is_short && start.elapsed() < WAKING {
            match next() {
                Some((at, item)) => work(&mut memory, at, item),
                None => return false,
            }
        }
        // A thread that waits inside an oracle may come here a second time, so the memory is not the thread's.
        let work_off = || {
            let mut memory = M::default();
            while let Some((at, item)) = next() {
                work(&mut memory, at, item);
            }
        };
        // The calling thread works, too: it is awake, and waking another one takes a while.
        in_place_scope(self.pool.as_ref(), |scope| {
            (0..helpers).for_each(|_| scope.spawn(|_| work_off()));
            work_off();
        });
        true
    }

    /// Makes states that need no oracle: `write` writes each, which is zero before. One that fails, or is not finite,
    /// fails alone and is NaN.
    pub(crate) fn compute(
        &self,
        count: usize,
        dim: usize,
        write: impl Fn(usize, &mut [f64]) -> Outcome + Sync,
    ) -> States {
        let mut states = self.room(count, dim);
        states.reach.fill(0.0);
        let rows = states.z.chunks_exact_mut(dim);
        let mut rows: Vec<_> = rows.zip(states.outcomes.iter_mut()).collect();
        self.for_each(&mut rows, |index, (z, outcome)| {
            z.fill(0.0);
            let written = write(index, z);
            **outcome = written.and_then(|solved| check_computed(z).map(|()| solved));
            if outcome.is_err() {
                z.fill(f64::NAN);
            }
        });
        states
    }

    /// The rows of numbers, `[rows, width]`, that hold one which is not finite, each with the column of the first; only
    /// rows that count are looked at.
    pub(crate) fn not_finite(
        &self,
        numbers: &[f64],
        width: usize,
        counts: impl Fn(usize) -> bool + Sync,
    ) -> Vec<(usize, usize)> {
        let rows = self.rows_a_pass(numbers.len() / width, width);
        let parts = numbers.chunks(rows * width);
        let mut units: Vec<_> = parts.map(|numbers| (numbers, Vec::new())).collect();
        self.for_each_with(&mut units, |(): &mut (), index, (numbers, found)| {
            if first_not_finite(numbers).is_none() {
                return; // as most: one pass for all rows
            }
            for (row, numbers) in (index * rows..).zip(numbers.chunks_exact(width)) {
                let column = first_not_finite(numbers).filter(|_| counts(row));
                found.extend(column.map(|column| (row, column)));
            }
        });
        units.into_iter().flat_map(|(_, found)| found).collect()
    }

    /// A copy of numbers, `[rows, width]`, that `change` sees row by row and may change; none if it refuses one.
    pub(crate) fn copy(
        &self,
        numbers: &[f64],
        width: usize,
        change: impl Fn(&mut [f64]) -> bool + Sync,
    ) -> Option<Buffer<f64>> {
        let mut copy = self.numbers.take(numbers.len(), 0.0);
        let rows = self.rows_a_pass(numbers.len() / width, width);
        let parts = copy.chunks_mut(rows * width);
        let mut units: Vec<_> = parts
            .zip(numbers.chunks(rows * width))
            .map(|parts| (parts, true))
            .collect();
        self.for_each_with(&mut units, |(): &mut (), _, ((copy, numbers), accepted)| {
            copy.copy_from_slice(numbers);
            *accepted = copy.chunks_mut(width).all(&change);
        });
        let accepted = units.iter().all(|(_, accepted)| *accepted);
        drop(units);
        accepted.then_some(copy)
    }
}

/// Runs `work` on this thread, and what it spawns on those of the pool or, without one, of the process.
fn in_place_scope<'s>(pool: Option<&ThreadPool>, work: impl FnOnce(&Scope<'s>)) {
    match pool {
        Some(pool) => pool.in_place_scope(work),
        None => rayon::in_place_scope(work),
    }
}

/// How many rows of so many numbers go to an oracle in one call.
pub(crate) fn rows_a_call(width: usize, limits: &Limits<'_>) -> usize {
    if limits.are_set() {
        return 1; // a limit is looked at between calls, for solvers that do not look themselves
    }
    (NUMBERS_A_CALL / width).clamp(1, MOST_ROWS_A_UNIT)
}

/// Memory for the rows of a call, which a thread uses again from call to call.
#[derive(Default)]
struct Scratch {
    theta: Vec<f64>,
    ready: Vec<bool>,
}

impl Scratch {
    /// Solves with one call, if the rows share an oracle.
    fn solve<'o>(
        &mut self,
        oracle_of: impl Fn(usize) -> &'o dyn Oracle,
        prepare: impl Fn(usize, &mut [f64]) -> Result<(), Error>,
        limits: &Limits<'_>,
        z: &mut [f64],
        outcomes: &mut [Outcome],
        reaches: &mut [f64],
    ) {
        let dim = z.len() / outcomes.len();
        z.fill(0.0); // nobody shall take what is left of an earlier call for a state
        outcomes.fill(unset());
        self.theta.resize(z.len(), 0.0);
        self.ready.clear();
        let thetas = self.theta.chunks_exact_mut(dim);
        for (row, (theta, outcome)) in thetas.zip(&mut *outcomes).enumerate() {
            let prepared = prepare(row, theta).and_then(|()| check_finite(theta));
            self.ready.push(prepared.is_ok());
            if let Err(why) = prepared {
                *outcome = Err(why);
            }
        }
        solve_ready(oracle_of, &self.ready, limits, &self.theta, z, outcomes);
        let rows = self.theta.chunks_exact(dim).zip(z.chunks_exact_mut(dim));
        for ((theta, z), (outcome, place)) in rows.zip(outcomes.iter().zip(reaches)) {
            *place = reach(outcome, theta);
            if outcome.is_err() {
                z.fill(f64::NAN);
            }
        }
    }
}

/// Solves the rows that are ready, those that share an oracle in one call. The others keep their outcome.
pub(crate) fn solve_ready<'o>(
    oracle_of: impl Fn(usize) -> &'o dyn Oracle,
    ready: &[bool],
    limits: &Limits<'_>,
    theta: &[f64],
    z: &mut [f64],
    outcomes: &mut [Outcome],
) {
    let mut row = 0;
    while row < ready.len() {
        let oracle = oracle_of(row);
        let belongs = |&next: &usize| ready[next] == ready[row] && same(oracle, oracle_of(next));
        let mut rest = row + 1..ready.len();
        let end = rest.find(|next| !belongs(next)).unwrap_or(ready.len());
        if ready[row] {
            let dim = theta.len() / ready.len();
            let (values, rows) = (row * dim..end * dim, row..end);
            match limits.check() {
                Ok(()) => oracle.solve(
                    &theta[values.clone()],
                    &mut z[values],
                    &mut outcomes[rows],
                    limits,
                ),
                Err(why) => outcomes[rows].fill(Err(why)),
            }
        }
        row = end;
    }
}

fn same(a: &dyn Oracle, b: &dyn Oracle) -> bool {
    std::ptr::addr_eq(a, b) || a.identity() == b.identity()
}

/// How far every coordinate of theta can move before the state that was found may be another one, if the noise
/// stays: `theta` has it in. Zero if nothing is known.
pub(crate) fn reach(outcome: &Outcome, theta: &[f64]) -> f64 {
    // Sums this large might overflow after the step.
    const LARGE: f64 = f64::MAX / 4.0;
    let Ok(Solved { proof, .. }) = outcome else {
        return 0.0;
    };
    if proof.radius == 0.0 {
        return 0.0;
    }
    let largest = largest_size(theta);
    if largest > LARGE {
        return 0.0;
    }
    // The sums of theta and noise on both sides are rounded, and so is the step: by half an EPSILON of each.
    let slack = 4.0 * f64::EPSILON;
    (proof.radius.min(LARGE) * (1.0 - slack) - largest * slack).max(0.0)
}

/// Theta and noise are finite by themselves; their sum or a scaled gradient may not be. Whoever reports the
/// row knows its number.
pub(crate) fn check_finite(theta: &[f64]) -> Result<(), Error> {
    let Some(column) = first_not_finite(theta) else {
        return Ok(());
    };
    let value = theta[column];
    let message = format!("after perturbation, theta is {value} at column {column}");
    Err(Error::new(ErrorKind::InvalidTheta, message))
}

/// Numbers that were computed from finite ones may have overflowed.
fn check_computed(row: &[f64]) -> Result<(), Error> {
    let Some(column) = first_not_finite(row) else {
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
