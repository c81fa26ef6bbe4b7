//! The spanning-tree solver gives the same through the C ABI as without it.
//!
//! A file of its own: one program can link only one crate that exports a plugin.

#[path = "common/oracles.rs"]
mod oracles;

use imle_spanning_tree::SpanningTree;
use serde_json::json;

#[test]
fn native_and_loaded_are_the_same_to_the_bit() {
    oracles::assert_native_equals_loaded::<SpanningTree>(&[
        json!({"vertices": 5}),
        json!({"vertices": 5, "root": 1}),
        json!({"vertices": 3, "edges": [[0, 1], [1, 0], [1, 1], [2, 1], [1, 2]], "root": 0}),
    ]);
}
