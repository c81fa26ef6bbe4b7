//! Work to threads: by small parts, with the calling thread among them.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use imle_api::{Error, ErrorKind};
use rayon::{Scope, ThreadPool, ThreadPoolBuilder};

/// Rows that a thread takes at a time: enough to make that cheap, few enough that a slow row does not keep
/// the others waiting.
pub(crate) const MOST_ROWS_A_UNIT: usize = 64;

/// What one thread does in less is not worth another one, which takes 20 to 100 us to wake.
const WAKING: Duration = Duration::from_micros(100);

/// A pass over fewer numbers takes less than that.
const NUMBERS_FOR_THREADS: usize = 131_072;

/// The threads of a layer. No result depends on who does what.
#[derive(Debug)]
pub(crate) struct Threads {
    threads: usize,
    pool: Option<ThreadPool>,
    /// What a solve of the last call took one thread, in nanoseconds: calls of a layer are much alike.
    solve_took: AtomicU64,
}

impl Threads {
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

    /// How many rows of `width` numbers one thread takes at a time for a pass over them: all, where waking
    /// another thread takes longer than that.
    pub(crate) fn rows_a_pass(&self, count: usize, width: usize) -> usize {
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

    /// Works on one item at a time, with memory that is used again: one for each thread at work.
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
        if solves == 0 {
            return; // and nothing is learnt from it
        }
        let a_solve = self.solve_took.load(Ordering::Relaxed);
        let is_short = u128::from(a_solve) * solves as u128 <= WAKING.as_nanos();
        let start = Instant::now();
        let threads = match self.share_out(is_short, items, work) {
            true => self.workers(),
            false => 1,
        };
        let took = start.elapsed().as_nanos() * threads as u128 / solves as u128;
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
}

/// Runs `work` on this thread, and what it spawns on those of the pool or, without one, of the process.
fn in_place_scope<'s>(pool: Option<&ThreadPool>, work: impl FnOnce(&Scope<'s>)) {
    match pool {
        Some(pool) => pool.in_place_scope(work),
        None => rayon::in_place_scope(work),
    }
}
