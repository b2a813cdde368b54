//! Caddy's JSON: `logger` begins `http.log.`, and `request` is an object. Written by `logRequest` in
//! `modules/caddyhttp/server.go` and `LoggableHTTPRequest` in `modules/caddyhttp/marshalers.go`.
//!
//! Names of the outer keys (`ts`, `msg`, `logger`, `level`) can be set by the user, so entries are known by their values.
//! Keys in lower case behind `resp_headers` are those that `log_append` adds, by the names that we recommend.

use model::{Edge, Field};

use super::Product;
use crate::format::telltale::hints;

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

/// What `log_append` adds under a key of the user's own: `{http.error.message}`, which says why a request failed.
pub(super) fn appended(key: &[u8], value: &[u8]) -> Option<Field> {
    let is_own = !key.contains(&b'.') && !value.is_empty();
    (is_own && hints(key, b"err")).then_some(Field::UpstreamError)
}

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::testing::{Fields, fields};
    use crate::format::{Formats, Reason};
    use crate::visit::Spans;

    fn read(line: &str) -> Result<Fields, Reason> {
        let (mut scratch, mut spans) = (Vec::new(), Spans::new());
        let formats = Formats::new(Vec::new());
        let format = formats.recognise(line.as_bytes(), &mut scratch, &mut spans)?;
        assert_eq!(format.edge, Edge::Caddy);
        Ok(fields(line.as_bytes(), &scratch, &spans))
    }

    const BODY: &str = r#""request":{"remote_ip":"10.0.0.9","remote_port":"4711","client_ip":"192.0.2.7","proto":"HTTP/2.0","method":"GET","host":"shop.example","uri":"/a","headers":{"Accept":["*/*"],"Cookie":[],"User-Agent":["a \"b\" [c]"]},"tls":{"resumed":false,"version":772}},"bytes_read":0,"user_id":"","duration":0.25,"size":11,"status":502,"resp_headers":{"Server":["Caddy","nginx/1.22.1"],"Via":["1.1 Caddy"],"Content-Length":["11"]}"#;

    #[test]
    fn json_and_console_give_the_same_fields() {
        let json = format!(
            r#"{{"level":"error","ts":1795525419.15,"logger":"http.log.access.log0","msg":"handled request",{BODY},"upstream":null,"upstream_retries":2}}"#
        );
        let console = format!(
            "2026/11/24 13:03:39.150\t\u{1b}[31mERROR\u{1b}[0m\thttp.log.access.log0\thandled request\t{{{BODY}, \"upstream\": null, \"upstream_retries\": 2}}"
        );
        for line in [&json, &console] {
            let found = read(line).unwrap_or_else(|reason| panic!("{line}: {reason}"));
            for (field, value) in [
                (Field::ClientAddr, "192.0.2.7"),
                (Field::Connection, "4711"),
                (Field::UserAgent, "a \"b\" [c]"),
                (Field::Target, "/a"),
                (Field::Status, "502"),
                (Field::BytesSent, "11"),
                (Field::Duration, "0.25"),
                (Field::Via, "1.1 Caddy"),
                (Field::ServerHeader, r#"Caddy","nginx/1.22.1"#),
                (Field::UpstreamContentLength, "11"),
                (Field::UpstreamAddr, ""),
                (Field::Retries, "2"),
            ] {
                assert_eq!(found.get(field), Some(value), "{line}");
            }
        }
    }

    #[test]
    fn names_of_the_outer_keys_are_the_users() {
        let line = format!(
            r#"{{"severity":"info","@timestamp":"2026-11-24T13:03:39.150Z","name":"http.log.access","message":"handled request",{BODY}}}"#
        );
        assert!(read(&line).is_ok());
        let whole = line.replace("0.25", "250000000");
        let found = read(&whole).unwrap_or_else(|reason| panic!("{reason}"));
        assert_eq!(found.get(Field::Duration), None, "no unit is guessed");
    }

    #[test]
    fn an_error_is_appended_under_any_key() {
        let line = format!(
            r#"{{"level":"error","ts":1795525419.15,"logger":"http.log.access.log0","msg":"handled request",{BODY},"err_message":"EOF"}}"#
        );
        let found = read(&line).unwrap_or_else(|reason| panic!("{reason}"));
        assert_eq!(found.get(Field::UpstreamError), Some("EOF"));
    }

    #[test]
    fn an_entry_about_a_failure_is_no_request() {
        for logger in ["http.log.error", "http.handlers.reverse_proxy"] {
            let line = format!(
                r#"{{"level":"error","ts":1795525419.15,"logger":"{logger}","msg":"EOF",{BODY}}}"#
            );
            assert_eq!(read(&line).err(), Some(Reason::NotRequest));
            let console = format!("2026/11/24 13:03:39.150\tERROR\t{logger}\tEOF\t{{{BODY}}}");
            assert!(read(&console).is_err());
        }
        let unnamed =
            format!(r#"{{"ts":1795525419.15,"msg":"handled request",{BODY},"err_id":"x"}}"#);
        assert_eq!(read(&unnamed).err(), Some(Reason::NotRequest));
    }
}
