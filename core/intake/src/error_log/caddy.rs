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
        let has = |text: &[u8]| memmem::find(line, text).is_some();
        let is_ours = !has(b"\"http.log.access") && LOGGERS.iter().any(|logger| has(logger));
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
