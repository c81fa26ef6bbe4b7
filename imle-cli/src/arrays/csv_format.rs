//! CSV: a line for each row.

use std::io;

use csv::{ReaderBuilder, StringRecord, Trim, WriterBuilder};
use imle_runtime::Error;

use super::{Array, invalid};
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
        if rows == 0 && names.is_none() && is_header(&record) {
            names = Some(record);
            continue;
        }
        let line = record.position().map_or(0, csv::Position::line);
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
    field.parse().map_err(|_| {
        let name = names.and_then(|names| names.get(column));
        let name = name.map_or_else(String::new, |name| format!(" (`{name}`)"));
        let hint = match field.split_whitespace().count() {
            0 | 1 => "",
            _ => "; put commas or tabs between numbers",
        };
        invalid(format!(
            "line {line}, column {}{name}: `{field}` is not a number{hint}",
            column + 1
        ))
    })
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
