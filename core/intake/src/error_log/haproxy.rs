//! HAProxy's own lines between those of requests: servers that go and come, a backend without any, limits.
//!
//! They go to the same syslog as the requests and carry no stamp of their own; their envelope has it. The same lines
//! go to the standard error output as `[ALERT] 327/074614 (123) : ...`. A connection that failed before its request is
//! logged with a stamp: `addr:port [time] frontend/bind: SSL handshake failure`. Source: HAProxy `src/server.c`,
//! `src/check.c`, `src/backend.c`, `src/log.c`.

use memchr::memmem;
use model::Edge;

use super::{Cursor, ErrorLine, Level, UNSTAMPED, is_address, whole};
use crate::format::parse_time;

/// Takes a line apart; `None` for what is no entry of HAProxy.
pub(super) fn parse(line: &[u8]) -> Option<ErrorLine<'_>> {
    match line.first()? {
        b'[' => process_line(line),
        b'0'..=b'9' | b':' => failed_connection(line),
        b'a'..=b'f' => failed_connection(line).or_else(|| event(line, Level::Notice)),
        b'A'..=b'Z' | b'p' => event(line, Level::Notice),
        _ => None,
    }
}

/// `[WARNING]  (123) : text`, `[ALERT] 327/074614 (123) : text`.
fn process_line(line: &[u8]) -> Option<ErrorLine<'_>> {
    let mut at = Cursor { rest: line };
    at.eat(b"[")?;
    let level = match at.until(b"]")? {
        b"ALERT" => Level::Alert,
        b"WARNING" => Level::Warn,
        b"NOTICE" => Level::Notice,
        b"DIAG" => Level::Info,
        _ => return None,
    };
    at.spaces();
    if at.rest.first() != Some(&b'(') {
        // Day of the year and time, of which no year is known.
        let stamp = at.until(b" ")?;
        if !stamp.contains(&b'/') {
            return None;
        }
    }
    at.eat(b"(")?;
    let pid = at.number()?;
    at.eat(b") : ")?;
    let mut entry = event(at.rest, level)
        .unwrap_or_else(|| ErrorLine::new(Edge::Haproxy, UNSTAMPED, level, at.rest));
    entry.process.0 = pid;
    Some(entry)
}

/// What a line of an event begins with, before the name that it is about.
const SERVER: [&[u8]; 4] = [
    b"Server ",
    b"Backup Server ",
    b"Health check for server ",
    b"Health check for backup server ",
];
/// Kinds of proxies, as they are called where none of their servers is left.
const PROXIES: [&[u8]; 4] = [b"backend ", b"proxy ", b"frontend ", b"Proxy "];

/// A line about a server, a proxy or the process; `None` where the words are not HAProxy's.
fn event(line: &[u8], level: Level) -> Option<ErrorLine<'_>> {
    let mut entry = ErrorLine::new(Edge::Haproxy, UNSTAMPED, level, line);
    let after = |begins: &[&[u8]]| begins.iter().find_map(|begin| line.strip_prefix(*begin));
    if let Some(rest) = after(&SERVER) {
        let name = name(rest)?;
        let slash = memchr::memchr(b'/', name)?;
        let is_whole = slash > 0 && slash + 1 < name.len();
        // A health check's reason is the server's own text and stays: a client has no part in it.
        entry.upstream = is_whole.then_some(name);
        return entry.upstream.map(|_| entry);
    }
    if let Some(rest) = after(&PROXIES) {
        let name = name(rest)?;
        let said = rest.get(name.len()..)?;
        if memmem::find(said, b"has no server available!").is_some() {
            entry.upstream = Some(name);
        } else if !PROXY_SAYS.iter().any(|words| said.starts_with(words)) {
            return None;
        }
        return Some(entry);
    }
    if let Some(rest) = line.strip_prefix(b"Connect() failed for backend ") {
        entry.upstream = Some(name(rest)?);
        return Some(entry);
    }
    PROCESS_SAYS
        .iter()
        .any(|words| line.starts_with(words))
        .then_some(entry)
}

/// What follows a proxy's name.
const PROXY_SAYS: [&[u8]; 6] = [
    b" started",
    b" stopped",
    b" hard-stopped",
    b" reached ",
    b" is stopped",
    b" enters ",
];
/// Lines about the process.
const PROCESS_SAYS: [&[u8]; 8] = [
    b"Cannot bind to source address",
    b"Stopping ",
    b"Pausing ",
    b"Paused ",
    b"Resuming ",
    b"Resumed ",
    b"SIGHUP received",
    b"Some tasks resisted",
];

/// The name at the begin: up to a blank, or the colon or comma behind it.
fn name(text: &[u8]) -> Option<&[u8]> {
    let end = memchr::memchr3(b' ', b',', b'(', text).unwrap_or(text.len());
    let name = text.get(..end)?;
    let name = name.strip_suffix(b":").unwrap_or(name);
    let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || b"._:-/".contains(byte);
    (!name.is_empty() && name.iter().all(is_name)).then_some(name)
}

/// `addr:port [06/Feb/2009:12:14:14.655] frontend/bind: SSL handshake failure`: no request came, and nobody failed.
fn failed_connection(line: &[u8]) -> Option<ErrorLine<'_>> {
    let mut at = Cursor { rest: line };
    let peer = at.until(b" [")?;
    let (time, _) = parse_time(at.until(b"] ")?)?;
    let place = at.until(b": ")?;
    if place.contains(&b' ') || !place.contains(&b'/') {
        return None;
    }
    let colon = memchr::memrchr(b':', peer)?;
    let (address, port) = (peer.get(..colon)?, peer.get(colon + 1..)?);
    whole(port)?;
    let mut entry = ErrorLine::new(Edge::Haproxy, time, Level::Info, at.rest);
    // The words of a failed handshake are OpenSSL's; they are about the client's connection, never the server's.
    entry.words = [b"", b""];
    entry.client = Some(address).filter(|address| is_address(address));
    Some(entry)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn events_name_their_server_or_backend() {
        for (line, upstream) in [
            (
                "Server shop_backend/app1 is DOWN, reason: Layer4 connection problem, info: \"Connection refused\", check duration: 0ms. 0 active and 0 backup servers left. 0 sessions active, 0 requeued, 0 remaining in queue.",
                Some("shop_backend/app1"),
            ),
            (
                "Backup Server b/s is UP, reason: Layer7 check passed, code: 200",
                Some("b/s"),
            ),
            ("Server b/s is DOWN via b2/s2. 1 active", Some("b/s")),
            (
                "Health check for server b/s failed, reason: Layer4 timeout, check duration: 2001ms, status: 1/2 UP.",
                Some("b/s"),
            ),
            (
                "backend shop_backend has no server available!",
                Some("shop_backend"),
            ),
            ("proxy shop has no server available!", Some("shop")),
            ("Connect() failed for backend b: no free ports.", Some("b")),
            ("Proxy shop started.", None),
            (
                "Proxy shop reached the configured maximum connection limit. Please check the global 'maxconn' value.",
                None,
            ),
            (
                "[WARNING]  (714) : Server b/s is going DOWN for maintenance. 0 active",
                Some("b/s"),
            ),
            ("[ALERT] 327/074614 (714) : backend 'b' is odd", None),
            ("[NOTICE]   (1) : New worker (3) forked", None),
        ] {
            let entry = parse(line.as_bytes()).unwrap_or_else(|| panic!("{line}"));
            let named = entry
                .upstream
                .map(|name| std::str::from_utf8(name).unwrap());
            assert_eq!(named, upstream, "{line}");
            assert_eq!(entry.civil_millis, UNSTAMPED, "{line}");
            assert!(entry.client.is_none(), "{line}");
        }
    }

    #[test]
    fn a_failed_handshake_is_an_entry_and_no_request() {
        for peer in ["192.0.2.7:4711", "2001:db8::7:4711", "::1:4711"] {
            let line = format!("{peer} [06/Feb/2009:12:14:14.655] shop/1: SSL handshake failure");
            let entry = parse(line.as_bytes()).unwrap();
            assert_eq!(entry.civil_millis, 1_233_922_454_655, "{peer}");
            assert!(entry.client.is_some(), "{peer}");
            assert!(entry.upstream.is_none(), "{peer}");
        }
    }

    #[test]
    fn other_lines_are_no_entries() {
        for line in [
            "",
            "Server started",
            "Server down",
            "Proxy",
            "proxy error",
            "[error] x",
            "[WARNING] x",
            "192.0.2.7:1 [06/Feb/2009:12:12:56.093] fnt bck/srv1 0/0/5007 212 -- 0/0/0/0/3 0/0",
            "192.0.2.7:1 [06/Feb/2009:12:14:14.655] a b/c 0/0/0/0/0 200 1 - - ---- 1/1/1/1/0 0/0 \"GET /: HTTP/1.1\"",
            "frontend of the house is open",
        ] {
            assert!(parse(line.as_bytes()).is_none(), "{line}");
        }
    }
}
