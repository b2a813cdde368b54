//! The NCSA family, which most edges write unless told otherwise:
//! `[host[:port] ]addr ident user [time] "request" status bytes ["referer" "agent"[ more]]`.
//!
//! Hand-written rather than compiled from a format string: nearly every line of nearly every log passes through
//! here, and one parser that takes all its variants leaves nothing to choose between. What is ambiguous without
//! knowing the format string is left alone.

use memchr::{memchr, memchr_iter};
use model::Field;

use super::{
    Reason,
    time::begins_like_time,
    value::{is_address, is_host_name, is_number, is_status},
};
use crate::visit::Spans;

/// What the line turned out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ncsa {
    /// Whether a host stands in front or beside the client.
    pub(super) host: bool,
    /// Whether the host stands where others have the ident: so lighttpd writes it.
    pub(super) host_for_ident: bool,
    /// Whether referrer and agent are there.
    pub(super) combined: bool,
    /// Where begins what follows the last known field, its blank included; the line's length where nothing does.
    pub(super) tail: usize,
}

/// Numbers that may stand between the bytes and the referrer: httpd's `%D`, `%T`, `%I` and `%O` are put there.
const NUMBERS_BEFORE_REFERER_MAX: usize = 4;

/// Quotes that are tried as the end of a value. A line made of quotes must not stop the reading.
const QUOTES_TRIED_MAX: usize = 64;

/// Finds the fields of `line`. On an error `spans` holds whatever was found before.
pub(super) fn parse(line: &[u8], spans: &mut Spans) -> Result<Ncsa, Reason> {
    let bracket = time_bracket(line).ok_or(Reason::UnknownLayout)?;
    let (host, host_for_ident) = prefix(line, bracket, spans)?;
    let time = bracket + 1;
    let time_end = find(line, time, b']').ok_or(Reason::LineEndsEarly)?;
    spans.set(Field::Time, time, time_end);
    let (request, host_between) = request_start(line, time_end + 1, spans)?;
    let request_end = request_end(line, request)?;
    let (request, host_quoted) = host_before_request(line, request, request_end, spans);
    let host = host || host_between || host_quoted;
    spans.set(Field::Request, request, request_end);
    let status = request_end + 2;
    let status_end = token_end(line, status);
    spans.set(Field::Status, status, status_end);
    let (combined, tail) = after_status(line, status_end, spans)?;
    Ok(Ncsa {
        host,
        host_for_ident,
        combined,
        tail,
    })
}

/// The `[` of the time. Others may stand before it: an IPv6 host, a user, an older ingress-nginx's `[addr]`.
fn time_bracket(line: &[u8]) -> Option<usize> {
    memchr_iter(b'[', line).find(|at| begins_like_time(&line[at + 1..]))
}

/// Client, ident and user, with or without a host before or after the client. Whether there was one, and whether it
/// stood in place of the ident.
fn prefix(line: &[u8], bracket: usize, spans: &mut Spans) -> Result<(bool, bool), Reason> {
    let Some(end) = bracket.checked_sub(1).filter(|at| line[*at] == b' ') else {
        return Err(Reason::UnknownLayout);
    };
    let first_end = token_end(&line[..end], 0);
    if line[first_end..end] == *b" - -" && is_client(&line[..first_end]) {
        spans.set(Field::ClientAddr, 0, first_end);
        spans.set(Field::RemoteUser, end - 1, end);
        return Ok((false, false));
    }
    odd_prefix(&line[..end], spans)
}

/// Any prefix but the most common one.
fn odd_prefix(text: &[u8], spans: &mut Spans) -> Result<(bool, bool), Reason> {
    let mut first_end = token_end(text, 0);
    if text[..first_end].ends_with(b",") {
        first_end = forwarded_end(text, first_end);
        spans.set(Field::ForwardedFor, 0, first_end);
        let ident_end = token_end(text, token_start(text, first_end));
        return user(text, ident_end, spans).map(|()| (false, false));
    }
    let first = &text[..first_end];
    let second = token_start(text, first_end);
    let second_end = token_end(text, second);
    if host_is_first(text, first, second, second_end) {
        if is_host_name(first) || memchr(b':', first).is_some() {
            spans.set(Field::Host, 0, first_end);
        }
        spans.set(Field::ClientAddr, second, second_end);
        // Gandi and OVH leave the ident out.
        let third_end = token_end(text, token_start(text, second_end));
        let ident_end = if third_end < text.len() {
            third_end
        } else {
            second_end
        };
        return user(text, ident_end, spans).map(|()| (true, false));
    }
    if !is_client(first) {
        return Err(Reason::UnknownLayout);
    }
    spans.set(Field::ClientAddr, 0, first_end);
    if text[..second_end].ends_with(b",") {
        let list_end = forwarded_end(text, second_end);
        spans.set(Field::ForwardedFor, second, list_end);
        let ident_end = token_end(text, token_start(text, list_end));
        return user(text, ident_end, spans).map(|()| (false, false));
    }
    let ident = &text[second..second_end];
    if !ident.iter().all(|byte| is_ident(*byte)) {
        return Err(Reason::UnknownLayout);
    }
    // OVH puts the host where others have the ident.
    let host = is_dotted_name(ident);
    if host {
        spans.set(Field::Host, second, second_end);
    }
    user(text, second_end, spans).map(|()| (host, host))
}

/// Whether the line begins with the host asked for: `host addr ...`, or `host name - -` with names looked up.
fn host_is_first(text: &[u8], first: &[u8], second: usize, second_end: usize) -> bool {
    let client = &text[second..second_end];
    if !is_host_name(first) && !is_address(first) {
        return false;
    }
    is_address(client)
        || is_host_name(first)
            && memchr(b'.', first).is_some()
            && (client == b"-" || is_dotted_name(client))
            && text[second_end..].starts_with(b" - ")
}

/// What is left of the prefix is the user, who may have blanks in the name, but no address: then the line carries
/// something in front that is not of this family (a syslog header, a container's name).
fn user(text: &[u8], before: usize, spans: &mut Spans) -> Result<(), Reason> {
    let start = token_start(text, before);
    if start >= text.len() {
        return Ok(());
    }
    let words = text[start..].split(|byte| *byte == b' ');
    if memchr(b' ', &text[start..]).is_some() && words.into_iter().any(is_bare_address) {
        return Err(Reason::UnknownLayout);
    }
    spans.set(Field::RemoteUser, start, text.len());
    Ok(())
}

fn is_bare_address(word: &[u8]) -> bool {
    word.first() != Some(&b'[') && is_address(word)
}

/// End of `addr, addr, addr` in place of the client.
fn forwarded_end(text: &[u8], mut end: usize) -> usize {
    while end < text.len() && text[..end].ends_with(b",") {
        end = token_end(text, token_start(text, end));
    }
    end
}

fn is_client(text: &[u8]) -> bool {
    is_address(text) || text == b"-" || is_host_name(text) || text == b"unix:"
}

const fn is_ident(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'@' | b':')
}

/// First byte of the request, and whether a host stands before it. Between time and request may stand one word or a
/// remark such as `(0 s)`.
fn request_start(
    line: &[u8],
    after_time: usize,
    spans: &mut Spans,
) -> Result<(usize, bool), Reason> {
    let rest = line.get(after_time..).unwrap_or_default();
    if rest.starts_with(b" \"") {
        return Ok((after_time + 2, false));
    }
    let quote = memchr(b'"', rest).ok_or(Reason::UnknownLayout)?;
    let host = match &rest[..quote] {
        [b' ', b'(', remark @ .., b')', b' '] if memchr(b')', remark).is_none() => false,
        [b' ', word @ .., b' '] if memchr(b' ', word).is_none() => is_dotted_name(word),
        _ => return Err(Reason::UnknownLayout),
    };
    if host {
        spans.set(Field::Host, after_time + 1, after_time + quote - 1);
    }
    Ok((after_time + quote + 1, host))
}

/// `"host" "request"`: where the request really starts, and whether a host stands before it.
fn host_before_request(line: &[u8], start: usize, end: usize, spans: &mut Spans) -> (usize, bool) {
    let Some(close) = next_quote(&line[..end], start, start) else {
        return (start, false);
    };
    if line[close..end].starts_with(b"\" \"") && is_host_name(&line[start..close]) {
        spans.set(Field::Host, start, close);
        return (close + 3, true);
    }
    (start, false)
}

fn is_dotted_name(word: &[u8]) -> bool {
    memchr(b'.', word).is_some() && is_host_name(word)
}

/// End of the request: the first quote before a status, so that quotes inside a request do no harm.
fn request_end(line: &[u8], start: usize) -> Result<usize, Reason> {
    let mut reason = Reason::NoClosingQuote;
    let mut from = start;
    while let Some(quote) = next_quote(line, start, from) {
        match line.get(quote + 1) {
            None => reason = Reason::LineEndsEarly,
            Some(b' ') => {
                let status = &line[quote + 2..token_end(line, quote + 2)];
                if matches!(status, b"-" | b"0") || status.len() == 3 && is_status(status) {
                    return Ok(quote);
                }
                reason = if status.is_empty() {
                    Reason::LineEndsEarly
                } else {
                    Reason::StatusNotNumber
                };
            }
            Some(_) => {}
        }
        from = quote + 1;
    }
    Err(reason)
}

/// Bytes, referrer and agent. Whether the last two are there, and where the rest begins.
fn after_status(line: &[u8], end: usize, spans: &mut Spans) -> Result<(bool, usize), Reason> {
    if end >= line.len() {
        return Err(Reason::LineEndsEarly);
    }
    let bytes = end + 1;
    let mut at = bytes;
    if line.get(bytes) != Some(&b'"') {
        at = token_end(line, bytes);
        if at == bytes {
            return Err(Reason::LineEndsEarly);
        }
        if !is_number(&line[bytes..at]) {
            return Err(Reason::BytesNotNumber);
        }
        spans.set(Field::BytesSent, bytes, at);
        if at == line.len() {
            return Ok((false, at));
        }
        at += 1;
    }
    if line.get(at) == Some(&b'"') {
        return quoted_pair(line, at, spans);
    }
    let numbers = at - 1;
    match referer_after_numbers(line, at) {
        Some(open) => quoted_pair(line, open, spans),
        None => Ok((false, numbers)),
    }
}

/// The quote that opens the referrer, where only numbers stand before it.
fn referer_after_numbers(line: &[u8], mut at: usize) -> Option<usize> {
    for _ in 0..NUMBERS_BEFORE_REFERER_MAX {
        let end = token_end(line, at);
        if end == at || !is_number(&line[at..end]) {
            return None;
        }
        at = end + 1;
        let rest = line.get(at..)?;
        if rest.first() == Some(&b'"') {
            let is_referer = rest.starts_with(b"\"-\" \"")
                || rest.starts_with(b"\"\" \"")
                || rest.starts_with(b"\"http://")
                || rest.starts_with(b"\"https://");
            return is_referer.then_some(at);
        }
    }
    None
}

/// `"referer" "agent"` from the quote at `open`.
fn quoted_pair(line: &[u8], open: usize, spans: &mut Spans) -> Result<(bool, usize), Reason> {
    let referer = open + 1;
    let mut from = referer;
    let mut reason = Reason::NoClosingQuote;
    for _ in 0..QUOTES_TRIED_MAX {
        let Some(quote) = next_quote(line, referer, from) else {
            break;
        };
        let rest = &line[quote + 1..];
        if rest.starts_with(b" \"") {
            spans.set(Field::Referer, referer, quote);
            let agent = quote + 3;
            let end = agent_end(line, agent)?;
            spans.set(Field::UserAgent, agent, end);
            return Ok((true, end + 1));
        }
        if let Some(agent) = agent_behind_pairs(line, referer, quote) {
            spans.set(Field::Referer, referer, quote);
            let end = agent_end(line, agent)?;
            spans.set(Field::UserAgent, agent, end);
            // The pairs are part of what is appended.
            return Ok((true, quote + 1));
        }
        if rest.is_empty() {
            reason = Reason::LineEndsEarly;
        } else if rest.starts_with(b" ") && tail_is_whole(rest) {
            // One quoted value and then others: not referrer and agent.
            return Ok((false, open - 1));
        }
        from = quote + 1;
    }
    Err(reason)
}

/// First byte of the agent where `key="value"` stands between it and the referrer, as in Angie's `extended`.
fn agent_behind_pairs(line: &[u8], referer: usize, quote: usize) -> Option<usize> {
    let text = line.get(referer..quote)?;
    let is_referer = matches!(text, b"-" | b"") || text.starts_with(b"http");
    let mut at = quote + 1;
    for _ in 0..NUMBERS_BEFORE_REFERER_MAX {
        let pair = line.get(at..)?.strip_prefix(b" ")?;
        let key = pair.iter().take_while(|byte| is_ident(**byte)).count();
        if !is_referer || key == 0 || !pair.get(key..)?.starts_with(b"=\"") {
            return None;
        }
        let value = at + 1 + key + 2;
        at = next_quote(line, value, value)? + 1;
        if line.get(at..)?.starts_with(b" \"") {
            return Some(at + 2);
        }
    }
    None
}

/// The quote that closes the agent: the first one at the line's end, or before a blank where everything after it is
/// quoted properly. So a raw quote inside an agent does no harm wherever the rest of the line tells.
fn agent_end(line: &[u8], start: usize) -> Result<usize, Reason> {
    let mut from = start;
    for _ in 0..QUOTES_TRIED_MAX {
        let quote = next_quote(line, start, from).ok_or(Reason::NoClosingQuote)?;
        let rest = &line[quote + 1..];
        if rest.is_empty() || matches!(rest[0], b' ' | b'\t') && tail_is_whole(rest) {
            return Ok(quote);
        }
        from = quote + 1;
    }
    Err(Reason::NoClosingQuote)
}

/// Whether every quote in `tail` opens or closes a value.
fn tail_is_whole(tail: &[u8]) -> bool {
    let mut at = 0;
    while let Some(found) = memchr(b'"', &tail[at..]) {
        let open = at + found;
        let before = open.checked_sub(1).map(|before| tail[before]);
        if !before.is_none_or(|byte| b" \t=:[({,<|;/".contains(&byte)) {
            return false;
        }
        let mut from = open + 1;
        loop {
            let Some(close) = next_quote(tail, open + 1, from) else {
                return false;
            };
            from = close + 1;
            if tail
                .get(from)
                .is_none_or(|byte| b" \t])},;>|:/".contains(byte))
            {
                break;
            }
        }
        at = from;
    }
    true
}

/// The next quote from `from` that no backslash escapes. Backslashes count from `start` on.
pub(super) fn next_quote(line: &[u8], start: usize, mut from: usize) -> Option<usize> {
    loop {
        let quote = find(line, from, b'"')?;
        if !is_escaped(line, start, quote) {
            return Some(quote);
        }
        from = quote + 1;
    }
}

/// Whether an odd number of backslashes stands before `at`.
pub(super) fn is_escaped(line: &[u8], start: usize, at: usize) -> bool {
    let value = line.get(start..at).unwrap_or_default();
    value
        .iter()
        .rev()
        .take_while(|byte| **byte == b'\\')
        .count()
        % 2
        == 1
}

fn find(line: &[u8], from: usize, byte: u8) -> Option<usize> {
    memchr(byte, line.get(from..)?).map(|at| from + at)
}

/// The next blank from `from`, or the end.
pub(super) fn token_end(text: &[u8], from: usize) -> usize {
    find(text, from, b' ').unwrap_or(text.len())
}

/// The next byte from `from` that is no blank, or the end.
pub(super) fn token_start(text: &[u8], from: usize) -> usize {
    let blanks = text.get(from..).unwrap_or_default();
    from + blanks.iter().take_while(|byte| **byte == b' ').count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::testing::{Fields, fields};

    const REST: &str = r#"[22/Nov/2026:07:25:33 +0000] "GET / HTTP/1.1" 200 17"#;

    fn parsed(line: &str) -> Result<Fields, Reason> {
        let mut spans = Spans::new();
        parse(line.as_bytes(), &mut spans)?;
        Ok(fields(line.as_bytes(), &[], &spans))
    }

    #[track_caller]
    fn has(line: &str, field: Field, value: &str) {
        assert_eq!(parsed(line).unwrap().get(field), Some(value), "{line}");
    }

    #[test]
    fn combined_gives_all_its_fields() {
        let line = r#"192.0.2.7 - bob [22/Nov/2026:07:25:33 +0000] "GET /a?b HTTP/2.0" 502 157 "-" "Mozilla/5.0 (x)""#;
        for (field, value) in [
            (Field::ClientAddr, "192.0.2.7"),
            (Field::RemoteUser, "bob"),
            (Field::Time, "22/Nov/2026:07:25:33 +0000"),
            (Field::Request, "GET /a?b HTTP/2.0"),
            (Field::Status, "502"),
            (Field::BytesSent, "157"),
            (Field::Referer, "-"),
            (Field::UserAgent, "Mozilla/5.0 (x)"),
        ] {
            has(line, field, value);
        }
    }

    #[test]
    fn the_prefix_in_its_variants() {
        for (prefix, client, host, user) in [
            ("192.0.2.7 - -", Some("192.0.2.7"), None, Some("-")),
            ("2001:db8::1 - -", Some("2001:db8::1"), None, Some("-")),
            ("- - -", Some("-"), None, Some("-")),
            (
                "client.example.net - -",
                Some("client.example.net"),
                None,
                Some("-"),
            ),
            (
                "192.0.2.7 - John Q Public",
                Some("192.0.2.7"),
                None,
                Some("John Q Public"),
            ),
            ("192.0.2.7 1fk2 jane", Some("192.0.2.7"), None, Some("jane")),
            (
                "www.example.com 192.0.2.7 - -",
                Some("192.0.2.7"),
                Some("www.example.com"),
                Some("-"),
            ),
            (
                "www.example.com:443 2001:db8::1 - joe",
                Some("2001:db8::1"),
                Some("www.example.com:443"),
                Some("joe"),
            ),
            (
                "localhost 192.0.2.7 - -",
                Some("192.0.2.7"),
                Some("localhost"),
                Some("-"),
            ),
            (
                "192.0.2.1:443 192.0.2.7 - -",
                Some("192.0.2.7"),
                Some("192.0.2.1:443"),
                Some("-"),
            ),
            (
                "192.0.2.1 192.0.2.7 - -",
                Some("192.0.2.7"),
                None,
                Some("-"),
            ),
            (
                "www.example.com client.example.net - -",
                Some("client.example.net"),
                Some("www.example.com"),
                Some("-"),
            ),
            (
                "192.0.2.7 www.example.com joe",
                Some("192.0.2.7"),
                Some("www.example.com"),
                Some("joe"),
            ),
            (
                "192.0.2.7 - [192.0.2.7] - -",
                Some("192.0.2.7"),
                None,
                Some("[192.0.2.7] - -"),
            ),
            ("192.0.2.7, 198.51.100.2 - -", None, None, Some("-")),
            (
                "192.0.2.7 203.0.113.5, 198.51.100.2 - joe",
                Some("192.0.2.7"),
                None,
                Some("joe"),
            ),
            (
                "www.example.com 192.0.2.7",
                Some("192.0.2.7"),
                Some("www.example.com"),
                None,
            ),
            ("192.0.2.7", Some("192.0.2.7"), None, None),
            (
                "192.0.2.7 203.0.113.5, 198.51.100.2 - joe",
                Some("192.0.2.7"),
                None,
                Some("joe"),
            ),
            (
                "www.example.com 192.0.2.7",
                Some("192.0.2.7"),
                Some("www.example.com"),
                None,
            ),
            ("192.0.2.7", Some("192.0.2.7"), None, None),
        ] {
            let fields = parsed(&format!("{prefix} {REST}")).unwrap();
            assert_eq!(fields.get(Field::ClientAddr), client, "{prefix}");
            assert_eq!(fields.get(Field::Host), host, "{prefix}");
            assert_eq!(fields.get(Field::RemoteUser), user, "{prefix}");
        }
    }

    #[test]
    fn envelopes_are_not_taken_for_clients() {
        for prefix in [
            "<190>Nov 22 07:25:33 web1 nginx: 192.0.2.7 - -",
            "Nov 22 07:25:33 web1 nginx: 192.0.2.7 - -",
            "nginx-1  | 192.0.2.7 - -",
            "2026-11-22T07:25:33.100+01:00 stdout F",
        ] {
            let line = format!("{prefix} {REST}");
            assert_eq!(parsed(&line).err(), Some(Reason::UnknownLayout), "{line}");
        }
    }

    #[test]
    fn quotes_inside_values() {
        let start = r#"192.0.2.7 - - [22/Nov/2026:07:25:33 +0000]"#;
        has(
            &format!(r#"{start} "GET /\"a\" HTTP/1.1" 200 1 "-" "x""#),
            Field::Request,
            r#"GET /\"a\" HTTP/1.1"#,
        );
        has(
            &format!(r#"{start} "GET /"a" HTTP/1.1" 200 1 "-" "x""#),
            Field::Request,
            r#"GET /"a" HTTP/1.1"#,
        );
        has(
            &format!(r#"{start} "GET / HTTP/1.1" 200 1 "-" "a \"b\" c""#),
            Field::UserAgent,
            r#"a \"b\" c"#,
        );
        has(
            &format!(r#"{start} "GET / HTTP/1.1" 200 1 "-" "a "b" c""#),
            Field::UserAgent,
            r#"a "b" c"#,
        );
        has(
            &format!(r#"{start} "GET / HTTP/1.1" 200 1 "-" "a "b" c" "-" rt=1"#),
            Field::UserAgent,
            r#"a "b" c"#,
        );
        has(
            &format!(r#"{start} "GET / HTTP/1.1" 200 1 "-" "a\\" 17"#),
            Field::UserAgent,
            r"a\\",
        );
        has(
            &format!(r#"{start} "GET / HTTP/1.1" 200 1 "http://a/?"b"" "x""#),
            Field::Referer,
            r#"http://a/?"b""#,
        );
    }

    #[test]
    fn odd_requests_and_statuses() {
        let start = r#"192.0.2.7 - - [22/Nov/2026:07:25:33 +0000]"#;
        for host in ["a.example", "\"a.example\""] {
            let line = format!(r#"{start} {host} "GET / HTTP/1.1" 301 3 "-" "x""#);
            has(&line, Field::Host, "a.example");
            has(&line, Field::Request, "GET / HTTP/1.1");
        }
        for request in [
            "",
            "-",
            r"\x16\x03\x01",
            "GET http://a.example/ HTTP/1.1",
            "* -",
        ] {
            has(
                &format!(r#"{start} "{request}" 400 0 "-" "-""#),
                Field::Request,
                request,
            );
        }
        for status in ["000", "009", "499", "-"] {
            has(
                &format!(r#"{start} "GET / HTTP/1.1" {status} 0"#),
                Field::Status,
                status,
            );
        }
        has(
            &format!(r#"{start} "GET / HTTP/1.1" 304 -"#),
            Field::BytesSent,
            "-",
        );
        has(
            &format!(r#"{start} (0 s) "GET / HTTP/1.1" 301 3 "-" "x""#),
            Field::Status,
            "301",
        );
        has(
            &format!(r#"{start} a.example "GET / HTTP/1.1" 301 3 "-" "x""#),
            Field::Status,
            "301",
        );
        has(
            &format!(r#"{start} "GET / HTTP/1.1" 301 3 1234 "-" "x""#),
            Field::UserAgent,
            "x",
        );
        has(
            &format!(r#"{start} "GET / HTTP/1.1" 301 "-" "x""#),
            Field::UserAgent,
            "x",
        );
    }

    #[test]
    fn what_is_cut_or_odd_has_a_reason() {
        let start = r#"192.0.2.7 - - [22/Nov/2026:07:25:33 +0000]"#;
        for (rest, reason) in [
            (
                r#" "GET / HTTP/1.1" 200 17 "-" "Mozilla/5.0 (x"#,
                Reason::NoClosingQuote,
            ),
            (r#" "GET / HTTP/1.1" 200 17 "-" ""#, Reason::NoClosingQuote),
            (r#" "GET / HTTP/1.1" 200 17 "-""#, Reason::LineEndsEarly),
            (r#" "GET / HTTP/1.1" 200 17 "-"#, Reason::NoClosingQuote),
            (r#" "GET / HTTP/1.1" 200"#, Reason::LineEndsEarly),
            (r#" "GET / HTTP/1.1" 200 "#, Reason::LineEndsEarly),
            (r#" "GET / HTTP/1.1""#, Reason::LineEndsEarly),
            (r#" "GET / HT"#, Reason::NoClosingQuote),
            (r#" "GET / HTTP/1.1" abc 17"#, Reason::StatusNotNumber),
            (r#" "GET / HTTP/1.1" 2000 17"#, Reason::StatusNotNumber),
            (r#" "GET / HTTP/1.1" 200 many"#, Reason::BytesNotNumber),
            ("", Reason::UnknownLayout),
            (" a b c 200", Reason::UnknownLayout),
        ] {
            assert_eq!(
                parsed(&format!("{start}{rest}")).err(),
                Some(reason),
                "{rest}"
            );
        }
        let cut = r#"192.0.2.7 - - [22/Nov/2026:07:25:33 +00"#;
        assert_eq!(parsed(cut).err(), Some(Reason::LineEndsEarly));
        assert_eq!(parsed("hello").err(), Some(Reason::UnknownLayout));
        assert_eq!(parsed("").err(), Some(Reason::UnknownLayout));
    }
}
