//! The assignment solver gives the same through the C ABI as without it.
//!
//! A file of its own: one program can link only one crate that exports a plugin.

#[path = "common/oracles.rs"]
mod oracles;

use imle_assignment::Assignment;
use serde_json::json;

#[test]
fn native_and_loaded_are_the_same_to_the_bit() {
    oracles::assert_native_equals_loaded::<Assignment>(&[
        json!({"rows": 1, "columns": 1}),
        json!({"rows": 6, "columns": 6}),
        json!({"rows": 7, "columns": 3, "unmatched": true}),
    ]);
}
