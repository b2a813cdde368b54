//! Values that only one product writes, under whatever key: users name the keys of their own layouts, products choose
//! the words.

use model::{Edge, Field};

use super::{haproxy::is_state, json::is_nginx_only};
use crate::attribute::is_response_flags;

/// The field of a value that its words give away; the key, its parents included, need only hint at it.
pub(super) fn field(key: &[u8], value: &[u8]) -> Option<Field> {
    if is_details(value) {
        return Some(Field::ResponseCodeDetails);
    }
    // `[lib/core/proxy.c] connection failure`
    if value.starts_with(b"[lib/") && value.contains(&b']') {
        return Some(Field::UpstreamError);
    }
    let hints = |word: &[u8]| {
        let mut windows = key.windows(word.len());
        windows.any(|part| part.eq_ignore_ascii_case(word))
    };
    if hints(b"flag") && is_response_flags(value) {
        return Some(Field::ResponseFlags);
    }
    // Varnish's `Varnish:handling`, `Varnish:hitmiss`.
    let handlings: [&[u8]; 6] = [b"hit", b"miss", b"pass", b"pipe", b"synth", b"error"];
    if hints(b"handling") && handlings.contains(&value) {
        return Some(Field::Handling);
    }
    // Squid's and Traffic Server's words: how the cache answered, by which way, with which error.
    if is_result(value) && (hints(b"result") || hints(b"cache") || hints(b"action")) {
        return Some(Field::ResultCode);
    }
    if is_way(value) && hints(b"hier") {
        return Some(Field::Hierarchy);
    }
    if value.starts_with(b"ERR_") && hints(b"err") {
        return Some(Field::ErrorCode);
    }
    // Two letters may be anything, four with HAProxy's dashes are not.
    let is_term = || hints(b"state") || hints(b"term");
    (value.len() == 4 && is_state(value) && is_term()).then_some(Field::TerminationState)
}

/// The product that alone has such a field, in a layout of the user's own.
pub(super) const fn edge(field: Field) -> Option<Edge> {
    Some(match field {
        Field::ResponseFlags | Field::ResponseCodeDetails => Edge::Envoy,
        Field::TerminationState => Edge::Haproxy,
        Field::Handling => Edge::Varnish,
        _ if is_nginx_only(field) => Edge::Nginx,
        _ => return None,
    })
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
            ("d", b"via_upstream", Some(Field::ResponseCodeDetails)),
            ("flags", b"URX,UF", Some(Field::ResponseFlags)),
            (
                "http.Flags",
                b"UpstreamProtocolError",
                Some(Field::ResponseFlags),
            ),
            ("state", b"sH--", Some(Field::TerminationState)),
            (
                "why",
                b"[lib/core/proxy.c] I/O error (head)",
                Some(Field::UpstreamError),
            ),
            ("handling", b"synth", Some(Field::Handling)),
            ("handling", b"fragile", None),
            ("result", b"TCP_MISS", Some(Field::ResultCode)),
            ("cache_result", b"ERR_CONNECT_FAIL", Some(Field::ResultCode)),
            ("hier", b"FIRSTUP_PARENT", Some(Field::Hierarchy)),
            ("error", b"ERR_ZERO_SIZE_OBJECT", Some(Field::ErrorCode)),
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
