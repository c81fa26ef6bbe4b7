//! Columns of an MPS file and the rules of its BOUNDS section.

use std::collections::HashMap;

use imle_api::Error;

use super::mps_fields::{Field, same_set};
use crate::model::variable;
use crate::{Kind, Variable};

/// A variable as the file has described it so far.
#[derive(Debug)]
pub(crate) struct Column<'a> {
    pub(crate) name: &'a str,
    field: Field<'a>,
    kind: Kind,
    lower: Option<f64>,
    upper: Option<f64>,
}

impl<'a> Column<'a> {
    pub(crate) fn new(field: Field<'a>, kind: Kind) -> Self {
        Self {
            name: field.text,
            field,
            kind,
            lower: None,
            upper: None,
        }
    }

    /// Reads `type [set] column [value]`.
    pub(crate) fn read_bound(
        fields: &[Field<'a>],
        index: &HashMap<&str, usize>,
        columns: &mut [Self],
        set: &mut Option<&'a str>,
    ) -> Result<(), Error> {
        let kind = fields[0];
        let is_column = |field: &Field<'_>| index.contains_key(field.text);
        let (name, value) = match (kind.text.to_ascii_uppercase().as_str(), &fields[1..]) {
            ("FR" | "MI" | "PL" | "BV", &[column]) => (column, None),
            ("FR" | "MI" | "PL" | "BV", &[set_name, column]) if is_column(&column) => {
                same_set(set, set_name)?;
                (column, None)
            }
            ("FR" | "MI" | "PL" | "BV", &[column, _unused]) => (column, None),
            (_, &[column, value]) => (column, Some(value)),
            (_, &[set_name, column, value]) => {
                same_set(set, set_name)?;
                (column, Some(value))
            }
            _ => return Err(kind.error("a bound is a type, a vector, a column and a value")),
        };
        let Some(&at) = index.get(name.text) else {
            return Err(name.error(format!("unknown column `{}`", name.text)));
        };
        columns[at].restrict(kind, value)
    }

    fn restrict(&mut self, kind: Field<'_>, value: Option<Field<'_>>) -> Result<(), Error> {
        let number = || match value {
            Some(value) => value.number(),
            None => Err(kind.error(format!("bound type `{}` needs a value", kind.text))),
        };
        match kind.text.to_ascii_uppercase().as_str() {
            "LO" => self.lower = Some(number()?),
            "UP" => self.upper = Some(number()?),
            "FX" => (self.lower, self.upper) = (Some(number()?), Some(number()?)),
            "FR" => (self.lower, self.upper) = (Some(f64::NEG_INFINITY), Some(f64::INFINITY)),
            "MI" => self.lower = Some(f64::NEG_INFINITY),
            "PL" => self.upper = Some(f64::INFINITY),
            "BV" => {
                self.kind = Kind::Binary;
                (self.lower, self.upper) = (Some(0.0), Some(1.0));
            }
            "LI" => (self.kind, self.lower) = (Kind::Integer, Some(number()?)),
            "UI" => (self.kind, self.upper) = (Kind::Integer, Some(number()?)),
            _ => return Err(kind.error(format!("bound type `{}` is not supported", kind.text))),
        }
        Ok(())
    }

    pub(crate) fn finish(self) -> Result<Variable, Error> {
        let Self {
            name,
            field,
            kind,
            lower,
            upper,
        } = self;
        if kind == Kind::Integer && lower.is_none() && upper.is_none() {
            return Err(field.error(format!(
                "integer column `{name}` has no bounds, which some read as 0 to 1 and others as from 0 on: \
                 add one, such as `PL bounds {name}`"
            )));
        }
        // The rule of the format: a negative upper bound alone takes the lower bound 0 away.
        let lower = match (lower, upper) {
            (None, Some(upper)) if upper < 0.0 => Some(f64::NEG_INFINITY),
            _ => lower,
        };
        Ok(variable(name.to_owned(), kind, lower, upper))
    }
}
