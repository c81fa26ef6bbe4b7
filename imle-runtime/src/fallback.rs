//! Back ends for one problem in order: a row on which an engine fails goes to the next.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use imle_api::{Error, ErrorKind, Facts, Identity, Limits, Oracle, Outcome, ThetaDomain, unset};

use crate::backends::{Backend, listed};

/// An oracle that asks the next back end where one fails.
///
/// Handed on is a row whose back end *failed*: it reported a failure of its engine or that it does not support
/// what was asked, panicked, or broke its contract. An answer about the row is an answer also here: infeasible,
/// unbounded, a limit that was reached, a stop, a theta outside the domain. If all fail, the row's error has the
/// kind of the first failure and the words of all.
///
/// **The state still depends on theta alone.** By the law of [`Oracle`] so does what each back end says about a
/// row, its failure included, and with that who answers. What no law covers, such as a machine out of memory,
/// may change who answers, but never that the state is a best one.
///
/// Failures are counted for each back end; the first of each is a line of the log (crate `log`, level warn).
///
/// ```
/// use imle_runtime::{Error, ErrorKind, Facts, Fallback, FnOracle, Oracle, solve_one};
/// use std::sync::Arc;
///
/// let fragile: Arc<dyn Oracle> = Arc::new(FnOracle::new(Facts::binary(1), |_, _| {
///     Err(Error::new(ErrorKind::BackendFailed, "singular basis"))
/// }));
/// let robust: Arc<dyn Oracle> = Arc::new(FnOracle::new(Facts::binary(1), |theta, z| {
///     z[0] = f64::from(theta[0] > 0.0);
///     Ok(())
/// }));
/// let oracle = Fallback::new([("fragile", fragile), ("robust", robust)])?;
/// assert_eq!(solve_one(&oracle, &[2.0])?.0, [1.0]);
/// assert_eq!(oracle.failures(), [("fragile", 1), ("robust", 0)]);
/// # Ok::<(), Error>(())
/// ```
pub struct Fallback {
    backends: Vec<Backend>,
    shared: Arc<Shared>,
}

/// What a fallback and its pinned copies have in common.
struct Shared {
    /// The rows on which each back end failed.
    failures: Vec<AtomicU64>,
    /// What a combination of instances is called: a cache must not mix states of before and after a back
    /// end was replaced.
    identities: Mutex<BTreeMap<Vec<Identity>, Identity>>,
}

impl Fallback {
    /// Makes an oracle of named back ends of one problem, the first to ask first.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidConfig`] if there is no back end, two have the same name, or the dimensions differ.
    pub fn new<N: Into<String>>(
        backends: impl IntoIterator<Item = (N, Arc<dyn Oracle>)>,
    ) -> Result<Self, Error> {
        let backends = listed("fallback", backends)?;
        Ok(Self {
            shared: Arc::new(Shared {
                failures: backends.iter().map(|_| AtomicU64::new(0)).collect(),
                identities: Mutex::default(),
            }),
            backends,
        })
    }

    /// The back ends in order, each with the number of rows on which it failed so far.
    #[must_use]
    pub fn failures(&self) -> Vec<(&str, u64)> {
        let counted = self.backends.iter().zip(&self.shared.failures);
        counted
            .map(|(backend, count)| (backend.name.as_str(), count.load(Ordering::Relaxed)))
            .collect()
    }

    /// Asks all but the first back end, which failed.
    fn hand_on(&self, first: Error, theta: &[f64], z: &mut [f64], limits: &Limits<'_>) -> Outcome {
        self.count(0, &first);
        let mut failures = vec![first];
        for (at, backend) in self.backends.iter().enumerate().skip(1) {
            let mut outcome = [unset()];
            backend.oracle.solve(theta, z, &mut outcome, limits);
            match outcome {
                [Err(why)] if is_failure(why.kind()) => {
                    self.count(at, &why);
                    failures.push(why);
                }
                [answer] => return answer,
            }
        }
        Err(self.all_failed(&failures))
    }

    fn count(&self, at: usize, why: &Error) {
        if self.shared.failures[at].fetch_add(1, Ordering::Relaxed) > 0 {
            return;
        }
        let name = &self.backends[at].name;
        match self.backends.get(at + 1) {
            Some(next) => log::warn!(
                "fallback: `{name}` failed on a row, which goes to `{}`, as others will: {why}",
                next.name
            ),
            None => log::warn!("fallback: `{name}` failed on a row, and is the last: {why}"),
        }
    }

    fn all_failed(&self, failures: &[Error]) -> Error {
        if let [only] = failures {
            return only.clone();
        }
        let named = self.backends.iter().zip(failures);
        let named = named.map(|(backend, why)| format!("`{}`: {why}", backend.name));
        let message = format!(
            "every back end failed: {}",
            named.collect::<Vec<_>>().join("; ")
        );
        Error::new(failures[0].kind(), message)
    }
}

/// Whether an error says something about the engine instead of about the row.
fn is_failure(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::BackendFailed
            | ErrorKind::Unsupported
            | ErrorKind::ContractBroken
            | ErrorKind::Panic
            | ErrorKind::Poisoned
    )
}

/// What holds for the states of both.
fn common(a: Facts, b: Facts) -> Facts {
    Facts {
        dim: a.dim,
        z_lower: a.z_lower.min(b.z_lower),
        z_upper: a.z_upper.max(b.z_upper),
        integral: a.integral && b.integral,
        ones: a.ones.filter(|_| a.ones == b.ones),
        theta_domain: match a.theta_domain {
            ThetaDomain::Any => b.theta_domain,
            narrower => narrower,
        },
    }
}

impl Oracle for Fallback {
    fn facts(&self) -> Facts {
        let facts = self.backends.iter().map(|backend| backend.oracle.facts());
        facts.reduce(common).expect("there is a back end")
    }

    fn identity(&self) -> Identity {
        let instances = self.backends.iter();
        let instances = instances.map(|backend| backend.oracle.identity()).collect();
        let known = &self.shared.identities;
        let mut known = known.lock().unwrap_or_else(PoisonError::into_inner);
        *known.entry(instances).or_insert_with(Identity::unique)
    }

    fn solve(&self, theta: &[f64], z: &mut [f64], outcomes: &mut [Outcome], limits: &Limits<'_>) {
        let first = &self.backends[0].oracle;
        first.solve(theta, z, outcomes, limits);
        let dim = first.facts().dim;
        let rows = theta.chunks_exact(dim).zip(z.chunks_exact_mut(dim));
        for ((theta, z), outcome) in rows.zip(outcomes) {
            if let Err(why) = outcome
                && is_failure(why.kind())
            {
                *outcome = self.hand_on(why.clone(), theta, z, limits);
            }
        }
    }

    /// Those of the first back end.
    fn marginals(
        &self,
        theta: &[f64],
        mu: &mut [f64],
        log_partitions: &mut [Result<f64, Error>],
        limits: &Limits<'_>,
    ) {
        let first = &self.backends[0].oracle;
        first.marginals(theta, mu, log_partitions, limits);
    }

    fn may_use_rayon(&self) -> bool {
        let mut backends = self.backends.iter();
        backends.any(|backend| backend.oracle.may_use_rayon())
    }

    fn pin(&self) -> Option<Arc<dyn Oracle>> {
        let pins: Vec<_> = self.backends.iter().map(|b| b.oracle.pin()).collect();
        if pins.iter().all(Option::is_none) {
            return None;
        }
        let backends = self.backends.iter().zip(pins);
        let backends = backends.map(|(backend, pinned)| Backend {
            oracle: pinned.unwrap_or_else(|| backend.oracle.clone()),
            ..backend.clone()
        });
        Some(Arc::new(Self {
            backends: backends.collect(),
            shared: self.shared.clone(),
        }))
    }
}

impl fmt::Debug for Fallback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fallback")
            .field("failures", &self.failures())
            .finish_non_exhaustive()
    }
}
