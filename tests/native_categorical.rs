//! The categorical solver gives the same through the C ABI as without it.
//!
//! A file of its own: one program can link only one crate that exports a plugin.

#[path = "common/oracles.rs"]
mod oracles;

use imle_categorical::Categorical;
use serde_json::json;

#[test]
fn native_and_loaded_are_the_same_to_the_bit() {
    oracles::assert_native_equals_loaded::<Categorical>(&[
        json!({"blocks": [1]}),
        json!({"blocks": [3, 2, 5]}),
    ]);
}
