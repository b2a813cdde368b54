//! HAProxy's own text layouts: `option httplog`, `option httpslog`, and `httplog` with more behind it.
//!
//! `addr:port [time] frontend backend/server TR/Tw/Tc/Tr/Ta status bytes cookie cookie state ac/fc/bc/sc/rc sq/bq
//! {captured|request|headers} {captured|response|headers} "request"`. What was captured is known by its shape only. The
//! line is cut at 1,024 bytes by default, so all that follows the state may be missing; HAProxy writes `#22`, `#7C` and
//! the like for what would end a value early.
//!
//! Source: HAProxy configuration manual, "HTTP log format" and "Custom log format"; `src/log.c`.

use memchr::{memchr, memrchr};
use model::Field;

use super::{
    Reason, tail,
    value::{is_address, is_host_name},
};
use crate::visit::Spans;

/// Timers of a request. A TCP session has three, and no status.
const TIMERS: usize = 5;
/// Counters of connections, the retries last.
const COUNTERS: usize = 5;
/// Place of `%Tw`, `%Tc`, `%Tr` and `%Ta` among the timers.
const NAMED_TIMERS: [(usize, Field); 4] = [
    (1, Field::QueueMillis),
    (2, Field::ConnectMillis),
    (3, Field::ResponseMillis),
    (4, Field::DurationMillis),
];
/// Captured headers of one direction that are looked at.
const CAPTURES_MAX: usize = 32;

/// Finds the fields of a line of this layout.
pub(super) fn parse(line: &[u8], spans: &mut Spans) -> Result<(), Reason> {
    let mut words = Words { line, at: 0 };
    let peer = words.next()?;
    let time = words.next()?;
    if !is_accept_date(words.text(time)) {
        return Err(Reason::UnknownLayout);
    }
    client(line, peer, spans)?;
    spans.set(Field::Time, time.start + 1, time.end - 1);
    let frontend = words.next()?;
    if !is_name(words.text(frontend)) {
        return Err(Reason::UnknownLayout);
    }
    server(line, words.next()?, spans)?;
    timers(line, words.next()?, spans)?;
    let status = words.next()?;
    if !is_status(words.text(status)) {
        return Err(Reason::StatusNotNumber);
    }
    spans.set(Field::Status, status.start, status.end);
    let bytes = words.next()?;
    if !set_number(line, bytes, Field::BytesSent, spans) {
        return Err(Reason::BytesNotNumber);
    }
    // The line may have been cut anywhere behind this.
    if end(words, spans).is_err() {
        spans.mark_cut();
    }
    Ok(())
}

/// Part of a line.
#[derive(Clone, Copy)]
struct Word {
    start: usize,
    end: usize,
}

/// The words of a line, parted by one blank each.
struct Words<'line> {
    line: &'line [u8],
    at: usize,
}

impl<'line> Words<'line> {
    fn next(&mut self) -> Result<Word, Reason> {
        let rest = self.left();
        let len = memchr(b' ', rest).unwrap_or(rest.len());
        if len == 0 {
            return Err(Reason::LineEndsEarly);
        }
        let word = Word {
            start: self.at,
            end: self.at + len,
        };
        self.at = word.end + 1;
        Ok(word)
    }

    fn text(&self, word: Word) -> &'line [u8] {
        self.line.get(word.start..word.end).unwrap_or_default()
    }

    fn left(&self) -> &'line [u8] {
        self.line.get(self.at..).unwrap_or_default()
    }
}

/// `192.0.2.7:4711`, `2001:db8::7:4711`, `unix:1`.
fn client(line: &[u8], word: Word, spans: &mut Spans) -> Result<(), Reason> {
    let text = line.get(word.start..word.end).unwrap_or_default();
    let colon = memrchr(b':', text).ok_or(Reason::UnknownLayout)?;
    let (address, port) = text.split_at(colon);
    let is_port = port.len() > 1 && port.iter().skip(1).all(u8::is_ascii_digit);
    if !is_port || !(is_address(address) || matches!(address, b"unix" | b"-")) {
        return Err(Reason::UnknownLayout);
    }
    spans.set(Field::ClientAddr, word.start, word.start + colon);
    Ok(())
}

/// `[06/Feb/2009:12:14:14.655]`: with milliseconds and without a zone, as no other edge writes it.
fn is_accept_date(text: &[u8]) -> bool {
    let shape = b"[00/Aaa/0000:00:00:00.000]";
    text.len() == shape.len()
        && text.iter().zip(shape).all(|(byte, wanted)| match wanted {
            b'0' => byte.is_ascii_digit(),
            b'A' | b'a' => byte.is_ascii_alphabetic(),
            mark => byte == mark,
        })
}

/// A name that HAProxy lets a proxy or a server have. Behind a frontend's, `~` is TLS; in angles stands what is none.
fn is_name(text: &[u8]) -> bool {
    !text.is_empty()
        && text
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || b"._:-~<>".contains(byte))
}

/// `backend/server`, both in one: a server's name alone may stand in several backends.
fn server(line: &[u8], word: Word, spans: &mut Spans) -> Result<(), Reason> {
    let text = line.get(word.start..word.end).unwrap_or_default();
    let slash = memchr(b'/', text).ok_or(Reason::UnknownLayout)?;
    let (backend, server) = text.split_at(slash);
    if !is_name(backend) || !is_name(server.get(1..).unwrap_or_default()) {
        return Err(Reason::UnknownLayout);
    }
    spans.set(Field::UpstreamName, word.start, word.start + slash);
    spans.set(Field::UpstreamServer, word.start, word.end);
    Ok(())
}

/// `0/0/0/12/12`, `0/0/0/12/+12`. Less than five are those of a TCP session, which is no request.
fn timers(line: &[u8], word: Word, spans: &mut Spans) -> Result<(), Reason> {
    let mut start = word.start;
    for number in 0..TIMERS {
        let rest = line.get(start..word.end).ok_or(Reason::UnknownLayout)?;
        let len = memchr(b'/', rest).unwrap_or(rest.len());
        let is_last = start + len == word.end;
        if is_last != (number + 1 == TIMERS) {
            return Err(Reason::UnknownLayout);
        }
        let timer = Word {
            start,
            end: start + len,
        };
        let field = NAMED_TIMERS.iter().find(|(place, _)| *place == number);
        let is_timer = match field {
            // Logged before the end, so it is not how long the request took.
            Some(_) if rest.first() == Some(&b'+') => true,
            Some((_, field)) => set_number(line, timer, *field, spans),
            None => is_number(rest.get(..len).unwrap_or_default()),
        };
        if !is_timer {
            return Err(Reason::UnknownLayout);
        }
        start = timer.end + 1;
    }
    Ok(())
}

/// Digits, with `-` before them for `-1`.
fn is_number(text: &[u8]) -> bool {
    let digits = text.strip_prefix(b"-").unwrap_or(text);
    !digits.is_empty() && digits.iter().all(u8::is_ascii_digit)
}

/// Notes a number, without the `+` of one that was logged before the end.
fn set_number(line: &[u8], word: Word, field: Field, spans: &mut Spans) -> bool {
    let text = line.get(word.start..word.end).unwrap_or_default();
    let sign = usize::from(text.first() == Some(&b'+'));
    let is_one = is_number(text.get(sign..).unwrap_or_default());
    if is_one {
        spans.set(field, word.start + sign, word.end);
    }
    is_one
}

/// Three digits, or `-1` and `0` where no answer was made.
fn is_status(text: &[u8]) -> bool {
    matches!(text, b"-1" | b"0") || text.len() == 3 && text.iter().all(u8::is_ascii_digit)
}

/// `CC`, `CD--`, `--NI`: who ended it, in which phase, and in HTTP the flags of cookies.
pub(super) fn is_state(text: &[u8]) -> bool {
    let [who, phase, cookies @ ..] = text else {
        return false;
    };
    matches!(cookies.len(), 0 | 2)
        && b"-CSPLRIDUKcs".contains(who)
        && b"-RQCHDLT".contains(phase)
        && cookies
            .iter()
            .all(|byte| byte.is_ascii_uppercase() || *byte == b'-')
}

/// Cookies, state, counters, queues, captured headers and the request. An error says that the line was cut.
fn end(mut words: Words<'_>, spans: &mut Spans) -> Result<(), Reason> {
    words.next()?;
    words.next()?;
    let state = words.next()?;
    if !is_state(words.text(state)) {
        return Err(Reason::UnknownLayout);
    }
    spans.set(Field::TerminationState, state.start, state.end);
    let counters = words.next()?;
    retries(words.line, counters, spans);
    words.next()?;
    let mut is_first = true;
    while words.left().first() == Some(&b'{') {
        let start = words.at + 1;
        let len = memchr(b'}', words.left()).ok_or(Reason::LineEndsEarly)?;
        // Headers of the answer look like those of the request: `nginx/1.22.1` is no user agent.
        if is_first {
            captures(words.line, start, words.at + len, spans);
        }
        is_first = false;
        words.at += len + 2;
    }
    request(words, spans)
}

/// `0/0/0/0/+3`: the last one are the retries.
fn retries(line: &[u8], word: Word, spans: &mut Spans) {
    let text = line.get(word.start..word.end).unwrap_or_default();
    let slashes = text.iter().filter(|byte| **byte == b'/').count();
    if let Some(slash) = memrchr(b'/', text)
        && slashes + 1 == COUNTERS
    {
        spans.set(Field::Retries, word.start + slash + 1, word.end);
    }
}

/// Captured headers of a format string, in braces or one alone. Notes what it finds.
pub(super) fn captured(line: &[u8], start: usize, end: usize, spans: &mut Spans) {
    let text = line.get(start..end).unwrap_or_default();
    match text.strip_prefix(b"{") {
        Some(inner) => {
            let len = memchr(b'}', inner).unwrap_or(inner.len());
            captures(line, start + 1, start + 1 + len, spans);
        }
        None => captures(line, start, end, spans),
    }
}

/// What stands for the request of a TCP session in the variant of CLF.
pub(super) const CLF_TCP: &[u8] = b"TCP ";

/// `option httplog clf`: combined without referrer and agent, then the same fields as words, texts in quotes, and each
/// captured header by itself. `None` where `line` goes on otherwise from `start`.
pub(super) fn clf_tail(line: &[u8], start: usize, spans: &mut Spans) -> Option<()> {
    let mut words = Quoted { line, at: start };
    let mut found = [None; CLF_WORDS.len()];
    for (place, wanted) in found.iter_mut().zip(CLF_WORDS) {
        let word = words.next()?;
        let text = line.get(word.start..word.end)?;
        let fits = match wanted {
            Clf::Number(_) => is_number(text.strip_prefix(b"+").unwrap_or(text)),
            Clf::Name(_) => is_name(text),
            Clf::State => is_state(text),
            Clf::Any => true,
        };
        if !fits {
            return None;
        }
        *place = wanted.field().map(|field| (field, word));
    }
    for (field, word) in found.into_iter().flatten() {
        spans.set(field, word.start, word.end);
    }
    // Those of the request come first; what HAProxy itself puts in the agent's place is empty.
    let mut is_known = [false; 3];
    while let Some(word) = words.next() {
        let text = line.get(word.start..word.end).unwrap_or_default();
        let field = captured_field(text);
        let seen = field.and_then(|field| {
            let at = CAPTURED.iter().position(|one| *one == field)?;
            is_known.get_mut(at)
        });
        if let (Some(field), Some(seen @ false)) = (field, seen) {
            *seen = true;
            spans.set(field, word.start, word.end);
        }
    }
    Some(())
}

/// A word behind the agent in HAProxy's variant of CLF.
#[derive(Clone, Copy)]
enum Clf {
    Number(Option<Field>),
    Name(Option<Field>),
    State,
    Any,
}

impl Clf {
    const fn field(self) -> Option<Field> {
        match self {
            Self::Number(field) | Self::Name(field) => field,
            Self::State => Some(Field::TerminationState),
            Self::Any => None,
        }
    }
}

/// `%cp %ms %ft %b %s %TR %Tw %Tc %Tr %Ta %tsc %ac %fc %bc %sc %rc %sq %bq %CC %CS`
const CLF_WORDS: [Clf; 20] = [
    Clf::Number(None),
    Clf::Number(None),
    Clf::Name(None),
    Clf::Name(Some(Field::UpstreamName)),
    Clf::Name(Some(Field::UpstreamServer)),
    Clf::Number(None),
    Clf::Number(Some(Field::QueueMillis)),
    Clf::Number(Some(Field::ConnectMillis)),
    Clf::Number(Some(Field::ResponseMillis)),
    Clf::Number(Some(Field::DurationMillis)),
    Clf::State,
    Clf::Number(None),
    Clf::Number(None),
    Clf::Number(None),
    Clf::Number(None),
    Clf::Number(Some(Field::Retries)),
    Clf::Number(None),
    Clf::Number(None),
    Clf::Any,
    Clf::Any,
];

/// Words parted by blanks, with or without quotes around them.
struct Quoted<'line> {
    line: &'line [u8],
    at: usize,
}

impl Quoted<'_> {
    fn next(&mut self) -> Option<Word> {
        let start = self.at + 1;
        let rest = self.line.get(self.at..)?.strip_prefix(b" ")?;
        let quoted = rest.strip_prefix(b"\"");
        let word = match quoted {
            Some(text) => {
                let len = memchr(b'"', text)?;
                self.at = start + len + 2;
                Word {
                    start: start + 1,
                    end: start + 1 + len,
                }
            }
            None => {
                let len = memchr(b' ', rest).unwrap_or(rest.len());
                self.at = start + len;
                Word {
                    start,
                    end: start + len,
                }
            }
        };
        Some(word)
    }
}

/// The fields that a captured header can be.
const CAPTURED: [Field; 3] = [Field::UserAgent, Field::Host, Field::ForwardedFor];

/// What a captured header is, by its shape.
fn captured_field(value: &[u8]) -> Option<Field> {
    if is_agent(value) {
        Some(Field::UserAgent)
    } else if value.contains(&b'.') && is_host_name(value) {
        Some(Field::Host)
    } else if is_address(value) {
        Some(Field::ForwardedFor)
    } else {
        None
    }
}

/// `host|agent`, in the order of the `capture` lines. HAProxy writes a bar in a value as `#7C`.
fn captures(line: &[u8], start: usize, end: usize, spans: &mut Spans) {
    let text = line.get(start..end).unwrap_or_default();
    let mut at = start;
    for value in text.split(|byte| *byte == b'|').take(CAPTURES_MAX) {
        if let Some(field) = captured_field(value).filter(|field| !spans.has(*field)) {
            spans.set(field, at, at + value.len());
        }
        at += value.len() + 1;
    }
}

/// Whether a captured value is a user agent: `product/1.2 ...`, or a crawler's. A referrer, a list of media types and a
/// path have slashes, too, but no version behind the first one.
fn is_agent(text: &[u8]) -> bool {
    let Some(slash) = memchr(b'/', text) else {
        return false;
    };
    let (product, version) = text.split_at(slash);
    let is_product = product.iter().any(u8::is_ascii_alphabetic)
        && !product.contains(&b':')
        && !product.starts_with(b"HTTP");
    is_product && version.get(1).is_some_and(u8::is_ascii_digit)
}

/// The request in quotes; behind it `httpslog` has its own fields, and others what they like.
fn request(words: Words<'_>, spans: &mut Spans) -> Result<(), Reason> {
    if words.left().first() != Some(&b'"') {
        return Err(Reason::LineEndsEarly);
    }
    let start = words.at + 1;
    let rest = words.line.get(start..).unwrap_or_default();
    // HAProxy writes a quote in the request as `%22` or `#22`.
    // A target that was cut is another target; and what is personal in it may not look so any more.
    let Some(len) = memchr(b'"', rest) else {
        spans.set(Field::Request, start, start);
        return Err(Reason::LineEndsEarly);
    };
    spans.set(Field::Request, start, start + len);
    tail::parse(words.line, start + len + 1, false, spans);
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;
    use crate::format::testing::fields;

    /// The fields of `line` as text; `None` where it is refused.
    fn read(line: &str) -> Option<Vec<(Field, String)>> {
        let mut spans = Spans::new();
        parse(line.as_bytes(), &mut spans).ok()?;
        Some(fields(line.as_bytes(), &[], &spans).0)
    }

    fn value(line: &str, field: Field) -> Option<String> {
        let found = read(line).unwrap();
        found
            .into_iter()
            .find(|(one, _)| *one == field)
            .map(|(_, text)| text)
    }

    const WHOLE: &str = r#"192.0.2.7:4711 [06/Feb/2009:12:14:14.655] http-in~ static/srv1 10/0/30/69/109 200 2750 - - SC-- 1/1/1/1/+3 0/0 {shop.example|Mozilla/5.0 (X11; #22a#22)} {nginx/1.22.1} "GET /index.html HTTP/1.1" 0/0000000000000000/0/0/0 shop.example/TLSv1.3/TLS_AES_256_GCM_SHA384"#;

    #[test]
    fn a_whole_line_gives_every_field() {
        let found = read(WHOLE).unwrap();
        let wanted = [
            (Field::ClientAddr, "192.0.2.7"),
            (Field::Time, "06/Feb/2009:12:14:14.655"),
            (Field::Request, "GET /index.html HTTP/1.1"),
            (Field::Host, "shop.example"),
            (Field::Status, "200"),
            (Field::BytesSent, "2750"),
            (Field::UserAgent, "Mozilla/5.0 (X11; #22a#22)"),
            (Field::DurationMillis, "109"),
            (Field::UpstreamName, "static"),
            (Field::TerminationState, "SC--"),
            (Field::QueueMillis, "0"),
            (Field::ConnectMillis, "30"),
            (Field::ResponseMillis, "69"),
            (Field::Retries, "+3"),
            (Field::UpstreamServer, "static/srv1"),
        ];
        let wanted: Vec<_> = wanted
            .iter()
            .map(|(field, text)| (*field, (*text).to_owned()))
            .collect();
        assert_eq!(found, wanted);
    }

    #[test]
    fn clients_come_over_ipv6_and_sockets() {
        for (peer, address) in [
            ("2001:db8::7:4711", "2001:db8::7"),
            ("::ffff:192.0.2.7:4711", "::ffff:192.0.2.7"),
            ("unix:1", "unix"),
        ] {
            let line = WHOLE.replace("192.0.2.7:4711", peer);
            assert_eq!(value(&line, Field::ClientAddr).as_deref(), Some(address));
        }
    }

    #[test]
    fn a_line_cut_anywhere_behind_the_bytes_is_a_request() {
        let bytes_end = WHOLE.find(" - - ").unwrap();
        for end in bytes_end..WHOLE.len() {
            let line = &WHOLE[..end];
            assert_eq!(value(line, Field::Status).as_deref(), Some("200"), "{line}");
        }
        let cut = &WHOLE[..WHOLE.find(".html HTTP").unwrap()];
        assert_eq!(value(cut, Field::Request).as_deref(), Some(""));
        for end in 0..WHOLE.find("200 2750").unwrap() {
            assert!(read(&WHOLE[..end]).is_none(), "{}", &WHOLE[..end]);
        }
    }

    #[test]
    fn what_was_logged_before_the_end_has_no_duration() {
        let line = r#"192.0.2.7:1 [15/Oct/2003:08:32:17.654] a b/c 9/0/7/14/+30 200 +243 - - ---- 3/3/3/1/0 0/0 "GET /image.iso HTTP/1.0""#;
        assert_eq!(value(line, Field::DurationMillis), None);
        assert_eq!(value(line, Field::BytesSent).as_deref(), Some("243"));
        assert_eq!(value(line, Field::ResponseMillis).as_deref(), Some("14"));
    }

    #[test]
    fn requests_without_an_answer_or_a_request_line() {
        for (line, status, request) in [
            (
                r#"192.0.2.7:1 [15/Oct/2003:15:18:55.798] a a/<NOSRV> -1/-1/-1/-1/8490 -1 0 - - CR-- 2/2/2/0/0 0/0 """#,
                "-1",
                "",
            ),
            (
                r#"192.0.2.7:1 [15/Oct/2003:15:18:55.798] a a/<NOSRV> -1/-1/-1/-1/0 400 0 - - PR-- 2/2/2/0/0 0/0 "<BADREQ>""#,
                "400",
                "<BADREQ>",
            ),
        ] {
            assert_eq!(value(line, Field::Status).as_deref(), Some(status));
            assert_eq!(value(line, Field::Request).as_deref(), Some(request));
        }
    }

    #[test]
    fn captured_headers_are_known_by_their_shape() {
        let line = |captured: &str| {
            format!(
                r#"192.0.2.7:1 [15/Oct/2003:15:18:55.798] a b/c 0/0/0/0/0 200 1 - - ---- 1/1/1/1/0 0/0 {captured} "GET / HTTP/1.1""#
            )
        };
        for (captured, agent, host) in [
            ("{curl/8.5.0}", Some("curl/8.5.0"), None),
            (
                "{www.shop.example:8443||}",
                None,
                Some("www.shop.example:8443"),
            ),
            (
                "{https://a.example/1/2|text/html,a/1.0|/a/1|en}",
                None,
                None,
            ),
            ("{203.0.113.9|Bot/1}", Some("Bot/1"), None),
            ("{}", None, None),
        ] {
            let line = line(captured);
            assert_eq!(value(&line, Field::UserAgent).as_deref(), agent, "{line}");
            assert_eq!(value(&line, Field::Host).as_deref(), host, "{line}");
            assert!(value(&line, Field::Request).is_some());
        }
    }

    #[test]
    fn pairs_behind_the_request_are_read() {
        let line = WHOLE.replace(
            " 0/0000000000000000/0/0/0",
            r#" bc_err="SSL handshake failure""#,
        );
        assert_eq!(
            value(&line, Field::UpstreamError).as_deref(),
            Some("SSL handshake failure")
        );
    }

    #[test]
    fn the_variant_of_clf() {
        let line = r#"192.0.2.7 - - [09/Nov/2026:07:38:35 +0000] "GET / HTTP/1.1" 503 217 "" "" 58960 025 "shop" "b" "<NOSRV>" 0 -1 -1 -1 0 SC-- 1 1 0 0 +3 0 0 "" "" "shop.example" "Bot/1.0 (a b)" "nginx/1.22.1""#;
        for line in [line, &line.replace("SC--", "\"SC--\"")] {
            let mut spans = Spans::new();
            clf_tail(line.as_bytes(), line.find(" 58960").unwrap(), &mut spans).unwrap();
            let found = fields(line.as_bytes(), &[], &spans).0;
            for (field, text) in [
                (Field::UserAgent, "Bot/1.0 (a b)"),
                (Field::Host, "shop.example"),
                (Field::TerminationState, "SC--"),
                (Field::UpstreamServer, "<NOSRV>"),
                (Field::QueueMillis, "-1"),
                (Field::Retries, "+3"),
            ] {
                assert!(found.contains(&(field, text.to_owned())), "{field:?}");
            }
        }
        let other = r#"x "" "" 58960 "shop" 1"#;
        assert!(clf_tail(other.as_bytes(), 7, &mut Spans::new()).is_none());
    }

    #[test]
    fn other_lines_are_refused() {
        for line in [
            // A TCP session.
            "192.0.2.7:1 [06/Feb/2009:12:12:56.093] fnt bck/srv1 0/0/5007 212 -- 0/0/0/0/3 0/0",
            // A failed handshake.
            "192.0.2.7:1 [06/Feb/2009:12:12:56.093] fnt/1: SSL handshake failure",
            "Server b/s is DOWN, reason: Layer4 timeout",
            r#"192.0.2.7 - - [06/Feb/2009:12:12:56 +0000] "GET / HTTP/1.1" 200 1"#,
            "192.0.2.7:x [06/Feb/2009:12:12:56.093] a b/c 0/0/0/0/0 200 1 - - ---- 1/1/1/1/0 0/0 \"GET / HTTP/1.1\"",
            "",
        ] {
            assert!(read(line).is_none(), "{line}");
        }
    }
}
