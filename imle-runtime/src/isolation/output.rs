//! What a worker prints, on either stream: passed on to the standard error of this process, so that it spoils no
//! data, and its end kept for the sentence about a death.

use std::io::{Read, Write};
use std::process::ChildStderr;
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

/// So much of the end is kept.
const KEPT: usize = 2 << 10;
/// So many lines of it are told.
const LINES: usize = 4;
/// A process that the solver started may hold the stream open; nobody waits for it longer.
const PATIENCE: Duration = Duration::from_millis(200);

/// The end of what a worker printed, once it is dead.
#[derive(Debug)]
pub(super) struct Output(Receiver<Vec<u8>>);

impl Output {
    /// Follows the stream until its end.
    pub(super) fn follow(mut from: ChildStderr) -> std::io::Result<Self> {
        let (send, receive) = channel();
        let follow = move || {
            let (mut end, mut buffer) = (Vec::new(), [0; 4096]);
            while let Ok(read @ 1..) = from.read(&mut buffer) {
                // Nobody can be told that there is no standard error.
                let _ = std::io::stderr().write_all(&buffer[..read]);
                end.extend_from_slice(&buffer[..read]);
                let surplus = end.len().saturating_sub(KEPT);
                end.drain(..surplus);
            }
            // Nobody may be interested any more.
            let _ = send.send(end);
        };
        let name = "imle-worker output".to_owned();
        thread::Builder::new().name(name).spawn(follow)?;
        Ok(Self(receive))
    }

    /// The last lines of a worker that is dead.
    pub(super) fn last_words(&self) -> String {
        let end = self.0.recv_timeout(PATIENCE).unwrap_or_default();
        let end = String::from_utf8_lossy(&end);
        let lines = end.lines().map(str::trim).filter(|line| !line.is_empty());
        let lines: Vec<&str> = lines.collect();
        lines[lines.len().saturating_sub(LINES)..].join(" / ")
    }
}
