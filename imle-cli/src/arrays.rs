//! Arrays of numbers in files: `.npy` and CSV.

mod csv_format;
mod npy_format;
mod npy_header;

use std::fmt;
use std::io::{IsTerminal, Read, Write};
use std::path::Path;

use imle_runtime::{Error, ErrorKind};

use crate::files::{is_stream, write_whole};
use crate::output::{remark, standard_output};

/// Numbers in row-major order, and the length of each axis.
///
/// ```
/// use imle_cli::arrays::{Array, Format};
///
/// let array = Array::new([2, 3], vec![0.5, -0.0, 1e300, 1.0, 2.0, 3.0]);
/// for format in [Format::Npy, Format::Csv] {
///     let bytes = array.to_bytes(format)?;
///     assert_eq!(Array::from_bytes(&bytes, format)?, array);
/// }
/// # Ok::<(), imle_runtime::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Array {
    /// The length of each axis.
    pub shape: Vec<usize>,
    /// The numbers, the last axis fastest.
    pub values: Vec<f64>,
}

/// A format of files with numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// NumPy's binary format. Read: float32 and float64, integers that a float64 holds, and truth values, in either byte
    /// order and either memory order. Written: float64.
    Npy,
    /// A line for each row, with commas or tabs between numbers; a first line without any number names the columns (names
    /// that are numbers, as pandas makes up, are a row), and a line that starts with `#` is a remark. Numbers become the
    /// nearest float64, but an integer that is none is refused.
    Csv,
}

impl Array {
    /// Makes an array of numbers in row-major order.
    ///
    /// # Panics
    ///
    /// If there are not as many as `shape` says.
    #[must_use]
    pub fn new(shape: impl Into<Vec<usize>>, values: Vec<f64>) -> Self {
        let shape = shape.into();
        assert_eq!(shape.iter().product::<usize>(), values.len(), "{shape:?}");
        Self { shape, values }
    }

    /// Reads an array.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidInput`] with the line, the column and the text of what is not a number, or with what is
    /// wrong with the file.
    pub fn from_bytes(bytes: &[u8], format: Format) -> Result<Self, Error> {
        match format {
            Format::Npy => npy_format::read(bytes),
            Format::Csv => csv_format::read(bytes),
        }
    }

    /// Writes an array; as CSV, an array of more than two axes has a line for each step of all but the last.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Io`] if it cannot be written.
    pub fn to_bytes(&self, format: Format) -> Result<Vec<u8>, Error> {
        let bytes = match format {
            Format::Npy => Ok(npy_format::write(self)),
            Format::Csv => csv_format::write(self),
        };
        bytes.map_err(|why| Error::new(ErrorKind::Io, why.to_string()))
    }

    /// Reads a file, or standard input if the path is `-`. The extension says the format; without one that is
    /// known, the first bytes do.
    ///
    /// # Errors
    ///
    /// As [`from_bytes`](Self::from_bytes), and [`ErrorKind::Io`], with the file.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let (name, bytes) = match is_stream(path) {
            false => (path.display().to_string(), std::fs::read(path)),
            true => {
                let mut bytes = Vec::new();
                if std::io::stdin().is_terminal() {
                    remark("reading numbers from the terminal, a row each line, until Ctrl-D");
                }
                let read = std::io::stdin().read_to_end(&mut bytes);
                ("standard input".to_owned(), read.map(|_| bytes))
            }
        };
        let read = bytes.map_err(|why| Error::new(ErrorKind::Io, why.to_string()));
        let parse = |bytes: Vec<u8>| {
            let format = Format::of_path(path).unwrap_or_else(|| Format::of_bytes(&bytes));
            Self::from_bytes(&bytes, format)
        };
        read.and_then(parse).map_err(|why| why.within(name))
    }

    /// Writes a file, or standard output if the path is `-`. Without a format, the extension says it; standard output
    /// gets CSV.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidInput`] if the extension is of no known format; [`ErrorKind::Io`], with the file.
    pub fn write(&self, path: &Path, format: Option<Format>) -> Result<(), Error> {
        let bytes = self.to_bytes(Self::format_for(path, format)?)?;
        let written = match is_stream(path) {
            false => write_whole(path, &bytes),
            true => {
                let mut output = standard_output();
                output.write_all(&bytes).and_then(|()| output.flush())
            }
        };
        match written {
            // Whoever reads our output has seen enough.
            Err(why) if is_stream(path) && why.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
            Err(why) => {
                let message = format!("{}: {why}", path.display());
                Err(Error::new(ErrorKind::Io, message))
            }
            Ok(()) => Ok(()),
        }
    }

    /// The format in which a file is to be written.
    pub(crate) fn format_for(path: &Path, format: Option<Format>) -> Result<Format, Error> {
        let of_path = || match is_stream(path) {
            true => Ok(Format::Csv),
            false => Format::of_path(path).ok_or_else(|| {
                let message = format!("{}: the extension is not .npy or .csv", path.display());
                Error::new(ErrorKind::InvalidInput, message)
            }),
        };
        format.map_or_else(of_path, Ok)
    }

    /// The number of rows of `width` numbers, if the last axis is one; a single row may have no other axis.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidInput`] with the shape that it has.
    pub fn rows_of(&self, width: usize) -> Result<usize, Error> {
        match self.shape[..] {
            [.., last] if last == width && width > 0 => Ok(self.values.len() / width),
            _ => {
                let shape = Shape(&self.shape);
                let message = format!("the shape is {shape}, and rows must have {width} values");
                Err(Error::new(ErrorKind::InvalidInput, message))
            }
        }
    }

    /// Looks for a number that is none.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidInput`] with its row and column.
    pub fn check_finite(&self) -> Result<(), Error> {
        let width = self.shape.last().copied().unwrap_or(1).max(1);
        match self.values.iter().position(|value| !value.is_finite()) {
            None => Ok(()),
            Some(at) => {
                let (row, column, value) = (at / width, at % width, self.values[at]);
                let message = format!(
                    "row {row}, column {column}, counted from 0: {value} is not a finite number"
                );
                Err(Error::new(ErrorKind::InvalidInput, message))
            }
        }
    }
}

impl Format {
    /// The format that an extension stands for.
    #[must_use]
    pub fn of_path(path: &Path) -> Option<Self> {
        match path.extension()?.to_str()? {
            "npy" => Some(Self::Npy),
            "csv" | "tsv" | "txt" => Some(Self::Csv),
            _ => None,
        }
    }

    fn of_bytes(bytes: &[u8]) -> Self {
        match bytes.starts_with(npy_format::MAGIC) {
            true => Self::Npy,
            false => Self::Csv,
        }
    }
}

/// Prints a shape as `[2, 3]`.
struct Shape<'a>(&'a [usize]);

impl fmt::Display for Shape<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.0)
    }
}

/// Up to so many digits, every integer is a number.
const EXACT_DIGITS: usize = 15;

/// Checks that the digits of an integer are those of the number that they were read as.
fn check_integer(digits: &str, number: f64) -> Result<(), Error> {
    let unsigned = digits.trim_start_matches(['+', '-']);
    let width = unsigned.len();
    if width <= EXACT_DIGITS || format!("{:0width$.0}", number.abs()) == unsigned {
        return Ok(());
    }
    Err(invalid(format!(
        "the integer {digits} is no float64, the nearest is {number}; if that will do, write it with a decimal point"
    )))
}

fn invalid(message: impl fmt::Display) -> Error {
    Error::new(ErrorKind::InvalidInput, message.to_string())
}
