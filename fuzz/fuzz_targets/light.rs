//! Lines and format strings of lighttpd, nghttpx, H2O, LiteSpeed and Pingora.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| intake::fuzz::light(data));
