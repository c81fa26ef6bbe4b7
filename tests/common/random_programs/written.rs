//! A program as a configuration and as an MPS file.

use std::fmt::{self, Write as _};

use serde_json::{Map, Value, json};

use super::Program;

impl Program {
    /// The configuration, with a row of two ends as two rows.
    pub(crate) fn config(&self) -> Value {
        let bounds = self.integers.iter().map(|&(l, u)| (l.into(), u.into()));
        let bounds: Vec<(f64, f64)> = bounds.chain(self.continuous.iter().copied()).collect();
        let variable = |(at, &(lower, upper)): (usize, &(f64, f64))| {
            let kind = match at < self.integers.len() {
                true if (lower, upper) == (0.0, 1.0) => "binary",
                true => "integer",
                false => "continuous",
            };
            json!({"name": name(at), "kind": kind, "lower": bound(lower), "upper": bound(upper)})
        };
        let variables: Vec<Value> = bounds.iter().enumerate().map(variable).collect();
        let mut rows = Vec::new();
        for row in &self.rows {
            let terms = terms(&row.terms);
            let mut add =
                |sense, rhs| rows.push(json!({"terms": &terms, "sense": sense, "rhs": rhs}));
            match (row.lower.is_finite(), row.upper.is_finite()) {
                _ if row.lower == row.upper => add("=", row.lower),
                (true, true) => {
                    add(">=", row.lower);
                    add("<=", row.upper);
                }
                (true, false) => add(">=", row.lower),
                _ => add("<=", row.upper),
            }
        }
        json!({
            "model": {"variables": variables, "rows": rows},
            "theta": (0..self.addressed).map(name).collect::<Vec<_>>(),
            "objective": terms(&self.known),
        })
    }

    /// The feasible set as an MPS file, where a row can have two ends.
    pub(crate) fn mps(&self) -> String {
        let mut text = String::from("NAME random\nROWS\n N cost\n");
        let mut put = |line: String| writeln!(text, " {line}").expect("a string has room");
        for (at, row) in self.rows.iter().enumerate() {
            let sense = match (row.lower.is_finite(), row.upper.is_finite()) {
                _ if row.lower == row.upper => 'E',
                (true, _) => 'G',
                _ => 'L',
            };
            put(format!("{sense} r{at}"));
        }
        text += "COLUMNS\n m1 'MARKER' 'INTORG'\n";
        for variable in 0..self.known.len() {
            if variable == self.integers.len() {
                text += " m2 'MARKER' 'INTEND'\n";
            }
            writeln!(text, " {} cost 0", name(variable)).expect("a string has room");
            for (at, row) in self.rows.iter().enumerate() {
                let coefficient = row.terms[variable];
                if coefficient != 0.0 {
                    writeln!(text, " {} r{at} {coefficient}", name(variable))
                        .expect("a string has room");
                }
            }
        }
        if self.continuous.is_empty() {
            text += " m2 'MARKER' 'INTEND'\n";
        }
        text += "RHS\n";
        self.put_sides(&mut text);
        text += "BOUNDS\n";
        self.put_bounds(&mut text);
        text + "ENDATA\n"
    }

    fn put_sides(&self, text: &mut String) {
        for (at, row) in self.rows.iter().enumerate() {
            let rhs = if row.lower.is_finite() {
                row.lower
            } else {
                row.upper
            };
            writeln!(text, " rhs r{at} {rhs}").expect("a string has room");
        }
        *text += "RANGES\n";
        for (at, row) in self.rows.iter().enumerate() {
            let width = row.upper - row.lower;
            if width.is_finite() && width > 0.0 {
                writeln!(text, " range r{at} {width}").expect("a string has room");
            }
        }
    }

    fn put_bounds(&self, text: &mut String) {
        let mut put = |kind, at, value: &dyn fmt::Display| {
            writeln!(text, " {kind} b {} {value}", name(at)).expect("a string has room");
        };
        for (at, (lower, upper)) in self.integers.iter().enumerate() {
            put("LO", at, lower);
            put("UP", at, upper);
        }
        for (at, (lower, upper)) in self.continuous.iter().enumerate() {
            let at = self.integers.len() + at;
            match lower.is_finite() {
                true => put("LO", at, lower),
                false => put("MI", at, &""),
            }
            if upper.is_finite() {
                put("UP", at, upper);
            }
        }
    }
}

fn name(at: usize) -> String {
    format!("v{at}")
}

fn terms(coefficients: &[f64]) -> Map<String, Value> {
    let named = coefficients.iter().enumerate();
    named.map(|(at, c)| (name(at), json!(c))).collect()
}

fn bound(bound: f64) -> Value {
    match bound {
        f64::INFINITY => json!("inf"),
        f64::NEG_INFINITY => json!("-inf"),
        bound => json!(bound),
    }
}
