//! The access logs of AWS load balancers: Application Load Balancers, and Classic ones with an HTTP listener.
//!
//! `type time elb client:port target:port three-times elb_status target_status received sent "request" "agent" …`, where
//! a Classic one leaves out the type. Fields are added at the end over the years, so what follows the agent is left
//! alone. Records of network balancers and of connections have no request and are refused.

use std::ops::Range;

use memchr::memchr;
use model::Field;

use super::{
    Reason,
    ncsa::{next_quote, token_end},
    value::{is_number, is_status},
};
use crate::visit::Spans;

/// What an Application Load Balancer names its listeners' protocols.
const TYPES: [&[u8]; 6] = [b"http ", b"https ", b"h2 ", b"grpcs ", b"ws ", b"wss "];

/// Finds the fields of a line of this layout.
pub(super) fn parse(line: &[u8], spans: &mut Spans) -> Result<(), Reason> {
    let kind = TYPES.iter().find(|kind| line.starts_with(kind));
    let start = kind.map_or(0, |kind| kind.len());
    // A cheap look: every line of every log may come here.
    if !matches!(
        line.get(start..start + 11),
        Some([b'2', _, _, _, b'-', .., b'T'])
    ) {
        return Err(Reason::UnknownLayout);
    }
    fields(line, start, kind.is_some(), spans).ok_or(Reason::UnknownLayout)
}

/// `of_application`: whether an Application Load Balancer wrote it; its name then is `app/name/id`.
fn fields(line: &[u8], start: usize, of_application: bool, spans: &mut Spans) -> Option<()> {
    let time = word(line, start)?;
    let name = word(line, time.end + 1)?;
    let slashes = memchr::memchr_iter(b'/', line.get(name.clone())?).count();
    if slashes != if of_application { 2 } else { 0 } {
        return None;
    }
    if of_application {
        spans.set(Field::Protocol, 0, start - 1);
    }
    spans.set(Field::Time, time.start, time.end);
    let client = word(line, name.end + 1)?;
    address(line, &client, spans);
    let target = word(line, client.end + 1)?;
    spans.set(Field::UpstreamAddr, target.start, target.end);
    let times_end = numbers(line, target.end + 1, 3)?;
    let status = word(line, times_end + 1)?;
    let text = line.get(status.clone())?;
    // A Classic balancer with a listener for TCP logs connections: no request, no status.
    if !is_status(text) || !of_application && text == b"-" {
        return None;
    }
    spans.set(Field::Status, status.start, status.end);
    let origin = word(line, status.end + 1)?;
    spans.set(Field::OriginStatus, origin.start, origin.end);
    let received_end = numbers(line, origin.end + 1, 1)?;
    let sent_end = numbers(line, received_end + 1, 1)?;
    spans.set(Field::BytesSent, received_end + 1, sent_end);
    let request_end = quoted(line, sent_end + 1, Field::Request, spans)?;
    // Classic ones had no agent before 2015.
    if request_end < line.len() {
        quoted(line, request_end + 1, Field::UserAgent, spans)?;
    }
    Some(())
}

/// The word that begins at `at`.
fn word(line: &[u8], at: usize) -> Option<Range<usize>> {
    let end = token_end(line, at);
    (at < end).then_some(at..end)
}

/// `192.0.2.7:2817`, `[2001:db8::7]:2817` or `-`: without the port.
fn address(line: &[u8], place: &Range<usize>, spans: &mut Spans) {
    let text = line.get(place.clone()).unwrap_or_default();
    let (start, end) = match text {
        [b'[', inner @ ..] => match memchr(b']', inner) {
            Some(close) => (place.start + 1, place.start + 1 + close),
            None => (place.start, place.end),
        },
        _ => match memchr::memrchr(b':', text) {
            Some(colon) => (place.start, place.start + colon),
            None => (place.start, place.end),
        },
    };
    spans.set(Field::ClientAddr, start, end);
}

/// Where `count` numbers from `at` on end.
fn numbers(line: &[u8], mut at: usize, count: usize) -> Option<usize> {
    for _ in 0..count {
        let number = word(line, at)?;
        if !is_number(line.get(number.clone())?) {
            return None;
        }
        at = number.end + 1;
    }
    at.checked_sub(1)
}

/// `"value"` from `at` on: where the blank behind it stands.
fn quoted(line: &[u8], at: usize, field: Field, spans: &mut Spans) -> Option<usize> {
    if line.get(at) != Some(&b'"') {
        return None;
    }
    let mut from = at + 1;
    loop {
        let end = next_quote(line, at + 1, from)?;
        if matches!(line.get(end + 1), None | Some(b' ')) {
            spans.set(field, at + 1, end);
            return Some(end + 1);
        }
        from = end + 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::testing::{Fields, fields};

    fn read(line: &str) -> Result<Fields, Reason> {
        let mut spans = Spans::new();
        parse(line.as_bytes(), &mut spans)?;
        Ok(fields(line.as_bytes(), &[], &spans))
    }

    #[track_caller]
    fn has(line: &str, wanted: &[(Field, &str)]) {
        let found = read(line).unwrap();
        for (field, value) in wanted {
            assert_eq!(found.get(*field), Some(*value), "{line}");
        }
    }

    /// What the balancer added over the years, oldest first.
    const MORE: [&str; 4] = [
        "",
        r#" ECDHE-RSA-AES128-GCM-SHA256 TLSv1.2 arn:aws:elasticloadbalancing:eu-west-1:1:targetgroup/a/b "Root=1-58337281-1d84f3d7""#,
        r#" - - arn "Root=1" "www.example.com" "session-reused" 1 2026-11-22T07:25:33.364000Z "authenticate,forward" "-" "-" "198.51.100.7:80" "200" "-" "-""#,
        r#" - - arn "Root=1" "-" "-" 0 2026-11-22T07:25:33.364000Z "forward" "-" "-" "-" "-" "-" "-" TID_1234 "-" "-" "-""#,
    ];

    #[test]
    fn every_protocol_and_every_length_of_line() {
        for kind in ["http", "https", "h2", "grpcs", "ws", "wss"] {
            for more in MORE {
                let line = format!(
                    r#"{kind} 2026-11-22T07:25:33.186641Z app/my-lb/50dc6c495c0c9188 192.0.2.7:2817 198.51.100.7:80 0.000 0.048 0.037 502 200 34 366 "GET https://www.example.com:443/a?b=1 HTTP/2.0" "x \"y\" z"{more}"#
                );
                has(
                    &line,
                    &[
                        (Field::Time, "2026-11-22T07:25:33.186641Z"),
                        (Field::ClientAddr, "192.0.2.7"),
                        (Field::UpstreamAddr, "198.51.100.7:80"),
                        (Field::Status, "502"),
                        (Field::OriginStatus, "200"),
                        (Field::BytesSent, "366"),
                        (
                            Field::Request,
                            "GET https://www.example.com:443/a?b=1 HTTP/2.0",
                        ),
                        (Field::UserAgent, r#"x \"y\" z"#),
                    ],
                );
            }
        }
    }

    #[test]
    fn a_failure_without_a_target() {
        has(
            r#"http 2026-11-22T07:25:33.186641Z app/my-lb/50dc6c495c0c9188 [2001:db8::7]:2817 - -1 -1 -1 503 - 34 366 "GET http://www.example.com:80/ HTTP/1.1" "-" - - -"#,
            &[
                (Field::ClientAddr, "2001:db8::7"),
                (Field::UpstreamAddr, "-"),
                (Field::Status, "503"),
                (Field::OriginStatus, "-"),
                (Field::UserAgent, "-"),
            ],
        );
    }

    #[test]
    fn classic_balancers() {
        let line = r#"2026-11-22T07:25:33.943958Z my-lb 192.0.2.7:2817 10.0.0.1:80 0.000073 0.001048 0.000057 504 200 0 29 "GET http://www.example.com:80/ HTTP/1.1""#;
        has(line, &[(Field::Status, "504"), (Field::BytesSent, "29")]);
        has(
            &format!("{line} \"curl/8\" - -"),
            &[(Field::UserAgent, "curl/8")],
        );
    }

    #[test]
    fn records_without_a_request_are_refused() {
        for line in [
            // A listener for TCP of a Classic balancer, a network balancer, connections.
            r#"2026-11-22T07:25:33.943958Z my-lb 192.0.2.7:2817 10.0.0.1:80 0.001 0.000 0.000 - - 82 305 "- - - " "-" - -"#,
            "tls 2.0 2026-11-22T07:25:33 net/my-nlb/c6e77e28c25b2234 g3d4b5e8bb8464cd 192.0.2.7:2817 10.0.0.1:80 5 2 98 246 - - - - - - - - -",
            r#"2026-11-22T07:25:33.514108Z 192.0.2.7 36280 443 TLSv1.2 ECDHE-RSA-AES128-GCM-SHA256 4.036 "CN=a" NotBefore=1 FEF2 Success"#,
            // Cut, or of another kind.
            "http 2026-11-22T07:25:33.186641Z app/my-lb/50 192.0.2.7:2817 10.0.0.1:80 0.000 0.001 0.000 200 200 34 366 \"GET http",
            "http 2026-11-22T07:25:33.186641Z app/my-lb/50 192.0.2.7:2817",
            "http 2026-11-22T07:25:33.186641Z my-lb 192.0.2.7:2817 10.0.0.1:80 0.000 0.001 0.000 200 200 34 366 \"GET / HTTP/1.1\" \"x\"",
            "2026-11-22T07:25:33.186641Z",
            "2026-11-22 07:25:33 a b",
            "",
        ] {
            assert!(read(line).is_err(), "{line}");
        }
    }
}
