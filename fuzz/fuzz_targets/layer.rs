#![no_main]

mod registry;

libfuzzer_sys::fuzz_target!(|data: &[u8]| imle_fuzz::layer(&registry::REGISTRY, data));
