//! Lines and format strings of Varnish.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| intake::fuzz::varnish(data));
