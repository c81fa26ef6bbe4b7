//! Numbers in files.

use imle_cli::arrays::{Array, Format};

/// Reads a `.npy` file; what could be read is written and read again.
pub fn npy(data: &[u8]) {
    read_twice(data, Format::Npy);
}

/// Reads a CSV file; what could be read is written and read again.
pub fn csv(data: &[u8]) {
    read_twice(data, Format::Csv);
}

fn read_twice(data: &[u8], format: Format) {
    let Ok(array) = Array::from_bytes(data, format) else {
        return;
    };
    assert_eq!(array.shape.iter().product::<usize>(), array.values.len());
    let width = array.shape.last().copied().unwrap_or(0);
    if let Ok(rows) = array.rows_of(width) {
        assert_eq!(rows * width, array.values.len());
    }
    let is_finite = array.values.iter().all(|value| value.is_finite());
    assert_eq!(array.check_finite().is_ok(), is_finite);
    let written = array.to_bytes(format).expect("a vector takes any length");
    let again = Array::from_bytes(&written, format).expect("it was written by us");
    assert_eq!(again.shape, array.shape);
    for (before, after) in array.values.iter().zip(&again.values) {
        let same = before.to_bits() == after.to_bits() || before.is_nan() && after.is_nan();
        assert!(same, "{before} became {after}");
    }
}
