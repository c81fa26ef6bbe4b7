//! What layers and losses share: an oracle, settings and threads.

use std::sync::Arc;

use imle_api::{Error, ErrorKind, Oracle, check_theta, first_not_finite};

use crate::batch::Batch;
use crate::buffers::Buffer;
use crate::call::Call;
use crate::oracles::Oracles;
use crate::pass::Pass;
use crate::pool::Pool;
use crate::sampling::Sampling;

/// Makes passes: checks what a user hands in and turns costs into rewards.
#[derive(Debug)]
pub(crate) struct Engine {
    pub(crate) sampling: Sampling,
    pub(crate) dim: usize,
    pub(crate) oracles: Oracles,
    pub(crate) pool: Option<Pool>,
    pub(crate) batch: Batch,
}

impl Engine {
    pub(crate) fn new(oracle: Arc<dyn Oracle>, sampling: Sampling) -> Result<Self, Error> {
        sampling.validate()?;
        let dim = oracle.facts().dim;
        if dim == 0 {
            let message = "the oracle says dim = 0; a state has at least one coordinate";
            return Err(Error::new(ErrorKind::ContractBroken, message));
        }
        Ok(Self {
            dim,
            batch: Batch::new(sampling.threads)?,
            oracles: Oracles::Shared(oracle),
            pool: None,
            sampling,
        })
    }

    /// Who answers the rows of a call: the solvers, or what the pool decides.
    pub(crate) fn answering(
        &self,
        oracles: Oracles,
        theta: &[f64],
        call: &Call<'_>,
    ) -> Result<Oracles, Error> {
        let rows = theta.len() / self.dim;
        call.check_rows(rows)?;
        Ok(match &self.pool {
            Some(pool) => pool.rows(&oracles, rows, call),
            None => oracles,
        })
    }

    pub(crate) fn pass<'a>(
        &'a self,
        theta: &'a [f64],
        oracles: &'a Oracles,
        call: Call<'a>,
    ) -> Pass<'a> {
        Pass {
            sampling: &self.sampling,
            batch: &self.batch,
            dim: self.dim,
            theta,
            oracles,
            call,
        }
    }

    /// Checks theta, `[rows, dim]`, and turns costs into rewards.
    pub(crate) fn to_rewards(&self, theta: &[f64]) -> Result<Buffer<f64>, Error> {
        self.check_size(theta.len() / self.dim)?;
        let to_rewards = |row: &mut [f64]| {
            self.sampling.sense.flip(row);
            row.len() == self.dim && first_not_finite(row).is_none()
        };
        let rewards = self.batch.copy(theta, self.dim, to_rewards);
        rewards.ok_or_else(|| check_theta(theta, self.dim).expect_err("a row was refused"))
    }

    /// The states of a call must fit into memory's addresses.
    fn check_size(&self, rows: usize) -> Result<(), Error> {
        let (samples, dim) = (self.sampling.samples, self.dim);
        let values = rows.checked_mul(samples).and_then(|n| n.checked_mul(dim));
        if values.is_some_and(|n| n <= isize::MAX as usize / size_of::<f64>()) {
            return Ok(());
        }
        let message =
            format!("{rows} rows x samples = {samples} x dim = {dim} states are too many");
        Err(Error::new(ErrorKind::InvalidInput, message))
    }

    pub(crate) fn one_a_row(
        &self,
        oracles: &[Arc<dyn Oracle>],
        theta: &[f64],
    ) -> Result<Oracles, Error> {
        let rows = check_theta(theta, self.dim)?;
        let invalid = |message| Err(Error::new(ErrorKind::InvalidInput, message));
        if oracles.len() != rows {
            return invalid(format!("{} oracles for {rows} rows", oracles.len()));
        }
        for (row, oracle) in oracles.iter().enumerate() {
            let (dim, own) = (oracle.facts().dim, self.dim);
            if dim != own {
                return invalid(format!(
                    "the oracle of row {row} has dim = {dim}, the layer has {own}"
                ));
            }
        }
        Ok(Oracles::Each(oracles.into()).pinned())
    }
}
