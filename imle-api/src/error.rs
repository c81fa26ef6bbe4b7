//! One error type for both sides of the boundary: a closed kind for programs, a sentence for people.

use std::borrow::Cow;
use std::fmt;

/// What went wrong, as a program needs to know it.
///
/// The numbers are the status codes of the C ABI (`imle_plugin.h`); 0 means success there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(i32)]
pub enum ErrorKind {
    /// A configuration is malformed, has an unknown key or describes no problem.
    InvalidConfig = 1,
    /// A row of theta is not finite, or lies outside the solver's declared domain.
    InvalidTheta = 2,
    /// An argument of a call is wrong: a length, a sample count, a gradient that is not finite.
    InvalidInput = 3,
    /// The feasible set is empty.
    Infeasible = 4,
    /// The objective can grow without bound over the feasible set.
    Unbounded = 5,
    /// A time or work limit was reached before optimality was proven.
    LimitReached = 6,
    /// The caller raised the stop flag.
    Stopped = 7,
    /// The plugin does not offer what was asked for.
    Unsupported = 8,
    /// The engine behind a solver reported a failure.
    BackendFailed = 9,
    /// The plugin panicked; the panic was caught at the boundary.
    Panic = 10,
    /// The workspace is unusable after an earlier panic.
    Poisoned = 11,
    /// A library does not follow the plugin ABI.
    AbiMismatch = 12,
    /// A plugin broke its contract: rows left unset, values outside its declared bounds.
    ContractBroken = 13,
    /// No solver or plugin of that name is known.
    NotFound = 14,
    /// A file could not be read or a library could not be opened.
    Io = 15,
}

impl ErrorKind {
    /// Every kind, in the order of the codes.
    pub const ALL: [Self; 15] = [
        Self::InvalidConfig,
        Self::InvalidTheta,
        Self::InvalidInput,
        Self::Infeasible,
        Self::Unbounded,
        Self::LimitReached,
        Self::Stopped,
        Self::Unsupported,
        Self::BackendFailed,
        Self::Panic,
        Self::Poisoned,
        Self::AbiMismatch,
        Self::ContractBroken,
        Self::NotFound,
        Self::Io,
    ];

    /// Returns the status code of this kind in the C ABI.
    ///
    /// ```
    /// assert_eq!(imle_api::ErrorKind::Infeasible.code(), 4);
    /// ```
    #[must_use]
    pub const fn code(self) -> i32 {
        self as i32
    }

    /// Returns the kind of a status code, if this version of the ABI knows it.
    ///
    /// ```
    /// use imle_api::ErrorKind;
    /// assert_eq!(ErrorKind::from_code(4), Some(ErrorKind::Infeasible));
    /// assert_eq!(ErrorKind::from_code(4000), None);
    /// ```
    #[must_use]
    pub fn from_code(code: i32) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.code() == code)
    }

    const fn words(self) -> &'static str {
        match self {
            Self::InvalidConfig => "invalid configuration",
            Self::InvalidTheta => "invalid theta",
            Self::InvalidInput => "invalid input",
            Self::Infeasible => "infeasible",
            Self::Unbounded => "unbounded",
            Self::LimitReached => "limit reached",
            Self::Stopped => "stopped",
            Self::Unsupported => "unsupported",
            Self::BackendFailed => "back end failed",
            Self::Panic => "panic in plugin",
            Self::Poisoned => "poisoned workspace",
            Self::AbiMismatch => "ABI mismatch",
            Self::ContractBroken => "contract broken",
            Self::NotFound => "not found",
            Self::Io => "input or output failed",
        }
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.words())
    }
}

/// A kind and a sentence with the values in it.
///
/// ```
/// use imle_api::{Error, ErrorKind};
///
/// let error = Error::new(ErrorKind::InvalidConfig, "k = 7 is more than dim = 5");
/// assert_eq!(error.kind(), ErrorKind::InvalidConfig);
/// assert_eq!(error.to_string(), "invalid configuration: k = 7 is more than dim = 5");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    kind: ErrorKind,
    message: Cow<'static, str>,
}

impl Error {
    /// Makes an error of `kind` whose `message` says what was wrong, with the value, and what to do.
    #[must_use]
    pub fn new(kind: ErrorKind, message: impl Into<Cow<'static, str>>) -> Self {
        Self {
            kind,
            message: message.into(),
        }
    }

    pub(crate) const fn fixed(kind: ErrorKind, message: &'static str) -> Self {
        Self {
            kind,
            message: Cow::Borrowed(message),
        }
    }

    /// Returns the kind, for programs to match on.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// Returns the sentence, without the words of the kind.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Puts `where_` in front of the sentence: a file, a row, a solver.
    #[must_use]
    pub fn within(self, where_: impl fmt::Display) -> Self {
        Self::new(self.kind, format!("{where_}: {}", self.message))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.message.is_empty() {
            return write!(f, "{}", self.kind);
        }
        write!(f, "{}: {}", self.kind, self.message)
    }
}

impl std::error::Error for Error {}
