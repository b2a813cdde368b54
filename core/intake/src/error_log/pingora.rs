//! What a proxy built on Pingora says of requests that failed.
//!
//! `[2026-11-22T07:34:41Z ERROR pingora_proxy] Fail to proxy: Upstream ConnectRefused context: ... cause: ..., status:
//! 502, tries: 1, retry: false, GET /path, Host: shop.example`: the message is Pingora's, written by `fail_to_proxy`;
//! what stands before it is the logger's that the builder chose. Read are the two that Rust programs use most,
//! env_logger and tracing, and a bare stamp.

use memchr::memmem;
use model::Edge;

use super::{Cursor, ErrorLine, Level, day_millis};

const MESSAGE: &[u8] = b"Fail to proxy: ";

/// Bytes that a logger may put before the message: stamp, level, thread, module.
const PREFIX_MAX: usize = 200;

/// Takes a line apart; `None` for what is no such line.
pub(super) fn parse(line: &[u8]) -> Option<ErrorLine<'_>> {
    let head = line.get(..line.len().min(PREFIX_MAX + MESSAGE.len()))?;
    let mut at = Cursor {
        rest: head.strip_prefix(b"[").unwrap_or(head),
    };
    let year = at.digits(4)?;
    at.eat(b"-")?;
    let month = at.digits(2)?;
    at.eat(b"-")?;
    let day = at.digits(2)?;
    at.eat(b"T").or_else(|| at.eat(b" "))?;
    let millis = at.clock()?;
    let zone = at.eat(b"Z").map(|()| 0);
    let start = memmem::find(head, MESSAGE)?;
    let message = line.get(start..)?;
    let civil = day_millis(year, month, day)?.checked_add(millis)?;
    let mut entry = ErrorLine::new(Edge::Pingora, civil, Level::Error, message);
    entry.zone = zone;
    // The summary of the request stands at the end, behind Pingora's own words.
    let end = memmem::find(message, b", status: ").unwrap_or(message.len());
    let (words, rest) = message.split_at(end);
    entry.words = [words, b""];
    entry.request = request(rest);
    Some(entry)
}

/// `GET /path, Host: shop.example` behind `retry: false, `.
fn request(rest: &[u8]) -> Option<&[u8]> {
    let retry = memmem::find(rest, b", retry: ")? + b", retry: ".len();
    let rest = rest.get(retry..)?;
    let start = memmem::find(rest, b", ")? + b", ".len();
    let summary = rest.get(start..)?;
    let end = memmem::find(summary, b", Host: ").unwrap_or(summary.len());
    summary.get(..end).filter(|request| !request.is_empty())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn the_message_is_found_behind_any_logger() {
        for prefix in [
            "[2026-11-22T07:34:41Z ERROR pingora_proxy] ",
            "2026-11-22T07:34:41.123456Z ERROR pingora_proxy::proxy_trait: ",
            "2026-11-22 07:34:41 ERROR ",
        ] {
            let line = format!(
                "{prefix}Fail to proxy: Upstream ConnectRefused context: Peer: 192.0.2.1:80 cause: x, status: 502, tries: 1, retry: false, GET /a?b, Host: shop.example"
            );
            let entry = parse(line.as_bytes()).unwrap();
            assert_eq!(entry.request, Some(b"GET /a?b".as_slice()), "{prefix}");
            assert!(entry.words[0].ends_with(b"cause: x"), "{prefix}");
        }
    }

    #[test]
    fn other_lines_are_refused() {
        for line in [
            "",
            "[2026-11-22T07:34:41Z ERROR pingora_proxy] Bad thing",
            "Fail to proxy: Upstream ConnectRefused",
            "2026-11-22T07:34:41Z",
        ] {
            assert!(parse(line.as_bytes()).is_none(), "{line}");
        }
    }
}
