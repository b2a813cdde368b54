//! The judge on the worked examples that come with the verdicts' specification: every planted incident that the
//! log can show is found in its scope, with its verdict and its state, and nothing else is.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "test code; a skipped test says so"
)]

mod support;

use std::collections::BTreeSet;
use std::io::Read;
use std::path::PathBuf;

use incidents::{Judged, judge_sheet};
use model::ScopeKind;
use serde_json::Value;
use support::rows::Named;
use support::{access, rows};
use tally::Key;

fn folder() -> Option<PathBuf> {
    let root = std::env::var_os("WEBMASTERID_SHARED").map_or_else(
        || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared")),
        PathBuf::from,
    );
    let folder = root.join("verdicts");
    folder.is_dir().then_some(folder)
}

fn judged(log: &PathBuf) -> (Vec<Judged>, Named) {
    let mut text = Vec::new();
    flate2::read::MultiGzDecoder::new(std::fs::File::open(log).unwrap())
        .read_to_end(&mut text)
        .unwrap();
    let rows = access::rows(&String::from_utf8_lossy(&text));
    let (first, last) = (rows.first().unwrap().at, rows.last().unwrap().at);
    let named = rows::sheet(&rows, first, last, 0);
    (judge_sheet(named.sheet.clone()), named)
}

/// Kind and names, as the truth files write them.
fn scope(judged: &Judged, named: &Named) -> (&'static str, BTreeSet<String>) {
    let kind = match judged.keys[0] {
        Key::Site => ScopeKind::Site,
        Key::Host(_) => ScopeKind::Host,
        Key::Prefix(_) => ScopeKind::Route,
        Key::Url(_) => ScopeKind::Url,
        Key::Upstream(_) => ScopeKind::Upstream,
        Key::Crawler(_) | Key::AllCrawlers | Key::OtherClients => ScopeKind::Crawler,
        Key::Robots => ScopeKind::Robots,
    };
    let names = judged.keys.iter().map(|key| match key {
        Key::Crawler(crawler) => access::CRAWLERS[usize::from(crawler.0)].to_owned(),
        key => named.names[key].clone(),
    });
    (kind.name(), names.collect())
}

fn names(value: &Value) -> BTreeSet<String> {
    match value {
        Value::Array(all) => all
            .iter()
            .map(|one| one.as_str().unwrap().to_owned())
            .collect(),
        one => BTreeSet::from([one.as_str().unwrap().to_owned()]),
    }
}

#[test]
fn finds_what_the_worked_examples_hold() {
    let Some(folder) = folder() else {
        println!("skipped: shared material absent");
        return;
    };
    let mut logs = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let Some(name) = path
            .to_str()
            .and_then(|path| path.strip_suffix(".truth.json"))
        else {
            continue;
        };
        logs += 1;
        let truth: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        let (judged, named) = judged(&PathBuf::from(format!("{name}.log.gz")));
        let planted: Vec<&Value> = truth["incidents"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|one| one["detectable"] == true)
            .collect();
        assert_eq!(
            judged.len(),
            planted.len(),
            "{}: {judged:#?}",
            truth["scenario"]
        );
        for (found, planted) in judged.iter().zip(planted) {
            let what = format!("{}: {found:#?}", planted["id"]);
            assert_eq!(found.verdict.name(), planted["verdict"], "{what}");
            let expected = (
                planted["scope"]["kind"].as_str().unwrap(),
                names(&planted["scope"]["value"]),
            );
            assert_eq!(scope(found, &named), expected, "{what}");
            let within = |at: i64, set: &Value| {
                let at = at as f64;
                set[0].as_f64().unwrap() - 1.0 <= at && at <= set[1].as_f64().unwrap() + 1.0
            };
            assert!(within(found.start, &planted["start_set"]), "{what}");
            assert!(
                within(found.last_failure, &planted["end_set"]) || found.end.is_none(),
                "{what}"
            );
        }
    }
    assert!(logs > 0);
}
