//! A stale kept connection and a crash write the same line; what tells them apart is how the failures lie.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod program;

use std::fmt::Write as _;

use serde_json::Value;

/// A request every two seconds from 08:00:00 to 11:00:00 UTC.
const REQUESTS: u64 = 5_400;
const CLOSED: &str =
    "upstream prematurely closed connection while reading response header from upstream";
const REFUSED: &str = "connect() failed (111: Connection refused) while connecting to upstream";

/// The incident of a log in which the upstream closed the requests that `fails` chooses, and refused those of `refuses`.
fn incident(fails: impl Fn(u64) -> bool, refuses: impl Fn(u64) -> bool) -> Value {
    let folder = tempfile::tempdir().unwrap();
    let (mut access, mut error) = (String::new(), String::new());
    for n in 0..REQUESTS {
        let (hour, minute, second) = (8 + n / 1_800, n / 30 % 60, n % 30 * 2);
        let (path, upstream) = (route(n), format!("10.0.0.{}:8080", 1 + n % 3));
        let text = match (refuses(n), fails(n)) {
            (true, _) => Some(REFUSED),
            (_, true) => Some(CLOSED),
            _ => None,
        };
        let status = if text.is_some() { 502 } else { 200 };
        writeln!(
            access,
            "192.0.2.5 - - [22/Nov/2026:{hour:02}:{minute:02}:{second:02} +0000] \"GET {path} HTTP/1.1\" {status} 157 \
             \"-\" \"Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)\" rt=0.004 \
             uaddr=\"{upstream}\" ustatus=\"{status}\" urt=\"0.004\""
        )
        .unwrap();
        if let Some(text) = text {
            writeln!(
                error,
                "2026/11/22 {hour:02}:{minute:02}:{second:02} [error] 7#7: *{n} {text}, client: 192.0.2.5, server: \
                 shop.example, request: \"GET {path} HTTP/1.1\", upstream: \"http://{upstream}{path}\", host: \
                 \"shop.example\""
            )
            .unwrap();
        }
    }
    std::fs::write(folder.path().join("access.log"), access).unwrap();
    std::fs::write(folder.path().join("error.log"), error).unwrap();
    let ran = program::line(folder.path(), "diagnose . --format json");
    let mut report: Value = serde_json::from_str(&ran.report()).unwrap();
    report["incidents"][0].take()
}

fn route(n: u64) -> String {
    let section = ["product", "category", "blog", "help", "brand"][(n / 7 % 5) as usize];
    format!("/{section}/{}", n * 37 % 900)
}

fn never(_: u64) -> bool {
    false
}

/// One request in 67: each third of them at another upstream, over every minute and route.
fn thin(n: u64) -> bool {
    n % 67 == 5
}

#[test]
fn thin_and_even_is_a_race() {
    let found = incident(thin, never);
    assert_eq!(found["cause"], "idle-connection-race", "{found:#}");
    assert_eq!(found["confidence"], "likely");
    assert_eq!(
        found["alternatives"],
        serde_json::json!(["closed-before-headers"])
    );
    let why = found["cause_why"].as_str().unwrap();
    assert!(
        why.starts_with("thin and even, as a crash is not: 81 of"),
        "{why}"
    );
    assert!(
        why.ends_with("over 81 minutes, 5 routes and 3 upstreams"),
        "{why}"
    );
}

#[test]
fn what_comes_at_once_or_in_one_place_is_none() {
    let burst = |n: u64| n % 601 < 10;
    let one_route = |n: u64| n % 7 == 1 && route(n).starts_with("/blog/") && n.is_multiple_of(3);
    let one_upstream = |n: u64| n % 3 == 1 && n.is_multiple_of(20);
    let looks: [(&str, &dyn Fn(u64) -> bool); 3] = [
        ("bursts of ten", &burst),
        ("one route", &one_route),
        ("one upstream", &one_upstream),
    ];
    for (what, fails) in looks {
        let found = incident(fails, never);
        assert_eq!(found["cause"], "closed-before-headers", "{what}: {found:#}");
        assert_eq!(found["cause_why"], Value::Null, "{what}");
    }
}

/// A server that also refuses was down.
#[test]
fn a_refused_connection_meanwhile_speaks_of_a_crash() {
    let found = incident(thin, |n| (2_000..2_003).contains(&n));
    assert_eq!(found["cause"], "closed-before-headers", "{found:#}");
    assert_eq!(found["cause_why"], Value::Null);
}

#[test]
fn where_everything_fails_a_race_is_ruled_out() {
    let found = incident(|n| (1_000..2_000).contains(&n), never);
    assert_eq!(found["cause"], "closed-before-headers", "{found:#}");
    let others = found["alternatives"].as_array().unwrap();
    assert!(
        !others.contains(&"idle-connection-race".into()),
        "{found:#}"
    );
    assert_eq!(
        found["cause_why"],
        "no idle connection race, which is thin: 1,000 of 1,000 failed"
    );
}
