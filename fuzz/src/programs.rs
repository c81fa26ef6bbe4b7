//! Integer programs in files.

use std::fmt::Write as _;

use imle_ilp_model::{Kind, Model, Row, Variable};

/// Reads an LP file; a model that could be read is written as MPS and read again.
pub fn lp(data: &[u8]) {
    read_twice(data, Model::from_lp, Model::from_mps, as_mps);
}

/// Reads an MPS file; a model that could be read is written as LP and read again.
pub fn mps(data: &[u8]) {
    read_twice(data, Model::from_mps, Model::from_lp, as_lp);
}

type Reader = fn(&str) -> Result<(Model, Vec<f64>), imle_api::Error>;

fn read_twice(data: &[u8], read: Reader, read_other: Reader, write: fn(&Program) -> String) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let Ok((model, objective)) = read(text) else {
        return;
    };
    let program = Program::of(model, objective);
    let text = write(&program);
    let (model, objective) = read_other(&text).unwrap_or_else(|why| panic!("{why}\n{text}"));
    program.assert_same(&Program::of(model, objective), &text);
}

/// A model without the rows that say nothing: a file has no place for them.
struct Program {
    variables: Vec<Variable>,
    rows: Vec<Row>,
    objective: Vec<f64>,
}

impl Program {
    fn of(model: Model, objective: Vec<f64>) -> Self {
        let says =
            |row: &&Row| !row.terms.is_empty() && (row.lower.is_finite() || row.upper.is_finite());
        Self {
            rows: model.rows().iter().filter(says).cloned().collect(),
            variables: model.variables().to_vec(),
            objective,
        }
    }

    fn assert_same(&self, again: &Self, text: &str) {
        assert_eq!(self.objective, again.objective, "{text}");
        assert_eq!(self.variables.len(), again.variables.len(), "{text}");
        for (before, after) in self.variables.iter().zip(&again.variables) {
            assert_eq!(before.kind, after.kind, "{text}");
            // Along a chain of rows that is longer than one reading follows, a second one finds more.
            let found = before.is_integral();
            let same = |a: f64, b: f64| a == b || found && a.is_infinite();
            let both = same(before.lower, after.lower) && same(before.upper, after.upper);
            assert!(both, "{before:?} became {after:?}\n{text}");
        }
        assert_eq!(self.rows.len(), again.rows.len(), "{text}");
        for (before, after) in self.rows.iter().zip(&again.rows) {
            assert_eq!(before.terms, after.terms, "{text}");
            // MPS has the width of a range, whose sum with one end is rounded.
            let size = |end: f64| if end.is_finite() { end.abs() } else { 0.0 };
            let tolerance = 1e-15 * (size(before.lower) + size(before.upper));
            let same = |a: f64, b: f64| a == b || (a - b).abs() <= tolerance;
            let both = same(before.lower, after.lower) && same(before.upper, after.upper);
            assert!(both, "{before:?} became {after:?}\n{text}");
        }
    }
}

fn as_mps(program: &Program) -> String {
    let mut text = String::from("OBJSENSE MAX\nROWS\n N cost\n");
    let mut sides = String::from("RHS\n");
    let mut ranges = String::from("RANGES\n");
    for (at, row) in program.rows.iter().enumerate() {
        let (letter, side) = match (row.lower.is_finite(), row.upper.is_finite()) {
            _ if row.lower == row.upper => ('E', row.lower),
            (true, _) => ('G', row.lower),
            _ => ('L', row.upper),
        };
        put(&mut text, format_args!(" {letter} r{at}"));
        put(&mut sides, format_args!(" s r{at} {side}"));
        let width = row.upper - row.lower;
        if width.is_finite() && width > 0.0 {
            put(&mut ranges, format_args!(" s r{at} {width}"));
        }
    }
    text += "COLUMNS\n";
    let mut bounds = String::from("BOUNDS\n");
    for (at, variable) in program.variables.iter().enumerate() {
        let integral = variable.is_integral();
        if integral {
            put(&mut text, format_args!(" m 'MARKER' 'INTORG'"));
        }
        put(
            &mut text,
            format_args!(" v{at} cost {}", program.objective[at]),
        );
        for (row, coefficient) in column(&program.rows, at) {
            put(&mut text, format_args!(" v{at} r{row} {coefficient}"));
        }
        if integral {
            put(&mut text, format_args!(" m 'MARKER' 'INTEND'"));
        }
        if variable.kind == Kind::Binary {
            put(&mut bounds, format_args!(" BV b v{at}"));
        }
        match variable.lower.is_finite() {
            true => put(&mut bounds, format_args!(" LO b v{at} {}", variable.lower)),
            false => put(&mut bounds, format_args!(" MI b v{at}")),
        }
        match variable.upper.is_finite() {
            true => put(&mut bounds, format_args!(" UP b v{at} {}", variable.upper)),
            false => put(&mut bounds, format_args!(" PL b v{at}")),
        }
    }
    text + &sides + &ranges + &bounds + "ENDATA\n"
}

fn column(rows: &[Row], variable: usize) -> impl Iterator<Item = (usize, f64)> {
    rows.iter().enumerate().flat_map(move |(row, content)| {
        let terms = content.terms.iter().filter(move |(at, _)| *at == variable);
        terms.map(move |&(_, coefficient)| (row, coefficient))
    })
}

fn as_lp(program: &Program) -> String {
    let mut text = String::from("maximize\nobj:");
    for (at, coefficient) in program.objective.iter().enumerate() {
        put(&mut text, format_args!(" + {coefficient} v{at}"));
    }
    text += "\nsubject to\n";
    for (at, row) in program.rows.iter().enumerate() {
        put(&mut text, format_args!(" r{at}:"));
        let (lower, upper) = (row.lower, row.upper);
        if lower != upper && lower.is_finite() {
            put(&mut text, format_args!(" {lower} <="));
        }
        for (variable, coefficient) in &row.terms {
            put(&mut text, format_args!(" + {coefficient} v{variable}"));
        }
        match lower == upper {
            true => put(&mut text, format_args!(" = {lower}")),
            false if upper.is_finite() => put(&mut text, format_args!(" <= {upper}")),
            false => {}
        }
    }
    let mut kinds = [String::from("general\n"), String::from("binary\n")];
    text += "bounds\n";
    for (at, variable) in program.variables.iter().enumerate() {
        put(
            &mut text,
            format_args!(" {} <= v{at} <= {}", variable.lower, variable.upper),
        );
        match variable.kind {
            Kind::Integer => put(&mut kinds[0], format_args!(" v{at}")),
            Kind::Binary => put(&mut kinds[1], format_args!(" v{at}")),
            Kind::Continuous => {}
        }
    }
    text + &kinds.concat() + "end\n"
}

fn put(text: &mut String, line: std::fmt::Arguments<'_>) {
    writeln!(text, "{line}").expect("a string has room");
}
