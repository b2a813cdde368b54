//! nghttpx's error log.
//!
//! `2026-11-22T07:34:41.488Z PID TID HASH LEVEL (shrpx_file.cc:123) [DCONN:0x55d1] MESSAGE`: written by `Log::~Log` in
//! `src/shrpx_log.cc`. Older releases have no hash. It names no request, only the backend.

use memchr::memmem;
use model::Edge;

use super::{Cursor, ErrorLine, Level, day_millis};

/// Takes a line apart; `None` for what is no entry of nghttpx.
pub(super) fn parse(line: &[u8]) -> Option<ErrorLine<'_>> {
    let mut at = Cursor { rest: line };
    let year = at.digits(4)?;
    at.eat(b"-")?;
    let month = at.digits(2)?;
    at.eat(b"-")?;
    let day = at.digits(2)?;
    at.eat(b"T")?;
    let millis = at.clock()?;
    let zone = zone(&mut at)?;
    at.eat(b" ")?;
    let process = at.number()?;
    at.eat(b" ")?;
    let thread = at.number()?;
    at.eat(b" ")?;
    let mut word = at.until(b" ")?;
    if is_hash(word) {
        word = at.until(b" ")?;
    }
    let level = level(word)?;
    at.eat(b"(shrpx")?;
    at.until(b") ")?;
    let civil = day_millis(year, month, day)?.checked_add(millis)?;
    let mut entry = ErrorLine::new(Edge::Nghttpx, civil, level, at.rest);
    entry.zone = Some(zone);
    entry.process = (process, thread);
    entry.words = [without_object(at.rest), b""];
    entry.upstream = address(at.rest);
    Some(entry)
}

/// Whether it counts the failure of which the line before it speaks.
pub(super) fn ends_event(entry: &ErrorLine<'_>) -> bool {
    entry.words[0].starts_with(b"Could not connect ")
}

/// `Z` or `+01:00`, in minutes east of UTC.
fn zone(at: &mut Cursor<'_>) -> Option<i32> {
    if at.eat(b"Z").is_some() {
        return Some(0);
    }
    let sign = match at.rest.first()? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    at.rest = at.rest.get(1..)?;
    let hours = i32::try_from(at.digits(2)?).ok()?;
    // Some platforms write no colon.
    at.eat(b":");
    let minutes = i32::try_from(at.digits(2)?).ok()?;
    Some(sign * (hours * 60 + minutes))
}

/// The hash of the program's run: eight hexadecimal digits.
fn is_hash(word: &[u8]) -> bool {
    word.len() == 8 && word.iter().all(u8::is_ascii_hexdigit)
}

fn level(name: &[u8]) -> Option<Level> {
    Some(match name {
        b"INFO" => Level::Info,
        b"NOTICE" => Level::Notice,
        b"WARN" => Level::Warn,
        b"ERROR" => Level::Error,
        b"FATAL" => Level::Crit,
        _ => return None,
    })
}

/// The message without `[DCONN:0x55d19d8edc10] ` before it.
fn without_object(message: &[u8]) -> &[u8] {
    if !message.starts_with(b"[") {
        return message;
    }
    let end = memmem::find(message, b"] ").map(|end| end + b"] ".len());
    end.and_then(|end| message.get(end..)).unwrap_or(message)
}

/// The backend in `addr=127.0.0.1:8080: errno=111`.
fn address(message: &[u8]) -> Option<&[u8]> {
    let start = memmem::find(message, b"addr=")? + b"addr=".len();
    let rest = message.get(start..)?;
    let end = memchr::memchr2(b' ', b',', rest).unwrap_or(rest.len());
    let word = rest.get(..end)?;
    Some(word.strip_suffix(b":").unwrap_or(word)).filter(|word| !word.is_empty())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn every_release_is_read() {
        for (line, zone, upstream) in [
            (
                "2026-11-22T07:34:41.488Z 7 8 3e40bb55 WARN (shrpx_http_downstream_connection.cc:1532) [DCONN:0x55d1] Backend connect failed; addr=192.0.2.1:8080: errno=111",
                0,
                Some("192.0.2.1:8080"),
            ),
            (
                "2026-11-22T08:34:41.488+01:00 7 8 WARN (shrpx_http_downstream_connection.cc:399) [DCONN:0x55d1] connect() failed; addr=/run/app.sock, errno=2",
                60,
                Some("/run/app.sock"),
            ),
            (
                "2026-11-22T02:04:41.488-05:30 7 8 3e40bb55 WARN (shrpx_http2_session.cc:1) [DHTTP2:0x1] Connect time out; addr=[2001:db8::1]:80",
                -330,
                Some("[2001:db8::1]:80"),
            ),
            (
                "2026-11-22T07:34:41.488Z 7 8 3e40bb55 NOTICE (shrpx.cc:1012) Listening on 127.0.0.1:3000",
                0,
                None,
            ),
        ] {
            let entry = parse(line.as_bytes()).unwrap();
            assert_eq!(entry.zone, Some(zone), "{line}");
            let upstream = upstream.map(str::as_bytes);
            assert_eq!(entry.upstream, upstream, "{line}");
            assert!(!entry.words[0].starts_with(b"["), "{line}");
        }
    }

    #[test]
    fn other_lines_are_refused() {
        for line in [
            "",
            "2026-11-22T07:34:41.488Z",
            "2026-11-22T07:34:41.488Z 7 8 WARN (other.cc:1) x",
            "2026-11-22T07:34:41.488 7 8 WARN (shrpx.cc:1) x",
            "2026-11-22T07:34:41.488Z 7 8 3e40bb55 LOUD (shrpx.cc:1) x",
            "2026-11-22T07:34:41.488Z 7 8 3e40bb55 WARN (shrpx.cc:1",
            "2026-11-22T07:34:41.488+0x:00 7 8 3e40bb55 WARN (shrpx.cc:1) x",
        ] {
            assert!(parse(line.as_bytes()).is_none(), "{line}");
        }
    }
}
