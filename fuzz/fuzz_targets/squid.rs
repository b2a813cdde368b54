//! Lines and format strings of Squid and Traffic Server.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| intake::fuzz::squid(data));
