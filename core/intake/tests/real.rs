//! Logs that other people wrote, through scan and settle as the program runs them: each request once, with its status,
//! and every other line counted as none.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test fails by panicking and says what it skips"
)]

use std::collections::BTreeMap;
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use intake::{Chunk, Filter, Formats, Intake, Ranges, Secret, Seen, Settings, Settler};
use model::{Edge, LogKind, Request, SourceId};
use serde_json::Value;

/// Files of the products whose lines are read.
const OURS: [&str; 22] = [
    "nginx-vhost-prefix.log",
    "nginx-combined-xff.log",
    "nginx-proxy-manager.log",
    "ingress-nginx.log",
    "nginx-json.log",
    "apache-common.log",
    "apache-combined.log",
    "apache-vhost.log",
    "gandi-ovh.log",
    "litespeed-mixed.log",
    "docker-json-file-nginx.log",
    "caddy-json.log",
    "caddy-compose-mixed.log",
    "traefik-json.log",
    "istio-json.log",
    "cri-envoy-gateway-json.log",
    "aws-elb-classic.log",
    "cloudfront-standard.log",
    "cloudfront-no-header.log",
    "haproxy-doc-examples.log",
    "haproxy-http-bare.log",
    "haproxy-json.log",
];

/// Folder of those logs; they are not part of the repository.
fn real() -> Option<PathBuf> {
    let shared = match std::env::var_os("WEBMASTERID_SHARED") {
        Some(shared) => PathBuf::from(shared),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared"),
    };
    let real = shared.join("real");
    if !real.is_dir() {
        println!("skipped: shared material absent");
        return None;
    }
    Some(real)
}

fn content(file: &Path) -> Vec<u8> {
    let bytes = fs::read(file).unwrap();
    if file.extension().is_none_or(|ending| ending != "gz") {
        return bytes;
    }
    let mut text = Vec::new();
    flate2::read::MultiGzDecoder::new(bytes.as_slice())
        .read_to_end(&mut text)
        .unwrap();
    text
}

fn json(file: &Path) -> Value {
    serde_json::from_slice(&content(file)).unwrap()
}

/// Requests by status, and what was seen of the file.
type Counted = (BTreeMap<u16, u64>, Seen);

/// `each` sees every request, settled.
fn count(bytes: &[u8], each: &mut dyn FnMut(&Request<'_>)) -> Counted {
    let intake = Intake::new(
        Settings::default(),
        Secret::new([9; 16]),
        Ranges::default(),
        Formats::new(Vec::new()),
    );
    let chunk = Chunk {
        source: SourceId(0),
        first_line: 1,
        edge: Edge::Unknown,
        kind: LogKind::Access,
        take: intake::Take::All,
        names_edge: false,
        bytes,
    };
    let mut statuses = BTreeMap::new();
    let mut note = |request: &Request<'_>| {
        *statuses.entry(request.status.0).or_default() += 1;
        each(request);
    };
    let scanned = intake.scan(chunk, &Filter::default(), &mut note);
    let sources = scanned.sources;
    Settler::default().settle(
        &intake,
        scanned.held,
        &sources,
        None,
        &mut note,
        &mut |_| (),
    );
    let seen = sources.get(SourceId(0)).cloned().unwrap_or_default();
    (statuses, seen)
}

fn wanted(expect: &Value) -> BTreeMap<u16, u64> {
    let statuses = expect["status"].as_object().unwrap().iter();
    statuses
        // HAProxy's -1, and others' 0, are requests that got no answer.
        .map(|(status, n)| (status.parse().unwrap_or(0), n.as_u64().unwrap()))
        .collect()
}

#[test]
fn each_request_has_its_status_and_no_other_line_is_one() {
    let Some(real) = real() else { return };
    let zoo = real.join("zoo");
    let manifest = json(&zoo.join("manifest.json"));
    let files = manifest["files"].as_array().unwrap();
    let is_there = |name: &&str| files.iter().any(|file| file["file"] == **name);
    assert!(OURS.iter().all(is_there), "a file has gone");
    for file in files {
        let name = file["file"].as_str().unwrap();
        let expect = &file["expect"];
        let (statuses, seen) = count(&content(&zoo.join(name)), &mut |_| ());
        let noise = seen.unparsed + seen.others;
        let read = seen.requests + seen.entries + seen.continuations + noise;
        assert_eq!(read, seen.lines, "{name}: every line is one thing");
        assert_eq!(
            statuses.values().sum::<u64>(),
            seen.requests,
            "{name}: each request once"
        );
        let requests = expect["request_lines"].as_u64().unwrap_or(0);
        if name.starts_with("negative-") {
            assert_eq!((requests, seen.requests), (0, 0), "{name}");
        } else if OURS.contains(&name) {
            assert_eq!(statuses, wanted(expect), "{name}");
            let others = file["lines"].as_u64().unwrap() - requests;
            assert_eq!(noise + seen.entries, others, "{name}");
        } else if requests > 0 {
            // Not claimed: but what is read is read rightly.
            let wanted = wanted(expect);
            for (status, n) in &statuses {
                let most = wanted.get(status).copied().unwrap_or_default();
                assert!(*n <= most, "{name}: {status}");
            }
        }
    }
}

#[test]
fn ten_thousand_lines_of_apache_combined() {
    let Some(real) = real() else { return };
    let folder = real.join("semicomplete-apache");
    let access = &json(&folder.join("expected.json"))["access"];
    let mut failed_fetches = 0;
    let (statuses, seen) = count(&content(&folder.join("apache_logs.gz")), &mut |request| {
        let is_googlebot = request
            .crawler()
            .is_some_and(|crawler| knowledge::crawler(crawler).id == "googlebot");
        failed_fetches += u64::from(is_googlebot && request.failed());
    });
    assert_eq!(statuses, wanted(&access["files"][0]));
    assert_eq!(seen.unparsed, access["unparsable_lines"].as_u64().unwrap());
    assert_eq!(seen.reasons.len(), 1, "one line lacks its closing quote");
    assert_eq!(failed_fetches, 2);
}
