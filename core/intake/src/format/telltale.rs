//! Values that only one product writes, under whatever key: users name the keys of their own layouts, products choose the
//! words.

use model::Field;

use super::haproxy::is_state;
use crate::attribute::is_response_flags;

/// The field of a value that its words give away; the key, its parents included, need only hint at it.
pub(super) fn field(key: &[u8], value: &[u8]) -> Option<Field> {
    if is_details(value) {
        return Some(Field::ResponseCodeDetails);
    }
    let hints = |word: &[u8]| {
        let mut windows = key.windows(word.len());
        windows.any(|part| part.eq_ignore_ascii_case(word))
    };
    if hints(b"flag") && is_response_flags(value) {
        return Some(Field::ResponseFlags);
    }
    // Two letters may be anything, four with HAProxy's dashes are not.
    let is_term = || hints(b"state") || hints(b"term");
    (value.len() == 4 && is_state(value) && is_term()).then_some(Field::TerminationState)
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
