//! Syslog as it lies in files: RFC 3164 and 5424, what rsyslog and journalctl make of them, and headers of relays
//! before headers.

use super::{Peeled, Written, stamp};
use crate::format::{is_address, parse_time};

/// Longest host or tag that is looked for.
const TOKEN_MAX: usize = 256;

/// `<134>`, and then any kind of header, or the message at once (HAProxy's `format short`).
pub(super) fn priority(line: &[u8]) -> Option<Peeled<'_>> {
    let digits = line
        .get(1..)?
        .iter()
        .take(4)
        .take_while(|byte| byte.is_ascii_digit());
    let end = 1 + digits.count();
    if !(2..=4).contains(&end) || line.get(end) != Some(&b'>') {
        return None;
    }
    let rest = line.get(end + 1..)?;
    rfc5424(rest)
        .or_else(|| bsd(rest))
        .or_else(|| iso(rest))
        .or_else(|| tag_first(rest))
        .or_else(|| Some(Peeled::new(rest)))
}

/// `134 <13>…`: a message behind its length, as RFC 6587 sends it.
pub(super) fn counted(line: &[u8], space: usize) -> Option<Peeled<'_>> {
    let length = line.get(..space)?;
    if !length.iter().all(u8::is_ascii_digit) {
        return None;
    }
    priority(line.get(space + 1..)?)
}

/// `1 2026-11-22T07:25:33Z host app procid msgid [data] message`
pub(super) fn rfc5424(line: &[u8]) -> Option<Peeled<'_>> {
    let rest = line.strip_prefix(b"1 ")?;
    let (written, rest) = match rest.strip_prefix(b"- ") {
        Some(rest) => (Written::Unsaid, rest),
        None => stamp::iso(rest)?,
    };
    let (_host, rest) = token(rest)?;
    let (app, rest) = token(rest)?;
    let (_process, rest) = token(rest)?;
    let (_message_id, rest) = token(rest)?;
    let message = structured_data(rest)?;
    // RFC 5424, 6.4: text in UTF-8 begins with a byte order mark.
    let message = message.strip_prefix(b"\xef\xbb\xbf").unwrap_or(message);
    Some(Peeled::new(message).by(app).at(written))
}

/// Steps over `-` or `[id key="value"]…` and the blank behind it.
fn structured_data(text: &[u8]) -> Option<&[u8]> {
    let mut rest = match text {
        [b'-', rest @ ..] => rest,
        [b'[', ..] => text,
        _ => return None,
    };
    while let [b'[', element @ ..] = rest {
        rest = element.get(element_end(element)? + 1..)?;
    }
    match rest {
        [] => Some(rest),
        [b' ', message @ ..] => Some(message),
        _ => None,
    }
}

/// The `]` that is not part of a value.
fn element_end(element: &[u8]) -> Option<usize> {
    let (mut quoted, mut escaped) = (false, false);
    element.iter().position(|byte| {
        let ends = *byte == b']' && !quoted;
        quoted ^= *byte == b'"' && !escaped;
        escaped = *byte == b'\\' && !escaped;
        ends
    })
}

/// `Nov 22 07:25:33 host tag[pid]: message`. Host and tag may each be missing.
pub(super) fn bsd(line: &[u8]) -> Option<Peeled<'_>> {
    let (written, rest) = stamp::bsd(line)?;
    Some(header(rest).unwrap_or(Peeled::new(rest)).at(written))
}

/// The same with a stamp of ISO 8601 behind a priority, with or without a header.
fn iso(line: &[u8]) -> Option<Peeled<'_>> {
    let (written, rest) = stamp::iso(line)?;
    Some(iso_header(rest).unwrap_or(Peeled::new(rest)).at(written))
}

/// `host tag[pid]: message` or `tag[pid]: message` behind a stamp that others write, too: both must look it.
pub(super) fn iso_header(rest: &[u8]) -> Option<Peeled<'_>> {
    /// Go programs write their level behind the stamp, and then words that may end in a colon.
    const LEVELS: [&[u8]; 14] = [
        b"TRC", b"DBG", b"INF", b"WRN", b"ERR", b"FTL", b"PNC", b"TRACE", b"DEBUG", b"INFO",
        b"WARN", b"ERROR", b"FATAL", b"PANIC",
    ];
    let (first, _) = token(rest)?;
    if LEVELS.iter().any(|level| first.eq_ignore_ascii_case(level)) {
        return None;
    }
    tag_first(rest).or_else(|| {
        let (_host, rest) = token(rest)?;
        tagged(rest).or_else(|| relayed(rest))
    })
}

/// `host tag: message`, `tag: message`, `host message`, or the message alone.
fn header(rest: &[u8]) -> Option<Peeled<'_>> {
    tag_first(rest).or_else(|| {
        let (first, after) = token(rest)?;
        if let Some(peeled) = tagged(after) {
            return Some(peeled);
        }
        // An access line at once: the address is the client's, not the host's.
        let is_line = is_address(first) && (after.starts_with(b"- ") || after.starts_with(b"["));
        (!is_line).then(|| Peeled::new(after))
    })
}

/// A relay's host, and then the header that the line came with.
fn relayed(rest: &[u8]) -> Option<Peeled<'_>> {
    let is_header =
        rest.first() == Some(&b'<') || stamp::bsd(rest).is_some() || stamp::iso(rest).is_some();
    is_header.then(|| Peeled::new(rest))
}

/// `tag[pid]: message` or `tag: message` where a host could stand as well.
fn tag_first(rest: &[u8]) -> Option<Peeled<'_>> {
    let (first, _) = token(rest)?;
    // `2001:db8::` is a host.
    if is_address(first) {
        return None;
    }
    tagged(rest)
}

/// `tag[pid]: message` or `tag: message`
fn tagged(rest: &[u8]) -> Option<Peeled<'_>> {
    let (tag, message) = token(rest)?;
    let tag = tag.strip_suffix(b":")?;
    let name = match memchr::memchr(b'[', tag) {
        Some(at) => is_process(tag.get(at..)?).then(|| tag.get(..at))??,
        None => tag,
    };
    let fits = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_./()@%+".contains(byte);
    (!name.is_empty() && name.iter().all(fits)).then(|| Peeled::new(message).by(name))
}

/// `[123]`; systemd and others put words there as well.
fn is_process(text: &[u8]) -> bool {
    matches!(text, [b'[', inner @ .., b']'] if !inner.is_empty() && !inner.contains(&b'['))
}

/// `haproxy[674]: message`, the header being lost. Without a number any word with a colon would be one.
pub(super) fn bare_tag(line: &[u8]) -> Option<Peeled<'_>> {
    let (first, _) = token(line)?;
    let pid = first.strip_suffix(b"]:")?;
    let open = memchr::memchr(b'[', pid)?;
    let digits = pid.get(open + 1..)?;
    (!digits.is_empty() && digits.iter().all(u8::is_ascii_digit)).then(|| tagged(line))?
}

/// `Sun 2026-11-22 07:25:33 UTC host tag[pid]: message`, from `journalctl -o short-full` or `-o with-unit`.
pub(super) fn weekday(line: &[u8]) -> Option<Peeled<'_>> {
    const DAYS: [&[u8]; 7] = [b"Mon", b"Tue", b"Wed", b"Thu", b"Fri", b"Sat", b"Sun"];
    if !DAYS.contains(&line.get(..3)?) || line.get(3) != Some(&b' ') {
        return None;
    }
    let (_date, rest) = token(line.get(4..)?)?;
    let (_clock, rest) = token(rest)?;
    let civil = line.get(4..line.len() - rest.len() - 1)?;
    let (millis, zone) = parse_time(civil)?;
    let (name, rest) = token(rest)?;
    // The letters of other zones mean several.
    let zone = zone.or((name == b"UTC").then_some(0));
    let (_host, rest) = token(rest)?;
    tagged(rest).map(|peeled| peeled.at(Written::At((millis, zone))))
}

/// `1795332333.123456 host tag[pid]: message`, from `journalctl -o short-unix`.
pub(super) fn epoch(line: &[u8], space: usize) -> Option<Peeled<'_>> {
    /// Ten digits, a point and six more.
    const LEN: usize = 17;
    if space != LEN || line.get(10) != Some(&b'.') {
        return None;
    }
    let (millis, _) = parse_time(line.get(..LEN)?)?;
    let (_host, rest) = token(line.get(LEN + 1..)?)?;
    tagged(rest).map(|peeled| peeled.at(Written::At((millis, Some(0)))))
}

/// The text before the next blank, and what stands behind it.
fn token(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = memchr::memchr(b' ', text.get(..TOKEN_MAX).unwrap_or(text))?;
    (end > 0).then_some((text.get(..end)?, text.get(end + 1..)?))
}
