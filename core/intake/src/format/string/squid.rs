//! Squid's `logformat`: `%`, modifiers, an argument in braces, a code.
//!
//! Source: squid src/format/Token.cc (codes, modifiers) and src/cf.data.pre (`logformat`).

use model::Field;

use super::{FormatError, Item, Warning};
use crate::format::value::Class;

/// The layouts that Squid has built in.
const BUILT_IN: [(&str, &str); 3] = [
    (
        "squid",
        "%ts.%03tu %6tr %>a %Ss/%03>Hs %<st %rm %ru %[un %Sh/%<a %mt",
    ),
    (
        "common",
        r#"%>a %[ui %[un [%tl] "%rm %ru HTTP/%rv" %>Hs %<st %Ss:%Sh"#,
    ),
    (
        "combined",
        r#"%>a %[ui %[un [%tl] "%rm %ru HTTP/%rv" %>Hs %<st "%{Referer}>h" "%{User-Agent}>h" %Ss:%Sh"#,
    ),
];

/// Takes a format string apart.
pub(super) fn items(text: &str) -> Result<(Vec<Item>, Vec<Warning>), FormatError> {
    let built_in = BUILT_IN.iter().find(|(name, _)| *name == text.trim());
    let text = built_in.map_or(text, |(_, text)| text);
    let mut items = Vec::new();
    let mut warnings = Vec::new();
    let mut at = 0;
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        if !rest.starts_with('%') {
            let len = rest.chars().next().map_or(1, char::len_utf8);
            items.extend(rest.bytes().take(len).map(Item::literal));
            at += len;
            continue;
        }
        if rest.starts_with("%%") {
            items.push(Item::literal(b'%'));
            at += 2;
            continue;
        }
        let code = Code::read(rest).ok_or(FormatError {
            at,
            reason: "`%` without a format code",
        })?;
        if !code.push(&mut items) {
            warnings.push(Warning {
                at,
                name: rest.get(..code.len).unwrap_or_default().to_owned(),
            });
            items.push(Item::value(None, Class::Any, 0));
        }
        at += code.len;
    }
    Ok((join_request(items), warnings))
}

/// One format code with what belongs to it.
struct Code<'text> {
    name: &'text str,
    argument: &'text str,
    /// Blanks are put before the value where it is shorter than asked for.
    is_padded: bool,
    len: usize,
}

impl<'text> Code<'text> {
    /// Reads the code at the begin of `text`.
    fn read(text: &'text str) -> Option<Self> {
        let after = text.strip_prefix('%')?;
        // How the value is to be quoted.
        let rest = after.trim_start_matches(['"', '[', '\'', '#', '/']);
        let rest = rest.strip_prefix('-').unwrap_or(rest);
        let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let (width, rest) = rest.split_at(digits);
        let rest = match rest.strip_prefix('.') {
            Some(more) if !width.is_empty() || more.starts_with(|c: char| c.is_ascii_digit()) => {
                more.trim_start_matches(|c: char| c.is_ascii_digit())
            }
            _ => rest,
        };
        let (before, rest) = argument(rest);
        let named = rest
            .strip_prefix("http::")
            .map_or(rest, |without_space| without_space);
        let name = named
            .get(..name_len(named))
            .filter(|name| !name.is_empty())?;
        let (behind, rest) = argument(named.get(name.len()..)?);
        Some(Self {
            name,
            argument: before.or(behind).unwrap_or_default(),
            is_padded: !width.is_empty() && !width.starts_with('0'),
            len: text.len() - rest.len(),
        })
    }

    /// Adds what it prints; `false` for a code that is not known.
    fn push(&self, items: &mut Vec<Item>) -> bool {
        if self.is_padded {
            items.push(Item::value(None, Class::Blanks, 0));
        }
        items.push(match self.name {
            "ts" => Item::Stamp("1795332333".to_owned()),
            "tu" => Item::Stamp("652".to_owned()),
            "tS" => Item::Stamp("1795332333.652".to_owned()),
            "tl" | "tg" if self.argument.is_empty() => {
                Item::Stamp("22/Nov/2026:07:25:33 +0000".to_owned())
            }
            "tl" | "tg" => Item::Stamp(super::apache::strftime(self.argument).unwrap_or_default()),
            name => match field(name, self.argument) {
                Some((Some(field), rank)) => Item::value(Some(field), Class::of(field), rank),
                Some((None, _)) => Item::value(None, class(name), 0),
                None => return false,
            },
        });
        true
    }
}

/// `{...}` at the begin of `text`, and what follows.
fn argument(text: &str) -> (Option<&str>, &str) {
    text.strip_prefix('{')
        .and_then(|inner| inner.split_once('}'))
        .map_or((None, text), |(argument, rest)| (Some(argument), rest))
}

/// Length of the longest code that `text` begins with; of an unknown one, its letters.
fn name_len(text: &str) -> usize {
    let known = CODES
        .iter()
        .filter(|code| text.starts_with(**code))
        .map(|code| code.len())
        .max();
    let letter = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | ':' | '<' | '>');
    known.unwrap_or_else(|| text.len() - text.trim_start_matches(letter).len())
}

/// Every code. Squid takes the longest that fits.
const CODES: [&str; 87] = [
    ">a",
    ">A",
    ">p",
    ">eui",
    "<a",
    "<A",
    "<p",
    "<la",
    "<lp",
    ">la",
    ">lp",
    "la",
    "lp",
    ">qos",
    "<qos",
    ">nfmark",
    "<nfmark",
    "ts",
    "tu",
    "tl",
    "tg",
    "tr",
    "tS",
    "dt",
    "tt",
    "<tt",
    "<pt",
    ">rm",
    "<rm",
    "rm",
    ">ru",
    "<ru",
    "ru",
    ">rs",
    "<rs",
    ">rd",
    "<rd",
    ">rP",
    "<rP",
    "rP",
    ">rp",
    "<rp",
    "rp",
    ">rv",
    "<rv",
    "rv",
    ">h",
    "<h",
    ">ha",
    "<ha",
    "h",
    ">Hs",
    "<Hs",
    "Hs",
    "<bs",
    ">st",
    "<st",
    "st",
    ">sh",
    "<sh",
    ">sH",
    "<sH",
    "un",
    "ul",
    "ue",
    "us",
    "ui",
    "ea",
    "et",
    "mt",
    "Ss",
    "Sh",
    "sn",
    "so",
    "note",
    "err_code",
    "err_detail",
    "master_xaction",
    "credentials",
    "busy_time",
    "ssl::",
    "tls::",
    "icap::",
    "adapt::",
    "transport::",
    "proxy_protocol::",
    "request_attempts",
];

/// The field behind a code, with its rank among several of one field; `None` where the code is not known.
fn field(name: &str, argument: &str) -> Option<(Option<Field>, u8)> {
    let field = match name {
        ">a" => (Field::ClientAddr, 2),
        ">A" => (Field::ClientAddr, 1),
        "un" => (Field::RemoteUser, 2),
        "ul" | "ue" | "us" => (Field::RemoteUser, 1),
        "rm" | ">rm" => (Field::Method, 1),
        // What the client asked for goes before what it was rewritten to.
        ">ru" => (Field::Target, 4),
        "ru" => (Field::Target, 3),
        ">rp" => (Field::Target, 2),
        "rp" => (Field::Target, 1),
        ">rs" => (Field::Scheme, 1),
        ">rd" => (Field::Host, 1),
        "rv" | ">rv" => (Field::Protocol, 1),
        ">Hs" | "Hs" => (Field::Status, 1),
        "<Hs" => (Field::OriginStatus, 1),
        "<st" | "st" => (Field::BytesSent, 1),
        "tr" => (Field::DurationMillis, 1),
        "<a" => (Field::UpstreamAddr, 1),
        "<A" => (Field::UpstreamServer, 1),
        "<bs" => (Field::UpstreamBytesReceived, 1),
        "Ss" => (Field::ResultCode, 1),
        "Sh" => (Field::Hierarchy, 1),
        "err_code" => (Field::ErrorCode, 1),
        "err_detail" => (Field::ErrorDetail, 1),
        "master_xaction" => (Field::ErrorLogId, 1),
        "request_attempts" => (Field::AttemptCount, 1),
        ">h" | ">ha" => return Some(request_header(argument)),
        "<h" => return Some(reply_header(argument)),
        _ => return CODES.contains(&name).then_some((None, 0)),
    };
    Some((Some(field.0), field.1))
}

fn request_header(name: &str) -> (Option<Field>, u8) {
    let field = match name.to_ascii_lowercase().as_str() {
        "user-agent" => Field::UserAgent,
        "referer" => Field::Referer,
        "host" => return (Some(Field::Host), 2),
        "x-forwarded-for" => Field::ForwardedFor,
        "x-forwarded-proto" => return (Some(Field::Scheme), 2),
        "x-request-id" => Field::RequestId,
        "cookie" => Field::Cookie,
        _ => return (None, 0),
    };
    (Some(field), 1)
}

fn reply_header(name: &str) -> (Option<Field>, u8) {
    let field = match name.to_ascii_lowercase().as_str() {
        "content-length" => Field::UpstreamContentLength,
        "retry-after" => Field::RetryAfter,
        "via" => Field::Via,
        "x-transformed-from" => Field::TransformedFrom,
        _ => return (None, 0),
    };
    (Some(field), 1)
}

/// The shape of a value that carries no field of ours.
fn class(name: &str) -> Class {
    match name {
        ">p" | "<p" | "lp" | ">lp" | "<lp" | "rP" | ">rP" | "<rP" | "dt" | "tt" | "<tt" | "<pt"
        | ">st" | ">sh" | "<sh" | "<sH" | ">sH" | "sn" => Class::Number,
        "la" | ">la" | "<la" | "ui" => Class::Word,
        _ => Class::Any,
    }
}

/// `"%rm %ru HTTP/%rv"` is a request line: one value, so that quotes and blanks inside it do no harm.
fn join_request(items: Vec<Item>) -> Vec<Item> {
    let is = |item: Option<&Item>, wanted: Field| matches!(item, Some(Item::Value { field: Some(field), .. }) if *field == wanted);
    let text = |from: usize, wanted: &[u8]| {
        let found = items.get(from..from + wanted.len());
        found.is_some_and(|found| {
            (found.iter().zip(wanted))
                .all(|(item, byte)| matches!(item, Item::Literal(other) if other == byte))
        })
    };
    // Method, blank, target, ` HTTP/`, version.
    let starts_at = |at: usize| {
        is(items.get(at), Field::Method)
            && text(at + 1, b" ")
            && is(items.get(at + 2), Field::Target)
            && text(at + 3, b" HTTP/")
            && is(items.get(at + 9), Field::Protocol)
    };
    let mut joined = Vec::with_capacity(items.len());
    let mut at = 0;
    while let Some(item) = items.get(at) {
        if starts_at(at) {
            joined.push(Item::value(Some(Field::Request), Class::Any, 1));
            at += 10;
        } else {
            joined.push(item.clone());
            at += 1;
        }
    }
    joined
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn codes_are_read_with_their_modifiers() {
        for (text, name, argument, is_padded) in [
            ("%03>Hs", ">Hs", "", false),
            ("%6tr", "tr", "", true),
            ("%-6tr", "tr", "", true),
            ("%[un", "un", "", false),
            ("%\"{User-Agent}>h", ">h", "User-Agent", false),
            ("%{User-Agent}>h", ">h", "User-Agent", false),
            ("%>h{User-Agent}", ">h", "User-Agent", false),
            ("%http::<st", "<st", "", false),
            ("%.3tu", "tu", "", false),
            ("%err_detail", "err_detail", "", false),
            ("%<sH", "<sH", "", false),
        ] {
            let code = Code::read(text).unwrap();
            assert_eq!(
                (code.name, code.argument, code.is_padded, code.len),
                (name, argument, is_padded, text.len()),
                "{text}"
            );
        }
    }

    #[test]
    fn an_unknown_code_is_warned_of() {
        let (_, warnings) = items("%>Hs %zz").unwrap();
        assert_eq!(warnings[0].name, "%zz");
        assert!(items("% ").is_err());
    }
}
