//! Squid's own layout, `squid`, which Traffic Server took over:
//! `epoch.mmm ms client TAG/status bytes METHOD url user HIERARCHY/peer type`, and what people put behind it.
//!
//! The two are told apart by how each writes. Squid pads the milliseconds to six places, begins most words of the
//! hierarchy with `HIER_`, and has results of its own (`TCP_DENIED`, `_ABORTED`); Traffic Server never pads, and names
//! failures in the result (`ERR_CONNECT_FAIL`). Sources: squid src/LogTags.cc, src/hier_code.h, src/log/FormatSquidNative.cc;
//! trafficserver src/proxy/logging/LogAccess.cc, configs/logging.yaml.default.

use memchr::memchr;
use model::{Edge, Field};

use super::{
    Reason,
    ncsa::Ncsa,
    tail,
    value::{is_number, is_status},
};
use crate::visit::Spans;

/// Finds the fields of a line of this layout.
pub(super) fn parse(line: &[u8], spans: &mut Spans) -> Result<(), Reason> {
    find(line, Edge::Squid, spans)
}

/// Finds the fields of a line in the layout that both products write, if `edge` wrote it.
pub(super) fn find(line: &[u8], edge: Edge, spans: &mut Spans) -> Result<(), Reason> {
    let mut words = Words { line, at: 0 };
    let (time, time_end) = words.next().ok_or(Reason::UnknownLayout)?;
    if !is_epoch(word(line, time, time_end)) {
        return Err(Reason::UnknownLayout);
    }
    let (millis, millis_end) = words.next().ok_or(Reason::LineEndsEarly)?;
    let is_padded = millis > time_end + 1;
    if !is_number(word(line, millis, millis_end)) {
        return Err(Reason::UnknownLayout);
    }
    let (client, client_end) = words.next().ok_or(Reason::LineEndsEarly)?;
    let (result, result_end) = words.next().ok_or(Reason::LineEndsEarly)?;
    let slash = split(line, result, result_end)?;
    let (status, bytes) = (slash + 1, words.next().ok_or(Reason::LineEndsEarly)?);
    if !is_tag(word(line, result, slash)) {
        return Err(Reason::UnknownLayout);
    }
    if !is_status(word(line, status, result_end)) {
        return Err(Reason::StatusNotNumber);
    }
    if !is_number(word(line, bytes.0, bytes.1)) {
        return Err(Reason::BytesNotNumber);
    }
    let method = words.next().ok_or(Reason::LineEndsEarly)?;
    let url = words.next().ok_or(Reason::LineEndsEarly)?;
    let user = words.next().ok_or(Reason::LineEndsEarly)?;
    let (way, way_end) = words.next().ok_or(Reason::LineEndsEarly)?;
    let peer = split(line, way, way_end)?;
    if writer(word(line, result, slash), word(line, way, peer), is_padded) != edge {
        return Err(Reason::UnknownLayout);
    }
    spans.set(Field::Time, time, time_end);
    spans.set(Field::DurationMillis, millis, millis_end);
    spans.set(Field::ClientAddr, client, client_end);
    spans.set(Field::ResultCode, result, slash);
    spans.set(Field::Status, status, result_end);
    spans.set(Field::BytesSent, bytes.0, bytes.1);
    spans.set(Field::Method, method.0, method.1);
    // Squid puts a reason of its own where there was no request: `error:invalid-request`.
    if !word(line, url.0, url.1).starts_with(b"error:") {
        spans.set(Field::Target, url.0, url.1);
    }
    spans.set(Field::RemoteUser, user.0, user.1);
    spans.set(Field::Hierarchy, way, peer);
    spans.set(Field::UpstreamAddr, peer + 1, way_end);
    if words.next().is_some() {
        tail::of_squid(line, words.at, spans);
    }
    Ok(())
}

/// What Squid's `common` and `combined` have behind what every other product has: ` TCP_MISS:HIER_DIRECT`. The name of
/// the layout.
pub(super) fn result_and_way(line: &[u8], found: &Ncsa, spans: &mut Spans) -> Option<&'static str> {
    let start = found.tail + 1;
    let tail = line.get(found.tail..)?.strip_prefix(b" ")?;
    let colon = memchr(b':', tail)?;
    let (result, way) = (word(tail, 0, colon), word(tail, colon + 1, tail.len()));
    let begins_well = result.starts_with(b"TCP_")
        || result.starts_with(b"NONE")
        || result.starts_with(b"TAG_NONE");
    if !begins_well || !is_tag(result) || !is_tag(way) {
        return None;
    }
    spans.set(Field::ResultCode, start, start + colon);
    spans.set(Field::Hierarchy, start + colon + 1, line.len());
    Some(match found.combined {
        true => "squid-combined",
        false => "squid-common",
    })
}

/// Words of a line with their places, blanks between them in any number.
struct Words<'line> {
    line: &'line [u8],
    at: usize,
}

impl Words<'_> {
    fn next(&mut self) -> Option<(usize, usize)> {
        let rest = self.line.get(self.at..)?;
        let start = self.at + rest.iter().position(|byte| *byte != b' ')?;
        let rest = self.line.get(start..)?;
        let end = memchr(b' ', rest).map_or(self.line.len(), |len| start + len);
        self.at = end;
        Some((start, end))
    }
}

fn word(line: &[u8], start: usize, end: usize) -> &[u8] {
    line.get(start..end).unwrap_or_default()
}

/// The slash of `A/B`.
fn split(line: &[u8], start: usize, end: usize) -> Result<usize, Reason> {
    memchr(b'/', word(line, start, end))
        .map(|at| start + at)
        .ok_or(Reason::UnknownLayout)
}

/// Ten digits, with or without milliseconds.
fn is_epoch(text: &[u8]) -> bool {
    let (whole, fraction) = match memchr(b'.', text) {
        Some(dot) => (word(text, 0, dot), word(text, dot + 1, text.len())),
        None => (text, b"".as_slice()),
    };
    whole.len() == 10
        && matches!(fraction.len(), 0 | 3)
        && whole.iter().chain(fraction).all(u8::is_ascii_digit)
}

/// `TCP_MISS`, `NONE`.
fn is_tag(text: &[u8]) -> bool {
    text.len() >= 3
        && text
            .iter()
            .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || *byte == b'_')
}

/// Words of the hierarchy that Traffic Server does not have.
const SQUIDS_WAYS: [&[u8]; 11] = [
    b"FIRSTUP_PARENT",
    b"ROUNDROBIN_PARENT",
    b"ANY_OLD_PARENT",
    b"CARP",
    b"USERHASH_PARENT",
    b"SOURCEHASH_PARENT",
    b"PINNED",
    b"ORIGINAL_DST",
    b"STANDBY_POOL",
    b"CLOSEST_PARENT",
    b"CLOSEST_DIRECT",
];

/// Beginnings of results that Traffic Server does not have.
const SQUIDS_RESULTS: [&[u8]; 9] = [
    b"NONE",
    b"TAG_NONE",
    b"TCP_DENIED",
    b"TCP_TUNNEL",
    b"TCP_REDIRECT",
    b"TCP_OFFLINE_HIT",
    b"TCP_NEGATIVE_HIT",
    b"TCP_INM_HIT",
    b"TCP_REFRESH_",
];

/// Who wrote a line: by words that only one of the two has, else by the padding.
fn writer(result: &[u8], way: &[u8], is_padded: bool) -> Edge {
    let begins_with = |known: &&[u8]| result.starts_with(known);
    // Both have these two.
    let is_shared = matches!(result, b"TCP_REFRESH_HIT" | b"TCP_REFRESH_MISS");
    let is_squids = way.starts_with(b"HIER_")
        || way.starts_with(b"CD_")
        || SQUIDS_WAYS.contains(&way)
        || SQUIDS_RESULTS.iter().any(begins_with) && !is_shared
        || result.ends_with(b"_ABORTED")
        || result.ends_with(b"_TIMEDOUT");
    match is_squids {
        true => Edge::Squid,
        false if result.starts_with(b"ERR_") => Edge::TrafficServer,
        false if is_padded => Edge::Squid,
        false => Edge::TrafficServer,
    }
}
