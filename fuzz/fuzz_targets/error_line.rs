//! A line of an nginx error log.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| intake::fuzz::error_line(data));
