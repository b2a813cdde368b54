//! Traefik's common log format: combined, then the request's number, router, server and duration, as written by
//! `CommonLogFormatter` in `pkg/middlewares/accesslog/logger_formatters.go`. Headers are dropped by default, so that the
//! agent is a dash in most of them. The generic form (`genericCLF`) is combined and names no product.

use model::Field;

use super::{Reason, ncsa};
use crate::literal::finder;
use crate::visit::Spans;

/// Where the values behind the agent stand.
struct Tail {
    router: (usize, usize),
    server: (usize, usize),
    millis: (usize, usize),
}

/// Finds the fields behind the agent, at `at`; whether it is such a tail.
pub(super) fn tail(line: &[u8], at: usize, spans: &mut Spans) -> bool {
    let Some(tail) = find(line, at) else {
        return false;
    };
    let mut set = |field, (start, end): (usize, usize)| spans.set(field, start, end);
    set(Field::UpstreamName, tail.router);
    set(Field::UpstreamAddr, tail.server);
    set(Field::DurationMillis, tail.millis);
    // What was dropped is not logged: the agent of a client that sends none is no other case.
    if spans.in_line(Field::UserAgent).and_then(|at| line.get(at)) == Some(b"-") {
        spans.forget(Field::UserAgent);
    }
    true
}

/// ` 12 "shop@docker" "http://10.0.0.2:80" 3ms`.
fn find(line: &[u8], at: usize) -> Option<Tail> {
    let mut at = digits(line, blank(line, at)?)?;
    at = blank(line, at)?;
    let (router, next) = quoted(line, at)?;
    let (server, next) = quoted(line, blank(line, next)?)?;
    let start = blank(line, next)?;
    let end = digits(line, start)?;
    (line.get(end..) == Some(b"ms")).then_some(Tail {
        router,
        server,
        millis: (start, end),
    })
}

fn blank(line: &[u8], at: usize) -> Option<usize> {
    (line.get(at) == Some(&b' ')).then_some(at + 1)
}

/// Behind digits, or the dash that stands for none.
fn digits(line: &[u8], at: usize) -> Option<usize> {
    let rest = line.get(at..)?;
    let len = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    match (len, rest.first()) {
        (0, Some(b'-')) => Some(at + 1),
        (0, _) => None,
        (len, _) => Some(at + len),
    }
}

/// A value in quotes, which itself holds none; and where it ends.
fn quoted(line: &[u8], at: usize) -> Option<((usize, usize), usize)> {
    let text = line.get(at..)?.strip_prefix(b"\"")?;
    let len = memchr::memchr(b'"', text)?;
    Some(((at + 1, at + 1 + len), at + len + 2))
}

/// A line whose client is a list: Traefik writes X-Forwarded-For as it came.
pub(super) fn parse(line: &[u8], spans: &mut Spans) -> Result<(), Reason> {
    let begin = finder!(b" - ").find(line).ok_or(Reason::UnknownLayout)?;
    let clients = line.get(..begin).unwrap_or_default();
    let first = memchr::memchr(b',', clients).ok_or(Reason::UnknownLayout)?;
    let last = memchr::memrchr2(b',', b' ', clients).map_or(0, |at| at + 1);
    let rest = line.get(last..).unwrap_or_default();
    let found = ncsa::parse(rest, spans)?;
    if !tail(rest, found.tail, spans) {
        return Err(Reason::UnknownLayout);
    }
    spans.shift(last);
    spans.set(Field::ClientAddr, 0, first);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::testing::fields;

    const TAIL: &str = r#" 12 "shop@docker" "http://10.0.0.2:80" 31ms"#;

    #[test]
    fn the_values_behind_the_agent() {
        let mut spans = Spans::new();
        assert!(tail(TAIL.as_bytes(), 0, &mut spans));
        let found = fields(TAIL.as_bytes(), b"", &spans);
        assert_eq!(found.get(Field::UpstreamAddr), Some("http://10.0.0.2:80"));
        assert_eq!(found.get(Field::UpstreamName), Some("shop@docker"));
        assert_eq!(found.get(Field::DurationMillis), Some("31"));
        for text in [
            r#" 7 "-" "-" 0ms"#,
            r#" - "a -> b@file" "http://[2001:db8::1]:80/x" 123456ms"#,
        ] {
            assert!(tail(text.as_bytes(), 0, &mut spans), "{text}");
        }
        for text in [
            "",
            " ",
            " 7",
            r#" 7 "a" "b" 0.1"#,
            r#" 7 "a" "b" 3ms x"#,
            r#" 7 "a "b" 3ms"#,
            r#" "a" "b" 3ms"#,
        ] {
            assert!(!tail(text.as_bytes(), 0, &mut spans), "{text}");
        }
    }

    #[test]
    fn a_list_of_clients_gives_the_first() {
        let line = format!(
            r#"192.0.2.7, 10.0.0.9 - - [24/Nov/2026:13:24:22 +0000] "GET /a HTTP/1.1" 502 11 "-" "x"{TAIL}"#
        );
        let mut spans = Spans::new();
        parse(line.as_bytes(), &mut spans).unwrap_or_else(|reason| panic!("{reason}"));
        let found = fields(line.as_bytes(), b"", &spans);
        assert_eq!(found.get(Field::ClientAddr), Some("192.0.2.7"));
        assert_eq!(found.get(Field::Status), Some("502"));
        assert_eq!(found.get(Field::DurationMillis), Some("31"));
        assert!(parse(b"192.0.2.7 - - [", &mut spans).is_err());
    }
}
