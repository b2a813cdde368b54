//! The process log of Traefik: what it says of requests at DEBUG, and of health checks. Text of version 3
//! (`2026-11-24T13:24:22Z DBG file.go:199 > 502 Bad Gateway error=EOF`), of version 2
//! (`time="…" level=debug msg="'502 Bad Gateway' caused by: EOF"`), and JSON of both.
//!
//! A line about a failed request names no client: status and moment must do. Most lines say nothing of a failure, and
//! some quote what a client asked for, so only messages that are known have words.

use memchr::memmem;
use model::Edge;

use super::{Cursor, ErrorLine, Level, go_net};
use crate::format::json::{Depth, Value, values};
use crate::format::parse_time;
use crate::literal::finder;

/// Takes a line apart; `None` for what is no entry of Traefik.
pub(super) fn parse(line: &[u8]) -> Option<ErrorLine<'_>> {
    match line.first()? {
        b'{' => json(line),
        b't' => version_2(line),
        b'0'..=b'9' | b'\x1b' => version_3(line),
        _ => None,
    }
}

/// zerolog's console.
fn version_3(line: &[u8]) -> Option<ErrorLine<'_>> {
    let mut at = Cursor { rest: line };
    let time = word(&mut at)?;
    let level = match word(&mut at)? {
        b"TRC" | b"DBG" => Level::Debug,
        b"INF" => Level::Info,
        b"WRN" => Level::Warn,
        b"ERR" => Level::Error,
        b"FTL" | b"PNC" => Level::Crit,
        _ => return None,
    };
    let is_file = |word: &[u8]| memmem::find(word, b".go:").is_some();
    word(&mut at).filter(|word| is_file(word))?;
    colours(&mut at);
    at.eat(b">")?;
    colours(&mut at);
    entry(time, level, at.rest)
}

/// The next word, without the colours that a terminal gets.
fn word<'line>(at: &mut Cursor<'line>) -> Option<&'line [u8]> {
    colours(at);
    let len = at
        .rest
        .iter()
        .position(|byte| matches!(byte, b' ' | b'\x1b'))?;
    let (word, rest) = at.rest.split_at(len);
    at.rest = rest;
    colours(at);
    (!word.is_empty()).then_some(word)
}

/// Steps over blanks and escape codes.
fn colours(at: &mut Cursor<'_>) {
    loop {
        at.spaces();
        if at.eat(b"\x1b[").is_none() || at.until(b"m").is_none() {
            return;
        }
    }
}

/// logrus' text.
fn version_2(line: &[u8]) -> Option<ErrorLine<'_>> {
    let mut at = Cursor { rest: line };
    at.eat(b"time=\"")?;
    let time = at.until(b"\" level=")?;
    let level = level_of(at.until(b" ")?);
    at.eat(b"msg=")?;
    let quoted = at.eat(b"\"").is_some();
    let end = at.rest.len().saturating_sub(usize::from(quoted));
    let message = at.rest.get(..end)?;
    is_known(message)
        .then(|| entry(time, level, message))
        .flatten()
}

fn json(line: &[u8]) -> Option<ErrorLine<'_>> {
    let has_level = finder!(b"\"level\":\"").find(line).is_some();
    if !has_level || finder!(b"\"DownstreamStatus\"").find(line).is_some() {
        return None;
    }
    let messages = [finder!(b"\"message\":\""), finder!(b"\"msg\":\"")];
    let is_of_known = |finder: &memmem::Finder<'_>| {
        let at = finder.find(line).map(|at| at + finder.needle().len());
        at.and_then(|at| line.get(at..)).is_some_and(is_known)
    };
    // A cheap look first: other products' requests stand in such objects, too.
    if finder!(b"traefik").find(line).is_none() && !messages.into_iter().any(is_of_known) {
        return None;
    }
    let (mut time, mut level, mut message, mut error) = (
        b"".as_slice(),
        b"".as_slice(),
        b"".as_slice(),
        b"".as_slice(),
    );
    let mut is_ours = false;
    values(line, Depth::Inner, &mut |key, value: Value| {
        let text = value.text(line);
        match key {
            b"time" => time = text,
            b"level" => level = text,
            b"message" | b"msg" => message = text,
            b"error" => error = text,
            b"caller" => is_ours = memmem::find(text, b"traefik").is_some(),
            _ => {}
        }
    })?;
    if !is_ours && !is_known(message) {
        return None;
    }
    let mut entry = entry(time, level_of(level), message)?;
    if entry.words != [b"".as_slice(), b""] && !error.is_empty() {
        entry.words[1] = error;
        entry.upstream = entry.upstream.or_else(|| go_net::upstream(error));
    }
    Some(entry)
}

fn level_of(name: &[u8]) -> Level {
    match name {
        b"warning" => Level::Warn,
        b"fatal" | b"panic" => Level::Crit,
        name => Level::from_name(name).unwrap_or(Level::Info),
    }
}

/// What Traefik says of a request whose body it could not pass on; the client's address and path follow.
const ABORTED: &[u8] = b"Request has been aborted [";
const BODY_COPY: &[u8] = b"httputil: ReverseProxy read error during body copy: ";
const HEALTH: &[u8] = b"Health check failed";

/// The status that Traefik answers with, and how many bytes say so: `502 Bad Gateway`, `'502 Bad Gateway' caused by: `.
fn answer(message: &[u8]) -> Option<(u16, usize)> {
    let [
        a @ b'4'..=b'5',
        b @ b'0'..=b'9',
        c @ b'0'..=b'9',
        b' ',
        rest @ ..,
    ] = message.strip_prefix(b"'").unwrap_or(message)
    else {
        return None;
    };
    let reasons: [&[u8]; 4] = [
        b"Bad Gateway",
        b"Gateway Timeout",
        b"Internal Server Error",
        b"Client Closed Request",
    ];
    let mut reasons = reasons.into_iter();
    let reason = reasons.find(|reason| rest.starts_with(reason))?;
    let digits = [a, b, c].map(|digit| u16::from(digit - b'0'));
    let status = digits[0] * 100 + digits[1] * 10 + digits[2];
    Some((status, message.len() - rest.len() + reason.len()))
}

/// How many bytes of a message are words that are known, if it begins with such.
fn known_len(message: &[u8]) -> Option<usize> {
    let mut known = [ABORTED, BODY_COPY, HEALTH].into_iter();
    let known = || Some(known.find(|known| message.starts_with(known))?.len());
    answer(message).map(|(_, len)| len).or_else(known)
}

fn is_known(message: &[u8]) -> bool {
    known_len(message).is_some()
}

fn entry<'line>(time: &'line [u8], level: Level, message: &'line [u8]) -> Option<ErrorLine<'line>> {
    let (millis, zone) = parse_time(time)?;
    let east = i64::from(zone.unwrap_or(0)).checked_mul(60_000)?;
    let mut entry = ErrorLine::new(Edge::Traefik, millis.checked_add(east)?, level, message);
    entry.zone = zone;
    let Some(known) = known_len(message) else {
        entry.words = [b"", b""];
        return Some(entry);
    };
    entry.status = answer(message).map(|(status, _)| status);
    // Behind the words that are known stands what another program said, and fields of any content.
    let (said, rest) = message.split_at(known);
    entry.words = [said, rest];
    if let Some(request) = message.strip_prefix(ABORTED) {
        entry.words[1] = b"";
        aborted(&mut entry, request);
        return Some(entry);
    }
    entry.upstream = go_net::upstream(message);
    Some(entry)
}

/// `192.0.2.7:51546 - /path]: net/http: abort Handler`.
fn aborted<'line>(entry: &mut ErrorLine<'line>, request: &'line [u8]) {
    let Some(end) = memmem::find(request, b" - ") else {
        return;
    };
    let (address, path) = request.split_at(end);
    let Some(colon) = memchr::memrchr(b':', address) else {
        return;
    };
    let (client, port) = address.split_at(colon);
    let client = client.strip_prefix(b"[").unwrap_or(client);
    entry.client = Some(client.strip_suffix(b"]").unwrap_or(client));
    entry.connection = port.get(1..).and_then(super::whole);
    let path = path.get(3..).unwrap_or_default();
    entry.path_hint = memmem::rfind(path, b"]: ").and_then(|end| path.get(..end));
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn a_failed_request_has_status_and_moment_in_every_form() {
        let refused = "dial tcp 10.0.0.2:80: connect: connection refused";
        for line in [
            format!(
                "2026-11-24T14:24:22+01:00 DBG github.com/traefik/traefik/v3/pkg/proxy/httputil/proxy.go:199 > 502 Bad Gateway error=\"{refused}\""
            ),
            format!(
                "\u{1b}[90m2026-11-24T14:24:22+01:00\u{1b}[0m \u{1b}[33mDBG\u{1b}[0m \u{1b}[1mproxy.go:199\u{1b}[0m\u{1b}[36m >\u{1b}[0m 502 Bad Gateway \u{1b}[36merror=\u{1b}[0m\u{1b}[31m\"{refused}\"\u{1b}[0m"
            ),
            format!(
                "time=\"2026-11-24T14:24:22+01:00\" level=debug msg=\"'502 Bad Gateway' caused by: {refused}\""
            ),
            format!(
                r#"{{"level":"debug","error":"{refused}","time":"2026-11-24T14:24:22+01:00","caller":"github.com/traefik/traefik/v3/pkg/proxy/httputil/proxy.go:199","message":"502 Bad Gateway"}}"#
            ),
            format!(
                r#"{{"level":"debug","msg":"'502 Bad Gateway' caused by: {refused}","time":"2026-11-24T14:24:22+01:00"}}"#
            ),
        ] {
            let entry = parse(line.as_bytes()).unwrap_or_else(|| panic!("{line}"));
            assert_eq!(entry.status, Some(502), "{line}");
            assert_eq!((entry.zone, entry.level), (Some(60), Level::Debug));
            assert_eq!(entry.upstream, Some(b"10.0.0.2:80".as_slice()), "{line}");
            assert!(entry.client.is_none());
            let words = entry.words.concat();
            assert!(memmem::find(&words, refused.as_bytes()).is_some(), "{line}");
        }
    }

    #[test]
    fn a_broken_body_names_client_and_path_and_neither_is_among_the_words() {
        let line = "2026-11-24T13:24:23Z DBG recovery.go:45 > Request has been aborted [[2001:db8::7]:51546 - /a?EOF]: net/http: abort Handler middlewareName=x";
        let entry = parse(line.as_bytes()).unwrap();
        assert_eq!(entry.client, Some(b"2001:db8::7".as_slice()));
        assert_eq!(entry.connection, Some(51546));
        assert_eq!(entry.path_hint, Some(b"/a?EOF".as_slice()));
        assert_eq!(entry.words, [ABORTED, b""]);
    }

    #[test]
    fn other_messages_are_entries_without_words() {
        let line = "2026-11-24T13:24:23Z DBG retry.go:247 > New attempt 2 for request: /EOF";
        let entry = parse(line.as_bytes()).unwrap();
        assert_eq!(entry.words, [b"".as_slice(), b""]);
        assert!(entry.status.is_none());
    }

    #[test]
    fn what_is_no_entry_is_left_to_others() {
        for line in [
            r#"{"level":"info","time":"2026-11-24T13:24:22Z","message":"502 things done"}"#,
            r#"{"DownstreamStatus":502,"level":"info","msg":"","time":"2026-11-24T13:24:22Z"}"#,
            "time=\"2026-11-24T13:24:22Z\" level=info msg=\"listening\"",
            "2026-11-24T13:24:22Z INF listening on :80",
            "2026-11-24T13:24:22Z DBG proxy.go:199",
            "yesterday DBG proxy.go:199 > 502 Bad Gateway",
            "time=\"",
            "\u{1b}[",
        ] {
            assert!(parse(line.as_bytes()).is_none(), "{line}");
        }
    }
}
