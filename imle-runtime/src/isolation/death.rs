//! What is said of a process that brought no answer.

use std::fmt;
use std::process::ExitStatus;
use std::time::Duration;

use imle_api::{Error, ErrorKind};

/// Why a worker is gone, or had to go.
#[derive(Debug)]
pub(super) enum Cause {
    /// It ended by itself, or somebody else ended it.
    Ended(ExitStatus),
    /// It answered nothing for so long.
    Silent(Duration),
    /// It went on for so long after the time limit of the call.
    PastTime(Duration),
    /// It went on for so long after the stop flag was raised.
    PastStop(Duration),
    /// It wrote in front of an array.
    Scribbled(&'static str),
    /// It is gone, and somebody else was told how.
    Unknown,
}

impl Cause {
    /// Whether the solver is to blame, and not the limits of a call, which it need not look at.
    pub(super) fn is_the_solver_s(&self) -> bool {
        !matches!(self, Self::PastTime(_) | Self::PastStop(_))
    }

    pub(super) fn kind(&self) -> ErrorKind {
        match self {
            Self::Ended(_) | Self::Unknown => ErrorKind::BackendFailed,
            Self::Silent(_) | Self::PastTime(_) => ErrorKind::LimitReached,
            Self::PastStop(_) => ErrorKind::Stopped,
            Self::Scribbled(_) => ErrorKind::ContractBroken,
        }
    }

    /// The error of the rows in flight.
    pub(super) fn error(&self, solver: &str, last_words: &str) -> Error {
        let mut message = format!("the process of solver `{solver}` {self}");
        if !last_words.is_empty() {
            message.push_str("; the last that it said: ");
            message.push_str(last_words);
        }
        Error::new(self.kind(), message)
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = |time: &Duration| time.as_secs_f64();
        match self {
            Self::Ended(status) => write!(f, "ended: {status}"),
            Self::Silent(time) => write!(
                f,
                "answered nothing for {} s, the time limit of its isolation, and was killed",
                seconds(time)
            ),
            Self::PastTime(grace) => write!(
                f,
                "went on for {} s after the time limit of the call and was killed",
                seconds(grace)
            ),
            Self::PastStop(grace) => write!(
                f,
                "went on for {} s after the stop flag was raised and was killed",
                seconds(grace)
            ),
            Self::Scribbled(array) => {
                write!(f, "wrote in front of the array `{array}` and was killed")
            }
            Self::Unknown => f.write_str("ended, and its status was collected by somebody else"),
        }
    }
}
