//! Traffic Server's `error.log`: `20261122.07h25m33s MESSAGE`.
//!
//! Messages are written by `HttpTransact::error_log_connection_failure`, `HttpSM::mark_host_failure` and the look-up of
//! the origin's name. None names the client: what ties a line to a request is the path of the URL that was asked of the
//! origin. An attempt that failed writes a line each; those after the first say so. `diags.log` has stamps without a
//! year and is not read.

use memchr::memmem;
use model::Edge;

use super::{Cursor, ErrorLine, Level, day_millis, upstream_address, whole};

/// Takes a line apart.
pub(super) fn parse(line: &[u8]) -> Option<ErrorLine<'_>> {
    let mut at = Cursor { rest: line };
    let civil_millis = stamp(&mut at)?;
    at.eat(b" ")?;
    let mut entry = ErrorLine::new(Edge::TrafficServer, civil_millis, Level::Error, at.rest);
    if let Some(url) = at.rest.strip_prefix(b"DNS Error: looking up ") {
        look_up(&mut entry, url);
    } else if let Some(url) = at.rest.strip_prefix(b"DNS Error: no valid server ") {
        look_up(&mut entry, url);
    } else if at.rest.starts_with(b"CONNECT") {
        connect(&mut entry);
    } else {
        entry.words = [without_names(at.rest), b""];
    }
    Some(entry)
}

/// `20261122.07h25m33s`.
fn stamp(at: &mut Cursor<'_>) -> Option<i64> {
    let (year, month, day) = (at.digits(4)?, at.digits(2)?, at.digits(2)?);
    at.eat(b".")?;
    let hour = at.digits(2)?;
    at.eat(b"h")?;
    let minute = at.digits(2)?;
    at.eat(b"m")?;
    let second = at.digits(2)?;
    at.eat(b"s")?;
    if hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let seconds = i64::from(hour) * 3_600 + i64::from(minute) * 60 + i64::from(second);
    day_millis(year, month, day)?.checked_add(seconds * 1_000)
}

/// A name that could not be looked up, by the URL that held it.
fn look_up<'line>(entry: &mut ErrorLine<'line>, url: &'line [u8]) {
    let words = entry.message.len() - url.len();
    entry.words = [entry.message.get(..words).unwrap_or_default(), b""];
    entry.upstream = Some(upstream_address(url)).filter(|name| !name.is_empty());
    entry.path_hint = path(url);
}

const HOST: &[u8] = b" for host='";
const URL: &[u8] = b" url='";

/// `CONNECT: attempt fail [STATE] to ADDRESS for host='H' ... url='U'`, `CONNECT: ERROR [n] connecting to ADDRESS for
/// host='H' url='U' marking down`, `CONNECT: dead server no request to ADDRESS for host='H' url='U'`.
fn connect(entry: &mut ErrorLine<'_>) {
    let message = entry.message;
    let Some(host_at) = memmem::find(message, HOST) else {
        entry.words = [message, b""];
        return;
    };
    let (before, rest) = message.split_at(host_at);
    entry.upstream = before.rsplit(|byte| *byte == b' ').next();
    let rest = rest.get(HOST.len()..).unwrap_or_default();
    let host_end = memchr::memchr(b'\'', rest).unwrap_or(rest.len());
    let (host, rest) = rest.split_at(host_end);
    entry.host = Some(host).filter(|host| !host.is_empty());
    let url_at = memmem::find(rest, URL).unwrap_or(rest.len());
    let (between, rest) = rest.split_at(url_at);
    let url = rest.get(URL.len()..).unwrap_or_default();
    // A quote in a URL is encoded.
    let url_end = memchr::memchr(b'\'', url).unwrap_or(url.len());
    let (url, behind) = url.split_at(url_end);
    entry.path_hint = path(url);
    let says_down = memmem::find(behind, b" marking down").is_some();
    entry.goes_on = says_down || number_after(between, b"attempts=").is_some_and(|n| n > 0);
    entry.process = (number_after(between, b"sm_id=").unwrap_or(0), 0);
    // What failed stands before the host, or between host and URL.
    entry.words = match between.strip_prefix(b"'").unwrap_or(between) {
        b"" => [before, b""],
        between => [before, between],
    };
}

fn number_after(text: &[u8], key: &[u8]) -> Option<u64> {
    let at = memmem::find(text, key)?;
    let rest = text.get(at + key.len()..)?;
    let len = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    whole(rest.get(..len)?)
}

/// A URL as a hint to the path; without one there is none.
fn path(url: &[u8]) -> Option<&[u8]> {
    memmem::find(url, b"://").map(|_| url)
}

/// Ends a message where a name begins that a client may have sent.
fn without_names(message: &[u8]) -> &[u8] {
    let end = memchr::memchr2(b'\'', b'`', message).unwrap_or(message.len());
    message.get(..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    fn text(bytes: Option<&[u8]>) -> &str {
        std::str::from_utf8(bytes.unwrap_or_default()).unwrap()
    }

    #[test]
    fn attempts_of_9_and_of_10_are_read() {
        let nine = b"20261122.07h25m33s CONNECT: attempt fail [CONNECTION_ERROR] to 10.0.0.5:8080 for host='shop.example' connection_result=Connection refused [111] error=Connection refused [111] attempts=2 url='http://10.0.0.5:8080/cart?token=x'";
        let entry = parse(nine).unwrap();
        assert_eq!(entry.civil_millis, 1_795_332_333_000);
        assert_eq!(text(entry.upstream), "10.0.0.5:8080");
        assert_eq!(text(entry.host), "shop.example");
        assert_eq!(text(entry.path_hint), "http://10.0.0.5:8080/cart?token=x");
        assert!(entry.goes_on);
        assert_eq!(
            text(Some(&entry.words.concat())),
            "CONNECT: attempt fail [CONNECTION_ERROR] to 10.0.0.5:8080 connection_result=Connection refused [111] error=Connection refused [111] attempts=2"
        );
        let ten = b"20261122.07h25m33s CONNECT: attempt fail [CONNECTION_ERROR] to [2001:db8::5]:80 for host='shop.example' sm_id=77 connection_result=No route to host [113] error=No route to host [113] retry_attempts=0 url='http://[2001:db8::5]/'";
        let entry = parse(ten).unwrap();
        assert_eq!(entry.process, (77, 0));
        assert_eq!(text(entry.upstream), "[2001:db8::5]:80");
        assert!(!entry.goes_on);
    }

    #[test]
    fn what_marks_a_server_down_goes_on_with_its_attempts() {
        for line in [
            "20261122.07h25m33s CONNECT: Connection refused [111] connecting to 10.0.0.5:8080 for host='shop.example' url='http://app/a' marking down",
            "20261122.07h25m33s CONNECT : Connection refused [111] connecting to 10.0.0.5:8080 for host='shop.example' url='http://app/a' fail_count='4' marking down",
        ] {
            let entry = parse(line.as_bytes()).unwrap();
            assert!(entry.goes_on, "{line}");
            assert_eq!(text(entry.upstream), "10.0.0.5:8080");
        }
    }

    #[test]
    fn names_that_a_client_chose_are_no_words() {
        let line = b"20261122.07h25m33s DNS Error: looking up http://app.shop.internal:8080/x?marking%20down";
        let entry = parse(line).unwrap();
        assert_eq!(text(Some(entry.words[0])), "DNS Error: looking up ");
        assert_eq!(text(entry.upstream), "app.shop.internal:8080");
    }

    #[test]
    fn cut_and_foreign_lines_are_no_entries_or_have_what_is_left() {
        assert!(parse(b"20261122.07h25m33 CONNECT: x").is_none());
        assert!(parse(b"20261322.07h25m33s x").is_none());
        let cut = parse(b"20261122.07h25m33s CONNECT: attempt fail [CONNECTION_ERROR] to 10.0.0.5:80 for host='sh");
        assert_eq!(text(cut.unwrap().upstream), "10.0.0.5:80");
    }
}
