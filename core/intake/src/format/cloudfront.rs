//! CloudFront's standard log: tab-separated, in the order that never changed but at its end; and the JSON of its newer
//! version, whose keys are the same names.
//!
//! The header `#Fields` is not read: a line must be understood wherever a file is cut, and the order of the first
//! version is fixed. A selection of other fields is told by the shape of its values and refused.

use model::Field;

use super::{
    Reason,
    value::{is_address, is_number, is_status},
};
use crate::visit::{Spans, Visit};

/// The columns in order; the first two are date and time. Those of 2014 ended at the twelfth.
const COLUMNS: [Option<Field>; 29] = [
    None,
    None,
    None, // x-edge-location
    Some(Field::BytesSent),
    Some(Field::ClientAddr),
    Some(Field::Method),
    None, // cs(Host): the distribution's own name
    Some(Field::Target),
    Some(Field::Status),
    Some(Field::Referer),
    Some(Field::UserAgent),
    Some(Field::Query),
    Some(Field::Cookie),
    Some(Field::CacheStatus),
    Some(Field::RequestId),
    Some(Field::Host),
    Some(Field::Scheme),
    None, // cs-bytes
    Some(Field::Duration),
    // x-forwarded-for: written as in a URL, so no list of addresses, and of no use beside the client's.
    Some(Field::RemoteUser),
    None, // ssl-protocol
    None, // ssl-cipher
    None, // x-edge-response-result-type
    Some(Field::Protocol),
    None, // fle-status
    None, // fle-encrypted-fields
    None, // c-port
    None, // time-to-first-byte
    Some(Field::ResultCode),
];
/// Columns that a line must have: through the query.
const COLUMNS_MIN: usize = 12;

/// Finds the fields of a line of this layout.
pub(super) fn parse(line: &[u8], spans: &mut Spans) -> Result<(), Reason> {
    /// Of `2026-11-22`.
    const DATE: usize = 10;
    /// Of `07:25:33`.
    const CLOCK: usize = 8;
    let is_dated = line.get(DATE) == Some(&b'\t') && line.get(DATE + 1 + CLOCK) == Some(&b'\t');
    if !is_dated || !line.starts_with(b"2") {
        return Err(Reason::UnknownLayout);
    }
    spans.set(Field::Time, 0, DATE + 1 + CLOCK);
    let mut at = 0;
    let mut count = 0;
    for column in COLUMNS {
        let Some(rest) = line.get(at..) else { break };
        let end = at + memchr::memchr(b'\t', rest).unwrap_or(rest.len());
        if let Some(field) = column {
            fits(field, rest.get(..end - at).unwrap_or_default())?;
            spans.set(field, at, end);
        }
        at = end + 1;
        count += 1;
    }
    if count < COLUMNS_MIN {
        return Err(Reason::LineEndsEarly);
    }
    Ok(())
}

/// Whether the column holds what its place says. Other selections of fields have other things there.
fn fits(field: Field, value: &[u8]) -> Result<(), Reason> {
    let fits = match field {
        Field::BytesSent => is_number(value),
        Field::ClientAddr => is_address(value),
        Field::Method => value.iter().all(u8::is_ascii_uppercase) || value == b"-",
        Field::Target => value.starts_with(b"/") || value == b"-" || value == b"*",
        Field::Status => is_status(value),
        _ => true,
    };
    fits.then_some(()).ok_or(Reason::UnknownLayout)
}

/// CloudFront writes the agent as in a URL, and older files have it encoded twice. Puts it into `scratch` as it was.
pub(super) fn decode(line: &[u8], scratch: &mut Vec<u8>, spans: &mut Spans) {
    let agent = Visit::new(line, &[], spans).value(Field::UserAgent);
    let Some(agent) = agent.filter(|agent| agent.contains(&b'%')) else {
        return;
    };
    let Some(place) = spans.in_line(Field::UserAgent) else {
        return;
    };
    let start = scratch.len();
    scratch.extend_from_slice(agent);
    percent_decode(scratch, start);
    let twice =
        (scratch.get(start..)).is_some_and(|once| memchr::memmem::find(once, b"%20").is_some());
    if twice {
        percent_decode(scratch, start);
    }
    spans.set_scratch(Field::UserAgent, start, scratch.len(), place);
}

/// Decodes what stands in `text` from `start` on, in place.
fn percent_decode(text: &mut Vec<u8>, start: usize) {
    let (mut from, mut to) = (start, start);
    while let Some(&byte) = text.get(from) {
        let digit = |at: usize| char::from(*text.get(at)?).to_digit(16);
        let (decoded, used) = match (digit(from + 1), digit(from + 2)) {
            (Some(high), Some(low)) if byte == b'%' => ((high * 16 + low) as u8, 3),
            _ => (byte, 1),
        };
        if let Some(place) = text.get_mut(to) {
            *place = decoded;
        }
        from += used;
        to += 1;
    }
    text.truncate(to);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::testing::{Fields, fields};

    fn read(line: &str) -> Result<Fields, Reason> {
        let (mut spans, mut scratch) = (Spans::new(), Vec::new());
        parse(line.as_bytes(), &mut spans)?;
        decode(line.as_bytes(), &mut scratch, &mut spans);
        Ok(fields(line.as_bytes(), &scratch, &spans))
    }

    /// A line of the columns given, with tabs for the blanks.
    fn line(columns: &str) -> String {
        columns.replace(' ', "\t")
    }

    const THROUGH_QUERY: &str = "2026-11-22 07:25:33 FRA60-P1 182 192.0.2.7 GET d111.cloudfront.net /a%20b 502 - Mozilla/5.0%20(compatible;%20Googlebot/2.1) x=1";

    #[test]
    fn lines_of_every_length() {
        let more = "- Error RID== www.example.com https 217 0.512 - TLSv1.3 TLS_AES_128_GCM_SHA256 Error HTTP/2.0 - - 5000 0.511 OriginConnectError text/html 122 - -";
        let all: Vec<&str> = more.split(' ').collect();
        for len in 0..=all.len() {
            let text = line(format!("{THROUGH_QUERY} {}", all[..len].join(" ")).trim_end());
            let found = read(&text).unwrap();
            for (field, value) in [
                (Field::Time, "2026-11-22\t07:25:33"),
                (Field::ClientAddr, "192.0.2.7"),
                (Field::Method, "GET"),
                (Field::Target, "/a%20b"),
                (Field::Query, "x=1"),
                (Field::Status, "502"),
                (Field::UserAgent, "Mozilla/5.0 (compatible; Googlebot/2.1)"),
            ] {
                assert_eq!(found.get(field), Some(value), "{text}");
            }
            assert_eq!(
                found.get(Field::Host),
                (len > 3).then_some("www.example.com")
            );
            assert_eq!(found.get(Field::Scheme), (len > 4).then_some("https"));
            assert_eq!(found.get(Field::Duration), (len > 6).then_some("0.512"));
            assert_eq!(
                found.get(Field::ResultCode),
                (len > 16).then_some("OriginConnectError")
            );
        }
    }

    #[test]
    fn agents_encoded_once_twice_or_not_at_all() {
        for (written, agent) in [
            ("curl/8.5.0", "curl/8.5.0"),
            ("a%20b%2522", "a b%22"),
            ("a%2520b%2522c", "a b\"c"),
            ("100%", "100%"),
            ("a%zz%4", "a%zz%4"),
            ("-", "-"),
        ] {
            let text = line(
                &THROUGH_QUERY.replace("Mozilla/5.0%20(compatible;%20Googlebot/2.1)", written),
            );
            assert_eq!(
                read(&text).unwrap().get(Field::UserAgent),
                Some(agent),
                "{written}"
            );
        }
    }

    #[test]
    fn other_columns_are_refused() {
        let cut: Vec<&str> = THROUGH_QUERY.split(' ').take(9).collect();
        for text in [
            cut.join(" ").as_str(),
            "2026-11-22 07:25:33 FRA60-P1 182 GET 192.0.2.7 d111.cloudfront.net /a 502 - x - -",
            "2026-11-22 07:25:33 192.0.2.7 5000 10.0.0.1 80 HTTP/1.1 GET / 503 - ConnLimit -",
            "2026-11-22 07:25:33 FRA60-P1 182 192.0.2.7 GET d111.cloudfront.net /a hit - x - -",
            "2026-11-22 07:25:33",
            "",
        ] {
            assert!(read(&line(text)).is_err(), "{text}");
        }
        assert!(read(THROUGH_QUERY).is_err(), "blanks are no tabs");
    }
}
