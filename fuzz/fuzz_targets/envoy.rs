//! Envoy's lines and format strings.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| intake::fuzz::envoy(data));
