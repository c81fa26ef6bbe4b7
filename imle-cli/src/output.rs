//! What a command prints: text for people, JSON for programs.

use std::fmt::Display;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::sync::OnceLock;

use comfy_table::{ContentArrangement, Table, presets};
use console::Term;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::Value;

use crate::failure::Failure;

/// Standard output as this program was given it, once plugins may print.
static OUTPUT: OnceLock<Kept> = OnceLock::new();

struct Kept {
    stream: File,
    /// The width of the terminal, if it is one.
    columns: Option<u16>,
}

/// Keeps standard output for what this program prints. What a plugin prints, or an engine in it, goes to standard error from
/// now on, where it spoils no data.
#[cfg(unix)]
pub(crate) fn keep_from_plugins() -> Result<(), Failure> {
    use std::os::fd::AsFd;
    if OUTPUT.get().is_some() {
        return Ok(());
    }
    let _ = console::colors_enabled(); // decided once, by what standard output is
    let kept = || -> io::Result<Kept> {
        let columns = columns();
        let stream = io::stdout().as_fd().try_clone_to_owned()?.into();
        rustix::stdio::dup2_stdout(io::stderr())?;
        Ok(Kept { stream, columns })
    };
    let kept = kept().map_err(|why| Failure::file("standard output", why))?;
    let _ = OUTPUT.set(kept); // there is one thread yet
    Ok(())
}

/// There the plugins keep theirs.
#[cfg(not(unix))]
#[allow(clippy::unnecessary_wraps, reason = "the same signature everywhere")]
pub(crate) fn keep_from_plugins() -> Result<(), Failure> {
    Ok(())
}

/// Standard output, for this program alone.
pub(crate) fn standard_output() -> Box<dyn Write> {
    match OUTPUT.get() {
        Some(kept) => Box::new(&kept.stream),
        None => Box::new(io::stdout().lock()),
    }
}

/// The width of the terminal that standard output is, if it is one.
fn columns() -> Option<u16> {
    match OUTPUT.get() {
        Some(kept) => kept.columns,
        None => Term::stdout().size_checked().map(|(_, columns)| columns),
    }
}

/// A table is never narrower.
const LEAST_WIDTH: u16 = 40;

/// Writes to standard output. That whoever reads it has seen enough is no failure.
pub(crate) fn print(text: impl Display) -> Result<(), Failure> {
    let mut output = BufWriter::new(standard_output());
    let written = write!(output, "{text}").and_then(|()| output.flush());
    match written {
        Err(why) if why.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        Err(why) => Err(Failure::file("standard output", why)),
        Ok(()) => Ok(()),
    }
}

pub(crate) fn print_line(text: impl Display) -> Result<(), Failure> {
    print(format_args!("{text}\n"))
}

pub(crate) fn print_json(value: &Value) -> Result<(), Failure> {
    print_line(format_args!("{value:#}"))
}

/// A remark beside the result, on standard error.
pub(crate) fn remark(text: impl Display) {
    let _ = writeln!(io::stderr(), "{text}");
}

/// A table as wide as the terminal; where there is none, a line for each row and spaces between columns.
pub(crate) fn table<T: ToString>(header: impl IntoIterator<Item = T>) -> Table {
    let mut table = Table::new();
    table.set_header(header.into_iter().map(|name| name.to_string()));
    match columns() {
        Some(columns) => table
            .load_style(presets::UTF8_BORDERS_ONLY)
            .set_content_arrangement(ContentArrangement::Dynamic)
            .set_width(columns.max(LEAST_WIDTH)),
        None => table.load_style(presets::NOTHING),
    };
    table
}

/// A bar on standard error, if that is a terminal.
pub(crate) fn progress(steps: usize, what: &'static str) -> ProgressBar {
    let template = "{msg} {wide_bar} {pos}/{len} {eta}";
    let style = ProgressStyle::with_template(template);
    ProgressBar::new(steps as u64)
        .with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
        .with_message(what)
}

/// A number as briefly as it can be written and read again.
pub(crate) fn number(value: f64) -> String {
    match value.abs() {
        size if size.fract() == 0.0 && size < 1e15 => format!("{value}"),
        _ => format!("{value:?}"),
    }
}

/// Numbers for JSON, which has no NaN: null stands for it.
pub(crate) fn json_rows(values: &[f64], width: usize) -> Value {
    let row = |row: &[f64]| {
        row.iter()
            .map(|&value| Value::from(value))
            .collect::<Value>()
    };
    values.chunks_exact(width.max(1)).map(row).collect()
}
