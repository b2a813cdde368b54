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

/// What Squid's `common` and `combined` have behind what every other product has: ` TCP_MISS:HIER_DIRECT`.
pub(super) fn result_and_way(line: &[u8], found: &Ncsa, spans: &mut Spans) -> bool {
    let start = found.tail + 1;
    let tail = line.get(start..).unwrap_or_default();
    let Some(colon) = memchr(b':', tail).filter(|_| line.get(found.tail) == Some(&b' ')) else {
        return false;
    };
    let (result, way) = (word(tail, 0, colon), word(tail, colon + 1, tail.len()));
    let begins_well = result.starts_with(b"TCP_")
        || result.starts_with(b"NONE")
        || result.starts_with(b"TAG_NONE");
    if !begins_well || !is_tag(result) || !is_tag(way) {
        return false;
    }
    spans.set(Field::ResultCode, start, start + colon);
    spans.set(Field::Hierarchy, start + colon + 1, line.len());
    true
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;
    use crate::format::{
        Formats, Layout,
        testing::{Fields, fields},
    };

    #[track_caller]
    fn read(line: &str) -> (Edge, Fields) {
        let mut spans = Spans::new();
        let format = Formats::new(Vec::new())
            .recognise(line.as_bytes(), &mut Vec::new(), &mut spans)
            .unwrap_or_else(|reason| panic!("{reason}: {line}"));
        (format.edge, fields(line.as_bytes(), &[], &spans))
    }

    #[test]
    fn both_products_default_layouts_are_told_apart() {
        for (line, edge) in [
            // Squid 6, 5, 4; 3.1 and 2.7 without the prefix of the hierarchy; Traffic Server 9 and 10.
            (
                "1795332333.652    285 192.0.2.7 TCP_MISS/200 4123 GET http://shop.example/a? - FIRSTUP_PARENT/10.0.0.5 text/html",
                Edge::Squid,
            ),
            (
                "1795332333.652      0 192.0.2.7 TCP_MISS/502 3413 GET http://shop.example/a - HIER_NONE/- text/html",
                Edge::Squid,
            ),
            (
                "1795332333.652 120285 192.0.2.7 TCP_MISS_ABORTED/000 0 GET http://shop.example/a - HIER_DIRECT/2001:db8::5 -",
                Edge::Squid,
            ),
            (
                "1795332333.652    285 192.0.2.7 TCP_MISS/200 4123 GET http://shop.example/a - DIRECT/10.0.0.5 text/html",
                Edge::Squid,
            ),
            (
                "1795332333.652      0 192.0.2.7 TCP_HIT/200 4123 GET http://shop.example/a - NONE/- text/html",
                Edge::Squid,
            ),
            (
                "1795332333.652 285 192.0.2.7 TCP_MISS/200 4123 GET http://10.0.0.5:80/a - DIRECT/10.0.0.5 text/html",
                Edge::TrafficServer,
            ),
            (
                "1795332333.652 0 192.0.2.7 ERR_CONNECT_FAIL/502 450 GET http://10.0.0.5/a - DIRECT/app.shop.example text/html",
                Edge::TrafficServer,
            ),
            (
                "1795332333 0 2001:db8::7 TCP_REFRESH_HIT/304 450 GET http://10.0.0.5/a - PARENT_HIT/[2001:db8::5] -",
                Edge::TrafficServer,
            ),
        ] {
            let (found, fields) = read(line);
            assert_eq!(found, edge, "{line}");
            assert!(
                fields
                    .get(Field::Target)
                    .is_some_and(|url| url.contains("/a"))
            );
        }
    }

    #[test]
    fn pairs_and_an_agent_may_follow() {
        let (edge, fields) = read(
            r#"1795332333.652 3 192.0.2.7 ERR_CONNECT_FAIL/502 247 GET http://shop.example/a - DIRECT/10.0.0.5 text/html origin_status=000 finish_status=INTR retries=3 response_reason="Connection refused" "Shop "Herbst" 4.2""#,
        );
        assert_eq!(edge, Edge::TrafficServer);
        for (field, text) in [
            (Field::OriginStatus, "000"),
            (Field::FinishStatus, "INTR"),
            (Field::Retries, "3"),
            (Field::ResponseReason, "Connection refused"),
            (Field::UserAgent, r#"Shop "Herbst" 4.2"#),
            (Field::UpstreamAddr, "10.0.0.5"),
        ] {
            assert_eq!(fields.get(field), Some(text), "{field:?}");
        }
    }

    #[test]
    fn what_was_no_request_has_no_target() {
        let (edge, fields) = read(
            "1795332333.652      0 192.0.2.7 NONE_NONE/400 3413 - error:invalid-request - HIER_NONE/- text/html",
        );
        assert_eq!(edge, Edge::Squid);
        assert_eq!(fields.get(Field::Target), None);
    }

    #[test]
    fn cut_lines_and_other_layouts_are_refused() {
        let line = "1795332333.652    285 192.0.2.7 TCP_MISS/200 4123 GET http://shop.example/a - FIRSTUP_PARENT/10.0.0.5 text/html";
        let last = line.find("FIRSTUP").unwrap() + 3;
        for end in 0..last {
            let cut = line.get(..end).unwrap();
            assert!(parse(cut.as_bytes(), &mut Spans::new()).is_err(), "{cut}");
        }
        for other in [
            "1795332333.652 285 192.0.2.7 hello/200 4123 GET /a - DIRECT/x -",
            "1795332333.652 285 192.0.2.7 TCP_MISS/2000 4123 GET /a - DIRECT/x -",
            "2026-11-22 285 192.0.2.7 TCP_MISS/200 4123 GET /a - DIRECT/x -",
        ] {
            for edge in [Edge::Squid, Edge::TrafficServer] {
                assert!(
                    find(other.as_bytes(), edge, &mut Spans::new()).is_err(),
                    "{other}"
                );
            }
        }
    }

    #[test]
    fn combined_ends_in_result_and_hierarchy() {
        let (edge, fields) = read(
            r#"192.0.2.7 - - [22/Nov/2026:07:25:33 +0000] "GET http://shop.example/a? HTTP/1.1" 0 0 "-" "Shop "Herbst" 4.2" TCP_MISS_ABORTED:FIRSTUP_PARENT"#,
        );
        assert_eq!(edge, Edge::Squid);
        assert_eq!(fields.get(Field::ResultCode), Some("TCP_MISS_ABORTED"));
        assert_eq!(fields.get(Field::Hierarchy), Some("FIRSTUP_PARENT"));
        assert_eq!(fields.get(Field::UserAgent), Some(r#"Shop "Herbst" 4.2"#));
    }

    #[test]
    fn extended2_is_traffic_servers() {
        let (edge, fields) = read(
            r#"192.0.2.7 - - [22/Nov/2026:07:25:33 -0000] "GET http://10.0.0.5/a HTTP/1.1" 502 247 000 0 0 0 167 203 258 0 2 DIRECT FIN INTR ERR_CONNECT_FAIL"#,
        );
        assert_eq!(edge, Edge::TrafficServer);
        assert_eq!(fields.get(Field::OriginStatus), Some("000"));
        assert_eq!(fields.get(Field::FinishStatus), Some("INTR"));
        assert_eq!(fields.get(Field::ResultCode), Some("ERR_CONNECT_FAIL"));
        assert_eq!(fields.get(Field::Duration), Some("2"));
        let (edge, _) =
            read(r#"192.0.2.7 - - [22/Nov/2026:07:25:33 -0000] "GET / HTTP/1.1" 502 247 1 2"#);
        assert_eq!(edge, Edge::Unknown);
    }

    #[test]
    fn format_strings_of_both_read_their_own_lines() {
        for (edge, format, line, wanted) in [
            (
                Edge::Squid,
                r#"%ts.%03tu %6tr %>a %Ss/%03>Hs %<st %rm %ru %[un %Sh/%<a %mt %err_code/%err_detail %<Hs "%{User-Agent}>h""#,
                r#"1795332333.652      7 192.0.2.7 TCP_MISS/502 3413 GET http://shop.example/a? - FIRSTUP_PARENT/10.0.0.5 text/html ERR_ZERO_SIZE_OBJECT/WITH_SERVER - "Moz/5.0 \"x\" (a b)""#,
                (Field::ErrorCode, "ERR_ZERO_SIZE_OBJECT"),
            ),
            (
                Edge::Squid,
                r#"{"t":"%tl","c":"%>a","m":"%rm","u":"%ru","s":%>Hs,"e":"%err_code"}"#,
                r#"{"t":"22/Nov/2026:07:25:33 +0000","c":"192.0.2.7","m":"GET","u":"http://shop.example/a","s":504,"e":"ERR_READ_TIMEOUT"}"#,
                (Field::ErrorCode, "ERR_READ_TIMEOUT"),
            ),
            (
                Edge::TrafficServer,
                r#"%<cqtd> %<cqtt> %<chi> %<cqhm> %<cqus>://%<cquuh>/%<cqup> %<pssc> %<sssc> %<crc> "%<prrp>" "%<{User-Agent}cqh>""#,
                r#"2026-11-22 07:25:33 192.0.2.7 GET https://shop.example/a/b 502 000 ERR_CONNECT_FAIL "connect failed" "Moz "x" (a b)""#,
                (Field::Target, "/a/b"),
            ),
            (
                Edge::TrafficServer,
                r#"{"time":"%<cqtq>","status":%<pssc>,"m":"%<cqhm>","url":"%<cquuc>","origin":"%<sssc>","ua":"%<{User-Agent}cqh>"}"#,
                r#"{"time":"1795332333.652","status":502,"m":"GET","url":"http://shop.example/a","origin":"000","ua":"Moz"}"#,
                (Field::OriginStatus, "000"),
            ),
        ] {
            let (layout, warnings) = Layout::of_edge("own", edge, format).unwrap();
            assert_eq!(warnings, [], "{format}");
            let (guessed, _) = Layout::parse_string("own", format).unwrap();
            assert_eq!(guessed.edge(), edge, "{format}");
            let mut spans = Spans::new();
            let mut scratch = Vec::new();
            Formats::new(vec![layout])
                .recognise(line.as_bytes(), &mut scratch, &mut spans)
                .unwrap_or_else(|reason| panic!("{reason}: {line}"));
            let found = fields(line.as_bytes(), &scratch, &spans);
            assert_eq!(found.get(wanted.0), Some(wanted.1), "{line}");
        }
    }
}
