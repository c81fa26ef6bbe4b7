//! The states of all instances of a pool: those that a call sees, and those that it adds.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use imle_api::Identity;

use super::known::{Known, bits};

#[derive(Debug, Default)]
pub(super) struct States {
    pub(super) instances: BTreeMap<Identity, Instance>,
    /// The number of the call that sees `known` now.
    pub(super) call: Option<u64>,
    /// Counts the changes of call, to tell how long a state was not used.
    pub(super) now: u64,
    pub(super) inserted: u64,
    pub(super) evicted: u64,
}

#[derive(Debug)]
pub(super) struct Instance {
    pub(super) known: Arc<Known>,
    /// What the running call solved, in an order that does not tell who came first.
    pub(super) pending: BTreeSet<Box<[u64]>>,
}

impl States {
    pub(super) fn instance(&mut self, identity: Identity, dim: usize) -> &mut Instance {
        self.instances.entry(identity).or_insert_with(|| Instance {
            known: Arc::new(Known::new(dim)),
            pending: BTreeSet::new(),
        })
    }

    /// Adds a state that a call solved, for calls of other numbers to see.
    pub(super) fn add(&mut self, identity: Identity, dim: usize, z: &[f64]) {
        let instance = self.instance(identity, dim);
        if instance.known.find(z).is_none() && instance.pending.insert(bits(z)) {
            self.inserted += 1;
        }
    }

    /// Adds states for every call to see.
    pub(super) fn insert(&mut self, identity: Identity, dim: usize, z: &[f64]) {
        let now = self.now;
        for z in z.chunks_exact(dim).map(bits) {
            let instance = self.instance(identity, dim);
            let waited = instance.pending.remove(&z);
            let is_new = Arc::make_mut(&mut instance.known).push(z, now);
            self.inserted += u64::from(is_new && !waited);
        }
    }

    /// Lets the states that wait be seen.
    pub(super) fn publish(&mut self) {
        for instance in self.instances.values_mut() {
            if !instance.pending.is_empty() {
                let known = Arc::make_mut(&mut instance.known);
                for z in std::mem::take(&mut instance.pending) {
                    known.push(z, self.now);
                }
            }
        }
    }

    /// If the states take more than `most_bytes`, drops those that were not used for the longest time, an
    /// eighth of the bytes at once so that this is rare.
    pub(super) fn fit(&mut self, most_bytes: usize) {
        let bytes = self
            .instances
            .values()
            .map(|instance| instance.known.bytes());
        let mut bytes: usize = bytes.sum();
        if bytes <= most_bytes {
            return;
        }
        let mut dropped: BTreeMap<Identity, BTreeSet<usize>> = BTreeMap::new();
        for (_, at, identity) in self.oldest_first() {
            if bytes <= most_bytes - most_bytes / 8 {
                break;
            }
            bytes -= self.instances[&identity].known.bytes_of_one();
            dropped.entry(identity).or_default().insert(at);
            self.evicted += 1;
        }
        for (identity, dropped) in dropped {
            let instance = self.instances.get_mut(&identity);
            let instance = instance.expect("it holds the states that are dropped");
            Arc::make_mut(&mut instance.known).retain(|at| !dropped.contains(&at));
        }
        self.instances
            .retain(|_, instance| instance.known.len() > 0 || !instance.pending.is_empty());
    }

    /// When each state was last used, its place, and its instance.
    fn oldest_first(&self) -> Vec<(u64, usize, Identity)> {
        let mut times = Vec::new();
        for (&identity, Instance { known, .. }) in &self.instances {
            times.extend((0..known.len()).map(|at| (known.last_used(at), at, identity)));
        }
        times.sort_unstable();
        times
    }
}
