//! JSON, valid or not, of any product.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| intake::fuzz::json(data));
