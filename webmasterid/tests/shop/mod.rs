//! A small shop's access log: five minutes, one crawler, 40 seconds of 502.
#![allow(
    dead_code,
    clippy::unwrap_used,
    reason = "each test file uses a part of it, and a test may panic"
)]

use std::fs;
use std::io::Write;
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;

/// The log's age in the text is as of this moment, not of the test.
pub(crate) const NOW: &str = "--now=2026-11-22T09:05:00Z";

/// One line, `second` seconds after nine.
pub(crate) fn line(second: u32, path: &str, status: u16) -> String {
    format!(
        "203.0.113.{} - - [22/Nov/2026:09:{:02}:{:02} +0000] \"GET {path} HTTP/1.1\" {status} 512 \"-\" \"Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)\"\n",
        second % 250,
        second / 60 % 60,
        second % 60
    )
}

/// 300 requests, 40 of them failed.
pub(crate) fn log() -> String {
    let status = |second| {
        if (100..140).contains(&second) {
            502
        } else {
            200
        }
    };
    (0..300)
        .map(|second| line(second, &format!("/product/{second}"), status(second)))
        .collect()
}

/// Writes a file.
pub(crate) fn write(folder: &Path, name: &str, bytes: impl AsRef<[u8]>) {
    fs::write(folder.join(name), bytes).unwrap();
}

/// Packs bytes as one gzip member.
pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packed = GzEncoder::new(Vec::new(), Compression::default());
    packed.write_all(bytes).unwrap();
    packed.finish().unwrap()
}

/// A folder with `good.log`.
pub(crate) fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "good.log", log());
    folder
}
