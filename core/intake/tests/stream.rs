//! Several programs in one stream: what stands around their lines is taken off, and each line is counted as what it is.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use intake::{
    Chunk, Filter, Formats, Intake, Layout, Ranges, Secret, Seen, Settings, Settler, Take,
};
use model::{Edge, LogKind, SourceId, Stamp};

/// 2026-11-22T07:25:33Z
const AT: i64 = 1_795_332_333_000;
const DAY: i64 = 86_400_000;

/// Stamp, product and status of each request.
type Row = (i64, Edge, u16);

fn read(lines: &str, layouts: Vec<Layout>) -> (Vec<Row>, Seen) {
    let settings = Settings {
        plausible: Some((Stamp(0), Stamp(AT + DAY))),
        ..Settings::default()
    };
    let secret = Secret::new([9; 16]);
    let intake = Intake::new(settings, secret, Ranges::default(), Formats::new(layouts));
    let chunk = Chunk {
        source: SourceId(0),
        first_line: 1,
        edge: Edge::Unknown,
        kind: LogKind::Access,
        take: Take::All,
        names_edge: false,
        bytes: lines.as_bytes(),
    };
    let mut rows = Vec::new();
    let mut note =
        |request: &model::Request<'_>| rows.push((request.at.0, request.edge, request.status.0));
    let scanned = intake.scan(chunk, &Filter::default(), &mut note);
    let sources = scanned.sources;
    Settler::default().settle(
        &intake,
        scanned.held,
        &sources,
        None,
        &mut note,
        &mut |_| (),
    );
    rows.sort_unstable();
    let seen = sources.get(SourceId(0)).cloned().unwrap_or_default();
    let all = seen.requests + seen.entries + seen.continuations + seen.others + seen.unparsed;
    assert_eq!(all, seen.lines, "every line is one thing");
    (rows, seen)
}

#[test]
fn programs_in_one_stream_are_told_apart() {
    let lines = r#"Nov 22 07:25:30 web1 sshd[812]: Accepted publickey for deploy from 192.0.2.9 port 5000 ssh2
Nov 22 07:25:31 web1 kernel: [123.4] usb 1-1: new device
Nov 22 07:25:33 web1 nginx: 192.0.2.7 - - [22/Nov/2026:07:25:33 +0000] "GET / HTTP/1.1" 502 157 "-" "x"
Nov 22 07:25:33 web1 nginx: 2026/11/22 07:25:33 [error] 1#1: *7 connect() failed (111: Connection refused) while connecting to upstream, client: 192.0.2.7, server: a, request: "GET / HTTP/1.1", upstream: "http://10.0.0.1:80/", host: "a"
<134>1 2026-11-22T07:25:33Z web1 httpd 7 - - 192.0.2.7 - - [22/Nov/2026:07:25:33 +0000] "GET / HTTP/1.1" 503 299 "-" "x"
app-1  | {"level":"info","message":"listening on 8080"}
app-1  | GET / 200 3 ms
nginx-1  | 192.0.2.7 - - [22/Nov/2026:07:25:33 +0000] "GET / HTTP/1.1" 200 157 "-" "x"
nginx-1  | /docker-entrypoint.sh: Configuration complete; ready for start up
{"log":"192.0.2.7 - - [22/Nov/2026:07:25:33 +0000] \"GET / HTTP/1.1\" 504 167 \"-\" \"x\"\n","stream":"stdout","time":"2026-11-22T07:25:34Z"}
{"MESSAGE":"Started Session 7","SYSLOG_IDENTIFIER":"systemd","__REALTIME_TIMESTAMP":"1795332333000000"}
-- Boot 5f3a0c --
"#;
    let (rows, seen) = read(lines, Vec::new());
    assert_eq!(
        rows,
        [
            (AT, Edge::Nginx, 200),
            (AT, Edge::Nginx, 502),
            (AT, Edge::Apache, 503),
            (AT, Edge::Unknown, 504),
        ]
    );
    assert_eq!((seen.entries, seen.others, seen.unparsed), (1, 6, 1));
}

#[test]
fn a_line_without_a_time_has_that_of_its_envelope() {
    let json = r#"{"request":"GET / HTTP/1.1","status":502}"#;
    let wrapped = serde_json::to_string(json).unwrap();
    let lines = format!(
        "2026-11-22T08:25:33.000000000+01:00 stdout F {json}\nNov 22 07:25:33 web1 nginx[7]: {json}\n{{\"message\":{wrapped},\"timestamp\":\"2026-11-22T07:25:33Z\"}}\n"
    );
    let (rows, _) = read(&lines, Vec::new());
    let stamps: Vec<i64> = rows.iter().map(|(at, _, _)| *at).collect();
    assert_eq!(stamps, [AT; 3]);
    let (rows, seen) = read(json, Vec::new());
    assert_eq!(rows, []);
    assert_eq!(
        seen.reasons.keys().copied().collect::<Vec<_>>(),
        ["no time"]
    );
}

#[test]
fn a_layout_of_the_user_may_leave_the_time_to_syslog() {
    let lines = "Nov 22 07:25:33 lb1 nginx[7]: 192.0.2.7 503 /a\n192.0.2.7 503 /a\n";
    let (layout, _) = Layout::parse_string("mine", "$remote_addr $status $uri").unwrap();
    let (rows, seen) = read(lines, vec![layout]);
    assert_eq!(rows, [(AT, Edge::Nginx, 503)]);
    let reasons: Vec<_> = seen.reasons.into_iter().collect();
    assert_eq!(reasons, [("no time", (2, 1))]);
}

#[test]
fn parts_of_a_line_that_was_cut_have_a_reason_of_their_own() {
    let lines = "2026-11-22T07:25:33.000000000Z stdout P 192.0.2.7 - - [22/Nov/2026:07:25:33 +0000] \"GET /aaaa\n2026-11-22T07:25:33.000000000Z stdout F aaaa HTTP/1.1\" 200 1 \"-\" \"x\"\n";
    let (_, seen) = read(lines, Vec::new());
    let counts: Vec<u64> = seen.reasons.values().map(|(_, n)| *n).collect();
    assert_eq!(counts, [1, 1]);
    assert!(
        seen.reasons
            .keys()
            .any(|reason| reason.contains("runtime cut"))
    );
}

#[test]
fn a_layout_of_the_user_may_describe_the_header_too() {
    let lines = "Nov 22 07:25:33 web1 tag: 1795332333 503 /a\n";
    let string = "$a $b $c $d tag: $msec $status $uri";
    let (layout, _) = Layout::parse_string("mine", string).unwrap();
    let (rows, seen) = read(lines, vec![layout]);
    assert_eq!(rows, [(AT, Edge::Nginx, 503)]);
    assert_eq!(seen.unparsed, 0);
}

#[test]
fn json_that_was_cut_is_counted_and_said_to_be_cut() {
    let whole =
        r#"{"time":"2026-11-22T07:25:33Z","request":"GET / HTTP/1.1","status":502,"agent":"x"}"#;
    let lines = format!("{whole}\n{}\n{}\n", &whole[..75], &whole[..40]);
    let (rows, seen) = read(&lines, Vec::new());
    assert_eq!(rows, [(AT, Edge::Unknown, 502); 2]);
    assert_eq!((seen.requests, seen.unparsed), (2, 1));
    let said: Vec<_> = seen.reasons.into_iter().collect();
    assert_eq!(
        said,
        [
            ("the line ends early", (3, 1)),
            (
                "the line ends early; counted by what stands before the cut",
                (2, 1)
            ),
        ]
    );
}
