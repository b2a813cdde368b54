//! The process log of Envoy, and its two event logs.
//!
//! `[2026-11-24 14:30:00.032][18135][warning][main] [source/server/server.cc:1059] MESSAGE`, as `--log-format` has it by
//! default; Istio's agent writes `2026-11-24T13:30:00.032914Z\twarning\tenvoy main SOURCE\tMESSAGE\tthread=18`. At its
//! usual levels it speaks of the process and of its configuration, never of one request.
//!
//! The health checker's and the outlier detector's events are JSON objects, one a line, in files of their own.
//!
//! The line of a TCP proxy (`[START] "- - -" 0 ...`), which stands among those of requests, is a connection and no
//! request: it is taken for an entry that says nothing.
//!
//! Source: envoy `source/common/common/logger.h`, `source/extensions/health_check/event_sinks/file`,
//! `source/common/upstream/outlier_detection_impl.cc`.

use memchr::memmem::{self, Finder};
use model::Edge;

use super::{Cursor, ErrorLine, Level, day_millis};
use crate::literal::finder;

/// Loggers through which scripts of the operator write what they like, and with it what a client sent.
const SCRIPTS: [&[u8]; 5] = [b"lua", b"wasm", b"golang", b"dynamic_modules", b"tap"];

/// Takes a line apart; `None` for what is no entry of Envoy.
pub(super) fn parse(line: &[u8]) -> Option<ErrorLine<'_>> {
    match line.first()? {
        b'[' => process(line).or_else(|| connection(line)),
        b'{' => event(line),
        b'0'..=b'9' => istio(line),
        _ => None,
    }
}

/// `[date time][thread][level][logger] message`.
fn process(line: &[u8]) -> Option<ErrorLine<'_>> {
    let mut at = Cursor { rest: line };
    at.eat(b"[")?;
    let millis = stamp(&mut at, b" ")?;
    at.eat(b"][")?;
    let thread = at.number()?;
    at.eat(b"][")?;
    let level = level(at.until(b"][")?)?;
    let logger = at.until(b"]")?;
    at.spaces();
    Some(entry(millis, level, thread, logger, at.rest))
}

/// The same as Istio's agent passes it on, and the agent's own lines.
fn istio(line: &[u8]) -> Option<ErrorLine<'_>> {
    let mut at = Cursor { rest: line };
    let millis = stamp(&mut at, b"T")?;
    at.eat(b"Z\t")?;
    let level = level(at.until(b"\t")?)?;
    let logger = match at.eat(b"envoy ") {
        Some(()) => at.until(b"\t")?.split(|byte| *byte == b' ').next()?,
        None => b"agent",
    };
    let message = at.rest;
    let end = memmem::rfind(message, b"\tthread=").unwrap_or(message.len());
    let mut found = entry(millis, level, 0, logger, message.get(..end)?);
    found.zone = Some(0);
    Some(found)
}

fn entry<'line>(
    millis: i64,
    level: Level,
    thread: u64,
    logger: &[u8],
    message: &'line [u8],
) -> ErrorLine<'line> {
    let mut entry = ErrorLine::new(Edge::Envoy, millis, level, message);
    entry.process = (0, thread);
    if level == Level::Debug || SCRIPTS.contains(&logger) {
        entry.words = [b"", b""];
    }
    entry
}

/// An event of the health checker or the outlier detector.
fn event(line: &[u8]) -> Option<ErrorLine<'_>> {
    let text = |key: &[u8]| {
        let start = memmem::find(line, key)? + key.len();
        let rest = line.get(start..)?;
        rest.get(..memchr::memchr(b'"', rest)?)
    };
    let has = |key: &Finder<'_>| key.find(line).is_some();
    let is_connection = has(finder!("\"response_flags\":"))
        && (has(finder!("\"method\":null")) || has(finder!("\"method\":\"-\"")));
    if is_connection {
        let mut at = Cursor {
            rest: text(b"\"start_time\":\"")?,
        };
        let millis = stamp(&mut at, b"T")?;
        let mut entry = ErrorLine::new(Edge::Envoy, millis, Level::Info, b"");
        entry.zone = Some(0);
        return Some(entry);
    }
    let is_event = has(finder!("\"health_checker_type\":"))
        || has(finder!("\"num_ejections\":")) && has(finder!("\"upstream_url\":"));
    if !is_event {
        return None;
    }
    let mut at = Cursor {
        rest: text(b"\"timestamp\":\"")?,
    };
    let millis = stamp(&mut at, b"T")?;
    let mut entry = ErrorLine::new(Edge::Envoy, millis, Level::Warn, line);
    entry.zone = Some(0);
    entry.upstream = text(b"\"upstream_url\":\"").or_else(|| text(b"\"address\":\""));
    Some(entry)
}

/// A TCP proxy's line.
fn connection(line: &[u8]) -> Option<ErrorLine<'_>> {
    let mut at = Cursor { rest: line };
    at.eat(b"[")?;
    let millis = stamp(&mut at, b"T")?;
    at.until(b"] \"- - -\" ")?;
    let mut entry = ErrorLine::new(Edge::Envoy, millis, Level::Info, b"");
    entry.zone = Some(0);
    Some(entry)
}

/// `2026-11-24`, `between`, `14:30:00.032`.
fn stamp(at: &mut Cursor<'_>, between: &[u8]) -> Option<i64> {
    let year = at.digits(4)?;
    at.eat(b"-")?;
    let month = at.digits(2)?;
    at.eat(b"-")?;
    let day = at.digits(2)?;
    at.eat(between)?;
    let millis = at.clock()?;
    day_millis(year, month, day)?.checked_add(millis)
}

/// spdlog's names.
fn level(name: &[u8]) -> Option<Level> {
    Some(match name {
        b"trace" | b"debug" => Level::Debug,
        b"info" => Level::Info,
        b"warning" | b"warn" => Level::Warn,
        b"error" => Level::Error,
        b"critical" | b"fatal" => Level::Crit,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn entries_of_the_process() {
        let line = b"[2026-11-24 14:30:00.032][18135][warning][main] [source/server/server.cc:1059] There is no configured limit";
        let entry = parse(line).unwrap();
        assert_eq!((entry.level, entry.process), (Level::Warn, (0, 18135)));
        assert_eq!(entry.zone, None);
        assert_eq!(entry.civil_millis, 1_795_530_600_032);
        let agent = parse(b"2026-11-24T13:30:00.032914Z\tcritical\tenvoy backtrace external/envoy/source/server/backtrace.h:104\tCaught Segmentation fault, suspect faulting address 0x0\tthread=18").unwrap();
        assert_eq!(agent.level, Level::Crit);
        assert_eq!(agent.zone, Some(0));
        assert!(agent.words[0].ends_with(b"0x0"));
        assert!(parse(b"2026-11-24T13:30:00.032914Z\tinfo\tEnvoy proxy is ready").is_some());
    }

    #[test]
    fn what_scripts_and_debugging_write_holds_no_words() {
        for line in [
            &b"[2026-11-24 14:30:00.032][18][info][lua] [source/x.cc:1] script log: Caught Segmentation fault"[..],
            b"[2026-11-24 14:30:00.032][18][debug][http] [source/x.cc:1] ':path', '/Caught Segmentation fault'",
        ] {
            assert_eq!(parse(line).unwrap().words, [&b""[..], b""]);
        }
    }

    #[test]
    fn events_name_their_upstream() {
        let eject = br#"{"type":"CONSECUTIVE_5XX","cluster_name":"shop","upstream_url":"10.0.0.7:8080","action":"EJECT","num_ejections":1,"enforced":true,"eject_consecutive_event":{},"timestamp":"2026-11-24T13:30:00.279Z","secs_since_last_action":"-1"}"#;
        let entry = parse(eject).unwrap();
        assert_eq!(entry.upstream, Some(&b"10.0.0.7:8080"[..]));
        assert_eq!(entry.civil_millis, 1_795_527_000_279);
        let sick = br#"{"health_checker_type":"HTTP","host":{"socket_address":{"protocol":"TCP","address":"10.0.0.7","port_value":8080}},"cluster_name":"shop","timestamp":"2026-11-24T13:30:00.279Z","eject_unhealthy_event":{"failure_type":"NETWORK"}}"#;
        assert_eq!(parse(sick).unwrap().upstream, Some(&b"10.0.0.7"[..]));
        assert!(
            parse(br#"{"response_code":200,"start_time":"2026-11-24T13:30:00.279Z"}"#).is_none()
        );
    }

    #[test]
    fn a_connection_is_an_entry_and_a_request_is_none() {
        let tcp =
            br#"[2026-11-24T13:30:00.279Z] "- - -" 0 UF 0 0 1 - "-" "-" "-" "-" "10.0.0.7:3306""#;
        assert_eq!(parse(tcp).unwrap().words, [&b""[..], b""]);
        let json = br#"{"authority":null,"method":null,"path":null,"protocol":null,"response_code":0,"response_flags":"UF","start_time":"2026-11-24T13:30:00.279Z","upstream_host":"10.0.0.7:3306"}"#;
        assert_eq!(parse(json).unwrap().words, [&b""[..], b""]);
        for line in [
            &br#"[2026-11-24T13:30:00.279Z] "GET / HTTP/1.1" 503 UF 0 121 7 - "-" "a" "b" "c" "d""#
                [..],
            b"[2026-11-24 14:30",
            b"[2026-11-24 14:30:00.032][18135][whatever][main] x",
            b"2026-11-24T13:30:00.032914Z INFO x",
        ] {
            assert!(parse(line).is_none());
        }
    }
}
