//! Traffic Server's format strings of logging.yaml: `%<symbol>`, `%<{Header}container>`.
//!
//! Source: trafficserver src/proxy/logging/Log.cc (symbols), LogField.cc (containers, slices).

use model::Field;

use super::{FormatError, Item, Warning};
use crate::format::value::Class;

/// Takes a format string apart.
pub(super) fn items(text: &str) -> Result<(Vec<Item>, Vec<Warning>), FormatError> {
    let mut items = Vec::new();
    let mut warnings = Vec::new();
    let mut at = 0;
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        let Some(open) = rest.strip_prefix("%<") else {
            items.extend(rest.bytes().next().map(Item::literal));
            // Letter by letter, whatever the encoding.
            let len = rest.chars().next().map_or(1, char::len_utf8);
            items.extend(rest.bytes().take(len).skip(1).map(Item::literal));
            at += len;
            continue;
        };
        let close = end_of(open).ok_or(FormatError {
            at,
            reason: "`%<` without `>`",
        })?;
        let symbol = open.get(..close).unwrap_or_default();
        if !push(symbol, &mut items) {
            warnings.push(Warning {
                at,
                name: format!("%<{symbol}>"),
            });
            items.push(Item::value(None, Class::Any, 0));
        }
        at += "%<".len() + close + ">".len();
    }
    Ok((items, warnings))
}

/// The `>` that closes a symbol; one inside braces is part of a header's name.
fn end_of(text: &str) -> Option<usize> {
    let from = match text.starts_with('{') {
        true => text.find('}')?,
        false => 0,
    };
    Some(from + text.get(from..)?.find('>')?)
}

/// Adds what a symbol prints; `false` for one that is not known.
fn push(symbol: &str, items: &mut Vec<Item>) -> bool {
    // A slice of a value is no longer the value.
    let (symbol, is_slice) = match symbol.split_once('[') {
        Some((symbol, _)) => (symbol, true),
        None => (symbol, false),
    };
    let symbol = symbol.trim();
    let item = match symbol {
        "cqtd" => Item::Stamp("2026-11-22".to_owned()),
        "cqtt" => Item::Stamp("07:25:33".to_owned()),
        _ => match field(symbol) {
            Some((Some(field), rank)) if !is_slice => {
                Item::value(Some(field), Class::of(field), rank)
            }
            Some(_) => Item::value(None, class(symbol), 0),
            None => return false,
        },
    };
    // The path is printed without its slash, which people put before it.
    if symbol == "cqup" || symbol == "pqup" {
        items.pop_if(|before| matches!(before, Item::Literal(b'/')));
    }
    items.push(item);
    true
}

/// The field behind a symbol, with its rank among several of one field; `None` where the symbol is not known.
fn field(symbol: &str) -> Option<(Option<Field>, u8)> {
    if let Some(rest) = symbol.strip_prefix('{') {
        let (name, container) = rest.split_once('}')?;
        return Some(header(name, container));
    }
    let field = match symbol {
        "cqtq" => (Field::Time, 3),
        "cqtn" => (Field::Time, 2),
        "cqts" => (Field::Time, 1),
        "ttms" => (Field::DurationMillis, 1),
        "ttmsf" => (Field::Duration, 2),
        "tts" => (Field::Duration, 1),
        "chi" => (Field::ClientAddr, 2),
        "chiv" | "pps" => (Field::ClientAddr, 3),
        "caun" => (Field::RemoteUser, 1),
        "cqtx" => (Field::Request, 1),
        "cqhm" => (Field::Method, 1),
        // What the client asked for goes before what it was mapped to.
        "cquuc" => (Field::Target, 4),
        "cquup" => (Field::Target, 3),
        "cquc" | "pquc" => (Field::Target, 2),
        "cqup" | "pqup" | "cqu" | "pqu" => (Field::Target, 1),
        "cquuh" => (Field::Host, 3),
        "cqus" | "pqus" => (Field::Scheme, 1),
        "cqhv" | "cqpv" => (Field::Protocol, 1),
        "pssc" => (Field::Status, 1),
        "sssc" => (Field::OriginStatus, 1),
        "pscl" => (Field::BytesSent, 2),
        "psql" => (Field::BytesSent, 1),
        "crc" => (Field::ResultCode, 1),
        "pfsc" => (Field::FinishStatus, 1),
        "phr" => (Field::Hierarchy, 1),
        "nhi" => (Field::UpstreamAddr, 3),
        "shi" => (Field::UpstreamAddr, 2),
        "shn" => (Field::UpstreamAddr, 1),
        "prrp" => (Field::ResponseReason, 1),
        "sca" => (Field::Retries, 1),
        "cruuid" | "crid" => (Field::RequestId, 1),
        _ => return is_known(symbol).then_some((None, 0)),
    };
    Some((Some(field.0), field.1))
}

/// `%<{Name}cqh>`: a header of the client's request (`cqh`), of the answer (`psh`), of the origin's answer (`ssh`).
fn header(name: &str, container: &str) -> (Option<Field>, u8) {
    let name = name.to_ascii_lowercase();
    let field = match (container, name.as_str()) {
        ("cqh", "user-agent") => (Field::UserAgent, 1),
        ("cqh", "referer") => (Field::Referer, 1),
        ("cqh", "host") => (Field::Host, 2),
        ("cqh", "x-forwarded-for") => (Field::ForwardedFor, 1),
        ("cqh", "x-forwarded-proto") => (Field::Scheme, 2),
        ("cqh", "x-request-id") => (Field::RequestId, 2),
        ("cqh", "cookie") => (Field::Cookie, 1),
        ("psh", "retry-after") => (Field::RetryAfter, 2),
        ("ssh", "retry-after") => (Field::RetryAfter, 1),
        ("ssh", "content-length") => (Field::UpstreamContentLength, 2),
        ("psh", "content-length") => (Field::UpstreamContentLength, 1),
        ("ssh", "via") => (Field::Via, 2),
        ("psh", "via") => (Field::Via, 1),
        _ => return (None, 0),
    };
    (Some(field.0), field.1)
}

/// Other symbols: three to six lower-case letters that begin as theirs do.
fn is_known(symbol: &str) -> bool {
    const BEGINNINGS: [&str; 7] = ["c", "p", "s", "t", "f", "n", "h"];
    (3..=7).contains(&symbol.len())
        && symbol.bytes().all(|byte| byte.is_ascii_lowercase())
        && BEGINNINGS
            .iter()
            .any(|beginning| symbol.starts_with(beginning))
}

/// The shape of a value that carries no field of ours.
fn class(symbol: &str) -> Class {
    match symbol {
        "chp" | "php" | "nhp" | "pqsp" | "sstc" | "sscl" | "sshl" | "pshl" | "pqhl" | "cqhl"
        | "cqcl" | "pqcl" | "stms" | "sts" | "crat" => Class::Number,
        "cfsc" | "crsc" | "phn" | "phi" | "shn" | "cqpv" | "sqpv" | "chm" | "cwr" => Class::Word,
        _ => Class::Any,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    fn fields(text: &str) -> Vec<Option<Field>> {
        let (items, _) = items(text).unwrap();
        let of = |item: &Item| match item {
            Item::Value { field, .. } => Some(*field),
            Item::Literal(_) | Item::Stamp(_) => None,
        };
        items.iter().filter_map(of).collect()
    }

    #[test]
    fn symbols_headers_and_slices_are_read() {
        assert_eq!(
            fields("%<cqtq> %<{User-Agent}cqh> %<cquuc[0:30]> %<pssc>"),
            [
                Some(Field::Time),
                Some(Field::UserAgent),
                None,
                Some(Field::Status)
            ]
        );
    }

    #[test]
    fn an_unknown_symbol_is_warned_of() {
        let (_, warnings) = items("%<pssc> %<SUM(x)>").unwrap();
        assert_eq!(warnings.len(), 1);
        assert_eq!(items("%<pssc").unwrap_err().at, 0);
    }
}
