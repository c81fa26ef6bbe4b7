//! Integer programs that the tests of several engines look at.

use serde_json::{Value, json};

/// A knapsack, a mixed program with a known objective, and one that is impossible.
pub(crate) fn programs() -> Vec<Value> {
    let knapsack = json!({"binaries": 4, "rows": [
        {"terms": {"x0": 2.0, "x1": 3.0, "x2": 1.0, "x3": 2.0}, "sense": "<=", "rhs": 4.0},
    ]});
    let mixed = json!({
        "variables": [
            {"name": "n", "kind": "integer", "lower": -2, "upper": 3},
            {"name": "b", "kind": "binary"},
            {"name": "y", "kind": "continuous", "lower": 0, "upper": 1.5},
        ],
        "rows": [
            {"terms": {"n": 1.0, "y": 1.0}, "sense": "<=", "rhs": 2.0},
            {"terms": {"n": 1.0, "b": -2.0}, "sense": ">=", "rhs": -3.0},
        ],
    });
    let impossible = json!({"binaries": 2, "rows": [
        {"terms": {"x0": 1.0, "x1": 1.0}, "sense": "=", "rhs": 3.0},
    ]});
    vec![
        json!({"model": knapsack}),
        json!({"model": mixed, "theta": ["b", "n"], "objective": {"y": 0.5}}),
        json!({"model": impossible}),
    ]
}
