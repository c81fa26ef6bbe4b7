//! Why a command ends early, and the exit code that says so.

use std::fmt::Display;

use imle_runtime::{Error, ErrorKind};
use serde_json::{Value, json};

/// The exit codes, as the help and the manual page list them.
pub(crate) const EXIT_CODES: &str = "\
Exit codes:
  0  everything was done
  1  `check` found a broken promise
  2  the command line is wrong
  3  a configuration, a layer's file, theta or another array is wrong
  4  rows could not be solved; the others were written
  5  a plugin or a solver is not there, cannot be loaded, or is not trusted
  6  a file could not be read or written";

/// How a command ends that did not do everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    Broken = 1,
    Usage = 2,
    Input = 3,
    Rows = 4,
    Plugin = 5,
    File = 6,
}

/// Why a command ended early.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) exit: Exit,
    pub(crate) message: String,
    /// Whether JSON that was printed already says it.
    pub(crate) in_json: bool,
}

impl Failure {
    pub(crate) fn new(exit: Exit, message: impl Display) -> Self {
        Self {
            exit,
            message: message.to_string(),
            in_json: false,
        }
    }

    /// Of a command that has printed everything, and ends by what is in there.
    pub(crate) fn after_all(exit: Exit, message: impl Display) -> Self {
        Self {
            in_json: true,
            ..Self::new(exit, message)
        }
    }

    pub(crate) fn input(message: impl Display) -> Self {
        Self::new(Exit::Input, message)
    }

    /// Of a file, with its name.
    pub(crate) fn file(path: impl Display, why: impl Display) -> Self {
        Self::new(Exit::File, format!("{path}: {why}"))
    }

    /// Puts a place in front of the sentence.
    pub(crate) fn within(self, place: impl Display) -> Self {
        Self::new(self.exit, format!("{place}: {}", self.message))
    }

    pub(crate) fn to_json(&self) -> Value {
        json!({"error": {"exit_code": self.exit as u8, "message": self.message}})
    }
}

impl From<Error> for Failure {
    fn from(why: Error) -> Self {
        use ErrorKind as Kind;
        let exit = match why.kind() {
            Kind::InvalidConfig | Kind::InvalidTheta | Kind::InvalidInput | Kind::Unsupported => {
                Exit::Input
            }
            Kind::Io => Exit::File,
            Kind::Infeasible | Kind::Unbounded | Kind::LimitReached | Kind::Stopped => Exit::Rows,
            _ => Exit::Plugin,
        };
        match why.kind() {
            // The sentence names the file and what is wrong; the exit code is the kind.
            Kind::InvalidInput | Kind::Io => Self::new(exit, why.message()),
            _ => Self::new(exit, why),
        }
    }
}
