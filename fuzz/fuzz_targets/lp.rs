#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| imle_fuzz::lp(data));
