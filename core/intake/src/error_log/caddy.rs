//! The process log of Caddy: entries about failed requests (`http.log.error`), about attempts and bodies
//! (`http.handlers.reverse_proxy`), about health checks, and what else it says. JSON, or the console encoder.
//!
//! Names of the outer keys can be set by the user, so the usual ones are taken; what an entry is, its logger tells.

use memchr::memmem;
use model::Edge;

use super::{ErrorLine, Level, go_net};
use crate::format::caddy::Console;
use crate::format::json::{Depth, Value, values};
use crate::format::parse_time;
use crate::literal::finder;

/// Loggers of Caddy itself, as they stand in JSON.
const LOGGERS: [&[u8]; 5] = [
    b"\"http.log.error",
    b"\"http.handlers.",
    b"\"logger\":\"http",
    b"\"logger\":\"tls",
    b"\"logger\":\"admin",
];

/// Takes a line apart; `None` for what is no entry of Caddy, requests included.
pub(super) fn parse(line: &[u8]) -> Option<ErrorLine<'_>> {
    if line.first() == Some(&b'{') {
        let is_request = finder!(b"\"http.log.access").find(line).is_some();
        let is_ours = !is_request
            && LOGGERS
                .iter()
                .any(|logger| memmem::find(line, logger).is_some());
        return is_ours.then(|| Fields::of(line)?.entry()).flatten();
    }
    let console = Console::of(line)?;
    let is_ours = console.has(b"http.") && !console.has(b"http.log.access");
    if !is_ours {
        return None;
    }
    let mut fields = Fields::of(line.get(console.object..)?)?;
    let [time, level, logger, message] = console.columns;
    fields.time = time;
    fields.level = without_colour(level);
    fields.logger = logger;
    fields.message = message;
    fields.entry()
}

/// The level without the escape codes around it.
fn without_colour(level: &[u8]) -> &[u8] {
    let name = level.strip_prefix(b"\x1b[").map_or(level, |rest| {
        let end = memchr::memchr(b'm', rest).map_or(0, |at| at + 1);
        rest.get(end..).unwrap_or_default()
    });
    let end = memchr::memchr(0x1b, name).unwrap_or(name.len());
    name.get(..end).unwrap_or_default()
}

/// What an entry says.
#[derive(Default)]
struct Fields<'line> {
    time: &'line [u8],
    level: &'line [u8],
    logger: &'line [u8],
    message: &'line [u8],
    /// Go's text, where the message is Caddy's.
    error: &'line [u8],
    /// The function that gave up.
    trace: &'line [u8],
    upstream: &'line [u8],
    client: &'line [u8],
    remote: &'line [u8],
    port: &'line [u8],
    method: &'line [u8],
    target: &'line [u8],
    host: &'line [u8],
}

impl<'line> Fields<'line> {
    fn of(object: &'line [u8]) -> Option<Self> {
        let mut fields = Self::default();
        values(object, Depth::Headers, &mut |key, value: Value| {
            let text = value.text(object);
            match key {
                b"ts" | b"time" | b"timestamp" | b"@timestamp" => fields.time = text,
                b"level" | b"lvl" | b"severity" => fields.level = text,
                b"logger" | b"name" => fields.logger = text,
                b"msg" | b"message" => fields.message = text,
                b"error" => fields.error = text,
                b"err_trace" => fields.trace = text,
                b"upstream" | b"address" => fields.upstream = text,
                // A health check's own.
                b"host" if fields.upstream.is_empty() => fields.upstream = text,
                b"request.client_ip" => fields.client = text,
                b"request.remote_ip" => fields.remote = text,
                b"request.remote_port" => fields.port = text,
                b"request.method" => fields.method = text,
                b"request.uri" => fields.target = text,
                b"request.host" => fields.host = text,
                _ => {}
            }
        })?;
        Some(fields)
    }

    fn entry(self) -> Option<ErrorLine<'line>> {
        let (millis, zone) = parse_time(self.time)?;
        // An epoch is UTC; a wall clock may be that of the place.
        let is_epoch = !self.time.contains(&b':');
        let zone = zone.or(is_epoch.then_some(0));
        let east = i64::from(zone.unwrap_or(0)).checked_mul(60_000)?;
        let level = level_of(self.level);
        let mut entry = ErrorLine::new(Edge::Caddy, millis.checked_add(east)?, level, self.message);
        entry.zone = zone;
        let is_error = self.logger.starts_with(b"http.log.error");
        let second = if is_error { self.trace } else { self.error };
        entry.words = [self.message, second];
        let text = if is_error { self.message } else { self.error };
        entry.upstream = Some(self.upstream)
            .filter(|upstream| !upstream.is_empty())
            .or_else(|| go_net::upstream(text));
        if !self.method.is_empty() {
            entry.client = [self.client, self.remote]
                .into_iter()
                .find(|client| !client.is_empty());
            entry.asked = Some((self.method, self.target));
            entry.connection = super::whole(self.port);
            entry.host = Some(self.host).filter(|host| !host.is_empty());
        }
        Some(entry)
    }
}

/// zap's names, in either case.
fn level_of(name: &[u8]) -> Level {
    match name {
        b"debug" | b"DEBUG" => Level::Debug,
        b"warn" | b"WARN" => Level::Warn,
        b"error" | b"ERROR" => Level::Error,
        b"panic" | b"PANIC" | b"fatal" | b"FATAL" | b"dpanic" | b"DPANIC" => Level::Crit,
        _ => Level::Info,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    const REQUEST: &str = r#""request":{"remote_ip":"10.0.0.9","remote_port":"4711","client_ip":"192.0.2.7","proto":"HTTP/2.0","method":"GET","host":"shop.example","uri":"/a?b=c","headers":{"User-Agent":["EOF \"no upstreams available\""]}}"#;

    #[test]
    fn a_failed_request_names_its_client_and_the_upstream() {
        let line = format!(
            r#"{{"level":"error","ts":1795525419.5,"logger":"http.log.error.log0","msg":"dial tcp 10.0.0.2:80: connect: connection refused",{REQUEST},"duration":0.1,"status":502,"err_id":"x","err_trace":"reverseproxy.statusError (reverseproxy.go:1695)"}}"#
        );
        let entry = parse(line.as_bytes()).unwrap();
        assert_eq!(entry.civil_millis, 1_795_525_419_500);
        assert_eq!((entry.zone, entry.level), (Some(0), Level::Error));
        assert_eq!(entry.client, Some(b"192.0.2.7".as_slice()));
        assert_eq!(entry.connection, Some(4711));
        assert_eq!(entry.asked, Some((b"GET".as_slice(), b"/a?b=c".as_slice())));
        assert_eq!(entry.upstream, Some(b"10.0.0.2:80".as_slice()));
        assert!(
            entry
                .words
                .iter()
                .all(|words| !words.ends_with(b"available\"")),
            "what a client sent is none of Caddy's words"
        );
    }

    #[test]
    fn the_console_encoder_says_the_same() {
        for level in ["ERROR", "\u{1b}[31mERROR\u{1b}[0m"] {
            let line = format!(
                "2026/11/24 13:03:39.154\t{level}\thttp.log.error\tEOF\t{{{REQUEST}, \"status\": 502, \"err_trace\": \"x\"}}"
            );
            let entry = parse(line.as_bytes()).unwrap();
            assert_eq!((entry.zone, entry.level), (None, Level::Error));
            assert_eq!(entry.words[0], b"EOF");
            assert_eq!(entry.connection, Some(4711));
        }
    }

    #[test]
    fn a_health_check_is_about_no_request() {
        let line = r#"{"level":"info","ts":1795525419.5,"logger":"http.handlers.reverse_proxy.health_checker.active","msg":"HTTP request failed","host":"10.0.0.2:80","error":"Get \"http://10.0.0.2:80/\": dial tcp 10.0.0.2:80: connect: connection refused"}"#;
        let entry = parse(line.as_bytes()).unwrap();
        assert!(entry.client.is_none() && entry.asked.is_none());
        assert_eq!(entry.upstream, Some(b"10.0.0.2:80".as_slice()));
    }

    #[test]
    fn what_is_no_entry_is_left_to_others() {
        for line in [
            r#"{"level":"info","ts":1795525419.5,"logger":"http.log.access.log0","msg":"handled request"}"#,
            r#"{"level":"info","ts":1795525419.5,"logger":"worker","msg":"started"}"#,
            r#"{"level":"error","logger":"http.log.error","msg":"EOF"}"#,
            r#"{"level":"error","ts":1795525419.5,"logger":"http.log.error","msg":"EO"#,
            "2026/11/24 13:03:39.154\tINFO\thttp.log.access\thandled request\t{\"status\": 200}",
            "a\tb\tc",
            "",
        ] {
            assert!(parse(line.as_bytes()).is_none(), "{line}");
        }
    }
}
