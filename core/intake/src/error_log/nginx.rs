//! nginx's error log, and that of what is built on it (OpenResty, Angie, Tengine).
//!
//! `2026/11/22 07:25:33 [error] 123#123: *7 MESSAGE while ACTION, client: A, server: S, request: "R", ...`: written
//! by `ngx_http_log_error` and `ngx_http_log_error_handler` in `src/http/ngx_http_core_module.c` and
//! `src/http/ngx_http_request.c`. nginx escapes nothing and cuts lines at 2,048 bytes, so the last fields may be
//! missing or cut, and a field may hold quotes.

use memchr::memmem;
use model::Edge;

use super::{Cursor, ErrorLine, Level, day_millis, is_address};

/// Fields that may follow the request line, with what opens them.
const FIELDS: [&[u8]; 6] = [
    REQUEST,
    b", subrequest: \"",
    UPSTREAM,
    b", host: \"",
    b", referrer: \"",
    b", ctx: \"",
];

const REQUEST: &[u8] = b", request: \"";
const UPSTREAM: &[u8] = b", upstream: \"";

/// Takes a line apart.
pub(super) fn parse(line: &[u8]) -> Option<ErrorLine<'_>> {
    let mut at = Cursor { rest: line };
    let civil_millis = stamp(&mut at)?;
    at.eat(b" [")?;
    let level = Level::from_name(at.until(b"] ")?)?;
    let process = at.number()?;
    at.eat(b"#")?;
    let thread = at.number()?;
    at.eat(b":")?;
    at.spaces();
    let connection = connection(&mut at);
    let mut entry = ErrorLine::new(Edge::Nginx, civil_millis, level, at.rest);
    entry.process = (process, thread);
    entry.connection = connection;
    context(&mut entry);
    entry.words[0] = without_names(entry.words[0]);
    Some(entry)
}

/// `2026/11/22 07:25:33`.
fn stamp(at: &mut Cursor<'_>) -> Option<i64> {
    let year = at.digits(4)?;
    at.eat(b"/")?;
    let month = at.digits(2)?;
    at.eat(b"/")?;
    let day = at.digits(2)?;
    at.eat(b" ")?;
    let millis = at.clock()?;
    day_millis(year, month, day)?.checked_add(millis)
}

/// `*7 `; absent for what no connection caused.
fn connection(at: &mut Cursor<'_>) -> Option<u64> {
    let before = at.rest;
    let number = at
        .eat(b"*")
        .and_then(|()| at.number())
        .filter(|_| at.rest.is_empty() || at.rest.starts_with(b" "));
    if number.is_none() {
        at.rest = before;
    }
    at.spaces();
    number
}

/// Finds the fields behind the message, and ends the product's own words where they begin.
fn context(entry: &mut ErrorLine<'_>) {
    let message = entry.message;
    let Some((words, client, mut rest)) = client(message) else {
        return;
    };
    entry.words[0] = words;
    // A client at the very end was cut: a piece of an address must not pass for one.
    if !rest.starts_with(b", ") {
        return;
    }
    entry.client = Some(client);
    if let Some(after) = rest.strip_prefix(b", server: ") {
        let end = next_field(after);
        entry.server = after.get(..end).filter(|name| !name.is_empty());
        rest = after.get(end..).unwrap_or_default();
    }
    fields(entry, rest);
}

/// Messages that quote what a client asked for: none of them is about an upstream, so they end at the quote.
const BEFORE_NAMES: [&[u8]; 8] = [
    b"\"",
    b"open() \"",
    b"stat() \"",
    b"lstat() \"",
    b"directory index of \"",
    b"rewritten data: \"",
    b"user \"",
    b"client sent ",
];

/// Drops the file name, and the like, of a message that quotes one.
fn without_names(words: &[u8]) -> &[u8] {
    if !BEFORE_NAMES.iter().any(|before| words.starts_with(before)) {
        return words;
    }
    let quote = memchr::memchr(b'"', words).unwrap_or(words.len());
    words.get(..quote).unwrap_or_default()
}

/// Splits at `, client: ADDRESS`. Words may quote a file name that a client chose, so only one that an address
/// follows counts, and of those the first: what stands behind it is the client's as well.
fn client(message: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    const MARK: &[u8] = b", client: ";
    for at in memmem::find_iter(message, MARK) {
        let after = message.get(at + MARK.len()..)?;
        let end = memmem::find(after, b", ").unwrap_or(after.len());
        let (address, rest) = after.split_at(end);
        let is_cut = rest.is_empty();
        if is_cut || is_address(address) || address.starts_with(b"unix:") {
            return Some((message.get(..at)?, address, rest));
        }
    }
    None
}

/// Where the first field of `text` opens.
fn next_field(text: &[u8]) -> usize {
    memmem::find_iter(text, b", ")
        .find(|at| {
            let rest = text.get(*at..).unwrap_or_default();
            FIELDS.iter().any(|field| rest.starts_with(field)) || rest.starts_with(b", bytes ")
        })
        .unwrap_or(text.len())
}

/// Reads `, name: "value"` one after the other, in the order in which nginx writes them.
fn fields<'line>(entry: &mut ErrorLine<'line>, mut rest: &'line [u8]) {
    for field in FIELDS {
        let Some(value) = rest.strip_prefix(field) else {
            continue;
        };
        let Some(end) = value_end(field, value) else {
            // Cut inside this value. An upstream may still have its address whole.
            if field == UPSTREAM {
                upstream(entry, rest, value, false);
            }
            return;
        };
        let opened = rest;
        let (value, after) = value.split_at(end);
        rest = after.get(1..).unwrap_or_default();
        match field {
            REQUEST => entry.request = Some(value),
            b", subrequest: \"" => entry.subrequest = Some(value),
            UPSTREAM => upstream(entry, opened, value, true),
            b", host: \"" => entry.host = Some(value),
            b", ctx: \"" => entry.log_id = Some(value).filter(|id| !id.is_empty()),
            _ => {}
        }
    }
}

/// Where a value ends: at a quote that the line's end or another field follows. A client may write such a quote into
/// the request line; a proper request line ends in its protocol, so an end behind one is preferred.
fn value_end(field: &[u8], value: &[u8]) -> Option<usize> {
    let ends = || {
        memchr::memchr_iter(b'"', value).filter(|at| {
            let rest = value.get(at + 1..).unwrap_or_default();
            rest.is_empty()
                || FIELDS.iter().any(|field| rest.starts_with(field))
                || rest.starts_with(b", bytes ")
        })
    };
    if field == REQUEST {
        let proper = ends().find(|at| value.get(..*at).is_some_and(ends_in_protocol));
        if proper.is_some() {
            return proper;
        }
    }
    ends().next()
}

/// Whether a request line ends as one does: ` HTTP/1.1`, ` HTTP/2.0`.
fn ends_in_protocol(request: &[u8]) -> bool {
    memmem::rfind(request, b" HTTP/").is_some_and(|at| {
        let version = request.get(at + 6..).unwrap_or_default();
        !version.is_empty()
            && version
                .iter()
                .all(|byte| byte.is_ascii_digit() || *byte == b'.')
    })
}

/// Keeps the upstream's URL, and its scheme among the words: `upstream: "fastcgi://` is part of some signs. `opened`
/// is the text from the field's name on.
fn upstream<'line>(
    entry: &mut ErrorLine<'line>,
    opened: &'line [u8],
    url: &'line [u8],
    is_whole: bool,
) {
    let scheme_len = memmem::find(url, b"://").map_or(0, |at| at + 3);
    let address = url.get(scheme_len..).unwrap_or_default();
    // A URL that was cut has its address whole only if something of the path is left.
    let has_path = scheme_len > 0 && address.contains(&b'/') && !address.starts_with(b"unix:");
    if !url.is_empty() && (is_whole || has_path) {
        entry.upstream = Some(url);
    }
    entry.words[1] = opened
        .get(..UPSTREAM.len() + scheme_len)
        .unwrap_or_default();
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::super::{parse, upstream_address};
    use super::*;

    /// What a test expects of a field, as text.
    fn text(field: Option<&[u8]>) -> &str {
        field.map_or("<none>", |bytes| std::str::from_utf8(bytes).unwrap())
    }

    #[test]
    fn a_whole_line_gives_every_field() {
        let line = b"2026/11/22 07:25:33 [error] 41#42: *7 connect() failed (111: Connection refused) while connecting to upstream, client: 192.0.2.7, server: shop.example, request: \"GET /cart?id=1 HTTP/1.1\", subrequest: \"/auth\", upstream: \"http://198.51.100.1:8080/auth?id=1\", host: \"shop.example:8443\", referrer: \"https://search.example/?q=x\", ctx: \"66ad6e30f66a\"\n";
        let entry = parse(line).unwrap();
        assert_eq!(entry.edge, Edge::Nginx);
        assert_eq!(entry.civil_millis, 1_795_332_333_000);
        assert_eq!(entry.zone, None);
        assert_eq!(entry.level, Level::Error);
        assert_eq!(entry.process, (41, 42));
        assert_eq!(entry.connection, Some(7));
        assert_eq!(text(entry.client), "192.0.2.7");
        assert_eq!(text(entry.server), "shop.example");
        assert_eq!(text(entry.request), "GET /cart?id=1 HTTP/1.1");
        assert_eq!(text(entry.subrequest), "/auth");
        assert_eq!(text(entry.upstream), "http://198.51.100.1:8080/auth?id=1");
        assert_eq!(text(entry.host), "shop.example:8443");
        assert_eq!(text(entry.log_id), "66ad6e30f66a");
        assert_eq!(
            text(Some(entry.words[0])),
            "connect() failed (111: Connection refused) while connecting to upstream"
        );
        assert_eq!(text(Some(entry.words[1])), ", upstream: \"http://");
    }

    #[test]
    fn every_level_and_a_line_without_connection() {
        for level in [
            "debug", "info", "notice", "warn", "error", "crit", "alert", "emerg",
        ] {
            let line = format!("2026/11/22 07:25:33 [{level}] 41#0: signal process started");
            let entry = parse(line.as_bytes()).unwrap();
            assert_eq!(Some(entry.level), Level::from_name(level.as_bytes()));
            assert_eq!(entry.connection, None);
            assert_eq!(entry.message, b"signal process started");
        }
    }

    #[test]
    fn clients_come_over_ipv6_and_over_sockets() {
        for client in ["2001:db8::7", "unix:"] {
            let line = format!(
                "2026/11/22 07:25:33 [error] 1#1: *9 upstream timed out (110: Connection timed out) while reading response header from upstream, client: {client}, server: , request: \"GET / HTTP/2.0\", upstream: \"http://[2001:db8::1]:80/\", host: \"a.example\""
            );
            let entry = parse(line.as_bytes()).unwrap();
            assert_eq!(text(entry.client), client);
            assert_eq!(text(entry.server), "<none>");
            assert_eq!(
                upstream_address(entry.upstream.unwrap()),
                b"[2001:db8::1]:80"
            );
        }
    }

    #[test]
    fn quotes_in_a_request_do_not_move_the_fields_behind_it() {
        let line = b"2026/11/22 07:25:33 [error] 1#1: *9 upstream sent invalid header while reading response header from upstream, client: 192.0.2.7, server: a, b.example, request: \"GET /x\", upstream: \"http://203.0.113.9:1/\", host: \"forged HTTP/1.1\", upstream: \"http://198.51.100.1:80/x\", host: \"a.example\"";
        let entry = parse(line).unwrap();
        assert_eq!(text(entry.server), "a, b.example");
        assert_eq!(
            upstream_address(entry.upstream.unwrap()),
            b"198.51.100.1:80"
        );
        assert_eq!(text(entry.host), "a.example");
    }

    #[test]
    fn a_client_cannot_write_words_of_the_product() {
        let line = b"2026/11/22 07:25:33 [error] 1#1: *9 recv() failed (104: Connection reset by peer) while reading response header from upstream, client: 192.0.2.7, server: a, request: \"GET /?no live upstreams while connecting to upstream, client: 203.0.113.9, server: b HTTP/1.1\", upstream: \"http://198.51.100.1:80/?upstream: fastcgi://\"";
        let entry = parse(line).unwrap();
        assert_eq!(text(entry.client), "192.0.2.7");
        let words = text(Some(entry.words[0]));
        assert!(words.starts_with("recv() failed") && !words.contains("no live"));
        assert_eq!(text(Some(entry.words[1])), ", upstream: \"http://");
    }

    #[test]
    fn a_file_name_is_not_among_the_words() {
        let line = b"2026/11/22 07:25:33 [error] 1#1: *9 open() \"/srv/connect() (111: Connection refused) while connecting to upstream\" failed (2: No such file or directory), client: 192.0.2.7, server: a, request: \"GET /x HTTP/1.1\"";
        assert_eq!(parse(line).unwrap().words[0], b"open() ");
    }

    #[test]
    fn a_cut_line_gives_only_what_is_whole() {
        let whole = "2026/11/22 07:25:33 [error] 1#1: *9 recv() failed (104: Connection reset by peer) while reading response header from upstream, client: 192.0.2.71, server: a.example, request: \"GET /cart HTTP/1.1\", upstream: \"http://198.51.100.1:8080/cart\", host: \"a.example\"";
        for cut in 0..whole.len() {
            let Some(entry) = parse(&whole.as_bytes()[..cut]) else {
                continue;
            };
            assert!(matches!(text(entry.client), "192.0.2.71" | "<none>"));
            assert!(matches!(
                text(entry.request),
                "GET /cart HTTP/1.1" | "<none>"
            ));
            let upstream = entry.upstream.map(upstream_address);
            assert!(matches!(text(upstream), "198.51.100.1:8080" | "<none>"));
            assert!(matches!(text(entry.host), "a.example" | "<none>"));
        }
    }

    #[test]
    fn lines_of_modules_keep_their_words() {
        let lua = parse(b"2026/11/22 07:25:33 [warn] 1#1: *9 [lua] balancer.lua:300: no peer was returned, balancer: round_robin, client: 192.0.2.7, server: _, request: \"GET / HTTP/1.1\", host: \"a.example\"").unwrap();
        assert_eq!(
            lua.words[0],
            b"[lua] balancer.lua:300: no peer was returned, balancer: round_robin"
        );
        let stream = parse(b"2026/11/22 07:25:33 [error] 1#1: *9 connect() failed (111: Connection refused) while connecting to upstream, client: 192.0.2.7, server: 0.0.0.0:3306, upstream: \"198.51.100.1:3306\", bytes from/to client:0/0, bytes from/to upstream:0/0").unwrap();
        assert_eq!(text(stream.upstream), "198.51.100.1:3306");
        assert_eq!(text(stream.server), "0.0.0.0:3306");
    }
}
