//! The matching solver gives the same through the C ABI as without it.
//!
//! A file of its own: one program can link only one crate that exports a plugin.

#[path = "common/oracles.rs"]
mod oracles;

use imle_matching::Matching;
use serde_json::json;

#[test]
fn native_and_loaded_are_the_same_to_the_bit() {
    oracles::assert_native_equals_loaded::<Matching>(&[
        json!({"vertices": 6, "cardinality": "perfect"}),
        json!({"vertices": 7, "cardinality": "maximum"}),
        json!({"vertices": 4, "edges": [[0, 1], [1, 0], [1, 2], [2, 3], [3, 3]]}),
    ]);
}
