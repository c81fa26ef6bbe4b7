//! The tsp solver gives the same through the C ABI as without it.
//!
//! A file of its own: one program can link only one crate that exports a plugin.

#[path = "common/oracles.rs"]
mod oracles;

use imle_tsp::Tsp;
use serde_json::json;

#[test]
fn native_and_loaded_are_the_same_to_the_bit() {
    oracles::assert_native_equals_loaded::<Tsp>(&[
        json!({"nodes": 3}),
        json!({"nodes": 9}),
        json!({"nodes": 14}),
    ]);
}
