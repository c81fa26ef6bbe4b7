//! A thread beside each worker: it passes on what the worker prints, on either stream, to the standard error of
//! this process, so that it spoils no data, and says when the worker is dead.

use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::process::{Child, ChildStderr};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, pidfd_open};

use super::memory::FirstPage;
use super::printer::Printer;

/// So much is read at a time.
const PIECE: usize = 4096;
/// So much of the end of what was printed is kept.
const KEPT: usize = 32 << 10;
/// A pipe of ordinary users holds no more: what a dead worker said lies within so many bytes.
const MOST_IN_A_PIPE: usize = 1 << 20;
/// So many lines of it are told.
const LINES: usize = 4;
/// What a dead process left behind, and may hold its stream open, is listened to for so long.
const REST: Duration = Duration::from_millis(100);
/// Nobody waits longer for a thread of this file.
const PATIENCE: Duration = Duration::from_secs(1);

/// What is left to hear of a worker, once it is dead.
#[derive(Debug)]
pub(super) struct Follower {
    /// The end of what it printed.
    end: Receiver<Vec<u8>>,
    /// Disconnected when all of it is passed on.
    printed: Receiver<()>,
}

impl Follower {
    /// Follows a process whose standard error is piped until its end, which is noted on the page.
    pub(super) fn start(child: &mut Child, page: Arc<FirstPage>) -> io::Result<Self> {
        Self::start_with(child, page, io::stderr())
    }

    fn start_with(
        child: &mut Child,
        page: Arc<FirstPage>,
        print_to: impl Write + Send + 'static,
    ) -> io::Result<Self> {
        let output = child.stderr.take();
        let output = output.ok_or_else(|| io::Error::other("standard error is not piped"))?;
        let id = Pid::from_child(child);
        let process = pidfd_open(id, PidfdFlags::empty())?;
        let (mut printer, printed) = Printer::start(print_to)?;
        let (send, end) = channel();
        let follow = move || {
            // Nobody may be interested any more.
            let _ = send.send(follow(&process, output, &page, &mut printer));
        };
        let name = "imle-worker follower".to_owned();
        thread::Builder::new().name(name).spawn(follow)?;
        Ok(Self { end, printed })
    }

    /// The last lines of a worker that is dead, but for those of a backtrace: it comes last and says less than what it
    /// belongs to. All that it said has been passed on by then, if it is taken.
    pub(super) fn last_words(&self) -> String {
        let end = self.end.recv_timeout(PATIENCE).unwrap_or_default();
        let _ = self.printed.recv_timeout(REST);
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

/// Reads what the process prints, whether anybody takes it or not, so that it never waits to be heard; returns the end
/// of it.
fn follow(
    process: &OwnedFd,
    mut output: ChildStderr,
    page: &FirstPage,
    printer: &mut Printer,
) -> Vec<u8> {
    let (mut end, mut buffer, mut is_open) = (Vec::new(), [0; PIECE], true);
    let mut left: Option<usize> = None; // bytes to read at most, of one that is dead
    while left != Some(0) {
        let mut waited = [
            PollFd::new(&output, PollFlags::IN),
            PollFd::new(process, PollFlags::IN),
        ];
        let waited = match (is_open, left) {
            (true, None) => &mut waited[..],
            (true, Some(_)) => &mut waited[..1],
            (false, None) => &mut waited[1..],
            (false, Some(_)) => break,
        };
        let at_once = left.map(|_| Timespec::default());
        match poll(waited, at_once.as_ref()) {
            Ok(0) => break, // a dead process has nothing more to say
            Ok(_) => {}
            Err(_) => continue, // a signal
        }
        let is_ready = |fd: Option<&PollFd<'_>>| fd.is_some_and(|fd| !fd.revents().is_empty());
        let is_dead = left.is_none() && is_ready(waited.last());
        let has_output = is_open && is_ready(waited.first());
        if is_dead {
            // At once: whoever waits kills what the solver started, which may hold the stream open.
            page.turns().note_death();
            left = Some(MOST_IN_A_PIPE);
        }
        if has_output {
            match output.read(&mut buffer) {
                Ok(read @ 1..) => {
                    printer.print(&buffer[..read]);
                    keep(&buffer[..read], &mut end);
                    left = left.map(|left| left.saturating_sub(read));
                }
                _ => is_open = false,
            }
        }
    }
    end
}

fn keep(text: &[u8], end: &mut Vec<u8>) {
    end.extend_from_slice(text);
    let surplus = end.len().saturating_sub(KEPT);
    end.drain(..surplus);
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::CommandExt;
    use std::process::{Command, Stdio};

    use super::super::printer::Full;
    use super::super::turns::Waited;
    use super::*;

    fn shell(script: &str) -> Child {
        let mut command = Command::new("sh");
        command.args(["-c", script]).stderr(Stdio::piped());
        command.process_group(0).spawn().expect("there is a shell")
    }

    fn page() -> Arc<FirstPage> {
        let file = rustix::fs::memfd_create("test", rustix::fs::MemfdFlags::CLOEXEC).unwrap();
        rustix::fs::ftruncate(&file, FirstPage::size() as u64).unwrap();
        Arc::new(FirstPage::map(&file).unwrap())
    }

    /// Megabytes are more than all pipes and queues between hold.
    #[test]
    fn a_worker_is_heard_though_nobody_takes_what_it_prints() {
        let mut child = shell("yes chatter | head -c 8000000 >&2; echo the end >&2; exit 3");
        let page = page();
        let (full, open, _) = Full::new();
        let follower = Follower::start_with(&mut child, page.clone(), full).unwrap();
        let waited = page.turns().wait(1, Some(Duration::from_secs(60)));
        assert!(matches!(waited, Waited::Dead), "{waited:?}");
        let words = follower.last_words();
        assert!(words.ends_with("chatter / the end"), "{words}");
        assert_eq!(child.wait().unwrap().code(), Some(3));
        drop(open);
    }

    /// A process that has left the group of the worker, and outlives it.
    #[test]
    fn whoever_holds_the_stream_open_does_not_hide_the_last_words() {
        let mut child = shell("echo my last >&2; setsid sleep 3 & exit 0");
        let page = page();
        let follower = Follower::start_with(&mut child, page.clone(), io::sink()).unwrap();
        let waited = page.turns().wait(1, Some(Duration::from_secs(60)));
        assert!(matches!(waited, Waited::Dead), "{waited:?}");
        assert_eq!(follower.last_words(), "my last");
        child.wait().unwrap();
    }

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
