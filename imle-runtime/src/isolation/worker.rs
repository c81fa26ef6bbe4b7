//! The child's side: the program `imle-worker` is this and nothing else.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::process::ExitCode;
use std::thread;

use imle_api::{Error, ErrorKind};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::fs::FileType;
use rustix::process::Signal;

use super::memory::{FirstPage, Shared};
use super::turns::{Reply, Verb};
use super::wire::{
    LONGEST_ANSWER, LONGEST_OPENING, Opened, Opening, VERSION, WireFacts, receive_json, send_json,
};
use crate::plugin::Plugin;
use crate::plugin_oracle::LoadedOracle;
use crate::trust::Lock;

/// Serves the process that started this one until that ends it, or ends: the whole of the program `imle-worker`.
///
/// [`Isolated`](crate::Isolated) starts it with what it needs as its standard streams. Started by hand it says so
/// and fails.
#[must_use]
pub fn serve() -> ExitCode {
    match serve_parent() {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("imle-worker {VERSION}: {why}");
            ExitCode::FAILURE
        }
    }
}

fn serve_parent() -> io::Result<()> {
    let (socket, memory) = take_streams()?;
    end_with_parent(socket.try_clone()?)?;
    let opening: Opening = receive_json(&socket, LONGEST_OPENING)?;
    let oracle = match open(&opening) {
        Ok(oracle) => oracle,
        Err(why) => {
            let failed = Opened::Failed(why.kind().code(), why.message().to_owned());
            return send_json(&socket, &failed, LONGEST_ANSWER);
        }
    };
    let facts = WireFacts::of(&oracle.facts);
    send_json(&socket, &Opened::Facts(facts), LONGEST_ANSWER)?;
    let dim: usize = receive_json(&socket, LONGEST_ANSWER)?;
    let page = FirstPage::map(&memory)?;
    let shared = Shared::map(memory, dim)?;
    shared.protect()?;
    let turns = page.turns();
    let mut last = 0;
    while let Some((turn, request)) = turns.next(last) {
        if request.verb == Verb::End {
            return Ok(());
        }
        let (code, length) = match shared.work(&oracle, &request, turns) {
            Ok(()) => (0, 0),
            Err(why) => (why.kind().code(), shared.say(why.message())),
        };
        turns.reply(turn, Reply { code, length });
        last = turn;
    }
    Err(io::Error::other("a request that makes no sense"))
}

/// The socket and the memory come as the standard streams. Afterwards nothing is read from standard input, and
/// standard output is the same as standard error.
fn take_streams() -> io::Result<(UnixStream, OwnedFd)> {
    let (stdin, stdout) = (io::stdin(), io::stdout());
    let kind = |fd| rustix::fs::fstat(fd).map(|stat| FileType::from_raw_mode(stat.st_mode));
    if kind(stdin.as_fd())? != FileType::Socket || kind(stdout.as_fd())? != FileType::RegularFile {
        let message = "this program serves plugins to imle, which starts it (see `isolation`)";
        return Err(io::Error::other(message));
    }
    let socket = UnixStream::from(stdin.as_fd().try_clone_to_owned()?);
    let memory = stdout.as_fd().try_clone_to_owned()?;
    let nothing = File::open("/dev/null")?;
    rustix::stdio::dup2_stdin(&nothing)?;
    rustix::stdio::dup2_stdout(io::stderr().as_fd())?;
    Ok((socket, memory))
}

/// A thread that waits for the parent's end of the socket to be closed, which happens however the parent ends,
/// and then ends this process, whatever the solver is doing.
fn end_with_parent(socket: UnixStream) -> io::Result<()> {
    let wait = move || {
        loop {
            // Nothing but the end is waited for: requests are the other thread's.
            let mut end = [PollFd::new(&socket, PollFlags::empty())];
            if poll(&mut end, None).is_ok() && !end[0].revents().is_empty() {
                // Not `exit`, which would wait for the solver; and with all that the solver started.
                let this = rustix::process::getpid();
                let _ = rustix::process::kill_process_group(this, Signal::KILL);
                let _ = rustix::process::kill_process(this, Signal::KILL);
            }
        }
    };
    let name = "imle-worker parent".to_owned();
    thread::Builder::new().name(name).spawn(wait).map(drop)
}

fn open(opening: &Opening) -> Result<LoadedOracle, Error> {
    if opening.version != VERSION {
        let message = format!(
            "imle-worker is of version {VERSION} and the program that started it of {}; install the same",
            opening.version
        );
        return Err(Error::new(ErrorKind::AbiMismatch, message));
    }
    opening.locks.iter().cloned().for_each(Lock::enforce);
    // SAFETY: whoever opened the solver chose the library, and gave it this process to run in.
    let plugin = unsafe { Plugin::load(&opening.library) }?;
    plugin.open_loaded(&opening.solver, &opening.config)
}
