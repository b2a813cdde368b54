//! A line with what stands around it: syslog, journald, containers, shippers.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| intake::fuzz::envelope(data));
