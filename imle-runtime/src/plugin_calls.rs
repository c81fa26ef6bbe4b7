//! The host's side of the boundary, third part: calls with rows, which make an instance an oracle.

use std::ops::Range;
use std::ptr::{self, NonNull};

use imle_api::{Error, ErrorKind, Facts, Identity, Limits, Oracle, Outcome, abi, unset};

use crate::plugin_oracle::{LoadedOracle, LoadedWorkspace, is_fatal_for_workspace};
use crate::plugin_text::{TextSink, check, take_row_message};

impl LoadedOracle {
    /// Solves with one call of the plugin. Rows that it left unset keep that outcome; the error is the call's
    /// own.
    fn call_solve(
        &self,
        workspace: &mut LoadedWorkspace,
        theta: &[f64],
        z: &mut [f64],
        outcomes: &mut [Outcome],
        limits: &Limits<'_>,
    ) -> Result<(), Error> {
        let LoadedWorkspace {
            workspace,
            returned,
            ..
        } = workspace;
        returned.clear(outcomes.len());
        let arguments = abi::SolveArguments {
            struct_size: size_of::<abi::SolveArguments>() as u32,
            flags: 0,
            rows: outcomes.len() as u64,
            theta: theta.as_ptr(),
            z: z.as_mut_ptr(),
            status: returned.status.as_mut_ptr(),
            objective: returned.value.as_mut_ptr(),
            bound: returned.bound.as_mut_ptr(),
            radius: returned.radius.as_mut_ptr(),
            time_limit: seconds_left(limits),
            stop: stop_word(limits),
            row_message: Some(take_row_message),
            host: ptr::from_mut(&mut returned.messages).cast(),
        };
        // SAFETY: the workspace is ours alone; every array has the length that the header asks for and lives through the
        // call.
        let called = unsafe { self.ask_states(*workspace, &arguments) };
        let rows = theta
            .chunks_exact(self.facts.dim)
            .zip(z.chunks_exact(self.facts.dim));
        returned.answer(rows, outcomes, |row, theta, z| {
            returned.outcome(row, &self.facts, theta, z)
        });
        called
    }

    /// Makes one call of the plugin; the error is the call's own.
    ///
    /// # Safety
    ///
    /// The workspace is one of this instance and in no other call, and every pointer of `arguments` is as `imle_plugin.h`
    /// says, during the call.
    pub(crate) unsafe fn ask_states(
        &self,
        workspace: NonNull<abi::Workspace>,
        arguments: &abi::SolveArguments,
    ) -> Result<(), Error> {
        let mut error = TextSink::new();
        // SAFETY: the instance is alive; the workspace and the arguments are the caller's promise.
        let status = unsafe {
            let (instance, workspace) = (self.instance.as_ptr(), workspace.as_ptr());
            (self.functions.solve)(instance, workspace, arguments, error.as_sink())
        };
        check(status, &error)
    }

    /// Asks for marginals with one call of the plugin, as [`call_solve`](Self::call_solve) does for states.
    fn call_marginals(
        &self,
        workspace: &mut LoadedWorkspace,
        theta: &[f64],
        mu: &mut [f64],
        log_partitions: &mut [Result<f64, Error>],
        limits: &Limits<'_>,
    ) -> Result<(), Error> {
        let LoadedWorkspace {
            workspace,
            returned,
            ..
        } = workspace;
        returned.clear(log_partitions.len());
        let arguments = abi::MarginalsArguments {
            struct_size: size_of::<abi::MarginalsArguments>() as u32,
            flags: 0,
            rows: log_partitions.len() as u64,
            theta: theta.as_ptr(),
            mu: mu.as_mut_ptr(),
            status: returned.status.as_mut_ptr(),
            log_partition: returned.value.as_mut_ptr(),
            time_limit: seconds_left(limits),
            stop: stop_word(limits),
            row_message: Some(take_row_message),
            host: ptr::from_mut(&mut returned.messages).cast(),
        };
        // SAFETY: as for a solve.
        let called = unsafe { self.ask_marginals(*workspace, &arguments) };
        let rows = theta
            .chunks_exact(self.facts.dim)
            .zip(mu.chunks_exact(self.facts.dim));
        returned.answer(rows, log_partitions, |row, _, mu| {
            returned.log_partition(row, &self.facts, mu)
        });
        called
    }

    /// As [`ask_states`](Self::ask_states), for marginals.
    ///
    /// # Safety
    ///
    /// The workspace is one of this instance and in no other call, and every pointer of `arguments` is as `imle_plugin.h`
    /// says, during the call.
    pub(crate) unsafe fn ask_marginals(
        &self,
        workspace: NonNull<abi::Workspace>,
        arguments: &abi::MarginalsArguments,
    ) -> Result<(), Error> {
        let Some(marginals) = self.functions.marginals else {
            let message = format!(
                "{} has no exact marginals; estimate them by the mean of samples",
                self.name
            );
            return Err(Error::new(ErrorKind::Unsupported, message));
        };
        let mut error = TextSink::new();
        // SAFETY: as for states.
        let status = unsafe {
            let (instance, workspace) = (self.instance.as_ptr(), workspace.as_ptr());
            marginals(instance, workspace, arguments, error.as_sink())
        };
        check(status, &error)
    }
}

/// Rows with their outputs and the places for their results.
pub(crate) struct Rows<'a, T> {
    pub(crate) dim: usize,
    /// `[rows, dim]`
    pub(crate) theta: &'a [f64],
    /// `[rows, dim]`: states or marginals.
    pub(crate) output: &'a mut [f64],
    pub(crate) results: &'a mut [Result<T, Error>],
}

impl<T: Clone + PartialEq> Rows<'_, T> {
    /// No row has a result yet.
    pub(crate) fn unset<'a>(
        dim: usize,
        theta: &'a [f64],
        output: &'a mut [f64],
        results: &'a mut [Result<T, Error>],
    ) -> Rows<'a, T> {
        assert_eq!(theta.len(), results.len() * dim, "theta is [rows, dim]");
        assert_eq!(output.len(), theta.len(), "the output is [rows, dim]");
        results.fill(unset());
        Rows {
            dim,
            theta,
            output,
            results,
        }
    }

    /// Some of the rows.
    pub(crate) fn part(&mut self, rows: Range<usize>) -> Rows<'_, T> {
        let values = rows.start * self.dim..rows.end * self.dim;
        Rows {
            dim: self.dim,
            theta: &self.theta[values.clone()],
            output: &mut self.output[values],
            results: &mut self.results[rows],
        }
    }

    /// Answers the rows that have no result by calls of the plugin. After a panic those that are left are
    /// given to a fresh workspace.
    pub(crate) fn answer(&mut self, mut call: impl FnMut(Rows<'_, T>) -> Result<(), Error>) {
        let mut from = 0;
        // One run of rows without a result after the other: a row that has one is not handed out again.
        while let Some(run) = self.next_unset(from) {
            from = run.end;
            let Err(why) = call(self.part(run.clone())) else {
                continue;
            };
            let results = &mut self.results[run.clone()];
            let unset_rows = results.iter_mut().filter(|result| **result == unset());
            if !is_fatal_for_workspace(&why) {
                unset_rows.for_each(|result| *result = Err(why.clone()));
                continue;
            }
            // A panic that did not answer the first row costs it, so that every turn makes progress.
            if results[0] == unset() {
                results[0] = Err(why);
            }
            from = run.start + 1;
        }
    }

    /// The next rows from `from` on that have no result.
    pub(crate) fn next_unset(&self, from: usize) -> Option<Range<usize>> {
        let is_unset = |result: &Result<T, Error>| *result == unset();
        let start = from + self.results[from..].iter().position(is_unset)?;
        let length = self.results[start..]
            .iter()
            .take_while(|result| is_unset(result))
            .count();
        Some(start..start + length)
    }
}

impl Oracle for LoadedOracle {
    fn facts(&self) -> Facts {
        self.facts
    }

    fn may_use_rayon(&self) -> bool {
        false
    }

    fn identity(&self) -> Identity {
        self.identity
    }

    fn solve(&self, theta: &[f64], z: &mut [f64], outcomes: &mut [Outcome], limits: &Limits<'_>) {
        Rows::unset(self.facts.dim, theta, z, outcomes).answer(|rows| {
            self.with_workspace(|workspace| {
                self.call_solve(workspace, rows.theta, rows.output, rows.results, limits)
            })
        });
    }

    fn marginals(
        &self,
        theta: &[f64],
        mu: &mut [f64],
        log_partitions: &mut [Result<f64, Error>],
        limits: &Limits<'_>,
    ) {
        Rows::unset(self.facts.dim, theta, mu, log_partitions).answer(|rows| {
            self.with_workspace(|workspace| {
                self.call_marginals(workspace, rows.theta, rows.output, rows.results, limits)
            })
        });
    }
}

/// The time limit of a call; an exhausted one must not read as "no limit".
pub(crate) fn seconds_left(limits: &Limits<'_>) -> f64 {
    limits
        .time_left()
        .map_or(0.0, |left| left.as_secs_f64().max(1e-9))
}

fn stop_word(limits: &Limits<'_>) -> *const u32 {
    limits
        .stop_word()
        .map_or(ptr::null(), |word| word.as_ptr().cast_const())
}
