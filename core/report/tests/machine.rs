//! Machine output: the promised shape, and its schema.
#![allow(clippy::unwrap_used, reason = "tests")]

mod story;

use insta::assert_snapshot;
use model::*;
use report::{
    FailureRow, FailureTable, TextOptions, csv, failure_csv, failure_csv_header, failure_ndjson,
    failure_schema, json, markdown, schema,
};
use serde_json::Value;
use story::{at, who};

fn value(report: &Report) -> Value {
    serde_json::from_str(&json(report)).unwrap()
}

fn several() -> Report {
    let mut report = story::story();
    let mut route = story::blip();
    route.incident.scope = Scope {
        kind: ScopeKind::Route,
        values: vec!["/blog".to_owned()],
    };
    route.cause = None;
    route.missing = Some(Field::UpstreamAddr);
    report.diagnoses.push(route);
    report.limits = vec![Limit {
        name: "routes",
        limit: 1_000,
        dropped: 12,
    }];
    report.problems = vec![Problem {
        source: "a.log".to_owned(),
        line: None,
        reason: "ends early".to_owned(),
        count: 1,
    }];
    report.coverage.gaps = vec![Gap {
        start: at("11-21 00:00:00"),
        end: at("11-21 05:00:00"),
    }];
    report.totals.hidden_by_cause = [("truncated-body", 3)].into();
    report.totals.saved_by_upstream = [("10.0.0.7:8080".to_owned(), 3)].into();
    report
}

#[test]
fn the_story_as_json() {
    assert_snapshot!(json(&story::story()));
}

#[test]
fn the_output_keeps_its_schema() {
    let schema: Value = serde_json::from_str(&schema()).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    for report in [
        Report::default(),
        story::healthy(),
        story::story(),
        several(),
    ] {
        let value = value(&report);
        let errors: Vec<String> = validator
            .iter_errors(&value)
            .map(|error| error.to_string())
            .collect();
        assert!(errors.is_empty(), "{errors:?}");
    }
    let mut broken = value(&several());
    broken["incidents"][0]["verdict"] = "doom".into();
    assert!(!validator.is_valid(&broken));
}

#[test]
fn the_schema_names_everything_that_is_promised() {
    assert_snapshot!(schema());
}

/// Every name of "Machine output, version 1", by the place it is promised in.
#[test]
fn promised_names_are_there() {
    let value = value(&several());
    let promised = [
        (
            "",
            "version coverage totals crawlers incidents facts ledger limits problems",
        ),
        ("/coverage", "start end judged_at gaps sources joined"),
        ("/coverage/gaps/0", "start end"),
        (
            "/coverage/sources/0",
            "path edge format kind lines requests unparsed first last",
        ),
        (
            "/coverage/joined",
            "failures with_error_line signs_unmatched",
        ),
        (
            "/totals",
            "requests failed hidden_failures saved_by_retry client_aborts fetches fetches_failed by_status",
        ),
        (
            "/crawlers/0",
            "id operator category fetches failed by_status identity",
        ),
        (
            "/crawlers/0/identity",
            "verified spoofed unverifiable unchecked",
        ),
        (
            "/incidents/0",
            "id supersedes start end first_detected scope verdict probability why intended layer cause root confidence \
             alternatives missing statuses requests fetches history crawlers paths routes upstreams risk advice evidence",
        ),
        ("/incidents/0/scope", "kind value"),
        ("/incidents/0/requests", "failed total repeats"),
        ("/incidents/0/fetches", "failed total"),
        ("/incidents/0/history/0", "at verdict probability scope"),
        (
            "/incidents/0/crawlers/googlebot",
            "failed total first_ok urls_lost urls_refetched urls_owed",
        ),
        ("/incidents/0/paths/0", "host path failed crawlers"),
        ("/incidents/0/routes/0", "host route failed total"),
        ("/incidents/0/upstreams/0", "upstream failed total"),
        ("/incidents/0/risk/0", "fact due status source"),
        ("/incidents/0/advice/0", "do why fact"),
        ("/incidents/0/evidence/0", "source line sign count"),
        ("/facts", "open_urls robots"),
        (
            "/facts/robots/0",
            "crawler host scheme failing_since last_ok phase",
        ),
        (
            "/ledger/0",
            "crawler host path urls failed first_failed last_failed first_ok",
        ),
        ("/limits/0", "name limit dropped"),
        ("/problems/0", "source line reason count"),
    ];
    for (place, names) in promised {
        let object = value.pointer(place).unwrap().as_object().unwrap();
        for name in names.split_whitespace() {
            assert!(object.contains_key(name), "{place} has no {name}");
        }
    }
}

#[test]
fn times_ids_scopes_and_absence_are_as_promised() {
    let value = value(&several());
    assert_eq!(value["version"], 1);
    assert_eq!(value["incidents"][0]["start"], "2026-11-22T08:14:07Z");
    assert_eq!(value["incidents"][0]["end"], Value::Null);
    assert_eq!(value["incidents"][0]["id"], "0123456789abcdef");
    assert_eq!(value["incidents"][0]["scope"]["value"], "10.0.0.7:8080");
    assert_eq!(
        value["incidents"][2]["scope"]["value"],
        serde_json::json!(["/blog"])
    );
    assert_eq!(value["incidents"][2]["cause"], Value::Null);
    assert_eq!(value["incidents"][2]["missing"], "upstream_addr");
    assert_eq!(value["incidents"][0]["statuses"]["502"], 3_120);
    assert_eq!(
        value["facts"]["open_urls"][0],
        serde_json::json!(["googlebot", "/product/17"])
    );
}

#[test]
fn odd_times_and_numbers_do_not_break_it() {
    let mut report = story::story();
    report.diagnoses[0].incident.start = Stamp(i64::MAX);
    report.diagnoses[0].incident.first_detected = Stamp(i64::MIN);
    report.diagnoses[0].incident.last_failure = Stamp(1_500);
    report.diagnoses[0].incident.probability = f64::NAN;
    report.crawlers[0].crawler = CrawlerId(u16::MAX);
    let value = value(&report);
    assert_eq!(
        value["incidents"][0]["last_failure"],
        "1970-01-01T00:00:01.500Z"
    );
    assert_eq!(value["incidents"][0]["probability"], 0.0);
    assert_eq!(value["crawlers"][0]["id"], "crawler-65535");
    report::text(&report, &TextOptions::default());
    markdown(&report, &TextOptions::default());
}

#[test]
fn incidents_as_csv() {
    assert_snapshot!(csv(&several()));
}

#[test]
fn the_story_as_markdown() {
    assert_snapshot!(markdown(&story::story(), &TextOptions::default()));
}

const REFUSED: Finding = Finding {
    cause: Some(Cause::ConnectionRefused),
    also: CauseSet(0),
    confidence: Confidence::Certain,
    missing: None,
    wants_error_log: false,
    sign: None,
};

fn segment(shape: Shape) -> Segment {
    Segment { key: 7, shape }
}

fn request<'a>(attempts: &'a [Attempt<'a>], fetch: Option<Fetch<'a>>) -> Request<'a> {
    let mut route = Route {
        len: 2,
        ..Route::default()
    };
    route.segments[0] = segment(Shape::Literal);
    route.segments[1] = segment(Shape::Number);
    Request {
        at: at("11-22 08:14:07"),
        place: Place {
            source: SourceId(0),
            line: 40,
        },
        edge: Edge::Nginx,
        host: "shop.example",
        scheme: None,
        method: Method::Get,
        route,
        status: Status(502),
        bytes: None,
        millis: None,
        outcome: Outcome::Failed,
        finding: Some(REFUSED),
        evidence: Some(Place {
            source: SourceId(1),
            line: 812,
        }),
        repeat: false,
        from_cache: false,
        no_upstream: false,
        retry_after: None,
        fetch,
        posing: None,
        url: 5,
        attempts,
    }
}

fn attempt<'a>(upstream: &'a str, finding: Option<Finding>) -> Attempt<'a> {
    Attempt {
        upstream,
        is_group: false,
        status: None,
        millis: None,
        finding,
    }
}

fn fetch(path: &str) -> Option<Fetch<'_>> {
    Some(Fetch {
        claim: Claim {
            crawler: who("googlebot"),
            identity: Identity::Unchecked,
        },
        path,
        query: 99,
    })
}

#[test]
fn a_failure_as_a_row() {
    let attempts = [attempt("10.0.0.7:8080", Some(REFUSED))];
    let coverage = story::story().coverage;
    let row = FailureRow::from_request(&request(&attempts, fetch("/product/17")), &coverage);
    let line = failure_ndjson(&row);
    assert_snapshot!(line);
    let schema: Value = serde_json::from_str(&failure_schema()).unwrap();
    let value: Value = serde_json::from_str(&line).unwrap();
    assert!(jsonschema::is_valid(&schema, &value));
    let promised = "source line at host method path route status crawler identity upstream attempts layer cause root \
                    confidence alternatives missing evidence";
    for name in promised.split_whitespace() {
        assert!(value.get(name).is_some(), "no {name}");
    }
    assert_snapshot!(failure_csv_header() + &failure_csv(&row));
    let table = FailureTable::new(&coverage, 80);
    assert_snapshot!(table.header() + &table.row(&row));
    let hostile = FailureRow {
        path: Some("/\u{1b}[2J中".repeat(40)),
        host: "\u{202e}".to_owned(),
        ..row
    };
    for width in [0, 40, 80, 133] {
        let line = FailureTable::new(&coverage, width).row(&hostile);
        assert!(
            unicode_width::UnicodeWidthStr::width(line.trim_end()) <= width,
            "{line}"
        );
        assert!(!line.contains(['\u{1b}', '\u{202e}']), "{line}");
    }
}

#[test]
fn other_clients_have_no_path_and_no_words() {
    let coverage = story::story().coverage;
    let row = FailureRow::from_request(&request(&[], None), &coverage);
    assert_eq!((row.path, row.crawler, row.identity), (None, None, None));
    assert_eq!(row.route, "/*/{n}");
    assert_eq!(row.upstream, None);
}

#[test]
fn a_request_saved_by_a_retry_names_what_failed() {
    let attempts = [
        attempt("10.0.0.7:8080", Some(REFUSED)),
        attempt("10.0.0.8:8080", None),
    ];
    let mut request = request(&attempts, fetch("/product/17"));
    request.outcome = Outcome::SavedByRetry;
    request.status = Status(200);
    request.finding = None;
    let row = FailureRow::from_request(&request, &story::story().coverage);
    assert_eq!((row.status, row.outcome), (200, "saved-by-retry"));
    assert_eq!(row.cause, Some("connection-refused"));
    assert_eq!(row.upstream.as_deref(), Some("10.0.0.7:8080"));
    assert_eq!(row.attempts, 2);
}

#[test]
fn formulas_in_a_path_stay_text() {
    let attempts = [attempt("=cmd|' /C calc'!A0", Some(REFUSED))];
    let row = FailureRow::from_request(
        &request(&attempts, fetch("@SUM(1)")),
        &story::story().coverage,
    );
    let line = failure_csv(&row);
    assert!(
        line.contains(",'=cmd|' /C calc'!A0,") && line.contains(",'@SUM(1),"),
        "{line}"
    );
}
