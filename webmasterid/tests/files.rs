//! However the lines come to it, packed, rotated, in parts or piped, the answer is that of the lines.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod program;
mod shop;

use std::fs;
use std::path::Path;
use std::process::Stdio;

use serde_json::Value;
use shop::{NOW, gzip, write};

/// The report as JSON, less what names the files.
fn report(folder: &Path, paths: &str) -> Value {
    let ran = program::line(folder, &format!("diagnose {paths} --format json"));
    nameless(&ran.report())
}

fn nameless(report: &str) -> Value {
    let mut report: Value = serde_json::from_str(report).unwrap();
    report["coverage"]["sources"] = Value::Null;
    for incident in report["incidents"].as_array_mut().unwrap() {
        for evidence in incident["evidence"].as_array_mut().unwrap() {
            evidence["source"] = Value::Null;
            evidence["line"] = Value::Null;
        }
    }
    report
}

/// The log cut in three at line ends.
fn parts() -> [String; 3] {
    let lines: Vec<String> = shop::log()
        .lines()
        .map(|line| format!("{line}\n"))
        .collect();
    [0..90, 90..130, 130..300].map(|part| lines[part].concat())
}

#[test]
fn a_rotated_set_is_the_whole() {
    let folder = shop::folder();
    let path = folder.path();
    fs::create_dir(path.join("set")).unwrap();
    let [oldest, older, newest] = parts();
    write(path, "set/access.log", newest);
    // Rotation by append: two members in one file.
    let (first, second) = older.split_at(older.find('\n').unwrap() + 1);
    let members = [gzip(first.as_bytes()), gzip(second.as_bytes())].concat();
    write(path, "set/access.log.1.gz", members);
    write(
        path,
        "set/access.log.2.zst",
        zstd::encode_all(oldest.as_bytes(), 3).unwrap(),
    );
    let whole = report(path, "good.log");
    assert_eq!(whole["totals"]["by_status"]["502"], 40);
    assert_eq!(report(path, "set"), whole);
    assert_eq!(report(path, "set/*"), whole);
    assert_eq!(
        report(
            path,
            "set/access.log.1.gz set/access.log set/access.log.2.zst"
        ),
        whole
    );
}

/// Two balancers share the requests; their logs overlap in time.
/// The log as other programs' lines stand between its own, each in what a stream puts around it.
#[test]
fn a_stream_that_programs_share_is_the_log_in_it() {
    let folder = shop::folder();
    let path = folder.path();
    let whole = report(path, "good.log");
    type Around = fn(&str) -> String;
    let streams: [(&str, Around); 4] = [
        ("syslog", |line| {
            format!("Nov 22 07:25:33 web1 www[7]: {line}\n")
        }),
        ("cri", |line| {
            format!("2026-11-22T07:25:33.123456789Z stdout F {line}\n")
        }),
        ("compose", |line| format!("www-1  | {line}\n")),
        ("docker", |line| {
            let log = serde_json::to_string(&format!("{line}\n")).unwrap();
            format!("{{\"log\":{log},\"stream\":\"stdout\",\"time\":\"2026-11-22T07:25:33.1Z\"}}\n")
        }),
    ];
    let other = "Nov 22 07:25:33 web1 sshd[812]: Accepted publickey for deploy\n";
    for (name, around) in streams {
        // More of it than is looked at to know a log.
        let mut stream = other.repeat(20_000);
        for line in shop::log().lines() {
            stream += &around(line);
            stream += other;
        }
        write(path, name, &stream);
        assert_eq!(report(path, name), whole, "{name}");
        let text = program::line(path, &format!("diagnose {name} --format json")).report();
        let text: Value = serde_json::from_str(&text).unwrap();
        let source = &text["coverage"]["sources"][0];
        assert_eq!(source["unparsed"], 0, "{name}");
        assert_eq!(source["others"], 20_300, "{name}");
    }
}

/// An application's own access log beside the edge's says the same requests again.
#[test]
fn the_origins_lines_in_a_stream_are_not_the_edges() {
    let folder = shop::folder();
    let path = folder.path();
    let log = shop::log();
    let edge = log.lines().map(|line| format!("shop-nginx-1  | {line}\n"));
    write(path, "edge", edge.clone().collect::<String>());
    let both = log.lines().zip(edge);
    let both = both.map(|(line, edge)| format!("shop-app-1  | {line}\n{edge}"));
    write(path, "both", both.collect::<String>());
    assert_eq!(report(path, "both"), report(path, "edge"));
}

#[test]
fn the_logs_of_two_nodes_are_one() {
    let folder = shop::folder();
    let path = folder.path();
    for node in 0..2 {
        fs::create_dir(path.join(format!("node{node}"))).unwrap();
        let log = shop::log();
        let lines = log
            .lines()
            .enumerate()
            .filter(|(number, _)| number % 2 == node);
        let lines: String = lines.map(|(_, line)| format!("{line}\n")).collect();
        write(path, &format!("node{node}/access.log"), lines);
    }
    let both = report(path, "node0 node1");
    assert_eq!(both, report(path, "good.log"));
    assert_eq!(both, report(path, "node1/access.log node0/access.log"));
}

#[test]
fn the_same_content_counts_once() {
    let folder = shop::folder();
    let path = folder.path();
    write(path, "copy.log", shop::log());
    write(path, "packed.log.gz", gzip(shop::log().as_bytes()));
    let report = report(path, "good.log copy.log packed.log.gz");
    assert_eq!(report["totals"]["requests"], 300);
    let problems: Vec<&str> = report["problems"]
        .as_array()
        .unwrap()
        .iter()
        .map(|problem| problem["reason"].as_str().unwrap())
        .collect();
    assert_eq!(problems, ["same content as copy.log, counted once"; 2]);
}

#[test]
fn standard_input() {
    let folder = shop::folder();
    let path = folder.path();
    let file = program::line(path, "diagnose good.log --format json").report();
    for input in [shop::log().into_bytes(), gzip(shop::log().as_bytes())] {
        let piped = program::pipe(path, "diagnose - --format json", &input).report();
        assert_eq!(nameless(&piped), nameless(&file));
    }
    let text = program::pipe(path, &format!("diagnose - {NOW}"), shop::log().as_bytes()).report();
    assert!(text.contains("-:101"), "{text}");
    let nothing = program::pipe(path, "diagnose -", b"");
    assert_eq!(nothing.status, Some(3));
    assert!(
        nothing
            .stderr
            .starts_with("webmasterid: nothing to read\n  -: "),
        "{}",
        nothing.stderr
    );
}

/// `webmasterid ... | head -1` is success, without a word.
#[test]
fn a_reader_that_leaves_is_no_failure() {
    let folder = shop::folder();
    // More rows than a pipe holds.
    write(
        folder.path(),
        "failed.log",
        shop::log().replace("\" 200 ", "\" 502 ").repeat(20),
    );
    for words in [
        "failures failed.log --format ndjson",
        "schema",
        "diagnose good.log",
    ] {
        let mut program = program::program(folder.path());
        let program = program.args(words.split_whitespace());
        let mut child = program
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{words}");
        assert_eq!(output.status.code(), Some(0), "{words}");
    }
}

#[test]
fn a_full_disk_is_a_failure() {
    let folder = shop::folder();
    let ran = program::shell(folder.path(), "$WEBMASTERID diagnose good.log > /dev/full");
    assert_eq!(ran.status, Some(1));
    assert!(
        ran.stderr.starts_with("webmasterid: standard output: "),
        "{}",
        ran.stderr
    );
}
