//! Attribution of lines in the documented formats, under a small table of our own, so that these tests speak of the
//! engine and not of the facts.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use knowledge::{Basis, Condition, Op, Value};

use super::*;
use crate::error_log::parse;
use crate::visit::Spans;

const EMPTY: SignRule = SignRule {
    name: "",
    edge: Nginx,
    log: LogKind::Error,
    all: &[],
    none: &[],
    not_followed_by: &[],
    conditions: &[],
    statuses: &[],
    cause: ReadTimeout,
    also: CauseSet(0),
    confidence: Certain,
    settled_by: None,
    settled_by_error_log: false,
    note: "",
    basis: Basis::Source,
    source: "",
    checked: None,
};

/// A row of the error log.
const fn error(
    edge: Edge,
    all: &'static [&'static str],
    cause: Cause,
    also: &[Cause],
    confidence: Confidence,
) -> SignRule {
    SignRule {
        edge,
        all,
        cause,
        also: CauseSet::of(also),
        confidence,
        ..EMPTY
    }
}

/// A row of the access log.
const fn access(
    edge: Edge,
    conditions: &'static [Condition],
    cause: Cause,
    also: &[Cause],
    confidence: Confidence,
) -> SignRule {
    SignRule {
        edge,
        log: LogKind::Access,
        conditions,
        cause,
        also: CauseSet::of(also),
        confidence,
        ..EMPTY
    }
}

use Cause::*;
use Condition::{Absent, Holds, Is};
use Confidence::{Ambiguous, Certain, Likely};
use Edge::{Apache, Nginx};
use knowledge::Predicate::*;

const fn is(field: Field, text: &'static str) -> Condition {
    Is(field, Op::Equal, Value::Text(text))
}

const fn is_number(field: Field) -> Condition {
    Is(field, Op::Equal, Value::AnyNumber)
}

const HEADER: Field = Field::UpstreamHeaderTime;
const CONNECT: Field = Field::UpstreamConnectTime;
const BYTES: Field = Field::UpstreamBytesReceived;

static RULES: [SignRule; 47] = [
    error(
        Nginx,
        &[
            "(111: Connection refused) while connecting to upstream",
            "connect() ",
        ],
        ConnectionRefused,
        &[],
        Certain,
    ),
    error(
        Nginx,
        &["upstream timed out (110: Connection timed out) while connecting to upstream"],
        ConnectTimeout,
        &[],
        Certain,
    ),
    error(
        Nginx,
        &["no live upstreams while connecting to upstream"],
        NoLiveUpstream,
        &[UpstreamBusy],
        Likely,
    ),
    error(
        Nginx,
        &["upstream server temporarily disabled"],
        NoLiveUpstream,
        &[],
        Likely,
    ),
    error(
        Nginx,
        &["upstream prematurely closed connection while reading response header from upstream"],
        ClosedBeforeHeaders,
        &[IdleConnectionRace],
        Likely,
    ),
    error(
        Nginx,
        &[
            "recv() failed (104: Connection reset by peer) while reading response header from upstream",
        ],
        ClosedBeforeHeaders,
        &[IdleConnectionRace, ProtocolMismatch, WorkerCrashed],
        Likely,
    ),
    error(
        Nginx,
        &[
            "(104: Connection reset by peer) while reading upstream",
            "v() failed ",
        ],
        TruncatedBody,
        &[],
        Certain,
    ),
    SignRule {
        none: &["upstream: \"fastcgi://"],
        ..error(
            Nginx,
            &[
                "upstream timed out (110: Connection timed out) while reading response header from upstream",
            ],
            ReadTimeout,
            &[],
            Certain,
        )
    },
    error(
        Nginx,
        &[
            "upstream timed out (110: Connection timed out) while reading response header from upstream",
            "upstream: \"fastcgi",
        ],
        ReadTimeout,
        &[ProtocolMismatch],
        Likely,
    ),
    error(
        Nginx,
        &[
            "upstream sent too big header",
            "while reading response header from upstream",
        ],
        HeaderTooLarge,
        &[],
        Certain,
    ),
    error(
        Nginx,
        &["upstream sent no valid HTTP/1.0 header"],
        ProtocolMismatch,
        &[MalformedResponse],
        Likely,
    ),
    error(
        Nginx,
        &["limiting requests, excess: "],
        EdgeMadeResponse,
        &[],
        Certain,
    ),
    error(
        Nginx,
        &["exited on signal 9", "worker process "],
        EdgeInternalError,
        &[OutOfMemory],
        Likely,
    ),
    error(
        Nginx,
        &["client prematurely closed connection, so upstream connection is closed too"],
        ClientAbort,
        &[],
        Certain,
    ),
    error(
        Nginx,
        &["signal 1 (SIGHUP) received"],
        OriginRestart,
        &[EdgeConfigError],
        Ambiguous,
    ),
    error(
        Nginx,
        &[" while resolving, resolver: ", " failed ("],
        DnsFailure,
        &[],
        Likely,
    ),
    error(
        Nginx,
        &["upstream sent too large http2 frame: 4740180"],
        ProtocolMismatch,
        &[],
        Likely,
    ),
    error(
        Nginx,
        &["upstream sent too large http2 frame: "],
        MalformedResponse,
        &[],
        Likely,
    ),
    access(
        Nginx,
        &[
            is(Field::Status, "502"),
            is(CONNECT, "-"),
            is(HEADER, "-"),
            Holds(UpstreamAddrIsAddress),
        ],
        ConnectionRefused,
        &[SocketMissing, TlsHandshakeFailure],
        Ambiguous,
    ),
    access(
        Nginx,
        &[
            is(Field::Status, "502"),
            is_number(CONNECT),
            is(HEADER, "-"),
            is(BYTES, "0"),
        ],
        ClosedBeforeHeaders,
        &[IdleConnectionRace, ProtocolMismatch],
        Likely,
    ),
    access(
        Nginx,
        &[
            is(Field::Status, "502"),
            is_number(CONNECT),
            is(HEADER, "-"),
            Is(BYTES, Op::Greater, Value::Text("0")),
        ],
        MalformedResponse,
        &[HeaderTooLarge],
        Ambiguous,
    ),
    access(
        Nginx,
        &[is(Field::Status, "502"), is_number(HEADER)],
        OriginOwnError,
        &[ChainedGatewayError],
        Certain,
    ),
    access(
        Nginx,
        &[is(Field::Status, "503"), is_number(HEADER)],
        OriginOwnError,
        &[ChainedGatewayError],
        Certain,
    ),
    access(
        Nginx,
        &[is(Field::Status, "504"), is_number(HEADER)],
        ChainedGatewayError,
        &[OriginOwnError],
        Likely,
    ),
    access(
        Nginx,
        &[is(Field::Status, "500"), is_number(HEADER)],
        OriginOwnError,
        &[],
        Certain,
    ),
    access(
        Nginx,
        &[is(Field::Status, "504"), is(CONNECT, "-"), is(HEADER, "-")],
        ConnectTimeout,
        &[TlsHandshakeFailure],
        Likely,
    ),
    access(
        Nginx,
        &[
            is(Field::Status, "504"),
            is_number(CONNECT),
            is(HEADER, "-"),
        ],
        ReadTimeout,
        &[ProtocolMismatch],
        Likely,
    ),
    access(
        Nginx,
        &[
            is(Field::Status, "503"),
            is(Field::UpstreamAddr, "-"),
            is(Field::UpstreamStatus, "-"),
        ],
        EdgeMadeResponse,
        &[NoUpstreamRegistered],
        Likely,
    ),
    access(
        Nginx,
        &[is(Field::Status, "502"), Holds(UpstreamAddrIsGroupName)],
        NoLiveUpstream,
        &[UpstreamBusy],
        Likely,
    ),
    access(
        Nginx,
        &[
            Is(Field::UpstreamStatus, Op::Contains, Value::Text(",")),
            Holds(SameUpstreamAddrTwice),
        ],
        IdleConnectionRace,
        &[],
        Likely,
    ),
    access(
        Nginx,
        &[is(Field::Status, "009")],
        ProtocolMismatch,
        &[MalformedResponse],
        Likely,
    ),
    access(
        Nginx,
        &[is(Field::Status, "499")],
        ClientAbort,
        &[],
        Certain,
    ),
    access(
        Nginx,
        &[is(Field::Status, "200"), Holds(BodyShorterThanDeclared)],
        TruncatedBody,
        &[],
        Likely,
    ),
    SignRule {
        settled_by: Some(HEADER),
        settled_by_error_log: true,
        ..access(
            Nginx,
            &[
                is(Field::Status, "502"),
                Absent(Field::UpstreamAddr),
                Holds(SizeIsDefaultPage),
            ],
            ClosedBeforeHeaders,
            &[ConnectionRefused, NoLiveUpstream],
            Ambiguous,
        )
    },
    SignRule {
        settled_by: Some(HEADER),
        ..access(
            Nginx,
            &[
                Is(
                    Field::Status,
                    Op::Equal,
                    Value::OneOf(&["500", "502", "503", "504"]),
                ),
                Absent(Field::UpstreamAddr),
                Holds(SizeIsNotDefaultPage),
            ],
            OriginOwnError,
            &[ChainedGatewayError],
            Ambiguous,
        )
    },
    error(
        Apache,
        &["(111)Connection refused: AH00957: "],
        ConnectionRefused,
        &[],
        Certain,
    ),
    error(
        Apache,
        &["AH01114: HTTP: failed to make connection to backend: "],
        ConnectionRefused,
        &[ConnectTimeout, SocketMissing],
        Ambiguous,
    ),
    error(
        Apache,
        &["AH00959: ap_proxy_connect_backend disabling worker for "],
        NoLiveUpstream,
        &[],
        Certain,
    ),
    error(
        Apache,
        &[
            "(104)Connection reset by peer: ",
            "AH01102: error reading status line from remote server",
        ],
        ClosedBeforeHeaders,
        &[IdleConnectionRace, ProtocolMismatch],
        Likely,
    ),
    SignRule {
        not_followed_by: &["AH00898"],
        ..error(
            Apache,
            &[
                "(104)Connection reset by peer: ",
                "AH01102: error reading status line from remote server",
            ],
            IdleConnectionRace,
            &[ClosedBeforeHeaders],
            Likely,
        )
    },
    error(
        Apache,
        &[
            "(70007)The timeout specified has expired: ",
            "AH01102: error reading status line from remote server",
        ],
        ReadTimeout,
        &[],
        Certain,
    ),
    error(Apache, &["AH02039: "], TlsCertificateInvalid, &[], Certain),
    access(
        Apache,
        &[is(Field::Status, "502"), is(Field::BytesSent, "-")],
        IdleConnectionRace,
        &[],
        Likely,
    ),
    access(
        Apache,
        &[
            Is(Field::Status, Op::GreaterOrEqual, Value::Text("500")),
            Is(Field::ProxyStatus, Op::Equal, Value::Field(Field::Status)),
        ],
        OriginOwnError,
        &[ChainedGatewayError],
        Certain,
    ),
    access(
        Apache,
        &[
            Is(Field::Status, Op::GreaterOrEqual, Value::Text("500")),
            is_number(Field::ProxyStatus),
            Is(
                Field::ProxyStatus,
                Op::NotEqual,
                Value::Field(Field::Status),
            ),
        ],
        MalformedResponse,
        &[HeaderTooLarge],
        Likely,
    ),
    access(
        Apache,
        &[is(Field::Status, "503"), is(Field::ProxyStatus, "-")],
        ConnectionRefused,
        &[ConnectTimeout, NoLiveUpstream],
        Ambiguous,
    ),
    access(
        Apache,
        &[is(Field::ConnectionStatus, "X")],
        ClientAbort,
        &[],
        Certain,
    ),
];

/// Attributes a line of these fields.
fn attribute<T>(
    edge: Edge,
    fields: &[(Field, &str)],
    look: impl FnOnce(&Attribution<'_>) -> T,
) -> T {
    let (line, spans) = line(fields);
    let visit = Visit::new(&line, &[], &spans);
    look(&Signs::new(&RULES).access(edge, &visit, &FailureStatuses::default()))
}

fn line(fields: &[(Field, &str)]) -> (Vec<u8>, Spans) {
    let mut line = Vec::new();
    let mut spans = Spans::new();
    for (field, value) in fields {
        let start = line.len();
        line.extend_from_slice(value.as_bytes());
        spans.set(*field, start, line.len());
        line.push(b' ');
    }
    (line, spans)
}

/// A line of a layout with every upstream field, as nginx was measured to write them.
fn nginx(
    status: &'static str,
    upstream_status: &'static str,
    addr: &'static str,
    times: [&'static str; 3],
) -> Vec<(Field, &'static str)> {
    let [connect, header, bytes] = times;
    vec![
        (Field::Request, "GET /cart HTTP/1.1"),
        (Field::Status, status),
        (Field::BytesSent, "157"),
        (Field::UpstreamStatus, upstream_status),
        (Field::UpstreamAddr, addr),
        (CONNECT, connect),
        (HEADER, header),
        (BYTES, bytes),
        (Field::UpstreamResponseTime, header),
    ]
}

fn finding(fields: &[(Field, &'static str)]) -> Finding {
    attribute(Nginx, fields, |result| result.finding).unwrap()
}

const A: &str = "198.51.100.1:8080";

#[test]
fn nginx_fields_tell_the_measured_causes_apart() {
    for (name, fields, cause, confidence) in [
        (
            "nothing listens",
            nginx("502", "502", A, ["-", "-", "0"]),
            ConnectionRefused,
            Ambiguous,
        ),
        (
            "closes without a byte",
            nginx("502", "502", A, ["0.000", "-", "0"]),
            ClosedBeforeHeaders,
            Likely,
        ),
        (
            "never answers",
            nginx("504", "504", A, ["0.000", "-", "0"]),
            ReadTimeout,
            Likely,
        ),
        (
            "no answer to connect",
            nginx("504", "504", A, ["-", "-", "0"]),
            ConnectTimeout,
            Likely,
        ),
        (
            "20 kB header",
            nginx("502", "502", A, ["0.000", "-", "4096"]),
            MalformedResponse,
            Ambiguous,
        ),
        (
            "the application's own 502",
            nginx("502", "502", A, ["0.000", "0.000", "69"]),
            OriginOwnError,
            // A gateway behind this one may say 502, too.
            Likely,
        ),
        (
            "the 502 page of an nginx behind this one",
            nginx("502", "502", A, ["0.000", "0.000", "311"]),
            ChainedGatewayError,
            Likely,
        ),
        (
            "the application's own 500",
            nginx("500", "500", A, ["0.000", "0.004", "69"]),
            OriginOwnError,
            Certain,
        ),
        (
            "both servers refuse",
            nginx(
                "502",
                "502, 502",
                "198.51.100.1:80, 198.51.100.2:80",
                ["-, -", "-, -", "0, 0"],
            ),
            ConnectionRefused,
            Ambiguous,
        ),
        (
            "pool is dead",
            nginx("502", "502", "pool", ["-", "-", "0"]),
            NoLiveUpstream,
            Likely,
        ),
        (
            "rate limit",
            nginx("503", "-", "-", ["-", "-", "-"]),
            EdgeMadeResponse,
            Likely,
        ),
        (
            "rate limit of another status",
            nginx("429", "-", "-", ["-", "-", "-"]),
            EdgeMadeResponse,
            Likely,
        ),
        (
            "the application's own 429",
            nginx("429", "429", A, ["0.000", "0.001", "99"]),
            OriginOwnError,
            Certain,
        ),
        (
            "over IPv6",
            nginx("502", "502", "[2001:db8::1]:80", ["-", "-", "0"]),
            ConnectionRefused,
            Ambiguous,
        ),
        (
            "over a socket",
            nginx("502", "502", "unix:/run/app.sock", ["-", "-", "0"]),
            ConnectionRefused,
            Ambiguous,
        ),
    ] {
        let found = finding(&fields);
        assert_eq!(
            (found.cause, found.confidence),
            (Some(cause), confidence),
            "{name}"
        );
    }
}

#[test]
fn a_missing_value_may_be_empty_as_in_json_logs() {
    let found = finding(&nginx("503", "", "", ["", "", ""]));
    assert_eq!(found.cause, Some(EdgeMadeResponse));
}

#[test]
fn nginxs_own_502_is_not_the_applications() {
    let without_times = [
        (Field::Status, "502"),
        (Field::UpstreamStatus, "502"),
        (Field::UpstreamAddr, A),
    ];
    let found = finding(&without_times);
    assert_eq!((found.cause, found.missing), (None, Some(HEADER)));
    let teapot = [
        (Field::Status, "501"),
        (Field::UpstreamStatus, "501"),
        (Field::UpstreamAddr, A),
    ];
    assert_eq!(
        finding(&teapot).cause,
        Some(OriginOwnError),
        "nginx never makes that one"
    );
}

#[test]
fn an_edge_that_fails_after_a_good_answer_does_not_blame_the_origin() {
    let found = finding(&nginx("500", "200", A, ["0.000", "0.002", "800"]));
    assert_eq!(found.cause, None);
    assert!(found.wants_error_log);
}

#[test]
fn the_last_attempt_decides_and_each_has_its_own_cause() {
    let fields = nginx(
        "504",
        "502, 504",
        "198.51.100.1:80, unix:/run/b.sock",
        ["-, 0.001", "-, -", "0, 0"],
    );
    attribute(Nginx, &fields, |result| {
        let causes: Vec<_> = result
            .attempts
            .iter()
            .map(|one| one.finding.unwrap().cause)
            .collect();
        assert_eq!(causes, [Some(ConnectionRefused), Some(ReadTimeout)]);
        assert_eq!(result.finding.unwrap().cause, Some(ReadTimeout));
        assert_eq!(result.decided_by, Some(1));
        let last = result.attempts.last().unwrap();
        assert_eq!(
            (last.upstream, last.is_group),
            (b"unix:/run/b.sock".as_slice(), false)
        );
    });
}

#[test]
fn a_retry_that_succeeds_is_no_failure() {
    let fields = nginx(
        "200",
        "502, 200",
        "198.51.100.1:80, 198.51.100.2:80",
        ["-, 0.001", "-, 0.020", "0, 900"],
    );
    attribute(Nginx, &fields, |result| {
        assert!(result.saved_by_retry && result.finding.is_none() && result.hidden.is_none());
        assert_eq!(
            result.attempts[0].finding.unwrap().cause,
            Some(ConnectionRefused)
        );
        assert!(result.attempts[1].finding.is_none());
        assert_eq!(
            (result.attempts[1].status, result.attempts[1].millis),
            (Some(200), Some(20))
        );
    });
}

#[test]
fn the_same_server_again_at_once_is_the_idle_race() {
    let twice = "198.51.100.1:80, 198.51.100.1:80";
    let race = nginx(
        "200",
        "502, 200",
        twice,
        ["0.000, 0.000", "-, 0.000", "0, 40"],
    );
    attribute(Nginx, &race, |result| {
        assert_eq!(
            result.attempts[0].finding.unwrap().cause,
            Some(IdleConnectionRace)
        );
        assert!(result.saved_by_retry);
    });
    // The look-alike: one server that stands twice in its group.
    for times in [
        ["-, 0.000", "-, 0.000", "0, 40"],
        ["0.120, 0.000", "-, 0.000", "0, 40"],
    ] {
        attribute(Nginx, &nginx("200", "502, 200", twice, times), |result| {
            assert_ne!(
                result.attempts[0].finding.unwrap().cause,
                Some(IdleConnectionRace)
            );
        });
    }
}

#[test]
fn an_error_page_does_not_hide_what_led_to_it() {
    let addresses = "198.51.100.1:80 : 198.51.100.9:80";
    for (status, upstream_status, header) in [
        ("502", "502 : 200", "- : 0.001"),
        ("503", "502 : 503", "- : 0.001"),
    ] {
        let fields = nginx(
            status,
            upstream_status,
            addresses,
            ["- : 0.000", header, "0 : 300"],
        );
        attribute(Nginx, &fields, |result| {
            assert_eq!(
                result.finding.unwrap().cause,
                Some(ConnectionRefused),
                "{status}"
            );
            assert_eq!(result.decided_by, Some(0));
        });
    }
    // X-Accel-Redirect: the first group did well, the second did not.
    let fields = nginx(
        "504",
        "200 : 504",
        addresses,
        ["0.000 : 0.000", "0.001 : -", "300 : 0"],
    );
    assert_eq!(finding(&fields).cause, Some(ReadTimeout));
    // The page has a status of its own.
    let fields = nginx("503", "502", A, ["0.001", "-", "0"]);
    assert_eq!(finding(&fields).cause, Some(ClosedBeforeHeaders));
    // A redirect that reached no upstream.
    let fields = nginx(
        "502",
        "502 : ",
        "198.51.100.1:80 : ",
        ["- : ", "- : ", "0 : "],
    );
    assert_eq!(finding(&fields).cause, Some(ConnectionRefused));
}

#[test]
fn without_statuses_the_other_lists_tell_of_failed_attempts() {
    let without = |status, addr, times| {
        let mut fields = nginx(status, "", addr, times);
        fields.retain(|(field, _)| *field != Field::UpstreamStatus);
        fields
    };
    let two = "198.51.100.1:80, 198.51.100.2:80";
    let saved = without("200", two, ["-, 0.001", "-, 0.020", "0, 900"]);
    attribute(Nginx, &saved, |result| {
        assert!(result.saved_by_retry && result.hidden.is_none());
        assert!(result.attempts[0].finding.is_some());
    });
    let groups = "198.51.100.1:80 : 198.51.100.9:80";
    let page = without("502", groups, ["- : 0.000", "- : 0.001", "0 : 300"]);
    assert_eq!(
        finding(&page).cause,
        Some(ConnectionRefused),
        "the error page's server did well"
    );
    let (bytes, spans) = line(&[(Field::UpstreamAddr, two)]);
    let visit = Visit::new(&bytes, &[], &spans);
    assert!(needs_attribution(&visit, 200, &FailureStatuses::default()));
}

#[test]
fn a_line_that_would_name_the_upstream_and_names_none_says_so() {
    let named = |field, value| {
        let (bytes, spans) = line(&[(field, value)]);
        !had_no_upstream(&Visit::new(&bytes, &[], &spans))
    };
    // nginx in text and in JSON, Squid.
    for value in ["-", ""] {
        assert!(!named(Field::UpstreamAddr, value), "{value}");
    }
    for value in ["b/<NOSRV>", "<NOSRV>", "b/<CACHE>"] {
        assert!(!named(Field::UpstreamServer, value), "{value}");
    }
    assert!(named(Field::UpstreamAddr, "198.51.100.1:80"));
    assert!(named(Field::UpstreamServer, "b/s1"));
    // A layout that would not name it.
    assert!(named(Field::Status, "200"));
}

#[test]
fn an_error_masked_as_success_is_hidden_and_a_stale_page_is_not() {
    let masked = nginx("200", "500", A, ["0.000", "0.003", "300"]);
    attribute(Nginx, &masked, |result| {
        assert_eq!(result.hidden.unwrap().cause, Some(OriginOwnError));
        assert!(!result.saved_by_retry && result.finding.is_none());
    });
    let mut stale = nginx("200", "502", A, ["-", "-", "0"]);
    stale.push((Field::CacheStatus, "STALE"));
    attribute(Nginx, &stale, |result| {
        assert!(result.hidden.is_none() && result.saved_by_retry);
    });
}

#[test]
fn garbage_logged_as_009_is_hidden() {
    let fields = nginx("009", "200", A, ["0.001", "0.003", "31"]);
    attribute(Nginx, &fields, |result| {
        assert_eq!(result.hidden.unwrap().cause, Some(ProtocolMismatch));
    });
}

#[test]
fn a_body_cut_by_the_origin_is_hidden_and_one_cut_by_the_client_is_not() {
    let cut = |sent, received| {
        let fields = [
            (Field::Request, "GET /big HTTP/1.1"),
            (Field::Status, "200"),
            (Field::UpstreamStatus, "200"),
            (Field::UpstreamContentLength, "100000"),
            (Field::BytesSent, sent),
            (BYTES, received),
        ];
        let (bytes, spans) = line(&fields);
        let visit = Visit::new(&bytes, &[], &spans);
        let found = attribute(Nginx, &fields, |result| {
            result.hidden.map(|finding| finding.cause)
        });
        assert_eq!(
            needs_attribution(&visit, 200, &FailureStatuses::default()),
            found.is_some()
        );
        found
    };
    assert_eq!(cut("40000", "40200"), Some(Some(TruncatedBody)));
    assert_eq!(
        cut("40000", "73000"),
        None,
        "the client left with data under way"
    );
    assert_eq!(cut("30000", "100200"), None, "compressed");
    assert_eq!(cut("100000", "100200"), None);
}

#[test]
fn lists_out_of_step_do_not_shift() {
    let fields = nginx(
        "502",
        "502, 502",
        "198.51.100.1:80, 198.51.100.2:80",
        ["0.000", "-, -", "0, 0"],
    );
    let found = finding(&fields);
    assert_eq!(found.cause, None, "the connect time of which attempt?");
    attribute(Nginx, &fields, |result| {
        assert_eq!(result.attempts.len(), 2)
    });
}

#[test]
fn a_client_that_left_is_never_a_failure() {
    for edge in [Nginx, Apache, Edge::Unknown] {
        attribute(edge, &[(Field::Status, "499")], |result| {
            assert!(result.client_abort && result.hidden.is_none());
            assert_eq!(result.finding.unwrap().cause, Some(ClientAbort));
        });
    }
    let left = [
        (Field::Status, "502"),
        (Field::ProxyStatus, "-"),
        (Field::ConnectionStatus, "X"),
    ];
    attribute(Apache, &left, |result| assert!(result.client_abort));
    // It took all of the page, and was gone when the line was written.
    let http2 = [&left[..], &[(Field::Protocol, "HTTP/2.0")]].concat();
    attribute(Apache, &http2, |result| assert!(!result.client_abort));
}

#[test]
fn a_plain_log_of_an_unknown_product_names_no_cause() {
    for status in ["502", "503", "429"] {
        let fields = [
            (Field::Status, status),
            (Field::BytesSent, "157"),
            (Field::UserAgent, "x"),
        ];
        let found = attribute(Edge::Unknown, &fields, |result| result.finding).unwrap();
        assert_eq!((found.cause, found.missing), (None, Some(HEADER)));
        assert!(found.wants_error_log);
    }
    for status in ["200", "301", "400", "403", "404", "408"] {
        attribute(Edge::Unknown, &[(Field::Status, status)], |result| {
            assert!(result.finding.is_none() && result.hidden.is_none() && !result.client_abort);
        });
    }
}

#[test]
fn a_plain_log_known_to_be_nginxs_goes_by_the_size_of_its_page() {
    let page = |size, agent| {
        let fields = [
            (Field::Status, "502"),
            (Field::BytesSent, size),
            (Field::UserAgent, agent),
        ];
        attribute(Nginx, &fields, |result| result.finding).unwrap()
    };
    assert_eq!(page("157", "bot").cause, Some(ClosedBeforeHeaders));
    assert_eq!(page("157", "bot").missing, Some(HEADER));
    assert_eq!(
        page("559", "bot Chrome/126").cause,
        Some(ClosedBeforeHeaders)
    );
    assert_eq!(page("559", "bot").cause, Some(OriginOwnError));
    assert_eq!(page("0", "bot").cause, None, "no body, no proof");
}

#[test]
fn only_lines_that_can_say_something_are_looked_at() {
    let needs = |fields: &[(Field, &str)], status| {
        let (bytes, spans) = line(fields);
        needs_attribution(
            &Visit::new(&bytes, &[], &spans),
            status,
            &FailureStatuses::default(),
        )
    };
    for (upstream_status, status, expected) in [
        ("200", 200, false),
        ("-", 304, false),
        ("404", 404, false),
        ("502, 200", 200, true),
        ("500", 200, true),
        ("200 : 200", 200, true),
        ("200", 502, true),
        ("-", 499, true),
    ] {
        let fields = [(Field::UpstreamStatus, upstream_status)];
        assert_eq!(
            needs(&fields, status),
            expected,
            "{upstream_status} {status}"
        );
    }
    assert!(!needs(&[], 200));
    assert!(needs(&[(Field::ProxyStatus, "503")], 200));
}

#[test]
fn apache_fields_tell_who_made_the_error() {
    let row = |status, proxy, size| {
        let fields = [
            (Field::Request, "GET / HTTP/1.1"),
            (Field::Status, status),
            (Field::ProxyStatus, proxy),
            (Field::BytesSent, size),
        ];
        attribute(Apache, &fields, |result| result.finding.or(result.hidden)).unwrap()
    };
    assert_eq!(row("502", "502", "69").cause, Some(OriginOwnError));
    assert_eq!(row("500", "200", "530").cause, Some(MalformedResponse));
    assert_eq!(row("503", "-", "299").cause, Some(ConnectionRefused));
    assert_eq!(row("502", "-", "-").cause, Some(IdleConnectionRace));
    assert_eq!(
        row("200", "500", "530").cause,
        Some(OriginOwnError),
        "masked"
    );
    let plain = [
        (Field::Request, "HEAD / HTTP/1.1"),
        (Field::Status, "502"),
        (Field::BytesSent, "-"),
    ];
    let found = attribute(Apache, &plain, |result| result.finding).unwrap();
    assert_eq!(
        (found.cause, found.missing),
        (None, Some(Field::ProxyStatus)),
        "HEAD has no body"
    );
}

/// What an error line says.
fn error_line(line: &str) -> Option<ErrorFinding> {
    Signs::new(&RULES).error_line(&parse(line.as_bytes()).unwrap())
}

fn nginx_error(message: &str, scheme: &str) -> ErrorFinding {
    error_line(&format!(
        "2026/11/22 07:25:33 [error] 1#1: *7 {message}, client: 192.0.2.7, server: a.example, request: \"GET /no live upstreams while connecting to upstream HTTP/1.1\", upstream: \"{scheme}198.51.100.1:80/\", host: \"a.example\""
    ))
    .unwrap()
}

#[test]
fn nginx_messages_name_their_cause() {
    for (message, cause) in [
        (
            "connect() failed (111: Connection refused) while connecting to upstream",
            ConnectionRefused,
        ),
        (
            "connect() to unix:/run/a.sock failed (111: Connection refused) while connecting to upstream",
            ConnectionRefused,
        ),
        (
            "upstream timed out (110: Connection timed out) while connecting to upstream",
            ConnectTimeout,
        ),
        (
            "upstream timed out (110: Connection timed out) while reading response header from upstream",
            ReadTimeout,
        ),
        (
            "upstream prematurely closed connection while reading response header from upstream",
            ClosedBeforeHeaders,
        ),
        (
            "readv() failed (104: Connection reset by peer) while reading upstream",
            TruncatedBody,
        ),
        (
            "upstream sent too big header while reading response header from upstream",
            HeaderTooLarge,
        ),
        (
            "upstream sent no valid HTTP/1.0 header while reading response header from upstream",
            ProtocolMismatch,
        ),
        (
            "limiting requests, excess: 10.600 by zone \"one\"",
            EdgeMadeResponse,
        ),
        (
            "client prematurely closed connection, so upstream connection is closed too while sending request to upstream",
            ClientAbort,
        ),
    ] {
        let found = nginx_error(message, "http://");
        assert_eq!(found.now.unwrap().cause, Some(cause), "{message}");
        assert_eq!(found.about, About::Request);
    }
    let fastcgi = nginx_error(
        "upstream timed out (110: Connection timed out) while reading response header from upstream",
        "fastcgi://",
    );
    assert_eq!(fastcgi.now.unwrap().confidence, Likely);
    let frame = nginx_error("upstream sent too large http2 frame: 4740180", "grpc://");
    assert_eq!(
        frame.now.unwrap().cause,
        Some(ProtocolMismatch),
        "the longer text says more"
    );
}

#[test]
fn signs_without_a_request_stand_on_their_own() {
    for line in [
        "2026/11/22 07:25:33 [warn] 1#1: *7 upstream server temporarily disabled while connecting to upstream, client: 192.0.2.7, server: a.example, request: \"GET / HTTP/1.1\", upstream: \"http://198.51.100.1:80/\"",
        "2026/11/22 07:25:33 [alert] 1#1: worker process 31 exited on signal 9",
        "2026/11/22 07:25:33 [notice] 1#1: signal 1 (SIGHUP) received, reconfiguring",
        "2026/11/22 07:25:33 [error] 1#1: send() failed (111: Connection refused) while resolving, resolver: 198.51.100.53:53",
        "[Sun Nov 22 07:27:37.1 2026] [proxy:error] [pid 1:tid 2] AH00959: ap_proxy_connect_backend disabling worker for (198.51.100.1:8080) for 60s",
    ] {
        assert_eq!(error_line(line).unwrap().about, About::Itself, "{line}");
    }
    assert!(error_line("2026/11/22 07:25:33 [notice] 1#1: start worker processes").is_none());
}

#[test]
fn apache_messages_name_their_cause_and_what_they_belong_to() {
    let connect = error_line("[Sun Nov 22 07:27:37.1 2026] [proxy:error] [pid 1:tid 2] (111)Connection refused: AH00957: HTTP: attempt to connect to 198.51.100.1:8080 (app) failed").unwrap();
    assert_eq!(connect.now.unwrap().cause, Some(ConnectionRefused));
    assert_eq!(connect.about, About::Thread);
    // Newer builds name the client there too, between number and code.
    let with_client = error_line("[Sun Nov 22 07:27:37.1 2026] [proxy:error] [pid 1:tid 2] (111)Connection refused: [client 192.0.2.7:5] AH00957: HTTP: attempt to connect to 198.51.100.1:8080 (app) failed").unwrap();
    assert_eq!(with_client.now.unwrap().cause, Some(ConnectionRefused));
    assert_eq!(with_client.about, About::Request);
    let tls = error_line("[Sun Nov 22 07:27:37.1 2026] [ssl:error] [pid 1:tid 2] [remote 198.51.100.1:8443] AH02039: Certificate Verification: Error (18): self-signed certificate").unwrap();
    assert_eq!(tls.about, About::Thread);
    let timeout = error_line("[Sun Nov 22 07:27:37.1 2026] [proxy_http:error] [pid 1:tid 2] (70007)The timeout specified has expired: [client 192.0.2.7:5] AH01102: error reading status line from remote server 198.51.100.1:8080").unwrap();
    assert_eq!(timeout.now.unwrap().cause, Some(ReadTimeout));
}

#[test]
fn a_sign_that_waits_for_its_neighbours_is_given_apart() {
    let found = error_line("[Sun Nov 22 07:27:37.1 2026] [proxy_http:error] [pid 1:tid 2] (104)Connection reset by peer: [client 192.0.2.7:5] AH01102: error reading status line from remote server 198.51.100.1:8080").unwrap();
    assert_eq!(found.now.unwrap().cause, Some(ClosedBeforeHeaders));
    let (later, literals) = found.if_not_followed.unwrap();
    assert_eq!(later.cause, Some(IdleConnectionRace));
    assert_eq!(literals, ["AH00898"]);
}

fn said(cause: Cause, also: &[Cause], confidence: Confidence) -> Finding {
    Finding {
        cause: Some(cause),
        also: CauseSet::of(also),
        confidence,
        ..Finding::unknown(None, false)
    }
}

#[test]
fn the_precedence_of_error_and_access_log() {
    let unknown = Finding::unknown(Some(HEADER), true);
    let own = said(OriginOwnError, &[ChainedGatewayError], Certain);
    let closed = said(ClosedBeforeHeaders, &[IdleConnectionRace], Likely);
    let refused = said(ConnectionRefused, &[], Certain);
    let dead = said(NoLiveUpstream, &[], Certain);
    let open = said(ConnectionRefused, &[SocketMissing], Ambiguous);

    assert_eq!(combine(unknown, &[]), unknown);
    assert_eq!(combine(open, &[refused]).confidence, Certain);
    assert_eq!(
        combine(own, &[closed]),
        own,
        "certain fields go before a likely line"
    );
    assert_eq!(combine(own, &[refused]), refused);
    assert_eq!(combine(said(ReadTimeout, &[], Likely), &[closed]), closed);
    assert_eq!(
        combine(unknown, &[dead, closed]),
        closed,
        "the pool's death is an echo"
    );
    assert_eq!(combine(unknown, &[dead]), dead);
    let race = said(IdleConnectionRace, &[], Likely);
    assert_eq!(
        combine(race, &[closed]),
        race,
        "the fields settle what the line leaves open"
    );
}

#[test]
fn equal_ranks_leave_what_they_agree_on() {
    let unknown = Finding::unknown(None, false);
    let handshake = said(
        TlsHandshakeFailure,
        &[TlsCertificateInvalid, ProtocolMismatch],
        Likely,
    );
    let body = said(
        RequestOrUpgradeFailed,
        &[TlsHandshakeFailure, IdleConnectionRace],
        Likely,
    );
    let agreed = combine(unknown, &[body, handshake]);
    assert_eq!(agreed, said(TlsHandshakeFailure, &[], Likely));
    let wide = said(
        ProtocolMismatch,
        &[TlsHandshakeFailure, TlsCertificateInvalid],
        Likely,
    );
    let open = combine(unknown, &[handshake, wide]);
    assert_eq!(open.confidence, Ambiguous);
    assert!(open.also.contains(ProtocolMismatch));
    let nothing = combine(
        unknown,
        &[
            said(ReadTimeout, &[], Certain),
            said(DnsFailure, &[], Certain),
        ],
    );
    assert_eq!(
        (nothing.confidence, nothing.candidates()),
        (Ambiguous, CauseSet::of(&[ReadTimeout, DnsFailure]))
    );
}

#[test]
fn several_error_lines_are_of_equal_right() {
    let refused = said(ConnectionRefused, &[], Certain);
    let missing = said(SocketMissing, &[ConnectionRefused], Certain);
    assert_eq!(combine_errors(&[missing, refused]), Some(refused));
    assert_eq!(combine_errors(&[]), None);
}

/// The table that ships, on lines as nginx was measured to write them.
mod with_the_facts {
    use super::*;

    fn signs() -> Signs {
        Signs::new(knowledge::signs())
    }

    fn access(edge: Edge, fields: &[(Field, &str)]) -> Finding {
        let (bytes, spans) = line(fields);
        let visit = Visit::new(&bytes, &[], &spans);
        let result = signs().access(edge, &visit, &FailureStatuses::default());
        result.finding.or(result.hidden).unwrap()
    }

    fn error(line: &str) -> Finding {
        signs()
            .error_line(&parse(line.as_bytes()).unwrap())
            .unwrap()
            .now
            .unwrap()
    }

    #[test]
    fn nginx_access_and_error_line_together_name_the_cause() {
        for (fields, message, cause) in [
            (
                nginx("502", "502", A, ["-", "-", "0"]),
                "connect() failed (111: Connection refused) while connecting to upstream",
                ConnectionRefused,
            ),
            (
                nginx("502", "502", A, ["-", "-", "0"]),
                "connect() to unix:/run/a.sock failed (2: No such file or directory) while connecting to upstream",
                SocketMissing,
            ),
            (
                nginx("502", "502", A, ["-", "-", "0"]),
                "connect() to unix:/run/a.sock failed (13: Permission denied) while connecting to upstream",
                SocketPermission,
            ),
            (
                nginx("502", "502", A, ["-", "-", "0"]),
                "connect() failed (113: No route to host) while connecting to upstream",
                HostUnreachable,
            ),
            (
                nginx("502", "502", A, ["-", "-", "0"]),
                "SSL_do_handshake() failed (SSL: error:0A00010B:SSL routines::wrong version number) while SSL handshaking to upstream",
                ProtocolMismatch,
            ),
            (
                nginx("502", "502", A, ["-", "-", "0"]),
                "upstream SSL certificate verify error: (10:certificate has expired) while SSL handshaking to upstream",
                TlsCertificateInvalid,
            ),
            (
                nginx("502", "502", A, ["0.000", "-", "0"]),
                "upstream prematurely closed connection while reading response header from upstream",
                ClosedBeforeHeaders,
            ),
            (
                nginx("502", "502", A, ["0.000", "-", "0"]),
                "recv() failed (104: Connection reset by peer) while reading response header from upstream",
                ClosedBeforeHeaders,
            ),
            (
                nginx("504", "504", A, ["0.000", "-", "0"]),
                "upstream timed out (110: Connection timed out) while reading response header from upstream",
                ReadTimeout,
            ),
            (
                nginx("504", "504", A, ["-", "-", "0"]),
                "upstream timed out (110: Connection timed out) while connecting to upstream",
                ConnectTimeout,
            ),
            (
                nginx("502", "502", A, ["0.000", "-", "4096"]),
                "upstream sent too big header while reading response header from upstream",
                HeaderTooLarge,
            ),
            (
                nginx("502", "502", A, ["0.000", "-", "53"]),
                "upstream sent invalid header: \"Bad\\x20...\" while reading response header from upstream",
                MalformedResponse,
            ),
            (
                nginx("009", "200", A, ["0.001", "0.003", "31"]),
                "upstream sent no valid HTTP/1.0 header while reading response header from upstream",
                ProtocolMismatch,
            ),
            (
                nginx("502", "502", "pool", ["-", "-", "0"]),
                "no live upstreams while connecting to upstream",
                NoLiveUpstream,
            ),
            (
                nginx("502", "-", "-", ["-", "-", "-"]),
                "app.example could not be resolved (110: Operation timed out)",
                DnsFailure,
            ),
            (
                nginx("503", "-", "-", ["-", "-", "-"]),
                "limiting requests, excess: 0.6 by zone \"one\"",
                EdgeMadeResponse,
            ),
        ] {
            let line = format!(
                "2026/11/22 07:25:33 [error] 1#1: *7 {message}, client: 192.0.2.7, server: , request: \"GET / HTTP/1.1\", upstream: \"http://198.51.100.1:8080/\", host: \"a\""
            );
            let said = access(Nginx, &fields);
            assert!(said.candidates().contains(cause), "fields alone: {message}");
            assert_eq!(
                combine(said, &[error(&line)]).cause,
                Some(cause),
                "{message}"
            );
        }
    }

    #[test]
    fn nginx_fields_keep_the_applications_own_errors_apart() {
        for status in ["500", "502", "503", "429", "501"] {
            let fields = nginx(status, status, A, ["0.000", "0.004", "69"]);
            assert_eq!(
                access(Nginx, &fields).cause,
                Some(OriginOwnError),
                "{status}"
            );
        }
        let gateway = access(Nginx, &nginx("504", "504", A, ["0.000", "0.004", "69"]));
        assert_eq!(gateway.cause, Some(ChainedGatewayError));
    }

    #[test]
    fn apache_lines_name_the_cause() {
        for (prefix, message, cause) in [
            (
                "proxy:error",
                "(111)Connection refused: AH00957: http: attempt to connect to 198.51.100.1:8080 (app:8080) failed",
                ConnectionRefused,
            ),
            (
                "proxy:error",
                "(70007)The timeout specified has expired: AH00957: http: attempt to connect to 198.51.100.1:8080 (app:8080) failed",
                ConnectTimeout,
            ),
            (
                "proxy:error",
                "(2)No such file or directory: AH02454: http: attempt to connect to Unix domain socket /run/a.sock (localhost:80) failed",
                SocketMissing,
            ),
            (
                "proxy_http:error",
                "(20014)Internal error (specific information not available): [client 192.0.2.7:5] AH01102: error reading status line from remote server 198.51.100.1:8080",
                ClosedBeforeHeaders,
            ),
            (
                "proxy_http:error",
                "(70007)The timeout specified has expired: [client 192.0.2.7:5] AH01102: error reading status line from remote server 198.51.100.1:8080",
                ReadTimeout,
            ),
            (
                "proxy:error",
                "(EAI 2)Name or service not known: [client 192.0.2.7:5] AH00898: DNS lookup failure for: app.example returned by /a",
                DnsFailure,
            ),
            (
                "proxy:error",
                "[client 192.0.2.7:5] AH00898: Error during SSL Handshake with remote server returned by /a",
                TlsHandshakeFailure,
            ),
            (
                "ssl:error",
                "[remote 198.51.100.1:8443] AH02039: Certificate Verification: Error (18): self-signed certificate",
                TlsCertificateInvalid,
            ),
            (
                "proxy_http:warn",
                "(28)No space left on device: [client 192.0.2.7:5] AH10124: header size is over the limit allowed by ResponseFieldSize (8192 bytes). Bad response header: 'X: a'",
                HeaderTooLarge,
            ),
            (
                "proxy_http:error",
                "(70008)Partial results are valid but processing is incomplete: [client 192.0.2.7:5] AH01110: error reading response",
                TruncatedBody,
            ),
            (
                "http:error",
                "[client 192.0.2.7:5] AH02429: Response header name 'Bad Name' contains invalid characters, aborting request",
                MalformedResponse,
            ),
        ] {
            let line =
                format!("[Sun Nov 22 07:27:37.875588 2026] [{prefix}] [pid 9:tid 8] {message}");
            assert_eq!(error(&line).cause, Some(cause), "{message}");
        }
    }

    #[test]
    fn the_free_retry_after_a_dead_kept_connection_is_the_idle_race() {
        let fields = nginx(
            "200",
            "502, 200",
            "198.51.100.1:80, 198.51.100.1:80",
            ["0.000, 0.000", "-, 0.000", "0, 40"],
        );
        let (bytes, spans) = line(&fields);
        let visit = Visit::new(&bytes, &[], &spans);
        let result = signs().access(Nginx, &visit, &FailureStatuses::default());
        let first = result.attempts[0].finding.unwrap();
        let reset = error(
            "2026/11/22 07:25:33 [error] 1#1: *7 recv() failed (104: Connection reset by peer) while reading response header from upstream, client: 192.0.2.7, server: , request: \"GET / HTTP/1.1\", upstream: \"http://198.51.100.1:80/\", host: \"a\"",
        );
        assert_eq!(combine(first, &[reset]).cause, Some(IdleConnectionRace));
        assert!(result.saved_by_retry);
    }
}

mod any_bytes {
    use proptest::prelude::*;

    use super::*;

    /// Lines to break.
    const SEEDS: [&str; 4] = [
        "2026/11/22 07:25:33 [error] 41#42: *7 connect() failed (111: Connection refused) while connecting to upstream, client: 2001:db8::7, server: a, request: \"GET /cart HTTP/1.1\", subrequest: \"/auth\", upstream: \"http://unix:/run/a.sock:/x\", host: \"a\", referrer: \"b\", ctx: \"c\"",
        "[Sun Nov 22 07:27:37.875588 2026] [proxy:error] [pid 123:tid 139] (104)Connection reset by peer: [client 2001:db8::7:5678] AH01102: error reading status line from remote server app:80, referer: x",
        "[2026-11-22T08:27:37.875588+01:00] [proxy_http:error] [R:HZYFtGhXsFc] [client 192.0.2.7] AH01106: bad HTTP/1.1 header returned by /cart (GET)",
        "502, 504 : 200, - : ",
    ];

    fn mutated() -> impl Strategy<Value = Vec<u8>> {
        let cuts =
            proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0..3_u8), 0..6);
        (prop::sample::select(SEEDS.as_slice()), cuts).prop_map(|(seed, cuts)| {
            let mut line = seed.as_bytes().to_vec();
            for (index, byte, what) in cuts {
                let at = if line.is_empty() {
                    0
                } else {
                    index.index(line.len())
                };
                match what {
                    0 => line.truncate(at),
                    1 => line.insert(at, byte),
                    _ => {
                        if let Some(old) = line.get_mut(at) {
                            *old = byte;
                        }
                    }
                }
            }
            line
        })
    }

    /// Built once: the lines are many.
    static SIGNS: std::sync::LazyLock<Signs> = std::sync::LazyLock::new(|| Signs::new(&RULES));

    fn look(line: &[u8]) {
        let signs = &SIGNS;
        if let Some(entry) = parse(line) {
            let _ = signs.error_line(&entry);
            let _ = entry.upstream.map(crate::error_log::upstream_address);
        }
        let _ = crate::error_log::upstream_address(line);
        let mut spans = Spans::new();
        for field in Field::ALL {
            spans.set(field, 0, line.len());
        }
        for status in ["200", "502", "009", "-"] {
            let mut whole = line.to_vec();
            whole.extend_from_slice(status.as_bytes());
            spans.set(Field::Status, line.len(), whole.len());
            spans.set(Field::ConnectionStatus, 0, 0);
            let visit = Visit::new(&whole, &[], &spans);
            for edge in [Nginx, Apache, Edge::Unknown] {
                let _ = needs_attribution(&visit, 200, &FailureStatuses::default());
                let _ = signs.access(edge, &visit, &FailureStatuses::default());
            }
        }
    }

    proptest! {
        #[test]
        fn never_panic(line in proptest::collection::vec(any::<u8>(), 0..300)) {
            look(&line);
        }

        #[test]
        fn never_panic_on_what_nearly_is_a_line(line in mutated()) {
            look(&line);
        }
    }
}
