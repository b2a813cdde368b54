//! An access-log line of any format that we know.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| intake::fuzz::access_line(data));
