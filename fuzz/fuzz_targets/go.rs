//! Lines of Caddy and Traefik.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| intake::fuzz::go(data));
