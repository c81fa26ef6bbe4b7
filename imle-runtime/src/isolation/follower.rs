//! A thread beside each worker: it passes on what the worker prints, on either stream, to the standard error of
//! this process, so that it spoils no data, and says when the worker is dead.

use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::process::{Child, ChildStderr};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::process::{Pid, PidfdFlags, pidfd_open};

use super::memory::FirstPage;

/// So much of the end of what was printed is kept.
const KEPT: usize = 32 << 10;
/// So many lines of it are told.
const LINES: usize = 4;
/// Nobody waits longer for the end of what a dead process printed.
const PATIENCE: Duration = Duration::from_millis(200);

/// Receives the end of what a worker printed, once it is dead.
#[derive(Debug)]
pub(super) struct Follower(Receiver<Vec<u8>>);

impl Follower {
    /// Follows a process whose standard error is piped until its end, which is noted on the page.
    pub(super) fn start(child: &mut Child, page: Arc<FirstPage>) -> io::Result<Self> {
        let output = child.stderr.take();
        let output = output.ok_or_else(|| io::Error::other("standard error is not piped"))?;
        let id = Pid::from_child(child);
        let process = pidfd_open(id, PidfdFlags::empty())?;
        let (send, receive) = channel();
        let name = "imle-worker follower".to_owned();
        let follow = move || follow(&process, output, &page, &send);
        thread::Builder::new().name(name).spawn(follow)?;
        Ok(Self(receive))
    }

    /// The last lines of a worker that is dead, but for those of a backtrace: it comes last and says less than what it
    /// belongs to.
    pub(super) fn last_words(&self) -> String {
        let end = self.0.recv_timeout(PATIENCE).unwrap_or_default();
        let end = String::from_utf8_lossy(&end);
        let lines = end.lines().map(str::trim).filter(|line| !line.is_empty());
        let lines = without_backtraces(lines);
        lines[lines.len().saturating_sub(LINES)..].join(" / ")
    }
}

/// Leaves out what Rust prints below `stack backtrace:`.
fn without_backtraces<'a>(lines: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let is_number = |(number, _): (&str, &str)| number.parse::<u32>().is_ok();
    let is_frame = |line: &str| {
        line.starts_with("at ")
            || line.starts_with("note: Some details are omitted")
            || line.split_once(':').is_some_and(is_number)
    };
    let mut inside = false;
    let told = |line: &&str| {
        inside = *line == "stack backtrace:" || (inside && is_frame(line));
        !inside
    };
    lines.filter(told).collect()
}

fn follow(process: &OwnedFd, mut output: ChildStderr, page: &FirstPage, send: &Sender<Vec<u8>>) {
    let (mut end, mut buffer, mut is_open) = (Vec::new(), [0; 4096], true);
    loop {
        let mut waited = [
            PollFd::new(process, PollFlags::IN),
            PollFd::new(&output, PollFlags::IN),
        ];
        let waited = &mut waited[..if is_open { 2 } else { 1 }];
        if poll(waited, None).is_err() {
            continue; // a signal
        }
        let says = |at: usize| waited.get(at).is_some_and(|fd| !fd.revents().is_empty());
        let (is_dead, has_output) = (says(0), says(1));
        if is_dead {
            // At once: whoever waits kills what the solver started, which may hold the stream open.
            page.turns().note_death();
        }
        if has_output {
            match output.read(&mut buffer) {
                Ok(read @ 1..) => pass_on(&buffer[..read], &mut end),
                _ => is_open = false,
            }
        } else if is_dead {
            break;
        }
    }
    // Nobody may be interested any more.
    let _ = send.send(end);
}

fn pass_on(text: &[u8], end: &mut Vec<u8>) {
    // Nobody can be told that there is no standard error.
    let _ = io::stderr().write_all(text);
    end.extend_from_slice(text);
    let surplus = end.len().saturating_sub(KEPT);
    end.drain(..surplus);
}

#[cfg(test)]
mod tests {
    use super::without_backtraces;

    #[test]
    fn a_backtrace_does_not_hide_what_it_belongs_to() {
        let said = "thread 'main' panicked at lib.rs:3:5:\nno row like 4\nstack backtrace:\n0: __rustc::rust_begin_unwind\n\
            at /rustc/library/std/src/panicking.rs:689:5\nnote: Some details are omitted, run with `RUST_BACKTRACE=full` \
            for a verbose backtrace.\naborting";
        let told = without_backtraces(said.lines());
        assert_eq!(
            told,
            [
                "thread 'main' panicked at lib.rs:3:5:",
                "no row like 4",
                "aborting"
            ]
        );
    }
}
