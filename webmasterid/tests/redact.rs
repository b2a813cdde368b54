//! A redacted log says the same, and nothing of anybody.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod marked;
mod program;
mod truth;

use std::fs;
use std::path::Path;

use marked::Layout;
use serde_json::{Value, json};
use truth::Case;

/// What must not change: everything but the names.
fn essence(folder: &Path, case: &Case) -> Value {
    let mut args = vec!["--now".to_owned(), case.now.clone()];
    if let Some(format) = &case.log_format {
        args.extend(["--log-format".to_owned(), format.clone()]);
    }
    let words = ["diagnose", "--format", "json", "."].map(str::to_owned);
    let report = program::run(folder, words.into_iter().chain(args)).report();
    let report: Value = serde_json::from_str(&report).unwrap();
    let incidents = report["incidents"].as_array().unwrap().iter();
    let incidents: Vec<Value> = incidents
        .map(|incident| {
            json!([
                incident["verdict"],
                incident["layer"],
                incident["cause"],
                incident["confidence"],
                incident["alternatives"],
                incident["start"],
                incident["end"],
                incident["statuses"],
                incident["requests"],
                incident["fetches"],
                incident["intended"],
            ])
        })
        .collect();
    json!([report["totals"], report["coverage"]["joined"], incidents])
}

/// Recordings in which one entry more or less is joined, for a reason each: there the totals alone are the same.
const ONE_ENTRY_OFF: [&str; 3] = [
    // H2O cuts a long path in its error log, and what replaces a word keeps no beginning.
    "h2o-old-tls-combined",
    "h2o-tls-refused-combined",
    // Of several attempts in one moment only those that failed are shown.
    "traefik-json-pool-dead",
];

#[test]
fn every_case_gives_the_same_diagnosis_when_redacted() {
    let cases = program::cases();
    let different: Vec<String> = program::each(&cases, |folder| {
        let case = Case::read(folder);
        let logs = program::logs(folder);
        let (plain, safe) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        for log in &logs {
            fs::copy(folder.join(log), plain.path().join(log)).unwrap();
        }
        let into = safe.path().join("safe");
        let mut args = vec!["redact".to_owned(), ".".to_owned(), "--into".to_owned()];
        args.push(into.display().to_string());
        if let Some(format) = &case.log_format {
            args.extend(["--log-format".to_owned(), format.clone()]);
        }
        assert_eq!(program::run(plain.path(), args).status, Some(0));
        let (mut before, mut after) = (essence(plain.path(), &case), essence(&into, &case));
        if ONE_ENTRY_OFF.iter().any(|name| folder.ends_with(name)) {
            (before, after) = (before[0].take(), after[0].take());
        }
        (before != after).then(|| format!("{}\n {before}\n {after}", folder.display()))
    })
    .into_iter()
    .flatten()
    .collect();
    assert!(different.is_empty(), "{}", different.join("\n"));
}

#[test]
fn nothing_personal_is_left() {
    program::each(&Layout::ALL, |layout| {
        let folder = tempfile::tempdir().unwrap();
        marked::write(*layout, folder.path());
        let words = ["redact", "."].map(str::to_owned);
        let ran = program::run(folder.path(), words.into_iter().chain(layout.arguments()));
        assert_eq!(ran.status, Some(0), "{layout:?}: {}", ran.stderr);
        assert!(ran.stdout.contains("/product/17"), "{layout:?}");
        marked::refuse_marks(&format!("{layout:?}"), &(ran.stdout + &ran.stderr));
    });
}
