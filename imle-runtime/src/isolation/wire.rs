//! What goes over the socket between a process and its worker: one exchange of JSON, which opens the solver. All
//! else is in shared memory.

use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use imle_api::{Error, ErrorKind, Facts, ThetaDomain, abi};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::plugin_checks::facts_of;
use crate::trust::Lock;

/// Both sides are built from one version of this crate; this says so.
pub(super) const VERSION: &str = env!("CARGO_PKG_VERSION");

/// A configuration has at most so many bytes.
pub(super) const LONGEST_CONFIG: usize = 1 << 28;
/// Six times as long when every character of it is escaped, and the rest is short.
pub(super) const LONGEST_OPENING: usize = 1 << 31;
/// Facts and sentences are shorter; the process that answers is not to be believed.
pub(super) const LONGEST_ANSWER: usize = 1 << 20;

/// The first message: what to serve.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Opening {
    pub(super) version: String,
    pub(super) library: String,
    pub(super) solver: String,
    /// JSON text, as it was given.
    pub(super) config: String,
    /// What the process that asks enforces.
    pub(super) locks: Vec<Lock>,
}

/// The answer to it: the facts of the instance, or a code and a sentence.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Opened {
    Facts(WireFacts),
    Failed(i32, String),
}

/// Facts of an instance as plain numbers.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct WireFacts {
    dim: u64,
    ones: u64,
    integral: bool,
    /// The bits: JSON has no infinities.
    z_lower: u64,
    z_upper: u64,
    theta_domain: u32,
}

impl WireFacts {
    pub(super) fn of(facts: &Facts) -> Self {
        Self {
            dim: facts.dim as u64,
            ones: facts.ones.map_or(abi::ONES_VARY, |ones| ones as u64),
            integral: facts.integral,
            z_lower: facts.z_lower.to_bits(),
            z_upper: facts.z_upper.to_bits(),
            theta_domain: facts.theta_domain as u32,
        }
    }

    /// Checks them as those of a plugin in this process are.
    pub(super) fn read(&self) -> Result<Facts, Error> {
        let info = abi::Info {
            struct_size: size_of::<abi::Info>() as u32,
            flags: match self.integral {
                true => abi::INFO_INTEGRAL,
                false => 0,
            },
            dim: self.dim,
            ones: self.ones,
            z_lower: f64::from_bits(self.z_lower),
            z_upper: f64::from_bits(self.z_upper),
            theta_domain: self.theta_domain,
            reserved: 0,
        };
        debug_assert_eq!(ThetaDomain::Any as u32, 0);
        facts_of(&info).map_err(|why| {
            let message = format!("the worker states {why}");
            Error::new(ErrorKind::ContractBroken, message)
        })
    }
}

/// Whether an exchange was not over in time.
pub(super) fn is_timeout(why: &io::Error) -> bool {
    matches!(
        why.kind(),
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut
    )
}

/// One end of the socket, for an exchange that has to be over in time, in however many steps it goes.
pub(super) struct InTime<'a> {
    socket: &'a UnixStream,
    /// `None` where the clock cannot hold it.
    end: Option<Instant>,
}

impl<'a> InTime<'a> {
    pub(super) fn new(socket: &'a UnixStream, limit: Duration) -> Self {
        let end = Instant::now().checked_add(limit);
        Self { socket, end }
    }

    fn left(&self) -> io::Result<Option<Duration>> {
        let left = self
            .end
            .map(|end| end.saturating_duration_since(Instant::now()));
        match left {
            Some(Duration::ZERO) => Err(io::ErrorKind::TimedOut.into()),
            left => Ok(left),
        }
    }
}

impl Read for InTime<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.socket.set_read_timeout(self.left()?)?;
        self.socket.read(buffer)
    }
}

impl Write for InTime<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.socket.set_write_timeout(self.left()?)?;
        self.socket.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Sends a value as JSON behind its length.
pub(super) fn send_json(
    mut to: impl Write,
    value: &impl Serialize,
    longest: usize,
) -> io::Result<()> {
    let text = serde_json::to_vec(value)?;
    check_length(text.len() as u64, longest)?;
    to.write_all(&(text.len() as u64).to_ne_bytes())?;
    to.write_all(&text)
}

/// Receives what [`send_json`] sent.
pub(super) fn receive_json<T: DeserializeOwned>(
    mut from: impl Read,
    longest: usize,
) -> io::Result<T> {
    let mut length = [0; 8];
    from.read_exact(&mut length)?;
    let length = u64::from_ne_bytes(length);
    check_length(length, longest)?;
    let mut text = Vec::new();
    from.take(length).read_to_end(&mut text)?;
    if text.len() as u64 != length {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    serde_json::from_slice(&text).map_err(|why| io::Error::new(io::ErrorKind::InvalidData, why))
}

fn check_length(length: u64, longest: usize) -> io::Result<()> {
    if length <= longest as u64 {
        return Ok(());
    }
    let message = format!("a text of {length} bytes, and {longest} is the most");
    Err(io::Error::new(io::ErrorKind::InvalidData, message))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Duration = Duration::from_millis(50);

    #[test]
    fn an_exchange_ends_in_time_however_small_its_steps() {
        let (ours, mut theirs) = UnixStream::pair().unwrap();
        let trickle = std::thread::spawn(move || {
            // Ends when the other end is closed.
            while theirs.write_all(&[1]).is_ok() {
                std::thread::sleep(LIMIT / 10);
            }
        });
        let why = io::copy(&mut InTime::new(&ours, LIMIT), &mut io::sink()).unwrap_err();
        assert!(is_timeout(&why), "{why}");
        drop(ours);
        trickle.join().unwrap();
    }

    #[test]
    fn nobody_waits_for_ever_for_somebody_who_does_not_read() {
        let (ours, _theirs) = UnixStream::pair().unwrap();
        let long = "x".repeat(8 << 20);
        let why = send_json(InTime::new(&ours, LIMIT), &long, LONGEST_OPENING).unwrap_err();
        assert!(is_timeout(&why), "{why}");
    }

    #[test]
    fn what_is_too_long_is_neither_sent_nor_received() {
        let mut sent = Vec::new();
        send_json(&mut sent, &"12345678", 10).unwrap();
        assert_eq!(receive_json::<String>(&*sent, 10).unwrap(), "12345678");
        for why in [
            send_json(&mut Vec::new(), &"12345678", 9).unwrap_err(),
            receive_json::<String>(&*sent, 9).unwrap_err(),
        ] {
            assert_eq!(why.to_string(), "a text of 10 bytes, and 9 is the most");
        }
        let why = receive_json::<String>(&*u64::MAX.to_ne_bytes().repeat(2), LONGEST_ANSWER);
        assert!(
            why.unwrap_err()
                .to_string()
                .contains("18446744073709551615 bytes")
        );
        let why = receive_json::<String>(&sent[..12], 10).unwrap_err();
        assert_eq!(why.kind(), io::ErrorKind::UnexpectedEof);
    }
}
