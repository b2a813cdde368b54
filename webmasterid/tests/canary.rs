//! The wall: nothing of a person comes out, in any output, whatever the layout.
//!
//! Every personal field of every line carries the word `canary`, and every client has an address of two marked networks.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod marked;
mod program;
#[path = "../../adapters/dns/tests/responder/mod.rs"]
mod responder;

use std::collections::BTreeSet;
use std::fs;
use std::io::Read;
use std::path::Path;

use flate2::read::MultiGzDecoder;
use marked::{Layout, refuse_marks};
use responder::{A, PTR, Responder, SERVER_FAILURE};

/// Everything the program can write about logs.
const OUTPUTS: [&str; 14] = [
    "diagnose --color always",
    "diagnose --full",
    "diagnose --incident 1",
    "diagnose --format json",
    "diagnose --format json --status 200-599",
    "diagnose --format markdown --full",
    "diagnose --format csv",
    "diagnose --owed /dev/stdout",
    "failures",
    "failures --all-clients",
    "failures --format ndjson",
    "failures --format ndjson --all-clients --status 200-599",
    "failures --format csv",
    "failures --format csv --all-clients",
];

/// Both streams of one command over everything in `folder`.
fn output(folder: &Path, command: &str, more: &[String]) -> String {
    let words = command.split_whitespace().map(str::to_owned);
    let ran = program::run(folder, words.chain([".".to_owned()]).chain(more.to_vec()));
    ran.stdout + &ran.stderr
}

#[test]
fn nothing_personal_comes_out() {
    program::each(&Layout::ALL, |layout| {
        let folder = tempfile::tempdir().unwrap();
        marked::write(*layout, folder.path());
        let args = layout.arguments();
        for command in OUTPUTS {
            let output = output(folder.path(), command, &args);
            refuse_marks(&format!("{layout:?}, {command}"), &output);
        }
        // The test is worth something only where the outputs are.
        let rows = output(folder.path(), "failures --format ndjson", &args);
        let report = output(folder.path(), "diagnose --full", &args);
        assert!(rows.contains("/product/17"), "{layout:?}: {rows}\n{report}");
        assert!(report.contains("googlebot"), "{layout:?}: {report}");
        assert!(
            report.contains("not understood") || report.contains("unreadable"),
            "{report}"
        );
        for known in layout.known() {
            assert!(rows.contains(known), "{layout:?}: no {known} in {rows}");
        }
    });
}

/// Names of addresses are personal too. Whatever name servers say: names of the operator's and of others', and failures.
#[test]
fn nothing_personal_comes_out_of_name_servers() {
    let server = Responder::start(std::time::Duration::ZERO, |query| {
        Some(match query.kind {
            PTR if query.name.starts_with('1') => query.fails(SERVER_FAILURE),
            PTR => query.names(&["crawl-canary.googlebot.com", "canary.example"]),
            _ => query.addresses(&["198.51.100.9".parse().unwrap()]),
        })
    });
    let verify = format!("--verify --resolver {}", server.address);
    program::each(&Layout::ALL, |layout| {
        let folder = tempfile::tempdir().unwrap();
        marked::write(*layout, folder.path());
        let mut args = layout.arguments();
        // What ranges confirm nobody is asked about.
        if let Some(at) = args.iter().position(|arg| arg == "--ranges") {
            args.drain(at..at + 2);
        }
        for command in [
            "diagnose --full",
            "diagnose --format json",
            "failures --format ndjson --all-clients",
            "failures --format csv --verified-only",
        ] {
            let command = format!("{command} {verify}");
            let output = output(folder.path(), &command, &args);
            refuse_marks(&format!("{layout:?}, {command}"), &output);
        }
    });
    assert!(server.count(PTR).0 > 0 && server.count(A).0 > 0);
}

/// Logs of which no line is understood are refused with reasons, and the reasons hold nothing of the lines.
#[test]
fn nothing_personal_is_in_a_refusal() {
    let folder = tempfile::tempdir().unwrap();
    marked::write_rubbish(folder.path());
    for command in [
        "diagnose",
        "diagnose --format json",
        "failures --all-clients",
    ] {
        let ran = program::line(folder.path(), &format!("{command} ."));
        assert_eq!(ran.status, Some(3), "{}", ran.stderr);
        refuse_marks(command, &(ran.stdout + &ran.stderr));
    }
}

/// The recordings: their visitors have documentation addresses, their upstreams those of the loopback net.
#[test]
fn nothing_personal_of_the_recordings_comes_out() {
    program::each(&program::recordings(), |folder| {
        let personal = personal(folder);
        assert!(!personal.is_empty());
        for command in [
            "diagnose --full",
            "diagnose --format json",
            "failures --format ndjson --all-clients",
        ] {
            let ran = program::line(folder, &format!("{command} ."));
            let output = ran.stdout + &ran.stderr;
            // An upstream that no route leads to, as edges write it.
            let output = output
                .replace("[2001:db8::5]", "")
                .replace("2001:db8::5:8080", "");
            for net in ["192.0.2.", "198.51.100.", "203.0.113.", "2001:db8"] {
                assert!(!output.contains(net), "{folder:?}, {command}: {net}");
            }
            for text in &personal {
                assert!(!output.contains(text), "{folder:?}, {command}: {text}");
            }
        }
    });
}

/// User agents and queries of the logs in `folder` and below it.
fn personal(folder: &Path) -> BTreeSet<String> {
    let mut personal = BTreeSet::new();
    for below in program::folders(folder) {
        personal.extend(self::personal(&below));
    }
    for log in program::logs(folder) {
        let mut bytes = fs::read(folder.join(&log)).unwrap();
        if log.ends_with(".gz") {
            let packed = std::mem::take(&mut bytes);
            let mut packed = MultiGzDecoder::new(&*packed);
            packed.read_to_end(&mut bytes).unwrap();
        }
        let text = String::from_utf8_lossy(&bytes);
        let quoted = text.split('"').filter(|part| part.starts_with("Mozilla/"));
        personal.extend(quoted.map(str::to_owned));
        let words = text.split([' ', '"', ',']);
        let queries = words.filter_map(|word| word.strip_prefix('/')?.split_once('?'));
        let queries = queries.map(|(_, query)| query.to_owned());
        personal.extend(queries.filter(|query| query.len() > 3));
    }
    personal
}
