//! The top-k solver gives the same through the C ABI as without it.
//!
//! A file of its own: one program can link only one crate that exports a plugin.

#[path = "common/oracles.rs"]
mod oracles;

use imle_top_k::TopK;
use serde_json::json;

#[test]
fn native_and_loaded_are_the_same_to_the_bit() {
    oracles::assert_native_equals_loaded::<TopK>(&[
        json!({"dim": 7, "k": 3, "at_most": true}),
        json!({"dim": 4, "k": 2, "costs": [0.5, -1.0, 2.0, 0.0]}),
    ]);
}
