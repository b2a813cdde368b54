//! What varnishlog prints: transactions of the shared memory log, one record a line.
//!
//! ```text
//! *   << BeReq    >> 6                                  6 Begin          b bereq 5 fetch
//! -   Begin          bereq 5 fetch                      6 Timestamp      b Start: 1795526611.505496 0.000000 0.000000
//! -   Timestamp      Start: 1795526611.505496 ...       6 FetchError     b HTC eof (-1)
//! -   FetchError     HTC eof (-1)
//! ```
//!
//! On the left as grouped by default (deeper transactions have more stars and dashes), on the right `-g raw`. A record
//! alone names neither time nor URL: the records of one transaction are put together when everything is read
//! (<https://varnish-cache.org/docs/trunk/reference/vsl.html>).

use model::Edge;

use super::{Cursor, ErrorLine, Level, Part, whole};

/// Takes a line apart.
pub(super) fn parse(line: &[u8]) -> Option<ErrorLine<'_>> {
    match line.first()? {
        b'*' => heading(line),
        b'-' => {
            let (tag, value) = tagged(behind_dashes(line)?)?;
            Some(record(tag, value, Part::Further))
        }
        b' ' | b'0'..=b'9' => raw(line),
        _ => None,
    }
}

/// `*   << BeReq    >> 6`, `*4* << BeReq    >> 9`.
fn heading(line: &[u8]) -> Option<ErrorLine<'_>> {
    let mut at = Cursor { rest: line };
    let stars = at.until(b"<< ")?;
    if stars.len() != 4 || !stars.iter().all(|byte| b"* 0123456789".contains(byte)) {
        return None;
    }
    let kind = at.until(b">> ")?.trim_ascii();
    let number = at.rest.trim_ascii();
    let vxid = whole(number)?;
    let mut entry = ErrorLine::untimed(Edge::Varnish, Part::First, number);
    match kind {
        b"Request" => entry.connection = Some(vxid),
        b"BeReq" | b"Session" | b"Record" => {}
        _ => return None,
    }
    Some(entry)
}

/// What stands behind `-   `, `--  `, `--- ` or `-4- `.
fn behind_dashes(line: &[u8]) -> Option<&[u8]> {
    let (dashes, rest) = line.split_at_checked(4)?;
    let fits = matches!(dashes, b"-   " | b"--  " | b"--- ")
        || matches!(dashes, [b'-', level, b'-', b' '] if level.is_ascii_digit());
    fits.then_some(rest)
}

/// A tag, padded with blanks, and its value.
fn tagged(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = text
        .iter()
        .position(|byte| *byte == b' ')
        .unwrap_or(text.len());
    let (tag, value) = text.split_at(end);
    let is_tag = tag.first().is_some_and(u8::is_ascii_uppercase)
        && tag
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || *byte == b'_');
    is_tag.then_some((tag, value.trim_ascii_start()))
}

/// `         6 FetchError     b HTC eof (-1)`.
fn raw(line: &[u8]) -> Option<ErrorLine<'_>> {
    let mut at = Cursor { rest: line };
    at.spaces();
    let vxid = at.number()?;
    at.eat(b" ")?;
    let (tag, rest) = tagged(at.rest)?;
    let (side, value) = match rest {
        [side @ (b'b' | b'c' | b'-'), b' ', value @ ..] => (*side, value),
        [side @ (b'b' | b'c' | b'-')] => (*side, b"".as_slice()),
        _ => return None,
    };
    let part = match (side, tag) {
        (b'-', _) => Part::Whole,
        (_, b"Begin") => Part::First,
        _ => Part::Further,
    };
    let mut entry = record(tag, value, part);
    entry.process = (vxid, u64::from(side));
    if side == b'c' && tag == b"Begin" && value.starts_with(b"req ") {
        entry.connection = Some(vxid);
    }
    Some(entry)
}

/// What one record says.
fn record<'line>(tag: &[u8], value: &'line [u8], part: Part) -> ErrorLine<'line> {
    let mut entry = ErrorLine::untimed(Edge::Varnish, part, value);
    entry.words = [b"", b""];
    // Most records say nothing of a failure.
    entry.level = Level::Debug;
    match tag {
        b"Begin" => {
            entry.words = [value, b""];
            begin(value, &mut entry);
        }
        b"Timestamp" => {
            entry.words = [value, b""];
            start(value, &mut entry);
        }
        b"BereqURL" | b"ReqURL" => entry.path_hint = Some(value),
        b"BereqHeader" | b"ReqHeader" => {
            entry.host = header(value, b"host:");
            if entry.host.is_some() {
                entry.words = [value.get(..b"host:".len()).unwrap_or_default(), b""];
            }
        }
        b"BackendOpen" => opened(value, &mut entry),
        b"BerespStatus" => status(value, &mut entry),
        b"VCL_return" if value == b"error" => entry.words = [b"VCL_return ", value],
        b"FetchError" => {
            entry.level = Level::Error;
            entry.words = [b"FetchError ", value];
            entry.upstream = backend(value);
        }
        b"Error" => {
            entry.level = Level::Error;
            entry.words = [b"Error ", value];
        }
        b"BogoHeader" => {
            // Behind a colon stands the field itself.
            let end = memchr::memchr(b':', value).unwrap_or(value.len());
            entry.words = [b"BogoHeader ", value.get(..end).unwrap_or_default()];
            entry.refines = true;
        }
        b"VCL_Error" => {
            entry.level = Level::Error;
            entry.words = [b"VCL_Error ", value];
        }
        b"Backend_health" => {
            entry.level = Level::Error;
            entry.words = [b"Backend_health ", value];
            entry.upstream = value.split(|byte| *byte == b' ').next();
        }
        _ => {}
    }
    entry
}

/// `bereq 5 fetch`: what asked for it, and why.
fn begin(value: &[u8], entry: &mut ErrorLine<'_>) {
    let mut words = value.split(|byte| *byte == b' ');
    if words.next() != Some(b"bereq") {
        return;
    }
    let parent = words.next().and_then(whole);
    match words.next() {
        Some(b"bgfetch") => entry.background = true,
        // Its parent is the attempt before.
        Some(b"retry") => entry.again = true,
        _ => entry.connection = parent,
    }
}

/// `Start: 1795526611.505496 0.000000 0.000000`.
fn start(value: &[u8], entry: &mut ErrorLine<'_>) {
    let Some(stamp) = value.strip_prefix(b"Start: ") else {
        return;
    };
    let mut at = Cursor { rest: stamp };
    let millis = at
        .number()
        .and_then(|secs| i64::try_from(secs).ok())
        .and_then(|secs| secs.checked_mul(1_000))
        .and_then(|millis| millis.checked_add(at.fraction()));
    if let Some(millis) = millis {
        entry.civil_millis = millis;
        entry.zone = Some(0);
    }
}

fn header<'line>(value: &'line [u8], name: &[u8]) -> Option<&'line [u8]> {
    let (head, rest) = value.split_at_checked(name.len())?;
    head.eq_ignore_ascii_case(name).then(|| rest.trim_ascii())
}

/// `18 default 127.0.0.1 18089 127.0.0.1 45276 reuse`: descriptor, name, address; before version 5 without the last
/// word.
fn opened<'line>(value: &'line [u8], entry: &mut ErrorLine<'line>) {
    entry.words = [value, b""];
    entry.connects = true;
    entry.reuses = value.ends_with(b" reuse");
    entry.upstream = value.split(|byte| *byte == b' ').nth(1);
}

/// A status of the origin, or one that VCL or Varnish put in its place.
fn status<'line>(value: &'line [u8], entry: &mut ErrorLine<'line>) {
    entry.status = whole(value).and_then(|status| u16::try_from(status).ok());
    entry.words = match entry.status {
        Some(500..) => [b"BerespStatus ", value],
        _ => [value, b""],
    };
}

/// The name in `backend NAME: fail errno ...`.
pub(crate) fn backend(value: &[u8]) -> Option<&[u8]> {
    let rest = value.strip_prefix(b"backend ")?;
    rest.split(|byte| *byte == b':')
        .next()
        .filter(|name| !name.contains(&b' '))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    fn text(value: Option<&[u8]>) -> &str {
        value.map_or("<none>", |text| std::str::from_utf8(text).unwrap())
    }

    #[test]
    fn grouped_records_are_read_at_any_depth() {
        let head = parse(b"*   << BeReq    >> 6         ").unwrap();
        assert_eq!((head.part, head.connection), (Part::First, None));
        let head = parse(b"*   << Request  >> 32770").unwrap();
        assert_eq!(head.connection, Some(32_770));
        for line in [
            "-   FetchError     HTC eof (-1)",
            "--  FetchError     HTC eof (-1)",
            "--- FetchError     HTC eof (-1)",
            "-4- FetchError     HTC eof (-1)",
        ] {
            let entry = parse(line.as_bytes()).unwrap();
            assert_eq!(
                entry.words,
                [b"FetchError ".as_slice(), b"HTC eof (-1)"],
                "{line}"
            );
            assert_eq!(entry.part, Part::Further);
            assert!(!entry.is_timed());
        }
    }

    #[test]
    fn raw_records_carry_their_transaction() {
        let entry = parse(
            b"     32817 FetchError     b backend boot.app: fail errno 111 (Connection refused)",
        )
        .unwrap();
        assert_eq!(entry.process, (32_817, u64::from(b'b')));
        assert_eq!(text(entry.upstream), "boot.app");
        let begin = parse(b"         3 Begin          b bereq 2 fetch").unwrap();
        assert_eq!((begin.part, begin.connection), (Part::First, Some(2)));
        let health = parse(b"         0 Backend_health - app Went sick -------- 2 3 8 0.000000 0.002 \"Open error 111\"").unwrap();
        assert_eq!((health.part, text(health.upstream)), (Part::Whole, "app"));
        assert!(parse(b"         3 End            b").is_some());
    }

    #[test]
    fn a_transaction_says_who_asked_when_and_where() {
        let begin = parse(b"-   Begin          bereq 14 bgfetch").unwrap();
        assert!(begin.background && begin.connection.is_none());
        let retry = parse(b"-   Begin          bereq 15 retry").unwrap();
        assert!(retry.again && retry.connection.is_none());
        let start =
            parse(b"-   Timestamp      Start: 1795526611.505496 0.000000 0.000000").unwrap();
        assert_eq!(
            (start.civil_millis, start.zone, start.is_timed()),
            (1_795_526_611_505, Some(0), true)
        );
        let later =
            parse(b"-   Timestamp      Beresp: 1795526611.505782 0.000286 0.000150").unwrap();
        assert!(!later.is_timed());
        let host = parse(b"-   BereqHeader    host: shop.example").unwrap();
        assert_eq!(text(host.host), "shop.example");
        let open =
            parse(b"-   BackendOpen    18 default 127.0.0.1 18089 127.0.0.1 45276 reuse").unwrap();
        assert_eq!(
            (text(open.upstream), open.connects, open.reuses),
            ("default", true, true)
        );
    }

    #[test]
    fn what_a_client_sent_is_no_word_of_varnish() {
        let entry = parse(b"-   BereqHeader    X: FetchError HTC eof (-1)").unwrap();
        assert_eq!(entry.words, [b"".as_slice(), b""]);
        let entry = parse(b"-   BereqURL       /FetchError").unwrap();
        assert_eq!(entry.words, [b"".as_slice(), b""]);
    }

    #[test]
    fn other_lines_are_not_taken() {
        for line in [
            "- - - [24/Nov/2026:13:23:36 +0000] \"- http://localhost HTTP/1.0\" 400 0 \"-\" \"-\"",
            "* item",
            "*   << Something >> 6",
            "-   lower          x",
            "- FetchError x",
            "2026 Begin x",
            "   12 items b",
            "",
        ] {
            assert!(parse(line.as_bytes()).is_none(), "{line}");
        }
    }
}
