//! Caddy's JSON: `logger` begins `http.log.`, and `request` is an object. Written by `logRequest` in
//! `modules/caddyhttp/server.go` and `LoggableHTTPRequest` in `modules/caddyhttp/marshalers.go`.
//!
//! Names of the outer keys (`ts`, `msg`, `logger`, `level`) can be set by the user, so entries are known by their values.
//! Keys in lower case behind `resp_headers` are those that `log_append` adds, by the names that we recommend.

use model::{Edge, Field};

use super::Product;

pub(super) const PRODUCT: Product = Product {
    edge: Edge::Caddy,
    markers: &[
        r#""http.log.access"#,
        r#""http.log.error"#,
        r#""http.handlers."#,
        r#""handled request""#,
    ],
    names: &[
        ("ts", Some(Field::Time)),
        ("request.client_ip", Some(Field::ClientAddr)),
        ("request.remote_ip", Some(Field::ClientAddr)),
        // Up to Caddy 2.4, with the port.
        ("request.remote_addr", Some(Field::ClientAddr)),
        ("request.remote_port", Some(Field::Connection)),
        ("request.method", Some(Field::Method)),
        ("request.host", Some(Field::Host)),
        ("request.uri", Some(Field::Target)),
        ("request.proto", Some(Field::Protocol)),
        ("request.headers.User-Agent", Some(Field::UserAgent)),
        ("status", Some(Field::Status)),
        ("size", Some(Field::BytesSent)),
        ("duration", Some(Field::Duration)),
        ("resp_headers.Via", Some(Field::Via)),
        ("resp_headers.Server", Some(Field::ServerHeader)),
        (
            "resp_headers.Content-Length",
            Some(Field::UpstreamContentLength),
        ),
        ("resp_headers.Retry-After", Some(Field::RetryAfter)),
        ("upstream", Some(Field::UpstreamAddr)),
        ("upstream_status", Some(Field::OriginStatus)),
        ("upstream_latency_ms", Some(Field::ResponseMillis)),
        ("upstream_retries", Some(Field::Retries)),
        ("error", Some(Field::UpstreamError)),
        ("user_agent", Some(Field::UserAgent)),
        ("user_id", None),
        ("level", None),
        ("msg", None),
        ("logger", None),
    ],
};

/// Whether this key and value are of an entry about a failure, or about one attempt, which the error log's grammar reads.
pub(super) fn is_no_request(key: &[u8], value: &[u8]) -> bool {
    matches!(key, b"err_id" | b"err_trace")
        || value.starts_with(b"http.log.error")
        || value.starts_with(b"http.handlers.")
}

/// Whether a duration does not tell its unit: seconds are written with their fraction, while whole numbers are
/// nanoseconds or milliseconds as `duration_format` has it.
pub(super) fn has_no_unit(field: Field, value: &[u8]) -> bool {
    field == Field::Duration && !value.contains(&b'.')
}
