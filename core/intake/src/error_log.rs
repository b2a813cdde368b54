//! One line of an edge's error log, taken apart: who, when, about which upstream, in which words.
//!
//! A message may run over several lines (PHP errors do); only the first is an entry. The others give `None` here
//! and are counted by the caller as continuations.

mod apache;
mod caddy;
mod envoy;
mod go_net;
mod h2o;
mod haproxy;
mod lighttpd;
mod nghttpx;
mod nginx;
mod openlitespeed;
mod pingora;
mod squid;
mod traefik;
mod trafficserver;
mod varnish;

use model::Edge;

pub(crate) use self::varnish::backend;

/// How grave the edge finds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Level {
    /// `debug`, httpd's `trace1` to `trace8` included.
    Debug,
    /// `info`.
    Info,
    /// `notice`.
    Notice,
    /// `warn`.
    Warn,
    /// `error`.
    Error,
    /// `crit`.
    Crit,
    /// `alert`.
    Alert,
    /// `emerg`.
    Emerg,
}

impl Level {
    fn from_name(name: &[u8]) -> Option<Self> {
        Some(match name {
            b"debug" => Self::Debug,
            b"info" => Self::Info,
            b"notice" => Self::Notice,
            b"warn" => Self::Warn,
            b"error" => Self::Error,
            b"crit" => Self::Crit,
            b"alert" => Self::Alert,
            b"emerg" => Self::Emerg,
            _ if name.starts_with(b"trace") && name.len() == 6 => Self::Debug,
            _ => return None,
        })
    }
}

/// `civil_millis` of a line that carries no stamp of its own: the one of its envelope is taken.
pub(crate) const UNSTAMPED: i64 = i64::MIN;

/// What a line is of its entry: some products spread one over several lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// All of it, as far as the line tells.
    Whole,
    /// The first line of several. What the same process wrote before belongs to another entry.
    First,
    /// A further line.
    Further,
}

/// An entry of an error log. Holds personal data, so: no Debug, no Clone, no Serialize, and a lifetime tied to the
/// read buffer.
pub(crate) struct ErrorLine<'line> {
    /// The product that wrote it.
    pub(crate) edge: Edge,
    /// The stamp read as if it were UTC, in milliseconds: most error logs carry no zone. [`UNSTAMPED`] without one.
    pub(crate) civil_millis: i64,
    /// What it is of its entry.
    pub(crate) part: Part,
    /// Minutes east of UTC, for the few layouts that say so.
    pub(crate) zone: Option<i32>,
    /// Severity.
    pub(crate) level: Level,
    /// Process and thread id; 0 where the layout does not say.
    pub(crate) process: (u64, u64),
    /// nginx's serial number of the client connection.
    pub(crate) connection: Option<u64>,
    /// Id that the access log repeats: httpd `%L`, nginx `ctx:`.
    pub(crate) log_id: Option<&'line [u8]>,
    /// Address of the client, without port; `unix:` where it came over a socket.
    pub(crate) client: Option<&'line [u8]>,
    /// Port of the client; `None` also for the 0 that mod_remoteip leaves.
    pub(crate) client_port: Option<u16>,
    /// Name of the virtual server.
    pub(crate) server: Option<&'line [u8]>,
    /// Request line, whole; `None` where the line was cut inside it.
    pub(crate) request: Option<&'line [u8]>,
    /// Status that the client was answered with, where the entry says so.
    pub(crate) status: Option<u16>,
    /// Method and target, where they do not stand in one line.
    pub(crate) asked: Option<(&'line [u8], &'line [u8])>,
    /// Path of the subrequest that failed.
    pub(crate) subrequest: Option<&'line [u8]>,
    /// The upstream as written: a URL with path and query (personal data), an address or a group's name. For
    /// anything that leaves intake take [`upstream_address`] of it.
    pub(crate) upstream: Option<&'line [u8]>,
    /// Host that the client asked for.
    pub(crate) host: Option<&'line [u8]>,
    /// Path or URL that the message itself names (httpd's `returned by /path`).
    pub(crate) path_hint: Option<&'line [u8]>,
    /// What follows happens on another connection to the upstream; what went wrong before was tried again.
    pub(crate) connects: bool,
    /// The connection was used before.
    pub(crate) reuses: bool,
    /// A fetch that no client waits for (Varnish's for a stale object).
    pub(crate) background: bool,
    /// It tells more closely what the entry's error is, and is none by itself.
    pub(crate) refines: bool,
    /// An attempt after the first for the same request.
    pub(crate) again: bool,
    /// Bytes of the page that the edge answers with when it writes this line.
    pub(crate) page: Option<u64>,
    /// Whether it goes on with what the entry before of the same path and upstream began: a further attempt.
    pub(crate) goes_on: bool,
    /// Everything after the prefix.
    pub(crate) message: &'line [u8],
    /// The product's own words, in two pieces that belong side by side. What a client can choose (request line, host,
    /// referrer, the upstream's path) is left out, so that no client can write a sign into the log.
    pub(crate) words: [&'line [u8]; 2],
}

impl<'line> ErrorLine<'line> {
    /// An entry of which only prefix and message are known.
    const fn new(edge: Edge, civil_millis: i64, level: Level, message: &'line [u8]) -> Self {
        Self {
            edge,
            civil_millis,
            part: Part::Whole,
            zone: None,
            level,
            process: (0, 0),
            connection: None,
            log_id: None,
            client: None,
            client_port: None,
            server: None,
            request: None,
            status: None,
            asked: None,
            subrequest: None,
            upstream: None,
            host: None,
            path_hint: None,
            connects: false,
            reuses: false,
            background: false,
            refines: false,
            again: false,
            page: None,
            goes_on: false,
            message,
            words: [message, b""],
        }
    }
}

impl<'line> ErrorLine<'line> {
    /// A line without a stamp of its own.
    const fn untimed(edge: Edge, part: Part, message: &'line [u8]) -> Self {
        Self {
            part,
            ..Self::new(edge, UNSTAMPED, Level::Error, message)
        }
    }

    /// Whether the line, or its envelope, has a stamp.
    pub(crate) const fn is_timed(&self) -> bool {
        self.civil_millis != UNSTAMPED
    }

    /// Whether it tells something that the other lines of its entry need.
    pub(crate) const fn tells(&self) -> bool {
        matches!(self.part, Part::First)
            || self.is_timed()
            || self.path_hint.is_some()
            || self.host.is_some()
            || self.connection.is_some()
            || self.connects
            || self.background
            || self.again
            || self.status.is_some()
    }

    /// An entry made of another kind of line.
    pub(crate) const fn made(edge: Edge, civil_millis: i64, message: &'line [u8]) -> Self {
        Self::new(edge, civil_millis, Level::Error, message)
    }
}

/// A product's grammar: takes a line apart, or refuses it at once.
type Grammar = fn(&[u8]) -> Option<ErrorLine<'_>>;

/// Every grammar. The first bytes of a line rule out most; of two that begin alike the stricter comes first.
const GRAMMARS: [Grammar; 14] = [
    nginx::parse,
    apache::parse,
    haproxy::parse,
    envoy::parse,
    caddy::parse,
    traefik::parse,
    varnish::parse,
    trafficserver::parse,
    lighttpd::parse,
    nghttpx::parse,
    h2o::parse,
    squid::parse,
    pingora::parse,
    openlitespeed::parse,
];

/// Takes a line apart; `None` for what is not the first line of an entry.
pub(crate) fn parse(line: &[u8]) -> Option<ErrorLine<'_>> {
    let line = line.trim_ascii_end();
    GRAMMARS.iter().find_map(|grammar| grammar(line))
}

/// The part of an upstream's URL that names no one: `host:port`, `unix:path` or a group's name. Path and query are
/// the client's and are dropped.
pub(crate) fn upstream_address(url: &[u8]) -> &[u8] {
    // A scheme holds no slash, so that `host/redirect?to=http://x` is not taken for one.
    let rest = match memchr::memmem::find(url, b"://") {
        Some(at) if !url.get(..at).is_some_and(|head| head.contains(&b'/')) => {
            url.get(at + 3..).unwrap_or_default()
        }
        _ => url,
    };
    // httpd names a socket by its path alone.
    if rest.len() == url.len() && rest.starts_with(b"/") {
        return rest.split(|byte| *byte == b' ').next().unwrap_or_default();
    }
    if let Some(path) = rest.strip_prefix(b"unix:") {
        // nginx puts a colon between the socket's path and the request's.
        let end = memchr::memchr2(b':', b'|', path).unwrap_or(path.len());
        return rest.get(..b"unix:".len() + end).unwrap_or_default();
    }
    let end = rest
        .iter()
        .position(|byte| matches!(byte, b'/' | b'?' | b'#' | b'"' | b' '));
    // Credentials in a URL are not part of the address.
    let authority = rest.get(..end.unwrap_or(rest.len())).unwrap_or_default();
    match memchr::memrchr(b'@', authority) {
        Some(at) => authority.get(at + 1..).unwrap_or_default(),
        None => authority,
    }
}

/// Whether an entry is the last one of its event: lighttpd spreads an event over several lines and names the request in
/// the last; nghttpx counts failures behind each.
pub(crate) fn ends_event(entry: &ErrorLine<'_>) -> bool {
    match entry.edge {
        Edge::Lighttpd => lighttpd::ends_event(entry),
        Edge::Nghttpx => nghttpx::ends_event(entry),
        _ => false,
    }
}

/// Whether an edge says that it started or stopped: nothing of anybody stands there, and where no request names the
/// product such a line does.
pub(crate) fn is_of_the_edge_itself(entry: &ErrorLine<'_>) -> bool {
    match entry.edge {
        Edge::Lighttpd => lighttpd::is_of_the_server_itself(entry),
        _ => false,
    }
}

/// A cursor over a line. Every step either fits or leaves the cursor where it was.
struct Cursor<'line> {
    rest: &'line [u8],
}

impl<'line> Cursor<'line> {
    /// Steps over `text`.
    fn eat(&mut self, text: &[u8]) -> Option<()> {
        self.rest = self.rest.strip_prefix(text)?;
        Some(())
    }

    /// Steps over spaces.
    fn spaces(&mut self) {
        self.rest = self.rest.trim_ascii_start();
    }

    /// Reads what stands before `end`, and steps over both.
    fn until(&mut self, end: &[u8]) -> Option<&'line [u8]> {
        let at = memchr::memmem::find(self.rest, end)?;
        let (text, rest) = self.rest.split_at(at);
        self.rest = rest.get(end.len()..)?;
        Some(text)
    }

    /// Reads a number of at least one digit.
    fn number(&mut self) -> Option<u64> {
        let len = self
            .rest
            .iter()
            .position(|byte| !byte.is_ascii_digit())
            .unwrap_or(self.rest.len());
        let (digits, rest) = self.rest.split_at(len);
        let value = whole(digits)?;
        self.rest = rest;
        Some(value)
    }

    /// Reads exactly `len` digits.
    fn digits(&mut self, len: usize) -> Option<u32> {
        let (digits, rest) = self.rest.split_at_checked(len)?;
        let value = whole(digits)?;
        self.rest = rest;
        u32::try_from(value).ok()
    }

    /// Reads `HH:MM:SS` with an optional fraction, in milliseconds since midnight.
    fn clock(&mut self) -> Option<i64> {
        let hour = self.digits(2)?;
        self.eat(b":")?;
        let minute = self.digits(2)?;
        self.eat(b":")?;
        let second = self.digits(2)?;
        // 60 is a leap second.
        if hour > 23 || minute > 59 || second > 60 {
            return None;
        }
        let seconds = i64::from(hour * 3_600 + minute * 60 + second);
        Some(seconds * 1_000 + self.fraction())
    }

    /// Reads a fraction of a second, in milliseconds; 0 where there is none.
    fn fraction(&mut self) -> i64 {
        let Some((b'.' | b',', digits)) = self.rest.split_first() else {
            return 0;
        };
        let len = digits
            .iter()
            .position(|byte| !byte.is_ascii_digit())
            .unwrap_or(digits.len());
        let (fraction, rest) = digits.split_at(len);
        if fraction.is_empty() {
            return 0;
        }
        self.rest = rest;
        let mut millis = 0;
        for place in 0..3 {
            let digit = fraction.get(place).map_or(0, |byte| i64::from(byte - b'0'));
            millis = millis * 10 + digit;
        }
        millis
    }
}

/// A text of digits only, as a number.
fn whole(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0_u64, |value, byte| {
        let digit = byte.is_ascii_digit().then(|| u64::from(byte - b'0'))?;
        value.checked_mul(10)?.checked_add(digit)
    })
}

/// Milliseconds from 1970 to the begin of a day; `None` for a day that no calendar has.
fn day_millis(year: u32, month: u32, day: u32) -> Option<i64> {
    if !(1970..=9999).contains(&year) || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    // Days since 0000-03-01: leap days then fall at a year's end.
    let (years, months) = if month > 2 {
        (i64::from(year), i64::from(month) - 3)
    } else {
        (i64::from(year) - 1, i64::from(month) + 9)
    };
    let days = years * 365 + years / 4 - years / 100
        + years / 400
        + (months * 153 + 2) / 5
        + i64::from(day)
        - 1;
    /// Days from 0000-03-01 to 1970-01-01.
    const TO_1970: i64 = 719_468;
    Some((days - TO_1970) * 86_400_000)
}

/// Whether `text` is an address without port.
fn is_address(text: &[u8]) -> bool {
    std::str::from_utf8(text)
        .ok()
        // A zone index (`fe80::1%eth0`) is not part of the address.
        .and_then(|text| text.split('%').next())
        .is_some_and(|text| text.parse::<std::net::IpAddr>().is_ok())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;
    use crate::visit::tests::assert_has_none_of;

    assert_has_none_of!(ErrorLine<'static>: Clone, std::fmt::Debug, std::fmt::Display, serde::Serialize);

    #[test]
    fn an_upstream_is_reduced_to_its_address() {
        for (url, address) in [
            ("http://192.0.2.1:8080/cart?token=s3cret", "192.0.2.1:8080"),
            ("http://192.0.2.1:8080", "192.0.2.1:8080"),
            ("https://[2001:db8::1]:443/a", "[2001:db8::1]:443"),
            ("http://unix:/run/app.sock:/cart?x=1", "unix:/run/app.sock"),
            (
                "fastcgi://unix:/run/php/php8.2-fpm.sock:",
                "unix:/run/php/php8.2-fpm.sock",
            ),
            ("http://pool/cart?x=1", "pool"),
            ("192.0.2.1:3306", "192.0.2.1:3306"),
            ("192.0.2.1:80/?to=http://198.51.100.1/", "192.0.2.1:80"),
            ("http://user:pass@192.0.2.1:80/", "192.0.2.1:80"),
            (
                "unix:/run/app.sock|http://localhost/x",
                "unix:/run/app.sock",
            ),
            ("/run/app.sock", "/run/app.sock"),
            ("", ""),
        ] {
            assert_eq!(
                upstream_address(url.as_bytes()),
                address.as_bytes(),
                "{url}"
            );
        }
    }

    #[test]
    fn days_are_those_of_the_calendar() {
        assert_eq!(day_millis(1970, 1, 1), Some(0));
        assert_eq!(day_millis(2000, 2, 29), Some(951_782_400_000));
        assert_eq!(day_millis(2026, 11, 22), Some(1_795_305_600_000));
        assert_eq!(day_millis(2026, 13, 1), None);
        assert_eq!(day_millis(0, 1, 1), None);
    }

    #[test]
    fn what_continues_a_message_is_no_entry() {
        for line in [
            "",
            "Stack trace:",
            "#0 {main}",
            "  thrown in /srv/app/index.php on line 3\" while reading response header from upstream, client: 192.0.2.7, server: shop.example",
            "192.0.2.7 - - [22/Nov/2026:07:25:33 +0000] \"GET / HTTP/1.1\" 200 1 \"-\" \"-\"",
            "[22/Nov/2026:07:25:33 +0000] 192.0.2.7 GET / 200",
            "nginx: [emerg] host not found in upstream \"app\" in /etc/nginx/nginx.conf:3",
            "2026/11/22 07:25:33",
            "2026/11/22 07:25:33 [error]",
            "2026/13/22 07:25:33 [error] 1#1: x",
        ] {
            assert!(parse(line.as_bytes()).is_none(), "{line}");
        }
    }
}
