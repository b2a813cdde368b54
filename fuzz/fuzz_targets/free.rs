//! Lines in an order of the user's own.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| intake::fuzz::free(data));
