//! What crawlers lost and whether they came back: `diagnose --owed`, and the same in the report.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod program;
mod shop;

use serde_json::Value;

const FORMAT: &str = r#"$remote_addr - - [$time_local] "$request" $status $body_bytes_sent "-" "$http_user_agent" $sent_http_retry_after"#;

const AGENT: &str = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)";

/// A minute after nine, a path, a status, and what was sent as Retry-After.
fn line((minute, path, status, retry_after): (u32, &str, u16, &str)) -> String {
    format!(
        "203.0.113.9 - - [22/Nov/2026:09:{minute:02}:00 +0000] \"GET {path} HTTP/1.1\" {status} 512 \"-\" \"{AGENT}\" {retry_after}\n"
    )
}

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let fetches = [
        (0, "/good", 200, "-"),
        (5, "/back?id=1", 503, "600"),
        (5, "/back?id=2", 503, "600"),
        (6, "/early", 503, "600"),
        (7, "/owed", 502, "-"),
        (8, "/=formula", 502, "-"),
        (9, "/early", 502, "-"),
        (20, "/back?id=1", 200, "-"),
        (30, "/back?id=2", 200, "-"),
        (31, "/good", 200, "-"),
        (32, "/owed", 504, "-"),
        (40, "/early", 200, "-"),
    ];
    let log: String = fetches.map(line).concat();
    shop::write(folder.path(), "access.log", log);
    folder
}

fn diagnose(folder: &tempfile::TempDir, more: &[&str]) -> program::Ran {
    let args = ["diagnose", "access.log", "--log-format", FORMAT];
    program::run(folder.path(), args.iter().chain(more))
}

#[test]
fn the_list_to_hand_over_has_what_is_owed_first_and_no_query() {
    let folder = folder();
    diagnose(&folder, &["--owed", "owed.csv"]).report();
    let list = std::fs::read_to_string(folder.path().join("owed.csv")).unwrap();
    assert_eq!(
        list,
        "crawler,host,path,urls,owed,lost_since,failures,last_answer,tried_again,refetched_since\n\
         googlebot,,/owed,1,1,2026-11-22T09:07:00Z,2,504,1,\n\
         googlebot,,/=formula,1,1,2026-11-22T09:08:00Z,1,502,0,\n\
         googlebot,,/back,2,0,2026-11-22T09:05:00Z,2,503,0,2026-11-22T09:30:00Z\n\
         googlebot,,/early,1,0,2026-11-22T09:06:00Z,2,502,0,2026-11-22T09:40:00Z\n"
    );
}

#[test]
fn a_list_that_cannot_be_written_is_an_error_with_its_place() {
    let ran = diagnose(&folder(), &["--owed", "no/such/folder.csv"]);
    assert_eq!((ran.status, ran.stdout.as_str()), (Some(1), ""));
    assert!(
        ran.stderr.contains("--owed no/such/folder.csv: "),
        "{}",
        ran.stderr
    );
}

#[test]
fn who_came_back_when_and_who_waited_as_asked() {
    let report = diagnose(&folder(), &["--format", "json"]).report();
    let report: Value = serde_json::from_str(&report).unwrap();
    let hit = &report["incidents"][0]["crawlers"]["googlebot"];
    let urls = ["urls_lost", "urls_refetched", "urls_owed", "urls_retried"];
    assert_eq!(urls.map(|key| hit[key].as_u64().unwrap()), [5, 3, 2, 1]);
    // 15, 25 and 34 minutes.
    assert_eq!(hit["seconds_to_return"]["median"], 25 * 60);
    assert_eq!(hit["seconds_to_return"]["p90"], 34 * 60);
    let asked = &report["crawlers"][0]["retry_after"];
    let counts = ["respected", "early", "open"].map(|key| asked[key].as_u64().unwrap());
    assert_eq!(counts, [2, 1, 0], "{asked}");
    let text = diagnose(&folder(), &["--incident", "1"]).report();
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let told = "googlebot 3 of 5 back, half within 25 min and nine in ten within 34 min, 1 tried \
                again in vain; Retry-After respected 2 of 3 times in the whole log";
    assert!(text.contains(told), "{text}");
}

/// The path without a query is a URL of its own: that it is owed says nothing of the others.
#[test]
fn a_url_that_is_back_is_not_owed_because_its_path_is() {
    let folder = tempfile::tempdir().unwrap();
    let fetches = [
        (5, "/list", 502, "-"),
        (5, "/list?page=2", 502, "-"),
        (6, "/list?page=3", 502, "-"),
        (20, "/list?page=2", 200, "-"),
        (21, "/list?page=3", 200, "-"),
    ];
    shop::write(folder.path(), "access.log", fetches.map(line).concat());
    let report = diagnose(&folder, &["--format", "json"]).report();
    let report: Value = serde_json::from_str(&report).unwrap();
    let hit = &report["incidents"][0]["crawlers"]["googlebot"];
    let urls = ["urls_lost", "urls_refetched", "urls_owed"];
    assert_eq!(urls.map(|key| hit[key].as_u64().unwrap()), [3, 2, 1]);
}

/// A guard's 202 in place of robots.txt ends no clock.
#[test]
fn a_challenge_is_no_robots_txt() {
    let since = |status| {
        let folder = tempfile::tempdir().unwrap();
        let fetches = [
            (1, "/robots.txt", 200, "-"),
            (5, "/robots.txt", 503, "-"),
            (20, "/robots.txt", status, "-"),
        ];
        shop::write(folder.path(), "access.log", fetches.map(line).concat());
        let report = diagnose(&folder, &["--format", "json"]).report();
        let report: Value = serde_json::from_str(&report).unwrap();
        report["facts"]["robots"][0]["failing_since"].clone()
    };
    assert_eq!(since(202), "2026-11-22T09:05:00Z");
    assert_eq!(since(200), Value::Null);
}
