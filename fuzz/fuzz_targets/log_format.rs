//! A log_format or LogFormat string, as given on the command line or found in a config file.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| intake::fuzz::log_format(data));
