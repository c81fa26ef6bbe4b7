//! The ilp-native solver gives the same through the C ABI as without it.
//!
//! A file of its own: one program can link only one crate that exports a plugin.

#[path = "common/oracles.rs"]
mod oracles;
#[path = "common/programs.rs"]
mod programs;

#[test]
fn native_and_loaded_are_the_same_to_the_bit() {
    oracles::assert_native_equals_loaded::<imle_ilp_native::IlpNative>(&programs::programs());
}
