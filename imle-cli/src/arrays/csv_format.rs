//! CSV: a line for each row.

use std::io;

use csv::{ReaderBuilder, StringRecord, Trim, WriterBuilder};
use imle_runtime::Error;

use super::{Array, check_integer, invalid};
use crate::output::number;

pub(super) fn read(bytes: &[u8]) -> Result<Array, Error> {
    let mut reader = ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .comment(Some(b'#'))
        .delimiter(delimiter(bytes))
        .trim(Trim::All)
        .from_reader(bytes);
    let mut names = None;
    let mut width = None;
    let mut values = Vec::new();
    let mut rows = 0;
    for record in reader.records() {
        let record = record.map_err(|why| invalid(why.to_string()))?;
        let line = record.position().map_or(0, csv::Position::line);
        if rows == 0 && names.is_none() && has_index(&record) {
            return Err(invalid(format!(
                "line {line}: the first column has no name, as one of row numbers that pandas or R wrote; write the file \
                 without it (index=False, row.names=FALSE)"
            )));
        }
        if rows == 0 && names.is_none() && is_header(&record) {
            names = Some(record);
            continue;
        }
        let expected = *width.get_or_insert(record.len());
        if record.len() != expected {
            let found = record.len();
            return Err(invalid(format!(
                "line {line} has {found} values, and the first row has {expected}"
            )));
        }
        for (column, field) in record.iter().enumerate() {
            values.push(parse(field, line, column, names.as_ref())?);
        }
        rows += 1;
    }
    match width {
        Some(width) => Ok(Array::new([rows, width], values)),
        None => Err(invalid("there are no rows")),
    }
}

/// A tab where the first line that is no remark has one and no comma.
fn delimiter(bytes: &[u8]) -> u8 {
    let mut lines = bytes.split(|&byte| byte == b'\n');
    let first = lines.find(|line| !line.is_empty() && !line.starts_with(b"#"));
    match first.is_some_and(|line| line.contains(&b'\t') && !line.contains(&b',')) {
        true => b'\t',
        false => b',',
    }
}

/// Whether a first line names all columns but the first.
fn has_index(record: &StringRecord) -> bool {
    record.len() > 1
        && record.get(0) == Some("")
        && record.iter().skip(1).all(|field| !field.is_empty())
}

fn is_header(record: &StringRecord) -> bool {
    // A row that R wrote without a value is a row: left out, it would move all others.
    let is_name = |field: &str| field.parse::<f64>().is_err() && field != "NA";
    record.iter().all(is_name)
        && record
            .iter()
            .any(|field| field.starts_with(|first: char| first.is_alphabetic()))
}

fn parse(
    field: &str,
    line: u64,
    column: usize,
    names: Option<&StringRecord>,
) -> Result<f64, Error> {
    number_of(field).map_err(|why| {
        let name = names.and_then(|names| names.get(column));
        let name = name.map_or_else(String::new, |name| format!(" (`{name}`)"));
        why.within(format_args!("line {line}, column {}{name}", column + 1))
    })
}

fn number_of(field: &str) -> Result<f64, Error> {
    let number = field.parse().map_err(|_| {
        let is_several = field.contains(|c: char| c == ';' || c.is_whitespace());
        let hint = match is_several {
            true => "; put commas or tabs between numbers",
            false => "",
        };
        invalid(format!("`{field}` is not a number{hint}"))
    })?;
    let is_sign_or_digit = |byte: u8| byte.is_ascii_digit() || byte == b'-' || byte == b'+';
    if field.bytes().all(is_sign_or_digit) {
        check_integer(field, number)?;
    }
    Ok(number)
}

/// A line of names, so that other programs see what a column is, and then a line for each row.
pub(super) fn write(array: &Array) -> io::Result<Vec<u8>> {
    let width = array.shape.last().copied().unwrap_or(1);
    let mut writer = WriterBuilder::new().from_writer(Vec::new());
    writer.write_record((0..width).map(|column| format!("x{column}")))?;
    for row in array.values.chunks_exact(width.max(1)) {
        writer.write_record(row.iter().map(|&value| number(value)))?;
    }
    writer
        .into_inner()
        .map_err(|why| io::Error::other(why.to_string()))
}
