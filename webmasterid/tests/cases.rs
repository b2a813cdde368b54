//! The recorded cases and examples: what the program says of each, against what really happened there.
//!
//! `WEBMASTERID_CASES=FILTER` runs the cases whose name contains it; `WEBMASTERID_UPDATE_CASES=1` rewrites `expected.txt`.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod program;
mod truth;

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use truth::{Case, Count};

/// A case as people name it: `connection-refused/nginx-refused`.
fn name(folder: &Path) -> String {
    let cases = program::root().join("cases");
    let name = folder.strip_prefix(cases).unwrap_or(folder);
    name.display().to_string()
}

/// The cases that the user wants to run.
fn chosen() -> Vec<PathBuf> {
    let filter = env::var("WEBMASTERID_CASES").unwrap_or_default();
    let mut cases = program::cases();
    cases.retain(|case| name(case).contains(&filter));
    cases
}

/// Arguments for this case: its logs, its clock and what else belongs to it.
fn arguments(folder: &Path, case: &Case) -> Vec<String> {
    let mut args = program::logs(folder);
    args.extend(["--now".to_owned(), case.now.clone()]);
    if let Some(format) = &case.log_format {
        args.extend(["--log-format".to_owned(), format.clone()]);
    }
    if let Some(ranges) = &case.ranges {
        args.extend(["--ranges".to_owned(), format!("Google={ranges}")]);
    }
    args
}

fn run(folder: &Path, command: &[&str], args: &[String]) -> String {
    let words = command.iter().map(|word| (*word).to_owned());
    program::run(folder, words.chain(args.iter().cloned())).report()
}

#[test]
fn what_it_says() {
    let update = env::var_os("WEBMASTERID_UPDATE_CASES").is_some();
    let different: Vec<String> = program::each(&chosen(), |folder| {
        let args = arguments(folder, &Case::read(folder));
        let says = run(folder, &["diagnose", "--full"], &args);
        let file = folder.join("expected.txt");
        if update {
            fs::write(&file, says).unwrap();
            return None;
        }
        let expected = fs::read_to_string(&file).unwrap_or_default();
        (says != expected).then(|| {
            format!(
                "{}\n--- expected\n{expected}\n--- got\n{says}",
                name(folder)
            )
        })
    })
    .into_iter()
    .flatten()
    .collect();
    assert!(
        different.is_empty(),
        "{}\n{} cases differ; `cargo xtask cases --update` rewrites them, a person reads the difference",
        different.join("\n"),
        different.len()
    );
}

#[test]
fn each_case_is_told_right() {
    let checked = program::each(&chosen(), |folder| {
        let case = Case::read(folder);
        let args = arguments(folder, &case);
        let report = run(folder, &["diagnose", "--format", "json"], &args);
        let rows = run(
            folder,
            &["failures", "--all-clients", "--format", "ndjson"],
            &args,
        );
        let rows = truth::rows(&rows);
        let mut count = truth::compare(&folder.join("truth.ndjson"), &rows, &case);
        case.judge(&report, &rows, &mut count);
        (name(folder), count)
    });
    conclude("cases", checked);
}

#[test]
fn each_example_is_told_right() {
    let checked = program::each(&program::examples(), |folder| {
        let rows = run(
            folder,
            &["failures", "--all-clients", "--format", "ndjson"],
            &program::logs(folder),
        );
        let truth = folder
            .with_file_name("truth")
            .join(folder.file_name().unwrap());
        let truth = truth.with_extension("ndjson");
        let count = truth::compare(&truth, &truth::rows(&rows), &Case::any());
        (name(folder), count)
    });
    conclude("examples", checked);
}

#[expect(
    clippy::print_stderr,
    reason = "the figure of this test, for --show-output"
)]
fn conclude(what: &str, checked: Vec<(String, Count)>) {
    let mut total = Count::default();
    let mut wrong = String::new();
    for (name, count) in &checked {
        total.add(count);
        for fault in &count.wrong {
            wrong.push_str(&format!("{name}: {fault}\n"));
        }
    }
    eprintln!(
        "{} {what}: {} requests told right, {} ambiguous with the truth among them, {} unknown, {} wrong",
        checked.len(),
        total.right,
        total.ambiguous,
        total.unknown,
        total.wrong.len()
    );
    assert!(wrong.is_empty(), "\n{wrong}");
}

/// A cause that only ever stands alone is not shown to be told from its likes.
#[test]
fn every_cause_has_a_case_and_a_look_alike() {
    let mut shown: BTreeMap<String, BTreeSet<bool>> = BTreeMap::new();
    for folder in program::cases() {
        let cause = folder.parent().unwrap().file_name().unwrap();
        let of = shown.entry(cause.to_str().unwrap().to_owned()).or_default();
        of.insert(Case::read(&folder).look_alike);
    }
    let lacking: Vec<&String> = shown
        .iter()
        .filter(|(_, kinds)| kinds.len() < 2)
        .map(|(cause, _)| cause)
        .collect();
    assert!(
        lacking.is_empty(),
        "lack a case or a look-alike: {lacking:?}"
    );
}
