//! The header of a `.npy` file: a Python dictionary of three known keys.

use std::fmt;

use imle_runtime::Error;

use super::invalid;

/// What a header says.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Header {
    /// The type of the numbers, such as `<f8`.
    pub(super) descr: String,
    /// Whether the first axis is the fastest.
    pub(super) fortran_order: bool,
    pub(super) shape: Vec<usize>,
}

impl Header {
    pub(super) fn parse(text: &str) -> Result<Self, Error> {
        let mut rest = Text(text);
        let (mut descr, mut fortran_order, mut shape) = (None, None, None);
        rest.expect('{')?;
        while !rest.take('}') {
            let key = rest.string()?;
            rest.expect(':')?;
            match key {
                "descr" => descr = Some(rest.descr()?.to_owned()),
                "fortran_order" => fortran_order = Some(rest.truth()?),
                "shape" => shape = Some(rest.tuple()?),
                _ => return Err(invalid(format!("the header has an unknown key `{key}`"))),
            }
            if !rest.take(',') {
                rest.expect('}')?;
                break;
            }
        }
        let missing = |key| move || invalid(format!("the header has no `{key}`"));
        Ok(Self {
            descr: descr.ok_or_else(missing("descr"))?,
            fortran_order: fortran_order.ok_or_else(missing("fortran_order"))?,
            shape: shape.ok_or_else(missing("shape"))?,
        })
    }
}

impl fmt::Display for Header {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            descr,
            fortran_order,
            shape,
        } = self;
        let order = if *fortran_order { "True" } else { "False" };
        let lengths: Vec<String> = shape.iter().map(usize::to_string).collect();
        let comma = if shape.len() == 1 { "," } else { "" }; // or Python takes the brackets for nothing
        let shape = format!("({}{comma})", lengths.join(", "));
        write!(
            f,
            "{{'descr': '{descr}', 'fortran_order': {order}, 'shape': {shape}, }}"
        )
    }
}

/// What is left of a text.
struct Text<'a>(&'a str);

impl<'a> Text<'a> {
    fn take(&mut self, wanted: char) -> bool {
        self.0 = self.0.trim_start();
        match self.0.strip_prefix(wanted) {
            Some(rest) => {
                self.0 = rest;
                true
            }
            None => false,
        }
    }

    fn expect(&mut self, wanted: char) -> Result<(), Error> {
        match self.take(wanted) {
            true => Ok(()),
            false => Err(self.unexpected(&format!("`{wanted}`"))),
        }
    }

    fn unexpected(&self, wanted: &str) -> Error {
        let found: String = self.0.chars().take(20).collect();
        invalid(format!("the header has `{found}` where {wanted} should be"))
    }

    fn string(&mut self) -> Result<&'a str, Error> {
        for quote in ['\'', '"'] {
            if self.take(quote) {
                let Some((string, rest)) = self.0.split_once(quote) else {
                    return Err(invalid("a text in the header has no end"));
                };
                self.0 = rest;
                return Ok(string);
            }
        }
        Err(self.unexpected("a text"))
    }

    fn descr(&mut self) -> Result<&'a str, Error> {
        match self.0.trim_start().starts_with('[') {
            true => Err(invalid("a table with named columns is no array of numbers")),
            false => self.string(),
        }
    }

    fn truth(&mut self) -> Result<bool, Error> {
        self.0 = self.0.trim_start();
        for (word, truth) in [("True", true), ("False", false)] {
            if let Some(rest) = self.0.strip_prefix(word) {
                self.0 = rest;
                return Ok(truth);
            }
        }
        Err(self.unexpected("True or False"))
    }

    fn tuple(&mut self) -> Result<Vec<usize>, Error> {
        self.expect('(')?;
        let mut lengths = Vec::new();
        while !self.take(')') {
            lengths.push(self.length()?);
            if !self.take(',') {
                self.expect(')')?;
                break;
            }
        }
        Ok(lengths)
    }

    fn length(&mut self) -> Result<usize, Error> {
        self.0 = self.0.trim_start();
        let digits = self.0.bytes().take_while(u8::is_ascii_digit).count();
        let (number, rest) = self.0.split_at(digits);
        let length = number.parse().map_err(|_| self.unexpected("a length"))?;
        self.0 = rest.strip_prefix('L').unwrap_or(rest); // as Python 2 wrote it
        Ok(length)
    }
}
