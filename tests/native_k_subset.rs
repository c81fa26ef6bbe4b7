//! The k-subset solver gives the same through the C ABI as without it.
//!
//! A file of its own: one program can link only one crate that exports a plugin.

#[path = "common/oracles.rs"]
mod oracles;

use imle_k_subset::KSubset;
use serde_json::json;

#[test]
fn native_and_loaded_are_the_same_to_the_bit() {
    oracles::assert_native_equals_loaded::<KSubset>(&[
        json!({"dim": 1, "k": 1}),
        json!({"dim": 7, "k": 3}),
        json!({"dim": 100, "k": 10}),
    ]);
}
