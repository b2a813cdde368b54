//! Whose address a log holds, where proxies stand before the edge: the rightmost hop that is not the site's own.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod program;
mod shop;

use serde_json::Value;

const FORMAT: &str = r#"$remote_addr - - [$time_local] "$request" $status $body_bytes_sent "-" "$http_user_agent" "$http_x_forwarded_for""#;
const GOOGLEBOT: &str = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)";

/// Addresses of Google's, of a scanner's, of a balancer of the site's own, and of Cloudflare's.
const GOOD: &str = "192.0.2.7";
const SCANNER: &str = "203.0.113.66";
const BALANCER: &str = "198.51.100.7";
const CDN: &str = "104.16.0.9";

/// Ten fetches in the name of Googlebot: peer, and what was forwarded.
fn folder(peer: &str, forwarded: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let lists = [
        (
            "common-crawlers.json",
            r#"{"prefixes":[{"ipv4Prefix":"192.0.2.0/27"}]}"#,
        ),
        ("cloudflare.txt", "104.16.0.0/13\n"),
        ("own.txt", "# balancers\n198.51.100.0/24 # east\n"),
        ("wrong.txt", "198.51.100.0/24\nbalancer-2\n"),
    ];
    for (name, text) in lists {
        shop::write(folder.path(), name, text);
    }
    let line = |second: u32| {
        format!(
            "{peer} - - [22/Nov/2026:09:00:{second:02} +0000] \"GET /item/{second} HTTP/1.1\" 200 512 \"-\" \"{GOOGLEBOT}\" \"{forwarded}\"\n"
        )
    };
    let log: String = (0..10).map(line).collect();
    shop::write(folder.path(), "access.log", log);
    folder
}

fn report(peer: &str, forwarded: &str, more: &[&str]) -> Value {
    let args = [
        "diagnose",
        "access.log",
        "--log-format",
        FORMAT,
        "--ranges",
        "common-crawlers.json",
        "--format",
        "json",
    ];
    let folder = folder(peer, forwarded);
    let ran = program::run(folder.path(), args.iter().chain(more));
    serde_json::from_str(&ran.report()).unwrap()
}

/// The one identity that all ten have.
fn identity(peer: &str, forwarded: &str, more: &[&str]) -> String {
    let report = report(peer, forwarded, more);
    let counts = report["crawlers"][0]["identity"].as_object().unwrap();
    let all = counts.iter().filter(|(_, n)| n.as_u64() == Some(10));
    all.map(|(name, _)| name.clone()).collect()
}

#[test]
fn who_came_through_proxies() {
    let own = ["--trusted-proxies", "own.txt"];
    let table: [(&str, &str, &[&str], &str); 9] = [
        (GOOD, "-", &[], "verified"),
        (SCANNER, "-", &[], "spoofed"),
        // What a stranger writes into the header is nothing.
        (SCANNER, GOOD, &[], "spoofed"),
        (SCANNER, GOOD, &own, "spoofed"),
        // Behind a balancer of the same network, and one with a public address.
        ("10.0.0.7", GOOD, &[], "verified"),
        (BALANCER, GOOD, &own, "verified"),
        (
            BALANCER,
            GOOD,
            &["--trusted-proxies", "10.9.0.0/16,198.51.100.7"],
            "verified",
        ),
        // The leftmost is the scanner's own words.
        (BALANCER, "192.0.2.7, 203.0.113.66", &own, "spoofed"),
        (
            BALANCER,
            "192.0.2.7, 203.0.113.66, 198.51.100.8",
            &own,
            "spoofed",
        ),
    ];
    for (peer, forwarded, more, wanted) in table {
        assert_eq!(
            identity(peer, forwarded, more),
            wanted,
            "{peer} {forwarded} {more:?}"
        );
    }
}

/// The log of a site behind a CDN that forgot to log whom the CDN forwards for.
#[test]
fn a_cdns_own_addresses_are_no_proof_of_forgery() {
    let known = ["--ranges", "cloudflare-health=cloudflare.txt"];
    assert_eq!(
        identity(CDN, "-", &[]),
        "spoofed",
        "nothing says whose it is"
    );
    assert_eq!(identity(CDN, "-", &known), "unchecked");
    assert_eq!(identity(CDN, GOOD, &known), "verified");
    assert_eq!(identity(CDN, SCANNER, &known), "spoofed");
    let problems = report(CDN, "-", &known)["problems"].clone();
    let problem = &problems[0];
    assert_eq!(
        (problem["line"].as_u64(), problem["count"].as_u64()),
        (Some(1), Some(10))
    );
    let reason = problem["reason"].as_str().unwrap();
    assert!(reason.contains("a CDN's or a proxy's own"), "{reason}");
}

#[test]
fn a_proxy_that_cannot_be_read_is_an_error_with_its_place() {
    let table = [
        (
            "wrong.txt",
            "--trusted-proxies wrong.txt:2: neither an address nor a network",
        ),
        (
            "no-such-proxy",
            "--trusted-proxies no-such-proxy: neither an address nor a network, and as a file: ",
        ),
    ];
    for (arg, wanted) in table {
        let folder = folder(GOOD, "-");
        let ran = program::run(
            folder.path(),
            ["diagnose", "access.log", "--trusted-proxies", arg],
        );
        assert_eq!((ran.status, ran.stdout.as_str()), (Some(2), ""));
        assert!(ran.stderr.contains(wanted), "{}", ran.stderr);
    }
}
