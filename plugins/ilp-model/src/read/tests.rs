use imle_api::ErrorKind;

use super::{lp, mps};
use crate::{Kind, Model, Row, Variable};

const FREE: f64 = f64::INFINITY;

fn variable(name: &str, kind: Kind, lower: f64, upper: f64) -> Variable {
    let name = name.to_owned();
    Variable {
        name,
        kind,
        lower,
        upper,
    }
}

fn row(name: &str, terms: &[(usize, f64)], lower: f64, upper: f64) -> Row {
    let (name, terms) = (name.to_owned(), terms.to_vec());
    Row {
        name,
        terms,
        lower,
        upper,
    }
}

fn lp(text: &str) -> (Model, Vec<f64>) {
    lp::parse(text).unwrap()
}

fn mps(text: &str) -> (Model, Vec<f64>) {
    mps::parse(text).unwrap()
}

type Parse = fn(&str) -> Result<(Model, Vec<f64>), imle_api::Error>;

fn refuses(parse: Parse, cases: &[(&str, &str)]) {
    for (text, expected) in cases {
        let error = parse(text).unwrap_err();
        assert_eq!(
            (error.kind(), error.message()),
            (ErrorKind::InvalidConfig, *expected),
            "{text}"
        );
    }
}

#[test]
fn lp_reads_expressions_as_people_write_them() {
    let (model, objective) = lp("
        \\ a comment
        MAXIMISE 3x + 2 y - - z + 7
        subject to
          c1: x + y + x
              - 2.5e1 z >= -3   \\ another
          2 <= y + 1
          named: x - 4 = 0
          r: 8 >= x + y >= -inf
        end");
    assert_eq!(objective, [3.0, 2.0, 1.0]);
    let rows = [
        row("c1", &[(0, 2.0), (1, 1.0), (2, -25.0)], -3.0, FREE),
        row("row 2", &[(1, 1.0)], 1.0, FREE),
        row("named", &[(0, 1.0)], 4.0, 4.0),
        row("r", &[(0, 1.0), (1, 1.0)], -FREE, 8.0),
    ];
    assert_eq!(model.rows(), rows);
}

#[test]
fn lp_reads_bounds_and_kinds() {
    let (model, objective) = lp("min: a + b + c + d + e + f + g + h
        st
         st: a + b < 3
        bounds
         -1 <= a <= 1e30
         b free
         c = 2
         -inf <= d <= 5
         e >= -4.5
         5 >= e
         f <= 2.5
        integers
         e f
         g
        binary
         g h
        end"
    .replace("min:", "min obj:")
    .as_str());
    assert_eq!(objective, [-1.0; 8]);
    let variables = [
        variable("a", Kind::Continuous, -1.0, FREE),
        variable("b", Kind::Continuous, -FREE, FREE),
        variable("c", Kind::Continuous, 2.0, 2.0),
        variable("d", Kind::Continuous, -FREE, 5.0),
        variable("e", Kind::Integer, -4.0, 5.0),
        variable("f", Kind::Integer, 0.0, 2.0),
        variable("g", Kind::Binary, 0.0, 1.0),
        variable("h", Kind::Binary, 0.0, 1.0),
    ];
    assert_eq!(model.variables(), variables);
    assert_eq!(model.rows(), [row("st", &[(0, 1.0), (1, 1.0)], -FREE, 3.0)]);
}

#[test]
fn lp_names_the_place_of_a_mistake() {
    refuses(
        lp::parse,
        &[
            (
                "x + y",
                "line 1, column 1: expected `Maximize` or `Minimize`, found `x`",
            ),
            (
                "",
                "line 1, column 1: expected `Maximize` or `Minimize`, found the end of the file",
            ),
            (
                "max x\nst\n x <= 1\n",
                "line 4, column 1: expected a section such as `Subject To` or `End`, found the end of the file",
            ),
            (
                "max x\nst\n x + <= 1\nend",
                "line 3, column 6: expected a number or a variable, found `<=`",
            ),
            (
                "max x\nst\n x <= 3 + y\nend",
                "line 3, column 9: expected the end of the line, found `+`",
            ),
            (
                "max x\nst\n x <= y\nend",
                "line 3, column 7: expected a number (variables belong on the left), found `y`",
            ),
            (
                "max x\nst\n c: x y 3\nend",
                "line 3, column 7: expected `<=`, `>=` or `=`, found `y`",
            ),
            (
                "max x\nst\n c: x <= 1\n c: x >= 0\nend",
                "line 4, column 2: a second row `c`",
            ),
            (
                "max x\nst\n c: 0 <= 1\nend",
                "line 3, column 2: row `c` has no variable",
            ),
            (
                "max x\nst\n 1 <= x >= 0\nend",
                "line 3, column 9: a range is `number <= terms <= number`, or the same with `>=`",
            ),
            (
                "max x\nst\n c: <= x\nend",
                "line 3, column 5: expected a number or a variable, found `<=`",
            ),
            (
                "max x\nst\n x + inf <= 4\nend",
                "line 3, column 6: expected a number or a variable, found `inf`",
            ),
            (
                "max x\nst\n x <= 4 <= 5\nend",
                "line 3, column 9: expected the end of the line, found `<=`",
            ),
            (
                "max x\nst\n x <= 4\nbounds\n 1 <= x >= 2\nend",
                "line 5, column 9: a range is `number <= terms <= number`, or the same with `>=`",
            ),
            (
                "max x\nst\n 2 <= x + 1\n y <= 3\nend",
                "line 4, column 2: expected a term on one line, or a name for the next row, found `y`",
            ),
            (
                "max x\nst\n x <= 1\nbounds\n y <= 3\nend",
                "line 5, column 2: variable `y` is in no row and not in the objective",
            ),
            (
                "max x\nst\n x <= 1\nbounds\n x\nend",
                "line 6, column 1: expected `<=`, `>=`, `=` or `free`, found `end`",
            ),
            (
                "max x\nst\n x <= 1\nbin\n x + y\nend",
                "line 5, column 4: expected the name of a variable, found `+`",
            ),
            (
                "max x\nst\n x <= 1\nend\nx",
                "line 5, column 1: `x` after `End`",
            ),
            ("max x\nmin x\nend", "line 2, column 1: a second objective"),
            (
                "max [ x^2 ]\nend",
                "line 1, column 5: quadratic terms (`[`) are not supported",
            ),
            ("max x^2\nend", "line 1, column 6: unexpected `^`"),
            (
                "max x\nst\n x = 1 -> y <= 1\nend",
                "line 3, column 8: indicator constraints (`->`) are not supported",
            ),
            (
                "max x\nst\n x <= 1\nlazy constraints\n x <= 0\nend",
                "line 4, column 1: lazy constraints are not supported",
            ),
            (
                "max x\nst\n x <= 1\nSemi-Continuous\n x\nend",
                "line 4, column 1: semi-continuous variables are not supported",
            ),
            (
                "max x\nst\n x <= 1\ngeneral constraints\n x <= 0\nend",
                "line 4, column 1: general constraints are not supported",
            ),
            (
                "max 1e999 x\nend",
                "line 1, column 5: `1e999` is too large for a number",
            ),
            ("max é + . x\nend", "line 1, column 9: `.` is not a number"),
            (
                "max x\nst\n x <= 1\nbounds\n x <= -5\nend",
                "the bounds 0 and -5 of variable `x` are crossed",
            ),
        ],
    );
}

const MPS: &str = "* free form
NAME test
OBJSENSE MIN
ROWS
 N cost
 L le
 G ge
 E eq
 E eq2
 N other
COLUMNS
 x cost 1 le 1
 x ge 2 other 9
 y cost -1 ge 1 eq 1
 m1 'MARKER' 'INTORG'
 n eq 2 eq2 3
 m2 'MARKER' 'INTEND'
 w eq2 1
RHS
 le 4 ge 1
 eq 5
RANGES
 rng le 3 ge 2
 rng eq -1.5 eq2 2
BOUNDS
 PL b n
 FR x
 MI b y
 UP y -2.5
 UP b w -1
ENDATA
";

#[test]
fn mps_reads_every_section() {
    let (model, objective) = mps(MPS);
    assert_eq!(objective, [-1.0, 1.0, 0.0, 0.0]);
    let rows = [
        row("le", &[(0, 1.0)], 1.0, 4.0),
        row("ge", &[(0, 2.0), (1, 1.0)], 1.0, 3.0),
        row("eq", &[(1, 1.0), (2, 2.0)], 3.5, 5.0),
        row("eq2", &[(2, 3.0), (3, 1.0)], 0.0, 2.0),
    ];
    assert_eq!(model.rows(), rows);
    let variables = [
        variable("x", Kind::Continuous, -FREE, FREE),
        variable("y", Kind::Continuous, -FREE, -2.5),
        variable("n", Kind::Integer, 0.0, 6.0), // as `eq`, `ge` and `le` imply
        // A negative upper bound alone takes the lower bound away.
        variable("w", Kind::Continuous, -FREE, -1.0),
    ];
    assert_eq!(model.variables(), variables);
}

#[test]
fn mps_reads_every_bound() {
    let bounds = |bounds: &str| {
        let text = format!(
            "ROWS\n N c\n L r\nCOLUMNS\n x c 1 r 1\n y r 1\nRHS\n r r 3\nBOUNDS\n{bounds}\nENDATA"
        );
        mps(&text).0.variables()[0].clone()
    };
    let (continuous, integer) = (Kind::Continuous, Kind::Integer);
    for (text, kind, lower, upper) in [
        (" LO b x -3\n UP b x 4", continuous, -3.0, 4.0),
        (" UP b x 4\n LO b x -3", continuous, -3.0, 4.0),
        (" UP b x 0", continuous, 0.0, 0.0),
        (" UP b x 1e30", continuous, 0.0, FREE),
        (" UP b x -4\n LO b x -5", continuous, -5.0, -4.0),
        (" FX b x 2.5", continuous, 2.5, 2.5),
        (" FR b x", continuous, -FREE, FREE),
        (" FR b x 7", continuous, -FREE, FREE),
        (" MI b x", continuous, -FREE, FREE),
        (" BV b x", Kind::Binary, 0.0, 1.0),
        (" BV x", Kind::Binary, 0.0, 1.0),
        (" BV b x 1", Kind::Binary, 0.0, 1.0),
        (" LI b x 2\n UI b x 9", integer, 2.0, 9.0),
        (" UI b x -1\n LI b x -3", integer, -3.0, -1.0),
    ] {
        assert_eq!(bounds(text), variable("x", kind, lower, upper), "{text}");
    }
}

#[test]
fn mps_names_the_place_of_a_mistake() {
    let cases = [
        (
            " N cost",
            " Q cost",
            "line 5, column 2: row type `Q` is not N, L, G or E",
        ),
        (
            " G ge",
            " G ge 1",
            "line 7, column 2: a row is a type and a name",
        ),
        (" G ge", " G le", "line 7, column 4: a second row `le`"),
        (
            " w eq2 1",
            " w eq3 1",
            "line 18, column 4: unknown row `eq3`",
        ),
        (
            " w eq2 1",
            " w eq2 1x",
            "line 18, column 8: `1x` is not a number",
        ),
        // Found by fuzzing: every row of theta would have been too large.
        (
            " x cost 1 le 1",
            " x cost -inf le 1",
            "the objective has the coefficient inf for `x`",
        ),
        (
            " w eq2 1",
            " w eq2 nan",
            "line 18, column 8: `nan` is not a number",
        ),
        (
            " w eq2 1",
            " w eq2 1 eq2 2",
            "line 18, column 10: a second entry of column `w` in row `eq2`",
        ),
        (
            " w eq2 1",
            " x eq2 1",
            "line 18, column 2: column `x` again, after others",
        ),
        (
            " w eq2 1",
            " w x eq2 1",
            "line 18, column 2: expected pairs of a row and a number (names with blanks are not supported)",
        ),
        (
            " m2 'MARKER' 'INTEND'",
            " m2 'MARKER' 'SOSORG'",
            "line 17, column 14: marker 'SOSORG' is not 'INTORG' or 'INTEND'",
        ),
        (
            " PL b n\n",
            "",
            "line 16, column 2: integer column `n` has no bounds, which some read as 0 to 1 and others as from 0 on: add one, such as `PL bounds n`",
        ),
        (
            " PL b n",
            " PL b q",
            "line 26, column 5: unknown column `b`",
        ),
        (
            " PL b n",
            " SC b n 3",
            "line 26, column 2: bound type `SC` is not supported",
        ),
        (
            " PL b n",
            " LO n",
            "line 26, column 2: a bound is a type, a vector, a column and a value",
        ),
        (
            " UP b w -1",
            " UP c w -1",
            "line 30, column 5: a second vector `c` beside `b`",
        ),
        (
            " eq 5",
            " le 5",
            "line 21, column 2: a second right-hand side of row `le`",
        ),
        (
            " rng eq -1.5",
            " rng cost -1.5",
            "line 24, column 6: a range of the free row `cost`",
        ),
        (
            "OBJSENSE MIN",
            "OBJSENSE LOW",
            "line 3, column 10: `LOW` is neither MIN nor MAX",
        ),
        (
            "ROWS",
            "SOS",
            "line 4, column 1: section `SOS` is not supported",
        ),
        (
            "ENDATA",
            "QUADOBJ\n x x 1\nENDATA",
            "line 31, column 1: section `QUADOBJ` is not supported",
        ),
        (
            "ENDATA",
            "INDICATORS\n IF le n 1\nENDATA",
            "line 31, column 1: section `INDICATORS` is not supported",
        ),
        ("ENDATA", "", "the file ends without ENDATA"),
        (
            "ENDATA",
            "ENDATA\nROWS",
            "line 32, column 1: `ROWS` after ENDATA",
        ),
        (
            "RANGES",
            "RANGES x",
            "line 22, column 8: `x` after a section name",
        ),
        (
            "NAME test",
            " test",
            "line 2, column 2: data outside of a section",
        ),
    ];
    let texts: Vec<(String, &str)> = cases
        .iter()
        .map(|(from, to, expected)| {
            assert!(MPS.contains(from), "{from}");
            (MPS.replacen(from, to, 1), *expected)
        })
        .collect();
    let cases: Vec<(&str, &str)> = texts
        .iter()
        .map(|(text, expected)| (text.as_str(), *expected))
        .collect();
    refuses(mps::parse, &cases);
}

/// Places were once counted from the beginning of the line for every word: this took minutes.
#[test]
fn a_long_line_takes_as_long_as_many_short_ones() {
    const VARIABLES: usize = 300_000;
    let terms: String = (0..VARIABLES).map(|at| format!(" + v{at}")).collect();
    let (model, _) = lp(&format!("max{terms}\nst\n v0 <= 1\nend"));
    assert_eq!(model.variables().len(), VARIABLES);
    let place = terms.len() + "max".len() + 2;
    let error = lp::parse(&format!("max{terms} ^")).unwrap_err();
    let expected = format!("line 1, column {place}: unexpected `^`");
    assert_eq!(error.message(), expected);
    let pairs = " r 1".repeat(VARIABLES);
    let error = mps::parse(&format!("ROWS\n N c\n L r\nCOLUMNS\n x{pairs}\nENDATA")).unwrap_err();
    let expected = "line 5, column 8: a second entry of column `x` in row `r`";
    assert_eq!(error.message(), expected);
}
