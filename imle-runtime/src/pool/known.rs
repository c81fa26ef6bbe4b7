//! The states of one instance that are known.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};

/// Bytes that a state costs beside its coordinates: a key, a map entry and a time, rounded up.
const STATE_OVERHEAD: usize = 64;

/// States of one instance, each once, in the order in which they became known.
#[derive(Clone, Debug)]
pub(crate) struct Known {
    dim: usize,
    z: Vec<f64>,
    places: HashMap<Box<[u64]>, usize, foldhash::fast::RandomState>,
    last_used: Vec<Time>,
}

#[derive(Debug)]
struct Time(AtomicU64);

impl Clone for Time {
    fn clone(&self) -> Self {
        Self(AtomicU64::new(self.0.load(Ordering::Relaxed)))
    }
}

/// What identifies a state exactly. A zero is a zero, whatever its sign.
pub(crate) fn bits(z: &[f64]) -> Box<[u64]> {
    z.iter().map(|z| (z + 0.0).to_bits()).collect()
}

impl Known {
    pub(crate) fn new(dim: usize) -> Self {
        Self {
            dim,
            z: Vec::new(),
            places: HashMap::default(),
            last_used: Vec::new(),
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.last_used.len()
    }

    /// All states, `[count, dim]`.
    pub(crate) fn states(&self) -> &[f64] {
        &self.z
    }

    pub(crate) fn find(&self, z: &[f64]) -> Option<usize> {
        self.places.get(&bits(z)).copied()
    }

    pub(crate) fn contains(&self, z: &[u64]) -> bool {
        self.places.contains_key(z)
    }

    /// Adds a state if it is new.
    pub(crate) fn push(&mut self, z: Box<[u64]>, now: u64) -> bool {
        if self.contains(&z) {
            return false;
        }
        self.z.extend(z.iter().map(|&bits| f64::from_bits(bits)));
        self.places.insert(z, self.len());
        self.last_used.push(Time(AtomicU64::new(now)));
        true
    }

    /// The first state with the largest `<z, theta>`, if there is one.
    pub(crate) fn best(&self, theta: &[f64]) -> Option<(usize, f64)> {
        let score = |z: &[f64]| z.iter().zip(theta).map(|(z, theta)| z * theta).sum::<f64>();
        let scores = self.z.chunks_exact(self.dim).map(score).enumerate();
        scores.reduce(|best, other| if other.1 > best.1 { other } else { best })
    }

    pub(crate) fn state(&self, at: usize) -> &[f64] {
        &self.z[at * self.dim..][..self.dim]
    }

    /// Notes that a state was found or solved again. All notes of a call are the same number.
    pub(crate) fn use_at(&self, at: usize, now: u64) {
        self.last_used[at].0.fetch_max(now, Ordering::Relaxed);
    }

    pub(crate) fn last_used(&self, at: usize) -> u64 {
        self.last_used[at].0.load(Ordering::Relaxed)
    }

    /// Keeps the states at some places, in their order.
    pub(crate) fn retain(&mut self, keep: impl Fn(usize) -> bool) {
        let mut kept = Self::new(self.dim);
        for at in (0..self.len()).filter(|&at| keep(at)) {
            kept.push(bits(self.state(at)), self.last_used(at));
        }
        *self = kept;
    }

    pub(crate) fn bytes_of_one(&self) -> usize {
        2 * self.dim * size_of::<f64>() + STATE_OVERHEAD
    }

    pub(crate) fn bytes(&self) -> usize {
        self.len() * self.bytes_of_one()
    }
}
