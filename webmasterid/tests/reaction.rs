//! Whether a crawler's burst came before the failures.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod program;
mod shop;

use serde_json::Value;

const FORMAT: &str = r#"$remote_addr - - [$time_local] "$request" $status $body_bytes_sent "-" "$http_user_agent" $upstream_addr $upstream_status $upstream_response_time"#;

const GPTBOT: &str = "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko); compatible; GPTBot/1.3; +https://openai.com/gptbot";
const PERSON: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0";

/// Seconds after midnight: the burst, and the failures that it brings.
const BURST: (u32, u32) = (6 * 3_600, 6 * 3_600 + 1_200);
const FAILS: u32 = BURST.0 + 400;

fn line(log: &mut String, second: u32, n: u32, agent: &str, is_failed: bool) {
    let (status, took) = if is_failed {
        (504, "60.000")
    } else {
        (200, "0.100")
    };
    log.push_str(&format!(
        "203.0.113.{} - - [22/Nov/2026:{:02}:{:02}:{:02} +0000] \"GET /item/{n} HTTP/1.1\" {status} 512 \"-\" \"{agent}\" 10.0.0.1:80 {status} {took}\n",
        n % 250,
        second / 3_600,
        second / 60 % 60,
        second % 60,
    ));
}

/// Eight hours: a person every five seconds, the crawler every minute; in the burst one more a second by `agent`. In its
/// second part nearly all fail.
fn folder(agent: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let mut log = String::new();
    for second in 0..8 * 3_600 {
        let is_failed = (FAILS..BURST.1).contains(&second) && second % 7 > 0;
        if second % 5 == 0 {
            line(&mut log, second, second, PERSON, is_failed);
        }
        if second % 60 == 0 {
            line(&mut log, second, second, GPTBOT, is_failed);
        }
        if (BURST.0..BURST.1).contains(&second) {
            line(&mut log, second, second + 1, agent, is_failed);
        }
    }
    shop::write(folder.path(), "access.log", log);
    folder
}

fn diagnose(folder: &tempfile::TempDir, more: &[&str]) -> String {
    let args = ["diagnose", "access.log", "--log-format", FORMAT];
    program::run(folder.path(), args.iter().chain(more)).report()
}

#[test]
fn a_crawlers_burst_that_came_first_is_named_with_what_to_do() {
    let folder = folder(GPTBOT);
    let report: Value = serde_json::from_str(&diagnose(&folder, &["--format", "json"])).unwrap();
    let load = &report["incidents"][0]["load_before"];
    assert_eq!(load["burst"], "gptbot", "{load}");
    let own = &load["crawlers"][0];
    assert_eq!(
        (own["crawler"].as_str(), own["usual"].as_u64()),
        (Some("gptbot"), Some(10))
    );
    assert!(own["requests"].as_u64().unwrap() > 350, "{own}");
    let text = diagnose(&folder, &["--full"]);
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(text.contains("gptbot's burst came first: 3"), "{text}");
    assert!(
        text.contains("Slow GPTBot down at the edge: 429 or 503 with Retry-After"),
        "{text}"
    );
}

/// The crawler came as ever; people came in numbers.
#[test]
fn people_in_numbers_are_no_crawlers_burst() {
    let folder = folder(PERSON);
    let report: Value = serde_json::from_str(&diagnose(&folder, &["--format", "json"])).unwrap();
    let load = &report["incidents"][0]["load_before"];
    assert_eq!(load["burst"], Value::Null, "{load}");
    assert!(load["requests"].as_u64().unwrap() > 3 * load["usual"].as_u64().unwrap());
    assert!(!diagnose(&folder, &["--full"]).contains("down at the edge"));
}

const GOOGLEBOT: &str = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)";

/// An hour of people and of a crawler from its operator's range. `answer` is what the crawler gets: status, upstream and
/// size; people get pages, and one in `people_too` the same.
fn guarded(answer: (u16, &str, u32), people_too: u32) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    shop::write(
        folder.path(),
        "common-crawlers.json",
        r#"{"prefixes":[{"ipv4Prefix":"192.0.2.0/27"}]}"#,
    );
    let mut log = String::new();
    for second in (0..3_600).step_by(6) {
        let is_crawler = second % 60 == 0;
        let (status, upstream, bytes) = match is_crawler || second / 6 % people_too == 1 {
            true => answer,
            false => (200, "10.0.0.1:80", 5_000 + second),
        };
        let (address, agent) = if is_crawler {
            ("192.0.2.7", GOOGLEBOT)
        } else {
            ("203.0.113.9", PERSON)
        };
        let upstream_status = if upstream == "-" { "-" } else { "200" };
        log.push_str(&format!(
            "{address} - - [22/Nov/2026:00:{:02}:{:02} +0000] \"GET /item/{second} HTTP/1.1\" {status} {bytes} \"-\" \"{agent}\" {upstream} {upstream_status} {upstream_status}\n",
            second / 60,
            second % 60,
        ));
    }
    shop::write(folder.path(), "access.log", log);
    folder
}

fn blocked(folder: &tempfile::TempDir, ranges: bool) -> Value {
    let more = ["--ranges", "common-crawlers.json", "--format", "json"];
    let more = if ranges { &more[..] } else { &more[2..] };
    let report: Value = serde_json::from_str(&diagnose(folder, more)).unwrap();
    report["blocked_at_edge"].clone()
}

#[test]
fn a_guard_that_keeps_out_a_verified_crawler_is_a_finding() {
    let refused = guarded((403, "-", 150), 1_000);
    let told = blocked(&refused, true);
    assert_eq!(told[0]["crawler"], "googlebot");
    assert_eq!(
        [&told[0]["status"], &told[0]["count"], &told[0]["fetches"]],
        [403, 60, 60]
    );
    let text = diagnose(
        &refused,
        &[
            "--ranges",
            "common-crawlers.json",
            "--now=2026-11-22T01:00:00Z",
        ],
    );
    let says = "WARNING  googlebot is blocked at the edge: 60 of 60 fetches got 403\n";
    assert!(text.starts_with(says), "{text}");
    let challenged = blocked(&guarded((202, "-", 1_201), 1_000), true);
    assert_eq!(
        [&challenged[0]["status"], &challenged[0]["bytes"]],
        [202, 1_201]
    );
}

#[test]
fn look_alikes_of_a_guard_are_none() {
    let nothing = serde_json::json!([]);
    // A claim that was not checked may be anyone's.
    assert_eq!(blocked(&guarded((403, "-", 150), 1_000), false), nothing);
    // People get the same: an outage, a closed site.
    assert_eq!(blocked(&guarded((503, "-", 150), 3), true), nothing);
    // The application refused, not the edge.
    assert_eq!(
        blocked(&guarded((403, "10.0.0.1:80", 150), 1_000), true),
        nothing
    );
    // A page, whatever its size.
    assert_eq!(blocked(&guarded((200, "-", 40_000), 1_000), true), nothing);
}

/// An hour in which all fails for ten minutes: a crawler from its operator's range, and so many of a kind that no list
/// is given for.
fn broken(others: u32) -> tempfile::TempDir {
    let folder = guarded((200, "10.0.0.1:80", 9_000), 1_000);
    let mut log = String::new();
    for second in (0..3_600).step_by(6) {
        let is_failed = (1_200..1_800).contains(&second);
        let mut one = |address: &str, agent: &str| {
            let status = if is_failed { 502 } else { 200 };
            log.push_str(&format!(
                "{address} - - [22/Nov/2026:00:{:02}:{:02} +0000] \"GET /item/{second} HTTP/1.1\" {status} 512 \"-\" \"{agent}\" 10.0.0.1:80 {status} 0.1\n",
                second / 60,
                second % 60,
            ));
        };
        one("192.0.2.7", GOOGLEBOT);
        if second / 6 % 10 < others {
            one("203.0.113.9", GPTBOT);
        }
    }
    shop::write(folder.path(), "access.log", log);
    folder
}

#[test]
fn where_checks_ran_the_verified_number_leads() {
    let ranges = ["--ranges", "common-crawlers.json"];
    let second_line = |folder: &tempfile::TempDir, more: &[&str]| {
        diagnose(folder, more).lines().nth(1).unwrap().to_owned()
    };
    let both = broken(2);
    let told = second_line(&both, &[]);
    assert!(told.starts_with("120 crawler fetches got 502."), "{told}");
    let told = second_line(&both, &ranges);
    assert!(
        told.starts_with("100 verified crawler fetches got 502, and 20 unchecked."),
        "{told}"
    );
    let told = second_line(&broken(0), &ranges);
    assert!(
        told.starts_with("100 verified crawler fetches got 502."),
        "{told}"
    );
    let report: Value = serde_json::from_str(&diagnose(
        &both,
        &[&ranges[..], &["--format", "json"]].concat(),
    ))
    .unwrap();
    let incident = &report["incidents"][0];
    assert_eq!(incident["fetches"]["failed"], 120);
    assert_eq!(incident["fetches"]["verified"], 100);
    assert_eq!(incident["crawlers"]["gptbot"]["verified"], 0);
}
