//! A thread beside each follower: it prints what a worker said, or waits for whoever takes it.

use std::io::{self, Write};
use std::sync::mpsc::{Receiver, SyncSender, channel, sync_channel};
use std::thread;

/// So many pieces wait for a standard error that takes none; those that find no room are left out.
const WAITING: usize = 256;

/// A thread that prints, because whoever reads what is printed may never take it.
pub(super) struct Printer {
    pieces: SyncSender<Vec<u8>>,
    /// Bytes that found no room since the last that did.
    left_out: usize,
}

impl Printer {
    /// Also returns what is disconnected when everything is printed and the printer is gone.
    pub(super) fn start(mut to: impl Write + Send + 'static) -> io::Result<(Self, Receiver<()>)> {
        let (pieces, to_print) = sync_channel::<Vec<u8>>(WAITING);
        let (done, is_done) = channel();
        let print = move || {
            // Nobody can be told that there is no standard error.
            to_print.iter().for_each(|piece| drop(to.write_all(&piece)));
            drop(done);
        };
        let name = "imle-worker printer".to_owned();
        thread::Builder::new().name(name).spawn(print)?;
        let left_out = 0;
        Ok((Self { pieces, left_out }, is_done))
    }

    pub(super) fn print(&mut self, text: &[u8]) {
        let mut piece = Vec::new();
        if self.left_out > 0 {
            let left_out = self.left_out;
            piece =
                format!("\n[{left_out} bytes that a worker printed are left out]\n").into_bytes();
        }
        piece.extend_from_slice(text);
        match self.pieces.try_send(piece) {
            Ok(()) => self.left_out = 0,
            Err(_) => self.left_out += text.len(),
        }
    }
}

/// Takes nothing until it is opened, as a pipe that nobody reads.
#[cfg(test)]
pub(super) struct Full {
    opened: Receiver<()>,
    taken: std::sync::mpsc::Sender<Vec<u8>>,
}

#[cfg(test)]
impl Full {
    /// Also returns what opens it by being dropped, and what it takes.
    pub(super) fn new() -> (Self, std::sync::mpsc::Sender<()>, Receiver<Vec<u8>>) {
        let ((open, opened), (taken, received)) = (channel(), channel());
        (Self { opened, taken }, open, received)
    }
}

#[cfg(test)]
impl Write for Full {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        let _ = self.taken.send(text.to_vec());
        let _ = self.opened.recv();
        Ok(text.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_out_is_said() {
        let (full, open, taken) = Full::new();
        let (mut printer, printed) = Printer::start(full).unwrap();
        printer.print(b"12345");
        let first = taken.recv().unwrap(); // the thread has it, and waits
        let mut count = WAITING + 2;
        (1..count).for_each(|_| printer.print(b"12345"));
        let left_out = printer.left_out;
        assert!(left_out > 0);
        drop(open);
        while printer.left_out > 0 {
            thread::yield_now();
            printer.print(b"12345");
            count += 1;
        }
        drop(printer);
        assert!(printed.recv().is_err());
        let said = std::iter::once(first).chain(taken);
        let said = said.collect::<Vec<_>>().concat();
        let said = String::from_utf8(said).unwrap();
        let (_, rest) = said.split_once("\n[").unwrap();
        let (bytes, rest) = rest
            .split_once(" bytes that a worker printed are left out]\n")
            .unwrap();
        let bytes: usize = bytes.parse().unwrap();
        assert!(
            bytes >= left_out && rest.ends_with("12345"),
            "{bytes} {rest}"
        );
        assert_eq!(said.matches("12345").count() + bytes / 5, count);
    }
}
