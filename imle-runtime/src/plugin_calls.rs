//! The host's side of the boundary, third part: calls with rows, which make an instance an oracle.

use std::ops::Range;
use std::ptr;

use imle_api::{Error, ErrorKind, Facts, Identity, Limits, Oracle, Outcome, abi, unset};

use crate::plugin_checks::Returned;
use crate::plugin_oracle::{LoadedOracle, LoadedWorkspace, is_fatal_for_workspace};
use crate::plugin_text::{TextSink, check, take_row_message};

impl LoadedOracle {
    /// Solves with one call of the plugin. Rows that it left unset keep that outcome; the error is the call's
    /// own.
    fn call_solve(
        &self,
        workspace: &LoadedWorkspace,
        theta: &[f64],
        z: &mut [f64],
        outcomes: &mut [Outcome],
        limits: &Limits<'_>,
    ) -> Result<(), Error> {
        let mut returned = Returned::new(outcomes.len());
        let mut error = TextSink::new();
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
        // SAFETY: instance and workspace are alive and the workspace is ours alone; every array has the
        // length that the header asks for and lives through the call.
        let status = unsafe {
            let (instance, workspace) = (self.instance.as_ptr(), workspace.workspace.as_ptr());
            (self.functions.solve)(instance, workspace, &arguments, error.as_sink())
        };
        let rows = theta
            .chunks_exact(self.facts.dim)
            .zip(z.chunks_exact(self.facts.dim));
        returned.answer(rows, outcomes, |row, theta, z| {
            returned.outcome(row, &self.facts, theta, z)
        });
        check(status, &error)
    }

    /// Asks for marginals with one call of the plugin, as [`call_solve`](Self::call_solve) does for states.
    fn call_marginals(
        &self,
        workspace: &LoadedWorkspace,
        theta: &[f64],
        mu: &mut [f64],
        log_partitions: &mut [Result<f64, Error>],
        limits: &Limits<'_>,
    ) -> Result<(), Error> {
        let Some(marginals) = self.functions.marginals else {
            let message = format!(
                "{} has no exact marginals; estimate them by the mean of samples",
                self.name
            );
            return Err(Error::new(ErrorKind::Unsupported, message));
        };
        let mut returned = Returned::new(log_partitions.len());
        let mut error = TextSink::new();
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
        let status = unsafe {
            let (instance, workspace) = (self.instance.as_ptr(), workspace.workspace.as_ptr());
            marginals(instance, workspace, &arguments, error.as_sink())
        };
        let rows = theta
            .chunks_exact(self.facts.dim)
            .zip(mu.chunks_exact(self.facts.dim));
        returned.answer(rows, log_partitions, |row, _, mu| {
            returned.log_partition(row, &self.facts, mu)
        });
        check(status, &error)
    }

    /// Answers every row by calls of the plugin. After a panic the rows that have no result yet are given to
    /// a fresh workspace.
    fn every_row<T: Clone + PartialEq>(
        &self,
        theta: &[f64],
        output: &mut [f64],
        results: &mut [Result<T, Error>],
        call: impl Fn(
            &LoadedWorkspace,
            &[f64],
            &mut [f64],
            &mut [Result<T, Error>],
        ) -> Result<(), Error>,
    ) {
        let dim = self.facts.dim;
        assert_eq!(theta.len(), results.len() * dim, "theta is [rows, dim]");
        assert_eq!(output.len(), theta.len(), "the output is [rows, dim]");
        results.fill(unset());
        let mut from = 0;
        // One run of rows without a result after the other: a row that has one is not handed out again.
        while let Some(run) = next_unset(results, from) {
            let values = run.start * dim..run.end * dim;
            let (theta, output) = (&theta[values.clone()], &mut output[values]);
            let rows = &mut results[run.clone()];
            from = run.end;
            let called = self.with_workspace(|workspace| call(workspace, theta, output, rows));
            let Err(why) = called else {
                continue;
            };
            let unset_rows = rows.iter_mut().filter(|result| **result == unset());
            if !is_fatal_for_workspace(&why) {
                unset_rows.for_each(|result| *result = Err(why.clone()));
                continue;
            }
            // A panic that did not answer the first row costs it, so that every turn makes progress.
            if rows[0] == unset() {
                rows[0] = Err(why);
            }
            from = run.start + 1;
        }
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
        self.every_row(theta, z, outcomes, |workspace, theta, z, outcomes| {
            self.call_solve(workspace, theta, z, outcomes, limits)
        });
    }

    fn marginals(
        &self,
        theta: &[f64],
        mu: &mut [f64],
        log_partitions: &mut [Result<f64, Error>],
        limits: &Limits<'_>,
    ) {
        self.every_row(theta, mu, log_partitions, |workspace, theta, mu, rows| {
            self.call_marginals(workspace, theta, mu, rows, limits)
        });
    }
}

/// The next rows from `from` on that have no result.
fn next_unset<T: PartialEq>(results: &[Result<T, Error>], from: usize) -> Option<Range<usize>> {
    let is_unset = |result: &Result<T, Error>| *result == unset();
    let start = from + results[from..].iter().position(is_unset)?;
    let length = results[start..]
        .iter()
        .take_while(|result| is_unset(result))
        .count();
    Some(start..start + length)
}

/// The time limit of a call; an exhausted one must not read as "no limit".
fn seconds_left(limits: &Limits<'_>) -> f64 {
    limits
        .time_left()
        .map_or(0.0, |left| left.as_secs_f64().max(1e-9))
}

fn stop_word(limits: &Limits<'_>) -> *const u32 {
    limits
        .stop_word()
        .map_or(ptr::null(), |word| word.as_ptr().cast_const())
}
