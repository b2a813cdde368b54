//! What a value of each field may look like. Used to find where a value ends, and to leave alone what only has the
//! name of a field.

use model::Field;

use super::time::parse_time;

/// The shape of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    /// Anything.
    Any,
    /// Anything without a blank.
    Word,
    /// Anything without a quote.
    Plain,
    /// A host, with or without port: no blank, slash or quote.
    Host,
    /// One number, or `-`, or nothing.
    Number,
    /// A status, or `-`.
    Status,
    /// A stamp that we read.
    Time,
    /// nginx's list of numbers, one for each attempt.
    Numbers,
    /// The same of statuses.
    Statuses,
    /// The same of addresses.
    Addrs,
    /// nginx's `$upstream_cache_status` and its relatives: one word.
    Cache,
    /// Blanks that fill a value up, or none.
    Blanks,
    /// A header that HAProxy captured: what it is shows in its shape.
    Captured,
    /// HAProxy's captured headers in braces, `{a|b} {c} `, with the blank behind them; nothing where none is captured.
    Captures,
}

impl Class {
    /// The shape of `field`.
    pub(super) const fn of(field: Field) -> Self {
        match field {
            Field::Time => Self::Time,
            Field::Status => Self::Status,
            Field::ProxyStatus => Self::Word,
            Field::BytesSent
            | Field::Duration
            | Field::DurationMillis
            | Field::DurationMicros
            | Field::DurationNanos
            | Field::QueueMillis
            | Field::ConnectMillis
            | Field::ResponseMillis
            | Field::AttemptCount
            | Field::ConnectionOpened
            | Field::Connection => Self::Number,
            Field::OriginStatus => Self::Status,
            Field::UpstreamStatus => Self::Statuses,
            Field::UpstreamConnectTime
            | Field::UpstreamHeaderTime
            | Field::UpstreamResponseTime
            | Field::UpstreamBytesReceived
            | Field::UpstreamContentLength
            | Field::UpstreamResponseLength => Self::Numbers,
            Field::UpstreamAddr => Self::Addrs,
            Field::CacheStatus => Self::Cache,
            Field::Host | Field::ServerName => Self::Host,
            Field::ClientAddr
            | Field::Method
            | Field::Protocol
            | Field::Scheme
            | Field::UpstreamName
            | Field::ErrorLogId
            | Field::RequestId
            | Field::Handler
            | Field::TerminationState
            | Field::Retries
            | Field::UpstreamServer
            | Field::UpstreamLocalAddr
            | Field::ResponseFlags
            | Field::ResultCode
            | Field::FinishStatus
            | Field::Hierarchy
            | Field::ErrorCode
            | Field::Handling
            | Field::Side
            | Field::Rule
            | Field::WatchesClient
            | Field::TransformedFrom
            | Field::ConnectionStatus => Self::Word,
            Field::ForwardedFor
            | Field::RemoteUser
            | Field::Request
            | Field::Target
            | Field::Query
            | Field::Referer
            | Field::UserAgent
            | Field::RetryAfter
            | Field::UpstreamError
            | Field::UpstreamTlsError
            | Field::ResponseCodeDetails
            | Field::TerminationDetails
            | Field::ErrorDetail
            | Field::Via
            | Field::ResponseReason
            | Field::BackendOpen
            | Field::ProxyStatusHeader
            | Field::ServerHeader
            | Field::Cookie => Self::Any,
        }
    }

    /// Whether `text` can be such a value.
    pub(super) fn admits(self, text: &[u8]) -> bool {
        match self {
            Self::Any | Self::Captured => true,
            Self::Captures => {
                let text = text.trim_ascii_end();
                text.is_empty() || text.starts_with(b"{") && text.ends_with(b"}")
            }
            Self::Word => !text.contains(&b' '),
            Self::Plain => !text.contains(&b'"'),
            Self::Host => !text.iter().any(|byte| matches!(byte, b' ' | b'/' | b'"')),
            Self::Number => is_number(text),
            Self::Status => is_status(text),
            Self::Time => parse_time(text).is_some(),
            Self::Numbers => each(text, is_number),
            Self::Statuses => each(text, |part| part.is_empty() || is_status(part)),
            Self::Addrs => each(text, is_upstream),
            Self::Cache => text
                .iter()
                .all(|byte| byte.is_ascii_alphabetic() || matches!(*byte, b'-' | b'_')),
            Self::Blanks => text.iter().all(|byte| *byte == b' '),
        }
    }

    /// Whether a value may hold `byte`. Decides where a value ends that no literal follows.
    pub(super) const fn may_hold(self, byte: u8) -> bool {
        match self {
            Self::Any | Self::Time | Self::Addrs | Self::Captured | Self::Captures => true,
            Self::Word => byte != b' ',
            Self::Plain => byte != b'"',
            Self::Host => !matches!(byte, b' ' | b'/' | b'"'),
            Self::Number => matches!(byte, b'0'..=b'9' | b'.' | b'-'),
            Self::Status => matches!(byte, b'0'..=b'9' | b'-'),
            Self::Numbers | Self::Statuses => {
                matches!(byte, b'0'..=b'9' | b'.' | b'-' | b',' | b':' | b' ')
            }
            Self::Cache => matches!(byte, b'A'..=b'Z' | b'-'),
            Self::Blanks => byte == b' ',
        }
    }

    /// Whether a blank rules a value out, so that looking further is no use.
    pub(super) const fn ends_at_blank(self) -> bool {
        match self {
            Self::Word | Self::Host | Self::Number | Self::Status | Self::Cache => true,
            Self::Any
            | Self::Plain
            | Self::Time
            | Self::Numbers
            | Self::Statuses
            | Self::Addrs
            | Self::Blanks
            | Self::Captured
            | Self::Captures => false,
        }
    }
}

/// One to three digits: nginx pads `009`, a JSON encoder does not. `-` and HAProxy's `-1` where no answer was made.
pub(super) fn is_status(text: &[u8]) -> bool {
    matches!(text, b"-" | b"-1")
        || (1..=3).contains(&text.len()) && text.iter().all(u8::is_ascii_digit)
}

/// Digits with or without a fraction, `-`, or nothing: an edge writes both where it has no number.
pub(super) fn is_number(text: &[u8]) -> bool {
    if text.is_empty() || text == b"-" {
        return true;
    }
    let digits = text.strip_prefix(b"-").unwrap_or(text);
    let mut points = 0;
    let all = digits.iter().all(|byte| {
        points += usize::from(*byte == b'.');
        byte.is_ascii_digit() || *byte == b'.' && points == 1
    });
    all && digits.first().is_some_and(u8::is_ascii_digit)
        && digits.last().is_some_and(u8::is_ascii_digit)
}

/// A single upstream: an address, a unix socket, a group's name, `-`, or nothing.
fn is_upstream(text: &[u8]) -> bool {
    !text
        .iter()
        .any(|byte| matches!(byte, b' ' | b',' | b'"' | b'=' | b'(' | b')' | b';'))
}

/// Whether every part of an nginx list is one: `, ` between attempts, ` : ` between groups.
fn each(text: &[u8], is_part: impl Fn(&[u8]) -> bool) -> bool {
    let mut rest = text;
    loop {
        let end = rest
            .iter()
            .position(|byte| matches!(byte, b',' | b' '))
            .unwrap_or(rest.len());
        let (part, more) = rest.split_at(end);
        if !is_part(part) {
            return false;
        }
        rest = match more {
            [] => return true,
            [b',', b' ', more @ ..] | [b' ', b':', b' ', more @ ..] => more,
            [b',', more @ ..] => more,
            _ => return false,
        };
        if rest.is_empty() {
            return false;
        }
    }
}

/// `10.0.0.1`, `10.0.0.1:4711`, `2001:db8::1`, `[2001:db8::1]:80`.
pub(crate) fn is_address(text: &[u8]) -> bool {
    if let [b'[', inner @ ..] = text {
        let end = inner.iter().position(|byte| *byte == b']');
        return end.and_then(|end| inner.get(..end)).is_some_and(is_ipv6);
    }
    is_ipv4(text) || is_ipv6(text)
}

/// Four numbers of up to three digits, perhaps a port.
fn is_ipv4(text: &[u8]) -> bool {
    let (mut dots, mut digits) = (0, 0);
    for (at, byte) in text.iter().enumerate() {
        match byte {
            b'0'..=b'9' if digits < 3 => digits += 1,
            b'.' if digits > 0 && dots < 3 => (dots, digits) = (dots + 1, 0),
            b':' if digits > 0 && dots == 3 => {
                return text[at + 1..].iter().all(u8::is_ascii_digit);
            }
            _ => return false,
        }
    }
    dots == 3 && digits > 0
}

fn is_ipv6(text: &[u8]) -> bool {
    let address = text.split(|byte| *byte == b'%').next().unwrap_or(text);
    let colons = address.iter().filter(|byte| **byte == b':').count();
    (2..=8).contains(&colons)
        && address
            .iter()
            .all(|byte| byte.is_ascii_hexdigit() || matches!(byte, b':' | b'.'))
}

/// A host's name, with or without port. An IP address is none.
pub(super) fn is_host_name(text: &[u8]) -> bool {
    let name = match text.iter().position(|byte| *byte == b':') {
        Some(colon) if text[colon + 1..].iter().all(u8::is_ascii_digit) => &text[..colon],
        Some(_) => return false,
        None => text,
    };
    name.iter()
        .any(|byte| byte.is_ascii_alphabetic() || *byte == b'_')
        && name
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_' | b'*'))
}

/// Addresses as X-Forwarded-For lists them; `-` and nothing where there was none.
pub(super) fn is_forwarded_for(text: &[u8]) -> bool {
    text.is_empty()
        || text == b"-"
        || text
            .split(|byte| *byte == b',')
            .map(<[u8]>::trim_ascii)
            .all(|part| is_address(part) || part == b"unknown" || part == b"-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_attempts_are_whole_or_nothing() {
        for list in ["502, 200", "502 : 200", "-, 502 : 200", "-", "200", ""] {
            assert!(Class::Statuses.admits(list.as_bytes()), "{list}");
        }
        for list in ["502,", "502, ", "502 200", "502 :", "GET", "12345"] {
            assert!(!Class::Statuses.admits(list.as_bytes()), "{list}");
        }
        assert!(Class::Addrs.admits(b"10.0.0.1:80, [2001:db8::1]:80 : unix:/run/a.sock"));
        assert!(Class::Numbers.admits(b"0.001, - : 12"));
    }

    #[test]
    fn addresses_and_names_are_told_apart() {
        for address in [
            "192.0.2.1",
            "192.0.2.1:80",
            "2001:db8::1",
            "::1",
            "[::1]:80",
            "fe80::1%eth0",
        ] {
            assert!(is_address(address.as_bytes()), "{address}");
            assert!(!is_host_name(address.as_bytes()), "{address}");
        }
        for name in [
            "example.com",
            "www.example.com:443",
            "localhost",
            "_",
            "xn--bcher-kva.example",
        ] {
            assert!(is_host_name(name.as_bytes()), "{name}");
            assert!(!is_address(name.as_bytes()), "{name}");
        }
        for neither in ["2025-12-31T18:22:06+01:00", "-", "", "a b"] {
            assert!(!is_host_name(neither.as_bytes()), "{neither}");
            assert!(!is_address(neither.as_bytes()), "{neither}");
        }
    }
}
