//! One child process: starting it, one call after the other, and its end.

use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use imle_api::{Error, ErrorKind, Facts, Limits};
use rustix::fs::{MemfdFlags, SealFlags};
use rustix::process::{Pid, Signal};

use super::Isolation;
use super::death::Cause;
use super::follower::Follower;
use super::memory::{FirstPage, Shared};
use super::turns::{Reply, Request, Turns, Verb, Waited};
use super::wire::{Opened, Opening, receive_json, send_json};
use crate::plugin_calls::{Rows, seconds_left};
use crate::plugin_checks::Returned;

/// How often the stop flag of a call is looked at: nobody is told when one is raised.
const STOP_INTERVAL: Duration = Duration::from_millis(5);

/// A child process that serves one instance.
#[derive(Debug)]
pub(super) struct Worker {
    process: Process,
    /// Held for as long as the process shall live.
    _socket: UnixStream,
    page: Arc<FirstPage>,
    memory: Shared,
    turn: u32,
    returned: Returned,
    follower: Follower,
    pub(super) facts: Facts,
}

/// Why there is no worker.
#[derive(Debug)]
pub(super) enum NoWorker {
    /// The solver, the plugin or this host says no; it would again.
    Refused(Error),
    /// It died before it could say anything.
    Died(Cause, String),
}

impl From<io::Error> for NoWorker {
    fn from(why: io::Error) -> Self {
        let message = format!("cannot start a worker process: {why}");
        Self::Refused(Error::new(ErrorKind::Io, message))
    }
}

impl Worker {
    /// Starts a process and has it open the instance.
    pub(super) fn start(
        program: &Path,
        opening: &Opening,
        time_limit: Duration,
    ) -> Result<Self, NoWorker> {
        let (socket, theirs) = UnixStream::pair()?;
        let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
        let memory = rustix::fs::memfd_create("imle", flags).map_err(io::Error::from)?;
        let first_page = FirstPage::size() as u64;
        rustix::fs::ftruncate(&memory, first_page).map_err(io::Error::from)?;
        let page = Arc::new(FirstPage::map(&memory)?);
        // The child finds the socket as its standard input and the memory as its standard output. Its own
        // process group keeps the keyboard's signals away from it, and takes what the solver starts along.
        let child = Command::new(program)
            .stdin(OwnedFd::from(theirs))
            .stdout(memory.try_clone()?)
            .stderr(Stdio::piped())
            .process_group(0)
            .spawn()
            .map_err(|why| cannot_run(program, &why))?;
        let mut process = Process {
            child,
            status: None,
        };
        let follower = Follower::start(&mut process.child, page.clone())?;
        socket.set_read_timeout(Some(time_limit))?;
        let facts = match open(&socket, opening) {
            Ok(Opened::Facts(facts)) => facts.read().map_err(NoWorker::Refused)?,
            Ok(Opened::Failed(code, message)) => {
                return Err(NoWorker::Refused(failed(code, message)));
            }
            Err(why) => {
                let cause = match is_timeout(&why) {
                    true => Cause::Silent(time_limit),
                    false => process.end_of(),
                };
                process.end();
                return Err(NoWorker::Died(cause, follower.last_words()));
            }
        };
        let memory = share(&socket, memory, facts.dim)?;
        Ok(Self {
            process,
            _socket: socket,
            page,
            memory,
            turn: 0,
            returned: Returned::default(),
            follower,
            facts,
        })
    }

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

/// Has the worker open the instance.
fn open(socket: &UnixStream, opening: &Opening) -> io::Result<Opened> {
    send_json(socket, opening)?;
    receive_json(socket)
}

/// Gives the memory its size for good and tells the worker.
fn share(socket: &UnixStream, memory: OwnedFd, dim: usize) -> io::Result<Shared> {
    rustix::fs::ftruncate(&memory, Shared::size(dim))?;
    // A mapping of a file that somebody made shorter is a SIGBUS.
    let seals = SealFlags::SHRINK | SealFlags::GROW | SealFlags::SEAL;
    rustix::fs::fcntl_add_seals(&memory, seals)?;
    send_json(socket, &dim)?;
    Shared::map(memory, dim)
}

fn failed(code: i32, message: String) -> Error {
    let kind = ErrorKind::from_code(code).unwrap_or(ErrorKind::BackendFailed);
    Error::new(kind, message)
}

/// A child process and its group, ended when this is dropped.
#[derive(Debug)]
struct Process {
    child: Child,
    /// How it ended, once it was collected: from then on its id may be somebody else's.
    status: Option<ExitStatus>,
}

impl Process {
    /// Kills it and all that it started, if there are any, and collects it. One that is ending by itself keeps
    /// the status that it ends with.
    fn end(&mut self) -> Option<ExitStatus> {
        if self.status.is_none() {
            // Its group is its own since before it ran. Whoever is dead cannot be killed.
            let group = Pid::from_child(&self.child);
            let _ = rustix::process::kill_process_group(group, Signal::KILL);
            self.status = self.child.wait().ok();
        }
        self.status
    }

    /// How it ended.
    fn end_of(&mut self) -> Cause {
        self.end().map_or(Cause::Unknown, Cause::Ended)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.end();
    }
}

fn is_timeout(why: &io::Error) -> bool {
    matches!(
        why.kind(),
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut
    )
}

fn cannot_run(program: &Path, why: &io::Error) -> NoWorker {
    let message = format!("cannot run the worker {}: {why}", program.display());
    NoWorker::Refused(Error::new(ErrorKind::Io, message))
}

/// The program that the settings name, or the one beside this program.
///
/// # Errors
///
/// [`ErrorKind::NotFound`] with the files that were looked for.
pub(super) fn worker_program(settings: &Isolation) -> Result<PathBuf, Error> {
    let name = "imle-worker";
    let not_found = |message| Err(Error::new(ErrorKind::NotFound, message));
    if let Some(program) = &settings.worker {
        if program.is_relative() {
            let given = program.display();
            return not_found(format!(
                "`worker` = {given} is relative; give an absolute path"
            ));
        }
        return Ok(program.clone());
    }
    let this = std::env::current_exe()
        .map_err(|why| Error::new(ErrorKind::Io, format!("cannot find this program: {why}")))?;
    let mut candidates = Vec::new();
    if let Some(folder) = this.parent() {
        candidates.push(folder.join(name));
        // Where Cargo puts programs, for its own tests and examples.
        if folder.ends_with("deps") || folder.ends_with("examples") {
            candidates.extend(folder.parent().map(|folder| folder.join(name)));
        }
    }
    if let Some(found) = candidates.iter().find(|program| program.is_file()) {
        return Ok(found.clone());
    }
    let looked_for: Vec<_> = candidates
        .iter()
        .map(|program| program.display().to_string())
        .collect();
    not_found(format!(
        "isolation needs the program {name}, which is not at {}; install it there (crate {name}) or name it by \
         `worker`",
        looked_for.join(" or ")
    ))
}
