//! How a worker comes into being.

use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use imle_api::{Error, ErrorKind};
use rustix::fs::{MemfdFlags, SealFlags};

use super::Isolation;
use super::child::Process;
use super::death::Cause;
use super::follower::Follower;
use super::layout::Layout;
use super::memory::{FirstPage, Shared};
use super::process::{Worker, failed};
use super::wire::{
    InTime, LONGEST_ANSWER, LONGEST_OPENING, Opened, Opening, is_timeout, receive_json, send_json,
};
use crate::plugin_checks::Returned;

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
        // A mapping of a file that somebody made shorter is a SIGBUS here, and the plugin runs before the file has its
        // size for good.
        rustix::fs::fcntl_add_seals(&memory, SealFlags::SHRINK).map_err(io::Error::from)?;
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
        let mut process = Process::new(child);
        let follower = Follower::start(&mut process.child, page.clone())?;
        let mut in_time = InTime::new(&socket, time_limit);
        let facts = match open(&mut in_time, opening) {
            Ok(Opened::Facts(facts)) => facts.read().map_err(NoWorker::Refused)?,
            Ok(Opened::Failed(code, message)) => {
                return Err(NoWorker::Refused(failed(code, message)));
            }
            Err(why) if why.kind() == io::ErrorKind::InvalidData => {
                return Err(makes_no_sense(program, &why));
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
        let memory = share(in_time, memory, facts.dim)?;
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
}

/// Has the worker open the instance.
fn open(socket: &mut InTime<'_>, opening: &Opening) -> io::Result<Opened> {
    send_json(&mut *socket, opening, LONGEST_OPENING)?;
    receive_json(socket, LONGEST_ANSWER)
}

/// Gives the memory its size for good and tells the worker.
fn share(socket: InTime<'_>, memory: OwnedFd, dim: usize) -> io::Result<Shared> {
    rustix::fs::ftruncate(&memory, Layout::new(dim).size as u64)?;
    let seals = SealFlags::GROW | SealFlags::SEAL;
    rustix::fs::fcntl_add_seals(&memory, seals)?;
    send_json(socket, &dim, LONGEST_ANSWER)?;
    Shared::map(memory, dim)
}

fn makes_no_sense(program: &Path, why: &io::Error) -> NoWorker {
    let message = format!(
        "the worker {} answers what makes no sense: {why}",
        program.display()
    );
    NoWorker::Refused(Error::new(ErrorKind::ContractBroken, message))
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
