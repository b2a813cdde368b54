//! Apache httpd's `LogFormat` strings: what its directives are.
//!
//! Source: httpd documentation, mod_log_config, "Custom Log Formats"; mod_logio for `%I`, `%O`, `%S`, `%^FB`;
//! mod_ssl for `%{...}x` and `%{...}c`.

use model::Field;

use super::{FormatError, Item, Warning};
use crate::format::value::Class;

/// The format strings that httpd's shipped configuration and Debian's give a name.
pub(in crate::format) fn nickname(name: &str) -> Option<&'static str> {
    let text = match name {
        "common" | "clf" => r#"%h %l %u %t "%r" %>s %b"#,
        "combined" => r#"%h %l %u %t "%r" %>s %b "%{Referer}i" "%{User-Agent}i""#,
        "combinedio" => r#"%h %l %u %t "%r" %>s %b "%{Referer}i" "%{User-Agent}i" %I %O"#,
        "vhost_combined" => r#"%v:%p %h %l %u %t "%r" %>s %O "%{Referer}i" "%{User-Agent}i""#,
        "vhost_common" => r#"%v %h %l %u %t "%r" %>s %b"#,
        _ => return None,
    };
    Some(text)
}

/// Cuts a format string into literals and directives.
pub(in crate::format) fn items(text: &str) -> Result<(Vec<Item>, Vec<Warning>), FormatError> {
    let mut items = Vec::new();
    let mut warnings = Vec::new();
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            b'%' => {
                let directive = Directive::read(text, at)?;
                if !directive.push(&mut items) {
                    let name = text[at..directive.end].to_owned();
                    warnings.push(Warning { at, name });
                    items.push(Item::value(None, Class::Any, 0));
                }
                at = directive.end;
            }
            b'\\' if at + 1 < bytes.len() => {
                items.push(Item::literal(match bytes[at + 1] {
                    b't' => b'\t',
                    b'n' => b'\n',
                    other => other,
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

/// `%!200,304{Referer}i`: the letter, what stands in braces, whether `>` or `<` stood before it, and its end.
struct Directive<'a> {
    letter: u8,
    argument: &'a str,
    last: bool,
    end: usize,
}

impl<'a> Directive<'a> {
    fn read(text: &'a str, start: usize) -> Result<Self, FormatError> {
        let bytes = text.as_bytes();
        let mut argument = "";
        let mut last = false;
        let mut at = start + 1;
        while let Some(&byte) = bytes.get(at) {
            match byte {
                b'>' => last = true,
                b'<' | b'!' | b',' | b'0'..=b'9' => {}
                b'{' => {
                    let close = text[at..].find('}').ok_or(FormatError {
                        at: start,
                        reason: "`%{` without `}`",
                    })?;
                    argument = &text[at + 1..at + close];
                    at += close;
                }
                // `%{name}^ti`, `%{name}^to` and `%^FB`: two letters.
                b'^' if bytes.get(at + 1..at + 3).is_some_and(|two| two.is_ascii()) => {
                    return Ok(Self {
                        letter: b'^',
                        argument,
                        last,
                        end: at + 3,
                    });
                }
                b'%' | b'a'..=b'z' | b'A'..=b'Z' => {
                    return Ok(Self {
                        letter: byte,
                        argument,
                        last,
                        end: at + 1,
                    });
                }
                _ => break,
            }
            at += 1;
        }
        Err(FormatError {
            at: start,
            reason: "`%` without the letter of a directive",
        })
    }

    /// Adds what it prints; `false` for a letter that is not known.
    fn push(&self, items: &mut Vec<Item>) -> bool {
        match (self.letter, self.argument) {
            (b'%', _) => items.push(Item::literal(b'%')),
            (b't', "") => {
                // httpd prints the brackets itself.
                items.push(Item::literal(b'['));
                items.push(Item::value(Some(Field::Time), Class::Time, 2));
                items.push(Item::literal(b']'));
            }
            (b't', format) => items.push(stamp(format)),
            _ => match self.field() {
                Some((Some(field), rank)) => {
                    items.push(Item::value(Some(field), Class::of(field), rank));
                }
                Some((None, _)) => items.push(Item::value(None, self.class(), 0)),
                None => return false,
            },
        }
        true
    }

    /// The field behind it, with its rank among several of one field; `None` where the letter is not known.
    fn field(&self) -> Option<(Option<Field>, u8)> {
        let field = match self.letter {
            b'a' if self.argument == "c" => (Field::ClientAddr, 1),
            b'a' => (Field::ClientAddr, 3),
            b'h' => (Field::ClientAddr, 2),
            b'u' => (Field::RemoteUser, 1),
            b'r' => (Field::Request, 1),
            b'm' => (Field::Method, 1),
            b'U' => (Field::Target, 1),
            b'q' => (Field::Query, 1),
            b'H' => (Field::Protocol, 1),
            b's' => (Field::Status, 1 + self.last as u8),
            b'b' | b'B' => (Field::BytesSent, 2),
            b'O' => (Field::BytesSent, 1),
            b'D' => (Field::DurationMicros, 2),
            b'T' => match self.argument {
                "us" => (Field::DurationMicros, 1),
                "ms" => (Field::DurationMillis, 1),
                _ => (Field::Duration, 1),
            },
            b'v' => (Field::ServerName, 1),
            b'V' => (Field::Host, 1),
            b'L' => (Field::ErrorLogId, 1),
            b'R' => (Field::Handler, 1),
            b'X' => (Field::ConnectionStatus, 1),
            b'i' => return Some(request_header(self.argument)),
            b'o' if self.argument.eq_ignore_ascii_case("retry-after") => (Field::RetryAfter, 1),
            b'o' if self.argument.eq_ignore_ascii_case("content-length") => {
                (Field::UpstreamContentLength, 1)
            }
            b'n' if self.argument == "proxy-status" => (Field::ProxyStatus, 1),
            b'e' => return Some(environment(self.argument)),
            b'x' => return Some(extension(self.argument)),
            b'A' | b'l' | b'f' | b'I' | b'S' | b'k' | b'p' | b'P' | b'C' | b'n' | b'o' | b'c'
            | b'^' => return Some((None, 0)),
            _ => return None,
        };
        Some((Some(field.0), field.1))
    }

    /// The shape of a value that carries no field of ours.
    const fn class(&self) -> Class {
        match self.letter {
            b'I' | b'S' | b'k' | b'p' | b'P' => Class::Number,
            b'A' | b'l' => Class::Word,
            _ => Class::Any,
        }
    }
}

/// `%{Name}i`. Header names are not case-sensitive.
fn request_header(name: &str) -> (Option<Field>, u8) {
    let field = match name.to_ascii_lowercase().as_str() {
        "user-agent" => Field::UserAgent,
        "referer" => Field::Referer,
        "host" => return (Some(Field::Host), 2),
        "x-forwarded-for" | "forwarded" => Field::ForwardedFor,
        // What CDNs say of the client, whatever proxies stand between.
        "cf-connecting-ip" | "true-client-ip" | "fastly-client-ip" => {
            return (Some(Field::ForwardedFor), 2);
        }
        "x-forwarded-proto" => Field::Scheme,
        "x-request-id" => Field::RequestId,
        "cookie" => Field::Cookie,
        _ => return (None, 0),
    };
    (Some(field), 1)
}

/// `%{NAME}e`.
fn environment(name: &str) -> (Option<Field>, u8) {
    match name {
        "UNIQUE_ID" => (Some(Field::RequestId), 2),
        "BALANCER_WORKER_NAME" => (Some(Field::UpstreamName), 1),
        _ => (None, 0),
    }
}

/// `%{name}x`: what varnishncsa and H2O add to httpd's letters
/// (<https://varnish-cache.org/docs/trunk/reference/varnishncsa.html>,
/// <https://h2o.examp1e.net/configure/access_log_directives.html>).
fn extension(name: &str) -> (Option<Field>, u8) {
    let field = match name {
        "Varnish:side" => Field::Side,
        "Varnish:handling" => return (Some(Field::Handling), 2),
        "Varnish:hitmiss" => Field::Handling,
        "Varnish:vxid" => Field::Connection,
        "Varnish:time_firstbyte" => Field::UpstreamHeaderTime,
        "VSL:RespReason" => return (Some(Field::ResponseReason), 2),
        "VSL:BerespReason" => Field::ResponseReason,
        "VSL:FetchError" => return (Some(Field::UpstreamError), 2),
        "VSL:Error" => Field::UpstreamError,
        "VSL:BackendOpen" => Field::BackendOpen,
        "error" => Field::UpstreamError,
        "connection-id" => Field::Connection,
        "duration" | "total-time" => Field::Duration,
        "proxy.connect-time" => Field::UpstreamConnectTime,
        "proxy.process-time" => Field::UpstreamHeaderTime,
        "proxy.total-time" => Field::UpstreamResponseTime,
        _ => return (None, 0),
    };
    (Some(field), 1)
}

/// `%{format}t`: an example of what it prints, from which the layout learns whether it can be read.
fn stamp(format: &str) -> Item {
    let format = format
        .strip_prefix("begin:")
        .or_else(|| format.strip_prefix("end:"))
        .unwrap_or(format);
    let example = match format {
        "" => Some("[22/Nov/2026:07:25:33 +0000]".to_owned()),
        "sec" => Some("1795332333".to_owned()),
        "msec" => Some("1795332333000".to_owned()),
        "usec" => Some("1795332333000000".to_owned()),
        "msec_frac" => Some("000".to_owned()),
        "usec_frac" => Some("000000".to_owned()),
        _ => strftime(format),
    };
    Item::Stamp(example.unwrap_or_default())
}

/// Prints 2026-11-22 07:25:33 UTC as strftime does; `None` for a conversion that is not known.
pub(super) fn strftime(format: &str) -> Option<String> {
    let mut text = String::new();
    let mut rest = format.chars();
    while let Some(c) = rest.next() {
        if c != '%' {
            text.push(c);
            continue;
        }
        text.push_str(match rest.next()? {
            'Y' => "2026",
            'm' => "11",
            'd' => "22",
            'e' => "22",
            'H' => "07",
            'M' => "25",
            'S' => "33",
            'T' => "07:25:33",
            'R' => "07:25",
            'F' => "2026-11-22",
            'D' => "11/22/26",
            'b' | 'h' => "Nov",
            'B' => "November",
            'y' => "26",
            'z' => "+0000",
            'Z' => "UTC",
            's' => "1795332333",
            'j' => "326",
            'a' => "Sun",
            'A' => "Sunday",
            'n' => "\n",
            't' => "\t",
            '%' => "%",
            _ => return None,
        });
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directives_are_read_with_their_modifiers() {
        for (text, letter, argument, last) in [
            ("%h", b'h', "", false),
            ("%>s", b's', "", true),
            ("%{User-Agent}i", b'i', "User-Agent", false),
            ("%!200,304,302{Referer}i", b'i', "Referer", false),
            ("%400,501>s", b's', "", true),
            ("%{ms}T", b'T', "ms", false),
            ("%{Foo}^ti", b'^', "Foo", false),
        ] {
            let directive = Directive::read(text, 0).unwrap();
            assert_eq!(
                (
                    directive.letter,
                    directive.argument,
                    directive.last,
                    directive.end
                ),
                (letter, argument, last, text.len()),
                "{text}"
            );
        }
        for text in ["%", "% h", "%{Foo", "%>", "%{Foo}", "%^"] {
            assert_eq!(
                Directive::read(text, 0).err().map(|error| error.at),
                Some(0),
                "{text}"
            );
        }
    }

    #[test]
    fn an_unknown_letter_is_warned_of() {
        let (_, warnings) = items("%h %W %>s").unwrap();
        assert_eq!(
            warnings,
            [Warning {
                at: 3,
                name: "%W".to_owned()
            }]
        );
    }
}
