//! Recordings whose access and error log are put into one stream, as containers do it: each failure is told the same.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod program;

use std::fs;
use std::path::Path;

use serde_json::Value;

/// What is said of each failure, less where it stands.
fn failures(folder: &Path, paths: &str) -> Vec<String> {
    let command = format!("failures --all-clients --format ndjson {paths}");
    let rows = program::line(folder, &command).report();
    let mut rows: Vec<String> = rows
        .lines()
        .map(|row| {
            let mut row: Value = serde_json::from_str(row).unwrap();
            for place in ["source", "line", "evidence"] {
                row.as_object_mut().unwrap().remove(place);
            }
            row.to_string()
        })
        .collect();
    rows.sort();
    rows
}

/// The lines of both logs, the entries spread evenly between the requests.
fn interleaved<'a>(requests: &'a str, entries: &'a str) -> Vec<&'a str> {
    let requests: Vec<&str> = requests.lines().collect();
    let entries: Vec<&str> = entries.lines().collect();
    let all = requests.len() + entries.len();
    let (mut lines, mut taken) = (Vec::new(), 0);
    for number in 0..all {
        let due = (number + 1) * entries.len() / all;
        let is_entry = taken < due;
        taken += usize::from(is_entry);
        let line = if is_entry {
            entries[taken - 1]
        } else {
            requests[number - taken]
        };
        lines.push(line);
    }
    lines
}

#[test]
fn one_stream_tells_what_two_logs_tell() {
    // Of each cause a few: the rest differs in what no stream changes.
    const STEP: usize = 5;
    let both = |folder: &std::path::PathBuf| {
        let names = program::logs(folder);
        names == ["access.log", "error.log"]
    };
    // Entries of H2O have no stamp of their own, and those made up here are none of theirs; entries of varnishlog are of
    // several lines, which nobody writes with others in between.
    let stands_alone = |folder: &std::path::PathBuf| {
        let name = folder.file_name().unwrap().to_str().unwrap();
        !name.starts_with("h2o-") && !name.starts_with("varnish-")
    };
    let recordings: Vec<_> = program::cases()
        .into_iter()
        .filter(|folder| both(folder) && stands_alone(folder))
        .collect();
    let some: Vec<_> = recordings.into_iter().step_by(STEP).collect();
    assert!(some.len() > 10);
    program::each(&some, |folder| {
        let read = |name: &str| fs::read(folder.join(name)).map(String::from_utf8);
        let (Ok(Ok(requests)), Ok(Ok(entries))) = (read("access.log"), read("error.log")) else {
            return;
        };
        let stream = tempfile::tempdir().unwrap();
        let mut text = String::new();
        for line in interleaved(&requests, &entries) {
            // HAProxy's come in syslog, whose stamp is all that some of them have.
            text += match line.contains(" haproxy[") {
                true => "",
                false => "2026-11-22T07:25:33.123456789Z stdout F ",
            };
            text += line;
            text.push('\n');
        }
        fs::write(stream.path().join("stream.log"), text).unwrap();
        assert_eq!(
            failures(stream.path(), "stream.log"),
            failures(folder, "access.log error.log"),
            "{folder:?}"
        );
    });
}
