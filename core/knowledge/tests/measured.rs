//! The access-log signs against records of known faults, made after what nginx 1.22.1 and httpd 2.4.71 write, for layouts
//! that log all of the upstream fields, some or none. A finding may be less sure than the truth, never wrong.
#![allow(clippy::unwrap_used, reason = "a test may stop at once")]

use std::collections::BTreeMap;

use knowledge::{Condition, Op, Predicate, SignRule, Value, edge, signs};
use model::{Cause, Confidence, Edge, Field, LogKind};

/// One record: the last attempt's value of each field that the layout carries.
type Record = BTreeMap<Field, &'static str>;

/// Status, upstream address, upstream status, connect time, header time, bytes received, bytes sent.
type Row = (
    &'static str,
    &'static str,
    &'static str,
    &'static str,
    &'static str,
    &'static str,
    &'static str,
);

const COLUMNS: [Field; 7] = [
    Field::Status,
    Field::UpstreamAddr,
    Field::UpstreamStatus,
    Field::UpstreamConnectTime,
    Field::UpstreamHeaderTime,
    Field::UpstreamBytesReceived,
    Field::BytesSent,
];

const ADDR: &str = "198.51.100.7:8080";

const NGINX: [(Cause, Row); 16] = [
    (
        Cause::ConnectionRefused,
        ("502", ADDR, "502", "-", "-", "0", "157"),
    ),
    (
        Cause::SocketMissing,
        ("502", "unix:/run/app.sock:", "502", "-", "-", "0", "157"),
    ),
    (
        Cause::ClosedBeforeHeaders,
        ("502", ADDR, "502", "0.000", "-", "0", "157"),
    ),
    (
        Cause::ReadTimeout,
        ("504", ADDR, "504", "0.000", "-", "0", "167"),
    ),
    (
        Cause::HeaderTooLarge,
        ("502", ADDR, "502", "0.000", "-", "4096", "157"),
    ),
    (
        Cause::ProtocolMismatch,
        ("009", ADDR, "200", "0.001", "0.003", "31", "31"),
    ),
    (
        Cause::OriginOwnError,
        ("502", ADDR, "502", "0.000", "0.000", "69", "15"),
    ),
    (
        Cause::NoLiveUpstream,
        ("502", "backend", "502", "-", "-", "0", "157"),
    ),
    (Cause::DnsFailure, ("502", "-", "-", "-", "-", "-", "157")),
    (
        Cause::EdgeMadeResponse,
        ("503", "-", "-", "-", "-", "-", "197"),
    ),
    (
        Cause::EdgeMadeResponse,
        ("429", "-", "-", "-", "-", "-", "169"),
    ),
    (
        Cause::OriginOwnError,
        ("503", ADDR, "503", "0.000", "0.000", "69", "20"),
    ),
    (
        Cause::OriginOwnError,
        ("500", ADDR, "500", "0.000", "0.000", "69", "20"),
    ),
    (
        Cause::ConnectTimeout,
        ("504", ADDR, "504", "-", "-", "0", "167"),
    ),
    // The handshake stalls: no connect time is written before it is done.
    (
        Cause::TlsHandshakeFailure,
        ("504", ADDR, "504", "-", "-", "0", "167"),
    ),
    (
        Cause::OriginOwnError,
        ("504", ADDR, "504", "0.000", "0.000", "69", "20"),
    ),
];

/// The columns that a layout carries.
const LAYOUTS: [&[Field]; 11] = [
    &[Field::Status, Field::UpstreamHeaderTime],
    &[
        Field::Status,
        Field::UpstreamConnectTime,
        Field::UpstreamHeaderTime,
    ],
    &COLUMNS,
    &[Field::Status, Field::BytesSent],
    &[Field::Status],
    &[
        Field::Status,
        Field::BytesSent,
        Field::UpstreamAddr,
        Field::UpstreamStatus,
    ],
    &[Field::Status, Field::BytesSent, Field::UpstreamStatus],
    &[Field::Status, Field::BytesSent, Field::UpstreamAddr],
    &[
        Field::Status,
        Field::UpstreamAddr,
        Field::UpstreamStatus,
        Field::UpstreamHeaderTime,
    ],
    &[
        Field::Status,
        Field::UpstreamAddr,
        Field::UpstreamStatus,
        Field::UpstreamConnectTime,
    ],
    &[
        Field::Status,
        Field::UpstreamAddr,
        Field::UpstreamStatus,
        Field::UpstreamBytesReceived,
    ],
];

#[test]
fn no_layout_of_nginx_leads_to_a_wrong_cause() {
    for (cause, row) in NGINX {
        for layout in LAYOUTS {
            let record = record(row, layout);
            let best = best(Edge::Nginx, &record);
            let name = cause.name();
            let candidates = || {
                best.iter()
                    .any(|rule| rule.cause == cause || rule.also.contains(cause))
            };
            assert!(!best.is_empty(), "nothing for {name} in {layout:?}");
            assert!(candidates(), "{name} in {layout:?}: {:?}", names(&best));
            assert_eq!(best.len(), 1, "{name} in {layout:?}: {:?}", names(&best));
        }
    }
}

#[test]
fn all_fields_of_nginx_name_the_cause() {
    for (cause, row) in NGINX {
        // These share their fields with another fault: only the error log tells them apart.
        let is_shared = matches!(
            cause,
            Cause::SocketMissing | Cause::HeaderTooLarge | Cause::TlsHandshakeFailure
        );
        // A 504 that came with a header is more often a gateway's behind than the application's.
        if is_shared || (row.0, cause) == ("504", Cause::OriginOwnError) {
            continue;
        }
        let best = best(Edge::Nginx, &record(row, &COLUMNS));
        assert_eq!(best[0].cause, cause, "{}", best[0].name);
    }
}

#[test]
fn a_plain_log_names_the_field_that_would_tell() {
    for status in ["500", "502", "503", "504", "429"] {
        let record = Record::from([(Field::Status, status), (Field::BytesSent, "9999")]);
        for (edge, field) in [
            (Edge::Nginx, Field::UpstreamHeaderTime),
            (Edge::Apache, Field::ProxyStatus),
        ] {
            let best = best(edge, &record);
            assert_eq!(best.len(), 1, "{status}: {:?}", names(&best));
            assert_eq!(
                best[0].confidence,
                Confidence::Ambiguous,
                "{}",
                best[0].name
            );
            assert_eq!(best[0].settled_by, Some(field), "{}", best[0].name);
        }
    }
}

#[test]
fn httpd_tells_its_own_errors_from_the_origins() {
    for (status, origin, causes) in [
        ("502", "502", &[Cause::OriginOwnError][..]),
        ("429", "429", &[Cause::OriginOwnError]),
        ("502", "200", &[Cause::MalformedResponse]),
        ("503", "-", &[Cause::ConnectionRefused]),
        (
            "502",
            "-",
            &[Cause::ClosedBeforeHeaders, Cause::ReadTimeout],
        ),
        ("504", "-", &[Cause::ReadTimeout]),
    ] {
        let record = Record::from([(Field::Status, status), (Field::ProxyStatus, origin)]);
        let best = best(Edge::Apache, &record);
        for cause in causes {
            let found = best
                .iter()
                .any(|rule| rule.cause == *cause || rule.also.contains(*cause));
            assert!(found, "{status} {origin}: {:?}", names(&best));
        }
    }
}

#[test]
fn good_answers_have_no_sign() {
    let good = ("200", ADDR, "200", "0.000", "0.003", "5120", "5120");
    for layout in LAYOUTS {
        for edge in [Edge::Nginx, Edge::Apache, Edge::Unknown] {
            let best = best(edge, &record(good, layout));
            assert!(best.is_empty(), "{layout:?}: {:?}", names(&best));
        }
    }
}

fn record(row: Row, layout: &[Field]) -> Record {
    let values = [row.0, row.1, row.2, row.3, row.4, row.5, row.6];
    let all = COLUMNS.into_iter().zip(values);
    all.filter(|(field, _)| layout.contains(field)).collect()
}

fn names(rules: &[&SignRule]) -> Vec<&'static str> {
    rules.iter().map(|rule| rule.name).collect()
}

/// The surest signs that hold, of these the ones with the most conditions.
fn best(edge: Edge, record: &Record) -> Vec<&'static SignRule> {
    let rank = |rule: &SignRule| (rule.confidence, rule.conditions.len());
    let mut holding: Vec<_> = signs()
        .iter()
        .filter(|rule| rule.edge == edge && rule.log == LogKind::Access)
        .filter(|rule| {
            rule.conditions
                .iter()
                .all(|condition| holds(edge, condition, record))
        })
        .collect();
    let top = holding.iter().map(|rule| rank(rule)).max();
    holding.retain(|rule| Some(rank(rule)) == top);
    holding
}

fn holds(by: Edge, condition: &Condition, record: &Record) -> bool {
    match condition {
        Condition::Present(field) => record.contains_key(field),
        Condition::Absent(field) => !record.contains_key(field),
        Condition::Is(field, op, value) => record
            .get(field)
            .is_some_and(|left| compares(left, *op, *value, record)),
        Condition::Holds(predicate) => {
            let addr = record.get(&Field::UpstreamAddr).copied().unwrap_or("-");
            let is_addr = addr.contains(':');
            let size = record
                .get(&Field::BytesSent)
                .and_then(|size| size.parse().ok());
            let status = record
                .get(&Field::Status)
                .and_then(|status| status.parse().ok());
            let page = size
                .zip(status)
                .filter(|(_, status)| edge(by).knows_default_page(*status));
            let page = page.map(|(size, status)| edge(by).is_default_page(status, size, false));
            match predicate {
                Predicate::UpstreamAddrIsAddress => is_addr,
                Predicate::UpstreamAddrIsGroupName => addr != "-" && !is_addr,
                Predicate::SizeIsDefaultPage => page == Some(true),
                Predicate::SizeIsNotDefaultPage => page == Some(false),
                Predicate::SameUpstreamAddrTwice
                | Predicate::BodyShorterThanDeclared
                | Predicate::SizeIsNginxPage => false,
            }
        }
    }
}

fn compares(left: &str, op: Op, value: Value, record: &Record) -> bool {
    let number = |text: &str| text.parse::<f64>().ok();
    let equal = |right: &str| match (number(left), number(right)) {
        (Some(left), Some(right)) => left == right,
        _ => left == right,
    };
    let is = match value {
        Value::Text(right) => match op {
            Op::Equal | Op::NotEqual => equal(right),
            Op::BeginsWith => left.starts_with(right),
            Op::EndsWith => left.ends_with(right),
            Op::Contains => left.contains(right),
            Op::Greater => number(left) > number(right),
            Op::GreaterOrEqual => number(left).is_some() && number(left) >= number(right),
            Op::Less => number(left).is_some() && number(left) < number(right),
            Op::LessOrEqual => number(left).is_some() && number(left) <= number(right),
        },
        Value::OneOf(values) => values.iter().any(|right| equal(right)),
        Value::AnyNumber => number(left).is_some(),
        Value::Field(field) => record.get(&field).is_some_and(|right| equal(right)),
    };
    is != (op == Op::NotEqual)
}
