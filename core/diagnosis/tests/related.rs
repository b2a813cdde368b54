//! What of a log belongs to an incident, and what stands beside it only by time.
#![allow(clippy::unwrap_used, reason = "test code")]

use std::collections::BTreeMap;

use diagnosis::{Context, diagnose};
use model::*;
use tally::Tally;

const START: i64 = 1_770_000_000;

fn finding(cause: Cause, confidence: Confidence) -> Finding {
    Finding {
        cause: Some(cause),
        confidence,
        ..Finding::unknown(None, false)
    }
}

fn place(line: u64) -> Place {
    Place {
        source: SourceId(0),
        line,
    }
}

/// A fetch of `path` by Googlebot on a host, so many seconds after the start, that failed like this.
fn fail(
    tally: &mut Tally,
    after: i64,
    of: (&str, &str),
    upstream: &str,
    status: u16,
    finding: Finding,
) {
    fail_by(tally, "googlebot", after, of, upstream, status, finding);
}

fn fail_by(
    tally: &mut Tally,
    crawler: &str,
    after: i64,
    (host, path): (&str, &str),
    upstream: &str,
    status: u16,
    finding: Finding,
) {
    let attempts = [Attempt {
        upstream,
        is_group: upstream.is_empty(),
        status: None,
        millis: None,
        finding: Some(finding),
    }];
    let robots = path == "/robots.txt";
    let key = path
        .bytes()
        .fold(7, |hash: u64, byte| hash * 31 + u64::from(byte));
    let mut route = Route {
        len: 1,
        robots,
        ..Route::default()
    };
    route.segments[0].key = key;
    tally.record(&Request {
        at: Stamp::from_secs(START + after),
        place: place(after.unsigned_abs() + 1),
        edge: Edge::Nginx,
        host,
        scheme: None,
        method: Method::Get,
        route,
        url: key,
        status: Status(status),
        bytes: None,
        millis: None,
        outcome: Outcome::Failed,
        finding: Some(finding),
        evidence: None,
        repeat: false,
        from_cache: false,
        no_upstream: false,
        retry_after: None,
        fetch: Some(Fetch {
            claim: Claim {
                crawler: knowledge::crawler_named(crawler).unwrap(),
                identity: Identity::Unchecked,
            },
            path,
            query: 0,
        }),
        posing: None,
        attempts: &attempts,
    });
}

fn sign(tally: &mut Tally, after: i64, host: &str, upstream: &str, cause: Cause) {
    tally.sign(&Sign {
        at: Stamp::from_secs(START + after),
        place: place(900 + after.unsigned_abs()),
        edge: Edge::Nginx,
        host,
        upstream,
        about_request: true,
        finding: finding(cause, Confidence::Certain),
    });
}

/// An incident of a host in the first minute, with the statuses given.
fn incident(host: &str, statuses: &[u16], owed: u64) -> Incident {
    let counts = Counts {
        failed: 3,
        total: 3,
        repeats: 0,
    };
    Incident {
        id: IncidentId(1),
        supersedes: vec![],
        start: Stamp::from_secs(START),
        end: None,
        last_failure: Stamp::from_secs(START + 60),
        rates: vec![],
        bounds: Bounds {
            start: (Stamp::from_secs(START), Stamp::from_secs(START)),
            end: None,
            share: (0.5, 1.0),
        },
        first_detected: Stamp::from_secs(START),
        scope: Scope {
            kind: ScopeKind::Host,
            values: vec![host.to_owned()],
        },
        verdict: Verdict::Persistent,
        probability: 0.9,
        why: String::new(),
        would_change: String::new(),
        intended: false,
        runs: vec![],
        statuses: statuses
            .iter()
            .map(|status| (Status(*status), 3))
            .collect::<BTreeMap<_, _>>(),
        requests: counts,
        fetches: counts,
        history: vec![],
        crawlers: vec![CrawlerHit {
            crawler: knowledge::crawler_named("googlebot").unwrap(),
            failed: 3,
            verified: 0,
            total: 3,
            first_ok: None,
            last_ok: None,
            last_seen: None,
            urls_lost: owed,
            urls_refetched: 0,
            urls_owed: owed,
            urls_retried: 0,
            time_to_return: None,
        }],
        paths: vec![],
        routes: vec![],
        upstreams: vec![],
    }
}

fn diagnosis(mut tally: Tally, incident: Incident) -> Diagnosis {
    let end = Stamp::from_secs(START + 120);
    tally.close(end);
    let mut context = Context::default();
    context.coverage.judged_at = end;
    let mut report = diagnose(&tally.view(), vec![incident], context);
    report.diagnoses.pop().unwrap()
}

fn says(diagnosis: &Diagnosis) -> String {
    let all = diagnosis.evidence.iter();
    all.map(|one| format!("{}; ", one.says)).collect()
}

#[test]
fn error_lines_of_another_host_and_upstream_are_no_evidence() {
    let mut tally = Tally::new();
    let timeout = finding(Cause::ReadTimeout, Confidence::Certain);
    for after in [0, 30, 60] {
        fail(
            &mut tally,
            after,
            ("a.example", "/p"),
            "10.0.0.1:80",
            504,
            timeout,
        );
        fail(
            &mut tally,
            after,
            ("b.example", "/p"),
            "10.0.0.2:80",
            504,
            timeout,
        );
    }
    sign(
        &mut tally,
        10,
        "b.example",
        "10.0.0.2:80",
        Cause::ConnectionRefused,
    );
    sign(
        &mut tally,
        10,
        "a.example",
        "10.0.0.1:80",
        Cause::HeaderTooLarge,
    );
    let says = says(&diagnosis(tally, incident("a.example", &[504], 0)));
    assert!(!says.contains("connection refused"), "{says}");
    assert!(says.contains("header too large"), "{says}");
}

#[test]
fn an_echo_takes_no_root_from_another_host() {
    let echo = finding(Cause::NoLiveUpstream, Confidence::Certain);
    let refused = finding(Cause::ConnectionRefused, Confidence::Certain);
    for (host, root) in [
        ("b.example", None),
        ("a.example", Some(Cause::ConnectionRefused)),
    ] {
        let mut tally = Tally::new();
        for after in [0, 30, 60] {
            fail(&mut tally, after, ("a.example", "/p"), "", 502, echo);
        }
        fail(&mut tally, -20, (host, "/q"), "10.0.0.9:80", 502, refused);
        // Another host of the same log.
        fail(
            &mut tally,
            -90,
            ("b.example", "/r"),
            "10.0.0.8:80",
            500,
            echo,
        );
        assert_eq!(
            diagnosis(tally, incident("a.example", &[502], 0)).root,
            root
        );
    }
}

#[test]
fn one_of_several_causes_is_no_statement() {
    let mut tally = Tally::new();
    let open = Finding {
        also: CauseSet::default().with(Cause::ReadTimeout),
        ..finding(Cause::ConnectionRefused, Confidence::Ambiguous)
    };
    for after in [0, 30, 60] {
        fail(&mut tally, after, ("a.example", "/p"), "", 502, open);
    }
    let says = says(&diagnosis(tally, incident("a.example", &[502], 0)));
    assert!(says.starts_with("fits several causes"), "{says}");
}

#[test]
fn what_leaves_others_open_is_not_certain() {
    let mut tally = Tally::new();
    let own = finding(Cause::OriginOwnError, Confidence::Certain);
    let timeout = finding(Cause::ReadTimeout, Confidence::Certain);
    for (after, finding) in [(0, own), (10, own), (30, own), (60, timeout)] {
        fail(&mut tally, after, ("a.example", "/p"), "", 502, finding);
    }
    let found = diagnosis(tally, incident("a.example", &[502], 0));
    assert_eq!(found.alternatives, [Cause::ReadTimeout]);
    assert_eq!(found.confidence, Confidence::Likely);
}

#[test]
fn risk_is_of_the_incidents_own_urls_host_and_statuses() {
    let open = Finding::unknown(None, false);
    let risks = |host: &str, status: u16, owed: u64| {
        let mut tally = Tally::new();
        for after in [0, 30, 60] {
            fail(&mut tally, after, ("a.example", "/p"), "", status, open);
            fail(
                &mut tally,
                after,
                ("b.example", "/robots.txt"),
                "",
                status,
                open,
            );
        }
        let found = diagnosis(tally, incident(host, &[status], owed));
        let facts: Vec<&str> = found.risk.iter().map(|risk| risk.fact.0).collect();
        let advice: String = found.advice.into_iter().map(|one| one.action).collect();
        (facts.join(" "), advice)
    };
    // The robots.txt of another host is not this one's.
    assert_eq!(risks("a.example", 502, 1).0, "RATE-16 502-04 HOST-04");
    assert_eq!(risks("b.example", 502, 0).0, "ROB-07 502-04 HOST-03");
    assert_eq!(risks("a.example", 503, 1).0, "503-11 503-12 HOST-04");
    let (facts, advice) = risks("b.example", 429, 0);
    assert_eq!(facts, "429-06 429-08 HOST-04");
    assert!(advice.starts_with("Find the rate limit"), "{advice}");
    assert!(!advice.contains("origin's own log"), "{advice}");
}

/// Each crawler's operator says what a robots.txt that fails means to it; the RFC speaks for the others.
#[test]
fn a_failing_robots_txt_is_judged_by_each_operators_own_document() {
    let table = [
        ("googlebot", 502, "ROB-07"),
        ("googlebot", 429, "429-06"),
        ("yandexbot", 502, "ROB-19"),
        ("yandexbot", 429, "ROB-19"),
        ("amazonbot", 503, "ROB-20"),
        ("ccbot", 503, "ROB-22"),
        ("heritrix", 503, "ROB-21"),
        ("archive-org-bot", 503, "ROB-21"),
        ("mj12bot", 503, "ROB-23"),
        ("bingbot", 503, "ROB-25"),
        ("bingbot", 429, "429-07"),
        ("applebot", 503, "ROB-01"),
        ("gptbot", 429, "429-07"),
    ];
    for (crawler, status, fact) in table {
        let mut tally = Tally::new();
        for after in [0, 30, 60] {
            let own = finding(Cause::OriginOwnError, Confidence::Likely);
            let of = ("a.example", "/robots.txt");
            fail_by(&mut tally, crawler, after, of, "10.0.0.1:80", status, own);
        }
        let told = diagnosis(tally, incident("a.example", &[status], 0));
        let robots = told
            .risk
            .iter()
            .find(|risk| risk.what.starts_with("robots.txt: "));
        let id = robots.map(|risk| risk.fact.0);
        assert_eq!(id, Some(fact), "{crawler} {status}");
    }
}
