//! What people append to combined: X-Forwarded-For in quotes, then `key=value`.
//!
//! Only a key names a value. A number without one is left alone, whatever it looks like.

use model::{Edge, Field};

use super::{
    haproxy::is_state,
    ncsa::{next_quote, token_end, token_start},
    telltale,
    value::{Class, is_forwarded_for, is_host_name},
};
use crate::literal::finder;
use crate::visit::{Spans, Visit};

/// Finds the fields in `line` from `start`, behind the agent's quote (`after_agent`) or behind the bytes. The
/// product, where what was found tells.
pub(super) fn parse(line: &[u8], start: usize, after_agent: bool, spans: &mut Spans) -> Edge {
    let mut edge = Edge::Unknown;
    let mut at = token_start(line, start);
    if after_agent && line.get(at) == Some(&b'"') {
        at = forwarded_for(line, at, spans);
    }
    while at < line.len() {
        if matches!(line[at], b'[' | b'(' | b'{' | b'<') {
            at += 1;
            continue;
        }
        let Some(token) = Token::read(line, at) else {
            at = token_start(line, token_stop(line, at));
            continue;
        };
        let value = &line[token.start..token.end];
        if let Some(field) = field(token.key, value).or_else(|| telltale::field(token.key, value))
            && !spans.has(field)
        {
            spans.set(field, token.start, token.end);
            match token.key {
                b"vxid" | b"fetch_error" => edge = Edge::Varnish,
                b"h2o_error" => edge = Edge::H2o,
                _ => {}
            }
        }
        at = token_start(line, token.stop);
    }
    telltale::forget_duration(line, spans);
    match edge {
        Edge::Unknown => telltale::product(&Visit::new(line, &[], spans)).unwrap_or(edge),
        known => known,
    }
}

/// The same behind the layout `squid`, which has no agent: a value in quotes at the very end is one.
pub(super) fn of_squid(line: &[u8], start: usize, spans: &mut Spans) {
    parse(line, start, false, spans);
    let rest = line.get(start..).unwrap_or_default();
    // Neither product escapes in all versions, so the last value is from the first quote that no key stands before.
    let open = finder!(b" \"").find(rest).map(|at| start + at + 2);
    if let (Some(open), true, false) = (open, rest.ends_with(b"\""), spans.has(Field::UserAgent))
        && open < line.len()
    {
        spans.set(Field::UserAgent, open, line.len() - 1);
    }
}

/// A quoted value directly behind the agent is X-Forwarded-For in every layout that has one there, if it looks so.
fn forwarded_for(line: &[u8], quote: usize, spans: &mut Spans) -> usize {
    let Some(end) = next_quote(line, quote + 1, quote + 1) else {
        return line.len();
    };
    if is_forwarded_for(&line[quote + 1..end]) {
        spans.set(Field::ForwardedFor, quote + 1, end);
    }
    token_start(line, end + 1)
}

/// `key=value`, `key="value"`, `key:value` or `key: value`.
pub(super) struct Token<'a> {
    pub(super) key: &'a [u8],
    pub(super) start: usize,
    pub(super) end: usize,
    /// Where the token is over.
    pub(super) stop: usize,
}

impl<'a> Token<'a> {
    pub(super) fn read(line: &'a [u8], at: usize) -> Option<Self> {
        let rest = line.get(at..)?;
        let len = rest.iter().take_while(|byte| is_key(**byte)).count();
        if len == 0 || !matches!(rest.get(len), Some(b'=' | b':')) {
            return None;
        }
        let mut start = at + len + 1;
        if rest[len] == b':' && line.get(start) == Some(&b' ') {
            start += 1;
        }
        let key = &rest[..len];
        if line.get(start) == Some(&b'"') {
            let end = next_quote(line, start + 1, start + 1)?;
            return Some(Self {
                key,
                start: start + 1,
                end,
                stop: end + 1,
            });
        }
        let end = list_end(line, start);
        let stop = end;
        let end = start + without_mark(&line[start..end]).len();
        Some(Self {
            key,
            start,
            end,
            stop,
        })
    }
}

/// Without the comma between pairs, or the bracket around them: `[rt=0.1, urt=0.1]`.
fn without_mark(value: &[u8]) -> &[u8] {
    match value {
        // HAProxy's `<NOSRV>` has them of its own, too.
        [rest @ .., b'>'] if !rest.contains(&b'<') => rest,
        [rest @ .., b',' | b';' | b'|' | b')' | b'}'] => rest,
        // An IPv6 address has brackets of its own.
        [rest @ .., b']'] if !rest.contains(&b'[') => rest,
        _ => value,
    }
}

const fn is_key(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.')
}

/// End of a value that may be nginx's list: `a, b : c`.
fn list_end(line: &[u8], start: usize) -> usize {
    let mut end = token_end(line, start);
    loop {
        let next = match line.get(end..) {
            Some([b' ', b':', b' ', ..]) => end + 3,
            Some([b' ', ..]) if end > start && line[end - 1] == b',' => end + 1,
            _ => return end,
        };
        let next_end = token_end(line, next);
        // The next pair is not part of the list.
        if next_end == next || line[next..next_end].contains(&b'=') {
            return end;
        }
        end = next_end;
    }
}

/// End of a token that is no pair: its quotes may hold blanks.
fn token_stop(line: &[u8], at: usize) -> usize {
    let end = token_end(line, at);
    match line[at..end].iter().position(|byte| *byte == b'"') {
        Some(quote) => {
            let open = at + quote;
            next_quote(line, open + 1, open + 1).map_or(line.len(), |close| close + 1)
        }
        None => end,
    }
}

/// Longer than any key below.
const KEY_MAX: usize = 40;

/// The field that `key` names, if `value` can be one of it.
pub(super) fn field(key: &[u8], value: &[u8]) -> Option<Field> {
    let mut lower = [0; KEY_MAX];
    let lower = lower.get_mut(..key.len())?;
    lower.copy_from_slice(key);
    lower.make_ascii_lowercase();
    let field = match &*lower {
        b"rt" | b"request_time" | b"req_time" => Field::Duration,
        b"request_time_ms" | b"rt_ms" | b"duration_ms" | b"ms" => Field::DurationMillis,
        b"duration_us" | b"request_time_us" => Field::DurationMicros,
        b"urt" | b"upstream_response_time" => Field::UpstreamResponseTime,
        b"uct" | b"upstream_connect_time" => Field::UpstreamConnectTime,
        b"uht" | b"upstream_header_time" => Field::UpstreamHeaderTime,
        b"ua" if !looks_like_upstream(value) => return None,
        b"up" | b"ups" if !looks_like_upstream(value) => return None,
        b"ua" | b"up" | b"ups" | b"uaddr" | b"upstream" | b"upstream_addr" => Field::UpstreamAddr,
        b"us" | b"ust" | b"ustatus" | b"upstream_status" => Field::UpstreamStatus,
        b"ubr" | b"upstream_bytes_received" => Field::UpstreamBytesReceived,
        b"ubl" | b"upstream_response_length" => Field::UpstreamResponseLength,
        b"ucl" | b"upstream_http_content_length" => Field::UpstreamContentLength,
        b"backend_host" => Field::UpstreamServer,
        b"upstream_name" | b"proxy_upstream_name" => Field::UpstreamName,
        b"cs" | b"ucs" | b"cache" | b"cache_status" | b"upstream_cache_status" => {
            Field::CacheStatus
        }
        b"h" | b"host" | b"http_host" | b"vhost" if is_host_name(value) => Field::Host,
        b"sn" | b"server_name" if is_host_name(value) => Field::ServerName,
        b"scheme" if matches!(value, b"http" | b"https") => Field::Scheme,
        b"xff" | b"x_forwarded_for" | b"http_x_forwarded_for" if is_forwarded_for(value) => {
            Field::ForwardedFor
        }
        b"conn" | b"connection" => Field::Connection,
        b"rid" | b"reqid" | b"req_id" | b"request_id" => Field::RequestId,
        b"ra" | b"retry_after" | b"sent_http_retry_after" if Class::Number.admits(value) => {
            Field::RetryAfter
        }
        b"vxid" if Class::Number.admits(value) => Field::Connection,
        b"handling" => Field::Handling,
        b"side" if matches!(value, b"b" | b"c") => Field::Side,
        b"reason" => Field::ResponseReason,
        b"fetch_error" | b"h2o_error" => Field::UpstreamError,
        b"backend_open" => Field::BackendOpen,
        // HAProxy's, in the layout that we recommend.
        b"bc_err" | b"bc_err_str" => Field::UpstreamError,
        b"ssl_bc_err" | b"ssl_bc_err_str" => Field::UpstreamTlsError,
        b"ts" | b"tsc" | b"termination_state" if is_state(value) => Field::TerminationState,
        b"rc" | b"retries" if Class::Number.admits(value.strip_prefix(b"+").unwrap_or(value)) => {
            Field::Retries
        }
        b"rule" if Class::Number.admits(value) => Field::Rule,
        b"abortonclose" => Field::WatchesClient,
        b"srv" => Field::UpstreamServer,
        b"tw" if Class::Number.admits(value) => Field::QueueMillis,
        b"tc" if Class::Number.admits(value) => Field::ConnectMillis,
        b"tr" if Class::Number.admits(value) => Field::ResponseMillis,
        b"ta" if Class::Number.admits(value) => Field::DurationMillis,
        b"proxy_status" => Field::ProxyStatus,
        b"connection_status" => Field::ConnectionStatus,
        b"error_log_id" => Field::ErrorLogId,
        b"handler" => Field::Handler,
        b"method" | b"request_method" => Field::Method,
        b"bytes" | b"body_bytes_sent" => Field::BytesSent,
        // Traffic Server's symbols and Squid's codes.
        b"sssc" | b"origin_status" => Field::OriginStatus,
        b"pfsc" | b"finish_status" => Field::FinishStatus,
        b"crc" | b"result_code" => Field::ResultCode,
        b"phr" | b"hierarchy" => Field::Hierarchy,
        b"sca" | b"retries" => Field::Retries,
        b"prrp" | b"response_reason" => Field::ResponseReason,
        b"err_code" | b"error_code" => Field::ErrorCode,
        b"err_detail" | b"error_detail" => Field::ErrorDetail,
        b"transformed_from" => Field::TransformedFrom,
        _ => return None,
    };
    Class::of(field).admits(value).then_some(field)
}

/// Whether a value under the key `ua` is the upstream's address rather than a user agent.
fn looks_like_upstream(value: &[u8]) -> bool {
    value == b"-"
        || value.starts_with(b"unix:")
        || value.starts_with(b"[")
        || value.first().is_some_and(u8::is_ascii_digit) && value.contains(&b':')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::testing::fields;

    #[track_caller]
    fn check(tail: &str, wanted: &[(Field, &str)]) {
        let mut spans = Spans::new();
        parse(tail.as_bytes(), 0, true, &mut spans);
        let fields = fields(tail.as_bytes(), &[], &spans);
        let mut wanted: Vec<_> = wanted
            .iter()
            .map(|(field, text)| (*field, (*text).to_owned()))
            .collect();
        wanted.sort_unstable();
        assert_eq!(fields.0, wanted, "{tail}");
    }

    #[test]
    fn pairs_in_their_spellings() {
        check(
            r#" rt=0.001 uct="0.000" uht="-" urt="0.001" ua="10.0.0.1:80" us="502" cs=MISS"#,
            &[
                (Field::Duration, "0.001"),
                (Field::UpstreamConnectTime, "0.000"),
                (Field::UpstreamHeaderTime, "-"),
                (Field::UpstreamResponseTime, "0.001"),
                (Field::UpstreamAddr, "10.0.0.1:80"),
                (Field::UpstreamStatus, "502"),
                (Field::CacheStatus, "MISS"),
            ],
        );
        check(
            " rt:0.001 host:a.example",
            &[(Field::Duration, "0.001"), (Field::Host, "a.example")],
        );
        check(
            " rt=0.1, urt=0.2, uct=- us=",
            &[
                (Field::Duration, "0.1"),
                (Field::UpstreamResponseTime, "0.2"),
                (Field::UpstreamConnectTime, "-"),
                (Field::UpstreamStatus, ""),
            ],
        );
    }

    #[test]
    fn microseconds_are_no_status() {
        check(" us=558", &[]);
        check(
            "  rt=0.1 us=558 urt=0.1",
            &[
                (Field::Duration, "0.1"),
                (Field::UpstreamStatus, "558"),
                (Field::UpstreamResponseTime, "0.1"),
            ],
        );
    }

    #[test]
    fn brackets_around_pairs() {
        check(
            " [rt=0.1] (urt=0.2 us=200) 0.3 [a b]",
            &[
                (Field::Duration, "0.1"),
                (Field::UpstreamResponseTime, "0.2"),
                (Field::UpstreamStatus, "200"),
            ],
        );
    }

    #[test]
    fn lists_of_attempts_stay_whole() {
        check(
            " uaddr=10.0.0.1:80, 10.0.0.2:80 : unix:/run/a.sock us=502, 502 : 200 urt=-, 0.001 : 0.002 conn=7",
            &[
                (
                    Field::UpstreamAddr,
                    "10.0.0.1:80, 10.0.0.2:80 : unix:/run/a.sock",
                ),
                (Field::UpstreamStatus, "502, 502 : 200"),
                (Field::UpstreamResponseTime, "-, 0.001 : 0.002"),
                (Field::Connection, "7"),
            ],
        );
    }

    #[test]
    fn forwarded_for_directly_behind_the_agent() {
        check(r#" "-""#, &[(Field::ForwardedFor, "-")]);
        check(
            r#" "192.0.2.7, 2001:db8::1" rt=1"#,
            &[
                (Field::ForwardedFor, "192.0.2.7, 2001:db8::1"),
                (Field::Duration, "1"),
            ],
        );
        check(r#" "upstream-a""#, &[]);
    }

    #[test]
    fn what_has_no_name_is_left_alone() {
        check(" 0.001 0.002 502", &[]);
        check(r#" 12 "router@docker" "http://10.0.0.1:80" 1ms"#, &[]);
        check(r#" ua="Mozilla/5.0" us="abc" time=5 x="rt=7 y""#, &[]);
    }
}
