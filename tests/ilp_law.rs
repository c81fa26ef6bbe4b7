//! The law of the contract, over every back end, on feasible sets that are small enough to list.

#[path = "common/ilp.rs"]
mod ilp;

use ilp::{backends, binaries, row, sum};
use imle_api::Facts;
use imle_api::conformance::{Check, binary_vectors};
use serde_json::{Value, json};

fn knapsack() -> (Value, Vec<Vec<f64>>) {
    let weights = [0.3, 0.7, 0.45, 0.2, 0.6, 0.55, 0.1];
    let terms: Vec<_> = weights.into_iter().enumerate().collect();
    let states = binary_vectors(7, |z| {
        z.iter().zip(weights).map(|(z, w)| z * w).sum::<f64>() <= 1.25
    });
    (binaries(7, [row(terms, "<=", 1.25)]), states)
}

fn assignment() -> (Value, Vec<Vec<f64>>) {
    let lines = (0..3).flat_map(|i| [sum(3 * i..3 * i + 3), sum([i, i + 3, i + 6])]);
    let rows: Vec<Value> = lines.map(|line| row(line, "=", 1.0)).collect();
    let one = |z: &[f64], line: [usize; 3]| line.iter().map(|&i| z[i]).sum::<f64>() == 1.0;
    let states = binary_vectors(9, |z| {
        (0..3).all(|i| one(z, [3 * i, 3 * i + 1, 3 * i + 2]) && one(z, [i, i + 3, i + 6]))
    });
    (binaries(9, rows), states)
}

fn set_packing() -> (Value, Vec<Vec<f64>>) {
    let sets: [&[usize]; 5] = [&[0, 1, 2], &[2, 3], &[3, 4, 5], &[0, 5], &[1, 4, 6]];
    let rows: Vec<Value> = sets
        .iter()
        .map(|s| row(sum(s.iter().copied()), "<=", 1.0))
        .collect();
    let packs = |z: &[f64], set: &[usize]| set.iter().map(|&i| z[i]).sum::<f64>() <= 1.0;
    let states = binary_vectors(7, |z| sets.iter().all(|set| packs(z, set)));
    (binaries(7, rows), states)
}

fn k_subset() -> (Value, Vec<Vec<f64>>) {
    let states = binary_vectors(7, |z| z.iter().sum::<f64>() == 3.0);
    (binaries(7, [row(sum(0..7), "=", 3.0)]), states)
}

fn covering() -> (Value, Vec<Vec<f64>>) {
    let states = binary_vectors(4, |z| z[0] + z[1] + z[2] >= 1.0 && z[2] + 2.0 * z[3] >= 1.0);
    let rows = [
        row(sum(0..3), ">=", 1.0),
        row([(2, 1.0), (3, 2.0)], ">=", 1.0),
    ];
    (binaries(4, rows), states)
}

/// Integers from -2 to 3, of which two have to balance.
fn ranges() -> (Value, Vec<Vec<f64>>) {
    let integer = |name: &str| json!({"name": name, "kind": "integer", "lower": -2, "upper": 3});
    let config = json!({"model": {
        "variables": [integer("a"), integer("b"), integer("c")],
        "rows": [
            {"terms": {"a": 2, "b": 1}, "sense": "=", "rhs": 1},
            {"terms": {"a": -1, "c": 3}, "sense": "<=", "rhs": 4}
        ]
    }});
    let mut states = Vec::new();
    for (a, b, c) in (0..216).map(|i| (i / 36 - 2, i / 6 % 6 - 2, i % 6 - 2)) {
        if 2 * a + b == 1 && 3 * c - a <= 4 {
            states.push([a, b, c].map(f64::from).to_vec());
        }
    }
    (config, states)
}

/// Two facilities feed a demand through flows that are no part of the state; no bound but the rows.
fn flows() -> (Value, Vec<Vec<f64>>) {
    let config = json!({"model": {
        "binaries": 3,
        "variables": [
            {"name": "n", "kind": "integer"},
            {"name": "flow", "kind": "continuous"},
            {"name": "drift", "kind": "continuous", "lower": "-inf"}
        ],
        "rows": [
            {"name": "capacity", "terms": {"flow": 1, "x0": -1.5, "x1": -2.5, "x2": -0.5}, "sense": "<=", "rhs": 0},
            {"name": "demand", "terms": {"flow": 1, "n": -1, "drift": 1}, "sense": "=", "rhs": 0},
            {"name": "still", "terms": {"drift": 1}, "sense": "=", "rhs": -0.25}
        ]
    }, "theta": ["n", "x2", "x0", "x1"]});
    let mut states = Vec::new();
    for x in binary_vectors(3, |_| true) {
        let capacity = 1.5 * x[0] + 2.5 * x[1] + 0.5 * x[2];
        // flow = n + 0.25
        for n in (0..=4).map(f64::from).filter(|n| n + 0.25 <= capacity) {
            states.push(vec![n, x[2], x[0], x[1]]);
        }
    }
    (config, states)
}

#[test]
fn obeys_the_law() {
    let sets = [
        knapsack(),
        assignment(),
        set_packing(),
        k_subset(),
        covering(),
        ranges(),
        flows(),
    ];
    let check = sets
        .into_iter()
        .fold(Check::new(), |check, (config, states)| {
            assert!(!states.is_empty());
            check.case(config, states)
        });
    let impossible = [row(sum(0..3), ">=", 2.0), row(sum(0..3), "<=", 1.0)];
    let check = check
        .case(binaries(3, impossible), Vec::new())
        .case(binaries(3, []), binary_vectors(3, |_| true))
        .refuses(json!({}))
        .refuses(json!({"model": {}}))
        .refuses(json!({"model": {"binaries": 2, "rows": [{"terms": {"x0": 1}, "sense": "<", "rhs": 1}]}}));
    for backend in backends() {
        let checked = check.run_on(|config| backend.open(config));
        checked.unwrap_or_else(|why| panic!("{backend}: {why}"));
    }
}

#[test]
fn facts_follow_from_the_model() {
    for backend in backends() {
        let facts = |(config, _): (Value, _)| backend.opened(&config).facts();
        assert_eq!(
            facts(k_subset()),
            Facts::binary(7).with_ones(3),
            "{backend}"
        );
        assert_eq!(facts(assignment()), Facts::binary(9), "{backend}");
        assert_eq!(
            facts(ranges()),
            Facts::bounded(3, -2.0, 3.0, true),
            "{backend}"
        );
        // The rows bound what nobody bounded: n <= 1.5 + 2.5 + 0.5 + 0.25.
        assert_eq!(
            facts(flows()),
            Facts::bounded(4, 0.0, 4.0, true),
            "{backend}"
        );
    }
}
