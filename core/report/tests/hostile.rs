//! Whatever a log holds: it is shown, cut to the screen, and obeyed by nobody.
#![allow(clippy::unwrap_used, reason = "tests")]

mod story;

use insta::assert_snapshot;
use model::*;
use proptest::prelude::*;
use report::{TextOptions, csv, json, markdown, text};
use unicode_width::UnicodeWidthStr;

/// The story with `text` in every field that can hold words of a log, of a file name or of the operator.
fn filled(text: &str) -> Report {
    let text = || text.to_owned();
    let mut report = story::story();
    let mut route = report.diagnoses[0].clone();
    route.incident.scope = Scope {
        kind: ScopeKind::Route,
        values: vec![text(), text()],
    };
    route.incident.end = Some(story::at("11-22 13:00:00"));
    let mut host = route.clone();
    host.incident.scope = Scope {
        kind: ScopeKind::Host,
        values: vec![text()],
    };
    host.cause = None;
    let mut last = host.clone();
    last.incident.intended = true;
    report.diagnoses.extend([route, host.clone(), host, last]);
    for diagnosis in &mut report.diagnoses {
        let incident = &mut diagnosis.incident;
        incident.why = text();
        incident.would_change = text();
        if incident.scope.kind == ScopeKind::Upstream {
            incident.scope.values = vec![text()];
        }
        incident
            .paths
            .iter_mut()
            .for_each(|hit| (hit.host, hit.path) = (text(), text()));
        incident
            .routes
            .iter_mut()
            .for_each(|hit| hit.route = text());
        incident.routes.first_mut().unwrap().host = text();
        incident
            .upstreams
            .iter_mut()
            .for_each(|hit| hit.upstream = text());
        diagnosis
            .evidence
            .iter_mut()
            .for_each(|evidence| evidence.says = text());
        diagnosis
            .risk
            .iter_mut()
            .for_each(|risk| (risk.what, risk.then) = (text(), text()));
        diagnosis
            .advice
            .iter_mut()
            .for_each(|advice| (advice.action, advice.why) = (text(), text()));
        diagnosis
            .marks
            .iter_mut()
            .for_each(|(mark, _)| mark.label = text());
    }
    report
        .coverage
        .sources
        .iter_mut()
        .for_each(|source| (source.path, source.format) = (text(), text()));
    report.problems = vec![Problem {
        source: text(),
        line: Some(3),
        reason: text(),
        count: 2,
    }];
    report.totals.saved_by_retry = 9;
    report.totals.saved_by_upstream = [(text(), 9)].into();
    report.open_urls = vec![(story::who("googlebot"), text())];
    report
        .ledger
        .iter_mut()
        .for_each(|row| (row.host, row.path) = (text(), text()));
    report.robots.iter_mut().for_each(|fact| fact.host = text());
    report
}

/// Text, text in full, Markdown, CSV: everything that a person may look at in a terminal.
fn shown(report: &Report) -> Vec<String> {
    let short = TextOptions::default();
    let full = TextOptions {
        full: true,
        ..short
    };
    let narrow = TextOptions { width: 50, ..short };
    vec![
        text(report, &short),
        text(report, &full),
        text(report, &narrow),
        markdown(report, &full),
        csv(report),
        json(report),
    ]
}

fn is_obeyed(letter: char) -> bool {
    (letter.is_control() && letter != '\n')
        || matches!(letter, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

#[test]
fn escapes_of_a_log_are_shown() {
    let report = filled("\x1b]0;owned\x07\u{9b}2J\r\n\u{202e}<b>|`@x`");
    assert_snapshot!(text(&report, &TextOptions::default()));
    for text in shown(&report) {
        assert_eq!(
            text.chars().find(|letter| is_obeyed(*letter)),
            None,
            "{text}"
        );
    }
}

#[test]
fn json_keeps_the_exact_text() {
    let hostile = "a\u{9b}b\u{202e}c\x7f\u{e0041}";
    let value: serde_json::Value = serde_json::from_str(&json(&filled(hostile))).unwrap();
    assert_eq!(value["coverage"]["sources"][0]["path"], hostile);
}

#[test]
fn markdown_of_a_log_stays_text() {
    let page = markdown(
        &filled("<script>`a|b`@all [x](http://y)"),
        &TextOptions::default(),
    );
    assert!(!page.contains("<script>`a|"), "{page}");
    for line in page
        .lines()
        .filter(|line| line.starts_with("| path") || line.contains("script"))
    {
        assert!(!line.contains(" @all") && !line.contains("`a|b`"), "{line}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_line_is_wider_than_the_screen(words in any_text(), color in any::<bool>(), width in 0usize..200) {
        let report = filled(&words);
        let narrow = width.clamp(40, 80);
        let first = TextOptions { width, ..TextOptions::default() };
        for options in [first, TextOptions { full: true, ..first }] {
            for line in text(&report, &options).lines() {
                prop_assert!(line.width() <= narrow, "{} columns: {line:?}", line.width());
            }
        }
        let _ = text(&report, &TextOptions { color, ..first });
        for text in shown(&report) {
            prop_assert_eq!(text.chars().find(|letter| is_obeyed(*letter)), None);
        }
    }

    #[test]
    fn one_incident_always_fits_one_screen(words in any_text()) {
        let mut report = filled(&words);
        report.diagnoses.truncate(1);
        let text = text(&report, &TextOptions::default());
        prop_assert!(text.lines().count() <= 25, "{} lines:\n{}", text.lines().count(), text);
    }
}

/// Words, long words, escapes, wide letters, marks that pile up.
fn any_text() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "[ -~]{0,300}",
        "(/[a-z]{1,12}){0,40}",
        "[\u{0}-\u{a0}\u{300}-\u{36f}\u{600}-\u{6ff}\u{200b}-\u{206f}\u{4e00}-\u{4eff}\u{1f300}-\u{1f64f}\u{e0000}-\u{e007f}]{0,60}",
        "([a-z]{1,9} ){0,90}",
    ]
}
