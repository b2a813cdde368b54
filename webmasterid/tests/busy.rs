//! A busy log, of whose good requests only counts by time are kept, is told as exactly as a sparse one.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod program;

use std::fmt::Write as _;

use serde_json::Value;

/// Two requests a second for half an hour. `robots.txt` is asked for every minute and fails for ten of them.
#[test]
fn the_first_good_robots_txt_is_told_to_the_second() {
    let folder = tempfile::tempdir().unwrap();
    let mut log = String::new();
    for n in 0..3_600 {
        let second = n / 2;
        let is_robots = n % 120 == 74;
        let (path, status) = match is_robots {
            true if (600..1_200).contains(&second) => ("/robots.txt".to_owned(), 503),
            true => ("/robots.txt".to_owned(), 200),
            false => (format!("/product/{}", n % 500), 200),
        };
        writeln!(
            log,
            "192.0.2.7 - - [22/Nov/2026:09:{:02}:{:02} +0000] \"GET {path} HTTP/1.1\" {status} 512 \"-\" \"Googlebot/2.1\"",
            second / 60,
            second % 60
        )
        .unwrap();
    }
    std::fs::write(folder.path().join("access.log"), log).unwrap();
    let ran = program::line(folder.path(), "diagnose access.log --format json");
    let report: Value = serde_json::from_str(&ran.report()).unwrap();
    let incident = &report["incidents"][0];
    assert_eq!(incident["scope"]["kind"], "robots", "{incident:#}");
    let googlebot = &incident["crawlers"]["googlebot"];
    assert_eq!(
        googlebot["first_ok"], "2026-11-22T09:20:37Z",
        "{googlebot:#}"
    );
}
