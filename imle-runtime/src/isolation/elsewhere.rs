//! Where there is no isolation: the same names, and a sentence.

use std::path::Path;
use std::process::ExitCode;

use imle_api::{Error, ErrorKind, Facts, Identity, Limits, Oracle, Outcome};

use super::Isolation;

const SENTENCE: &str = "isolation in processes needs Linux";

/// There is none on this system; see its documentation for Linux.
#[derive(Debug)]
pub enum Isolated {}

impl Isolated {
    /// Fails.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Unsupported`].
    pub fn open(
        _library: impl AsRef<Path>,
        _solver: &str,
        _config: &str,
        _isolation: &Isolation,
    ) -> Result<Self, Error> {
        Err(Error::new(ErrorKind::Unsupported, SENTENCE))
    }

    /// How many processes have died.
    #[must_use]
    pub fn deaths(&self) -> u64 {
        match *self {}
    }

    /// The ids of the processes that wait for a call.
    #[must_use]
    pub fn idle_processes(&self) -> Vec<u32> {
        match *self {}
    }

    /// Ends a quarantine.
    pub fn release(&self) {
        match *self {}
    }
}

impl Oracle for Isolated {
    fn facts(&self) -> Facts {
        match *self {}
    }

    fn identity(&self) -> Identity {
        match *self {}
    }

    fn solve(&self, _: &[f64], _: &mut [f64], _: &mut [Outcome], _: &Limits<'_>) {
        match *self {}
    }
}

/// Fails.
#[must_use]
pub fn serve() -> ExitCode {
    eprintln!("imle-worker: {SENTENCE}");
    ExitCode::FAILURE
}
