//! The shortest-path solver gives the same through the C ABI as without it.
//!
//! A file of its own: one program can link only one crate that exports a plugin.

#[path = "common/oracles.rs"]
mod oracles;

use imle_shortest_path::ShortestPath;
use serde_json::json;

#[test]
fn native_and_loaded_are_the_same_to_the_bit() {
    oracles::assert_native_equals_loaded::<ShortestPath>(&[
        json!({"grid": {"height": 5, "width": 5, "moves": "right_down"}, "costs": "edges"}),
        json!({"grid": {"height": 4, "width": 3, "moves": "eight"}, "costs": "vertices"}),
        json!({"grid": {"height": 4, "width": 3, "moves": "four"}, "costs": "edges", "negative_costs": "clamp"}),
        json!({
            "graph": {"vertices": 4, "edges": [[0, 1], [1, 2], [2, 1], [2, 3], [0, 3]], "directed": true},
            "costs": "edges",
            "negative_costs": "bellman_ford",
        }),
    ]);
}
