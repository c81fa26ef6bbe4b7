//! Who solves the rows of a call.

use std::fmt;
use std::sync::Arc;

use imle_api::Oracle;

use crate::pool::PooledRow;

/// One oracle for all rows, or one for each.
#[derive(Clone)]
pub(crate) enum Oracles {
    Shared(Arc<dyn Oracle>),
    Each(Arc<[Arc<dyn Oracle>]>),
    /// A pool decided, for one call.
    Pooled(Arc<[PooledRow]>),
}

impl Oracles {
    pub(crate) fn of(&self, row: usize) -> &dyn Oracle {
        match self {
            Self::Shared(oracle) => &**oracle,
            Self::Each(oracles) => &*oracles[row],
            Self::Pooled(rows) => &*rows[row].oracle,
        }
    }

    pub(crate) fn shared(&self, row: usize) -> Arc<dyn Oracle> {
        match self {
            Self::Shared(oracle) => oracle.clone(),
            Self::Each(oracles) => oracles[row].clone(),
            Self::Pooled(rows) => rows[row].oracle.clone(),
        }
    }

    /// What a pool says of a row, if there is one.
    pub(crate) fn pooled(&self, row: usize) -> Option<&PooledRow> {
        match self {
            Self::Pooled(rows) => Some(&rows[row]),
            _ => None,
        }
    }

    /// The instances that a call starting now uses throughout.
    pub(crate) fn pinned(&self) -> Self {
        let pin = |oracle: &Arc<dyn Oracle>| oracle.pin().unwrap_or_else(|| oracle.clone());
        match self {
            Self::Shared(oracle) => Self::Shared(pin(oracle)),
            Self::Each(oracles) => Self::Each(oracles.iter().map(pin).collect()),
            Self::Pooled(_) => self.clone(),
        }
    }
}

impl fmt::Debug for Oracles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Shared(oracle) => write!(f, "Shared({:?})", oracle.identity()),
            Self::Each(oracles) => write!(f, "Each({} oracles)", oracles.len()),
            Self::Pooled(rows) => write!(f, "Pooled({} rows)", rows.len()),
        }
    }
}
