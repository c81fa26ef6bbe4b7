//! MPS files, free and fixed: rows, columns, right-hand sides, ranges, bounds, integer markers.
//!
//! Fields are separated by blanks, which reads both forms but for names with blanks in them. Whatever
//! else a file asks for is an error with its line and column, and so is a file that is cut short.

use std::collections::HashMap;

use imle_api::Error;

use super::mps_bounds::Column;
use super::mps_fields::{Field, fields, without_set};
use super::{WithObjective, with_objective};
use crate::model::Row;
use crate::{Kind, Sense, invalid};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Section {
    Start,
    Sense,
    Rows,
    Columns,
    Rhs,
    Ranges,
    Bounds,
    End,
}

pub(crate) fn parse(text: &str) -> Result<WithObjective, Error> {
    let mut file = File::default();
    let mut section = Section::Start;
    for (number, line) in text.lines().enumerate() {
        let fields = fields(number + 1, line);
        let Some(&head) = fields.first() else {
            continue;
        };
        if line.starts_with('*') {
            continue;
        }
        if section == Section::End {
            return Err(head.error(format!("`{}` after ENDATA", head.text)));
        }
        if !line.starts_with(char::is_whitespace) {
            section = file.header(&fields)?;
            continue;
        }
        match section {
            Section::Start | Section::End => return Err(head.error("data outside of a section")),
            Section::Sense => file.sense(head)?,
            Section::Rows => file.row(&fields)?,
            Section::Columns => file.column(&fields)?,
            Section::Rhs => file.rhs(&fields)?,
            Section::Ranges => file.range(&fields)?,
            Section::Bounds => file.bound(&fields)?,
        }
    }
    if section != Section::End {
        return Err(invalid("the file ends without ENDATA"));
    }
    file.finish()
}

/// Where the name of a row leads.
#[derive(Clone, Copy, Debug)]
enum Target {
    Objective,
    /// A free row beside the objective: it restricts nothing and is dropped.
    Ignored,
    Row(usize),
}

#[derive(Debug)]
struct Draft<'a> {
    name: &'a str,
    sense: Sense,
    terms: Vec<(usize, f64)>,
    rhs: Option<f64>,
    range: Option<f64>,
}

#[derive(Debug, Default)]
struct File<'a> {
    maximise: bool,
    targets: HashMap<&'a str, Target>,
    rows: Vec<Draft<'a>>,
    column_index: HashMap<&'a str, usize>,
    columns: Vec<Column<'a>>,
    objective: Vec<(usize, f64)>,
    /// Whether the columns that come now are integer.
    integer: bool,
    rhs_set: Option<&'a str>,
    range_set: Option<&'a str>,
    bound_set: Option<&'a str>,
}

impl<'a> File<'a> {
    fn header(&mut self, fields: &[Field<'a>]) -> Result<Section, Error> {
        let head = fields[0];
        let section = match head.text.to_ascii_uppercase().as_str() {
            "NAME" => return Ok(Section::Start), // what follows is the name of the problem
            "OBJSENSE" => Section::Sense,
            "ROWS" => Section::Rows,
            "COLUMNS" => Section::Columns,
            "RHS" => Section::Rhs,
            "RANGES" => Section::Ranges,
            "BOUNDS" => Section::Bounds,
            "ENDATA" => Section::End,
            _ => return Err(head.error(format!("section `{}` is not supported", head.text))),
        };
        match fields {
            [_] => {}
            [_, value] if section == Section::Sense => self.sense(*value)?,
            [_, extra, ..] => {
                return Err(extra.error(format!("`{}` after a section name", extra.text)));
            }
            [] => {}
        }
        Ok(section)
    }

    fn sense(&mut self, field: Field<'a>) -> Result<(), Error> {
        self.maximise = match field.text.to_ascii_uppercase().as_str() {
            "MAX" | "MAXIMIZE" | "MAXIMISE" => true,
            "MIN" | "MINIMIZE" | "MINIMISE" => false,
            _ => return Err(field.error(format!("`{}` is neither MIN nor MAX", field.text))),
        };
        Ok(())
    }

    fn row(&mut self, fields: &[Field<'a>]) -> Result<(), Error> {
        let &[kind, name] = fields else {
            return Err(fields[0].error("a row is a type and a name"));
        };
        let sense = match kind.text.to_ascii_uppercase().as_str() {
            "N" => None,
            "L" => Some(Sense::Le),
            "G" => Some(Sense::Ge),
            "E" => Some(Sense::Eq),
            _ => return Err(kind.error(format!("row type `{}` is not N, L, G or E", kind.text))),
        };
        let objective = || {
            self.targets
                .values()
                .any(|target| matches!(target, Target::Objective))
        };
        let target = match sense {
            Some(_) => Target::Row(self.rows.len()),
            None if objective() => Target::Ignored,
            None => Target::Objective,
        };
        if self.targets.insert(name.text, target).is_some() {
            return Err(name.error(format!("a second row `{}`", name.text)));
        }
        if let Some(sense) = sense {
            let name = name.text;
            self.rows.push(Draft {
                name,
                sense,
                terms: Vec::new(),
                rhs: None,
                range: None,
            });
        }
        Ok(())
    }

    fn column(&mut self, fields: &[Field<'a>]) -> Result<(), Error> {
        let name = fields[0];
        if let [_, marker, kind] = fields
            && marker.text == "'MARKER'"
        {
            return self.marker(*kind);
        }
        let pairs = self.pairs(name, &fields[1..])?;
        let new = self
            .columns
            .last()
            .is_none_or(|last| last.name != name.text);
        if new {
            if self
                .column_index
                .insert(name.text, self.columns.len())
                .is_some()
            {
                return Err(name.error(format!("column `{}` again, after others", name.text)));
            }
            let kind = if self.integer {
                Kind::Integer
            } else {
                Kind::Continuous
            };
            self.columns.push(Column::new(name, kind));
        }
        let at = self.columns.len() - 1;
        for (row, target, value) in pairs {
            let terms = match target {
                Target::Objective => &mut self.objective,
                Target::Row(row) => &mut self.rows[row].terms,
                Target::Ignored => continue,
            };
            if terms.last().is_some_and(|&(last, _)| last == at) {
                let message = format!(
                    "a second entry of column `{}` in row `{}`",
                    name.text, row.text
                );
                return Err(row.error(message));
            }
            terms.push((at, value));
        }
        Ok(())
    }

    fn marker(&mut self, kind: Field<'a>) -> Result<(), Error> {
        self.integer = match kind.text {
            "'INTORG'" => true,
            "'INTEND'" => false,
            _ => {
                return Err(kind.error(format!("marker {} is not 'INTORG' or 'INTEND'", kind.text)));
            }
        };
        Ok(())
    }

    fn rhs(&mut self, fields: &[Field<'a>]) -> Result<(), Error> {
        let fields = without_set(&mut self.rhs_set, fields)?;
        for (row, target, value) in self.pairs(fields[0], fields)? {
            // On the objective it is a constant, on a free row nothing.
            let Target::Row(at) = target else { continue };
            if self.rows[at].rhs.replace(value).is_some() {
                return Err(row.error(format!("a second right-hand side of row `{}`", row.text)));
            }
        }
        Ok(())
    }

    fn range(&mut self, fields: &[Field<'a>]) -> Result<(), Error> {
        let fields = without_set(&mut self.range_set, fields)?;
        for (row, target, value) in self.pairs(fields[0], fields)? {
            let Target::Row(at) = target else {
                return Err(row.error(format!("a range of the free row `{}`", row.text)));
            };
            if self.rows[at].range.replace(value).is_some() {
                return Err(row.error(format!("a second range of row `{}`", row.text)));
            }
        }
        Ok(())
    }

    fn bound(&mut self, fields: &[Field<'a>]) -> Result<(), Error> {
        Column::read_bound(
            fields,
            &self.column_index,
            &mut self.columns,
            &mut self.bound_set,
        )
    }

    /// Rows and values in turn.
    fn pairs(
        &self,
        head: Field<'a>,
        fields: &[Field<'a>],
    ) -> Result<Vec<(Field<'a>, Target, f64)>, Error> {
        if fields.is_empty() || !fields.len().is_multiple_of(2) {
            let message =
                "expected pairs of a row and a number (names with blanks are not supported)";
            return Err(head.error(message));
        }
        let pair = |pair: &[Field<'a>]| match self.targets.get(pair[0].text) {
            Some(&target) => Ok((pair[0], target, pair[1].number()?)),
            None => Err(pair[0].error(format!("unknown row `{}`", pair[0].text))),
        };
        fields.chunks_exact(2).map(pair).collect()
    }

    fn finish(self) -> Result<WithObjective, Error> {
        let sign = if self.maximise { 1.0 } else { -1.0 };
        let mut objective = vec![0.0; self.columns.len()];
        for (at, coefficient) in self.objective {
            objective[at] = sign * coefficient;
        }
        let variables = self.columns.into_iter().map(Column::finish);
        let variables = variables.collect::<Result<_, _>>()?;
        let rows = self.rows.into_iter().map(Draft::finish).collect();
        with_objective(variables, rows, objective)
    }
}

impl Draft<'_> {
    fn finish(self) -> Row {
        let rhs = self.rhs.unwrap_or(0.0);
        let (lower, upper) = match (self.range, self.sense) {
            (None, sense) => sense.interval(rhs),
            (Some(range), Sense::Le) => (rhs - range.abs(), rhs),
            (Some(range), Sense::Ge) => (rhs, rhs + range.abs()),
            (Some(range), Sense::Eq) => (rhs + range.min(0.0), rhs + range.max(0.0)),
        };
        Row {
            name: self.name.to_owned(),
            terms: self.terms,
            lower,
            upper,
        }
    }
}
