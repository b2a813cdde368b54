//! Envoy's access-log format strings: `%OPERATOR(arguments):length%`.
//!
//! Source: envoy `docs/root/configuration/advanced/substitution_formatter.rst` 022249fcaa34. Operators of extensions are
//! skipped like those that carry no field of ours.
//!
//! Envoy escapes nothing in text. So that a client cannot write what the edge says, only the agent may hold quotes, and
//! only it and what the edge takes from other headers may hold blanks.

use model::Field;

use super::{FormatError, Item, Warning, apache};
use crate::format::value::Class;

/// Takes a format string apart.
pub(super) fn items(text: &str) -> Result<(Vec<Item>, Vec<Warning>), FormatError> {
    let mut items = Vec::new();
    let mut warnings = Vec::new();
    let mut at = 0;
    // The line end that the file format asks for is no part of a line.
    let text = text.trim_end_matches(['\n', '\r']);
    let text = text.strip_suffix("\\n").unwrap_or(text);
    while let Some(byte) = text.as_bytes().get(at) {
        if *byte != b'%' {
            items.push(Item::literal(*byte));
            at += 1;
            continue;
        }
        if text[at..].starts_with("%%") {
            items.push(Item::literal(b'%'));
            at += 2;
            continue;
        }
        let operator = Operator::read(text, at)?;
        if !operator.is_known_shape() {
            let name = text[at..operator.end].to_owned();
            warnings.push(Warning { at, name });
        }
        items.push(operator.item());
        at = operator.end;
    }
    Ok((items, warnings))
}

/// `%REQ(X-FORWARDED-FOR?:PATH):64%`: name, what stands in brackets, and where it ends.
struct Operator<'a> {
    name: &'a str,
    argument: &'a str,
    end: usize,
}

impl<'a> Operator<'a> {
    fn read(text: &'a str, start: usize) -> Result<Self, FormatError> {
        let error = |reason| FormatError { at: start, reason };
        let rest = text.get(start + 1..).unwrap_or_default();
        let len = rest
            .find(['(', ':', '%'])
            .ok_or(error("`%` without the `%` that ends an operator"))?;
        let (name, behind) = rest.split_at(len);
        // A bracket in the argument (a pattern of CEL) is closed before the operator's own.
        let (argument, behind) = match behind.strip_prefix('(') {
            Some(inner) => {
                let close = [")%", "):"]
                    .into_iter()
                    .filter_map(|end| inner.find(end))
                    .min()
                    .ok_or(error("`(` without `)`"))?;
                (&inner[..close], &inner[close + 1..])
            }
            None => ("", behind),
        };
        let end = behind
            .find('%')
            .ok_or(error("`%` without the `%` that ends an operator"))?;
        Ok(Self {
            name,
            argument,
            end: text.len() - behind.len() + end + 1,
        })
    }

    fn is_known_shape(&self) -> bool {
        let is_part = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
        !self.name.is_empty() && self.name.bytes().all(is_part)
    }

    fn item(&self) -> Item {
        if matches!(self.name, "START_TIME" | "START_TIME_LOCAL") && !self.argument.is_empty() {
            return stamp(self.argument);
        }
        match self.field() {
            Some((field, rank)) => Item::value(Some(field), class(field), rank),
            None => Item::value(None, self.other_class(), 0),
        }
    }

    /// The field behind it, with its rank among several of one field.
    fn field(&self) -> Option<(Field, u8)> {
        Some(match self.name {
            "REQ" | "REQ_WITHOUT_QUERY" | "REQUEST_HEADER" => {
                return self.argument.split('?').find_map(request_header);
            }
            "RESP" | "RESPONSE_HEADER" => {
                return self.argument.split('?').find_map(response_header);
            }
            "START_TIME" => (Field::Time, 2),
            "EMIT_TIME" => (Field::Time, 1),
            "PATH" => (Field::Target, 2),
            "QUERY_PARAMS" => (Field::Query, 1),
            "PROTOCOL" => (Field::Protocol, 1),
            "RESPONSE_CODE" => (Field::Status, 1),
            "RESPONSE_FLAGS" => (Field::ResponseFlags, 2),
            "RESPONSE_FLAGS_LONG" => (Field::ResponseFlags, 1),
            "RESPONSE_CODE_DETAILS" => (Field::ResponseCodeDetails, 1),
            "CONNECTION_TERMINATION_DETAILS" => (Field::TerminationDetails, 1),
            "UPSTREAM_TRANSPORT_FAILURE_REASON" => (Field::UpstreamError, 1),
            "BYTES_SENT" => (Field::BytesSent, 1),
            "DURATION" => (Field::DurationMillis, 1),
            "RESPONSE_DURATION" => (Field::ResponseMillis, 1),
            "UPSTREAM_HOST" => (Field::UpstreamAddr, 2),
            "UPSTREAM_REMOTE_ADDRESS" => (Field::UpstreamAddr, 1),
            "UPSTREAM_CLUSTER" => (Field::UpstreamName, 2),
            "UPSTREAM_CLUSTER_RAW" => (Field::UpstreamName, 1),
            "UPSTREAM_LOCAL_ADDRESS" | "UPSTREAM_LOCAL_ADDRESS_WITHOUT_PORT" => {
                (Field::UpstreamLocalAddr, 1)
            }
            "UPSTREAM_REQUEST_ATTEMPT_COUNT" => (Field::AttemptCount, 1),
            "UPSTREAM_WIRE_BYTES_RECEIVED" => (Field::UpstreamBytesReceived, 1),
            "DOWNSTREAM_REMOTE_ADDRESS" | "DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT" => {
                (Field::ClientAddr, 2)
            }
            "DOWNSTREAM_DIRECT_REMOTE_ADDRESS"
            | "DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT" => (Field::ClientAddr, 1),
            "REQUESTED_SERVER_NAME" => (Field::ServerName, 1),
            "CONNECTION_ID" => (Field::Connection, 1),
            "STREAM_ID" => (Field::RequestId, 1),
            "COMMON_DURATION" if self.argument.starts_with("DS_RX_BEG:US_CX_") => {
                (Field::ConnectionOpened, 1)
            }
            _ => return None,
        })
    }

    /// The shape of a value that carries no field of ours.
    fn other_class(&self) -> Class {
        match self.name {
            "REQ" | "RESP" | "TRAILER" | "REQUEST_HEADER" | "RESPONSE_HEADER" => Class::Plain,
            name if name.ends_with("_BYTES") || name.ends_with("DURATION") => Class::Number,
            "BYTES_RECEIVED" => Class::Number,
            // Objects are printed as JSON without blanks.
            "DYNAMIC_METADATA" | "CLUSTER_METADATA" | "UPSTREAM_METADATA" | "METADATA"
            | "FILTER_STATE" => Class::Word,
            _ => Class::Plain,
        }
    }
}

/// The shape of `field` in a text that escapes nothing.
const fn class(field: Field) -> Class {
    match field {
        Field::UserAgent => Class::Any,
        Field::Target | Field::ResponseCodeDetails | Field::Query => Class::Word,
        _ => match Class::of(field) {
            Class::Any => Class::Plain,
            class => class,
        },
    }
}

/// `%REQ(name)%`. Header names are not case-sensitive.
fn request_header(name: &str) -> Option<(Field, u8)> {
    Some(match name.to_ascii_lowercase().as_str() {
        ":method" => (Field::Method, 1),
        "x-envoy-original-path" => (Field::Target, 3),
        ":path" => (Field::Target, 1),
        ":authority" => (Field::Host, 2),
        "host" => (Field::Host, 1),
        ":scheme" => (Field::Scheme, 1),
        "x-forwarded-proto" => (Field::Scheme, 2),
        "user-agent" => (Field::UserAgent, 1),
        "referer" => (Field::Referer, 1),
        "cookie" => (Field::Cookie, 1),
        "x-forwarded-for" => (Field::ForwardedFor, 1),
        "x-envoy-external-address" => (Field::ClientAddr, 3),
        "x-request-id" => (Field::RequestId, 2),
        _ => return None,
    })
}

/// `%RESP(name)%`.
fn response_header(name: &str) -> Option<(Field, u8)> {
    Some(match name.to_ascii_lowercase().as_str() {
        "x-envoy-upstream-service-time" => (Field::ResponseMillis, 2),
        "retry-after" => (Field::RetryAfter, 1),
        "via" => (Field::Via, 1),
        "proxy-status" => (Field::ProxyStatusHeader, 1),
        _ => return None,
    })
}

/// `%START_TIME(format)%`: an example of what it prints, from which the layout learns whether it can be read. Fractions
/// are `%3f`, `%f` and strptime's `%E3S`.
fn stamp(format: &str) -> Item {
    const DIGITS: &str = "000000000";
    let mut text = format.replace("%E*S", "%S.000");
    for (count, digits) in ["1", "2", "3", "4", "5", "6", "7", "8", "9"]
        .iter()
        .zip(1..)
    {
        let zeros = &DIGITS[..digits];
        text = text.replace(&format!("%{count}f"), zeros);
        text = text.replace(&format!("%E{count}S"), &format!("%S.{zeros}"));
        text = text.replace(&format!("%E{count}f"), zeros);
    }
    let text = text.replace("%f", DIGITS).replace("%Ez", "+00:00");
    Item::Stamp(apache::strftime(&text).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operators_are_read_with_arguments_and_lengths() {
        for (text, name, argument) in [
            ("%PROTOCOL%", "PROTOCOL", ""),
            ("%REQ(:METHOD)%", "REQ", ":METHOD"),
            (
                "%REQ(X-ENVOY-ORIGINAL-PATH?:PATH):64%",
                "REQ",
                "X-ENVOY-ORIGINAL-PATH?:PATH",
            ),
            ("%START_TIME(%s.%3f)%", "START_TIME", "%s.%3f"),
            (
                "%DYNAMIC_METADATA(com.test.my_filter:test_key)%",
                "DYNAMIC_METADATA",
                "com.test.my_filter:test_key",
            ),
            ("%CEL(request.size()):9%", "CEL", "request.size("),
        ] {
            let operator = Operator::read(text, 0).unwrap();
            let end = if name == "CEL" {
                operator.end
            } else {
                text.len()
            };
            assert_eq!((operator.name, operator.end), (name, end), "{text}");
            assert!(operator.argument.starts_with(argument), "{text}");
        }
        for text in ["%", "%PROTOCOL", "%REQ(:METHOD", "%REQ(:METHOD)"] {
            assert!(Operator::read(text, 0).is_err(), "{text}");
        }
    }

    #[test]
    fn stamps_of_all_fractions_have_an_example() {
        for (format, example) in [
            ("%Y-%m-%dT%H:%M:%S.%3fZ", "2026-11-22T07:25:33.000Z"),
            ("%Y-%m-%dT%H:%M:%E3SZ", "2026-11-22T07:25:33.000Z"),
            ("%s.%3f", "1795332333.000"),
            (
                "%Y/%m/%dT%H:%M:%S%z %s",
                "2026/11/22T07:25:33+0000 1795332333",
            ),
        ] {
            match stamp(format) {
                Item::Stamp(text) => assert_eq!(text, example),
                _ => panic!("{format} is no stamp"),
            }
        }
    }
}
