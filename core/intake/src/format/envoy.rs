//! Envoy's own text layouts: the default one, Istio's of all releases, Emissary's.
//!
//! `[START] "METHOD PATH PROTOCOL" CODE FLAGS ... RECEIVED SENT DURATION SERVICE "XFF" "AGENT" "ID" "HOST" "UPSTREAM"`;
//! Istio has details and the transport failure reason behind the flags, and more words behind the upstream.
//!
//! Envoy escapes nothing, so an agent may hold quotes, blanks and what looks like the rest of a line. What the edge
//! itself says is therefore read from the ends: status, flags, details and times from the left, where the only words of
//! a client are a path without blanks; upstream, host and id from the right. The agent is what is left between them.
//!
//! Sources: envoy `source/common/formatter/substitution_formatter.cc`; istio `pilot/pkg/model/...` and its
//! documentation of access logs.

use std::net::IpAddr;

use memchr::{memchr, memmem, memrchr};
use model::Field;

use super::{Reason, value::is_status};
use crate::identity::is_public;
use crate::literal::{finder, last_finder};
use crate::sender::{host_range, last_public};
use crate::visit::{Spans, Visit};

/// Begins a line of Emissary (Ambassador).
const EMISSARY: &[u8] = b"ACCESS ";

/// Finds the fields of a line of this layout.
pub(super) fn parse(line: &[u8], spans: &mut Spans) -> Result<(), Reason> {
    let mut at = Cursor { line, at: 0 };
    at.eat(EMISSARY);
    at.expect(b"[")?;
    let time = at.until(b"] \"")?;
    if !begins_like_stamp(&line[time.0..time.1]) {
        return Err(Reason::UnknownLayout);
    }
    let request = request(&mut at)?;
    let status = at.word()?;
    if !is_status(&line[status.0..status.1]) {
        return Err(Reason::StatusNotNumber);
    }
    let flags = at.word()?;
    if !are_flags(&line[flags.0..flags.1]) {
        return Err(Reason::UnknownLayout);
    }
    middle(&mut at, spans)?;
    for (field, (start, end)) in [
        (Field::Time, time),
        (Field::Status, status),
        (Field::ResponseFlags, flags),
    ] {
        spans.set(field, start, end);
    }
    request.set(spans);
    client_side(&mut at, spans)
}

/// `2026-11-24T13:30:00.279Z`: what other layouts in brackets do not begin with.
fn begins_like_stamp(text: &[u8]) -> bool {
    matches!(text, [a, _, _, _, b'-', _, _, b'-', _, _, b'T', ..] if a.is_ascii_digit())
}

/// One or more words of upper-case letters or names in PascalCase, joined by commas; `-` for none.
pub(super) fn are_flags(text: &[u8]) -> bool {
    text == b"-"
        || text.first().is_some_and(u8::is_ascii_uppercase)
            && text
                .iter()
                .all(|byte| byte.is_ascii_alphanumeric() || *byte == b',')
}

type Range = (usize, usize);

/// A request line taken apart.
struct RequestLine {
    method: Range,
    target: Range,
    protocol: Range,
}

impl RequestLine {
    fn set(&self, spans: &mut Spans) {
        spans.set(Field::Method, self.method.0, self.method.1);
        spans.set(Field::Target, self.target.0, self.target.1);
        spans.set(Field::Protocol, self.protocol.0, self.protocol.1);
    }
}

/// `METHOD PATH PROTOCOL" `: the first quote behind a protocol. A path may hold quotes, yet no blank.
fn request(at: &mut Cursor<'_>) -> Result<RequestLine, Reason> {
    let method = at.word()?;
    let target = at.word()?;
    let protocol = at.until(b"\" ")?;
    let text = &at.line[protocol.0..protocol.1];
    let is_http = text.starts_with(b"HTTP/") || text == b"-";
    // A TCP proxy's line: a connection, no request.
    let is_connection = text == b"-" && at.line[method.0..method.1] == *b"-";
    if !is_http || is_connection {
        return Err(Reason::NotRequest);
    }
    Ok(RequestLine {
        method,
        target,
        protocol,
    })
}

/// What stands between the flags and the client's own words: the four numbers, and before them what Istio adds.
fn middle(at: &mut Cursor<'_>, spans: &mut Spans) -> Result<(), Reason> {
    if numbers(at, spans) {
        return Ok(());
    }
    // Older Istio: the mixer's status in quotes; newer: details and how the connection ended.
    if at.peek() == Some(b'"') {
        at.expect(b"\"")?;
        at.until(b"\" ")?;
    } else {
        let details = at.until(b" \"")?;
        at.at = details.1 + 1;
        set_details(at.line, details, spans);
    }
    if at.peek() != Some(b'"') {
        return if numbers(at, spans) {
            Ok(())
        } else {
            Err(Reason::UnknownLayout)
        };
    }
    at.expect(b"\"")?;
    let start = at.at;
    // The reason is Envoy's own text; should it hold quotes, the numbers tell where it ends.
    loop {
        let (_, end) = at.until(b"\" ")?;
        if numbers(at, spans) {
            spans.set(Field::UpstreamError, start, end);
            return Ok(());
        }
    }
}

/// `details` or `details termination`. Old releases wrote details with blanks in them.
fn set_details(line: &[u8], (start, end): Range, spans: &mut Spans) {
    let text = &line[start..end];
    let Some(blank) = memrchr(b' ', text) else {
        spans.set(Field::ResponseCodeDetails, start, end);
        return;
    };
    // A brace that is still open belongs to the details.
    let is_inside =
        memchr(b'{', &text[..blank]).is_some() && memchr(b'}', &text[..blank]).is_none();
    if is_inside {
        spans.set(Field::ResponseCodeDetails, start, end);
    } else {
        spans.set(Field::ResponseCodeDetails, start, start + blank);
        spans.set(Field::TerminationDetails, start + blank + 1, end);
    }
}

/// Bytes received and sent, duration and the upstream's service time, then the quote of the next value. Leaves the
/// cursor where it was if something else stands there.
fn numbers(at: &mut Cursor<'_>, spans: &mut Spans) -> bool {
    let start = at.at;
    let mut four = [(0, 0); 4];
    for slot in &mut four {
        match at.word() {
            Ok(word) if is_count(&at.line[word.0..word.1]) => *slot = word,
            _ => {
                at.at = start;
                return false;
            }
        }
    }
    if at.peek() != Some(b'"') {
        at.at = start;
        return false;
    }
    let [_, sent, duration, service] = four;
    spans.set(Field::BytesSent, sent.0, sent.1);
    spans.set(Field::DurationMillis, duration.0, duration.1);
    spans.set(Field::ResponseMillis, service.0, service.1);
    true
}

fn is_count(text: &[u8]) -> bool {
    text == b"-" || !text.is_empty() && text.iter().all(u8::is_ascii_digit)
}

/// `"XFF" "AGENT" "ID" "HOST" "UPSTREAM"` and Istio's words behind it.
fn client_side(at: &mut Cursor<'_>, spans: &mut Spans) -> Result<(), Reason> {
    const BETWEEN: &[u8] = b"\" \"";
    let line = at.line;
    at.expect(b"\"")?;
    let start = at.at;
    let close = memrchr(b'"', line)
        .filter(|close| *close >= start)
        .ok_or(Reason::LineEndsEarly)?;
    tail(line, close + 1, spans)?;
    let quoted = &line[start..close];
    let mut end = quoted.len();
    for field in [Field::UpstreamAddr, Field::Host, Field::RequestId] {
        let before = last_finder!(BETWEEN)
            .rfind(&quoted[..end])
            .ok_or(Reason::LineEndsEarly)?;
        spans.set(field, start + before + BETWEEN.len(), start + end);
        end = before;
    }
    let forwarded = finder!(BETWEEN)
        .find(&quoted[..end])
        .ok_or(Reason::LineEndsEarly)?;
    spans.set(Field::ForwardedFor, start, start + forwarded);
    let agent = start + forwarded + BETWEEN.len();
    spans.set(Field::UserAgent, agent, start + end);
    Ok(())
}

/// Nothing, or cluster, the upstream's and the client's side of both connections, server name, and from Istio 1.3 on the
/// route.
fn tail(line: &[u8], start: usize, spans: &mut Spans) -> Result<(), Reason> {
    let mut at = Cursor { line, at: start };
    if at.at == line.len() {
        return Ok(());
    }
    at.expect(b" ")?;
    let cluster = at.word()?;
    spans.set(Field::UpstreamName, cluster.0, cluster.1);
    let Ok(local) = at.word() else {
        return Ok(());
    };
    spans.set(Field::UpstreamLocalAddr, local.0, local.1);
    if at.word().is_ok()
        && let Ok(client) = at.word()
    {
        spans.set(Field::ClientAddr, client.0, client.1);
    }
    Ok(())
}

/// A cursor over a line.
struct Cursor<'line> {
    line: &'line [u8],
    at: usize,
}

impl<'line> Cursor<'line> {
    fn rest(&self) -> &'line [u8] {
        self.line.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<u8> {
        self.line.get(self.at).copied()
    }

    /// Steps over `text` if it stands here.
    fn eat(&mut self, text: &[u8]) -> bool {
        let fits = self.rest().starts_with(text);
        if fits {
            self.at += text.len();
        }
        fits
    }

    fn expect(&mut self, text: &[u8]) -> Result<(), Reason> {
        if self.eat(text) {
            Ok(())
        } else if self.rest().is_empty() {
            Err(Reason::LineEndsEarly)
        } else {
            Err(Reason::UnknownLayout)
        }
    }

    /// What stands before `end`; steps over both.
    fn until(&mut self, end: &[u8]) -> Result<Range, Reason> {
        let len = memmem::find(self.rest(), end).ok_or(Reason::LineEndsEarly)?;
        let range = (self.at, self.at + len);
        self.at = range.1 + end.len();
        Ok(range)
    }

    /// A word that is not empty, and the blank behind it if there is one.
    fn word(&mut self) -> Result<Range, Reason> {
        let len = memchr(b' ', self.rest()).unwrap_or(self.rest().len());
        if len == 0 {
            return Err(Reason::LineEndsEarly);
        }
        let range = (self.at, self.at + len);
        self.at = (range.1 + 1).min(self.line.len());
        Ok(range)
    }
}

/// Leaves one address as the client's, without its port: the one that Envoy takes for it, or, where that is a hop of the
/// site's own (a load balancer, a sidecar's neighbour), the last public one of those forwarded. What a client itself
/// claims stands further to the left.
pub(super) fn settle_client(line: &[u8], scratch: &[u8], spans: &mut Spans) {
    let visit = Visit::new(line, scratch, spans);
    let own = visit.value(Field::ClientAddr);
    let host = own.map(host_range);
    if let (Some(own), Some((start, end))) = (own, host)
        && is_public_text(own.get(start..end).unwrap_or_default())
    {
        spans.narrow(Field::ClientAddr, Field::ClientAddr, start, end);
        return;
    }
    let forwarded = visit.value(Field::ForwardedFor).and_then(last_public);
    let Some((start, end)) = forwarded else {
        if let Some((start, end)) = host {
            spans.narrow(Field::ClientAddr, Field::ClientAddr, start, end);
        }
        return;
    };
    spans.narrow(Field::ClientAddr, Field::ForwardedFor, start, end);
}

fn is_public_text(text: &[u8]) -> bool {
    std::str::from_utf8(text)
        .ok()
        .and_then(|text| text.parse::<IpAddr>().ok())
        .is_some_and(|address| is_public(address.to_canonical()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::testing::{Fields, fields};

    const BOT: &str = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)";

    fn read(line: &str) -> Result<Fields, Reason> {
        let mut spans = Spans::new();
        parse(line.as_bytes(), &mut spans)?;
        settle_client(line.as_bytes(), &[], &mut spans);
        Ok(fields(line.as_bytes(), &[], &spans))
    }

    #[track_caller]
    fn check(line: &str, wanted: &[(Field, &str)]) {
        let found = read(line).unwrap();
        for (field, value) in wanted {
            assert_eq!(
                found.get(*field),
                Some(*value),
                "{} in {line}",
                field.name()
            );
        }
    }

    #[test]
    fn the_default_layout() {
        let line = format!(
            r#"[2026-11-24T13:30:00.279Z] "GET /product/17?x=1 HTTP/2" 503 URX,UF 0 121 7 - "192.0.2.18" "{BOT}" "9fcc7101-13bd" "shop.example" "10.0.0.7:8080""#
        );
        let wanted = [
            (Field::Time, "2026-11-24T13:30:00.279Z"),
            (Field::Method, "GET"),
            (Field::Target, "/product/17?x=1"),
            (Field::Protocol, "HTTP/2"),
            (Field::Status, "503"),
            (Field::ResponseFlags, "URX,UF"),
            (Field::BytesSent, "121"),
            (Field::DurationMillis, "7"),
            (Field::ResponseMillis, "-"),
            (Field::ForwardedFor, "192.0.2.18"),
            (Field::ClientAddr, "192.0.2.18"),
            (Field::UserAgent, BOT),
            (Field::RequestId, "9fcc7101-13bd"),
            (Field::Host, "shop.example"),
            (Field::UpstreamAddr, "10.0.0.7:8080"),
        ];
        check(&line, &wanted);
        // Emissary's begins with a word.
        check(&format!("ACCESS {line}"), &wanted);
        let found = read(&line).unwrap();
        assert_eq!(found.get(Field::ResponseCodeDetails), None);
    }

    #[test]
    fn istio_of_every_release() {
        let head = r#"[2026-11-24T13:30:00.279Z] "GET / HTTP/1.1" 503 UF"#;
        let rest = format!(
            r#"0 95 1 - "192.0.2.18,10.0.0.1" "{BOT}" "id" "shop.example" "10.0.0.7:8080" outbound|80||web.svc - 10.1.0.4:8080 10.0.0.1:4711 outbound_.80_._.web.svc default"#
        );
        let own = [
            (Field::Status, "503"),
            (Field::UpstreamName, "outbound|80||web.svc"),
            (Field::UpstreamLocalAddr, "-"),
            (Field::UserAgent, BOT),
            (Field::UpstreamAddr, "10.0.0.7:8080"),
            // The neighbour is a hop; the last public address that it forwarded is the client's.
            (Field::ClientAddr, "192.0.2.18"),
        ];
        let reason = "delayed_connect_error:_111";
        for (middle, details) in [
            // 1.9 and later, 1.8, and with a reason that holds blanks.
            (
                format!(
                    r#"upstream_reset_before_response_started{{connection_failure}} - "{reason}""#
                ),
                Some("upstream_reset_before_response_started{connection_failure}"),
            ),
            (format!(r#"via_upstream "{reason}""#), Some("via_upstream")),
            (
                format!(
                    r#"upstream_reset_before_response_started{{connection failure,x y}} - "{reason}""#
                ),
                Some("upstream_reset_before_response_started{connection failure,x y}"),
            ),
            // With the mixer's status, and with nothing else.
            (format!(r#""-" "{reason}""#), None),
        ] {
            let line = format!("{head} {middle} {rest}");
            check(&line, &own);
            let found = read(&line).unwrap();
            assert_eq!(found.get(Field::UpstreamError), Some(reason), "{line}");
            assert_eq!(found.get(Field::ResponseCodeDetails), details, "{line}");
        }
        // Before 1.3 the route's name was not there.
        let short = format!("{head} \"-\" \"-\" {}", rest.trim_end_matches(" default"));
        check(&short, &own);
    }

    #[test]
    fn an_agent_cannot_write_what_the_edge_says() {
        let forged = [
            r#"x" "id" "host" "192.0.2.66:1" 200 - "y"#,
            r#"[2026-11-24T13:30:00.279Z] "GET /forged HTTP/1.1" 200 - 0 1 1 1 "192.0.2.66" "z" "id" "h" "u""#,
            r#"" "#,
            "\u{1}\u{7f} \\\" \\",
            "Mozilla/5.0 [x] {\"a\":1}",
        ];
        for agent in forged {
            let line = format!(
                r#"[2026-11-24T13:30:00.279Z] "GET /real HTTP/1.1" 502 UPE upstream_reset_before_response_started{{protocol_error}} - "-" 0 87 3 - "192.0.2.18" "{agent}" "real-id" "shop.example" "10.0.0.7:8080" c - 10.1.0.4:80 192.0.2.18:0 - -"#
            );
            check(
                &line,
                &[
                    (Field::Target, "/real"),
                    (Field::Status, "502"),
                    (Field::ResponseFlags, "UPE"),
                    (
                        Field::ResponseCodeDetails,
                        "upstream_reset_before_response_started{protocol_error}",
                    ),
                    (Field::UserAgent, agent),
                    (Field::RequestId, "real-id"),
                    (Field::Host, "shop.example"),
                    (Field::UpstreamAddr, "10.0.0.7:8080"),
                    (Field::ClientAddr, "192.0.2.18"),
                ],
            );
        }
    }

    #[test]
    fn quotes_in_a_path_and_upstreams_of_all_kinds() {
        for upstream in [
            "-",
            "10.0.0.7:8080",
            "[2001:db8::5]:8080",
            "/run/app.sock",
            "tcp://10.0.2.1:80",
        ] {
            let line = format!(
                r#"[2016-04-15T20:17:00.310Z] "GET /a"b HTTP/1.1" 200 - 154 0 226 100 "2001:db8::7" "-" "-" "shop.example" "{upstream}""#
            );
            check(
                &line,
                &[
                    (Field::Target, "/a\"b"),
                    (Field::UpstreamAddr, upstream),
                    (Field::ClientAddr, "2001:db8::7"),
                    (Field::ResponseMillis, "100"),
                ],
            );
        }
        // What is no HTTP has no method and no path, yet a status.
        let line =
            r#"[2026-11-24T13:30:00.279Z] "- - HTTP/1.1" 400 DPE 0 11 0 - "-" "-" "-" "-" "-""#;
        check(
            line,
            &[(Field::Status, "400"), (Field::ResponseFlags, "DPE")],
        );
    }

    #[test]
    fn what_is_cut_and_what_is_no_request_is_refused() {
        let whole =
            r#"[2026-11-24T13:30:00.279Z] "GET / HTTP/1.1" 503 UF 0 121 7 - "-" "a" "b" "c" "d""#;
        assert!(read(whole).is_ok());
        for end in 0..whole.len() {
            if whole.is_char_boundary(end) {
                assert!(read(&whole[..end]).is_err(), "{}", &whole[..end]);
            }
        }
        for line in [
            // A TCP proxy's connection.
            r#"[2026-11-24T13:30:00.279Z] "- - -" 0 UF 0 0 1 - "-" "-" "-" "-" "10.0.0.7:3306""#,
            "[2026-11-24 14:30:00.032][18135][warning][main] [source/server/server.cc:1059] There is no configured limit",
            r#"[22/Nov/2026:07:25:33 +0000] "GET / HTTP/1.1" 200 1"#,
        ] {
            assert!(read(line).is_err(), "{line}");
        }
    }

    #[test]
    fn the_clients_address_is_not_one_that_it_claims() {
        for (own, forwarded, client) in [
            ("192.0.2.18:4711", "198.51.100.66", "192.0.2.18"),
            ("[2001:db8::7]:4711", "-", "2001:db8::7"),
            (
                "10.0.0.1:4711",
                "198.51.100.66, 192.0.2.18,10.0.0.9",
                "192.0.2.18",
            ),
            ("10.0.0.1:4711", "-", "10.0.0.1"),
            ("10.0.0.1:4711", "unknown, 10.0.0.2", "10.0.0.2"),
            ("127.0.0.1:0", "192.0.2.18:99", "192.0.2.18"),
        ] {
            let line = format!(
                r#"[2026-11-24T13:30:00.279Z] "GET / HTTP/1.1" 200 - via_upstream - "-" 0 1 1 1 "{forwarded}" "a" "b" "c" "d" c l x {own} - -"#
            );
            check(&line, &[(Field::ClientAddr, client)]);
        }
    }
}
