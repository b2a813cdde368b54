//! Reports built by hand.
#![allow(dead_code, reason = "each test file uses some of them")]
#![allow(clippy::unwrap_used, reason = "hand-written constants")]

use std::collections::BTreeMap;

use model::*;

/// A moment of 2026 in UTC: `"11-22 08:14:07"`.
pub(crate) fn at(moment: &str) -> Stamp {
    let text = format!("2026-{}Z", moment.replace(' ', "T"));
    Stamp(text.parse::<jiff::Timestamp>().unwrap().as_millisecond())
}

pub(crate) fn who(name: &str) -> CrawlerId {
    knowledge::crawler_named(name).unwrap_or_else(|| panic!("{name} is in the registry"))
}

pub(crate) fn statuses(of: &[(u16, u64)]) -> BTreeMap<Status, u64> {
    of.iter()
        .map(|(status, count)| (Status(*status), *count))
        .collect()
}

pub(crate) fn source(path: &str, kind: LogKind, lines: u64) -> SourceReport {
    let is_error = kind == LogKind::Error;
    SourceReport {
        path: path.to_owned(),
        edge: Edge::Nginx,
        fields: Vec::new(),
        format: if is_error {
            "nginx-error"
        } else {
            "nginx-upstream"
        }
        .to_owned(),
        kind,
        lines,
        requests: if is_error { 0 } else { lines },
        entries: if is_error { lines } else { 0 },
        others: 0,
        unparsed: 0,
        first: Some(at("11-20 23:00:00")),
        last: Some(at("11-22 13:12:03")),
        zone: (!is_error).then_some(60),
    }
}

/// Nothing happened.
pub(crate) fn healthy() -> Report {
    Report {
        coverage: Coverage {
            start: Some(at("11-20 23:00:00")),
            end: Some(at("11-22 13:12:03")),
            judged_at: at("11-22 13:12:03"),
            gaps: vec![],
            sources: vec![
                source("/var/log/nginx/access.log", LogKind::Access, 72_104),
                source("/var/log/nginx/error.log", LogKind::Error, 41),
            ],
            joined: Joined {
                error_zone: Some(60),
                ..Joined::default()
            },
        },
        totals: Totals {
            requests: 72_104,
            fetches: 11_866,
            by_status: statuses(&[(200, 72_104)]),
            ..Totals::default()
        },
        crawlers: vec![CrawlerReport {
            crawler: who("googlebot"),
            fetches: 11_866,
            failed: 0,
            by_status: statuses(&[(200, 11_866)]),
            identity: [0, 0, 0, 11_866],
            aborted: 0,
            patience: None,
            retry_after: RetryAfter {
                respected: 5,
                early: 2,
                open: 1,
            },
        }],
        ..Report::default()
    }
}

struct Hit<'a>(&'a str, [u64; 5], &'a str, &'a str);

impl Hit<'_> {
    fn build(&self) -> CrawlerHit {
        let [failed, total, lost, back, owed] = self.1;
        CrawlerHit {
            crawler: who(self.0),
            failed,
            verified: 0,
            total,
            first_ok: None,
            last_ok: Some(at(self.2)),
            last_seen: Some(at(self.3)),
            urls_lost: lost,
            urls_refetched: back,
            urls_owed: owed,
            urls_retried: owed / 2,
            time_to_return: (back > 0).then_some(TimeToReturn {
                median: 7_200,
                p90: 30_000,
            }),
        }
    }
}

fn route(route: &str, failed: u64, total: u64) -> RouteHit {
    RouteHit {
        host: String::new(),
        route: route.to_owned(),
        failed,
        total,
    }
}

fn upstream(name: &str, failed: u64, total: u64) -> UpstreamHit {
    UpstreamHit {
        upstream: name.to_owned(),
        failed,
        total,
    }
}

fn advice(action: &str) -> Advice {
    Advice {
        action: action.to_owned(),
        why: String::new(),
        fact: None,
    }
}

/// One upstream of three has refused connections for five hours.
pub(crate) fn refused() -> Diagnosis {
    let mut routes = vec![
        route("/product/{n}", 301, 903),
        route("/category/*", 96, 287),
    ];
    routes.extend((0..9).map(|n| route(&format!("/other-{n}"), 13, if n == 0 { 35 } else { 40 })));
    let incident = Incident {
        id: IncidentId(0x0123_4567_89ab_cdef),
        supersedes: vec![],
        start: at("11-22 08:14:07"),
        end: None,
        last_failure: at("11-22 13:12:01"),
        rates: vec![],
        bounds: Bounds {
            start: (at("11-22 08:13:58"), at("11-22 08:14:07")),
            end: None,
            share: (0.998, 1.0),
        },
        first_detected: at("11-22 08:14:11"),
        scope: Scope {
            kind: ScopeKind::Upstream,
            values: vec!["10.0.0.7:8080".to_owned()],
        },
        verdict: Verdict::Persistent,
        probability: 0.99,
        why: "Too long and too full for a blip.".to_owned(),
        would_change: String::new(),
        intended: false,
        runs: vec![(at("11-22 08:14:07"), at("11-22 13:12:01"))],
        statuses: statuses(&[(502, 3_120)]),
        requests: Counts {
            failed: 3_120,
            total: 9_382,
            repeats: 12,
        },
        fetches: Counts {
            failed: 514,
            total: 1_545,
            repeats: 0,
        },
        history: vec![Revision {
            at: at("11-22 08:14:11"),
            verdict: Verdict::Blip,
            probability: 0.41,
            scope: Scope {
                kind: ScopeKind::Site,
                values: vec!["*".to_owned()],
            },
        }],
        crawlers: [
            Hit(
                "googlebot",
                [307, 921, 268, 43, 225],
                "11-22 12:50:10",
                "11-22 12:51:02",
            ),
            Hit(
                "bingbot",
                [121, 362, 109, 31, 78],
                "11-22 13:10:10",
                "11-22 13:11:02",
            ),
            Hit(
                "gptbot",
                [58, 175, 58, 4, 54],
                "11-22 13:02:10",
                "11-22 13:11:40",
            ),
            Hit(
                "applebot",
                [20, 60, 19, 1, 18],
                "11-22 13:09:10",
                "11-22 13:10:40",
            ),
            Hit(
                "claudebot",
                [8, 27, 8, 1, 7],
                "11-22 13:01:10",
                "11-22 13:10:40",
            ),
        ]
        .iter()
        .map(Hit::build)
        .collect(),
        paths: vec![PathHit {
            host: String::new(),
            path: "/product/17".to_owned(),
            failed: 4,
            crawlers: vec![who("googlebot"), who("bingbot")],
        }],
        routes,
        upstreams: vec![
            upstream("10.0.0.7:8080", 3_120, 3_120),
            upstream("10.0.0.8:8080", 1, 3_131),
            upstream("10.0.0.9:8080", 1, 3_131),
        ],
    };
    Diagnosis {
        incident,
        layer: Layer::Connection,
        cause: Some(Cause::ConnectionRefused),
        root: Some(Cause::ConnectionRefused),
        confidence: Confidence::Certain,
        alternatives: vec![],
        idle_race: None,
        missing: None,
        wants_error_log: false,
        echoes: 0,
        supporting: 3_120,
        evidence: vec![Evidence {
            place: Place {
                source: SourceId(1),
                line: 812,
            },
            sign: None,
            says: "connection refused".to_owned(),
            count: 3_120,
        }],
        risk: vec![
            Risk {
                fact: Fact("ROB-07"),
                what: "robots.txt: 502 to googlebot".to_owned(),
                then: "Google stops crawling until it can be read".to_owned(),
                since: Some(at("11-22 12:51:02")),
                last_good: Some(at("11-22 10:20:00")),
                due: Some(at("11-23 00:51:02")),
                status: RiskStatus::Verified,
                source: "https://developers.google.com/crawling/docs/robots-txt/robots-txt-spec",
            },
            Risk {
                fact: Fact("RATE-16"),
                what: "225 URLs owed to Google".to_owned(),
                then: "those that keep failing are removed, after how long is not known".to_owned(),
                since: Some(at("11-22 08:14:07")),
                last_good: None,
                due: None,
                status: RiskStatus::NotYetVerified,
                source: "not read",
            },
        ],
        load_before: None,
        advice: vec![
            advice("10.0.0.7: is the app up and on :8080? Read its log from 09:12 on"),
            advice("until then take it out of the pool: the other two are healthy"),
            advice("never retried, never ejected: see proxy_next_upstream, max_fails"),
            advice("next deploy: drain it, or answer 503 + Retry-After at the edge"),
        ],
        marks: vec![(
            Mark {
                start: at("11-22 08:12:07"),
                end: at("11-22 08:12:07"),
                kind: MarkKind::Deploy,
                label: "deploy 41".to_owned(),
            },
            120,
        )],
    }
}

/// Two minutes of 502 on the whole site, a day earlier, all fetched again.
pub(crate) fn blip() -> Diagnosis {
    let mut blip = refused();
    let incident = &mut blip.incident;
    incident.id = IncidentId(2);
    incident.start = at("11-21 02:02:10");
    incident.end = Some(at("11-21 02:04:12"));
    incident.last_failure = at("11-21 02:04:12");
    incident.scope = Scope {
        kind: ScopeKind::Site,
        values: vec!["*".to_owned()],
    };
    incident.verdict = Verdict::Blip;
    incident.probability = 0.93;
    incident.why = "One run of two minutes.".to_owned();
    incident.statuses = statuses(&[(502, 140)]);
    incident.requests = Counts {
        failed: 140,
        total: 160,
        repeats: 3,
    };
    incident.fetches = Counts {
        failed: 23,
        total: 25,
        repeats: 0,
    };
    incident.crawlers = vec![CrawlerHit {
        first_ok: Some(at("11-21 02:05:00")),
        ..Hit(
            "googlebot",
            [23, 25, 20, 20, 0],
            "11-21 02:01:00",
            "11-22 13:00:00",
        )
        .build()
    }];
    incident.upstreams.clear();
    incident.routes.truncate(2);
    blip.risk.clear();
    blip.marks.clear();
    blip
}

/// The report of the story: an upstream that refuses, a blip of the day before.
pub(crate) fn story() -> Report {
    let mut report = healthy();
    report.diagnoses = vec![refused(), blip()];
    report.totals.failed = 3_272;
    report.totals.fetches_failed = 541;
    report.totals.fetches_aborted = 12;
    report.totals.isolated_fetches = 4;
    report.totals.client_aborts = 30;
    report.coverage.joined = Joined {
        failures: 3_272,
        with_error_line: 3_270,
        exact: 3_268,
        best_match: 2,
        signs_unmatched: 0,
        error_zone: Some(60),
    };
    report.open_urls = vec![(who("googlebot"), "/product/17".to_owned())];
    report.robots = vec![RobotsFact {
        crawler: who("googlebot"),
        host: String::new(),
        scheme: None,
        failing_since: at("11-22 12:51:02"),
        last_ok: Some(at("11-22 10:20:00")),
        phase: RobotsPhase::Stopped,
    }];
    report.ledger = vec![LedgerRow {
        crawler: who("googlebot"),
        host: String::new(),
        path: "/product/17".to_owned(),
        urls: 2,
        owed: 1,
        retried: 1,
        failed: 3,
        first_failed: at("11-22 08:14:07"),
        last_failed: at("11-22 13:00:00"),
        last_status: Status(502),
        first_ok: None,
    }];
    report
}
