//! What the options change: in the answer, and in the exit status.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod program;
mod shop;

use serde_json::Value;
use shop::{NOW, write};

/// Two hosts, two crawlers, one 404 and 40 failures; half a minute of it by bingbot.
fn folder() -> tempfile::TempDir {
    let folder = shop::folder();
    let vhost = |line: &str| {
        let host = if line.contains("/product/1") {
            "shop.example"
        } else {
            "blog.example"
        };
        let line = line.replace(
            "Googlebot/2.1; +http://www.google.com/bot.html",
            match line.contains("09:02:") {
                true => "bingbot/2.0; +http://www.bing.com/bingbot.htm",
                false => "Googlebot/2.1; +http://www.google.com/bot.html",
            },
        );
        format!("{host}:443 {line}\n")
    };
    let mut hosts: String = shop::log().lines().map(vhost).collect();
    hosts.push_str(&vhost(shop::line(300, "/gone", 404).trim_end()));
    write(folder.path(), "hosts.log", hosts);
    write(
        folder.path(),
        "marks",
        "# deploys\n\n2026-11-22T10:01:00+01:00 deploy release 41\n2026-11-22T08:00:00Z..2026-11-22T08:30:00Z maintenance database\n",
    );
    folder
}

/// Requests, fetches and failed fetches under this choice.
fn totals(words: &str) -> [u64; 3] {
    let ran = program::line(
        folder().path(),
        &format!("diagnose hosts.log --format json {words}"),
    );
    let report: Value = serde_json::from_str(&ran.report()).unwrap();
    ["requests", "fetches", "fetches_failed"].map(|key| report["totals"][key].as_u64().unwrap())
}

/// What comes after the moment of judgement is not known yet.
#[test]
fn now_leaves_out_what_is_later() {
    assert_eq!(totals("--now 2026-11-22T09:01:00Z")[2], 0);
    let during = totals("--now 2026-11-22T09:02:00Z");
    assert_eq!(during[2], 21, "{during:?}");
}

#[test]
fn what_is_counted() {
    let table = [
        ("", [301, 301, 40]),
        ("--since 2026-11-22T09:02:00Z", [181, 181, 20]),
        ("--since 2026-11-22T10:02:00+01:00", [181, 181, 20]),
        ("--until 2026-11-22T09:02:00Z", [120, 120, 20]),
        (
            "--since 2026-11-22T09:01:50Z --until 2026-11-22T09:02:00Z",
            [10, 10, 10],
        ),
        ("--site shop.example", [111, 111, 40]),
        ("--site SHOP.example,blog.example", [301, 301, 40]),
        ("--site blog.example", [190, 190, 0]),
        ("--status 404", [301, 301, 1]),
        ("--status 404,500-599", [301, 301, 41]),
        ("--status 503", [301, 301, 0]),
    ];
    program::each(&table, |(words, expected)| {
        assert_eq!(&totals(words), expected, "{words}")
    });
}

#[test]
fn one_crawler() {
    assert_eq!(totals("--crawler bingbot")[1..], [60, 20]);
    assert_eq!(totals("--crawler googlebot,bingbot")[1..], [301, 40]);
}

#[test]
fn exit_status_for_monitoring() {
    let table = [
        ("--fail-on persistent", 0),
        ("--fail-on blip", 0),
        ("--fail-on blip --fail-on-ended", 10),
        ("--fail-on persistent,blip --fail-on-ended", 10),
        ("--fail-on persistent --fail-on-ended", 0),
        ("--fail-on persistent --until 2026-11-22T09:02:20Z", 10),
    ];
    let folder = folder();
    program::each(&table, |(words, status)| {
        for format in ["text", "json", "csv"] {
            let words = format!("diagnose good.log {words} --format {format}");
            let ran = program::line(folder.path(), &words);
            assert_eq!(
                (ran.status, &*ran.stderr),
                (Some(*status), ""),
                "{words}\n{}",
                ran.stdout
            );
            assert!(!ran.stdout.is_empty(), "{words}");
        }
    });
}

#[test]
fn one_incident_by_number_and_by_id() {
    let folder = folder();
    let report = program::line(folder.path(), "diagnose good.log --format json").report();
    let report: Value = serde_json::from_str(&report).unwrap();
    let id = report["incidents"][0]["id"].as_str().unwrap();
    let by = |choice: &str| {
        program::line(
            folder.path(),
            &format!("diagnose good.log --incident {choice} {NOW}"),
        )
        .report()
    };
    assert_eq!(by("1"), by(id));
    assert!(by("1").contains(id), "{}", by("1"));
}

#[test]
fn marks_stand_beside_incidents() {
    let text = program::line(
        folder().path(),
        &format!("diagnose good.log --marks marks {NOW}"),
    );
    let text = text.report();
    assert!(text.contains("40 s after mark \"release 41\""), "{text}");
    assert!(!text.contains("database"), "{text}");
}

#[test]
fn the_moment_of_judgement() {
    let folder = folder();
    let at = |now: &str| {
        let ran = program::line(
            folder.path(),
            &format!("diagnose good.log --format json {now}"),
        );
        let report: Value = serde_json::from_str(&ran.report()).unwrap();
        report["coverage"]["judged_at"].as_str().unwrap().to_owned()
    };
    assert_eq!(at(""), "2026-11-22T09:04:59Z");
    assert_eq!(
        at("--now 2026-11-22T10:30:00+01:00"),
        "2026-11-22T09:30:00Z"
    );
    assert!(at("--now clock").as_str() > "2026-11-23");
    let text = program::line(
        folder.path(),
        "diagnose good.log --now 2026-11-22T12:05:00Z",
    )
    .report();
    assert!(text.starts_with("RECOVERED, log ends 3 h"), "{text}");
    let text = program::line(folder.path(), &format!("diagnose good.log {NOW}")).report();
    assert!(text.starts_with("RECOVERED  "), "{text}");
}

/// Colour is for terminals: a pipe gets none, whatever the environment says, unless it is asked for.
#[test]
fn colour() {
    let folder = folder();
    let colours = |words: &str, env: (&str, &str)| {
        let line = format!("diagnose good.log {words}");
        let output = program::program(folder.path())
            .args(line.split_whitespace())
            .env(env.0, env.1)
            .output();
        output.unwrap().stdout.contains(&0x1b)
    };
    assert!(!colours("", ("TERM", "xterm")));
    assert!(!colours("--color auto", ("NO_COLOR", "1")));
    assert!(!colours("--color never", ("TERM", "xterm")));
    assert!(colours("--color always", ("TERM", "xterm")));
}

#[test]
fn slips_in_the_arguments() {
    let table = [
        ("", "Usage: webmasterid"),
        ("rubbish", "unrecognized subcommand 'rubbish'"),
        ("diagnose", "<PATH>..."),
        (
            "diagnose good.log --rubbish",
            "unexpected argument '--rubbish'",
        ),
        (
            "diagnose good.log --since yesterday",
            "'--since <TIME>': not a time; write it like 2026-11-22T09:00:00+01:00",
        ),
        (
            "diagnose good.log --now yesterday",
            "'--now <TIME|clock>': not a time",
        ),
        (
            "diagnose good.log --error-zone CET",
            "not an offset; write it like +01:00",
        ),
        (
            "diagnose good.log --incident x",
            "neither a number of the report nor an id of 16 hexadecimal digits",
        ),
        (
            "diagnose good.log --fail-on rubbish",
            "no such verdict; there are ",
        ),
        ("diagnose good.log --fail-on-ended", "--fail-on <VERDICT>"),
        (
            "diagnose good.log --status 5xx",
            "\"5xx\" is not a status between 1 and 999",
        ),
        (
            "diagnose good.log --status 599-500",
            "599-500 is an empty range",
        ),
        (
            "diagnose good.log --format html",
            "[possible values: text, json, markdown, csv]",
        ),
        (
            "failures good.log --format json",
            "[possible values: text, ndjson, csv]",
        ),
        ("completions tcsh", "possible values: bash"),
        ("man rubbish", "there is no command rubbish"),
    ];
    let folder = folder();
    program::each(&table, |(words, says)| {
        let ran = program::line(folder.path(), words);
        assert_eq!((ran.status, &*ran.stdout), (Some(2), ""), "{words}");
        assert!(ran.stderr.contains(says), "{words}: {}", ran.stderr);
    });
}

/// HAProxy's stamps, and those of many hand-made formats, say no zone.
#[test]
fn a_zone_places_stamps_that_say_none() {
    let folder = tempfile::tempdir().unwrap();
    let line = r#"2026-11-22 10:00:01.500 192.0.2.7 shop.example "GET /a HTTP/1.1" 502 17 "Mozilla/5.0 (compatible; Googlebot/2.1)""#;
    let zoned = r#"192.0.2.7 - - [22/Nov/2026:10:00:02 +0200] "GET /a HTTP/1.1" 502 17 "-" "Mozilla/5.0 (compatible; Googlebot/2.1)""#;
    write(folder.path(), "a.log", format!("{line}\n{zoned}\n"));
    let stamps = |words: &str| -> Vec<String> {
        let rows = program::line(
            folder.path(),
            &format!("failures a.log --format ndjson {words}"),
        );
        let row = |row: &str| serde_json::from_str::<Value>(row).unwrap()["at"].to_string();
        rows.report().lines().map(row).collect()
    };
    let second = "\"2026-11-22T08:00:02Z\"";
    assert_eq!(stamps(""), [second, "\"2026-11-22T10:00:01.500Z\""]);
    assert_eq!(
        stamps("--zone +01:00"),
        [second, "\"2026-11-22T09:00:01.500Z\""]
    );
}
