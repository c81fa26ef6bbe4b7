//! Rows to threads. The oracle is told nothing, and no result depends on who solved it.

use imle_api::{Error, ErrorKind, Limits, Oracle, Outcome, Solved, first_not_finite, unset};

use crate::buffers::{Buffer, Buffers};
use crate::numbers::largest_size;
use crate::states::States;
use crate::threads::{MOST_ROWS_A_UNIT, Threads};

/// Numbers of theta that go to an oracle in one call: they and their states stay in the nearest cache.
const NUMBERS_A_CALL: usize = 2048;

/// Hands rows to threads, and memory to calls.
#[derive(Debug)]
pub(crate) struct Batch {
    pub(crate) threads: Threads,
    numbers: Buffers<f64>,
    outcomes: Buffers<Outcome>,
}

impl Batch {
    /// `threads = 0` uses all cores.
    pub(crate) fn new(threads: usize) -> Result<Self, Error> {
        Ok(Self {
            threads: Threads::new(threads)?,
            numbers: Buffers::default(),
            outcomes: Buffers::default(),
        })
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
        let rows = self.threads.rows_a_unit(count);
        let parts = solved.z.chunks_mut(rows * dim);
        let parts = parts.zip(solved.outcomes.chunks_mut(rows));
        let mut units: Vec<_> = parts.zip(solved.reach.chunks_mut(rows)).collect();
        let rows_a_call = rows_a_call(dim, limits);
        self.threads.for_each_of_solves(
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
        let rows = self.threads.rows_a_pass(count, width);
        let mut units: Vec<_> = values.chunks_mut(rows).collect();
        self.threads
            .for_each_with(&mut units, |memory, index, values| {
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
        let rows = self.threads.rows_a_pass(notes.len(), dim);
        let parts = numbers.chunks_mut(rows * dim).zip(notes.chunks_mut(rows));
        let mut units: Vec<_> = parts.collect();
        self.threads
            .for_each_with(&mut units, |(): &mut (), index, (numbers, notes)| {
                let parts = numbers.chunks_exact_mut(dim).zip(notes.iter_mut());
                for (offset, (numbers, note)) in parts.enumerate() {
                    work(index * rows + offset, numbers, note);
                }
            });
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
        self.threads.for_each(&mut rows, |index, (z, outcome)| {
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
        let rows = self.threads.rows_a_pass(numbers.len() / width, width);
        let parts = numbers.chunks(rows * width);
        let mut units: Vec<_> = parts.map(|numbers| (numbers, Vec::new())).collect();
        self.threads
            .for_each_with(&mut units, |(): &mut (), index, (numbers, found)| {
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
        let rows = self.threads.rows_a_pass(numbers.len() / width, width);
        let parts = copy.chunks_mut(rows * width);
        let mut units: Vec<_> = parts
            .zip(numbers.chunks(rows * width))
            .map(|parts| (parts, true))
            .collect();
        self.threads
            .for_each_with(&mut units, |(): &mut (), _, ((copy, numbers), accepted)| {
                copy.copy_from_slice(numbers);
                *accepted = copy.chunks_mut(width).all(&change);
            });
        let accepted = units.iter().all(|(_, accepted)| *accepted);
        drop(units);
        accepted.then_some(copy)
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
