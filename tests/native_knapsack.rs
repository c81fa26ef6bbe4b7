//! The knapsack solver gives the same through the C ABI as without it.
//!
//! A file of its own: one program can link only one crate that exports a plugin.

#[path = "common/oracles.rs"]
mod oracles;

use imle_knapsack::Knapsack;
use serde_json::json;

#[test]
fn native_and_loaded_are_the_same_to_the_bit() {
    oracles::assert_native_equals_loaded::<Knapsack>(&[
        json!({"weights": [[3, 4, 2, 5, 1]], "capacities": [7]}),
        json!({"weights": [[3, 4, 2], [1, 0, 6]], "capacities": [9, 7], "copies": [2, 1, 3]}),
    ]);
}
