//! A model from a file, by its extension.

pub(crate) mod lp;
mod lp_cursor;
mod lp_words;
pub(crate) mod mps;
mod mps_bounds;
mod mps_fields;
mod place;
#[cfg(test)]
mod tests;

use std::path::Path;

use imle_api::{Error, ErrorKind};

use crate::{Model, Row, Variable, invalid};

/// A model and its own objective: the coefficients of the variables, to be maximised.
pub(crate) type WithObjective = (Model, Vec<f64>);

/// Checks variables and rows, and that the objective has finite coefficients: a file can write an infinity, or two
/// numbers whose sum is one.
fn with_objective(
    variables: Vec<Variable>,
    rows: Vec<Row>,
    objective: Vec<f64>,
) -> Result<WithObjective, Error> {
    let model = Model::new(variables, rows)?;
    match objective.iter().position(|c| !c.is_finite()) {
        None => Ok((model, objective)),
        Some(at) => {
            let (name, coefficient) = (&model.variables()[at].name, objective[at].abs());
            let message = format!("the objective has the coefficient {coefficient} for `{name}`");
            Err(invalid(message))
        }
    }
}

pub(crate) fn file(path: &Path) -> Result<WithObjective, Error> {
    let extension = path
        .extension()
        .and_then(|extension| extension.to_str())
        .unwrap_or_default();
    let parse: fn(&str) -> Result<WithObjective, Error> =
        match extension.to_ascii_lowercase().as_str() {
            "lp" => lp::parse,
            "mps" => mps::parse,
            _ => {
                let message = format!("file {}: the name must end in .lp or .mps", path.display());
                return Err(invalid(message));
            }
        };
    let bytes = std::fs::read(path)
        .map_err(|why| Error::new(ErrorKind::Io, format!("file {}: {why}", path.display())))?;
    let text = String::from_utf8(bytes)
        .map_err(|why| invalid(format!("file {}: not UTF-8 text: {why}", path.display())))?;
    parse(&text).map_err(|why| why.within(format!("file {}", path.display())))
}
