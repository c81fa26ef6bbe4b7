//! An engine that errs costs a row, not a wrong state.

use imle_api::{Error, ErrorKind, Facts, Limits, Linked, Oracle, solve_one};
use imle_ilp_model::{Backend, IlpSolver, Model};
use serde_json::json;

/// An engine that answers with the objective, which the test chooses to be a point. Objectives are scaled
/// until the largest coefficient is about 32; a known one of 32 leaves the others as they are.
struct Echo;

impl Backend for Echo {
    const NAME: &'static str = "echo";
    const SUMMARY: &'static str = "answers with its objective";
    type Workspace = ();

    fn maximise(
        _: &mut (),
        model: &Model,
        objective: &[f64],
        values: &mut Vec<f64>,
        _: &Limits<'_>,
    ) -> Result<(), Error> {
        assert_eq!(objective.len(), model.variables().len());
        values.clear();
        values.extend_from_slice(objective);
        Ok(())
    }
}

fn answer(theta: &[f64]) -> Result<Vec<f64>, Error> {
    let config = json!({
        "model": {
            "variables": [
                {"name": "b", "kind": "binary"},
                {"name": "n", "kind": "integer", "lower": -2, "upper": 3},
                {"name": "c", "kind": "continuous", "upper": 2.5},
                {"name": "scale", "kind": "continuous", "upper": 32}
            ],
            "rows": [{"name": "budget", "terms": {"b": 1, "n": 1, "c": 1}, "sense": "<=", "rhs": 4}]
        },
        "theta": ["b", "n", "c"],
        "objective": {"scale": 32}
    });
    let oracle = Linked::<IlpSolver<Echo>>::open(&config.to_string()).expect("it is valid");
    assert_eq!(oracle.facts(), Facts::bounded(3, -2.0, 3.0, false));
    solve_one(&oracle, theta).map(|(z, _)| z)
}

#[test]
fn points_within_the_tolerances_become_exact() {
    assert_eq!(
        answer(&[1.0 - 1e-7, -2.0 + 1e-7, 2.5 + 1e-7]).unwrap(),
        [1.0, -2.0, 2.5]
    );
    let z = answer(&[-1e-9, -1e-9, -1e-9]).unwrap();
    assert!(
        z.iter().all(|z| z.to_bits() == 0),
        "{z:?} has no negative zero"
    );
}

#[test]
fn points_beyond_the_tolerances_are_failures_of_the_engine() {
    for (theta, expected) in [
        (
            [0.4, 0.0, 0.0],
            "integer variable `b` is 0.4, further from an integer than the tolerance 0.000001",
        ),
        (
            [0.0, 1.0 + 1e-5, 0.0],
            "integer variable `n` is 1.00001, further from an integer than the tolerance 0.000001",
        ),
        ([2.0, 0.0, 0.0], "variable `b` is 2, not from 0 to 1"),
        ([0.0, -3.0, 0.0], "variable `n` is -3, not from -2 to 3"),
        (
            [0.0, 0.0, -0.125],
            "variable `c` is -0.125, not from 0 to 2.5",
        ),
        ([1.0, 3.0, 0.25], "row `budget` is 4.25, not from -inf to 4"),
    ] {
        let error = answer(&theta).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::BackendFailed);
        assert_eq!(
            error.message(),
            format!("the engine returned a wrong point: {expected}")
        );
    }
}

/// An engine that answers with `nan`, or with too few values.
struct Broken<const VALUES: usize>;

impl<const VALUES: usize> Backend for Broken<VALUES> {
    const NAME: &'static str = "broken";
    const SUMMARY: &'static str = "answers with nonsense";
    const LARGEST_INTEGER: f64 = 100.0;
    type Workspace = ();

    fn maximise(
        _: &mut (),
        _: &Model,
        _: &[f64],
        values: &mut Vec<f64>,
        _: &Limits<'_>,
    ) -> Result<(), Error> {
        *values = vec![f64::NAN; VALUES];
        Ok(())
    }
}

fn nonsense<const VALUES: usize>() -> Error {
    let oracle = Linked::<IlpSolver<Broken<VALUES>>>::open(r#"{"model": {"binaries": 2}}"#);
    let oracle = oracle.expect("the configuration is good");
    solve_one(&oracle, &[1.0, 1.0]).expect_err("nonsense is no state")
}

#[test]
fn nonsense_is_a_failure_of_the_engine() {
    let expected = "the engine returned a wrong point: variable `x0` is NaN, not from 0 to 1";
    assert_eq!(nonsense::<2>().message(), expected);
    let expected = "the engine returned a wrong point: it gave 1 values for 2 variables";
    assert_eq!(nonsense::<1>().message(), expected);
}

#[test]
fn integers_that_the_engine_cannot_hold_are_refused() {
    let open = |upper: f64| {
        let config = json!({"model": {"variables": [
            {"name": "n", "kind": "integer", "upper": upper}
        ]}});
        Linked::<IlpSolver<Broken<1>>>::open(&config.to_string()).map(drop)
    };
    assert_eq!(open(100.0), Ok(()));
    let error = open(101.0).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    let expected = "broken needs bounds within 100 on integer variables, but `n` goes from 0 to 101 \
                    and no row bounds it further";
    assert_eq!(error.message(), expected);
}

#[test]
fn a_sum_that_overflows_is_a_matter_of_theta() {
    let config = json!({"model": {"binaries": 1}, "objective": {"x0": 1e308}});
    let oracle = Linked::<IlpSolver<Broken<1>>>::open(&config.to_string()).unwrap();
    let error = solve_one(&oracle, &[1e308]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidTheta);
}
