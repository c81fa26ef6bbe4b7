//! What every back end promises, whatever its engine. A crate includes this file and calls each function with
//! its own solver.

use std::time::{Duration, Instant};

use imle_api::conformance::{Check, binary_vectors};
use imle_api::{ErrorKind, Limits, Linked, Oracle, Outcome, Solver, StopFlag, solve_one, unset};
use serde_json::{Value, json};

fn row(terms: &[(usize, f64)], sense: &str, rhs: f64) -> Value {
    let terms: serde_json::Map<String, Value> = terms
        .iter()
        .map(|(i, c)| (format!("x{i}"), json!(c)))
        .collect();
    json!({"terms": terms, "sense": sense, "rhs": rhs})
}

fn sum(of: impl IntoIterator<Item = usize>) -> Vec<(usize, f64)> {
    of.into_iter().map(|i| (i, 1.0)).collect()
}

/// Weights that no two subsets share.
fn knapsack(dim: usize) -> Value {
    let terms: Vec<_> = (0..dim)
        .map(|i| (i, 0.11 + (7 * i % 13) as f64 / 12.7))
        .collect();
    let capacity = terms.iter().map(|term| term.1).sum::<f64>() / 3.0;
    json!({"model": {"binaries": dim, "rows": [row(&terms, "<=", capacity)]}})
}

fn assignment(size: usize) -> Value {
    let lines = (0..size).flat_map(|i| {
        let line = sum(size * i..size * (i + 1));
        [line, sum((0..size).map(|j| size * j + i))]
    });
    let rows: Vec<Value> = lines.map(|line| row(&line, "=", 1.0)).collect();
    json!({"model": {"binaries": size * size, "rows": rows}})
}

/// Paths through a diamond of four corners as flows, which are continuous and come out whole.
fn paths() -> Value {
    let arcs = [(0, 1), (0, 2), (1, 2), (1, 3), (2, 3)];
    let variables: Vec<Value> = (0..arcs.len())
        .map(|i| json!({"name": format!("x{i}"), "kind": "continuous", "upper": 1}))
        .collect();
    let rows: Vec<Value> = (0..4)
        .map(|corner| {
            let terms: Vec<_> = (0..arcs.len())
                .filter_map(|i| match arcs[i] {
                    (from, _) if from == corner => Some((i, 1.0)),
                    (_, to) if to == corner => Some((i, -1.0)),
                    _ => None,
                })
                .collect();
            row(&terms, "=", [1.0, 0.0, 0.0, -1.0][corner])
        })
        .collect();
    let theta: Vec<String> = (0..arcs.len()).map(|i| format!("x{i}")).collect();
    json!({"model": {"variables": variables, "rows": rows}, "theta": theta})
}

/// General integers, a continuous part of the state with fractions, and a free variable beside it.
fn mixed() -> Value {
    let integer =
        |i: usize| json!({"name": format!("x{i}"), "kind": "integer", "lower": -3, "upper": 9});
    let terms = [(0, 3.0), (1, -2.0), (2, 1.7)];
    json!({
        "model": {
            "variables": [
                integer(0), integer(1),
                {"name": "x2", "kind": "continuous", "lower": -1.5, "upper": 4.1},
                {"name": "x3", "kind": "continuous", "lower": "-inf"}
            ],
            "rows": [
                row(&terms, "<=", 7.3),
                row(&[(0, 1.0), (1, 1.0), (3, 1.0)], "=", 4.9),
                row(&[(1, 1.0), (2, -3.0)], ">=", -5.2),
                row(&[(3, 1.0)], ">=", -2.0),
                row(&[(3, 1.0)], "<=", 6.5)
            ]
        },
        "theta": ["x0", "x1", "x2"]
    })
}

/// The contract of a solver, on sets that are small enough to list.
pub(crate) fn obeys_the_contract<S: Solver>() {
    let weights: Vec<f64> = (0..7).map(|i| 0.11 + (7 * i % 13) as f64 / 12.7).collect();
    let capacity = weights.iter().sum::<f64>() / 3.0;
    let packs = |z: &[f64]| z.iter().zip(&weights).map(|(z, w)| z * w).sum::<f64>() <= capacity;
    let permutes = |z: &[f64]| {
        let one = |line: [usize; 3]| line.iter().map(|&i| z[i]).sum::<f64>() == 1.0;
        (0..3).all(|i| one([3 * i, 3 * i + 1, 3 * i + 2]) && one([i, i + 3, i + 6]))
    };
    let three_paths = [
        [1.0, 0.0, 0.0, 1.0, 0.0],
        [1.0, 0.0, 1.0, 0.0, 1.0],
        [0.0, 1.0, 0.0, 0.0, 1.0],
    ];
    let impossible = [row(&sum(0..3), ">=", 2.0), row(&sum(0..3), "<=", 1.0)];
    Check::new()
        .case(knapsack(7), binary_vectors(7, packs))
        .case(assignment(3), binary_vectors(9, permutes))
        .case(paths(), three_paths.map(Vec::from).to_vec())
        .case(
            json!({"model": {"binaries": 3, "rows": impossible}}),
            Vec::new(),
        )
        .case(
            json!({"model": {"binaries": 3}}),
            binary_vectors(3, |_| true),
        )
        .refuses(json!({}))
        .run::<S>()
        .expect("the contract is obeyed");
}

/// Objectives with one best state, with ties, and with nothing to choose.
fn objectives(dim: usize) -> Vec<Vec<f64>> {
    let mut random = fastrand::Rng::with_seed(11);
    let mut objective = |i: usize| -> Vec<f64> {
        (0..dim)
            .map(|_| match i % 5 {
                0 => f64::from(random.i32(-1..=1)),
                1 => f64::from(random.i32(-6..=6)),
                _ => random.f64() * 4.0 - 2.0,
            })
            .collect()
    };
    let mut objectives: Vec<_> = (0..199).map(&mut objective).collect();
    objectives.push(vec![0.0; dim]);
    objectives
}

/// The bits of a state, or the kind of the error.
fn bits(oracle: &impl Oracle, theta: &[f64]) -> Result<Vec<u64>, ErrorKind> {
    let solved = solve_one(oracle, theta);
    let (z, _) = solved.map_err(|why| why.kind())?;
    Ok(z.iter().map(|z| z.to_bits()).collect())
}

/// 200 objectives on one instance give the states of 200 fresh instances, to the bit, also from 8 threads that
/// take them in 8 orders.
pub(crate) fn is_the_same_resident_and_fresh<S: Solver>() {
    for config in [knapsack(14), assignment(5), paths(), mixed()] {
        let config = config.to_string();
        let open = || Linked::<S>::open(&config).expect("the configuration is good");
        let resident = open();
        let objectives = objectives(resident.facts().dim);
        let fresh: Vec<_> = objectives
            .iter()
            .map(|theta| bits(&open(), theta))
            .collect();
        assert!(fresh.iter().all(Result::is_ok), "{fresh:?}\n{config}");
        let check = |start: usize| {
            for step in 0..objectives.len() {
                // Strides without a factor in common with 200 visit all of them.
                let at = (start + step * [1, 3, 7, 9, 11, 13, 17, 19][start]) % objectives.len();
                let got = bits(&resident, &objectives[at]);
                assert_eq!(got, fresh[at], "theta {:?}\n{config}", objectives[at]);
            }
        };
        check(0);
        std::thread::scope(|scope| {
            for start in 0..8 {
                scope.spawn(move || check(start));
            }
        });
    }
}

/// Infeasible and unbounded are told apart, also where the relaxation cannot.
pub(crate) fn tells_infeasible_from_unbounded<S: Solver>() {
    let status = |config: Value, theta: &[f64]| {
        let oracle = Linked::<S>::open(&config.to_string()).expect("the configuration is good");
        solve_one(&oracle, theta)
            .map(|(z, _)| z)
            .map_err(|why| why.kind())
    };
    let half = json!({"model": {"binaries": 2, "rows": [row(&[(0, 2.0), (1, 2.0)], "=", 1.0)]}});
    assert_eq!(status(half, &[1.0, 1.0]), Err(ErrorKind::Infeasible));

    // y has no upper bound; whether there is a point at all hangs on x0 + x1 = 1, or on 2 x0 + 2 x1 = 1.
    let ray = |coefficient: f64| {
        json!({
            "model": {
                "binaries": 2,
                "variables": [{"name": "y", "kind": "continuous"}],
                "rows": [
                    row(&[(0, coefficient), (1, coefficient)], "=", 1.0),
                    {"terms": {"y": 1, "x0": 1}, "sense": ">=", "rhs": 0.5}
                ]
            },
            "theta": ["x0", "x1", "y"]
        })
    };
    assert_eq!(
        status(ray(1.0), &[1.0, 0.0, 1.0]),
        Err(ErrorKind::Unbounded)
    );
    assert_eq!(
        status(ray(2.0), &[1.0, 0.0, 1.0]),
        Err(ErrorKind::Infeasible)
    );
    assert_eq!(status(ray(1.0), &[1.0, 0.0, -1.0]), Ok(vec![1.0, 0.0, 0.0]));
    assert_eq!(
        status(ray(1.0), &[0.25, 0.0, -1.0]),
        Ok(vec![1.0, 0.0, 0.0])
    );

    // The integers themselves grow.
    let integers = json!({"model": {
        "variables": [{"name": "x0", "kind": "integer"}, {"name": "x1", "kind": "integer"}],
        "rows": [row(&[(0, 2.0), (1, -3.0)], "=", 1.0)]
    }});
    assert_eq!(status(integers.clone(), &[-1.0, -1.0]), Ok(vec![2.0, 1.0]));
    assert_eq!(status(integers, &[1.0, -1.0]), Err(ErrorKind::Unbounded));
}

/// A market split, which is easy to state and out of reach of branch and bound: a row without a state when the
/// time is up. `slack` is what the engine takes beyond twice the limit.
pub(crate) fn ends_in_time<S: Solver>(limit: Duration, slack: Duration) {
    let mut random = fastrand::Rng::with_seed(7);
    let rows: Vec<Value> = (0..5)
        .map(|_| {
            let weights: Vec<f64> = (0..40).map(|_| f64::from(random.u8(0..100))).collect();
            let half = (weights.iter().sum::<f64>() / 2.0).floor();
            let terms: Vec<_> = weights.into_iter().enumerate().collect();
            row(&terms, "=", half)
        })
        .collect();
    let config = json!({"model": {"binaries": 40, "rows": rows}}).to_string();
    let theta: Vec<f64> = (0..40).map(|_| random.f64()).collect();
    let oracle = Linked::<S>::open(&config).expect("the configuration is good");
    let solve = |limits: &Limits<'_>| -> Outcome {
        let (mut z, mut outcomes) = (vec![f64::NAN; 40], [unset()]);
        oracle.solve(&theta, &mut z, &mut outcomes, limits);
        let [outcome] = outcomes;
        outcome
    };
    let start = Instant::now();
    let error = solve(&Limits::none().with_time(limit)).expect_err("a limit was set");
    assert_eq!(error.kind(), ErrorKind::LimitReached, "{error}");
    let taken = start.elapsed();
    println!("{} took {taken:?} of {limit:?}", S::NAME);
    // Not a measurement: without the limit it would be days.
    assert!(taken < 2 * limit + slack, "{taken:?}");

    let stop = StopFlag::default();
    stop.raise();
    let error = solve(&Limits::none().with_stop(&stop)).expect_err("a limit was set");
    assert_eq!(error.kind(), ErrorKind::Stopped);
}
