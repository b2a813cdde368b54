//! A probe as text and JSON, from outcomes made up here: the same characters every time.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::time::Duration;

use model::probe::{
    Answer, Difference, Failure, KeepAlive, Note, Outcome, Part, Phase, Role, Side, Target,
    Verdict, VerdictKind,
};
use model::{Cause, Stamp};
use report::{Probed, TextOptions, probe_json, probe_schema, probe_text};

fn outcome(role: Role, name: &str, address: &str, steps: &[(Phase, u64)]) -> Outcome {
    let millis = |(phase, millis): &(Phase, u64)| (*phase, Duration::from_millis(*millis));
    Outcome {
        target: Target {
            role,
            name: name.to_owned(),
            address: Some(address.to_owned()),
            tls: role == Role::Edge,
            elsewhere: false,
        },
        path: "/".to_owned(),
        at: Stamp(1_764_000_000_123),
        steps: steps.iter().map(millis).collect(),
        failure: None,
        answer: None,
        tls_version: (role == Role::Edge).then_some("TLS 1.3"),
        keep_alive: None,
        notes: Vec::new(),
    }
}

fn outcomes() -> Vec<Outcome> {
    let steps = [
        (Phase::Connect, 12),
        (Phase::Tls, 26),
        (Phase::Send, 0),
        (Phase::FirstByte, 148),
        (Phase::Headers, 0),
        (Phase::Body, 2),
    ];
    let mut edge = outcome(Role::Edge, "www.example.com", "192.0.2.7:443", &steps);
    edge.answer = Some(Answer {
        status: 200,
        // Whoever writes it may wish to write on our terminal.
        server: Some("ngi\u{202e}nx".to_owned()),
        content_type: Some("text/html".to_owned()),
        body_bytes: 5_120,
        is_whole: true,
        ..Answer::default()
    });
    let steps = [
        (Phase::Connect, 1),
        (Phase::Send, 0),
        (Phase::FirstByte, 31),
    ];
    let mut good = outcome(Role::Origin, "10.0.0.5:8080", "10.0.0.5:8080", &steps);
    good.answer = Some(Answer {
        status: 200,
        body_bytes: 17,
        is_whole: true,
        ..Answer::default()
    });
    good.keep_alive = Some(KeepAlive::Closed(Duration::from_millis(5_020)));
    good.notes.push(Note::HeaderAboveSmallBuffer(5_300));
    let steps = [(Phase::Dns, 3), (Phase::Connect, 0)];
    let mut bad = outcome(Role::Origin, "app.internal:8080", "10.0.0.6:8080", &steps);
    bad.failure = Some(Failure {
        phase: Phase::Connect,
        cause: Some(Cause::ConnectionRefused),
        detail: "nothing listens there".to_owned(),
    });
    vec![edge, good, bad]
}

fn verdict() -> Verdict {
    Verdict {
        parts: vec![Part {
            kind: VerdictKind::DiffersByAddress,
            paths: vec!["/".to_owned()],
            edge: Side::Good,
            origin: Side::Differs {
                failing: vec!["10.0.0.6:8080".to_owned()],
                asked: 2,
                causes: vec![Cause::ConnectionRefused],
            },
            elsewhere: Vec::new(),
        }],
        differences: vec![Difference {
            path: "/".to_owned(),
            origin: "10.0.0.5:8080".to_owned(),
            what: vec![("length", "5120".to_owned(), "17".to_owned())],
            is_other_application: false,
        }],
        advice: vec!["Take the address that fails out of the pool or out of DNS until it works."],
    }
}

const TEXT: &str = "\
DIFFERS BY ADDRESS  https://www.example.com/
The edge is good; of 2 addresses of the origin, 10.0.0.6:8080 fails (connection
refused).

edge    www.example.com  192.0.2.7:443  TLS 1.3
  ms                          dns  conn   tls  send first  head  body   status
  /                             -    12    26     0   148     0   2.0   200
    ngi\\u{202e}nx, text/html, 5,120 bytes

origin  10.0.0.5:8080  plain HTTP
  ms                          dns  conn   tls  send first  head  body   status
  /                             -   1.0     -     0    31     -     -   200
    17 bytes
    the header has 5,300 bytes: too large for nginx's buffer of 4 KiB, which is
    its default on most machines (proxy_buffer_size)
    an idle connection is closed after 5.0 s: the edge's own idle time-out must
    be shorter, or it will reuse one as it closes

origin  app.internal:8080  10.0.0.6:8080  plain HTTP
  ms                          dns  conn   tls  send first  head  body   status
  /                           3.0  FAIL     -     -     -     -     -   -
    connection-refused: nothing listens there

Differ  / at 10.0.0.5:8080: length 5120 at the edge, 17 there
Do      1 Take the address that fails out of the pool or out of DNS until it
          works.
";

#[test]
fn the_text_fits_a_terminal_and_hides_nothing() {
    let (outcomes, verdict) = (outcomes(), verdict());
    let probed = Probed {
        url: "https://www.example.com/",
        sent_as: None,
        outcomes: &outcomes,
        verdict: &verdict,
    };
    assert_eq!(probe_text(&probed, &TextOptions::default()), TEXT);
}

#[test]
fn json_is_of_its_schema() {
    let (outcomes, verdict) = (outcomes(), verdict());
    let probed = Probed {
        url: "https://www.example.com/",
        sent_as: knowledge::crawler_named("googlebot"),
        outcomes: &outcomes,
        verdict: &verdict,
    };
    let json = probe_json(&probed);
    assert!(!json.contains('\u{202e}'), "{json}");
    let value: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(value["outcomes"][0]["started"], "2025-11-24T16:00:00.123Z");
    assert_eq!(value["outcomes"][0]["phases_ms"]["first-byte"], 148.0);
    assert_eq!(value["outcomes"][2]["failure"]["layer"], "connection");
    assert_eq!(value["sent_as"], "googlebot");
    assert_eq!(value["good"], false);
    let schema: serde_json::Value = serde_json::from_str(&probe_schema()).unwrap();
    assert_eq!(schema["title"], "webmasterid probe, version 1");
}

#[test]
fn every_verdict_has_its_sentence() {
    let outcomes = outcomes();
    let fails = || Side::Fails {
        causes: vec![Cause::ReadTimeout],
    };
    for kind in VerdictKind::ALL {
        let (edge, origin) = match kind {
            VerdictKind::BothFail => (fails(), fails()),
            VerdictKind::EdgeFailsOriginGood => (fails(), Side::Good),
            VerdictKind::EdgeFails => (fails(), Side::Absent),
            VerdictKind::OriginFailsEdgeGood => (Side::Good, fails()),
            VerdictKind::DiffersByAddress
            | VerdictKind::ResolvesElsewhere
            | VerdictKind::AnswersDiffer
            | VerdictKind::AllGood => (Side::Good, Side::Good),
        };
        let mut verdict = verdict();
        verdict.parts[0].kind = kind;
        (verdict.parts[0].edge, verdict.parts[0].origin) = (edge, origin);
        let probed = Probed {
            url: "https://www.example.com/",
            sent_as: None,
            outcomes: &outcomes,
            verdict: &verdict,
        };
        let text = probe_text(&probed, &TextOptions::default());
        let sentence = text.lines().nth(1).unwrap();
        assert!(sentence.len() > 10, "{kind:?}: {text}");
        assert!(
            text.lines().all(|line| line.chars().count() <= 80),
            "{text}"
        );
    }
}
