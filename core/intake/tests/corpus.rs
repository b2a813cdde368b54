//! The seeds and finds of the fuzz targets, replayed without a fuzzer: none may panic or hang.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

/// An ordinary input takes microseconds; a hang takes for ever. Far between, so that a busy machine does not matter.
const INPUT_TIME_MAX: Duration = Duration::from_secs(10);

fn replay(target: &str, read: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../fuzz/corpus")
        .join(target);
    let mut inputs: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    inputs.sort();
    assert!(
        inputs.len() >= 10,
        "the corpus of {target} is not where it should be"
    );
    for input in inputs {
        let bytes = fs::read(&input).unwrap();
        let start = Instant::now();
        read(&bytes);
        // Cut anywhere, and followed by another line.
        for cut in (0..bytes.len().min(512)).step_by(7) {
            read(&bytes[..cut]);
        }
        read(&[bytes.as_slice(), b"\n", bytes.as_slice()].concat());
        assert!(
            start.elapsed() < INPUT_TIME_MAX,
            "{} hangs",
            input.display()
        );
    }
}

#[test]
fn access_lines() {
    replay("access_line", intake::fuzz::access_line);
}

#[test]
fn error_lines() {
    replay("error_line", intake::fuzz::error_line);
}

#[test]
fn log_formats() {
    replay("log_format", intake::fuzz::log_format);
}

#[test]
fn envelope() {
    replay("envelope", intake::fuzz::envelope);
}

#[test]
fn free() {
    replay("free", intake::fuzz::free);
}

#[test]
fn haproxy() {
    replay("haproxy", intake::fuzz::haproxy);
}

#[test]
fn envoy() {
    replay("envoy", intake::fuzz::envoy);
}

#[test]
fn go() {
    replay("go", intake::fuzz::go);
}

#[test]
fn squid() {
    replay("squid", intake::fuzz::squid);
}

#[test]
fn varnish() {
    replay("varnish", intake::fuzz::varnish);
}

#[test]
fn light() {
    replay("light", intake::fuzz::light);
}

#[test]
fn json() {
    replay("json", intake::fuzz::json);
}

#[test]
fn range_list() {
    replay("range_list", intake::fuzz::range_list);
}
