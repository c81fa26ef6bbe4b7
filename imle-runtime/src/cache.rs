//! An exact memory of what was solved.
//!
//! The key is the identity of the instance and the bits of the theta row, so a hit is the state that the
//! solver itself would return, by the law of the oracle. Errors are not kept.

#[cfg(test)]
mod models;

use std::borrow::Borrow;
use std::collections::VecDeque;
use std::hash::{Hash, Hasher};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError};

use imle_api::{Error, Facts, Identity, Limits, Oracle, Outcome, Solved, unset};

use crate::sync::{AtomicBool, DashMap, Mutex, OnceLock};

/// Bytes that an entry costs beside its key and its state: two maps' worth of pointers, counters and
/// headers, rounded up.
const ENTRY_OVERHEAD: usize = 256;

/// Remembers states, up to a number of bytes. A cheap handle: clones share the memory.
///
/// Threads that ask for the same row at the same time solve it once: the others wait, whatever the limits of
/// their own call. The exception is a worker of rayon over an oracle that may itself use rayon (a closure,
/// a linked solver): waiting there could be for ever, so it solves the row again; and where a solve fails, all who waited
/// for it solve the row themselves. When the bytes are used up, entries
/// that were not asked for since the last look are dropped, oldest first (the clock algorithm).
///
/// ```
/// use imle_runtime::{Cache, Facts, FnOracle, solve_one};
/// use std::sync::Arc;
///
/// let sign = FnOracle::new(Facts::binary(1), |theta, z| {
///     z[0] = f64::from(theta[0] > 0.0);
///     Ok(())
/// });
/// let cache = Cache::new(1 << 20);
/// let oracle = cache.wrap(Arc::new(sign));
/// solve_one(&*oracle, &[2.0])?;
/// solve_one(&*oracle, &[2.0])?;
/// assert_eq!((cache.statistics().hits, cache.statistics().misses), (1, 1));
/// # Ok::<(), imle_runtime::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Cache(Arc<Memory>);

#[derive(Debug)]
struct Memory {
    most_bytes: usize,
    entries: DashMap<Arc<Key>, Arc<Entry>, foldhash::fast::RandomState>,
    clock: Mutex<VecDeque<Arc<Key>>>,
    bytes: AtomicUsize,
    hits: AtomicU64,
    misses: AtomicU64,
    evictions: AtomicU64,
}

/// What a [`Cache`] did so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CacheStatistics {
    /// Rows answered from memory, or by a solve that another thread had under way.
    pub hits: u64,
    /// Rows that were solved.
    pub misses: u64,
    /// Entries dropped to stay within the bytes.
    pub evictions: u64,
    /// Entries held now.
    pub entries: usize,
    /// Bytes held now, as the cache counts them.
    pub bytes: usize,
}

impl Cache {
    /// Makes an empty cache that holds at most `most_bytes`.
    #[must_use]
    pub fn new(most_bytes: usize) -> Self {
        Self(Arc::new(Memory {
            most_bytes,
            entries: DashMap::default(),
            clock: Mutex::default(),
            bytes: AtomicUsize::new(0),
            hits: AtomicU64::new(0),
            misses: AtomicU64::new(0),
            evictions: AtomicU64::new(0),
        }))
    }

    /// Puts this cache in front of an oracle. Any number of oracles can share one cache. One that is wrapped already is
    /// not to be wrapped in the same cache again: a row would wait for itself.
    #[must_use]
    pub fn wrap(&self, oracle: Arc<dyn Oracle>) -> Arc<dyn Oracle> {
        Arc::new(Cached {
            cache: self.clone(),
            oracle,
        })
    }

    /// Returns what the cache did so far.
    #[must_use]
    pub fn statistics(&self) -> CacheStatistics {
        let memory = &*self.0;
        CacheStatistics {
            hits: memory.hits.load(Ordering::Relaxed),
            misses: memory.misses.load(Ordering::Relaxed),
            evictions: memory.evictions.load(Ordering::Relaxed),
            entries: memory.entries.len(),
            bytes: memory.bytes.load(Ordering::Relaxed),
        }
    }
}

impl Memory {
    /// Answers a row from memory, if it was solved.
    fn look_up(&self, asked: &Asked<'_>, z: &mut [f64]) -> Option<Solved> {
        let entry = self.entries.get(asked as &dyn AsKey)?;
        let (solved, state) = entry.answer.get()?.as_ref()?;
        entry.ask();
        z.copy_from_slice(state);
        Some(*solved)
    }

    /// Answers a row through `solve`, which runs once for all who ask meanwhile.
    fn solve_through(
        &self,
        asked: &Asked<'_>,
        z: &mut [f64],
        may_wait: bool,
        solve: impl Fn(&mut [f64]) -> Outcome,
    ) -> Outcome {
        let key = Arc::new(Key::of(asked));
        // Ends the borrow of the map before anybody waits.
        let entry = self.entries.entry(key.clone()).or_default().clone();
        if !entry.taken.swap(true, Ordering::AcqRel) {
            let taken = Taken {
                memory: self,
                key,
                entry,
            };
            return taken.solve(z, solve);
        }
        let answer = match may_wait {
            true => Some(entry.answer.wait()),
            false => entry.answer.get(),
        };
        match answer {
            Some(Some((solved, state))) => {
                self.hits.fetch_add(1, Ordering::Relaxed);
                entry.ask();
                z.copy_from_slice(state);
                Ok(*solved)
            }
            // Whoever took it is not done or failed, perhaps at a limit that is not ours.
            _ => {
                self.misses.fetch_add(1, Ordering::Relaxed);
                solve(z)
            }
        }
    }

    /// Counts an entry in and makes room for it.
    fn keep(&self, key: &Arc<Key>, entry: &Arc<Entry>) {
        let size = key.size();
        if size > self.most_bytes {
            return self.forget(key, entry);
        }
        let mut clock = self.clock.lock().unwrap_or_else(PoisonError::into_inner);
        while self.bytes.load(Ordering::Relaxed) + size > self.most_bytes {
            let Some(oldest) = clock.pop_front() else {
                break;
            };
            let is_idle =
                |_: &Arc<Key>, entry: &Arc<Entry>| !entry.asked_for.swap(false, Ordering::Relaxed);
            if self.entries.remove_if(&oldest, is_idle).is_some() {
                self.bytes.fetch_sub(oldest.size(), Ordering::Relaxed);
                self.evictions.fetch_add(1, Ordering::Relaxed);
            } else {
                clock.push_back(oldest);
            }
        }
        clock.push_back(key.clone());
        self.bytes.fetch_add(size, Ordering::Relaxed);
    }

    fn forget(&self, key: &Arc<Key>, entry: &Arc<Entry>) {
        self.entries
            .remove_if(key, |_, present| Arc::ptr_eq(present, entry));
    }
}

/// What is known about one row: nothing yet, a state, or that the solve failed.
#[derive(Debug, Default)]
struct Entry {
    answer: OnceLock<Option<(Solved, Box<[f64]>)>>,
    /// Somebody solves it, or has. Nobody else ever writes the answer, so whoever may not wait need not.
    taken: AtomicBool,
    asked_for: AtomicBool,
}

impl Entry {
    /// Notes that it was asked for. Writes only what changes, so that threads can share it in their caches.
    fn ask(&self) {
        if !self.asked_for.load(Ordering::Relaxed) {
            self.asked_for.store(true, Ordering::Relaxed);
        }
    }
}

/// A row that is ours to solve. It ends with an answer, or with the word that there is none: also when the oracle
/// panics, nobody waits for ever.
struct Taken<'a> {
    memory: &'a Memory,
    key: Arc<Key>,
    entry: Arc<Entry>,
}

impl Taken<'_> {
    fn solve(self, z: &mut [f64], solve: impl Fn(&mut [f64]) -> Outcome) -> Outcome {
        self.memory.misses.fetch_add(1, Ordering::Relaxed);
        let outcome = solve(z);
        if let Ok(solved) = outcome {
            let first = self.entry.answer.set(Some((solved, z.into())));
            debug_assert!(first.is_ok(), "only whoever took the row answers");
            self.memory.keep(&self.key, &self.entry);
        }
        outcome
    }
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        if self.entry.answer.get().is_none() {
            // First this, so that whoever comes later takes a row of their own.
            self.memory.forget(&self.key, &self.entry);
            let _ = self.entry.answer.set(None);
        }
    }
}

/// The identity of the instance and the bits of theta.
#[derive(Debug)]
struct Key {
    identity: Identity,
    theta: Box<[f64]>,
}

impl Key {
    fn of(asked: &Asked<'_>) -> Self {
        Self {
            identity: asked.identity,
            theta: asked.theta.into(),
        }
    }

    /// The bytes of the entry: theta here, z there.
    fn size(&self) -> usize {
        2 * size_of_val(&*self.theta) + ENTRY_OVERHEAD
    }
}

/// A row that is asked for: the same key without owning theta, so that a hit allocates nothing.
struct Asked<'a> {
    identity: Identity,
    theta: &'a [f64],
}

/// What [`Key`] and [`Asked`] have in common; the map compares through it.
trait AsKey {
    fn parts(&self) -> (Identity, &[f64]);
}

impl AsKey for Key {
    fn parts(&self) -> (Identity, &[f64]) {
        (self.identity, &self.theta)
    }
}

impl AsKey for Asked<'_> {
    fn parts(&self) -> (Identity, &[f64]) {
        (self.identity, self.theta)
    }
}

impl<'a> Borrow<dyn AsKey + 'a> for Arc<Key> {
    fn borrow(&self) -> &(dyn AsKey + 'a) {
        &**self
    }
}

impl Hash for dyn AsKey + '_ {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let (identity, theta) = self.parts();
        identity.hash(state);
        theta
            .iter()
            .for_each(|value| state.write_u64(value.to_bits()));
    }
}

impl PartialEq for dyn AsKey + '_ {
    fn eq(&self, other: &Self) -> bool {
        let ((identity, theta), (other_identity, other_theta)) = (self.parts(), other.parts());
        let same_bits = |(a, b): (&f64, &f64)| a.to_bits() == b.to_bits();
        identity == other_identity
            && theta.len() == other_theta.len()
            && theta.iter().zip(other_theta).all(same_bits)
    }
}

impl Eq for dyn AsKey + '_ {}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self as &dyn AsKey).hash(state);
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        self as &dyn AsKey == other as &dyn AsKey
    }
}

impl Eq for Key {}

/// An oracle behind a cache.
struct Cached {
    cache: Cache,
    oracle: Arc<dyn Oracle>,
}

impl Oracle for Cached {
    fn facts(&self) -> Facts {
        self.oracle.facts()
    }

    fn identity(&self) -> Identity {
        self.oracle.identity()
    }

    fn solve(&self, theta: &[f64], z: &mut [f64], outcomes: &mut [Outcome], limits: &Limits<'_>) {
        // One instance for the whole call, so that every key belongs to whoever answers.
        let pinned = self.oracle.pin();
        let oracle = pinned.as_ref().unwrap_or(&self.oracle);
        let (dim, identity) = (oracle.facts().dim, oracle.identity());
        // A worker of rayon that waits inside the solver may have picked up this row on top of one that we
        // would wait for.
        let may_wait = !oracle.may_use_rayon() || rayon::current_thread_index().is_none();
        let memory = &*self.cache.0;
        let mut hits = 0;
        let rows = theta.chunks_exact(dim).zip(z.chunks_exact_mut(dim));
        for ((theta, z), outcome) in rows.zip(outcomes) {
            let asked = Asked { identity, theta };
            if let Some(solved) = memory.look_up(&asked, z) {
                hits += 1;
                *outcome = Ok(solved);
                continue;
            }
            *outcome = memory.solve_through(&asked, z, may_wait, |z| {
                let mut outcome = [unset()];
                oracle.solve(theta, z, &mut outcome, limits);
                let [outcome] = outcome;
                outcome
            });
        }
        // Once a call: a counter that every thread writes costs more than a look-up.
        memory.hits.fetch_add(hits, Ordering::Relaxed);
    }

    fn may_use_rayon(&self) -> bool {
        self.oracle.may_use_rayon()
    }

    /// Not remembered: whoever asks for marginals asks once a row.
    fn marginals(
        &self,
        theta: &[f64],
        mu: &mut [f64],
        log_partitions: &mut [Result<f64, Error>],
        limits: &Limits<'_>,
    ) {
        self.oracle.marginals(theta, mu, log_partitions, limits);
    }

    fn pin(&self) -> Option<Arc<dyn Oracle>> {
        self.oracle.pin().map(|oracle| self.cache.wrap(oracle))
    }
}
