//! `maintenance`: what is written, and what a site is told that does not answer as it should. That the texts do in the
//! real programs what they promise is tried by `cargo xtask maintenance`.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod program;

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::path::Path;
use std::thread;

/// A site that answers one page and one robots.txt, each a status with headers and a body, for so many requests.
fn site(page: &'static str, robots: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/shop?x=1", listener.local_addr().unwrap());
    thread::spawn(move || {
        for stream in listener.incoming().take(2) {
            let mut reader = BufReader::new(stream.unwrap());
            let mut asked = String::new();
            reader.read_line(&mut asked).unwrap();
            let mut line = String::new();
            while reader.read_line(&mut line).unwrap() > 2 {
                line.clear();
            }
            let answer = if asked.starts_with("GET /robots.txt ") {
                robots
            } else {
                page
            };
            let (head, body) = answer.split_once("\n\n").unwrap();
            let head = head.replace('\n', "\r\n");
            let length = body.len();
            let mut stream = reader.into_inner();
            write!(
                stream,
                "HTTP/1.1 {head}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
            )
            .unwrap();
        }
    });
    url
}

const ROBOTS: &str = "200 OK\nContent-Type: text/plain\n\nUser-agent: *\n";
const ON: &str =
    "503 Service Unavailable\nRetry-After: 600\nCache-Control: private, no-store\n\nsoon";
const OFF: &str = "200 OK\n\nshop";

/// Exit status, and what is wrong.
fn verify(page: &'static str, robots: &'static str, state: &str) -> (Option<i32>, Vec<String>) {
    let url = site(page, robots);
    let ran = program::run(
        Path::new("."),
        ["maintenance", "--verify", &url, "--expect", state],
    );
    let wrong = ran
        .stdout
        .lines()
        .filter_map(|line| line.trim().strip_prefix("WRONG "));
    (ran.status, wrong.map(str::to_owned).collect())
}

#[test]
fn a_site_is_told_what_is_wrong_with_it() {
    let date = "503 Service Unavailable\nRetry-After: Sun, 22 Nov 2026 10:00:00 GMT\nCache-Control: no-store\n\nsoon";
    let cases: [(&str, &str, &str, &[&str]); 11] = [
        (ON, ROBOTS, "on", &[]),
        (date, ROBOTS, "on", &[]),
        (OFF, ROBOTS, "off", &[]),
        (
            OFF,
            ROBOTS,
            "on",
            &[
                "status 200, 503 is wanted",
                "Retry-After: none",
                "Cache-Control: none, no-store is wanted",
            ],
        ),
        (ON, ROBOTS, "off", &["status 503"]),
        ("502 Bad Gateway\n\nno", ROBOTS, "off", &["status 502"]),
        (
            "503 Service Unavailable\nCache-Control: no-store\n\nsoon",
            ROBOTS,
            "on",
            &["Retry-After: none"],
        ),
        (
            "503 Service Unavailable\nRetry-After: soon\nCache-Control: no-store\n\nsoon",
            ROBOTS,
            "on",
            &["Retry-After: soon"],
        ),
        (
            "503 Service Unavailable\nRetry-After: 600\nCache-Control: max-age=60\n\nsoon",
            ROBOTS,
            "on",
            &["Cache-Control: max-age=60, no-store is wanted"],
        ),
        // The whole site stops being crawled.
        (ON, ON, "on", &["robots.txt: status 503, 200 is wanted"]),
        (
            ON,
            "200 OK\nContent-Type: text/html\n\n<p>soon",
            "on",
            &["robots.txt: 7 bytes, text/html"],
        ),
    ];
    for (page, robots, state, wanted) in cases {
        let (status, wrong) = verify(page, robots, state);
        assert_eq!(wrong, wanted, "{state} {page}");
        assert_eq!(status, Some(if wanted.is_empty() { 0 } else { 10 }));
    }
}

#[test]
fn nobody_there_is_no_answer() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    drop(listener);
    let ran = program::run(Path::new("."), ["maintenance", "--verify", &url]);
    assert_eq!((ran.status, ran.stdout.as_str()), (Some(1), ""));
    assert!(ran.stderr.contains("connection refused"), "{}", ran.stderr);
}

#[test]
fn the_text_holds_what_was_asked_for() {
    let ran = program::line(
        Path::new("."),
        "maintenance nginx --for 2h --robots /srv/robots.txt --switch /run/down",
    );
    let text = ran.report();
    for wanted in [
        "Retry-After 7200 always",
        "alias /srv/robots.txt;",
        "if (-f /run/down)",
        "touch /run/down",
    ] {
        assert!(text.contains(wanted), "{wanted}");
    }
    for edge in [
        "nginx", "haproxy", "apache", "caddy", "envoy", "traefik", "varnish",
    ] {
        let text = program::line(Path::new("."), &format!("maintenance {edge}")).report();
        let gaps = ["{SECONDS}", "{ROBOTS}", "{SWITCH}"];
        assert!(!gaps.iter().any(|gap| text.contains(gap)), "{edge}");
        let widest = text
            .lines()
            .filter(|line| line.starts_with('#'))
            .map(str::len)
            .max();
        assert!(widest <= Some(120), "{edge}");
    }
}

#[test]
fn what_cannot_be_written_is_said() {
    let table = [
        (
            "maintenance squid",
            "there is no text for it; there are nginx, haproxy",
        ),
        (
            "maintenance traefik --while-down",
            "traefik cannot tell its own 502 from the application's",
        ),
        (
            "maintenance nginx --for soon",
            "a number and one of s, m, h, d is wanted",
        ),
        ("maintenance nginx --for 8d", "between a second and a week"),
        (
            "maintenance nginx --robots /tmp/a;b",
            "an absolute path of letters",
        ),
        (
            "maintenance --verify ftp://example.com/",
            "not an http or https address",
        ),
    ];
    for (line, wanted) in table {
        let ran = program::line(Path::new("."), line);
        assert_eq!((ran.status, ran.stdout.as_str()), (Some(2), ""), "{line}");
        let said = ran.stderr.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(said.contains(wanted), "{line}: {said}");
    }
}
