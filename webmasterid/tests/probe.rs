//! `probe` as users run it, with a real nginx as edge and as origin.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod nginx;
mod program;

use std::path::Path;

use nginx::Nginx;
use program::Ran;
use serde_json::Value;

fn probe(words: &str) -> Ran {
    program::line(Path::new("."), &format!("probe {words}"))
}

/// Text and JSON of a probe that found this.
#[track_caller]
fn found(words: &str, verdict: &str) -> (String, Value) {
    let status = if verdict == "all-good" { 0 } else { 4 };
    let text = probe(words);
    assert_eq!(
        (text.status, text.stderr.as_str()),
        (Some(status), ""),
        "{}",
        text.stdout
    );
    let wide = text.stdout.lines().find(|line| line.chars().count() > 80);
    assert_eq!(wide, None);
    let state = verdict.split('-').next().unwrap().to_uppercase();
    assert!(text.stdout.starts_with(&state), "{}", text.stdout);
    let json = probe(&format!("{words} --format json"));
    assert_eq!((json.status, json.stderr.as_str()), (Some(status), ""));
    let value: Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!(value["verdict"], verdict, "{value:#}");
    let schema = program::line(Path::new("."), "schema probe").report();
    let schema = jsonschema::validator_for(&serde_json::from_str(&schema).unwrap()).unwrap();
    let errors: Vec<String> = schema
        .iter_errors(&value)
        .map(|error| error.to_string())
        .collect();
    assert!(errors.is_empty(), "{errors:?}");
    (text.stdout, value)
}

/// Role and cause of each outcome.
fn causes(value: &Value) -> Vec<(&str, &str)> {
    let outcomes = value["outcomes"].as_array().unwrap().iter();
    outcomes
        .map(|outcome| {
            let cause = outcome["failure"]["cause"].as_str();
            (outcome["role"].as_str().unwrap(), cause.unwrap_or_default())
        })
        .collect()
}

#[test]
fn nginx_before_an_origin_that_lives_dies_or_errs() {
    let nginx = Nginx::start();
    let Nginx {
        edge, origin, dead, ..
    } = &nginx;
    let socket = nginx.socket();
    let url = |path: &str| format!("http://www.example.com{path} --edge {edge}");

    let (text, value) = found(
        &format!("{} --origin {origin} --origin {socket}", url("/")),
        "all-good",
    );
    assert!(
        text.contains("Edge and origin answer well at every address."),
        "{text}"
    );
    assert_eq!(value["outcomes"].as_array().unwrap().len(), 3);
    assert_eq!(value["differences"], Value::Array(vec![]));
    let started = value["outcomes"][0]["started"].as_str().unwrap();
    assert!(started.ends_with('Z') && started.len() >= 20, "{started}");

    let (text, value) = found(
        &format!("{} --origin {origin}", url("/dead")),
        "edge-fails-origin-good",
    );
    assert_eq!(
        causes(&value),
        [("edge", "chained-gateway-error"), ("origin", "")]
    );
    assert!(text.contains("502"), "{text}");

    let (_, value) = found(&format!("{} --origin {dead}", url("/dead")), "both-fail");
    assert_eq!(
        causes(&value),
        [
            ("edge", "chained-gateway-error"),
            ("origin", "connection-refused")
        ]
    );

    let (_, value) = found(&format!("{} --origin {origin}", url("/own")), "both-fail");
    assert_eq!(
        causes(&value),
        [("edge", "origin-own-error"), ("origin", "origin-own-error")]
    );

    found(&url("/dead"), "edge-fails");
    let (_, value) = found(
        &format!("{} --origin {dead}", url("/")),
        "origin-fails-edge-good",
    );
    assert_eq!(
        causes(&value),
        [("edge", ""), ("origin", "connection-refused")]
    );

    let (text, _) = found(
        &format!("{} --origin {origin} --origin {dead}", url("/")),
        "differs-by-address",
    );
    assert!(text.contains(&format!("{dead} fails")), "{text}");

    let (text, value) = found(
        &format!("{} --origin {origin}", url("/only-edge")),
        "answers-differ",
    );
    assert!(text.contains("another application"), "{text}");
    assert_eq!(value["differences"][0]["other_application"], true);

    let (text, _) = found(&format!("{} --origin {origin}", url("/moved")), "all-good");
    assert!(
        text.contains("to https://elsewhere.example/ (not"),
        "{text}"
    );

    let port = origin.rsplit(':').next().unwrap();
    let (text, _) = found(
        &format!("{} --origin localhost:{port}=127.0.0.9", url("/")),
        "resolves-elsewhere",
    );
    assert!(text.contains("does not lead to 127.0.0.9"), "{text}");

    let several = format!(
        "{} --origin {origin} --path /robots.txt --path /dead",
        url("/")
    );
    let (text, value) = found(&several, "edge-fails-origin-good");
    assert!(text.contains("/dead: the edge fails"), "{text}");
    assert!(
        text.contains("/ and /robots.txt: edge and origin answer well"),
        "{text}"
    );
    assert_eq!(value["parts"].as_array().unwrap().len(), 2);

    let https = format!("https://www.example.com/ --edge {edge} --origin https://{origin}");
    let (_, value) = found(&https, "both-fail");
    assert_eq!(
        causes(&value),
        [
            ("edge", "protocol-mismatch"),
            ("origin", "protocol-mismatch")
        ]
    );
}

#[test]
fn the_idle_time_out_of_a_real_origin_is_measured() {
    let nginx = Nginx::start();
    let words = format!(
        "http://www.example.com/ --edge {} --origin {} --keep-alive 20 --format json",
        nginx.edge, nginx.origin
    );
    let value: Value = serde_json::from_str(&probe(&words).report()).unwrap();
    let found = &value["outcomes"][1]["keep_alive"];
    assert_eq!(found["state"], "closed", "{value:#}");
    // nginx has one second; a busy machine may be late, never early.
    assert!(found["after_ms"].as_f64().unwrap() > 900.0, "{found}");
    assert_eq!(value["outcomes"][0]["keep_alive"], Value::Null);
}

#[test]
fn the_proxy_protocol_is_spoken_where_it_is_wanted() {
    let nginx = Nginx::start();
    let proxied = nginx.proxied();
    let words = format!(
        "http://www.example.com/ --edge {} --origin {proxied}",
        nginx.edge
    );
    found(&format!("{words} --proxy-protocol"), "all-good");
    let (_, value) = found(&words, "origin-fails-edge-good");
    assert_eq!(causes(&value)[1], ("origin", "closed-before-headers"));
}

#[test]
fn who_comes_as_a_crawler_is_told_what_that_means() {
    let nginx = Nginx::start();
    let words = format!(
        "http://www.example.com/ --edge {} --as googlebot",
        nginx.edge
    );
    let (text, value) = found(&words, "all-good");
    assert!(
        text.contains("Mind    sent with the user agent of Googlebot."),
        "{text}"
    );
    assert_eq!(value["sent_as"], "googlebot");
}

#[test]
fn what_cannot_be_asked_is_refused() {
    let many = "--origin 127.0.0.1:1 ".repeat(51);
    for (words, says) in [
        ("www.example.com", "a URL begins with https://"),
        ("http://a.example/ --origin unix:app.sock", "whole path"),
        (
            "http://a.example/ --origin http://a/b",
            "an origin has no path",
        ),
        (
            "http://a.example/ --path robots.txt",
            "a path begins with /",
        ),
        ("http://a.example/ --as nobody", "no such crawler"),
        (
            "http://a.example/ --edge a.example",
            "not an address and port",
        ),
        ("http://a.example/ --header-buffer 0", "a number of bytes"),
        ("http://a.example/ --timeout 0", "seconds above 0"),
        (
            "https://a.example/ --ca Cargo.toml",
            "no certificate authority in PEM",
        ),
        ("https://a.example/ --ca none.pem", "--ca none.pem"),
        (&format!("http://a.example/ {many}"), "at most 50 origins"),
    ] {
        let ran = probe(words);
        assert_eq!((ran.status, ran.stdout.as_str()), (Some(2), ""), "{words}");
        assert!(ran.stderr.contains(says), "{words}: {}", ran.stderr);
    }
}
