//! The words of an LP file, each with its place.

use imle_api::Error;

use super::place::Place;
use crate::Sense;

/// A word of an LP file.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Token<'a> {
    Number(f64),
    Name(&'a str),
    Plus,
    Minus,
    Colon,
    Compare(Sense),
    Section(Section),
}

/// What a keyword at the beginning of a line starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Section {
    Maximise,
    Minimise,
    Rows,
    Bounds,
    Integers,
    Binaries,
    End,
    /// A part of the format that a linear model has no place for.
    Unsupported(&'static str),
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Word<'a> {
    pub(crate) token: Token<'a>,
    pub(crate) text: &'a str,
    pub(crate) place: Place,
}

/// Longer phrases first where one begins another.
#[rustfmt::skip]
const SECTIONS: [(&str, Section); 40] = [
    ("general constraints", Section::Unsupported("general constraints")),
    ("general constraint", Section::Unsupported("general constraints")),
    ("maximize", Section::Maximise), ("maximise", Section::Maximise),
    ("maximum", Section::Maximise), ("max", Section::Maximise),
    ("minimize", Section::Minimise), ("minimise", Section::Minimise),
    ("minimum", Section::Minimise), ("min", Section::Minimise),
    ("subject to", Section::Rows), ("such that", Section::Rows),
    ("s.t.", Section::Rows), ("st.", Section::Rows), ("st", Section::Rows),
    ("bounds", Section::Bounds), ("bound", Section::Bounds),
    ("generals", Section::Integers), ("general", Section::Integers), ("gen", Section::Integers),
    ("integers", Section::Integers), ("integer", Section::Integers), ("int", Section::Integers),
    ("binaries", Section::Binaries), ("binary", Section::Binaries), ("bin", Section::Binaries),
    ("end", Section::End),
    ("semi-continuous", Section::Unsupported("semi-continuous variables")),
    ("semis", Section::Unsupported("semi-continuous variables")),
    ("semi", Section::Unsupported("semi-continuous variables")),
    ("sos1", Section::Unsupported("special ordered sets")),
    ("sos2", Section::Unsupported("special ordered sets")),
    ("sos", Section::Unsupported("special ordered sets")),
    ("lazy constraints", Section::Unsupported("lazy constraints")),
    ("user cuts", Section::Unsupported("user cuts")),
    ("genconstrs", Section::Unsupported("general constraints")),
    ("gencons", Section::Unsupported("general constraints")),
    ("pwlobj", Section::Unsupported("piecewise-linear objectives")),
    ("multi-objectives", Section::Unsupported("several objectives")),
    ("scenario", Section::Unsupported("scenarios")),
];

/// Splits `text` into words; `\` starts a comment that ends with its line.
pub(crate) fn words(text: &str) -> Result<Vec<Word<'_>>, Error> {
    let mut words = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let code = &line[..line.find('\\').unwrap_or(line.len())];
        let mut at = code.len() - code.trim_start().len();
        // Counted on from word to word: some programs write a whole objective on one line.
        let mut column = code[..at].chars().count() + 1;
        let mut first = true;
        while at < code.len() {
            let rest = &code[at..];
            let place = Place {
                line: number + 1,
                column,
            };
            let section = if first { section(rest) } else { None };
            let (token, length) = match section {
                Some(found) => found,
                None => token(rest).map_err(|why| place.error(why))?,
            };
            let text = &rest[..length];
            words.push(Word { token, text, place });
            let next = code.len() - rest[length..].trim_start().len();
            column += code[at..next].chars().count();
            at = next;
            first = false;
        }
    }
    Ok(words)
}

/// The keyword that `line` begins with, unless it is the name of a row: `st: x <= 1`.
fn section(line: &str) -> Option<(Token<'_>, usize)> {
    let begins = |phrase: &str| {
        let head = line.get(..phrase.len())?;
        let rest = &line[phrase.len()..];
        let ends = rest.chars().next().is_none_or(char::is_whitespace);
        let named = rest.trim_start().starts_with(':') && phrase != "sos";
        (head.eq_ignore_ascii_case(phrase) && ends && !named).then_some(phrase.len())
    };
    SECTIONS
        .iter()
        .find_map(|&(phrase, section)| Some((Token::Section(section), begins(phrase)?)))
}

fn token(text: &str) -> Result<(Token<'_>, usize), String> {
    const COMPARISONS: [(&str, Sense); 8] = [
        ("<=", Sense::Le),
        ("=<", Sense::Le),
        (">=", Sense::Ge),
        ("=>", Sense::Ge),
        ("==", Sense::Eq),
        ("<", Sense::Le),
        (">", Sense::Ge),
        ("=", Sense::Eq),
    ];
    if text.starts_with("->") {
        return Err("indicator constraints (`->`) are not supported".to_owned());
    }
    for (sign, sense) in COMPARISONS {
        if text.starts_with(sign) {
            return Ok((Token::Compare(sense), sign.len()));
        }
    }
    match text.chars().next() {
        Some('+') => Ok((Token::Plus, 1)),
        Some('-') => Ok((Token::Minus, 1)),
        Some(':') => Ok((Token::Colon, 1)),
        Some('[') => Err("quadratic terms (`[`) are not supported".to_owned()),
        Some(c) if c.is_ascii_digit() || c == '.' => number(text),
        Some(c) if in_name(c) => {
            let length = text.find(|c| !in_name(c) && !"[]".contains(c));
            let length = length.unwrap_or(text.len());
            Ok((Token::Name(&text[..length]), length))
        }
        Some(c) => Err(format!("unexpected `{c}`")),
        None => Err("unexpected end".to_owned()),
    }
}

fn in_name(c: char) -> bool {
    c.is_alphanumeric() || "!\"#$%&(),.;?@_`'{}~|/".contains(c)
}

/// `3`, `3.`, `.5`, `3e-4`; an `e` without digits after it begins a name, as in `3 e`.
fn number(text: &str) -> Result<(Token<'_>, usize), String> {
    let digits = |from: usize| {
        let rest = text[from..].bytes();
        from + rest.take_while(u8::is_ascii_digit).count()
    };
    let mut end = digits(0);
    if text[end..].starts_with('.') {
        end = digits(end + 1);
    }
    if text[end..].starts_with(['e', 'E']) {
        let sign = usize::from(text[end + 1..].starts_with(['+', '-']));
        let exponent = end + 1 + sign;
        if digits(exponent) > exponent {
            end = digits(exponent);
        }
    }
    match text[..end].parse::<f64>() {
        Ok(value) if value.is_finite() => Ok((Token::Number(value), end)),
        Ok(_) => Err(format!("`{}` is too large for a number", &text[..end])),
        Err(_) => Err(format!("`{}` is not a number", &text[..end])),
    }
}
