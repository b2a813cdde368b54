//! Lines in an order of the user's own, read by what each piece looks like: the last try, for layouts that nobody gave.
//!
//! Only what shows what it is counts: a request line in quotes with the status behind it, a stamp, an address in front,
//! and what has a key that names it. A word alone is never a host, for `jane.doe` looks like one, and a number before
//! the request never a status. Two families are common: combined with its pieces moved about and `key=value` behind
//! it, and the labels of LTSV (<http://ltsv.org/>).

use model::{Edge, Field};

use super::{
    Reason,
    json::{Names, Own},
    ncsa::{next_quote, token_end, token_start},
    tail, telltale,
    time::{begins_like_time, parse_time},
    value::{Class, is_address, is_forwarded_for},
};
use crate::visit::{Spans, Visit};

/// Finds the fields of `line`; the product, where a key tells.
pub(super) fn parse(line: &[u8], names: &Names, spans: &mut Spans) -> Result<Edge, Reason> {
    let own = names.product_of_pairs(line);
    let mut found = Found {
        line,
        own,
        names,
        spans,
        agent: None,
        is_broken: false,
    };
    if line.contains(&b'\t') && label(line, 0).is_some() {
        found.labels();
    } else {
        found.pieces();
    }
    found.end()
}

struct Found<'a> {
    line: &'a [u8],
    names: &'a Names,
    /// The product that has such keys.
    own: Option<&'a Own>,
    spans: &'a mut Spans,
    /// The last text in quotes that may be a user agent.
    agent: Option<(usize, usize)>,
    /// Whether a quote does not close: the line was cut, or is none of these.
    is_broken: bool,
}

impl Found<'_> {
    /// `label:value`, a tab between them.
    fn labels(&mut self) {
        let mut at = 0;
        while at < self.line.len() {
            let end =
                memchr::memchr(b'\t', &self.line[at..]).map_or(self.line.len(), |len| at + len);
            if let Some(colon) = label(self.line, at).filter(|colon| *colon < end) {
                let (key, value) = (&self.line[at..colon], &self.line[colon + 1..end]);
                if let Some(field) = self.keyed(key, value) {
                    self.put(field, colon + 1, end);
                }
            }
            at = end + 1;
        }
    }

    /// Pieces with blanks between them, some in quotes or brackets, some with a key.
    fn pieces(&mut self) {
        let mut at = token_start(self.line, 0);
        while at < self.line.len() {
            let end = match self.line[at] {
                b'"' => self.quoted(at),
                b'[' => self.bracketed(at),
                b'(' | b'{' | b'<' => at + 1,
                _ => self.bare(at),
            };
            at = token_start(self.line, end.max(at + 1));
        }
    }

    fn quoted(&mut self, open: usize) -> usize {
        let Some(close) = next_quote(self.line, open + 1, open + 1) else {
            self.is_broken = true;
            return self.line.len();
        };
        let text = &self.line[open + 1..close];
        if is_request_line(text) && !self.spans.has(Field::Request) {
            self.put(Field::Request, open + 1, close);
            return self.status(close + 1);
        }
        if begins_like_time(text) {
            self.put(Field::Time, open + 1, close);
        } else if !is_forwarded_for(text) && !text.starts_with(b"http") && !text.starts_with(b"/") {
            self.agent = Some((open + 1, close));
        }
        close + 1
    }

    /// The status, which stands behind the request line where it has no key, and the bytes behind it.
    fn status(&mut self, start: usize) -> usize {
        let at = token_start(self.line, start);
        let end = token_end(self.line, at);
        let is_status = end - at == 3 && self.line[at..end].iter().all(u8::is_ascii_digit);
        if !is_status || self.spans.has(Field::Status) {
            return start;
        }
        self.put(Field::Status, at, end);
        let at = token_start(self.line, end);
        let bytes_end = token_end(self.line, at);
        let is_count = |text: &[u8]| !text.is_empty() && text.iter().all(u8::is_ascii_digit);
        if is_count(&self.line[at..bytes_end]) {
            self.put(Field::BytesSent, at, bytes_end);
            return bytes_end;
        }
        end
    }

    fn bracketed(&mut self, open: usize) -> usize {
        let rest = &self.line[open + 1..];
        match memchr::memchr(b']', rest) {
            Some(len) if begins_like_time(&rest[..len]) => {
                self.put(Field::Time, open + 1, open + 1 + len);
                open + len + 2
            }
            // Pairs may stand in brackets.
            _ => open + 1,
        }
    }

    fn bare(&mut self, at: usize) -> usize {
        let end = token_end(self.line, at);
        let text = &self.line[at..end];
        let is_before = !self.spans.has(Field::Request);
        let stamp = stamp_end(self.line, at);
        if let Some(end) = stamp {
            self.put(Field::Time, at, end);
            return end;
        }
        if at == 0 && is_epoch(text) {
            self.put(Field::Time, at, end);
        } else if is_address(text) {
            if is_before {
                self.put(Field::ClientAddr, at, end);
            }
        } else if let Some(token) = tail::Token::read(self.line, at) {
            let value = &self.line[token.start..token.end];
            if let Some(field) = self.keyed(token.key, value) {
                self.put(field, token.start, token.end);
                if field == Field::Request {
                    return self.status(token.stop).max(token.stop);
                }
            }
            return token.stop;
        }
        end
    }

    /// The field that `key` names, if `value` can be one of it.
    fn keyed(&self, key: &[u8], value: &[u8]) -> Option<Field> {
        let admitted = |(field, _): (Field, u8)| Class::of(field).admits(value).then_some(field);
        let named = || self.names.get(key).and_then(admitted);
        if let Some(known) = self.own.and_then(|own| own.get(key)) {
            return known.and_then(admitted);
        }
        tail::field(key, value)
            .or_else(|| own(key, value))
            .or_else(named)
            .or_else(|| telltale::field(key, value))
    }

    fn put(&mut self, field: Field, start: usize, end: usize) {
        if !self.spans.has(field) {
            self.spans.set(field, start, end);
        }
    }

    /// A request says when, what and how it ended, and from whom or by whom it was answered: other programs write
    /// request lines, too.
    fn end(mut self) -> Result<Edge, Reason> {
        if let Some((start, end)) = self.agent {
            self.put(Field::UserAgent, start, end);
        }
        telltale::forget_duration(self.line, self.spans);
        let has = |field| self.spans.has(field);
        let has_target = has(Field::Request) || has(Field::Target);
        let has_more = has(Field::UserAgent) || has(Field::ClientAddr) || has(Field::UpstreamAddr);
        if has(Field::Time) && has(Field::Status) && has_target && has_more && !self.is_broken {
            let product = telltale::product(&Visit::new(self.line, &[], self.spans));
            Ok(self
                .own
                .map(|own| own.edge)
                .or(product)
                .unwrap_or(Edge::Unknown))
        } else {
            Err(Reason::UnknownLayout)
        }
    }
}

/// Where the colon of the label at `at` stands.
fn label(line: &[u8], at: usize) -> Option<usize> {
    let rest = line.get(at..)?;
    let len = rest
        .iter()
        .take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.'))
        .count();
    (len > 0 && rest.get(len) == Some(&b':')).then_some(at + len)
}

/// The labels that ltsv.org recommends, and what people shorten them to.
fn own(key: &[u8], value: &[u8]) -> Option<Field> {
    let field = match key {
        b"host" if is_address(value) => Field::ClientAddr,
        b"req" if is_request_line(value) => Field::Request,
        b"code" => Field::Status,
        b"size" => Field::BytesSent,
        b"ua" => Field::UserAgent,
        b"forwardedfor" => Field::ForwardedFor,
        b"reqtime" => Field::Duration,
        b"reqtime_microsec" => Field::DurationMicros,
        b"apptime" => Field::UpstreamResponseTime,
        _ => return None,
    };
    Class::of(field).admits(value).then_some(field)
}

/// `GET /path HTTP/1.1`
fn is_request_line(text: &[u8]) -> bool {
    let mut words = text.split(|byte| *byte == b' ');
    let method = words.next().unwrap_or_default();
    let is_method = (3..=20).contains(&method.len()) && method.iter().all(u8::is_ascii_uppercase);
    is_method
        && words
            .next_back()
            .is_some_and(|protocol| protocol.starts_with(b"HTTP/"))
}

/// The end of the stamp at `at`: of one word, or of two (`2026-11-02 08:40:15.503`, `09/Nov/2026:07:40:35 +0000`).
fn stamp_end(line: &[u8], at: usize) -> Option<usize> {
    let one = token_end(line, at);
    let is_clock_or_zone = |byte: &u8| byte.is_ascii_digit() || matches!(byte, b'+' | b'-');
    let two = line.get(one + 1).filter(|byte| is_clock_or_zone(byte));
    let two = two.map(|_| token_end(line, one + 1));
    let is_stamp = |end: &usize| {
        let text = line.get(at..*end).unwrap_or_default();
        let begins_well = matches!(text, [_, _, b'/', ..] | [_, _, _, _, b'-' | b'/', ..]);
        begins_well && text.contains(&b':') && parse_time(text).is_some()
    };
    two.into_iter().chain([one]).find(is_stamp)
}

/// Seconds with a fraction, or milliseconds.
fn is_epoch(text: &[u8]) -> bool {
    let is_long = text.len() >= 13 && text.len() <= 17;
    is_long
        && text
            .iter()
            .all(|byte| byte.is_ascii_digit() || *byte == b'.')
        && parse_time(text).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::testing::fields;

    #[track_caller]
    fn check(line: &str, edge: Edge, wanted: &[(Field, &str)]) {
        let names = Names::new();
        let mut spans = Spans::new();
        let found = parse(line.as_bytes(), &names, &mut spans);
        assert_eq!(found, Ok(edge), "{line}");
        let found = fields(line.as_bytes(), b"", &spans);
        for (field, text) in wanted {
            assert_eq!(found.get(*field), Some(*text), "{field:?} in {line}");
        }
    }

    #[track_caller]
    fn refuse(line: &str) {
        let found = parse(line.as_bytes(), &Names::new(), &mut Spans::new());
        assert_eq!(found, Err(Reason::UnknownLayout), "{line}");
    }

    #[test]
    fn a_stamp_in_front_and_keys_behind() {
        check(
            r#"[2026-11-14T08:45:37+01:00] shop.example 192.0.2.7 "GET /a?b=1 HTTP/1.1" 504 1866 0.171 upstream_addr=10.0.0.1:8080 us=504 uct=0.000 uht=- "Mozilla/5.0 (compatible; bingbot/2.0)""#,
            Edge::Nginx,
            &[
                (Field::Time, "2026-11-14T08:45:37+01:00"),
                (Field::ClientAddr, "192.0.2.7"),
                (Field::Request, "GET /a?b=1 HTTP/1.1"),
                (Field::Status, "504"),
                (Field::BytesSent, "1866"),
                (Field::UpstreamAddr, "10.0.0.1:8080"),
                (Field::UpstreamStatus, "504"),
                (Field::UserAgent, "Mozilla/5.0 (compatible; bingbot/2.0)"),
            ],
        );
    }

    /// A user's name may look like a host's.
    #[test]
    fn a_word_alone_is_no_host() {
        let line = r#"[2026-11-14T08:45:37+01:00] jane.doe 192.0.2.7 "GET /a HTTP/1.1" 504 1866"#;
        let mut spans = Spans::new();
        assert!(parse(line.as_bytes(), &Names::new(), &mut spans).is_ok());
        assert!(!spans.has(Field::Host));
    }

    #[test]
    fn a_stamp_of_two_words() {
        check(
            r#"2026-11-02 08:40:15.503 192.0.2.7 shop.example "GET /a HTTP/1.1" 502 - 381 ms=172 "bingbot/2.0""#,
            Edge::Unknown,
            &[
                (Field::Time, "2026-11-02 08:40:15.503"),
                (Field::ClientAddr, "192.0.2.7"),
                (Field::Status, "502"),
                (Field::DurationMillis, "172"),
            ],
        );
    }

    #[test]
    fn words_of_envoy_under_keys_of_ones_own() {
        check(
            r#"2026-11-24 18:12:10.674 ip=192.0.2.7 req="GET /a HTTP/1.1" code=503 flags=URX,UF details=upstream_reset_before_response_started{remote_connection_failure|delayed_connect_error:_Connection_refused} host=127.0.0.11:8080 dur=0 ua="bingbot/2.0""#,
            Edge::Envoy,
            &[
                (Field::ClientAddr, "192.0.2.7"),
                (Field::Request, "GET /a HTTP/1.1"),
                (Field::Status, "503"),
                (Field::ResponseFlags, "URX,UF"),
                (Field::UserAgent, "bingbot/2.0"),
            ],
        );
    }

    #[test]
    fn keys_alone() {
        check(
            r#""02/Nov/2026:08:40:15 +0100" client=192.0.2.7 method=GET request="GET /a HTTP/1.1" status=502 body_bytes_sent=497 referer=- user_agent="bingbot/2.0" upstream_addr=10.0.0.1:8080, 10.0.0.2:8080 upstream_status=502, 502 upstream_header_time=-, -"#,
            Edge::Nginx,
            &[
                (Field::ClientAddr, "192.0.2.7"),
                (Field::Request, "GET /a HTTP/1.1"),
                (Field::Status, "502"),
                (Field::UserAgent, "bingbot/2.0"),
                (Field::UpstreamStatus, "502, 502"),
                (Field::UpstreamHeaderTime, "-, -"),
            ],
        );
    }

    #[test]
    fn labels_and_tabs() {
        check(
            "time:20/Nov/2026:08:14:15 +0100\thost:192.0.2.7\treq:GET /a?b HTTP/1.1\tstatus:502\tsize:0\treferer:-\tua:Mozilla/5.0 (compatible; bingbot/2.0)\treqtime:0.361\tapptime:0.361\tvhost:shop.example",
            Edge::Nginx,
            &[
                (Field::Time, "20/Nov/2026:08:14:15 +0100"),
                (Field::ClientAddr, "192.0.2.7"),
                (Field::Request, "GET /a?b HTTP/1.1"),
                (Field::Status, "502"),
                (Field::UserAgent, "Mozilla/5.0 (compatible; bingbot/2.0)"),
                (Field::Host, "shop.example"),
                (Field::UpstreamResponseTime, "0.361"),
            ],
        );
    }

    #[test]
    fn what_does_not_show_what_it_is() {
        // An application's server, which an edge before it logs, too.
        refuse(r#"INFO:     192.0.2.7:41234 - "GET /a HTTP/1.1" 200 OK"#);
        // An error log that quotes a request.
        refuse(
            r#"2026/11/22 07:25:33 [error] 7#7: *5 connect() failed (111: Connection refused) while connecting to upstream, client: 192.0.2.7, server: shop.example, request: "GET /a HTTP/1.1", upstream: "http://10.0.0.1:80/a", host: "shop.example""#,
        );
        // A number before the request may be anything.
        refuse(r#"09/Nov/2026:07:40:35 +0000 192.0.2.7 503 "GET /a HTTP/1.1""#);
        refuse("time:1\tlevel:info\tmsg:started");
        refuse(r#"[2026-11-14T08:45:37+01:00] shop.example said "GET /a HTTP/1.1" and left"#);
        refuse(
            r#"[2026-11-14T08:45:37+01:00] 192.0.2.7 "GET /a HTTP/1.1" 200 17 "Mozilla/5.0 (cut"#,
        );
        refuse("");
    }
}
