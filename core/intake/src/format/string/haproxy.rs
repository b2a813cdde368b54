//! HAProxy's `log-format`: what its variables and samples are.
//!
//! `%ST`, `%{+Q}r`, `%[capture.req.hdr(0)]`, `%(name)ST`, with flags for one value or, by `%{+Q}o`, for all that
//! follow. Runs of blanks are one blank. Samples are named by what the operator fetches: by header, by variable, or by
//! the sample's own name. Source: HAProxy configuration manual, "Custom log format"; `src/log.c`.

use model::Field;

use super::{FormatError, Item, Warning};
use crate::format::value::Class;

/// Takes a format string apart.
pub(super) fn items(text: &str) -> Result<(Vec<Item>, Vec<Warning>), FormatError> {
    let mut reader = Reader {
        text,
        at: 0,
        flags: Flags::default(),
        items: Vec::new(),
        warnings: Vec::new(),
    };
    while reader.at < text.len() {
        reader.step()?;
    }
    if reader.flags.json {
        reader.items.push(Item::literal(b'}'));
    }
    Ok((reader.items, reader.warnings))
}

/// How values are written.
#[derive(Clone, Copy, Default)]
struct Flags {
    /// `+Q`: texts in quotes.
    quoted: bool,
    /// `+json`: the whole as an object.
    json: bool,
}

impl Flags {
    /// Flags of one pair of braces, on top of these.
    fn with(mut self, list: &str) -> Self {
        for flag in list.split(',') {
            match flag.trim() {
                "+Q" => self.quoted = true,
                "-Q" => self.quoted = false,
                "+json" => self.json = true,
                _ => {}
            }
        }
        self
    }
}

struct Reader<'text> {
    text: &'text str,
    at: usize,
    /// Of all values from here on.
    flags: Flags,
    items: Vec<Item>,
    warnings: Vec<Warning>,
}

impl<'text> Reader<'text> {
    fn rest(&self) -> &'text str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn step(&mut self) -> Result<(), FormatError> {
        let rest = self.rest();
        let bytes = rest.as_bytes();
        match bytes {
            [b'%', b'%', ..] => {
                self.literal(b'%');
                self.at += 2;
            }
            [b'%', ..] => return self.value(),
            // The string may be given as the configuration has it, without quotes around it.
            [b'\\', mark @ (b' ' | b'"' | b'\'' | b'\\' | b'#'), ..] => {
                self.literal(*mark);
                self.at += 2;
            }
            // A whole character: between the bytes of one there is no text.
            [..] => {
                let len = rest.chars().next().map_or(1, char::len_utf8);
                rest.bytes().take(len).for_each(|byte| self.literal(byte));
                self.at += len;
            }
        }
        Ok(())
    }

    /// HAProxy writes no two blanks in a row and none at the begin. In JSON it writes what separates by itself.
    fn literal(&mut self, byte: u8) {
        let is_doubled =
            byte == b' ' && matches!(self.items.last(), None | Some(Item::Literal(b' ')));
        // Captured headers bring the blank behind them: with none there is none.
        let is_theirs = byte == b' '
            && matches!(
                self.items.last(),
                Some(Item::Value {
                    class: Class::Captures,
                    ..
                })
            );
        if !(is_doubled || is_theirs || self.flags.json) {
            self.items.push(Item::literal(byte));
        }
    }

    /// `%(name){flags}variable` or `%(name){flags}[sample]`, with all but the last part optional.
    fn value(&mut self) -> Result<(), FormatError> {
        let start = self.at;
        self.at += 1;
        let name = self.enclosed('(', ')')?.unwrap_or_default();
        let name = name.split(':').next().unwrap_or_default();
        let flags = match self.enclosed('{', '}')? {
            Some(list) => self.flags.with(list),
            None => self.flags,
        };
        if self.rest().starts_with('[') {
            let sample = self.sample()?;
            let found = of_sample(sample);
            self.push(start, name, flags, found, sample);
            return Ok(());
        }
        let rest = self.rest();
        let end = rest
            .find(|c: char| !c.is_ascii_alphanumeric())
            .unwrap_or(rest.len());
        let variable = rest.get(..end).unwrap_or_default();
        self.at += end;
        match variable {
            "" => Err(FormatError {
                at: start,
                reason: "`%` without the name of a variable",
            }),
            "o" => {
                if flags.json && !self.flags.json {
                    self.items.push(Item::literal(b'{'));
                    self.flags = flags;
                } else {
                    self.flags = flags;
                }
                Ok(())
            }
            _ => {
                let found = VARIABLES.iter().find(|(known, ..)| *known == variable);
                let found = found.map(|(_, field, class, rank, is_text)| Found {
                    field: *field,
                    class: *class,
                    rank: *rank,
                    is_text: *is_text,
                });
                self.push(start, name, flags, found, variable);
                Ok(())
            }
        }
    }

    /// What stands between `open` and `close`, if `open` comes next.
    fn enclosed(&mut self, open: char, close: char) -> Result<Option<&'text str>, FormatError> {
        let Some(inner) = self.rest().strip_prefix(open) else {
            return Ok(None);
        };
        let end = inner.find(close).ok_or(FormatError {
            at: self.at,
            reason: "a bracket is not closed",
        })?;
        self.at += end + 2;
        Ok(inner.get(..end))
    }

    /// A sample's brackets may hold brackets of arguments: `%[req.hdr(a),regsub([0-9],x)]`.
    fn sample(&mut self) -> Result<&'text str, FormatError> {
        let rest = self.rest();
        let mut depth = 0_usize;
        for (at, c) in rest.char_indices() {
            match c {
                '[' | '(' => depth += 1,
                ']' | ')' => depth = depth.saturating_sub(1),
                _ => {}
            }
            if depth == 0 {
                self.at += at + 1;
                return Ok(rest.get(1..at).unwrap_or_default());
            }
        }
        Err(FormatError {
            at: self.at,
            reason: "`%[` without `]`",
        })
    }

    fn push(&mut self, at: usize, name: &str, flags: Flags, found: Option<Found>, said: &str) {
        let found = found.unwrap_or_else(|| {
            self.warnings.push(Warning {
                at,
                name: format!("%{said}"),
            });
            Found::of(None, Class::Any, 0)
        });
        if flags.json {
            self.json(name, found);
            return;
        }
        if found.class == Class::Captures
            && matches!(
                self.items.last(),
                Some(Item::Value {
                    class: Class::Captures,
                    ..
                })
            )
        {
            return;
        }
        let item = Item::value(found.field, found.class, found.rank);
        let in_quotes = flags.quoted && found.is_text && found.class != Class::Captures;
        if in_quotes {
            self.items.push(Item::literal(b'"'));
        }
        if self.joins_server(found) {
            self.items.truncate(self.items.len().saturating_sub(2));
        }
        self.items.push(item);
        if in_quotes {
            self.items.push(Item::literal(b'"'));
        }
    }

    /// `%b/%s` is one value: a server's name alone may stand in several backends.
    fn joins_server(&self, found: Found) -> bool {
        found.field == Some(Field::UpstreamServer)
            && matches!(
                self.items.as_slice(),
                [
                    ..,
                    Item::Value {
                        field: Some(Field::UpstreamName),
                        ..
                    },
                    Item::Literal(b'/')
                ]
            )
    }

    /// `"name": value, `; a value without a name is left out.
    fn json(&mut self, name: &str, found: Found) {
        if name.is_empty() {
            return;
        }
        let is_first = matches!(self.items.last(), Some(Item::Literal(b'{')));
        let head = format!("{}\"{name}\": ", if is_first { "" } else { ", " });
        self.items.extend(head.bytes().map(Item::literal));
        let quote = found.is_text.then(|| Item::literal(b'"'));
        self.items.extend(quote.clone());
        self.items
            .push(Item::value(found.field, found.class, found.rank));
        self.items.extend(quote);
    }
}

/// What a variable or a sample holds.
#[derive(Clone, Copy)]
struct Found {
    field: Option<Field>,
    class: Class,
    rank: u8,
    /// Whether `+Q` puts it in quotes.
    is_text: bool,
}

impl Found {
    const fn of(field: Option<Field>, class: Class, rank: u8) -> Self {
        Self {
            field,
            class,
            rank,
            is_text: true,
        }
    }

    const fn field(field: Field, rank: u8) -> Self {
        Self::of(Some(field), Class::of(field), rank)
    }
}

/// Name, field, shape, rank among equals, whether it is text. The one with the zone is read of several stamps.
const VARIABLES: &[(&str, Option<Field>, Class, u8, bool)] = &[
    ("ci", Some(Field::ClientAddr), Class::Word, 2, true),
    ("cp", None, Class::Number, 0, false),
    ("t", Some(Field::Time), Class::Time, 2, false),
    ("tr", Some(Field::Time), Class::Time, 3, false),
    ("T", Some(Field::Time), Class::Time, 4, false),
    ("Tl", Some(Field::Time), Class::Time, 5, false),
    ("trg", Some(Field::Time), Class::Time, 6, false),
    ("trl", Some(Field::Time), Class::Time, 7, false),
    ("Ts", Some(Field::Time), Class::Number, 1, false),
    ("ms", None, Class::Number, 0, false),
    ("f", None, Class::Word, 0, true),
    ("ft", None, Class::Word, 0, true),
    ("b", Some(Field::UpstreamName), Class::Word, 1, true),
    ("s", Some(Field::UpstreamServer), Class::Word, 1, true),
    ("si", None, Class::Word, 0, true),
    ("sp", None, Class::Word, 0, false),
    ("fi", None, Class::Word, 0, true),
    ("fp", None, Class::Word, 0, false),
    ("bi", None, Class::Word, 0, true),
    ("bp", None, Class::Word, 0, false),
    ("TR", None, Class::Number, 0, false),
    ("Tq", None, Class::Number, 0, false),
    ("Tw", Some(Field::QueueMillis), Class::Number, 1, false),
    ("Tc", Some(Field::ConnectMillis), Class::Number, 1, false),
    ("Tr", Some(Field::ResponseMillis), Class::Number, 1, false),
    // A `+` stands before what is logged before the end.
    ("Ta", Some(Field::DurationMillis), Class::Word, 2, false),
    ("Tt", Some(Field::DurationMillis), Class::Word, 1, false),
    ("Tu", None, Class::Word, 0, false),
    ("Td", None, Class::Word, 0, false),
    ("Th", None, Class::Number, 0, false),
    ("Ti", None, Class::Number, 0, false),
    ("ST", Some(Field::Status), Class::Status, 2, false),
    ("B", Some(Field::BytesSent), Class::Word, 1, false),
    ("U", None, Class::Number, 0, false),
    ("CC", None, Class::Any, 0, true),
    ("CS", None, Class::Any, 0, true),
    // Newer versions put the first one in quotes, too.
    ("tsc", Some(Field::TerminationState), Class::Word, 2, false),
    ("ts", Some(Field::TerminationState), Class::Word, 1, true),
    ("ac", None, Class::Number, 0, false),
    ("fc", None, Class::Number, 0, false),
    ("bc", None, Class::Number, 0, false),
    ("sc", None, Class::Number, 0, false),
    ("rc", Some(Field::Retries), Class::Word, 1, false),
    ("sq", None, Class::Number, 0, false),
    ("bq", None, Class::Number, 0, false),
    ("hr", None, Class::Captures, 0, false),
    ("hs", None, Class::Captures, 0, false),
    ("hrl", None, Class::Any, 0, false),
    ("hsl", None, Class::Any, 0, false),
    ("r", Some(Field::Request), Class::Any, 1, true),
    ("HM", Some(Field::Method), Class::Word, 1, true),
    ("HU", Some(Field::Target), Class::Any, 3, true),
    ("HP", Some(Field::Target), Class::Any, 2, true),
    ("HPO", Some(Field::Target), Class::Any, 1, true),
    ("HQ", Some(Field::Query), Class::Any, 1, true),
    ("HV", Some(Field::Protocol), Class::Word, 1, true),
    ("ID", Some(Field::RequestId), Class::Word, 1, true),
    ("H", None, Class::Word, 0, true),
    ("OG", None, Class::Any, 0, true),
    ("lc", None, Class::Number, 0, false),
    ("pid", None, Class::Word, 0, false),
    ("rt", None, Class::Word, 0, false),
    ("sslc", None, Class::Word, 0, true),
    ("sslv", None, Class::Word, 0, true),
];

/// A sample fetch with its converters: `capture.req.hdr(0),json(utf8s)`. `None` for one that HAProxy does not have
/// under a name that we know.
fn of_sample(sample: &str) -> Option<Found> {
    let end = sample.find(['(', ',']).unwrap_or(sample.len());
    let (name, rest) = sample.split_at(end);
    let argument = rest
        .strip_prefix('(')
        .and_then(|rest| rest.split(')').next())
        .unwrap_or_default();
    let name = name.trim();
    if let Some((_, field)) = SAMPLES.iter().find(|(known, _)| *known == name) {
        return Some(Found::field(*field, 1));
    }
    match name {
        "req.hdr" | "req.fhdr" | "hdr" | "fhdr" | "hdr_ip" | "req.hdr_ip" => of_header(argument),
        "res.hdr" | "res.fhdr" | "shdr" => {
            let is_wait = argument.eq_ignore_ascii_case("retry-after");
            is_wait.then(|| Found::field(Field::RetryAfter, 1))
        }
        // What was captured is known by its shape.
        "capture.req.hdr" => Some(Found::of(None, Class::Captured, 0)),
        "var" => Some(of_variable(argument)),
        _ => known_family(name).then_some(Found::of(None, Class::Any, 0)),
    }
}

/// Samples that hold a field.
const SAMPLES: &[(&str, Field)] = &[
    ("src", Field::ClientAddr),
    ("fc_src", Field::ClientAddr),
    ("method", Field::Method),
    ("capture.req.method", Field::Method),
    ("path", Field::Target),
    ("pathq", Field::Target),
    ("url", Field::Target),
    ("capture.req.uri", Field::Target),
    ("query", Field::Query),
    ("capture.req.ver", Field::Protocol),
    ("status", Field::Status),
    ("txn.status", Field::Status),
    ("server_status", Field::OriginStatus),
    ("bc_err_str", Field::UpstreamError),
    ("bc_err_name", Field::UpstreamError),
    ("ssl_bc_err_str", Field::UpstreamTlsError),
    ("txn.sess_term_state", Field::TerminationState),
    ("txn.conn_retries", Field::Retries),
    ("req.timer.queue", Field::QueueMillis),
    ("bc.timer.connect", Field::ConnectMillis),
    ("res.timer.hdr", Field::ResponseMillis),
    ("txn.timer.total", Field::DurationMillis),
    ("be_name", Field::UpstreamName),
    ("srv_name", Field::UpstreamServer),
    ("unique-id", Field::RequestId),
    ("bytes_out", Field::BytesSent),
    ("capture.res.ver", Field::Protocol),
    ("last_rule_line", Field::Rule),
];

/// Begins of names of samples that hold no field.
const FAMILIES: [&str; 19] = [
    "ssl_",
    "fc_",
    "bc_",
    "fe_",
    "be_",
    "sc",
    "src_",
    "dst",
    "req",
    "res",
    "capture.",
    "rand",
    "date",
    "str",
    "int",
    "url",
    "accept_date",
    "last_",
    "wait",
];

fn known_family(name: &str) -> bool {
    FAMILIES.iter().any(|family| name.starts_with(family))
}

fn of_header(name: &str) -> Option<Found> {
    let name = name.split(',').next().unwrap_or_default().trim();
    let found = match name.to_ascii_lowercase().as_str() {
        "user-agent" => Found::field(Field::UserAgent, 2),
        "host" => Found::field(Field::Host, 2),
        "referer" => Found::field(Field::Referer, 1),
        "cookie" => Found::field(Field::Cookie, 1),
        "x-forwarded-for" | "x-real-ip" | "true-client-ip" | "cf-connecting-ip" => {
            Found::field(Field::ForwardedFor, 1)
        }
        "x-request-id" => Found::field(Field::RequestId, 1),
        _ => Found::of(None, Class::Any, 0),
    };
    Some(found)
}

/// A variable is what the operator calls it: `txn.user_agent`.
fn of_variable(name: &str) -> Found {
    let name = name.split(',').next().unwrap_or_default();
    let last = name.rsplit('.').next().unwrap_or_default();
    let last = last.to_ascii_lowercase().replace('-', "_");
    match last.as_str() {
        "ua" | "useragent" | "user_agent" | "agent" => Found::field(Field::UserAgent, 2),
        "host" | "hostname" | "http_host" | "vhost" => Found::field(Field::Host, 2),
        "path" | "uri" | "url" => Found::field(Field::Target, 1),
        "method" => Found::field(Field::Method, 1),
        "src" | "addr" | "ip" | "client_ip" | "client_addr" => Found::field(Field::ClientAddr, 1),
        "xff" | "x_forwarded_for" => Found::field(Field::ForwardedFor, 1),
        "referer" | "referrer" => Found::field(Field::Referer, 1),
        _ => Found::of(None, Class::Any, 0),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use model::{Edge, Field};

    use crate::format::{Layout, testing::fields};
    use crate::visit::Spans;

    /// The fields of `line` in the layout `string`.
    #[track_caller]
    fn read(string: &str, line: &str) -> Vec<(Field, String)> {
        let (layout, warnings) = Layout::of_edge("x", Edge::Haproxy, string).unwrap();
        assert_eq!(warnings, [], "{string}");
        let (mut spans, mut scratch) = (Spans::new(), Vec::new());
        layout
            .find(line.as_bytes(), &mut scratch, &mut spans)
            .unwrap_or_else(|reason| panic!("{reason}: {string}\n{line}"));
        fields(line.as_bytes(), &scratch, &spans).0
    }

    #[track_caller]
    fn holds(string: &str, line: &str, wanted: &[(Field, &str)]) {
        let found = read(string, line);
        for (field, text) in wanted {
            let one = found.iter().find(|(one, _)| one == field);
            assert_eq!(one.map(|(_, text)| text.as_str()), Some(*text), "{line}");
        }
    }

    const HTTP: &str = "%ci:%cp [%tr] %ft %b/%s %TR/%Tw/%Tc/%Tr/%Ta %ST %B %CC %CS %tsc %ac/%fc/%bc/%sc/%rc %sq/%bq %hr %hs %{+Q}r";

    #[test]
    fn httplog_with_and_without_captured_headers() {
        for captured in ["", "{a.example|Bot/1.0} ", "{a.example|Bot/1.0} {x} "] {
            let line = format!(
                r#"2001:db8::7:4711 [06/Feb/2009:12:14:14.655] in~ b/<NOSRV> 0/-1/-1/-1/+0 -1 +217 - - SC-- 1/1/0/0/+3 0/0 {captured}"GET /a b HTTP/1.1""#
            );
            let mut wanted = vec![
                (Field::ClientAddr, "2001:db8::7"),
                (Field::Status, "-1"),
                (Field::UpstreamServer, "b/<NOSRV>"),
                (Field::TerminationState, "SC--"),
                (Field::Retries, "+3"),
                (Field::QueueMillis, "-1"),
                (Field::Request, "GET /a b HTTP/1.1"),
            ];
            if !captured.is_empty() {
                wanted.push((Field::Host, "a.example"));
                wanted.push((Field::UserAgent, "Bot/1.0"));
            }
            holds(HTTP, &line, &wanted);
        }
    }

    #[test]
    fn flags_quote_texts_only() {
        holds(
            r#"%{+Q}o %ci:%cp [%trl] %b/%s %ST %B "%tsc" %[capture.req.hdr(0)] %r %{-Q}[bc_err_str]"#,
            r#""192.0.2.7":4711 [06/Feb/2009:12:14:14 +0100] "b"/"s" 503 217 "SC--" "Bot/1.0 (a b)" "GET / HTTP/1.1" -"#,
            &[
                (Field::Time, "06/Feb/2009:12:14:14 +0100"),
                (Field::UserAgent, "Bot/1.0 (a b)"),
                (Field::UpstreamError, "-"),
            ],
        );
    }

    #[test]
    fn the_string_as_the_configuration_has_it() {
        holds(
            r#"%ci\ [%T]\ %ST   %{+Q}[req.hdr(user-agent),regsub([\"],x,g)] \"%HM\ %HP\ %HV\" 100%%"#,
            r#"192.0.2.7 [06/Feb/2009:12:14:14 +0000] 200 "Bot/1.0" "GET /a?b HTTP/2.0" 100%"#,
            &[
                (Field::UserAgent, "Bot/1.0"),
                (Field::Target, "/a?b"),
                (Field::Status, "200"),
            ],
        );
    }

    #[test]
    fn hand_made_json() {
        holds(
            r#"{"time":%Ts.%ms,"status":%ST,"request":"%HM %HU %HV","srv":"%s","state":"%ts","ua":"%[capture.req.hdr(1),json(utf8s)]","host":"%[var(txn.host)]"}"#,
            r#"{"time":1595875297.120,"status":-1,"request":"GET /?a HTTP/1.1","srv":"<NOSRV>","state":"SC","ua":"Bot/1.0 \"x\"","host":"a.example"}"#,
            &[
                (Field::Time, "1595875297.120"),
                (Field::Status, "-1"),
                (Field::Request, "GET /?a HTTP/1.1"),
                (Field::UserAgent, r#"Bot/1.0 "x""#),
                (Field::Host, "a.example"),
                (Field::TerminationState, "SC"),
            ],
        );
    }

    #[test]
    fn json_by_flag() {
        holds(
            "%{+json}o %(client)ci %(date)trl %ST %(status)ST %(request)r %(server:str)s",
            r#"{"client": "192.0.2.7", "date": "06/Feb/2009:12:14:14 +0100", "status": 503, "request": "GET / HTTP/1.1", "server": "s1"}"#,
            &[
                (Field::ClientAddr, "192.0.2.7"),
                (Field::Status, "503"),
                (Field::Request, "GET / HTTP/1.1"),
            ],
        );
    }

    #[test]
    fn what_is_no_format_string_is_refused_where_it_goes_wrong() {
        for (string, at) in [
            ("%ST %[path", 5),
            ("%ST % x", 4),
            ("%{+Q r", 1),
            ("%ci %r", 0),
        ] {
            let error = Layout::of_edge("x", Edge::Haproxy, string).unwrap_err();
            assert_eq!(error.at, at, "{string}");
        }
        let (_, warnings) = Layout::of_edge("x", Edge::Haproxy, "%t %ST %zz").unwrap();
        assert_eq!(warnings.len(), 1);
    }
}
