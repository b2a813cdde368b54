//! The error log of OpenLiteSpeed and LiteSpeed.
//!
//! `2026-11-22 07:34:41.123456 [INFO] [1226] [192.0.2.7:45164:HTTP2-41#shop] MESSAGE`: stamp in local time, level,
//! process, and the connection where there is one. The messages of external applications name the request's URL first,
//! in brackets of its own; it is the client's and is cut out of the words.

use memchr::memmem;
use model::Edge;

use super::{Cursor, ErrorLine, Level, day_millis, is_address};

/// Takes a line apart; `None` for what is no entry of LiteSpeed.
pub(super) fn parse(line: &[u8]) -> Option<ErrorLine<'_>> {
    let mut at = Cursor { rest: line };
    let year = at.digits(4)?;
    at.eat(b"-")?;
    let month = at.digits(2)?;
    at.eat(b"-")?;
    let day = at.digits(2)?;
    at.eat(b" ")?;
    let millis = at.clock()?;
    at.eat(b" [")?;
    let level = level(at.until(b"]")?.trim_ascii())?;
    at.spaces();
    let mut process = 0;
    let before = at.rest;
    if at.eat(b"[").is_some() {
        match at.number().filter(|_| at.eat(b"]").is_some()) {
            Some(number) => process = number,
            None => at.rest = before,
        }
    }
    at.spaces();
    let civil = day_millis(year, month, day)?.checked_add(millis)?;
    let mut entry = ErrorLine::new(Edge::OpenLiteSpeed, civil, level, at.rest);
    entry.process = (process, 0);
    if let Some(inside) = in_brackets(at.rest) {
        let client = client(inside);
        entry.client = client;
        if client.is_some() {
            at.rest = at.rest.get(inside.len() + 2..)?;
            at.spaces();
        }
    }
    entry.words = [at.rest, b""];
    // What follows in brackets is a URL or the address of the application.
    if let Some(inside) = in_brackets(at.rest)
        && !inside.starts_with(b"STDERR")
    {
        let words = at.rest.get(inside.len() + 2..).unwrap_or_default();
        entry.words = [words, b""];
        entry.upstream = Some(inside);
    }
    Some(entry)
}

fn level(name: &[u8]) -> Option<Level> {
    Some(match name {
        b"DEBUG" | b"TRACE" | b"LOW" | b"MEDIUM" | b"HIGH" => Level::Debug,
        b"INFO" => Level::Info,
        b"NOTICE" => Level::Notice,
        b"WARN" | b"WARNING" => Level::Warn,
        b"ERROR" => Level::Error,
        b"CRIT" | b"FATAL" => Level::Crit,
        b"ALERT" => Level::Alert,
        b"EMERG" => Level::Emerg,
        _ => return None,
    })
}

/// What stands in brackets at the begin.
fn in_brackets(text: &[u8]) -> Option<&[u8]> {
    let rest = text.strip_prefix(b"[")?;
    let end = memchr::memchr(b']', rest)?;
    rest.get(..end)
}

/// `192.0.2.7:45164:HTTP2-41#shop`, `192.0.2.7:61120-5#shop`: the address before the port.
fn client(connection: &[u8]) -> Option<&[u8]> {
    let name = memmem::find(connection, b"#").unwrap_or(connection.len());
    let connection = connection.get(..name)?;
    // From the right, since an IPv6 address has colons of its own.
    let mut end = connection.len();
    for _ in 0..3 {
        end = memchr::memrchr(b':', connection.get(..end)?)?;
        let address = connection.get(..end)?;
        if is_address(address) {
            return Some(address);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn a_line_is_taken_apart() {
        for (line, client, words) in [
            (
                "2026-11-22 07:34:41.774649 [NOTICE] [1226033] [192.0.2.7:45164:HTTP2-41#shop] [STDERR] PHP message",
                Some("192.0.2.7"),
                "[STDERR] PHP message",
            ),
            (
                "2026-11-22 07:34:41.353044 [INFO] [1226038] [192.0.2.9:61120-5#Example] ExtConn timed out while processing.",
                Some("192.0.2.9"),
                "ExtConn timed out while processing.",
            ),
            (
                "2026-11-22 07:34:41.353 [WARN] [uds://tmp/lshttpd/app.sock] Connection refused, restart!",
                None,
                " Connection refused, restart!",
            ),
        ] {
            let entry = parse(line.as_bytes()).unwrap();
            assert_eq!(entry.client, client.map(str::as_bytes), "{line}");
            assert_eq!(entry.words[0], words.as_bytes(), "{line}");
        }
    }

    #[test]
    fn other_lines_are_refused() {
        for line in [
            "",
            "2026-11-22 07:34:41.774649",
            "2026-11-22 07:34:41.774649 [LOUD] x",
            "2026-11-22 07:34:41.774649 [INFO",
            "2026-11-22 07:34:41: (server.c.1) x",
        ] {
            assert!(parse(line.as_bytes()).is_none(), "{line}");
        }
    }
}
