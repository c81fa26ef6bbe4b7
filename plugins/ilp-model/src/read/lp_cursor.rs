//! A reader of the words of an LP file: what comes next, where, and what was expected there.

use imle_api::Error;

use super::lp_words::{Token, Word};
use super::place::Place;
use crate::Sense;

pub(crate) struct Cursor<'w, 'a> {
    rest: &'w [Word<'a>],
    /// The line of the word that was read last.
    last_line: usize,
    /// The place of the end of the file.
    end: Place,
}

impl<'w, 'a> Cursor<'w, 'a> {
    pub(crate) fn new(words: &'w [Word<'a>], text: &str) -> Self {
        let line = text.lines().count() + 1;
        Self {
            rest: words,
            last_line: 0,
            end: Place { line, column: 1 },
        }
    }

    pub(crate) fn last_line(&self) -> usize {
        self.last_line
    }

    /// The product of the signs that come next, if any.
    pub(crate) fn sign(&mut self) -> Option<f64> {
        let mut sign = None;
        while let Some(next @ (Token::Plus | Token::Minus)) = self.peek() {
            self.advance();
            let factor = if next == Token::Minus { -1.0 } else { 1.0 };
            sign = Some(sign.unwrap_or(1.0) * factor);
        }
        sign
    }

    /// A number with an optional sign, or an infinity.
    pub(crate) fn number(&mut self) -> Result<f64, Error> {
        let sign = self.sign().unwrap_or(1.0);
        let value = match self.peek() {
            Some(Token::Number(value)) => value,
            Some(Token::Name(name)) if is_infinity(name) => f64::INFINITY,
            _ => return Err(self.expected("a number (variables belong on the left)")),
        };
        self.advance();
        Ok(sign * value)
    }

    pub(crate) fn compare(&mut self) -> Result<Sense, Error> {
        let Some(Token::Compare(sense)) = self.peek() else {
            return Err(self.expected("`<=`, `>=` or `=`"));
        };
        self.advance();
        Ok(sense)
    }

    pub(crate) fn name_and_colon(&mut self) -> Option<&'a str> {
        let Some(Token::Name(name)) = self.peek() else {
            return None;
        };
        if !self.names_a_row() {
            return None;
        }
        self.advance();
        self.advance();
        Some(name)
    }

    /// Whether the next word is a name with a colon after it.
    pub(crate) fn names_a_row(&self) -> bool {
        self.rest
            .get(1)
            .is_some_and(|word| word.token == Token::Colon)
    }

    /// Refuses what follows on the line that has just been read: `x <= 3 + y` is not `x <= 3`.
    pub(crate) fn end_of_line(&self) -> Result<(), Error> {
        match self.rest.first() {
            Some(next) if next.place.line == self.last_line => {
                Err(self.expected("the end of the line"))
            }
            _ => Ok(()),
        }
    }

    pub(crate) fn peek(&self) -> Option<Token<'a>> {
        self.rest.first().map(|word| word.token)
    }

    pub(crate) fn advance(&mut self) {
        if let Some((word, rest)) = self.rest.split_first() {
            self.last_line = word.place.line;
            self.rest = rest;
        }
    }

    pub(crate) fn place(&self) -> Place {
        self.rest.first().map_or(self.end, |word| word.place)
    }

    pub(crate) fn expected(&self, what: &str) -> Error {
        let found = match self.rest.first() {
            Some(word) => format!("`{}`", word.text),
            None => "the end of the file".to_owned(),
        };
        self.place()
            .error(format!("expected {what}, found {found}"))
    }

    pub(crate) fn end_of_file(&self) -> Result<(), Error> {
        match self.rest.first() {
            None => Ok(()),
            Some(word) => Err(word.place.error(format!("`{}` after `End`", word.text))),
        }
    }
}

pub(crate) fn is_infinity(name: &str) -> bool {
    ["inf", "infinity"]
        .iter()
        .any(|word| name.eq_ignore_ascii_case(word))
}
