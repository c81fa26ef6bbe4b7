//! What becomes of one row, over every back end: the same statuses, the known objective, limits.

#[path = "common/ilp.rs"]
mod ilp;

use std::time::Duration;

use ilp::{Backend, backends, binaries, market_split, row, sum};
use imle_runtime::{Error, ErrorKind, Limits, StopFlag};
use serde_json::{Value, json};

fn solve_within(
    backend: Backend,
    config: &Value,
    theta: &[f64],
    limits: &Limits<'_>,
) -> Result<Vec<f64>, Error> {
    let mut z = vec![f64::NAN; theta.len()];
    let mut outcome = [imle_api::unset()];
    backend
        .opened(config)
        .solve(theta, &mut z, &mut outcome, limits);
    let [outcome] = outcome;
    outcome.map(|_| z)
}

#[test]
fn a_known_objective_is_added_to_theta() {
    let plain = binaries(2, [row(sum(0..2), "<=", 1)]);
    let mut known = plain.clone();
    known["objective"] = json!({"x0": 1.5});
    for backend in backends() {
        assert_eq!(backend.state(&plain, &[1.0, 2.0]), [0.0, 1.0], "{backend}");
        assert_eq!(backend.state(&known, &[1.0, 2.0]), [1.0, 0.0], "{backend}");
        assert_eq!(backend.state(&known, &[1.0, 3.0]), [0.0, 1.0], "{backend}");
    }
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
    for backend in backends() {
        assert_eq!(backend.state(&config, &[1.9]), [0.0], "{backend}");
        assert_eq!(backend.state(&config, &[2.1]), [1.0], "{backend}");
    }
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
    for backend in backends() {
        assert!(!backend.opened(&config).facts().integral, "{backend}");
        assert_eq!(backend.state(&config, &[1.0, 2.0]), [0.5, 3.5], "{backend}");
        let lowest = backend.state(&config, &[-1.0, -2.0]);
        assert_eq!(lowest, [-0.25, 0.0], "{backend}");
    }
}

#[test]
fn the_size_of_theta_does_not_matter() {
    let weights = (0..12).map(|i| (i, f64::from(3 + 7 * i as i32 % 11)));
    let config = binaries(12, [row(weights, "<=", 31)]);
    let theta: Vec<f64> = (0..12).map(|i| f64::from(5 * i % 13) + 0.1).collect();
    for backend in backends() {
        let expected = backend.state(&config, &theta);
        for scale in [1e-300, 1e-12, 1e-3, 1e9, 1e300] {
            let scaled: Vec<f64> = theta.iter().map(|theta| theta * scale).collect();
            let state = backend.state(&config, &scaled);
            assert_eq!(state, expected, "{backend}, theta times {scale}");
        }
        backend.state(&config, &[f64::MIN_POSITIVE / 4.0; 12]);
    }
}

#[test]
fn infeasible_rows_say_so() {
    let config = binaries(3, [row((0..3).map(|i| (i, 2.0)), "=", 3)]);
    for backend in backends() {
        let error = backend.solve(&config, &[1.0; 3]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Infeasible, "{backend}: {error}");
    }
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
    for backend in backends() {
        let lower = backend.opened(&config).facts().z_lower;
        assert_eq!(lower, f64::NEG_INFINITY, "{backend}");
        assert_eq!(backend.state(&config, &[0.5, 1.0]), [0.0, 2.0], "{backend}");
        let error = backend.solve(&config, &[0.5, -1.0]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unbounded, "{backend}: {error}");
    }
}

/// No integer point, although the relaxation has an unbounded ray.
#[test]
fn infeasible_comes_before_unbounded() {
    let config = json!({
        "model": {
            "binaries": 2,
            "variables": [{"name": "y", "kind": "continuous"}],
            "rows": [{"terms": {"x0": 2, "x1": 2}, "sense": "=", "rhs": 1}]
        },
        "theta": ["x0", "x1", "y"]
    });
    for backend in backends() {
        let error = backend.solve(&config, &[1.0; 3]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Infeasible, "{backend}: {error}");
    }
}

#[test]
fn the_time_limit_ends_a_row_without_a_state() {
    let (config, theta) = market_split(40);
    for backend in backends() {
        for time in [Duration::from_millis(50), Duration::ZERO] {
            let limits = Limits::none().with_time(time);
            let error = solve_within(backend, &config, &theta, &limits).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::LimitReached, "{backend}: {error}");
        }
    }
}

#[test]
fn an_incumbent_is_not_passed_off_as_optimal() {
    // Zero is feasible and more is found soon, but each item is worth what it weighs: no proof in sight.
    let mut random = fastrand::Rng::with_seed(3);
    let mut theta = vec![0.0; 150];
    let rows: Vec<Value> = (0..8)
        .map(|_| {
            let weights: Vec<u32> = (0..150).map(|_| random.u32(1..1000)).collect();
            let values = theta.iter_mut().zip(&weights);
            values.for_each(|(theta, &weight)| *theta += f64::from(weight));
            let half = weights.iter().sum::<u32>() / 2;
            row(weights.into_iter().map(f64::from).enumerate(), "<=", half)
        })
        .collect();
    let config = binaries(150, rows);
    for backend in backends() {
        let limits = Limits::none().with_time(Duration::from_millis(200));
        let error = solve_within(backend, &config, &theta, &limits).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::LimitReached, "{backend}: {error}");
    }
}

#[test]
fn a_generous_time_limit_changes_nothing() {
    let config = binaries(2, []);
    for backend in backends() {
        for time in [Duration::from_secs(3600), Duration::MAX] {
            let limits = Limits::none().with_time(time);
            let state = solve_within(backend, &config, &[1.0, -1.0], &limits);
            assert_eq!(state.unwrap(), [1.0, 0.0], "{backend}, {time:?}");
        }
    }
}

#[test]
fn a_raised_flag_stops_before_the_row() {
    let stop = StopFlag::default();
    stop.raise();
    let limits = Limits::none().with_stop(&stop);
    for backend in backends() {
        let error = solve_within(backend, &binaries(2, []), &[1.0, 1.0], &limits).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Stopped, "{backend}: {error}");
    }
}

#[test]
fn rows_bound_the_integers_that_nobody_bounded() {
    let integer = |name: &str| json!({"name": name, "kind": "integer"});
    let config = json!({"model": {"variables": [integer("a"), integer("b")], "rows": [
        {"terms": {"a": 2, "b": 3}, "sense": "<=", "rhs": 12}
    ]}});
    for backend in backends() {
        assert_eq!(backend.opened(&config).facts().z_upper, 6.0, "{backend}");
        assert_eq!(backend.state(&config, &[1.0, 1.4]), [6.0, 0.0], "{backend}");
        assert_eq!(backend.state(&config, &[1.0, 1.6]), [0.0, 4.0], "{backend}");
    }
}
