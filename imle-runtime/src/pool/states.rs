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
    /// The bytes of all pending states.
    pending_bytes: usize,
    /// Pending states from this one on found no room, and never will in this call.
    cutoff: Option<(Identity, Box<[u64]>)>,
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
    ///
    /// What waits stays within `most_bytes`, too, or calls that all have one number would fill the memory. The
    /// states that go first in the order of instances and bits are kept: which they are does not depend on who
    /// came first, since one that found no room bars all that go after it.
    pub(super) fn add(&mut self, identity: Identity, dim: usize, z: &[f64], most_bytes: usize) {
        let z = (identity, bits(z));
        if self.cutoff.as_ref().is_some_and(|cutoff| z >= *cutoff) {
            return;
        }
        let instance = self.instance(identity, dim);
        let size = instance.known.bytes_of_one();
        if instance.known.contains(&z.1) || !instance.pending.insert(z.1) {
            return;
        }
        self.pending_bytes += size;
        while self.pending_bytes > most_bytes {
            self.cutoff = self.drop_last_pending();
        }
    }

    fn drop_last_pending(&mut self) -> Option<(Identity, Box<[u64]>)> {
        let mut waiting = self.instances.iter_mut().rev();
        let last = waiting.find(|(_, instance)| !instance.pending.is_empty());
        let (identity, instance) = last.expect("what takes bytes waits somewhere");
        self.pending_bytes -= instance.known.bytes_of_one();
        instance.pending.pop_last().map(|z| (*identity, z))
    }

    /// How many states wait.
    pub(super) fn waiting(&self) -> usize {
        let instances = self.instances.values();
        instances.map(|instance| instance.pending.len()).sum()
    }

    /// Adds states for every call to see.
    pub(super) fn insert(&mut self, identity: Identity, dim: usize, z: &[f64]) {
        let now = self.now;
        for z in z.chunks_exact(dim).map(bits) {
            let instance = self.instance(identity, dim);
            let waited = instance.pending.remove(&z);
            let size = instance.known.bytes_of_one();
            let is_new = Arc::make_mut(&mut instance.known).push(z, now);
            self.pending_bytes -= if waited { size } else { 0 };
            self.inserted += u64::from(is_new);
        }
    }

    /// Lets the states that wait be seen.
    pub(super) fn publish(&mut self) {
        for instance in self.instances.values_mut() {
            if !instance.pending.is_empty() {
                let known = Arc::make_mut(&mut instance.known);
                for z in std::mem::take(&mut instance.pending) {
                    self.inserted += u64::from(known.push(z, self.now));
                }
            }
        }
        (self.pending_bytes, self.cutoff) = (0, None);
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
