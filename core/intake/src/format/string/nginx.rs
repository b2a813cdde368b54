//! nginx's `log_format` strings: what its variables are.
//!
//! Sources: nginx documentation, "Alphabetical index of variables" (nginx.org/en/docs/varindex.html), and
//! ngx_http_log_module. A module or a `map` may define any other variable, so an unknown name is skipped, with a
//! warning, and never an error.

use model::Field;

use super::{FormatError, Item, Warning};
use crate::format::value::Class;

/// Longest format string that is read. nginx's own directives end at its 4 KiB configuration buffer per token, so
/// real ones are shorter.
pub(in crate::format) const STRING_BYTES_MAX: usize = 16 * 1024;

/// Cuts a format string into literals and variables.
pub(in crate::format) fn items(text: &str) -> Result<(Vec<Item>, Vec<Warning>), FormatError> {
    let mut items = Vec::new();
    let mut warnings = Vec::new();
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            b'$' => {
                let (name, end) = variable_name(text, at)?;
                let known = variable(name);
                if known.is_none() {
                    warnings.push(Warning {
                        at,
                        name: format!("${name}"),
                    });
                }
                items.push(known.unwrap_or(Item::value(None, Class::Any, 0)));
                at = end;
            }
            b'\\' if matches!(bytes.get(at + 1), Some(b'"' | b'\'' | b't')) => {
                items.push(Item::literal(if bytes[at + 1] == b't' {
                    b'\t'
                } else {
                    bytes[at + 1]
                }));
                at += 2;
            }
            byte => {
                items.push(Item::literal(byte));
                at += 1;
            }
        }
    }
    Ok((items, warnings))
}

/// `$name` or `${name}` at `at`: the name, and where it ends.
pub(in crate::format) fn variable_name(
    text: &str,
    at: usize,
) -> Result<(&str, usize), FormatError> {
    let rest = &text[at + 1..];
    let (name, open) = match rest.strip_prefix('{') {
        Some(inner) => {
            let end = inner.find('}').ok_or(FormatError {
                at,
                reason: "`${` without `}`",
            })?;
            (&inner[..end], 2)
        }
        None => {
            let end = rest.find(|c: char| !is_name(c)).unwrap_or(rest.len());
            (&rest[..end], 0)
        }
    };
    if name.is_empty() || !name.chars().all(is_name) {
        return Err(FormatError {
            at,
            reason: "`$` without the name of a variable",
        });
    }
    Ok((name, at + 1 + open + name.len()))
}

const fn is_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

/// The field behind a variable; for one that carries none, the shape of its value. `None` for an unknown name.
pub(in crate::format) fn variable(name: &str) -> Option<Item> {
    let own = NGHTTPX.iter().find(|(known, _, _)| *known == name);
    let own = own.map(|(_, field, rank)| (*field, *rank));
    if let Some((field, rank)) = field(name).or(own) {
        return Some(Item::value(Some(field), Class::of(field), rank));
    }
    let class = match name {
        "request_length"
        | "connection_requests"
        | "connection_time"
        | "gzip_ratio"
        | "pid"
        | "server_port"
        | "remote_port"
        | "realip_remote_port"
        | "proxy_port"
        | "limit_rate"
        | "upstream_queue_time" => Class::Number,
        "upstream_bytes_sent" | "upstream_first_byte_time" | "upstream_session_time" => {
            Class::Numbers
        }
        "backend_port" => Class::Number,
        "alpn"
        | "tls_cipher"
        | "tls_client_fingerprint_sha1"
        | "tls_client_fingerprint_sha256"
        | "tls_client_issuer_name"
        | "tls_client_serial"
        | "tls_client_subject_name"
        | "tls_protocol"
        | "tls_session_id"
        | "tls_session_reused"
        | "tls_sni" => Class::Any,
        "pipe"
        | "https"
        | "is_args"
        | "server_addr"
        | "hostname"
        | "nginx_version"
        | "tcpinfo_rtt"
        | "binary_remote_addr"
        | "realip_remote_addr"
        | "content_length"
        | "proxy_host"
        | "upstream_last_server_name"
        | "connections_active"
        | "namespace"
        | "ingress_name"
        | "service_name"
        | "service_port" => Class::Word,
        "content_type"
        | "document_root"
        | "request_body"
        | "request_body_file"
        | "request_completion"
        | "request_filename"
        | "realpath_root"
        | "invalid_referer"
        | "limit_req_status"
        | "limit_conn_status"
        | "time_zone"
        | "uid_got"
        | "uid_set"
        | "uid_reset"
        | "fastcgi_script_name"
        | "fastcgi_path_info" => Class::Any,
        _ => known_family(name)?,
    };
    Some(Item::value(None, class, 0))
}

/// Variables with a free part in the name.
fn known_family(name: &str) -> Option<Class> {
    const FAMILIES: [&str; 14] = [
        "http_",
        "sent_http_",
        "sent_trailer_",
        "upstream_http_",
        "upstream_trailer_",
        "upstream_cookie_",
        "cookie_",
        "arg_",
        "ssl_",
        "geoip_",
        "geoip2_",
        "jwt_",
        "proxy_",
        "proxy_protocol_",
    ];
    let known = FAMILIES
        .iter()
        .any(|family| name.len() > family.len() && name.starts_with(family));
    known.then_some(Class::Any)
}

/// The field of a variable. Where two stand in one layout the higher rank is read.
pub(in crate::format) fn field(name: &str) -> Option<(Field, u8)> {
    let found = FIELDS.iter().find(|(known, _, _)| *known == name)?;
    Some((found.1, found.2))
}

/// Variables that carry a field.
pub(in crate::format) const FIELDS: &[(&str, Field, u8)] = &[
    ("remote_addr", Field::ClientAddr, 2),
    ("http_x_real_ip", Field::ClientAddr, 1),
    ("the_real_ip", Field::ClientAddr, 1),
    ("http_x_forwarded_for", Field::ForwardedFor, 1),
    ("proxy_add_x_forwarded_for", Field::ForwardedFor, 1),
    ("http_forwarded_for", Field::ForwardedFor, 1),
    ("http_forwarded", Field::ForwardedFor, 1),
    // What CDNs say of the client, whatever proxies stand between.
    ("http_cf_connecting_ip", Field::ForwardedFor, 2),
    ("http_true_client_ip", Field::ForwardedFor, 2),
    ("http_fastly_client_ip", Field::ForwardedFor, 2),
    ("remote_user", Field::RemoteUser, 1),
    // Stamps with a zone first: the report is in the log's own zone.
    ("time_iso8601", Field::Time, 3),
    ("time_local", Field::Time, 2),
    ("msec", Field::Time, 1),
    ("request", Field::Request, 1),
    ("request_method", Field::Method, 1),
    ("request_uri", Field::Target, 2),
    ("uri", Field::Target, 1),
    ("document_uri", Field::Target, 1),
    ("args", Field::Query, 1),
    ("query_string", Field::Query, 1),
    ("server_protocol", Field::Protocol, 1),
    ("scheme", Field::Scheme, 2),
    ("http_x_forwarded_proto", Field::Scheme, 1),
    ("http_host", Field::Host, 2),
    ("host", Field::Host, 1),
    ("server_name", Field::ServerName, 1),
    ("status", Field::Status, 1),
    ("body_bytes_sent", Field::BytesSent, 2),
    ("bytes_sent", Field::BytesSent, 1),
    ("http_referer", Field::Referer, 1),
    ("http_user_agent", Field::UserAgent, 1),
    ("http_cookie", Field::Cookie, 1),
    ("request_time", Field::Duration, 1),
    ("upstream_addr", Field::UpstreamAddr, 1),
    ("proxy_upstream_name", Field::UpstreamName, 1),
    ("upstream_name", Field::UpstreamName, 1),
    ("upstream_status", Field::UpstreamStatus, 1),
    ("upstream_connect_time", Field::UpstreamConnectTime, 1),
    ("upstream_header_time", Field::UpstreamHeaderTime, 1),
    ("upstream_response_time", Field::UpstreamResponseTime, 1),
    ("upstream_bytes_received", Field::UpstreamBytesReceived, 1),
    ("upstream_response_length", Field::UpstreamResponseLength, 1),
    (
        "upstream_http_content_length",
        Field::UpstreamContentLength,
        1,
    ),
    ("upstream_cache_status", Field::CacheStatus, 1),
    ("connection", Field::Connection, 1),
    ("request_id", Field::RequestId, 2),
    ("req_id", Field::RequestId, 1),
    ("http_x_request_id", Field::RequestId, 1),
    ("sent_http_retry_after", Field::RetryAfter, 2),
    ("upstream_http_retry_after", Field::RetryAfter, 1),
];

/// What nghttpx has names of its own for. No keys of JSON logs, which it does not write.
const NGHTTPX: &[(&str, Field, u8)] = &[
    ("backend_host", Field::UpstreamServer, 1),
    ("path", Field::Target, 2),
    ("path_without_query", Field::Target, 1),
    ("protocol_version", Field::Protocol, 1),
    ("method", Field::Method, 1),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_end_where_nginx_ends_them() {
        assert_eq!(variable_name("$status:x", 0), Ok(("status", 7)));
        assert_eq!(variable_name("a${uri}b", 1), Ok(("uri", 7)));
        assert_eq!(variable_name("a $ b", 2).unwrap_err().at, 2);
        assert_eq!(variable_name("${uri", 0).unwrap_err().at, 0);
        assert_eq!(variable_name("${}", 0).unwrap_err().at, 0);
    }

    #[test]
    fn unknown_variables_are_warned_of_where_they_stand() {
        let (_, warnings) = items("$status $made_up [$http_x_y] $ssl_protocol").unwrap();
        assert_eq!(
            warnings,
            [Warning {
                at: 8,
                name: "$made_up".to_owned()
            }]
        );
    }
}
