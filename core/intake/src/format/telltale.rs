//! What gives a product away in a layout of the user's own: users name the keys, products choose the fields and the
//! words.

use model::{Edge, Field};

use super::haproxy::is_state;
use crate::attribute::is_response_flags;
use crate::visit::{Spans, Visit};

/// The field of a value that a product's own words give away under a key that hints at it. The words alone would not
/// do: a client can put them into whatever header a layout may log.
pub(super) fn field(key: &[u8], value: &[u8]) -> Option<Field> {
    let hints = |word: &[u8]| hints(key, word);
    if is_details(value) && hints(b"detail") {
        return Some(Field::ResponseCodeDetails);
    }
    if is_of_h2o(value) && hints(b"err") {
        return Some(Field::UpstreamError);
    }
    if hints(b"flag") && is_response_flags(value) {
        return Some(Field::ResponseFlags);
    }
    if hints(b"handling") && is_handling(value) {
        return Some(Field::Handling);
    }
    // Squid's and Traffic Server's words: how the cache answered, by which way, with which error.
    if is_result(value) && (hints(b"result") || hints(b"cache") || hints(b"action")) {
        return Some(Field::ResultCode);
    }
    if is_way(value) && hints(b"hier") {
        return Some(Field::Hierarchy);
    }
    if is_error_of_squid(value) && hints(b"err") {
        return Some(Field::ErrorCode);
    }
    // The library's words under the name of the connection to the upstream; that to the client has the like.
    let is_tls = || hints(b"tls") || hints(b"ssl") || hints(b"err");
    if is_openssl_error(value) && is_tls() && !hints(b"fc") && !hints(b"front") {
        return Some(Field::UpstreamTlsError);
    }
    // Two letters may be anything, four with HAProxy's dashes are not.
    let is_term = || hints(b"state") || hints(b"term");
    (value.len() == 4 && is_state(value) && is_term()).then_some(Field::TerminationState)
}

/// Whether a word of `key` begins with `word`: `error` and `proxyError` with `err`, `referrer` does not.
pub(super) fn hints(key: &[u8], word: &[u8]) -> bool {
    let begins = |at: usize| {
        let before = at.checked_sub(1).and_then(|before| key.get(before));
        before.is_none_or(|byte| !byte.is_ascii_alphanumeric())
            || key.get(at).is_some_and(u8::is_ascii_uppercase)
    };
    let mut windows = key.windows(word.len()).enumerate();
    windows.any(|(at, part)| part.eq_ignore_ascii_case(word) && begins(at))
}

/// Takes `us` for no status of the upstream unless nginx's other fields stand beside it: of others it is a duration in
/// microseconds (httpd's and Varnish's `us=%D`).
pub(super) fn forget_duration(line: &[u8], spans: &mut Spans) {
    let beside = [
        Field::UpstreamAddr,
        Field::UpstreamConnectTime,
        Field::UpstreamResponseTime,
        Field::UpstreamResponseLength,
    ];
    let Some(at) = spans.in_line(Field::UpstreamStatus) else {
        return;
    };
    let before = line.get(..at.start).unwrap_or_default();
    let before = before.strip_suffix(b"\"").unwrap_or(before);
    let key = before.strip_suffix(b"=").or(before.strip_suffix(b":"));
    let is_us = key.is_some_and(|text| {
        let mut words = text.rsplit(|byte| !byte.is_ascii_alphanumeric());
        words.next() == Some(b"us")
    });
    let is_number = line
        .get(at)
        .is_some_and(|text| text.iter().all(u8::is_ascii_digit));
    if is_us && is_number && !beside.iter().any(|field| spans.has(*field)) {
        spans.forget(Field::UpstreamStatus);
    }
}

/// Fields that only one product has, those first that nobody names after another product's: nginx's are borrowed.
const TELLING: [Field; 12] = [
    Field::TerminationState,
    Field::ResponseFlags,
    Field::ResponseCodeDetails,
    Field::Handling,
    Field::FinishStatus,
    Field::ErrorCode,
    Field::UpstreamError,
    Field::UpstreamStatus,
    Field::UpstreamConnectTime,
    Field::UpstreamResponseTime,
    Field::UpstreamBytesReceived,
    Field::UpstreamResponseLength,
];

/// The product whose fields, or whose words in them, a line carries.
pub(crate) fn product(visit: &Visit<'_>) -> Option<Edge> {
    TELLING
        .into_iter()
        .find_map(|field| product_of(field, visit.get(field)?))
}

fn product_of(field: Field, value: &[u8]) -> Option<Edge> {
    Some(match field {
        Field::TerminationState => Edge::Haproxy,
        Field::ResponseFlags | Field::ResponseCodeDetails => Edge::Envoy,
        Field::Handling if is_handling(value) => Edge::Varnish,
        Field::FinishStatus => Edge::TrafficServer,
        Field::ErrorCode if is_error_of_squid(value) => Edge::Squid,
        Field::UpstreamError if is_of_h2o(value) => Edge::H2o,
        // Others name the upstream's address, too, and the time to its first byte, but only nginx times each attempt.
        Field::UpstreamStatus
        | Field::UpstreamConnectTime
        | Field::UpstreamResponseTime
        | Field::UpstreamBytesReceived
        | Field::UpstreamResponseLength => Edge::Nginx,
        _ => return None,
    })
}

/// `[lib/core/proxy.c] connection failure`
fn is_of_h2o(value: &[u8]) -> bool {
    value.starts_with(b"[lib/") && value.contains(&b']')
}

/// `error:0A000086:SSL routines::certificate verify failed`, as HAProxy's `ssl_bc_err_str` gives OpenSSL's errors.
fn is_openssl_error(value: &[u8]) -> bool {
    value.starts_with(b"error:") && memchr::memmem::find(value, b":SSL routines:").is_some()
}

/// Varnish's `Varnish:handling` and `Varnish:hitmiss`.
fn is_handling(value: &[u8]) -> bool {
    let all: [&[u8]; 7] = [
        b"hit",
        b"miss",
        b"pass",
        b"pipe",
        b"synth",
        b"error",
        b"streamed-hit",
    ];
    all.contains(&value)
}

/// `ERR_ZERO_SIZE_OBJECT`
fn is_error_of_squid(value: &[u8]) -> bool {
    value.starts_with(b"ERR_") && is_result(value)
}

/// `TCP_MISS`, `ERR_CONNECT_FAIL`: of Squid's `%Ss`, of Traffic Server's `crc`.
fn is_result(value: &[u8]) -> bool {
    let is_word = |byte: &u8| byte.is_ascii_uppercase() || matches!(byte, b'_' | b'0'..=b'9');
    let begins: [&[u8]; 4] = [b"TCP_", b"ERR_", b"NONE_", b"TAG_NONE"];
    begins.iter().any(|begin| value.starts_with(begin)) && value.iter().all(is_word)
}

/// `HIER_DIRECT`, `FIRSTUP_PARENT`: of Squid's `%Sh`.
fn is_way(value: &[u8]) -> bool {
    value.starts_with(b"HIER_") || value.ends_with(b"_PARENT") || value.ends_with(b"_SIBLING")
}

/// What Envoy says of how an answer came about.
///
/// Source: envoy docs `response_code_details.rst` 01f8613d0f74.
fn is_details(value: &[u8]) -> bool {
    const WHOLE: [&[u8]; 12] = [
        b"via_upstream",
        b"direct_response",
        b"upstream_response_timeout",
        b"no_healthy_upstream",
        b"no_cluster_found",
        b"cluster_not_found",
        b"route_not_found",
        b"request_timeout",
        b"downstream_remote_disconnect",
        b"upstream_per_try_timeout",
        b"upstream_per_try_idle_timeout",
        b"stream_idle_timeout",
    ];
    WHOLE.contains(&value)
        || value.starts_with(b"upstream_reset_before_response_started{")
        || value.starts_with(b"upstream_reset_after_response_started{")
        || value.starts_with(b"downstream_remote_disconnect{")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_tell_and_the_key_hints() {
        let details = b"upstream_reset_before_response_started{protocol_error}".as_slice();
        for (key, value, wanted) in [
            ("http.detail", details, Some(Field::ResponseCodeDetails)),
            (
                "responseDetails",
                b"via_upstream",
                Some(Field::ResponseCodeDetails),
            ),
            // A header that a client may have sent.
            ("x_trace", b"via_upstream", None),
            ("flags", b"URX,UF", Some(Field::ResponseFlags)),
            (
                "tls",
                b"error:0A000086:SSL routines::certificate verify failed",
                Some(Field::UpstreamTlsError),
            ),
            (
                "fc_tls",
                b"error:0A000086:SSL routines::certificate verify failed",
                None,
            ),
            (
                "http.Flags",
                b"UpstreamProtocolError",
                Some(Field::ResponseFlags),
            ),
            ("state", b"sH--", Some(Field::TerminationState)),
            (
                "proxy_error",
                b"[lib/core/proxy.c] I/O error (head)",
                Some(Field::UpstreamError),
            ),
            ("referrer", b"[lib/core/proxy.c] I/O error (head)", None),
            ("handling", b"synth", Some(Field::Handling)),
            ("handling", b"fragile", None),
            ("result", b"TCP_MISS", Some(Field::ResultCode)),
            ("cache_result", b"ERR_CONNECT_FAIL", Some(Field::ResultCode)),
            ("hier", b"FIRSTUP_PARENT", Some(Field::Hierarchy)),
            ("error", b"ERR_ZERO_SIZE_OBJECT", Some(Field::ErrorCode)),
            ("referrer", b"ERR_ZERO_SIZE_OBJECT", None),
            ("city", b"TCP_MISS", None),
            // A country, a state of the user's own, a flag of another kind.
            ("country", b"SC", None),
            ("state", b"SH", None),
            ("state", b"open", None),
            ("flags", b"beta", None),
            ("flags", b"", None),
            ("currency", b"UF", None),
        ] {
            assert_eq!(field(key.as_bytes(), value), wanted, "{key}");
        }
    }
}
