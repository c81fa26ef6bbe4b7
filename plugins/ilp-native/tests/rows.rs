//! What becomes of one row: each status, the known objective, limits.

use std::time::Duration;

use imle_api::{Error, ErrorKind, Limits, Linked, Oracle, StopFlag, solve_one, unset};
use imle_ilp_native::IlpNative;
use serde_json::{Value, json};

fn open(config: &Value) -> Linked<IlpNative> {
    Linked::open(&config.to_string()).expect("the configuration is good")
}

fn solve(config: &Value, theta: &[f64]) -> Result<Vec<f64>, Error> {
    solve_one(&open(config), theta).map(|(z, _)| z)
}

fn solve_within(config: &Value, theta: &[f64], limits: &Limits<'_>) -> Result<Vec<f64>, Error> {
    let mut z = vec![f64::NAN; theta.len()];
    let mut outcome = [unset()];
    open(config).solve(theta, &mut z, &mut outcome, limits);
    let [outcome] = outcome;
    outcome.map(|_| z)
}

#[test]
fn a_known_objective_is_added_to_theta() {
    let mut config = json!({"model": {"binaries": 2, "rows": [
        {"terms": {"x0": 1, "x1": 1}, "sense": "<=", "rhs": 1}
    ]}});
    assert_eq!(solve(&config, &[1.0, 2.0]).unwrap(), [0.0, 1.0]);
    config["objective"] = json!({"x0": 1.5});
    assert_eq!(solve(&config, &[1.0, 2.0]).unwrap(), [1.0, 0.0]);
    assert_eq!(solve(&config, &[1.0, 3.0]).unwrap(), [0.0, 1.0]);
}

#[test]
fn a_variable_without_theta_has_a_say_by_its_known_cost() {
    // Using x0 needs a truck at a price of 2.
    let config = json!({
        "model": {
            "binaries": 1,
            "variables": [{"name": "truck", "kind": "binary"}],
            "rows": [{"terms": {"x0": 1, "truck": -1}, "sense": "<=", "rhs": 0}]
        },
        "theta": ["x0"],
        "objective": {"truck": -2}
    });
    assert_eq!(solve(&config, &[1.9]).unwrap(), [0.0]);
    assert_eq!(solve(&config, &[2.1]).unwrap(), [1.0]);
}

#[test]
fn continuous_variables_can_form_the_state() {
    let config = json!({
        "model": {
            "variables": [
                {"name": "x", "kind": "continuous", "upper": 3.5},
                {"name": "y", "kind": "continuous", "lower": -0.25, "upper": 9}
            ],
            "rows": [{"terms": {"x": 1, "y": 1}, "sense": "<=", "rhs": 4}]
        },
        "theta": ["y", "x"]
    });
    assert!(!open(&config).facts().integral);
    assert_eq!(solve(&config, &[1.0, 2.0]).unwrap(), [0.5, 3.5]);
    assert_eq!(solve(&config, &[-1.0, -2.0]).unwrap(), [-0.25, 0.0]);
}

#[test]
fn the_size_of_theta_does_not_matter() {
    let weights: Vec<f64> = (0..12).map(|i| f64::from(3 + 7 * i % 11)).collect();
    let terms: serde_json::Map<_, _> = (0..12)
        .map(|i| (format!("x{i}"), json!(weights[i])))
        .collect();
    let config = json!({"model": {"binaries": 12, "rows": [
        {"terms": terms, "sense": "<=", "rhs": 31}
    ]}});
    let theta: Vec<f64> = (0..12).map(|i| f64::from(5 * i % 13) + 0.1).collect();
    let expected = solve(&config, &theta).unwrap();
    for scale in [1e-300, 1e-12, 1e-3, 1e9, 1e300] {
        let scaled: Vec<f64> = theta.iter().map(|theta| theta * scale).collect();
        assert_eq!(
            solve(&config, &scaled).unwrap(),
            expected,
            "theta times {scale}"
        );
    }
    assert_eq!(
        solve(&config, &[f64::MIN_POSITIVE / 4.0; 12]).map(|z| z.len()),
        Ok(12)
    );
}

#[test]
fn infeasible_rows_say_so() {
    let config = json!({"model": {"binaries": 3, "rows": [
        {"terms": {"x0": 2, "x1": 2, "x2": 2}, "sense": "=", "rhs": 3}
    ]}});
    assert_eq!(
        solve(&config, &[1.0; 3]).unwrap_err().kind(),
        ErrorKind::Infeasible
    );
}

#[test]
fn unbounded_depends_on_theta() {
    let free = json!({"name": "y", "kind": "continuous", "lower": "-inf"});
    let config = json!({
        "model": {"binaries": 1, "variables": [free], "rows": [
            {"terms": {"y": 1, "x0": 1}, "sense": "<=", "rhs": 2}
        ]},
        "theta": ["x0", "y"]
    });
    assert_eq!(open(&config).facts().z_lower, f64::NEG_INFINITY);
    assert_eq!(solve(&config, &[0.5, 1.0]).unwrap(), [0.0, 2.0]);
    assert_eq!(
        solve(&config, &[0.5, -1.0]).unwrap_err().kind(),
        ErrorKind::Unbounded
    );
}

/// A market split: easy to state, and out of reach of branch and bound.
fn market_split() -> (Value, Vec<f64>) {
    let mut random = fastrand::Rng::with_seed(7);
    let rows: Vec<Value> = (0..5)
        .map(|_| {
            let weights: Vec<u32> = (0..40).map(|_| random.u32(0..100)).collect();
            let terms: serde_json::Map<_, _> = weights
                .iter()
                .enumerate()
                .map(|(i, w)| (format!("x{i}"), json!(w)))
                .collect();
            json!({"terms": terms, "sense": "=", "rhs": weights.iter().sum::<u32>() / 2})
        })
        .collect();
    let config = json!({"model": {"binaries": 40, "rows": rows}});
    (config, (0..40).map(|_| random.f64()).collect())
}

#[test]
fn the_time_limit_ends_a_row_without_a_state() {
    let (config, theta) = market_split();
    let limits = Limits::none().with_time(Duration::from_millis(50));
    let error = solve_within(&config, &theta, &limits).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::LimitReached);
    let limits = Limits::none().with_time(Duration::ZERO);
    let error = solve_within(&config, &theta, &limits).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::LimitReached);
}

#[test]
fn an_incumbent_is_not_passed_off_as_optimal() {
    // Zero is feasible and more is found soon, but each item is worth what it weighs: no proof in sight.
    let mut random = fastrand::Rng::with_seed(3);
    let mut theta = vec![0.0; 150];
    let rows: Vec<Value> = (0..8)
        .map(|_| {
            let weights: Vec<u32> = (0..150).map(|_| random.u32(1..1000)).collect();
            theta
                .iter_mut()
                .zip(&weights)
                .for_each(|(t, &w)| *t += f64::from(w));
            let terms: serde_json::Map<_, _> = weights
                .iter()
                .enumerate()
                .map(|(i, w)| (format!("x{i}"), json!(w)))
                .collect();
            json!({"terms": terms, "sense": "<=", "rhs": weights.iter().sum::<u32>() / 2})
        })
        .collect();
    let config = json!({"model": {"binaries": 150, "rows": rows}});
    let limits = Limits::none().with_time(Duration::from_millis(200));
    let error = solve_within(&config, &theta, &limits).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::LimitReached);
}

#[test]
fn a_generous_time_limit_changes_nothing() {
    let config = json!({"model": {"binaries": 2}});
    for time in [Duration::from_secs(3600), Duration::MAX] {
        let limits = Limits::none().with_time(time);
        assert_eq!(
            solve_within(&config, &[1.0, -1.0], &limits).unwrap(),
            [1.0, 0.0]
        );
    }
}

#[test]
fn a_raised_flag_stops_before_the_row() {
    let stop = StopFlag::default();
    stop.raise();
    let limits = Limits::none().with_stop(&stop);
    let error = solve_within(&json!({"model": {"binaries": 2}}), &[1.0, 1.0], &limits).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Stopped);
}

#[test]
fn integers_without_bounds_are_solved_where_the_objective_bounds_them() {
    let config = json!({"model": {"variables": [
        {"name": "n", "kind": "integer", "lower": "-inf", "upper": 2_147_483_648_u32}
    ]}});
    assert_eq!(solve(&config, &[1.0]).unwrap(), [2_147_483_648.0]);
    let error = solve(&config, &[-1.0]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unbounded);
}

#[test]
fn rows_bound_the_integers_that_nobody_bounded() {
    let integer = |name: &str| json!({"name": name, "kind": "integer"});
    let config = json!({"model": {"variables": [integer("a"), integer("b")], "rows": [
        {"terms": {"a": 2, "b": 3}, "sense": "<=", "rhs": 12}
    ]}});
    assert_eq!(open(&config).facts().z_upper, 6.0);
    assert_eq!(solve(&config, &[1.0, 1.4]).unwrap(), [6.0, 0.0]);
    assert_eq!(solve(&config, &[1.0, 1.6]).unwrap(), [0.0, 4.0]);
}
