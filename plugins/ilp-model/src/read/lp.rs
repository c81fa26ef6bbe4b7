//! The linear subset of the LP file format: objective, rows and ranges, bounds, integers, binaries.
//!
//! Whatever else a file asks for is an error with its line and column, and so is a file that is cut
//! short: a model that lost a row on the way in would be solved without a word.

use std::collections::{HashMap, HashSet};

use imle_api::Error;

use super::lp_cursor::{Cursor, is_infinity};
use super::lp_words::{Section, Token, words};
use super::{WithObjective, with_objective};
use crate::model::variable;
use crate::{Kind, Row, Sense};

pub(crate) fn parse(text: &str) -> Result<WithObjective, Error> {
    let words = words(text)?;
    let mut parser = Parser {
        words: Cursor::new(&words, text),
        index: HashMap::new(),
        columns: Vec::new(),
        row_names: HashSet::new(),
        rows: Vec::new(),
    };
    let objective = parser.file()?;
    let Parser { columns, rows, .. } = parser;
    let mut dense = vec![0.0; columns.len()];
    for (at, coefficient) in objective {
        dense[at] += coefficient;
    }
    let variables = columns
        .into_iter()
        .map(|column| {
            variable(
                column.name.to_owned(),
                column.kind,
                column.lower,
                column.upper,
            )
        })
        .collect();
    with_objective(variables, rows, dense)
}

struct Column<'a> {
    name: &'a str,
    kind: Kind,
    lower: Option<f64>,
    upper: Option<f64>,
}

struct Parser<'w, 'a> {
    words: Cursor<'w, 'a>,
    index: HashMap<&'a str, usize>,
    columns: Vec<Column<'a>>,
    row_names: HashSet<String>,
    rows: Vec<Row>,
}

const RANGE: &str = "a range is `number <= terms <= number`, or the same with `>=`";

/// A sum of terms and a constant.
struct Sum {
    terms: Vec<(usize, f64)>,
    constant: f64,
}

impl<'a> Parser<'_, 'a> {
    /// Reads the file and returns its objective, to be maximised.
    fn file(&mut self) -> Result<Vec<(usize, f64)>, Error> {
        let sign = match self.words.peek() {
            Some(Token::Section(Section::Maximise)) => 1.0,
            Some(Token::Section(Section::Minimise)) => -1.0,
            _ => return Err(self.words.expected("`Maximize` or `Minimize`")),
        };
        self.words.advance();
        self.words.name_and_colon();
        let mut objective = self.sum(false)?.terms;
        objective
            .iter_mut()
            .for_each(|(_, coefficient)| *coefficient *= sign);
        loop {
            let Some(Token::Section(section)) = self.words.peek() else {
                return Err(self
                    .words
                    .expected("a section such as `Subject To` or `End`"));
            };
            let place = self.words.place();
            self.words.advance();
            match section {
                Section::Rows => self.each(Self::row)?,
                Section::Bounds => self.each(Self::bound)?,
                Section::Integers => self.each(|parser| parser.kind(Kind::Integer))?,
                Section::Binaries => self.each(|parser| parser.kind(Kind::Binary))?,
                Section::End => break,
                Section::Maximise | Section::Minimise => {
                    return Err(place.error("a second objective"));
                }
                Section::Unsupported(what) => {
                    return Err(place.error(format!("{what} are not supported")));
                }
            }
        }
        self.words.end_of_file()?;
        Ok(objective)
    }

    /// Reads entries until the next section.
    fn each(&mut self, entry: impl Fn(&mut Self) -> Result<(), Error>) -> Result<(), Error> {
        while !matches!(self.words.peek(), None | Some(Token::Section(_))) {
            entry(self)?;
        }
        Ok(())
    }

    /// `[name:] sum <= number` or `[name:] number <= sum [<= number]`.
    fn row(&mut self) -> Result<(), Error> {
        let place = self.words.place();
        let name = self.words.name_and_colon().map(str::to_owned);
        let name = name.unwrap_or_else(|| format!("row {}", self.rows.len() + 1));
        if matches!(self.words.peek(), Some(Token::Compare(_))) {
            return Err(self.words.expected("a number or a variable"));
        }
        let first = self.sum(false)?;
        let sense = self.words.compare()?;
        let (sum, (lower, upper)) = match first.terms.is_empty() {
            true => self.range(first.constant, sense)?,
            false => (first, sense.interval(self.words.number()?)),
        };
        if sum.terms.is_empty() {
            return Err(place.error(format!("row `{name}` has no variable")));
        }
        self.words.end_of_line()?;
        if !self.row_names.insert(name.clone()) {
            return Err(place.error(format!("a second row `{name}`")));
        }
        let (lower, upper) = (lower - sum.constant, upper - sum.constant);
        self.rows.push(Row {
            name,
            terms: merged(sum.terms),
            lower,
            upper,
        });
        Ok(())
    }

    /// What follows `number <=`: a sum, and perhaps the other end of a range.
    fn range(&mut self, number: f64, sense: Sense) -> Result<(Sum, (f64, f64)), Error> {
        let sum = self.sum(true)?;
        let (mut lower, mut upper) = flipped(sense).interval(number);
        let place = self.words.place();
        if matches!(self.words.peek(), Some(Token::Compare(_))) {
            if self.words.compare()? != sense || sense == Sense::Eq {
                return Err(place.error(RANGE));
            }
            let (low, high) = sense.interval(self.words.number()?);
            (lower, upper) = (lower.max(low), upper.min(high));
        }
        Ok((sum, (lower, upper)))
    }

    /// `[number <=] name [<= number]` or `name free`.
    fn bound(&mut self) -> Result<(), Error> {
        let left = match self.words.peek() {
            Some(Token::Name(name)) if !is_infinity(name) => None,
            _ => Some((self.words.number()?, self.words.compare()?)),
        };
        let at = self.known()?;
        if let Some((value, sense)) = left {
            self.columns[at].restrict(flipped(sense), value);
        }
        match self.words.peek() {
            Some(Token::Compare(sense)) => {
                if left.is_some_and(|(_, left)| left != sense || sense == Sense::Eq) {
                    return Err(self.words.place().error(RANGE));
                }
                self.words.advance();
                let value = self.words.number()?;
                self.columns[at].restrict(sense, value);
            }
            Some(Token::Name(word)) if left.is_none() && word.eq_ignore_ascii_case("free") => {
                self.words.advance();
                self.columns[at].restrict(Sense::Ge, f64::NEG_INFINITY);
                self.columns[at].restrict(Sense::Le, f64::INFINITY);
            }
            _ if left.is_some() => {}
            _ => return Err(self.words.expected("`<=`, `>=`, `=` or `free`")),
        }
        self.words.end_of_line()
    }

    /// One name in a list of integers or binaries.
    fn kind(&mut self, kind: Kind) -> Result<(), Error> {
        let at = self.known()?;
        let column = &mut self.columns[at];
        // In both lists: binary, which is the stronger.
        if column.kind != Kind::Binary {
            column.kind = kind;
        }
        Ok(())
    }

    /// `3 x + y - 2`: up to the first word that has no sign before it. `closing` if the row may end here:
    /// then a number at the end of a line and a name on the next could be one term, or two rows.
    fn sum(&mut self, closing: bool) -> Result<Sum, Error> {
        let mut sum = Sum {
            terms: Vec::new(),
            constant: 0.0,
        };
        let mut first = true;
        loop {
            let sign = self.words.sign();
            let begins = first || sign.is_some();
            let number = match self.words.peek() {
                Some(Token::Number(number)) if begins => {
                    self.words.advance();
                    Some(number)
                }
                _ => None,
            };
            let coefficient = sign.unwrap_or(1.0) * number.unwrap_or(1.0);
            match self.words.peek() {
                Some(Token::Name(name)) if begins && is_infinity(name) => {
                    return Err(self.words.expected("a number or a variable"));
                }
                Some(Token::Name(name)) if begins && !self.words.names_a_row() => {
                    if closing
                        && number.is_some()
                        && self.words.place().line > self.words.last_line()
                    {
                        return Err(self
                            .words
                            .expected("a term on one line, or a name for the next row"));
                    }
                    self.words.advance();
                    let variable = self.column(name);
                    sum.terms.push((variable, coefficient));
                }
                _ if number.is_some() => sum.constant += coefficient,
                _ if sign.is_some() => return Err(self.words.expected("a number or a variable")),
                _ => return Ok(sum),
            }
            first = false;
        }
    }

    /// The index of a variable that the objective or a row has named: a slip of the pen in a later
    /// section must not make a new one.
    fn known(&mut self) -> Result<usize, Error> {
        let Some(Token::Name(name)) = self.words.peek() else {
            return Err(self.words.expected("the name of a variable"));
        };
        let Some(&at) = self.index.get(name) else {
            let message = format!("variable `{name}` is in no row and not in the objective");
            return Err(self.words.place().error(message));
        };
        self.words.advance();
        Ok(at)
    }

    fn column(&mut self, name: &'a str) -> usize {
        *self.index.entry(name).or_insert_with(|| {
            let kind = Kind::Continuous;
            self.columns.push(Column {
                name,
                kind,
                lower: None,
                upper: None,
            });
            self.columns.len() - 1
        })
    }
}

impl Column<'_> {
    fn restrict(&mut self, sense: Sense, value: f64) {
        if sense != Sense::Le {
            self.lower = Some(value);
        }
        if sense != Sense::Ge {
            self.upper = Some(value);
        }
    }
}

/// The terms with `x + x` written as `2 x`.
fn merged(mut terms: Vec<(usize, f64)>) -> Vec<(usize, f64)> {
    terms.sort_by_key(|&(variable, _)| variable);
    terms.dedup_by(|next, kept| {
        let same = next.0 == kept.0;
        if same {
            kept.1 += next.1;
        }
        same
    });
    terms
}

/// `3 <= x` is `x >= 3`.
fn flipped(sense: Sense) -> Sense {
    match sense {
        Sense::Le => Sense::Ge,
        Sense::Ge => Sense::Le,
        Sense::Eq => Sense::Eq,
    }
}
