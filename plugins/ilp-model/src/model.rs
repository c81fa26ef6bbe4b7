//! Variables and rows, checked once.

use std::collections::HashMap;

use imle_api::Error;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::config::ModelConfig;
use crate::{bounds, check, invalid, read};

/// A magnitude from which a bound means none, as the LP and MPS formats have it.
const NO_BOUND: f64 = 1e20;

/// More than this is a typing mistake rather than a model, and would take minutes and gigabytes to find out.
const MOST_BINARIES: usize = 1 << 20;

/// Which values a variable takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// 0 or 1.
    Binary,
    /// The integers between its bounds.
    Integer,
    /// The real numbers between its bounds.
    Continuous,
}

/// A variable; infinite where it has no bound.
#[derive(Clone, Debug, PartialEq)]
pub struct Variable {
    /// Its unique name.
    pub name: String,
    /// Which values it takes.
    pub kind: Kind,
    /// Its smallest value.
    pub lower: f64,
    /// Its largest value.
    pub upper: f64,
}

impl Variable {
    /// Returns whether only integers will do.
    #[must_use]
    pub fn is_integral(&self) -> bool {
        self.kind != Kind::Continuous
    }
}

/// A row `lower <= terms <= upper`; infinite where it has no bound.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// Its unique name.
    pub name: String,
    /// Variables, by index, and their coefficients; none twice.
    pub terms: Vec<(usize, f64)>,
    /// The smallest value of the terms.
    pub lower: f64,
    /// The largest value of the terms; equal to `lower` in an equation.
    pub upper: f64,
}

/// A feasible set: the points that satisfy every row, every bound and every kind.
///
/// Bounds of integer variables are integers, and finite where the rows imply it.
#[derive(Clone, Debug, PartialEq)]
pub struct Model {
    variables: Vec<Variable>,
    rows: Vec<Row>,
}

impl Model {
    /// Checks variables and rows and makes a model of them.
    ///
    /// # Errors
    ///
    /// [`InvalidConfig`](imle_api::ErrorKind::InvalidConfig) for a name that is empty or appears twice,
    /// crossed bounds, a number that is not finite, or a row that no point can satisfy.
    pub fn new(mut variables: Vec<Variable>, mut rows: Vec<Row>) -> Result<Self, Error> {
        unique("variable", variables.iter().map(|variable| &variable.name))?;
        unique("row", rows.iter().map(|row| &row.name))?;
        variables.iter_mut().try_for_each(check_variable)?;
        for row in &mut rows {
            check_row(row, variables.len())?;
        }
        bounds::tighten(&mut variables, &rows);
        Ok(Self { variables, rows })
    }

    /// Rounds integer variables, clips the others to their bounds, and checks the point that results.
    ///
    /// `values` has the value of every variable, in order; an integer one may be `tolerance` away from an
    /// integer. Rows may be violated by 1e-6. An engine that can try again does this to its own points; the
    /// solver does it to all.
    ///
    /// # Errors
    ///
    /// [`BackendFailed`](imle_api::ErrorKind::BackendFailed) with the variable or the row that is violated.
    pub fn make_exact(&self, tolerance: f64, values: &mut [f64]) -> Result<(), Error> {
        check::make_exact(self, tolerance, values)
    }

    /// Reads the text of an LP file. Beside the model it returns the file's own objective: the coefficient of each
    /// variable, with their signs turned if the file minimises.
    ///
    /// ```
    /// use imle_ilp_model::Model;
    ///
    /// let (model, objective) = Model::from_lp("min 2 x + y\nst\n x + y >= 1\nbinary\n x y\nend")?;
    /// assert_eq!(model.variables()[1].name, "y");
    /// assert_eq!(objective, [-2.0, -1.0]);
    /// # Ok::<(), imle_api::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`InvalidConfig`](imle_api::ErrorKind::InvalidConfig) with the line and the column of a mistake, or as
    /// [`new`](Self::new).
    pub fn from_lp(text: &str) -> Result<(Self, Vec<f64>), Error> {
        read::lp::parse(text)
    }

    /// Reads the text of an MPS file in free form, and returns what [`from_lp`](Self::from_lp) does.
    ///
    /// # Errors
    ///
    /// As `from_lp`.
    pub fn from_mps(text: &str) -> Result<(Self, Vec<f64>), Error> {
        read::mps::parse(text)
    }

    pub(crate) fn from_config(config: ModelConfig) -> Result<Self, Error> {
        let binaries = config.binaries;
        if binaries > MOST_BINARIES {
            return Err(invalid(format!(
                "binaries = {binaries} is more than {MOST_BINARIES}"
            )));
        }
        let mut variables: Vec<Variable> = (0..binaries)
            .map(|i| variable(format!("x{i}"), Kind::Binary, None, None))
            .collect();
        variables.extend(config.variables.into_iter().map(|v| {
            let [lower, upper] = [v.lower, v.upper].map(|bound| bound.map(|bound| bound.value()));
            variable(v.name, v.kind, lower, upper)
        }));
        let index = index(&variables);
        let mut rows = Vec::with_capacity(config.rows.len());
        for (i, row) in config.rows.into_iter().enumerate() {
            let name = row.name.unwrap_or_else(|| format!("row {}", i + 1));
            let term = |(variable, coefficient): (String, f64)| match index.get(variable.as_str()) {
                Some(&at) => Ok((at, coefficient)),
                None => Err(invalid(format!(
                    "row `{name}` names unknown variable `{variable}`"
                ))),
            };
            let terms = row
                .terms
                .0
                .into_iter()
                .map(term)
                .collect::<Result<_, _>>()?;
            let (lower, upper) = row.sense.interval(row.rhs);
            rows.push(Row {
                name,
                terms,
                lower,
                upper,
            });
        }
        drop(index);
        Self::new(variables, rows)
    }

    /// Returns the variables; rows refer to them by index.
    #[must_use]
    pub fn variables(&self) -> &[Variable] {
        &self.variables
    }

    /// Returns the rows.
    #[must_use]
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }
}

/// A variable with the usual bounds where none are given: 0 to 1, or from 0 on.
pub(crate) fn variable(
    name: String,
    kind: Kind,
    lower: Option<f64>,
    upper: Option<f64>,
) -> Variable {
    let default_upper = if kind == Kind::Binary {
        1.0
    } else {
        f64::INFINITY
    };
    Variable {
        name,
        kind,
        lower: lower.unwrap_or(0.0),
        upper: upper.unwrap_or(default_upper),
    }
}

/// Where each variable is.
pub(crate) fn index(variables: &[Variable]) -> HashMap<&str, usize> {
    let names = variables.iter().map(|variable| variable.name.as_str());
    names.enumerate().map(|(at, name)| (name, at)).collect()
}

fn unique<'a>(what: &str, names: impl Iterator<Item = &'a String>) -> Result<(), Error> {
    let mut seen = std::collections::HashSet::new();
    for name in names {
        if name.is_empty() {
            return Err(invalid(format!("a {what} has an empty name")));
        }
        if !seen.insert(name) {
            return Err(invalid(format!("two {what}s are named `{name}`")));
        }
    }
    Ok(())
}

fn check_variable(variable: &mut Variable) -> Result<(), Error> {
    let Variable {
        name,
        kind,
        lower,
        upper,
    } = variable;
    if lower.is_nan() || upper.is_nan() {
        return Err(invalid(format!(
            "variable `{name}` has a bound that is not a number"
        )));
    }
    (*lower, *upper) = (unbounded(*lower), unbounded(*upper));
    let between = format!("the bounds {lower} and {upper} of variable `{name}`");
    if lower > upper || *lower == f64::INFINITY || *upper == f64::NEG_INFINITY {
        return Err(invalid(format!("{between} are crossed")));
    }
    if *kind == Kind::Binary && (*lower < 0.0 || *upper > 1.0) {
        return Err(invalid(format!("{between}, which is binary, leave 0 to 1")));
    }
    if *kind != Kind::Continuous {
        (*lower, *upper) = (lower.ceil(), upper.floor());
        if lower > upper {
            return Err(invalid(format!("{between} have no integer between them")));
        }
    }
    Ok(())
}

fn check_row(row: &mut Row, variables: usize) -> Result<(), Error> {
    let name = &row.name;
    if row.lower.is_nan() || row.upper.is_nan() {
        return Err(invalid(format!(
            "row `{name}` has a right-hand side that is not a number"
        )));
    }
    if let Some((_, bad)) = row
        .terms
        .iter()
        .find(|(_, coefficient)| !coefficient.is_finite())
    {
        return Err(invalid(format!("row `{name}` has the coefficient {bad}")));
    }
    row.terms.sort_by_key(|&(variable, _)| variable);
    if row
        .terms
        .last()
        .is_some_and(|&(variable, _)| variable >= variables)
    {
        return Err(invalid(format!(
            "row `{name}` refers to a variable that does not exist"
        )));
    }
    if row.terms.windows(2).any(|pair| pair[0].0 == pair[1].0) {
        return Err(invalid(format!("row `{name}` names a variable twice")));
    }
    row.terms.retain(|&(_, coefficient)| coefficient != 0.0);
    (row.lower, row.upper) = (unbounded(row.lower), unbounded(row.upper));
    let (lower, upper) = (row.lower, row.upper);
    if lower > upper || lower == f64::INFINITY || upper == f64::NEG_INFINITY {
        return Err(invalid(format!(
            "row `{name}` asks for a value from {lower} to {upper}"
        )));
    }
    if row.terms.is_empty() && !(lower <= 0.0 && 0.0 <= upper) {
        return Err(invalid(format!(
            "row `{name}` has no terms, and 0 is not from {lower} to {upper}"
        )));
    }
    Ok(())
}

fn unbounded(bound: f64) -> f64 {
    if bound.abs() >= NO_BOUND {
        return f64::INFINITY.copysign(bound);
    }
    bound + 0.0 // no negative zero, so that equal models solve equally
}
