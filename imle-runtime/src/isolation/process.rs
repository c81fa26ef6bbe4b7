//! A child process that serves: one call after the other.

use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use imle_api::{Error, ErrorKind, Facts, Limits};

use super::Isolation;
use super::child::Process;
use super::death::Cause;
use super::follower::Follower;
use super::memory::{FirstPage, Shared};
use super::turns::{Reply, Request, Turns, Verb, Waited};
use crate::plugin_calls::{Rows, seconds_left};
use crate::plugin_checks::Returned;

/// How often the stop flag of a call is looked at: nobody is told when one is raised.
const STOP_INTERVAL: Duration = Duration::from_millis(5);

/// A child process that serves one instance.
#[derive(Debug)]
pub(super) struct Worker {
    pub(super) process: Process,
    /// Held for as long as the process shall live.
    pub(super) _socket: UnixStream,
    pub(super) page: Arc<FirstPage>,
    pub(super) memory: Shared,
    pub(super) turn: u32,
    pub(super) returned: Returned,
    pub(super) follower: Follower,
    pub(super) facts: Facts,
}

impl Worker {
    pub(super) fn id(&self) -> u32 {
        self.process.child.id()
    }

    pub(super) fn is_alive(&self) -> bool {
        !self.page.turns().is_dead()
    }

    /// Asks the worker about rows and gives those that it answered their results, also if it dies. The inner
    /// error is the plugin's about the call, the outer one that of a process that is gone.
    pub(super) fn call<T>(
        &mut self,
        verb: Verb,
        rows: &mut Rows<'_, T>,
        settings: &Isolation,
        limits: &Limits<'_>,
        result: impl Fn(&Returned, usize, &[f64], &[f64]) -> Result<T, Error>,
    ) -> Result<Result<(), Error>, Cause> {
        let count = rows.results.len();
        self.memory.prepare(rows.theta, count);
        let request = Request {
            verb,
            rows: count as u32,
            time_limit: seconds_left(limits),
            may_stop: limits.stop_word().is_some(),
        };
        self.ask(&request);
        let reply = self.wait(count, settings, limits);
        if reply.is_err() {
            self.process.end(); // before its rows are read
        }
        let taken = self.memory.take(count, &mut self.returned, rows.output);
        taken.map_err(|array| {
            self.process.end();
            Cause::Scribbled(array)
        })?;
        let both = rows
            .theta
            .chunks_exact(rows.dim)
            .zip(rows.output.chunks_exact(rows.dim));
        let returned = &self.returned;
        returned.answer(both, rows.results, |row, theta, output| {
            result(returned, row, theta, output)
        });
        let reply = reply?;
        if reply.code == 0 {
            return Ok(Ok(()));
        }
        Ok(Err(failed(reply.code, self.memory.message(reply.length))))
    }

    fn ask(&mut self, request: &Request) {
        self.turn = Turns::after(self.turn);
        self.page.turns().ask(self.turn, request);
    }

    /// Waits for the reply, for the end of the process, or until it must be ended.
    fn wait(
        &mut self,
        rows: usize,
        settings: &Isolation,
        limits: &Limits<'_>,
    ) -> Result<Reply, Cause> {
        let silence = Duration::from_secs_f64(settings.time_limit);
        let grace = Duration::from_secs_f64(settings.grace);
        let now = Instant::now();
        let mut answered = 0;
        // `None` where the clock cannot hold it.
        let mut silent_at = now.checked_add(silence);
        let past_time_at = limits
            .time_left()
            .and_then(|left| now.checked_add(left)?.checked_add(grace));
        let mut past_stop_at = None;
        loop {
            let now = Instant::now();
            let is_past = |at: Option<Instant>| at.is_some_and(|at| at <= now);
            if is_past(past_stop_at) {
                return Err(Cause::PastStop(grace));
            }
            if is_past(past_time_at) {
                return Err(Cause::PastTime(grace));
            }
            if is_past(silent_at) {
                let before = std::mem::replace(&mut answered, self.memory.answered(rows));
                if answered == before {
                    return Err(Cause::Silent(silence));
                }
                silent_at = now.checked_add(silence);
            }
            let stop = limits.stop_word();
            if stop.is_some_and(|word| word.load(Ordering::Acquire) != 0) && past_stop_at.is_none()
            {
                self.page.turns().stop().store(1, Ordering::Release);
                past_stop_at = now.checked_add(grace);
            }
            let ends = [silent_at, past_time_at, past_stop_at];
            let next = ends.into_iter().flatten().min();
            let mut patience = next.map(|next| next.saturating_duration_since(now));
            if stop.is_some() && past_stop_at.is_none() {
                patience = Some(patience.map_or(STOP_INTERVAL, |next| next.min(STOP_INTERVAL)));
            }
            match self.page.turns().wait(self.turn, patience) {
                Waited::Reply(reply) => return Ok(reply),
                Waited::Dead => return Err(self.process.end_of()),
                Waited::TimedOut => {}
            }
        }
    }

    /// What it said before it died.
    pub(super) fn last_words(&self) -> String {
        self.follower.last_words()
    }

    /// Asks it to destroy its instance and end.
    pub(super) fn ask_to_end(&mut self) {
        self.ask(&Request {
            verb: Verb::End,
            rows: 0,
            time_limit: 0.0,
            may_stop: false,
        });
    }

    /// Waits for it to end, and ends it if it does not.
    pub(super) fn wait_for_end(&mut self, grace: Duration) {
        // For its death: a request to end has no reply.
        self.page.turns().wait(self.turn, Some(grace));
        self.process.end();
    }
}

/// What the other side says in numbers and words.
pub(super) fn failed(code: i32, message: String) -> Error {
    let kind = ErrorKind::from_code(code).unwrap_or(ErrorKind::BackendFailed);
    Error::new(kind, message)
}
