//! The ranking solver gives the same through the C ABI as without it.
//!
//! A file of its own: one program can link only one crate that exports a plugin.

#[path = "common/oracles.rs"]
mod oracles;

use imle_ranking::Ranking;
use serde_json::json;

#[test]
fn native_and_loaded_are_the_same_to_the_bit() {
    oracles::assert_native_equals_loaded::<Ranking>(&[
        json!({"dim": 1}),
        json!({"dim": 9, "normalized": true}),
        json!({"dim": 4, "values": [2.5, -1.0, 2.5, 0.0]}),
    ]);
}
