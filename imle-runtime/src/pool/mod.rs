//! An approximate memory of what was solved: the solution pool.
//!
//! An oracle's answer depends on nothing but theta; a pool's does not, so it is not an oracle that a cache or
//! anybody else could take for one. A layer asks it, once a call, who answers each row: the solver, or a
//! look-up among the states that are known. The layer keeps the answer for its backward pass, so that both sides
//! of a finite difference are the same function of theta.

mod config;
mod known;
mod rows;
mod states;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use imle_api::{Error, ErrorKind, Identity, Oracle};

use crate::call::Call;
use crate::oracles::Oracles;

pub use config::{PoolConfig, PoolRule};
use known::Known;
pub(crate) use rows::PooledRow;
use rows::{LookUp, Recorder};
use states::States;

/// A pool of solutions in front of the solvers of a layer or a loss: most rows get the best state *that is
/// known* instead of the best (Mulamba et al., "Contrastive losses and solution caching for predict-and-optimize",
/// IJCAI 2021). A cheap handle: clones share the states.
///
/// It is approximate, and the states it finds carry no proof. [`Cache`](crate::Cache) is the exact memory.
///
/// - Each instance has states of its own; a row is always solved while there are none.
/// - Who answers a row depends on the seed, the number of the call and the row, not on theta, and is decided
///   once for both passes of a layer.
/// - A call sees the states that were known when a call of its number began: what it solves is for calls of
///   other numbers. So results depend neither on threads nor on how a batch is split, as long as calls of
///   different numbers follow one another. Use the training step as the number.
/// - Among equally good states the one that was known first is found.
///
/// ```
/// use imle_runtime::{Facts, FnOracle, Labels, LossLayer, Oracle, Pool, PoolConfig, Sampling, SpoPlus};
/// use std::sync::Arc;
///
/// let best: Arc<dyn Oracle> = Arc::new(FnOracle::new(Facts::binary(2).with_ones(1), |theta, z| {
///     z.copy_from_slice(if theta[1] > theta[0] { &[0.0, 1.0] } else { &[1.0, 0.0] });
///     Ok(())
/// }));
/// let pool = Pool::new(PoolConfig { solve_ratio: 0.0, ..PoolConfig::default() })?;
/// pool.insert(&*best, &[1.0, 0.0])?;
/// let loss = LossLayer::new(best, SpoPlus, Sampling::default())?.with_pool(pool.clone());
/// let labels = Labels::theta(&[0.0, 1.0]).with_states(&[0.0, 1.0]);
/// loss.evaluate(&[0.0, 2.0], &labels, 0)?;
/// assert_eq!((pool.statistics().look_ups, pool.statistics().solves), (1, 0));
/// # Ok::<(), imle_runtime::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Pool(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    config: PoolConfig,
    states: Mutex<States>,
    solves: AtomicU64,
    look_ups: AtomicU64,
}

/// What a [`Pool`] did so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PoolStatistics {
    /// Rows of theta that were solved.
    pub solves: u64,
    /// Rows of theta that were answered with a state that was known.
    pub look_ups: u64,
    /// States that were added, counting what still waits for the next call.
    pub inserted: u64,
    /// States dropped to stay within the bytes.
    pub evicted: u64,
    /// States held now.
    pub states: usize,
    /// Bytes held now, as the pool counts them.
    pub bytes: usize,
}

impl Pool {
    /// Makes an empty pool.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidConfig`] with the setting that is wrong.
    pub fn new(config: PoolConfig) -> Result<Self, Error> {
        config.validate()?;
        Ok(Self(Arc::new(Shared {
            config,
            states: Mutex::default(),
            solves: AtomicU64::new(0),
            look_ups: AtomicU64::new(0),
        })))
    }

    /// Adds states, `[count, dim]`, of the feasible set of an oracle: the right states of the training set,
    /// usually. They must be states of it: look-ups return them. Do this between calls, which see them at once.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidInput`] if the length is not a multiple of dim, or a state breaks the oracle's
    /// [`Facts`](crate::Facts), with its position.
    pub fn insert(&self, oracle: &dyn Oracle, z: &[f64]) -> Result<(), Error> {
        let pinned = oracle.pin();
        let (facts, identity) = match &pinned {
            Some(pinned) => (pinned.facts(), pinned.identity()),
            None => (oracle.facts(), oracle.identity()),
        };
        let invalid = |message| Error::new(ErrorKind::InvalidInput, message);
        if !z.len().is_multiple_of(facts.dim) {
            let (values, dim) = (z.len(), facts.dim);
            return Err(invalid(format!(
                "{values} values are not states of dim = {dim}"
            )));
        }
        for (at, z) in z.chunks_exact(facts.dim).enumerate() {
            let broken = |why: Error| invalid(format!("state {at}: {}", why.message()));
            facts.check_state(z).map_err(broken)?;
        }
        let mut states = self.lock();
        states.insert(identity, facts.dim, z);
        states.fit(self.0.config.most_bytes);
        Ok(())
    }

    /// Returns the states of an oracle that are known, `[count, dim]`, the oldest first.
    #[must_use]
    pub fn known(&self, oracle: &dyn Oracle) -> Vec<f64> {
        let identity = oracle
            .pin()
            .map_or(oracle.identity(), |pinned| pinned.identity());
        let states = self.lock();
        let instance = states.instances.get(&identity);
        instance.map_or(Vec::new(), |instance| instance.known.states().to_vec())
    }

    /// Returns what the pool did so far.
    #[must_use]
    pub fn statistics(&self) -> PoolStatistics {
        let states = self.lock();
        let known = || states.instances.values().map(|instance| &instance.known);
        PoolStatistics {
            solves: self.0.solves.load(Ordering::Relaxed),
            look_ups: self.0.look_ups.load(Ordering::Relaxed),
            inserted: states.inserted + states.waiting() as u64,
            evicted: states.evicted,
            states: known().map(|known| known.len()).sum(),
            bytes: known().map(|known| known.bytes()).sum(),
        }
    }

    /// Decides who answers the rows of a call.
    pub(crate) fn rows(&self, oracles: &Oracles, rows: usize, call: &Call<'_>) -> Oracles {
        let mut states = self.lock();
        if states.call != Some(call.number) {
            states.publish();
            states.fit(self.0.config.most_bytes);
            states.call = Some(call.number);
            states.now += 1;
        }
        let mut sources: BTreeMap<Identity, Sources> = BTreeMap::new();
        let row = |row| {
            let oracle = oracles.shared(row);
            let source = sources.entry(oracle.identity()).or_insert_with(|| {
                let known = &states.instance(oracle.identity(), oracle.facts().dim).known;
                Sources::new(self, &oracle, known.clone(), states.now)
            });
            source.row(self.0.config.solves(call, row))
        };
        Oracles::Pooled((0..rows).map(row).collect())
    }

    fn lock(&self) -> MutexGuard<'_, States> {
        self.0.states.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Both ways to answer rows of one instance.
struct Sources {
    recorder: Arc<dyn Oracle>,
    look_up: Arc<dyn Oracle>,
    known: Arc<Known>,
}

impl Sources {
    fn new(pool: &Pool, oracle: &Arc<dyn Oracle>, known: Arc<Known>, now: u64) -> Self {
        Self {
            recorder: Arc::new(Recorder::new(pool, oracle, &known, now)),
            look_up: Arc::new(LookUp::new(pool, oracle, &known, now)),
            known,
        }
    }

    fn row(&self, coin: bool) -> PooledRow {
        let solved = coin || self.known.len() == 0;
        let oracle = if solved {
            &self.recorder
        } else {
            &self.look_up
        };
        PooledRow {
            oracle: oracle.clone(),
            known: self.known.clone(),
            solved,
        }
    }
}
