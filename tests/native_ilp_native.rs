//! The ilp-native solver gives the same through the C ABI as without it.
//!
//! A file of its own: one program can link only one crate that exports a plugin.

#[path = "common/oracles.rs"]
mod oracles;

use imle_ilp_native::IlpNative;
use serde_json::json;

#[test]
fn native_and_loaded_are_the_same_to_the_bit() {
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
    oracles::assert_native_equals_loaded::<IlpNative>(&[
        json!({"model": knapsack}),
        json!({"model": mixed, "theta": ["b", "n"], "objective": {"y": 0.5}}),
        json!({"model": impossible}),
    ]);
}
