//! The properties by name, and what runs each.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use serde_json::Value;

use super::case::Case;
use super::explore::explored;
use super::{Check, Failure};
use crate::{Error, ErrorKind, Oracle};

type Open<'a> = dyn Fn(&Value) -> Result<Arc<dyn Oracle>, Error> + 'a;

/// What a [`Check`] looks at, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Property {
    /// What describes no problem is refused with a sentence.
    Refusals,
    /// What is declared of all states holds for each.
    Facts,
    /// Every row gets a state, a feasible one, and no other has a larger `<z, theta>`.
    Optimality,
    /// The objective is that of the state, the bound bounds, and nothing within the radius changes the state.
    Proofs,
    /// Nothing but theta matters: not the order, the split, what was solved before, or the thread.
    Determinism,
    /// A raised stop flag never gives a wrong state.
    StopFlag,
    /// Marginals and log-partition agree with sums over all states, if the solver has them.
    Marginals,
}

impl Property {
    /// Every property, in the order of a check.
    pub const ALL: [Self; 7] = [
        Self::Refusals,
        Self::Facts,
        Self::Optimality,
        Self::Proofs,
        Self::Determinism,
        Self::StopFlag,
        Self::Marginals,
    ];

    /// Runs this property over every configuration of a check.
    pub(super) fn test(self, check: &Check, open: &Open<'_>) -> Result<(), Failure> {
        if self == Self::Refusals {
            return refusals(check, open);
        }
        for (config, states) in &check.cases {
            let fresh = || {
                open(config)
                    .map_err(|why| Failure::new("opening", config, format!("refused: {why}")))
            };
            let oracle = fresh()?;
            let facts = oracle.facts();
            let (states, complete) = match states {
                Some(states) => (Cow::Borrowed(&states[..]), true),
                None => explored(&*oracle, facts, check.seed),
            };
            let case = Case {
                config,
                states,
                complete,
                facts,
                seed: check.seed,
            };
            self.holds(&case, check.rows, &*oracle, fresh)?;
        }
        Ok(())
    }

    fn holds(
        self,
        case: &Case<'_>,
        rows: usize,
        oracle: &dyn Oracle,
        fresh: impl Fn() -> Result<Arc<dyn Oracle>, Failure>,
    ) -> Result<(), Failure> {
        case.facts_hold()?;
        let theta = case.thetas(rows);
        match self {
            Self::Refusals | Self::Facts => Ok(()),
            Self::Optimality => case.every_row_is_optimal(oracle, &theta).map(|_| ()),
            Self::Proofs => case.proofs_hold(oracle, &theta),
            Self::Determinism => {
                let z = case.solve(oracle, &theta)?;
                case.nothing_but_theta_matters(&*fresh()?, &theta, &z)
            }
            Self::StopFlag => case.a_raised_stop_flag_never_gives_a_wrong_state(oracle, &theta),
            Self::Marginals => case.marginals_are_exact(oracle, &theta),
        }
    }
}

impl fmt::Display for Property {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Refusals => "what describes no problem is refused with a sentence",
            Self::Facts => "what is declared of all states holds",
            Self::Optimality => "every row gets a feasible state, and none is better",
            Self::Proofs => "objective, bound and radius are right",
            Self::Determinism => "nothing but theta matters: order, split, history, threads",
            Self::StopFlag => "a raised stop flag never gives a wrong state",
            Self::Marginals => "marginals, if there are any, are right",
        })
    }
}

fn refusals(check: &Check, open: &Open<'_>) -> Result<(), Failure> {
    for config in &check.refused {
        refusal(config, "a configuration that must be refused", open)?;
    }
    for (config, _) in &check.cases {
        let mut extended = config.clone();
        if let Value::Object(keys) = &mut extended {
            keys.insert("no_such_key".to_owned(), Value::Null);
            refusal(&extended, "an unknown key", open)?;
        }
    }
    Ok(())
}

fn refusal(config: &Value, what: &str, open: &Open<'_>) -> Result<(), Failure> {
    let failure = |evidence: String| Failure::new("refusal", config, evidence);
    match open(config) {
        Ok(_) => Err(failure(format!("{what} was accepted"))),
        Err(why) if why.message().is_empty() => Err(failure(format!("{what}: no sentence"))),
        Err(why) if why.kind() == ErrorKind::Panic => Err(failure(format!("{what}: {why}"))),
        Err(_) => Ok(()),
    }
}
