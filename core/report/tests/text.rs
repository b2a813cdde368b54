//! The report for people, as people see it.
#![allow(clippy::unwrap_used, reason = "tests")]

mod story;

use insta::assert_snapshot;
use model::*;
use report::{IncidentChoice, TextOptions, text};
use story::{at, blip, healthy, refused, source, statuses, who};

fn plain(report: &Report) -> String {
    text(report, &TextOptions::default())
}

fn with(diagnoses: Vec<Diagnosis>) -> Report {
    Report {
        diagnoses,
        ..story::story()
    }
}

#[test]
fn the_story_fits_one_screen() {
    let text = plain(&story::story());
    assert!(text.lines().count() <= 25, "{text}");
    assert_snapshot!(text);
}

#[test]
fn a_healthy_log_takes_three_lines() {
    let text = plain(&healthy());
    assert_eq!(text.lines().count(), 3);
    assert_snapshot!(text);
}

#[test]
fn quiet_facts_take_the_third_line() {
    let mut report = healthy();
    report.totals.fetches_failed = 4;
    report.totals.isolated_fetches = 4;
    report.totals.fetches_aborted = 12;
    report.blind_spots = vec!["This log does not name the upstream."];
    let text = plain(&report);
    assert_eq!(text.lines().count(), 3);
    assert_snapshot!(text);
}

#[test]
fn saved_by_retries_is_the_headline_when_nothing_else_is_wrong() {
    let mut report = healthy();
    report.totals.saved_by_retry = 1_204;
    report.totals.saved_by_upstream = [("10.0.0.7:8080".to_owned(), 1_204)].into();
    assert_snapshot!(plain(&report));
    report.totals.saved_by_retry = 2;
    assert!(plain(&report).starts_with("HEALTHY"));
}

#[test]
fn an_old_log_is_called_old() {
    let options = TextOptions {
        clock: Some(at("11-22 16:24:03")),
        ..TextOptions::default()
    };
    let first = |report: &Report| text(report, &options).lines().next().unwrap().to_owned();
    assert_snapshot!(first(&story::story()));
    assert_snapshot!(first(&healthy()));
    let options = TextOptions {
        clock: Some(at("11-22 13:27:03")),
        ..TextOptions::default()
    };
    assert!(text(&story::story(), &options).starts_with("BROKEN NOW"));
}

#[test]
fn an_unknown_cause_names_the_field_to_log() {
    let mut diagnosis = refused();
    diagnosis.layer = Layer::Unknown;
    diagnosis.cause = None;
    diagnosis.root = None;
    diagnosis.confidence = Confidence::Unknown;
    diagnosis.missing = Some(Field::UpstreamHeaderTime);
    diagnosis.wants_error_log = true;
    diagnosis.evidence[0].place = Place {
        source: SourceId(0),
        line: 40,
    };
    diagnosis.evidence[0].says = "502 without an upstream".to_owned();
    diagnosis.alternatives = vec![Cause::ConnectionRefused, Cause::ClosedBeforeHeaders];
    diagnosis.incident.scope = Scope {
        kind: ScopeKind::Site,
        values: vec!["*".to_owned()],
    };
    diagnosis.incident.upstreams.clear();
    let mut report = with(vec![diagnosis]);
    report.coverage.sources.truncate(1);
    report.blind_spots = vec![
        "This log does not name the upstream.",
        "It does not say how long an answer took.",
    ];
    let text = plain(&report);
    assert!(text.lines().count() <= 25, "{text}");
    assert_snapshot!(text);
}

#[test]
fn three_incidents_in_full_and_the_rest_a_line_each() {
    let mut route = refused();
    route.incident.scope = Scope {
        kind: ScopeKind::Route,
        values: vec!["/blog".to_owned(), "/shop/item".to_owned()],
    };
    route.incident.verdict = Verdict::Intermittent;
    route.incident.requests = Counts {
        failed: 90,
        total: 900,
        repeats: 0,
    };
    route.cause = Some(Cause::ReadTimeout);
    route.layer = Layer::Application;
    let mut ended = blip();
    ended.incident.verdict = Verdict::Persistent;
    ended.incident.end = Some(at("11-21 05:00:00"));
    let mut owed = blip();
    owed.incident.crawlers[0].urls_owed = 3;
    assert_snapshot!(plain(&with(vec![
        refused(),
        route,
        ended,
        owed,
        blip(),
        blip(),
        blip(),
        blip()
    ])));
}

#[test]
fn an_incident_that_no_crawler_met_says_so() {
    let mut diagnosis = blip();
    diagnosis.incident.fetches = Counts {
        failed: 0,
        total: 0,
        repeats: 0,
    };
    diagnosis.incident.crawlers.clear();
    assert_snapshot!(plain(&with(vec![diagnosis])));
}

#[test]
fn answers_on_purpose_stand_apart() {
    let mut diagnosis = refused();
    diagnosis.incident.intended = true;
    diagnosis.incident.statuses = statuses(&[(429, 3_120)]);
    diagnosis.cause = Some(Cause::EdgeMadeResponse);
    diagnosis.layer = Layer::Edge;
    assert_snapshot!(plain(&with(vec![diagnosis.clone()])));
    assert!(plain(&with(vec![blip(), diagnosis])).contains("Answered by the edge on purpose"));
}

#[test]
fn one_incident_is_shown_with_everything() {
    let choice = IncidentChoice::parse("#1");
    let options = TextOptions {
        incident: choice,
        ..TextOptions::default()
    };
    assert_snapshot!(text(&story::story(), &options));
    let by_id = TextOptions {
        incident: IncidentChoice::parse("0123456789abcdef"),
        ..options
    };
    assert_eq!(
        text(&story::story(), &by_id),
        text(&story::story(), &options)
    );
    let none = TextOptions {
        incident: IncidentChoice::parse("7"),
        ..options
    };
    assert_eq!(
        text(&story::story(), &none),
        "There is no incident #7; the report has 2 incidents.\n"
    );
    assert_eq!(IncidentChoice::parse("0"), None);
    assert_eq!(IncidentChoice::parse("x"), None);
}

#[test]
fn full_hides_nothing() {
    let mut report = story::story();
    report.blind_spots = vec!["It does not say how long an answer took."];
    let text = text(
        &report,
        &TextOptions {
            full: true,
            ..TextOptions::default()
        },
    );
    for what in [
        "claudebot",
        "/other-8 13 of 40",
        "#2 BLIP",
        "how long an answer took",
        "10.0.0.9:8080",
    ] {
        assert!(text.contains(what), "{what} is missing:\n{text}");
    }
}

#[test]
fn seo_tools_monitors_and_previews_share_one_line() {
    let mut diagnosis = refused();
    let mut hits = diagnosis.incident.crawlers.split_off(3);
    hits.truncate(2);
    hits[0].crawler = who("ahrefsbot");
    hits[1].crawler = who("semrushbot");
    diagnosis.incident.crawlers.extend(hits);
    let text = plain(&with(vec![diagnosis]));
    assert!(
        text.contains(" 2 others") && !text.contains(" 3 others"),
        "{text}"
    );
    assert!(!text.contains("ahrefsbot"));
}

#[test]
fn what_could_not_be_read_is_named_at_the_end() {
    let mut report = story::story();
    report.coverage.sources[0].unparsed = 31;
    report.coverage.sources[0].others = 812;
    report.problems = vec![
        Problem {
            source: "/var/log/nginx/access.log".to_owned(),
            line: Some(812),
            reason: "status is not a number".to_owned(),
            count: 31,
        },
        Problem {
            source: "old.gz".to_owned(),
            line: None,
            reason: "ends early".to_owned(),
            count: 1,
        },
    ];
    report.limits = vec![Limit {
        name: "routes",
        limit: 1_000,
        dropped: 12,
    }];
    let text = plain(&report);
    assert!(text.lines().count() <= 25, "{text}");
    let tail: Vec<&str> = text.lines().rev().take(5).collect();
    assert_snapshot!(tail.into_iter().rev().collect::<Vec<_>>().join("\n"));
}

#[test]
fn nothing_read_is_said_first() {
    let mut report = Report::default();
    report.coverage.sources = vec![source("notes.txt", LogKind::Access, 12)];
    report.coverage.sources[0].requests = 0;
    assert_snapshot!(plain(&report));
}

#[test]
fn years_are_shown_where_they_are_not_plain() {
    let mut report = story::story();
    report.coverage.start = Some(Stamp::from_secs(at("11-20 00:00:00").secs() - 366 * 86_400));
    assert!(plain(&report).contains("22 Nov 2026"), "{}", plain(&report));
    let clock = Some(Stamp::from_secs(at("11-22 13:12:03").secs() + 366 * 86_400));
    let options = TextOptions {
        clock,
        ..TextOptions::default()
    };
    assert!(text(&story::story(), &options).contains("22 Nov 2026"));
}

#[test]
fn colour_is_ours_and_optional() {
    let colored = text(
        &story::story(),
        &TextOptions {
            color: true,
            ..TextOptions::default()
        },
    );
    assert!(
        colored.starts_with("\x1b[1m\x1b[31mBROKEN NOW\x1b[0m"),
        "{colored:?}"
    );
    let mut stripped = String::new();
    let mut rest = colored.as_str();
    while let Some((before, after)) = rest.split_once("\x1b[") {
        stripped.push_str(before);
        rest = after.split_once('m').unwrap().1;
    }
    assert_eq!(stripped + rest, plain(&story::story()));
}

#[test]
fn several_runs_are_counted_and_listed() {
    let mut diagnosis = blip();
    diagnosis.incident.verdict = Verdict::Recurring;
    diagnosis.incident.runs = (19..22)
        .map(|day| {
            (
                at(&format!("11-{day} 02:00:00")),
                at(&format!("11-{day} 02:04:00")),
            )
        })
        .collect();
    let report = with(vec![diagnosis]);
    assert!(
        plain(&report).contains("3 runs, the last 21 Nov 03:00 for 4 min"),
        "{}",
        plain(&report)
    );
    let options = TextOptions {
        full: true,
        ..TextOptions::default()
    };
    assert!(text(&report, &options).contains(" runs     21 Nov 03:00:00 .. 03:04:00 +01:00"));
}

#[test]
fn what_fails_in_part_is_degraded_not_broken() {
    let first = |verdict, failed| {
        let mut diagnosis = refused();
        diagnosis.incident.verdict = verdict;
        diagnosis.incident.scope = Scope {
            kind: ScopeKind::Crawler,
            values: vec!["*".to_owned()],
        };
        diagnosis.incident.requests = Counts {
            failed,
            total: 1_000,
            repeats: 0,
        };
        plain(&with(vec![diagnosis]))
            .lines()
            .next()
            .unwrap()
            .to_owned()
    };
    assert_snapshot!(first(Verdict::Overload, 300), @"DEGRADED NOW  what crawlers fetch fails under load, 4 h 58 min");
    assert_snapshot!(first(Verdict::Intermittent, 300), @"DEGRADED NOW  what crawlers fetch fails in part, 4 h 58 min: connection refused");
    assert_snapshot!(first(Verdict::Blip, 900), @"BROKEN NOW  what crawlers fetch fails, 4 h 58 min: connection refused");
}

#[test]
fn causes_that_several_lines_leave_open_are_all_named() {
    let mut diagnosis = refused();
    diagnosis.confidence = Confidence::Ambiguous;
    diagnosis.alternatives = vec![Cause::ConnectTimeout, Cause::HostUnreachable];
    diagnosis.missing = Some(Field::UpstreamConnectTime);
    let text = plain(&with(vec![diagnosis.clone()]));
    let cause: Vec<&str> = text.lines().skip(5).take(3).collect();
    assert_snapshot!(cause.join("\n"));
    diagnosis.confidence = Confidence::Likely;
    diagnosis.echoes = 412;
    let options = TextOptions {
        full: true,
        ..TextOptions::default()
    };
    let full = text_of(&with(vec![diagnosis]), &options);
    assert!(
        full.contains("otherwise connect timeout or host unreachable"),
        "{full}"
    );
    assert!(
        full.contains("412 failures only echo it: no upstream was left"),
        "{full}"
    );
}

fn text_of(report: &Report, options: &TextOptions) -> String {
    text(report, options)
}

#[test]
fn one_of_several_causes_is_never_stated_as_fact() {
    let mut diagnosis = refused();
    assert!(plain(&with(vec![diagnosis.clone()])).contains("refuses connections"));
    diagnosis.confidence = Confidence::Ambiguous;
    diagnosis.alternatives = vec![Cause::ConnectTimeout];
    let text = plain(&with(vec![diagnosis]));
    assert!(!text.contains("refuses connections"), "{text}");
    assert!(text.contains("cause not settled"), "{text}");
}

#[test]
fn an_error_log_alone_says_what_it_holds() {
    let mut report = with(vec![]);
    report.totals = Totals::default();
    report.coverage.sources.remove(0);
    report.signs = vec![SignReport {
        cause: Cause::ConnectionRefused,
        upstream: "10.0.0.7:8080".to_owned(),
        about_request: true,
        count: 481,
        first: Stamp::default(),
        last: Stamp::default(),
        place: Place::default(),
    }];
    let text = plain(&report);
    assert!(
        text.starts_with("NO REQUEST READ  but 481 error lines about upstreams\n"),
        "{text}"
    );
    assert!(
        text.contains(" 481 connection refused, 10.0.0.7:8080; "),
        "{text}"
    );
}

#[test]
fn a_layout_of_several_products_gets_an_example() {
    let mut diagnosis = refused();
    diagnosis.cause = None;
    diagnosis.missing = Some(Field::UpstreamAddr);
    let mut report = with(vec![diagnosis]);
    report.coverage.sources[0].edge = Edge::Unknown;
    assert!(
        plain(&report).contains("crawler > nginx"),
        "the error log tells"
    );
    report.coverage.sources.truncate(1);
    assert!(plain(&report).contains("crawler > the edge"));
    assert!(
        plain(&report).contains("log `upstream_addr` (nginx: add `uaddr=\"$upstream_addr\"` to"),
        "{}",
        plain(&report)
    );
}

#[test]
fn what_was_not_chosen_is_not_called_unread() {
    let mut report = healthy();
    report.totals = Totals::default();
    let text = plain(&report);
    assert!(
        text.starts_with(
            "NOTHING CHOSEN  none of 72,104 requests (21 Nov .. 22 Nov) is of the chosen time,"
        ) || text.starts_with("NOTHING CHOSEN  none of 72,104 requests is of the chosen time"),
        "{text}"
    );
}

#[test]
fn answers_broken_under_a_good_status_are_not_healthy() {
    let mut report = healthy();
    report.totals.requests = 18;
    report.totals.hidden_failures = 8;
    report.totals.hidden_by_cause = [("truncated-body", 8)].into();
    let text = plain(&report);
    assert!(
        text.starts_with("WARNING  8 of 18 answers broken under another status: 8 body cut short"),
        "{text}"
    );
    report.totals.requests = 72_104;
    let text = plain(&report);
    assert!(text.starts_with("HEALTHY"), "{text}");
    assert!(
        text.contains("8 broken under another status (8 body cut short)"),
        "{text}"
    );
}

#[test]
fn what_retries_saved_names_its_cause() {
    let mut report = healthy();
    report.totals.requests = 100;
    report.totals.saved_by_retry = 50;
    report.totals.saved_by_upstream = [("10.0.0.7:8080".to_owned(), 50)].into();
    report.totals.saved_by_cause = [("connection-refused", 49), ("unknown", 1)].into();
    let text = plain(&report);
    assert!(
        text.starts_with("WARNING  10.0.0.7:8080 fails (connection refused); retries saved 50 of"),
        "{text}"
    );
}

#[test]
fn nothing_but_429_is_a_limit_and_no_fault() {
    let mut diagnosis = refused();
    diagnosis.incident.statuses = statuses(&[(429, 3_120)]);
    diagnosis.cause = None;
    diagnosis.confidence = Confidence::Unknown;
    let text = plain(&with(vec![diagnosis]));
    assert!(
        text.contains("429 is usually deliberate: a rate limit"),
        "{text}"
    );
    assert!(text.contains("429, usually a rate limit"), "{text}");
}

#[test]
fn a_route_says_its_host_where_one_is_logged() {
    let mut diagnosis = refused();
    diagnosis.incident.scope = Scope {
        kind: ScopeKind::Route,
        values: vec!["/p".to_owned()],
    };
    for route in &mut diagnosis.incident.routes {
        route.host = "a.example".to_owned();
    }
    let text = plain(&with(vec![diagnosis]));
    assert!(text.contains("on a.example"), "{text}");
}

#[test]
fn only_lines_about_requests_are_named_as_unmatched() {
    let mut report = story::story();
    report.coverage.joined.signs_unmatched = 2;
    let sign = SignReport {
        cause: Cause::NoLiveUpstream,
        upstream: "10.0.0.7:8080".to_owned(),
        about_request: false,
        count: 9,
        first: Stamp::default(),
        last: Stamp::default(),
        place: Place::default(),
    };
    let about = SignReport {
        cause: Cause::ReadTimeout,
        about_request: true,
        count: 2,
        ..sign.clone()
    };
    report.signs = vec![sign, about];
    let text = plain(&report);
    assert!(
        text.contains("2 error lines matched no request (read timeout"),
        "{text}"
    );
}

#[test]
fn the_whole_report_explains_its_words() {
    let options = TextOptions {
        full: true,
        ..TextOptions::default()
    };
    let full = text_of(&story::story(), &options);
    for word in ["isolated:", "owed:", "silent since:", "/*:"] {
        assert!(full.contains(word), "{word} {full}");
    }
    assert!(
        full.contains("3,268 of 3,270 error lines joined exactly"),
        "{full}"
    );
}
