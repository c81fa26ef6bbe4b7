//! NumPy's binary format, versions 1 to 3, of real numbers.
//!
//! By hand: the crates that there are panic where the lengths of a header multiply beyond 64 bits, and parse all of
//! Python's literals for the three keys that a header has.

use imle_runtime::Error;

use super::npy_header::Header;
use super::{Array, check_integer, invalid};

/// How every such file starts.
pub(super) const MAGIC: &[u8] = b"\x93NUMPY";
/// Up to this, 2^53, every integer is a number.
const LARGEST_EXACT: f64 = 9_007_199_254_740_992.0;
/// As many as NumPy has. An element is placed in time that grows with them.
const MOST_AXES: usize = 64;
/// Data start at a multiple of this.
const ALIGNMENT: usize = 64;

pub(super) fn read(bytes: &[u8]) -> Result<Array, Error> {
    let (header, data) = split(bytes)?;
    let Header {
        descr,
        fortran_order,
        shape,
    } = Header::parse(header)?;
    if shape.len() > MOST_AXES {
        let axes = shape.len();
        return Err(invalid(format!(
            "the shape has {axes} axes, and the most are {MOST_AXES}"
        )));
    }
    let Some(count) = shape
        .iter()
        .try_fold(1_usize, |count, &length| count.checked_mul(length))
    else {
        return Err(invalid(format!("the lengths of {shape:?} are too large")));
    };
    let kind = Kind::of(&descr)?;
    let needed = count.checked_mul(kind.width);
    let Some(data) = needed.and_then(|needed| data.get(..needed)) else {
        let found = data.len();
        return Err(invalid(format!(
            "the file is cut off: {shape:?} numbers of {} bytes, and {found} bytes of data",
            kind.width
        )));
    };
    let values: Vec<f64> = data
        .chunks_exact(kind.width)
        .map(|bytes| kind.number(bytes))
        .collect::<Result<_, _>>()?;
    Ok(match fortran_order {
        false => Array::new(shape, values),
        true => Array::new(shape.clone(), from_fortran(&shape, &values)),
    })
}

/// The text of the header, and what is behind it.
fn split(bytes: &[u8]) -> Result<(&str, &[u8]), Error> {
    let not_one = || invalid("not a .npy file");
    let rest = bytes.strip_prefix(MAGIC).ok_or_else(not_one)?;
    let (version, rest) = rest.split_at_checked(2).ok_or_else(not_one)?;
    let size = match version[0] {
        1 => 2,
        2 | 3 => 4,
        major => return Err(invalid(format!("version {major} of .npy is not known"))),
    };
    let (length, rest) = rest.split_at_checked(size).ok_or_else(not_one)?;
    let length = length
        .iter()
        .rev()
        .fold(0, |length, &byte| length << 8 | usize::from(byte));
    let cut_off = || invalid("the file is cut off within its header");
    let (header, data) = rest.split_at_checked(length).ok_or_else(cut_off)?;
    let header = std::str::from_utf8(header).map_err(|_| invalid("the header is not text"))?;
    Ok((header, data))
}

/// A type of numbers.
struct Kind {
    letter: u8,
    width: usize,
    big_endian: bool,
}

impl Kind {
    fn of(descr: &str) -> Result<Self, Error> {
        let other = || {
            invalid(format!(
                "the type `{descr}` is not a real number; save it as float64 or float32"
            ))
        };
        let [order, letter, width] = descr.as_bytes() else {
            return Err(other());
        };
        let known = match letter {
            b'f' => matches!(width, b'4' | b'8'),
            b'i' | b'u' => matches!(width, b'1' | b'2' | b'4' | b'8'),
            b'b' => *width == b'1',
            _ => false,
        };
        let big_endian = match order {
            b'<' | b'|' => false,
            b'>' => true,
            b'=' => cfg!(target_endian = "big"),
            _ => return Err(other()),
        };
        match known {
            true => Ok(Self {
                letter: *letter,
                width: usize::from(width - b'0'),
                big_endian,
            }),
            false => Err(other()),
        }
    }

    fn number(&self, bytes: &[u8]) -> Result<f64, Error> {
        let shift = |bits: u64, &byte: &u8| bits << 8 | u64::from(byte);
        let bits = match self.big_endian {
            true => bytes.iter().fold(0, shift),
            false => bytes.iter().rev().fold(0, shift),
        };
        match (self.letter, self.width) {
            (b'f', 8) => Ok(f64::from_bits(bits)),
            (b'f', _) => Ok(f32::from_bits(bits as u32).into()),
            (b'i', width) => {
                let unused = 64 - 8 * width as u32;
                let value = (bits << unused) as i64 >> unused; // with the sign of the narrow one
                exact(value, value as f64)
            }
            (b'b', _) => Ok(f64::from(u8::from(bits != 0))),
            _ => exact(bits, bits as f64),
        }
    }
}

fn exact(value: impl ToString, number: f64) -> Result<f64, Error> {
    if number.abs() >= LARGEST_EXACT {
        check_integer(&value.to_string(), number)?;
    }
    Ok(number)
}

/// Numbers with the first axis fastest, brought into row-major order.
fn from_fortran(shape: &[usize], values: &[f64]) -> Vec<f64> {
    let mut index = vec![0; shape.len()];
    let mut ordered = Vec::with_capacity(values.len());
    for _ in 0..values.len() {
        let axes = index.iter().zip(shape).rev();
        let at = axes.fold(0, |at, (i, length)| at * length + i);
        ordered.push(values[at]);
        for (i, &length) in index.iter_mut().zip(shape).rev() {
            *i += 1;
            if *i < length {
                break;
            }
            *i = 0;
        }
    }
    ordered
}

pub(super) fn write(array: &Array) -> Vec<u8> {
    let header = Header {
        descr: "<f8".to_owned(),
        fortran_order: false,
        shape: array.shape.clone(),
    };
    let mut header = header.to_string();
    let before = MAGIC.len() + 2 + 2;
    let padding =
        (before + header.len() + 1).next_multiple_of(ALIGNMENT) - before - header.len() - 1;
    header.extend(std::iter::repeat_n(' ', padding));
    header.push('\n');
    let mut bytes = MAGIC.to_vec();
    // Nobody has the thousands of axes that two bytes could not count.
    match u16::try_from(header.len()) {
        Ok(length) => bytes.extend([&[1, 0], &length.to_le_bytes()[..]].concat()),
        Err(_) => bytes.extend([&[2, 0], &(header.len() as u32).to_le_bytes()[..]].concat()),
    }
    bytes.extend(header.as_bytes());
    bytes.extend(array.values.iter().flat_map(|value| value.to_le_bytes()));
    bytes
}
