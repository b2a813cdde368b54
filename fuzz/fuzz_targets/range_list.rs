//! Lists of addresses, in any layout that operators publish.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| intake::fuzz::range_list(data));
