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
    let is_inside = memchr(b'{', &text[..blank]).is_some() && memchr(b'}', &text[..blank]).is_none();
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
        let before = memmem::rfind(&quoted[..end], BETWEEN).ok_or(Reason::LineEndsEarly)?;
        spans.set(field, start + before + BETWEEN.len(), start + end);
        end = before;
    }
    let forwarded = memmem::find(&quoted[..end], BETWEEN).ok_or(Reason::LineEndsEarly)?;
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

/// The last public address of a list; the last one of all where none is public.
fn last_public(list: &[u8]) -> Option<Range> {
    /// Addresses looked at: more are no list of hops.
    const HOPS_MAX: usize = 16;
    let mut end = list.len();
    let mut last = None;
    for _ in 0..HOPS_MAX {
        let start = memrchr(b',', list.get(..end)?).map_or(0, |comma| comma + 1);
        let part = list.get(start..end)?;
        let blanks = part.len() - part.trim_ascii_start().len();
        let text = part.trim_ascii();
        let (from, to) = host_range(text);
        let found = (start + blanks + from, start + blanks + to);
        if is_public_text(text.get(from..to)?) {
            return Some(found);
        }
        last = last.or(Some(found).filter(|_| !text.is_empty()));
        if start == 0 {
            break;
        }
        end = start - 1;
    }
    last
}

/// Where the host of `host:port`, `[host]:port` or a bare address stands.
fn host_range(text: &[u8]) -> Range {
    if text.first() == Some(&b'[') {
        return (1, memchr(b']', text).unwrap_or(text.len()).max(1));
    }
    match (memchr(b':', text), memrchr(b':', text)) {
        (Some(first), Some(last)) if first == last => (0, first),
        _ => (0, text.len()),
    }
}

fn is_public_text(text: &[u8]) -> bool {
    std::str::from_utf8(text)
        .ok()
        .and_then(|text| text.parse::<IpAddr>().ok())
        .is_some_and(|address| is_public(address.to_canonical()))
}
