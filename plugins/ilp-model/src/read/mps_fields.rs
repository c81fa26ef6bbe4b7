//! The fields of a line of an MPS file, each with its place.

use imle_api::Error;

use super::place::Place;

/// A blank-separated piece of a line.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Field<'a> {
    pub(crate) text: &'a str,
    pub(crate) place: Place,
}

impl Field<'_> {
    pub(crate) fn number(self) -> Result<f64, Error> {
        match self.text.parse::<f64>() {
            Ok(value) if !value.is_nan() => Ok(value),
            _ => Err(self.error(format!("`{}` is not a number", self.text))),
        }
    }

    pub(crate) fn error(self, message: impl std::fmt::Display) -> Error {
        self.place.error(message)
    }
}

pub(crate) fn fields(line: usize, text: &str) -> Vec<Field<'_>> {
    let mut fields = Vec::new();
    let (mut at, mut column) = (0, 1);
    for part in text.split_whitespace() {
        let start = at + text[at..].find(part).unwrap_or(0);
        column += text[at..start].chars().count();
        fields.push(Field {
            text: part,
            place: Place { line, column },
        });
        column += part.chars().count();
        at = start + part.len();
    }
    fields
}

/// The fields after the name of a vector, which may be missing. A file may hold several vectors, of which
/// only one is meant; as nobody says which, it must not.
pub(crate) fn without_set<'f, 'a>(
    set: &mut Option<&'a str>,
    fields: &'f [Field<'a>],
) -> Result<&'f [Field<'a>], Error> {
    let named = !fields.len().is_multiple_of(2);
    if named {
        same_set(set, fields[0])?;
    }
    Ok(if named && fields.len() > 1 {
        &fields[1..]
    } else {
        fields
    })
}

pub(crate) fn same_set<'a>(set: &mut Option<&'a str>, name: Field<'a>) -> Result<(), Error> {
    match *set.get_or_insert(name.text) {
        first if first == name.text => Ok(()),
        first => Err(name.error(format!("a second vector `{}` beside `{first}`", name.text))),
    }
}
