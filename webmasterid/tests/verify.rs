//! `--verify`: a real name server on loopback says who is a crawler.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[path = "../../adapters/dns/tests/knot/mod.rs"]
mod knot;
mod program;

use std::fs;
use std::path::Path;

use knot::Knot;
use serde_json::Value;

const GOOGLEBOT: &str = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)";
const BINGBOT: &str = "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)";
const GPTBOT: &str = "Mozilla/5.0 (compatible; GPTBot/1.3; +https://openai.com/gptbot)";
const MJ12: &str = "Mozilla/5.0 (compatible; MJ12bot/v2.0.2; http://mj12bot.com/)";
const GOOD: &str = "192.0.2.1";
const GOOD_V6: &str = "2001:db8::1";
const SCANNER: &str = "203.0.113.66";
/// Its zone fails.
const UNANSWERED: &str = "198.51.100.1";

fn server() -> Knot {
    let reverse_v6 = format!("1.{}0 PTR crawl-v6.googlebot.com.\n", "0.".repeat(22));
    Knot::start(&[
        (
            "2.0.192.in-addr.arpa",
            Some("1 PTR crawl-192-0-2-1.googlebot.com.\n"),
        ),
        (
            "113.0.203.in-addr.arpa",
            Some("66 PTR crawl-1.googlebot.com.scanner.example.\n"),
        ),
        ("100.51.198.in-addr.arpa", None),
        ("8.b.d.0.1.0.0.2.ip6.arpa", Some(&reverse_v6)),
        (
            "googlebot.com",
            Some("crawl-192-0-2-1 A 192.0.2.1\ncrawl-v6 AAAA 2001:db8::1\n"),
        ),
        (
            "scanner.example",
            Some("crawl-1.googlebot.com A 203.0.113.66\n"),
        ),
    ])
}

/// A line of the combined layout, `second` seconds after nine.
fn line(second: u32, address: &str, agent: &str, path: &str, status: u16) -> String {
    let (hour, minute, second) = (9 + second / 3_600, second / 60 % 60, second % 60);
    format!(
        "{address} - - [22/Nov/2026:{hour:02}:{minute:02}:{second:02} +0000] \"GET {path} HTTP/1.1\" {status} 100 \"-\" \"{agent}\"\n"
    )
}

/// An hour in which people are served and `address`, as Googlebot, meets a storm of 502 for ten minutes.
fn storm(address: &str) -> String {
    let mut log = String::new();
    for second in (0..3_600).step_by(5) {
        let is_storm = (1_200..1_800).contains(&second);
        let path = format!("/product/{}", second % 400);
        let status = if is_storm { 502 } else { 200 };
        log.push_str(&line(second, address, GOOGLEBOT, &path, status));
        log.push_str(&line(
            second,
            "198.18.0.9",
            "Mozilla/5.0 Firefox/145.0",
            "/",
            200,
        ));
    }
    log
}

fn json(folder: &Path, words: &str) -> Value {
    let ran = program::line(
        folder,
        &format!("diagnose access.log --format json {words}"),
    );
    assert_eq!(ran.stderr, "");
    assert_eq!(ran.status, Some(0), "{}", ran.stdout);
    serde_json::from_str(&ran.stdout).unwrap()
}

/// Of one crawler: verified, spoofed, unverifiable, unchecked, and fetches.
fn counts(report: &Value, id: &str) -> [u64; 5] {
    let crawlers = report["crawlers"].as_array().unwrap();
    let crawler = crawlers.iter().find(|crawler| crawler["id"] == id).unwrap();
    let of = |key: &str| crawler["identity"][key].as_u64().unwrap();
    [
        of("verified"),
        of("spoofed"),
        of("unverifiable"),
        of("unchecked"),
        crawler["fetches"].as_u64().unwrap(),
    ]
}

#[test]
fn every_claim_gets_its_identity() {
    let server = server();
    let folder = tempfile::tempdir().unwrap();
    let log: String = [
        (GOOD, GOOGLEBOT),
        (GOOD_V6, GOOGLEBOT),
        ("::ffff:192.0.2.1", GOOGLEBOT),
        (SCANNER, GOOGLEBOT),
        (SCANNER, GOOGLEBOT),
        (UNANSWERED, GOOGLEBOT),
        ("10.0.0.7", GOOGLEBOT),
        (GOOD, BINGBOT),
        (GOOD, GPTBOT),
        (GOOD, MJ12),
    ]
    .iter()
    .enumerate()
    .map(|(n, (address, agent))| line(n as u32, address, agent, "/", 200))
    .collect();
    fs::write(folder.path().join("access.log"), &log).unwrap();
    let verify = format!("--verify --resolver {}", server.address);

    let plain = json(folder.path(), "");
    assert_eq!(counts(&plain, "googlebot"), [0, 0, 0, 7, 7]);
    let report = json(folder.path(), &verify);
    assert_eq!(counts(&report, "googlebot"), [3, 2, 0, 2, 5]);
    assert_eq!(counts(&report, "bingbot"), [0, 1, 0, 0, 0]);
    assert_eq!(counts(&report, "gptbot"), [0, 0, 0, 1, 1]);
    assert_eq!(counts(&report, "mj12bot"), [0, 0, 1, 0, 1]);
    let only = json(folder.path(), &format!("{verify} --verified-only"));
    assert_eq!(counts(&only, "googlebot"), [3, 2, 0, 2, 3]);
    assert_eq!(counts(&only, "gptbot"), [0, 0, 0, 1, 0]);
    assert_eq!(only["totals"]["fetches"], 3);
    assert_eq!(only["totals"]["requests"], 10);

    // Either is evidence: ranges that hold the scanner make it whatever it says.
    let ranges = r#"{"prefixes":[{"ipv4Prefix":"203.0.113.0/24"}]}"#;
    fs::write(folder.path().join("ranges.json"), ranges).unwrap();
    let both = json(
        folder.path(),
        &format!("{verify} --ranges googlebot=ranges.json"),
    );
    assert_eq!(counts(&both, "googlebot"), [5, 0, 0, 2, 7]);

    for threads in 1..4 {
        let words = format!("diagnose access.log --format json {verify} --threads {threads}");
        let again = program::line(folder.path(), &words).report();
        assert_eq!(serde_json::from_str::<Value>(&again).unwrap(), report);
    }
}

#[test]
fn a_scanner_that_poses_as_googlebot_makes_no_incident() {
    let server = server();
    let verify = format!("--verify --resolver {}", server.address);
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("access.log"), storm(SCANNER)).unwrap();
    let failed = |report: &Value| report["totals"]["fetches_failed"].as_u64();
    let crawlers_hit = |report: &Value| {
        let incidents = report["incidents"].as_array().unwrap();
        let hit = incidents
            .iter()
            .map(|one| one["fetches"]["failed"].as_u64().unwrap());
        hit.sum::<u64>()
    };
    let plain = json(folder.path(), "");
    assert_eq!((failed(&plain), crawlers_hit(&plain)), (Some(120), 120));
    let report = json(folder.path(), &verify);
    assert_eq!((failed(&report), crawlers_hit(&report)), (Some(0), 0));
    let text = program::line(folder.path(), &format!("diagnose access.log {verify}")).report();
    assert!(text.contains("(0 verified, 720 spoofed)"), "{text}");
    let rows = program::line(folder.path(), &format!("failures access.log {verify}")).report();
    assert_eq!(rows, "no failed fetch\n");

    // The same from an address of Google's is one.
    fs::write(folder.path().join("access.log"), storm(GOOD)).unwrap();
    let report = json(folder.path(), &verify);
    assert_eq!((failed(&report), crawlers_hit(&report)), (Some(120), 120));
    let text = program::line(folder.path(), &format!("diagnose access.log {verify}")).report();
    assert!(text.contains("(crawlers: 720 verified)"), "{text}");
}

/// No answer: nothing is known, and the report says so.
#[test]
fn a_failure_leaves_claims_unchecked() {
    let server = server();
    let folder = tempfile::tempdir().unwrap();
    let log = line(0, UNANSWERED, GOOGLEBOT, "/", 502);
    fs::write(folder.path().join("access.log"), log).unwrap();
    let verify = format!("--verify --resolver {}", server.address);
    let report = json(folder.path(), &verify);
    assert_eq!(counts(&report, "googlebot"), [0, 0, 0, 1, 1]);
    let problem = &report["problems"][0];
    assert_eq!(problem["source"], "--verify");
    let reason = problem["reason"].as_str().unwrap();
    assert!(
        reason.starts_with("1 of 1 questions to name servers had no usable answer"),
        "{reason}"
    );
}

#[test]
fn what_cannot_be_verified_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(
        folder.path().join("access.log"),
        line(0, GOOD, GOOGLEBOT, "/", 502),
    )
    .unwrap();
    for (words, says) in [
        (
            "diagnose - --verify",
            "standard input can be read once: give files",
        ),
        (
            "diagnose access.log --verified-only",
            "nothing is verified without --verify or --ranges",
        ),
        ("diagnose access.log --resolver 127.0.0.1", "--verify"),
        (
            "diagnose access.log --verify --resolver example.org",
            "not an address such as",
        ),
    ] {
        let ran = program::line(folder.path(), words);
        assert_eq!((ran.status, ran.stdout.as_str()), (Some(2), ""), "{words}");
        assert!(ran.stderr.contains(says), "{words}: {}", ran.stderr);
    }
    let ran = program::shell(
        folder.path(),
        "cat access.log | $WEBMASTERID diagnose /dev/stdin --verify --resolver 127.0.0.1",
    );
    assert_eq!(ran.status, Some(2), "{}", ran.stderr);
    assert!(
        ran.stderr.contains("can be read once: give files"),
        "{}",
        ran.stderr
    );
}
