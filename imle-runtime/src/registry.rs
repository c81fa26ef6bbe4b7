//! Solvers by name: found in explicit directories, listed, opened, and replaced while calls run.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, Weak};

use imle_api::{Error, ErrorKind, Facts, Identity, Limits, Linked, Oracle, Outcome, Solver};
use serde_json::Value;

use crate::isolation::{Isolated, Isolation};
use crate::plugin::{Plugin, SolverInfo};

/// Solvers by name.
///
/// A name stands for one solver at a time. [`open`](Self::open) makes an instance of it;
/// [`replace`](Self::replace) puts another solver behind the name, also for the instances that are open:
/// calls that are running finish on the old one, later calls use the new one.
#[derive(Default)]
pub struct Registry {
    inner: Mutex<Inner>,
    problems: Vec<Error>,
}

#[derive(Default)]
struct Inner {
    entries: BTreeMap<String, Arc<Entry>>,
    open: Vec<Open>,
}

/// An instance that was opened, and how: a replacement is opened in the same way.
struct Open {
    name: String,
    config: Value,
    isolation: Option<Isolation>,
    oracle: Weak<Replaceable>,
}

/// What stands behind a name.
#[derive(Clone)]
enum Entry {
    Loaded(Plugin, SolverInfo),
    Linked(SolverInfo, fn(&Value) -> Result<Arc<dyn Oracle>, Error>),
}

impl Entry {
    fn open(
        &self,
        config: &Value,
        isolation: Option<&Isolation>,
    ) -> Result<Arc<dyn Oracle>, Error> {
        match (self, isolation) {
            (Self::Loaded(plugin, solver), Some(isolation)) => {
                let config = config.to_string();
                let opened = Isolated::open(plugin.path(), &solver.name, &config, isolation);
                Ok(Arc::new(opened?))
            }
            (Self::Linked(solver, _), Some(_)) => {
                let name = &solver.name;
                let message = format!(
                    "solver `{name}` is linked into this program; a library alone can run in another process"
                );
                Err(Error::new(ErrorKind::Unsupported, message))
            }
            (Self::Loaded(plugin, solver), None) => plugin.open(&solver.name, config),
            (Self::Linked(_, open), None) => open(config),
        }
    }

    fn solver(&self) -> &SolverInfo {
        match self {
            Self::Loaded(_, solver) | Self::Linked(solver, _) => solver,
        }
    }

    fn place(&self) -> String {
        match self {
            Self::Loaded(plugin, _) => plugin.path().display().to_string(),
            Self::Linked(..) => "this program".to_owned(),
        }
    }
}

/// A line of [`Registry::list`].
#[derive(Clone, Debug)]
pub struct Listing {
    /// The name to open it by.
    pub name: String,
    /// The solver that stands behind the name now.
    pub solver: SolverInfo,
    /// The library it was loaded from; `None` if it is linked into this program.
    pub plugin: Option<Plugin>,
}

impl Registry {
    /// Makes an empty registry.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The libraries that [`search`](Self::search) found and could not use.
    #[must_use]
    pub fn problems(&self) -> &[Error] {
        &self.problems
    }

    /// Registers a solver that is linked into this program.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidConfig`] if the name is taken.
    pub fn link<S: Solver>(&self) -> Result<(), Error> {
        let solver = SolverInfo {
            name: S::NAME.to_owned(),
            summary: S::SUMMARY.to_owned(),
            serial_group: S::SERIAL_GROUP.map(ToOwned::to_owned),
        };
        self.register(vec![Entry::Linked(solver, |config| {
            Ok(Arc::new(Linked::<S>::open(&config.to_string())?))
        })])
    }

    /// Registers all solvers of a plugin under their own names.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidConfig`] if one of the names is taken; nothing is registered then.
    pub fn add(&self, plugin: &Plugin) -> Result<(), Error> {
        let entry = |solver: &SolverInfo| Entry::Loaded(plugin.clone(), solver.clone());
        self.register(plugin.solvers().map(entry).collect())
    }

    pub(crate) fn note_problem(&mut self, problem: Error) {
        self.problems.push(problem);
    }

    fn register(&self, entries: Vec<Entry>) -> Result<(), Error> {
        let mut inner = self.inner();
        for entry in &entries {
            if let Some(taken) = inner.entries.get(&entry.solver().name) {
                let message = format!(
                    "two solvers are named `{}`: one in {} and one in {}",
                    entry.solver().name,
                    taken.place(),
                    entry.place()
                );
                return Err(Error::new(ErrorKind::InvalidConfig, message));
            }
        }
        for entry in entries {
            let name = entry.solver().name.clone();
            inner.entries.insert(name, Arc::new(entry));
        }
        Ok(())
    }

    /// Lists the solvers by name.
    #[must_use]
    pub fn list(&self) -> Vec<Listing> {
        let listing = |(name, entry): (&String, &Arc<Entry>)| Listing {
            name: name.clone(),
            solver: entry.solver().clone(),
            plugin: match &**entry {
                Entry::Loaded(plugin, _) => Some(plugin.clone()),
                Entry::Linked(..) => None,
            },
        };
        self.inner().entries.iter().map(listing).collect()
    }

    /// Opens an instance of the solver of that name.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`] with the names that there are; what the solver says of `config`.
    pub fn open(&self, name: &str, config: &Value) -> Result<Arc<dyn Oracle>, Error> {
        self.open_with(name, config, None)
    }

    /// Opens an instance of the solver of that name in processes of its own; see [`Isolated`]. The library was
    /// loaded into this process already, for its table, but solves nothing here.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open) and [`Isolated::open`]; [`ErrorKind::Unsupported`] if the solver is linked into
    /// this program.
    pub fn open_isolated(
        &self,
        name: &str,
        config: &Value,
        isolation: &Isolation,
    ) -> Result<Arc<dyn Oracle>, Error> {
        self.open_with(name, config, Some(isolation))
    }

    fn open_with(
        &self,
        name: &str,
        config: &Value,
        isolation: Option<&Isolation>,
    ) -> Result<Arc<dyn Oracle>, Error> {
        loop {
            let entry = self.entry(name)?;
            // Not under the lock: reading a large model takes its time, and a linked solver may open another
            // one here.
            let current = RwLock::new(entry.open(config, isolation)?);
            let mut inner = self.inner();
            let unchanged = inner
                .entries
                .get(name)
                .is_some_and(|now| Arc::ptr_eq(now, &entry));
            if unchanged {
                let oracle = Arc::new(Replaceable { current });
                inner.open.retain(|open| open.oracle.strong_count() > 0);
                inner.open.push(Open {
                    name: name.to_owned(),
                    config: config.clone(),
                    isolation: isolation.cloned(),
                    oracle: Arc::downgrade(&oracle),
                });
                return Ok(oracle);
            }
        }
    }

    fn entry(&self, name: &str) -> Result<Arc<Entry>, Error> {
        let inner = self.inner();
        let entry = inner.entries.get(name).cloned();
        entry.ok_or_else(|| self.not_found(&inner, name))
    }

    /// Puts a solver of `plugin` behind `name`, for instances to come and for those that are open.
    ///
    /// Each open instance is opened anew with its own configuration. Calls that are running finish on the
    /// old instances.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`] if there is no such name, or no such solver in the plugin; what the new
    /// solver says of the configuration of an open instance; [`ErrorKind::InvalidConfig`] if it gives an
    /// instance another dimension. Nothing is replaced then.
    pub fn replace(&self, name: &str, plugin: &Plugin, solver: &str) -> Result<(), Error> {
        let mut inner = self.inner();
        if !inner.entries.contains_key(name) {
            return Err(self.not_found(&inner, name));
        }
        let found = plugin.solvers().find(|info| info.name == solver).cloned();
        let entry = found
            .map(|info| Entry::Loaded(plugin.clone(), info))
            .ok_or_else(|| {
                let message = format!("no solver `{solver}` in {}", plugin.path().display());
                Error::new(ErrorKind::NotFound, message)
            })?;
        inner.open.retain(|open| open.oracle.strong_count() > 0);
        let mut switches = Vec::new();
        for open in &inner.open {
            if let (true, Some(oracle)) = (open.name == name, open.oracle.upgrade()) {
                let fresh = entry.open(&open.config, open.isolation.as_ref())?;
                let (dim, before) = (fresh.facts().dim, oracle.facts().dim);
                if dim != before {
                    let message = format!("`{solver}` has dim = {dim} where `{name}` had {before}");
                    return Err(Error::new(ErrorKind::InvalidConfig, message));
                }
                switches.push((oracle, fresh));
            }
        }
        let old: Vec<_> = switches
            .into_iter()
            .map(|(oracle, fresh)| oracle.switch(fresh))
            .collect();
        inner.entries.insert(name.to_owned(), Arc::new(entry));
        drop(inner);
        drop(old); // destroys instances: not under a lock that calls need
        Ok(())
    }

    fn not_found(&self, inner: &Inner, name: &str) -> Error {
        let known: Vec<&str> = inner.entries.keys().map(String::as_str).collect();
        let mut message = match known.is_empty() {
            true => format!("no solver `{name}`: the registry is empty"),
            false => format!("no solver `{name}`; there are {}", known.join(", ")),
        };
        for problem in &self.problems {
            message.push_str(&format!("; not loaded: {problem}"));
        }
        Error::new(ErrorKind::NotFound, message)
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registry")
            .field("entries", &self.inner().entries.keys().collect::<Vec<_>>())
            .field("problems", &self.problems)
            .finish_non_exhaustive()
    }
}

/// An instance that the registry may replace by another of the same problem.
struct Replaceable {
    current: RwLock<Arc<dyn Oracle>>,
}

impl Replaceable {
    fn current(&self) -> Arc<dyn Oracle> {
        self.current
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Returns the instance that was there: the caller drops it when no lock is held.
    fn switch(&self, fresh: Arc<dyn Oracle>) -> Arc<dyn Oracle> {
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut *current, fresh)
    }
}

impl Oracle for Replaceable {
    fn facts(&self) -> Facts {
        self.current().facts()
    }

    fn identity(&self) -> Identity {
        self.current().identity()
    }

    fn solve(&self, theta: &[f64], z: &mut [f64], outcomes: &mut [Outcome], limits: &Limits<'_>) {
        self.current().solve(theta, z, outcomes, limits);
    }

    fn may_use_rayon(&self) -> bool {
        self.current().may_use_rayon()
    }

    fn marginals(
        &self,
        theta: &[f64],
        mu: &mut [f64],
        log_partitions: &mut [Result<f64, Error>],
        limits: &Limits<'_>,
    ) {
        self.current().marginals(theta, mu, log_partitions, limits);
    }

    fn pin(&self) -> Option<Arc<dyn Oracle>> {
        Some(self.current())
    }
}
