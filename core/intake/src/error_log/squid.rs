//! Squid's `cache.log`: `2026/11/22 07:25:33 kid1| MESSAGE`.
//!
//! Messages about an answer (`WARNING: HTTP: Invalid Response: ... for URL AKA URL`, src/http.cc) name what was asked
//! for, which ties them to a request; those about a peer (src/CachePeer.cc, src/neighbors.cc) name only the peer. Of
//! several lines of one message only the first is an entry.

use memchr::memmem;
use model::Edge;

use super::{Cursor, ErrorLine, Level, day_millis};

/// Takes a line apart.
pub(super) fn parse(line: &[u8]) -> Option<ErrorLine<'_>> {
    let mut at = Cursor { rest: line };
    let year = at.digits(4)?;
    at.eat(b"/")?;
    let month = at.digits(2)?;
    at.eat(b"/")?;
    let day = at.digits(2)?;
    at.eat(b" ")?;
    let millis = at.clock()?;
    // A worker of several says which one it is.
    if at.eat(b" kid").is_some() {
        at.number()?;
    }
    at.eat(b"|")?;
    at.spaces();
    let civil_millis = day_millis(year, month, day)?.checked_add(millis)?;
    let message = at.rest;
    let mut entry = ErrorLine::new(Edge::Squid, civil_millis, level(message), message);
    entry.words = [words(message), b""];
    match message.strip_prefix(INVALID.as_slice()) {
        Some(rest) => entry.path_hint = url(rest),
        None => entry.upstream = peer(message),
    }
    Some(entry)
}

const INVALID: &[u8; 33] = b"WARNING: HTTP: Invalid Response: ";

fn level(message: &[u8]) -> Level {
    const LEVELS: [(&[u8], Level); 6] = [
        (b"FATAL: ", Level::Crit),
        (b"ERROR: ", Level::Error),
        (b"SECURITY ", Level::Error),
        (b"WARNING: ", Level::Warn),
        (b"WARNING! ", Level::Warn),
        (b"Detected DEAD ", Level::Warn),
    ];
    let found = LEVELS.iter().find(|(begin, _)| message.starts_with(begin));
    found.map_or(Level::Notice, |(_, level)| *level)
}

/// The product's own words: they end where a URL begins.
fn words(message: &[u8]) -> &[u8] {
    let end = memmem::find(message, b"://").map_or(message.len(), |at| {
        let before = message.get(..at).unwrap_or_default();
        memchr::memrchr(b' ', before).map_or(0, |blank| blank + 1)
    });
    message.get(..end).unwrap_or_default()
}

/// The URL before ` AKA `, or at the end.
fn url(text: &[u8]) -> Option<&[u8]> {
    let scheme = memmem::find(text, b"://")?;
    let start = memchr::memrchr(b' ', text.get(..scheme)?)? + 1;
    let url = text.get(start..)?;
    let end = memchr::memchr(b' ', url).unwrap_or(url.len());
    url.get(..end)
}

/// `TCP connection to HOST/PORT failed`, `ERROR: Connection to NAME failed`, `Detected DEAD Parent: NAME`.
fn peer(message: &[u8]) -> Option<&[u8]> {
    for (begin, end) in [
        (b"TCP connection to ".as_slice(), b" failed".as_slice()),
        (b"ERROR: Connection to ", b" failed"),
        (b"Detected DEAD Parent: ", b""),
        (b"Detected REVIVED Parent: ", b""),
    ] {
        if let Some(rest) = message.strip_prefix(begin) {
            let name = rest.strip_suffix(end)?;
            // The port stands behind a slash.
            let host = name.split(|byte| matches!(byte, b'/' | b' ')).next()?;
            return Some(host).filter(|host| !host.is_empty());
        }
    }
    None
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    fn text(bytes: Option<&[u8]>) -> &str {
        std::str::from_utf8(bytes.unwrap_or_default()).unwrap()
    }

    #[test]
    fn an_invalid_response_names_what_was_asked_for() {
        let line = b"2026/11/22 07:25:33 kid1| WARNING: HTTP: Invalid Response: No object data received for http://shop.example/cart?token=x AKA http://shop.example/cart?token=x";
        let entry = parse(line).unwrap();
        assert_eq!(entry.civil_millis, 1_795_332_333_000);
        assert_eq!(text(entry.path_hint), "http://shop.example/cart?token=x");
        assert_eq!(
            text(Some(entry.words[0])),
            "WARNING: HTTP: Invalid Response: No object data received for "
        );
    }

    #[test]
    fn peers_are_named_without_their_port() {
        for (line, name) in [
            (
                "2026/11/22 07:25:33| TCP connection to 10.0.0.5/8080 failed",
                "10.0.0.5",
            ),
            (
                "2026/11/22 07:25:33| ERROR: Connection to app0 failed",
                "app0",
            ),
            (
                "2026/11/22 07:25:33.123 kid2| Detected DEAD Parent: app0",
                "app0",
            ),
        ] {
            assert_eq!(text(parse(line.as_bytes()).unwrap().upstream), name);
        }
    }

    #[test]
    fn lines_of_nginx_and_cut_ones_are_left_alone() {
        for line in [
            "2026/11/22 07:25:33 [error] 1#1: *7 connect() failed",
            "2026/11/22 07:25:33",
            "    current master transaction: master56",
            "2026/11/32 07:25:33| x",
        ] {
            assert!(parse(line.as_bytes()).is_none(), "{line}");
        }
        assert!(parse(b"2026/11/22 07:25:33|").is_some());
    }
}
