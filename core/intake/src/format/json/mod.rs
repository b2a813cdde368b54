//! One JSON object on each line: nginx's `escape=json` and hand-made formats with keys of the user's choosing.
//!
//! A scanner, not a parser: hand-made JSON formats print raw control bytes, `"status":009`, a bare `-` and nginx's
//! lists without quotes, and such lines are requests all the same (measured: up to 5 % of lines under odd input).
//! What nobody escaped is read a second time with other eyes: see [`Reading`]. A line that was cut is a request if what
//! stands whole before the cut makes one; nothing is made up for the rest, and the caller says that it was cut.
//!
//! Keys are the product's own variables or their usual other names. A unit that the key does not tell is not guessed.

use aho_corasick::packed::Searcher;
use memchr::memchr;
use model::{Edge, Field};
use rustc_hash::FxHashMap;

mod caddy;
mod cloudflare;
pub(super) mod cloudfront;
mod envoy;
mod haproxy;
mod squid;
mod traefik;
mod traffic_server;

use super::{FormatRef, Reason, named, ncsa::next_quote, string::nginx, telltale, value::Class};
use crate::sender::last_public;
use crate::visit::{Spans, Visit};

/// A value by its place in the line.
#[derive(Clone, Copy)]
pub(crate) struct Value {
    start: usize,
    end: usize,
    /// Whether it stands in quotes and holds a backslash.
    escaped: bool,
    quoted: bool,
}

impl Value {
    /// As it stands in the line.
    pub(crate) fn text(self, line: &[u8]) -> &[u8] {
        line.get(self.start..self.end).unwrap_or_default()
    }

    /// Of a list of addresses in the client's place (X-Forwarded-For as it came) the last public one: what stands
    /// further left the client wrote himself.
    fn one_address(self, field: Field, line: &[u8]) -> Self {
        let text = self.text(line);
        if field != Field::ClientAddr || memchr(b',', text).is_none() {
            return self;
        }
        let (from, to) = last_public(text).unwrap_or((0, text.len()));
        Self {
            start: self.start + from,
            end: self.start + to,
            ..self
        }
    }

    fn is_absent(self, line: &[u8]) -> bool {
        !self.quoted && matches!(self.text(line), b"" | b"null" | b"true" | b"false")
    }
}

/// Longest key, its parents included, that can be the name of a field.
const KEY_BYTES_MAX: usize = 48;

/// Calls `visit` with each key and value of the object in `line`; keys of an inner object are `outer.inner`.
pub(super) fn scan(line: &[u8], reading: Reading, visit: &mut dyn FnMut(&[u8], Value)) -> Scanned {
    scan_to(line, Depth::Nested, reading, visit)
}

/// How deep objects are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Depth {
    /// Objects in the outermost one; arrays are left out.
    Inner,
    /// Objects in those, too (`request.headers.User-Agent`), and arrays of strings: the text between the first quote
    /// and the last.
    Headers,
    /// Objects four deep, as ECS nests them (`http.response.body.bytes`); arrays are left out.
    Nested,
}

/// The same, `depth` deep.
fn scan_to(
    line: &[u8],
    depth: Depth,
    reading: Reading,
    visit: &mut dyn FnMut(&[u8], Value),
) -> Scanned {
    let mut scanner = Scanner {
        line,
        at: 1,
        deeper: false,
        irregular: false,
        reading,
        depth,
        path: [0; KEY_BYTES_MAX],
    };
    let end = match line.first() {
        Some(b'{') => scanner.object(None, visit),
        _ => Err(Reason::UnknownLayout),
    };
    // A comma stands behind each object of an array that has a line for each.
    let end = end.and_then(|()| match scanner.rest().trim_ascii() {
        b"" | b"," => Ok(()),
        _ => Err(Reason::BadJson),
    });
    Scanned {
        end,
        deeper: scanner.deeper,
        irregular: scanner.irregular,
    }
}

/// Calls `visit` with each key and value of an object that an encoder wrote; `None` for what is none.
pub(crate) fn values(line: &[u8], depth: Depth, visit: &mut dyn FnMut(&[u8], Value)) -> Option<()> {
    scan_to(line, depth, Reading::Escaped, visit).end.ok()
}

/// How the reading of an object went.
pub(super) struct Scanned {
    /// Whether it was read to its end.
    pub(super) end: Result<(), Reason>,
    /// Whether something was too deep to be looked at.
    deeper: bool,
    /// Whether a string held a quote that nothing escaped: no encoder wrote it.
    irregular: bool,
}

/// Where a string ends.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Reading {
    /// At a quote without a backslash before which JSON could go on. Nearly every line is read so.
    Escaped,
    /// At a quote behind which a whole `"key":` follows, or nothing but closing braces: values stand there as the client
    /// sent them, with quotes, and with backslashes that mean nothing.
    Raw,
}

struct Scanner<'a> {
    line: &'a [u8],
    at: usize,
    deeper: bool,
    irregular: bool,
    reading: Reading,
    depth: Depth,
    /// Keys of the objects that the value at hand stands in, with points between them.
    path: [u8; KEY_BYTES_MAX],
}

/// An inner object that is being read.
#[derive(Clone, Copy)]
struct Parent {
    /// How much of the path is its own; more than there is room for where its key is too long to be the name of a
    /// field.
    len: usize,
    level: u32,
}

impl<'a> Scanner<'a> {
    /// From behind the opening brace to behind the closing one.
    fn object(
        &mut self,
        parent: Option<Parent>,
        visit: &mut dyn FnMut(&[u8], Value),
    ) -> Result<(), Reason> {
        loop {
            self.blanks();
            match self.peek().ok_or(Reason::LineEndsEarly)? {
                b'}' => {
                    self.at += 1;
                    return Ok(());
                }
                b',' => self.at += 1,
                b'"' => {
                    let key = self.key()?;
                    self.value(key, parent, visit)?;
                }
                _ => return Err(Reason::BadJson),
            }
        }
    }

    /// Notes `key` in the path behind its parents; how long that is then.
    fn step_in(&mut self, key: &[u8], parent: Option<Parent>) -> usize {
        let start = match parent {
            None => 0,
            Some(parent) => parent.len.saturating_add(1),
        };
        let end = start.saturating_add(key.len());
        if let Some(place) = self.path.get_mut(start..end) {
            place.copy_from_slice(key);
            if let Some(point) = start.checked_sub(1).and_then(|at| self.path.get_mut(at)) {
                *point = b'.';
            }
        }
        end
    }

    /// `"key" :`
    fn key(&mut self) -> Result<&'a [u8], Reason> {
        let start = self.at + 1;
        let end = self.quote(start, start)?;
        self.at = end + 1;
        self.blanks();
        match self.peek() {
            None => return Err(Reason::LineEndsEarly),
            Some(b':') => self.at += 1,
            Some(_) => return Err(Reason::BadJson),
        }
        self.blanks();
        Ok(&self.line[start..end])
    }

    fn value(
        &mut self,
        key: &[u8],
        parent: Option<Parent>,
        visit: &mut dyn FnMut(&[u8], Value),
    ) -> Result<(), Reason> {
        let level = parent.map_or(0, |parent| parent.level);
        let deepest = match self.depth {
            Depth::Inner => 1,
            Depth::Headers => 2,
            Depth::Nested => 4,
        };
        let value = match self.peek().ok_or(Reason::LineEndsEarly)? {
            b'"' => self.quoted()?,
            b'{' if level < deepest => {
                self.at += 1;
                let len = self.step_in(key, parent);
                let own = Parent {
                    len,
                    level: level + 1,
                };
                return self.object(Some(own), visit);
            }
            b'[' if self.depth == Depth::Headers => match self.strings()? {
                Some(value) => value,
                None => return Ok(()),
            },
            b'{' | b'[' => return self.skip(),
            _ => self.bare()?,
        };
        if parent.is_none() {
            visit(key, value);
            return Ok(());
        }
        let len = self.step_in(key, parent);
        if let Some(path) = self.path.get(..len) {
            visit(path, value);
        }
        Ok(())
    }

    /// An array; its strings from the first one's begin to the last one's end, if it holds nothing else.
    fn strings(&mut self) -> Result<Option<Value>, Reason> {
        let begin = self.at;
        self.at += 1;
        let mut all: Option<Value> = None;
        loop {
            self.blanks();
            match self.peek().ok_or(Reason::LineEndsEarly)? {
                b']' => {
                    self.at += 1;
                    return Ok(all);
                }
                b',' => self.at += 1,
                b'"' => {
                    let one = self.quoted()?;
                    all = Some(match all {
                        None => one,
                        Some(first) => Value {
                            end: one.end,
                            escaped: first.escaped || one.escaped,
                            ..first
                        },
                    });
                }
                _ => {
                    self.at = begin;
                    self.skip()?;
                    return Ok(None);
                }
            }
        }
    }

    /// A string. A quote inside it that nothing escapes is taken for its end only where JSON could go on.
    fn quoted(&mut self) -> Result<Value, Reason> {
        let start = self.at + 1;
        let mut from = start;
        loop {
            let end = self.quote(start, from)?;
            self.at = end + 1;
            self.blanks();
            if self.goes_on() {
                let escaped = self.reading == Reading::Escaped
                    && memchr(b'\\', &self.line[start..end]).is_some();
                return Ok(Value {
                    start,
                    end,
                    escaped,
                    quoted: true,
                });
            }
            self.irregular = true;
            from = end + 1;
        }
    }

    /// The next quote that may end a string.
    fn quote(&self, start: usize, from: usize) -> Result<usize, Reason> {
        let found = match self.reading {
            Reading::Escaped => next_quote(self.line, start, from),
            Reading::Raw => self
                .line
                .get(from..)
                .and_then(|rest| Some(from + memchr(b'"', rest)?)),
        };
        found.ok_or(Reason::LineEndsEarly)
    }

    /// Whether JSON could go on here, behind a string.
    fn goes_on(&self) -> bool {
        match (self.reading, self.peek()) {
            (_, None) => true,
            (Reading::Escaped, Some(byte)) => matches!(byte, b',' | b'}' | b']'),
            (Reading::Raw, Some(_)) => {
                let rest = self.rest();
                let closers = rest
                    .iter()
                    .take_while(|byte| matches!(byte, b'}' | b']' | b' '))
                    .count();
                match rest.get(closers..).unwrap_or_default() {
                    [] | [b','] => true,
                    [b',', more @ ..] => is_key(more.trim_ascii_start()),
                    _ => false,
                }
            }
        }
    }

    /// A number, a word, `-`, an nginx list: up to a comma with a key behind it, or the closing brace.
    fn bare(&mut self) -> Result<Value, Reason> {
        let start = self.at;
        loop {
            match self.peek().ok_or(Reason::LineEndsEarly)? {
                b'}' => break,
                b',' if self.key_follows(self.at + 1) => break,
                _ => self.at += 1,
            }
        }
        let text = self.line[start..self.at].trim_ascii_end();
        Ok(Value {
            start,
            end: start + text.len(),
            escaped: false,
            quoted: false,
        })
    }

    fn key_follows(&self, at: usize) -> bool {
        let rest = self.line.get(at..).unwrap_or_default().trim_ascii_start();
        match self.reading {
            Reading::Escaped => matches!(rest.first(), None | Some(b'"' | b'}')),
            Reading::Raw => rest.is_empty() || is_key(rest),
        }
    }

    /// Leaves out an array, or an object too deep to be of use.
    fn skip(&mut self) -> Result<(), Reason> {
        let mut depth = 0_u32;
        loop {
            match self.peek().ok_or(Reason::LineEndsEarly)? {
                b'{' => {
                    self.deeper = true;
                    depth += 1;
                }
                b'[' => depth += 1,
                b'}' | b']' => {
                    depth -= 1;
                    if depth == 0 {
                        self.at += 1;
                        return Ok(());
                    }
                }
                b'"' => {
                    let start = self.at + 1;
                    self.at = self.quote(start, start)?;
                }
                _ => {}
            }
            self.at += 1;
        }
    }

    fn blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t')) {
            self.at += 1;
        }
    }

    fn peek(&self) -> Option<u8> {
        self.line.get(self.at).copied()
    }

    fn rest(&self) -> &'a [u8] {
        self.line.get(self.at..).unwrap_or_default()
    }
}

/// Whether `text` begins `"key":`.
fn is_key(text: &[u8]) -> bool {
    let key = text.strip_prefix(b"\"").and_then(|rest| {
        let len = memchr(b'"', rest.get(..KEY_BYTES_MAX).unwrap_or(rest))?;
        Some((len, rest.get(len + 1..)?))
    });
    key.is_some_and(|(len, rest)| len > 0 && rest.trim_ascii_start().starts_with(b":"))
}

/// The layout: its name tells the product.
pub(super) fn format(edge: Edge) -> FormatRef {
    let json = const { named("json", Edge::Unknown) };
    match edge {
        Edge::Caddy => const { named("caddy-json", Edge::Caddy) },
        Edge::Traefik => const { named("traefik-json", Edge::Traefik) },
        Edge::Envoy => const { named("envoy-json", Edge::Envoy) },
        Edge::Haproxy => const { named("haproxy-json", Edge::Haproxy) },
        Edge::Cloudflare => const { named("cloudflare-json", Edge::Cloudflare) },
        Edge::CloudFront => const { named("cloudfront-json", Edge::CloudFront) },
        Edge::TrafficServer => const { named("trafficserver-json", Edge::TrafficServer) },
        Edge::Squid => const { named("squid-json", Edge::Squid) },
        _ => FormatRef { edge, ..json },
    }
}

/// Reads an object by the usual names of its keys, or by those of the product that its keys give away. The product, where
/// the keys tell. The time may be missing: what stands around the line may say it.
pub(super) fn record(
    line: &[u8],
    names: &Names,
    scratch: &mut Vec<u8>,
    spans: &mut Spans,
) -> Result<Edge, Reason> {
    let escaped = read(line, Reading::Escaped, names, scratch, spans);
    let is_broken = matches!(escaped.found, Err(Reason::BadJson | Reason::LineEndsEarly));
    if !(is_broken || escaped.irregular || spans.is_cut()) {
        return escaped.found;
    }
    let is_worse = |raw: &Read, spans: &Spans| {
        raw.found.is_err() || spans.is_cut() || spans.carried().count_ones() <= escaped.fields
    };
    let raw = read(line, Reading::Raw, names, scratch, spans);
    if escaped.found.is_ok() && is_worse(&raw, spans) {
        return read(line, Reading::Escaped, names, scratch, spans).found;
    }
    raw.found.or(escaped.found)
}

/// What a value gives away where no product has been recognised by its keys: below every rank of a key.
fn telling(own: Option<&Own>, key: &[u8], value: &[u8]) -> Option<(Field, u8)> {
    let field = match own {
        None => telltale::field(key, value),
        Some(own) if own.edge == Edge::Caddy => caddy::appended(key, value),
        Some(_) => None,
    };
    field.map(|field| (field, 1))
}

/// One reading of an object.
struct Read {
    found: Result<Edge, Reason>,
    irregular: bool,
    /// How many fields it gave.
    fields: u32,
}

fn read(
    line: &[u8],
    reading: Reading,
    names: &Names,
    scratch: &mut Vec<u8>,
    spans: &mut Spans,
) -> Read {
    spans.clear();
    let own = names.product(line);
    let mut edge = own.map_or(Edge::Unknown, |own| own.edge);
    let depth = own.map_or(Depth::Nested, |own| own.depth());
    let mut is_refused = false;
    let mut filling = Filling::new(line, scratch, spans);
    filling.marks_null = edge == Edge::Caddy;
    let scanned = scan_to(line, depth, reading, &mut |key, value| {
        is_refused |= edge == Edge::Caddy && caddy::is_no_request(key, value.text(line));
        let named = match own.and_then(|own| own.get(key)) {
            Some(named) => named,
            // What else stands in Caddy's inner objects are headers.
            None if edge == Edge::Caddy && key.contains(&b'.') => None,
            None => names
                .nested(key)
                .or_else(|| telling(own, key, value.text(line))),
        };
        if let Some((field, rank)) = named
            && !(edge == Edge::Caddy && caddy::has_no_unit(field, value.text(line)))
        {
            filling.put(field, rank, value);
        }
    });
    if own.is_none() {
        let product = telltale::product(&Visit::new(line, scratch, spans));
        edge = product.unwrap_or(Edge::Unknown);
    }
    let has_target = spans.has(Field::Request) || spans.has(Field::Target);
    let is_connection =
        edge == Edge::Envoy && envoy::is_connection(&Visit::new(line, scratch, spans));
    let is_request = has_target && spans.has(Field::Status) && !is_connection;
    let found = match scanned.end {
        Ok(()) | Err(Reason::LineEndsEarly) if is_refused => Err(Reason::NotRequest),
        Err(Reason::LineEndsEarly) if is_request => {
            spans.mark_cut();
            Ok(edge)
        }
        Err(reason) => Err(reason),
        Ok(()) if scanned.deeper && own.is_none() => Err(Reason::NestedTooDeep),
        Ok(()) if is_request => Ok(edge),
        Ok(()) => Err(Reason::NotRequest),
    };
    Read {
        found,
        irregular: scanned.irregular,
        fields: spans.carried().count_ones(),
    }
}

/// Reads Caddy's fields out of the object that its console encoder puts behind the message.
pub(super) fn caddy_fields(
    object: &[u8],
    names: &Names,
    scratch: &mut Vec<u8>,
    spans: &mut Spans,
) -> Result<(), Reason> {
    let own = names.products.iter().find(|own| own.edge == Edge::Caddy);
    let mut filling = Filling::new(object, scratch, spans);
    filling.marks_null = true;
    let scanned = scan_to(
        object,
        Depth::Headers,
        Reading::Escaped,
        &mut |key, value| {
            let named = match own.and_then(|own| own.get(key)) {
                Some(named) => named,
                None => names.get(key),
            };
            if let Some((field, rank)) = named
                && !caddy::has_no_unit(field, value.text(object))
            {
                filling.put(field, rank, value);
            }
        },
    );
    if scanned.end == Err(Reason::LineEndsEarly) {
        spans.mark_cut();
        return Ok(());
    }
    scanned.end
}

/// The keys of a layout that the user gave.
#[derive(Clone, Debug)]
pub(super) struct Keys {
    by_name: FxHashMap<Box<[u8]>, (Field, u8)>,
    fields: Vec<Field>,
}

impl Keys {
    pub(super) fn new(keys: Vec<(Box<[u8]>, Field, u8)>) -> Self {
        let fields = keys.iter().map(|(_, field, _)| *field).collect();
        let by_name = keys
            .into_iter()
            .map(|(name, field, rank)| (name, (field, rank + 1)))
            .collect();
        Self { by_name, fields }
    }

    pub(super) fn has(&self, field: Field) -> bool {
        self.fields.contains(&field)
    }

    /// Whether `word` is a key, or a part of one.
    pub(super) fn names(&self, word: &[u8]) -> bool {
        let mut parts = (self.by_name.keys()).flat_map(|key| key.split(|byte| *byte == b'.'));
        parts.any(|part| part == word)
    }

    pub(super) fn len(&self) -> usize {
        self.by_name.len()
    }

    /// Finds the fields of `line`, which must have every key, or all those before a cut that make a request.
    pub(super) fn find(
        &self,
        line: &[u8],
        scratch: &mut Vec<u8>,
        spans: &mut Spans,
    ) -> Result<(), Reason> {
        let escaped = self.read(line, Reading::Escaped, scratch, spans);
        match escaped {
            Ok(()) if !spans.is_cut() => return Ok(()),
            Err(Reason::UnknownLayout) if line.first() != Some(&b'{') => return escaped,
            _ => spans.clear(),
        }
        match self.read(line, Reading::Raw, scratch, spans) {
            Ok(()) => Ok(()),
            Err(_) => self.read(line, Reading::Escaped, scratch, spans),
        }
    }

    fn read(
        &self,
        line: &[u8],
        reading: Reading,
        scratch: &mut Vec<u8>,
        spans: &mut Spans,
    ) -> Result<(), Reason> {
        let mut seen = 0;
        let mut filling = Filling::new(line, scratch, spans);
        let scanned = scan(line, reading, &mut |key, value| {
            if let Some(&(field, rank)) = self.by_name.get(key) {
                seen += 1;
                filling.put(field, rank, value);
            }
        });
        let has_target = spans.has(Field::Request) || spans.has(Field::Target);
        match scanned.end {
            Err(Reason::LineEndsEarly) if has_target => spans.mark_cut(),
            Err(reason) => return Err(reason),
            Ok(()) if seen < self.by_name.len() => return Err(Reason::UnknownLayout),
            Ok(()) => {}
        }
        if !spans.has(Field::Status) {
            return Err(Reason::StatusNotNumber);
        }
        if self.has(Field::Time) && !spans.has(Field::Time) {
            return Err(Reason::TimeNotRead);
        }
        Ok(())
    }
}

/// Spans being filled from values, the best-ranked one for each field.
struct Filling<'a> {
    line: &'a [u8],
    scratch: &'a mut Vec<u8>,
    spans: &'a mut Spans,
    ranks: [u8; Field::COUNT],
    /// Whether `null` is the product's mark for "no value" in each of its fields.
    marks_null: bool,
}

impl<'a> Filling<'a> {
    fn new(line: &'a [u8], scratch: &'a mut Vec<u8>, spans: &'a mut Spans) -> Self {
        scratch.clear();
        Self {
            line,
            scratch,
            spans,
            ranks: [0; Field::COUNT],
            marks_null: false,
        }
    }

    /// Notes the value unless a better one is known or it cannot be one of `field`.
    fn put(&mut self, field: Field, rank: u8, value: Value) -> bool {
        if value.is_absent(self.line) {
            let says = self.marks_null || says_by_null(field);
            if value.text(self.line) == b"null" && says && !self.spans.has(field) {
                self.spans.set(field, value.start, value.start);
            }
            return false;
        }
        let value = value.one_address(field, self.line);
        let kept = self.scratch.len();
        if value.escaped {
            unescape(value.text(self.line), self.scratch);
        }
        let text = if value.escaped {
            self.scratch.get(kept..).unwrap_or_default()
        } else {
            value.text(self.line)
        };
        let field = target_or_request(field, text);
        if rank <= self.ranks[field as usize] || !Class::of(field).admits(text) {
            self.scratch.truncate(kept);
            return false;
        }
        self.ranks[field as usize] = rank;
        if value.escaped {
            let line = value.start..value.end;
            self.spans
                .set_scratch(field, kept, self.scratch.len(), line);
        } else {
            self.spans.set(field, value.start, value.end);
        }
        true
    }
}

/// Fields whose absence is an answer: Envoy's encoder writes null where its text has a dash.
const fn says_by_null(field: Field) -> bool {
    matches!(
        field,
        Field::UpstreamAddr
            | Field::UpstreamLocalAddr
            | Field::UpstreamError
            | Field::ConnectionOpened
            | Field::ResponseMillis
            | Field::ResponseCodeDetails
    )
}

/// `request` is the request line for some and the target for others; the text tells.
fn target_or_request(field: Field, text: &[u8]) -> Field {
    let is_target =
        || memchr(b' ', text).is_none() && (text.starts_with(b"/") || text.starts_with(b"http"));
    let is_line = || {
        let last = text.rsplit(|byte| *byte == b' ').next();
        last != Some(text) && last.is_some_and(|protocol| protocol.starts_with(b"HTTP/"))
    };
    match field {
        Field::Request if is_target() => Field::Target,
        Field::Target if is_line() => Field::Request,
        _ => field,
    }
}

/// Undoes JSON's escapes, and the `\xHH` that edges write into JSON although it has none.
pub(crate) fn unescape(text: &[u8], out: &mut Vec<u8>) {
    let mut rest = text;
    while let Some(at) = memchr(b'\\', rest) {
        out.extend_from_slice(&rest[..at]);
        rest = &rest[at + 1..];
        let used = match rest.first() {
            None => {
                out.push(b'\\');
                0
            }
            Some(b'u') => unicode(rest, out),
            Some(b'x') => hex(rest.get(1..3)).map_or(0, |byte| {
                out.push(byte as u8);
                3
            }),
            Some(letter) => {
                out.push(match letter {
                    b'n' => b'\n',
                    b't' => b'\t',
                    b'r' => b'\r',
                    b'b' => 8,
                    b'f' => 12,
                    other => *other,
                });
                1
            }
        };
        rest = &rest[used..];
    }
    out.extend_from_slice(rest);
}

/// `uXXXX`, or two of them that are a surrogate pair. How many bytes it took; none where it is not that.
fn unicode(rest: &[u8], out: &mut Vec<u8>) -> usize {
    let Some(first) = hex(rest.get(1..5)) else {
        out.push(b'\\');
        return 0;
    };
    let second = match rest.get(5..7) {
        Some(b"\\u") if (0xD800..0xDC00).contains(&first) => hex(rest.get(7..11)),
        _ => None,
    };
    let (code, used) = match second.filter(|low| (0xDC00..0xE000).contains(low)) {
        Some(low) => (0x1_0000 + ((first - 0xD800) << 10) + (low - 0xDC00), 11),
        None => (first, 5),
    };
    let c = char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER);
    out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
    used
}

fn hex(digits: Option<&[u8]>) -> Option<u32> {
    digits?.iter().try_fold(0, |sum, digit| {
        Some(sum * 16 + char::from(*digit).to_digit(16)?)
    })
}

/// Keys of a product that writes JSON by itself, or in a format that its documentation gives.
struct Product {
    edge: Edge,
    /// A key, with its quotes, that no other product writes.
    markers: &'static [&'static str],
    /// The field behind each key as written, inner ones as `outer.inner`; `None` for one that means something else than
    /// its name says.
    names: &'static [(&'static str, Option<Field>)],
}

/// The products, tried in this order.
const PRODUCTS: [Product; 8] = [
    caddy::PRODUCT,
    traefik::PRODUCT,
    envoy::PRODUCT,
    haproxy::PRODUCT,
    cloudflare::PRODUCT,
    cloudfront::PRODUCT,
    traffic_server::PRODUCT,
    squid::PRODUCT,
];

/// One product's keys, made ready.
pub(super) struct Own {
    pub(super) edge: Edge,
    markers: Vec<memchr::memmem::Finder<'static>>,
    /// Those that are keys, as they stand before a value outside of JSON: `pssc=`.
    keys: Vec<memchr::memmem::Finder<'static>>,
    by_name: FxHashMap<&'static [u8], Option<(Field, u8)>>,
}

impl Own {
    fn new(product: &Product) -> Self {
        let markers = product.markers.iter();
        // Of two keys of one field the one named first counts.
        let ranks = (OWN_RANK..=u8::MAX).rev();
        let names = product.names.iter().zip(ranks);
        Self {
            edge: product.edge,
            markers: markers.map(memchr::memmem::Finder::new).collect(),
            keys: product
                .markers
                .iter()
                .filter_map(|marker| as_key(marker))
                .collect(),
            by_name: names
                .map(|((name, field), rank)| (name.as_bytes(), field.map(|field| (field, rank))))
                .collect(),
        }
    }

    /// How deep its fields stand.
    const fn depth(&self) -> Depth {
        match self.edge {
            Edge::Caddy => Depth::Headers,
            _ => Depth::Inner,
        }
    }

    /// What stands behind `key`; `None` where the product has no key of that name.
    pub(super) fn get(&self, key: &[u8]) -> Option<Option<(Field, u8)>> {
        self.by_name.get(key).copied()
    }
}

/// A finder of the key, where the marker is one.
fn as_key(marker: &str) -> Option<memchr::memmem::Finder<'static>> {
    let key = marker.strip_prefix('"')?.strip_suffix('"')?;
    let is_key = key
        .bytes()
        .all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    is_key.then(|| memchr::memmem::Finder::new(&format!("{key}=")).into_owned())
}

/// The fields behind keys.
pub(super) struct Names {
    by_name: FxHashMap<&'static [u8], (Field, u8)>,
    products: [Own; PRODUCTS.len()],
    /// All their markers at once; `None` on machines without the instructions for it.
    any_marker: Option<Searcher>,
    /// The product of each of them.
    owners: Vec<usize>,
}

impl Names {
    /// Whether `word` is a key, or a part of one, that some product or this program knows. Anybody can send a header of
    /// any name, and some products log those as keys.
    pub(super) fn knows(&self, word: &[u8]) -> bool {
        /// What inner objects are called, and what hints at a product's own words.
        const OUTER: [&[u8]; 11] = [
            b"request",
            b"headers",
            b"resp_headers",
            b"response",
            b"upstream",
            b"level",
            b"msg",
            b"message",
            b"logger",
            b"caller",
            b"handling",
        ];
        let is_part = |key: &&[u8]| key.split(|byte| *byte == b'.').any(|part| part == word);
        let is_own = |own: &Own| own.by_name.keys().any(is_part);
        OUTER.contains(&word) || self.get(word).is_some() || self.products.iter().any(is_own)
    }

    pub(super) fn new() -> Self {
        let nginx = nginx::FIELDS
            .iter()
            .map(|(name, field, rank)| (name.as_bytes(), (*field, *rank + NGINX_RANK)));
        let others = OTHER_NAMES
            .iter()
            .map(|(name, field, rank)| (name.as_bytes(), (*field, *rank)));
        Self {
            by_name: nginx.chain(others).collect(),
            products: PRODUCTS.each_ref().map(Own::new),
            any_marker: Searcher::new(PRODUCTS.iter().flat_map(|product| product.markers)),
            owners: PRODUCTS
                .iter()
                .enumerate()
                .flat_map(|(owner, product)| vec![owner; product.markers.len()])
                .collect(),
        }
    }

    /// The product that only writes such keys. A client cannot choose it: a quote inside a value is escaped.
    fn product(&self, line: &[u8]) -> Option<&Own> {
        if let Some(any) = &self.any_marker {
            let found = any.find_iter(line);
            let owners = found.filter_map(|marker| self.owners.get(marker.pattern().as_usize()));
            return owners.min().and_then(|owner| self.products.get(*owner));
        }
        let has = |own: &&Own| {
            let mut markers = own.markers.iter();
            markers.any(|marker| marker.find(line).is_some())
        };
        self.products.iter().find(has)
    }

    /// The product whose keys stand in a line of pairs.
    pub(super) fn product_of_pairs(&self, line: &[u8]) -> Option<&Own> {
        let has = |own: &&Own| own.keys.iter().any(|key| key.find(line).is_some());
        self.products.iter().find(has)
    }

    /// The field of a key with its parents: by the whole path, by its words joined as in one key (`upstream.status`
    /// like `upstream_status`), or without outer objects whose names add nothing. What shippers call a line is not
    /// among those: the envelope opens it.
    fn nested(&self, path: &[u8]) -> Option<(Field, u8)> {
        const ADDS_NOTHING: [&[u8]; 12] = [
            b"http",
            b"request",
            b"req",
            b"response",
            b"resp",
            b"res",
            b"nginx",
            b"apache",
            b"access",
            b"data",
            b"fields",
            b"attributes",
        ];
        if let Some(found) = self.get(path) {
            return Some(found);
        }
        let point = memchr(b'.', path)?;
        let mut joined = [0; KEY_BYTES_MAX];
        let joined = joined.get_mut(..path.len())?;
        joined.copy_from_slice(path);
        joined
            .iter_mut()
            .filter(|byte| **byte == b'.')
            .for_each(|byte| *byte = b'_');
        if let Some(found) = self.get(joined) {
            return Some(found);
        }
        let (outer, inner) = (&path[..point], &path[point + 1..]);
        ADDS_NOTHING
            .iter()
            .any(|word| word.eq_ignore_ascii_case(outer))
            .then(|| self.nested(inner))?
    }

    /// The field of `key` (`remote_addr`, `remote-addr` and `remoteAddr` alike); nginx's own names rank highest.
    pub(super) fn get(&self, key: &[u8]) -> Option<(Field, u8)> {
        if let Some(found) = self.by_name.get(key) {
            return Some(*found);
        }
        let is_other = |byte: &u8| byte.is_ascii_uppercase() || matches!(byte, b'-' | b' ');
        if !key.iter().any(is_other) {
            return None;
        }
        let mut buffer = [0; KEY_BYTES_MAX];
        let len = snake_case(key, &mut buffer)?;
        self.by_name.get(buffer.get(..len)?).copied()
    }
}

/// Writes `clientIP` and `Client-Ip` as `client_ip`. The length; `None` where there is no room.
fn snake_case(key: &[u8], buffer: &mut [u8; KEY_BYTES_MAX]) -> Option<usize> {
    let mut len = 0;
    let mut before = b'_';
    for &byte in key {
        if byte.is_ascii_uppercase() && before.is_ascii_lowercase() {
            *buffer.get_mut(len)? = b'_';
            len += 1;
        }
        *buffer.get_mut(len)? = match byte {
            b'-' | b' ' => b'_',
            _ => byte.to_ascii_lowercase(),
        };
        len += 1;
        before = byte;
    }
    Some(len)
}

/// Above all ranks in the table.
const NGINX_RANK: u8 = 10;
/// Above nginx's.
const OWN_RANK: u8 = 30;

/// Names that people give keys, other than nginx's variables. Left out on purpose: `duration`, `time_taken`,
/// `latency` and `response_time`, whose unit the name does not tell.
const OTHER_NAMES: &[(&str, Field, u8)] = &[
    ("ip", Field::ClientAddr, 5),
    ("client_ip", Field::ClientAddr, 6),
    ("clientip", Field::ClientAddr, 6),
    ("client_addr", Field::ClientAddr, 6),
    ("client_address", Field::ClientAddr, 6),
    ("client.ip", Field::ClientAddr, 5),
    ("client.address", Field::ClientAddr, 5),
    ("client", Field::ClientAddr, 3),
    ("remote_ip", Field::ClientAddr, 5),
    ("remote_address", Field::ClientAddr, 5),
    ("remote_host", Field::ClientAddr, 4),
    ("remotehost", Field::ClientAddr, 4),
    ("remote", Field::ClientAddr, 3),
    ("real_ip", Field::ClientAddr, 6),
    ("x_forwarded_for", Field::ForwardedFor, 5),
    ("forwarded_for", Field::ForwardedFor, 4),
    ("xff", Field::ForwardedFor, 4),
    ("user", Field::RemoteUser, 4),
    ("auth_user", Field::RemoteUser, 4),
    ("remoteuser", Field::RemoteUser, 4),
    ("timestamp", Field::Time, 6),
    ("time", Field::Time, 7),
    ("datetime", Field::Time, 6),
    ("date_time", Field::Time, 6),
    ("date", Field::Time, 4),
    ("ts", Field::Time, 4),
    ("time_msec", Field::Time, 3),
    // Often the time at which a shipper read the line.
    ("@timestamp", Field::Time, 2),
    ("request_line", Field::Request, 6),
    ("request.line", Field::Request, 5),
    ("method", Field::Method, 5),
    ("verb", Field::Method, 4),
    ("http_method", Field::Method, 5),
    ("request.method", Field::Method, 5),
    ("request_path", Field::Target, 6),
    ("request_url", Field::Target, 7),
    ("request.uri", Field::Target, 6),
    ("request.url", Field::Target, 6),
    ("request.path", Field::Target, 5),
    ("url", Field::Target, 6),
    ("path", Field::Target, 5),
    ("target", Field::Target, 4),
    // The Elastic Common Schema. Its `event.duration` is in nanoseconds, but edges are given seconds for it.
    // Splunk's names for web logs.
    ("src_ip", Field::ClientAddr, 5),
    ("uri_path", Field::Target, 6),
    ("source.ip", Field::ClientAddr, 5),
    ("source.address", Field::ClientAddr, 4),
    ("url.original", Field::Target, 7),
    ("url.path", Field::Target, 5),
    ("url.query", Field::Query, 5),
    ("url.domain", Field::Host, 6),
    ("query", Field::Query, 5),
    ("request_query", Field::Query, 5),
    ("request.query", Field::Query, 5),
    ("protocol", Field::Protocol, 5),
    ("request_protocol", Field::Protocol, 5),
    ("http_version", Field::Protocol, 4),
    ("http_protocol", Field::Protocol, 4),
    ("proto", Field::Protocol, 3),
    ("request.protocol", Field::Protocol, 5),
    ("request_scheme", Field::Scheme, 5),
    ("vhost", Field::Host, 6),
    ("virtual_host", Field::Host, 6),
    ("domain", Field::Host, 5),
    ("request_host", Field::Host, 7),
    ("request.host", Field::Host, 7),
    ("servername", Field::ServerName, 4),
    ("status_code", Field::Status, 8),
    ("response_code", Field::Status, 7),
    ("response_status", Field::Status, 7),
    ("http_status", Field::Status, 7),
    ("http_status_code", Field::Status, 7),
    ("response.status", Field::Status, 6),
    ("response.status_code", Field::Status, 6),
    ("bytes", Field::BytesSent, 6),
    ("bytes_out", Field::BytesSent, 5),
    ("body_size", Field::BytesSent, 5),
    ("body_bytes", Field::BytesSent, 6),
    ("response_size", Field::BytesSent, 5),
    ("response_bytes", Field::BytesSent, 5),
    ("response_body_size", Field::BytesSent, 6),
    ("response.bytes", Field::BytesSent, 4),
    ("response.body_bytes", Field::BytesSent, 5),
    ("size", Field::BytesSent, 4),
    ("length", Field::BytesSent, 3),
    ("referer", Field::Referer, 5),
    ("referrer", Field::Referer, 5),
    ("http_referrer", Field::Referer, 6),
    ("request_referer", Field::Referer, 5),
    ("request.referer", Field::Referer, 5),
    ("user_agent", Field::UserAgent, 6),
    ("useragent", Field::UserAgent, 6),
    ("agent", Field::UserAgent, 4),
    ("ua", Field::UserAgent, 4),
    ("request_user_agent", Field::UserAgent, 6),
    ("request.user_agent", Field::UserAgent, 5),
    ("user_agent.original", Field::UserAgent, 5),
    ("cookie", Field::Cookie, 4),
    ("cookies", Field::Cookie, 4),
    ("request_time_s", Field::Duration, 5),
    ("request_time_seconds", Field::Duration, 5),
    ("duration_s", Field::Duration, 4),
    ("duration_seconds", Field::Duration, 4),
    ("request_time_ms", Field::DurationMillis, 5),
    ("duration_ms", Field::DurationMillis, 5),
    ("response_time_ms", Field::DurationMillis, 4),
    ("elapsed_ms", Field::DurationMillis, 4),
    ("latency_ms", Field::DurationMillis, 4),
    ("request_time_us", Field::DurationMicros, 5),
    ("duration_us", Field::DurationMicros, 5),
    ("response_time_us", Field::DurationMicros, 4),
    ("upstream", Field::UpstreamAddr, 4),
    ("upstream_address", Field::UpstreamAddr, 5),
    ("upstream_host", Field::UpstreamAddr, 4),
    ("upstream_cluster", Field::UpstreamName, 4),
    ("upstream.addr", Field::UpstreamAddr, 5),
    ("upstream.address", Field::UpstreamAddr, 5),
    ("upstream.status", Field::UpstreamStatus, 5),
    ("upstream.connect_time", Field::UpstreamConnectTime, 5),
    ("upstream.header_time", Field::UpstreamHeaderTime, 5),
    ("upstream.response_time", Field::UpstreamResponseTime, 5),
    ("upstream.bytes_received", Field::UpstreamBytesReceived, 5),
    ("upstream_content_length", Field::UpstreamContentLength, 5),
    ("cache_status", Field::CacheStatus, 5),
    ("cache", Field::CacheStatus, 4),
    ("connection_id", Field::Connection, 4),
    ("requestid", Field::RequestId, 4),
    ("x_request_id", Field::RequestId, 5),
    ("retry_after", Field::RetryAfter, 5),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::testing::{Fields, fields};

    fn read(line: &str) -> Result<Fields, Reason> {
        let mut spans = Spans::new();
        let mut scratch = Vec::new();
        record(line.as_bytes(), &Names::new(), &mut scratch, &mut spans)?;
        Ok(fields(line.as_bytes(), &scratch, &spans))
    }

    #[track_caller]
    fn has(line: &str, field: Field, value: &str) {
        assert_eq!(read(line).unwrap().get(field), Some(value), "{line}");
    }

    const TIME: &str = r#""time":"2026-11-22T07:25:33+00:00""#;

    #[test]
    fn nginx_variables_as_keys() {
        let line = r#"{"time_local":"22/Nov/2026:07:25:33 +0000","remote_addr":"192.0.2.7","request":"GET /a HTTP/1.1","status":502,"body_bytes_sent":157,"http_user_agent":"x \"y\"","upstream_status":"502, 502","upstream_addr":"10.0.0.1:80, 10.0.0.2:80","request_time":0.001}"#;
        for (field, value) in [
            (Field::ClientAddr, "192.0.2.7"),
            (Field::Time, "22/Nov/2026:07:25:33 +0000"),
            (Field::Request, "GET /a HTTP/1.1"),
            (Field::Status, "502"),
            (Field::BytesSent, "157"),
            (Field::UserAgent, "x \"y\""),
            (Field::UpstreamStatus, "502, 502"),
            (Field::UpstreamAddr, "10.0.0.1:80, 10.0.0.2:80"),
            (Field::Duration, "0.001"),
        ] {
            has(line, field, value);
        }
    }

    #[test]
    fn other_names_and_inner_objects() {
        let line = r#"{ "@timestamp": "2026-11-22T07:25:33Z", "ClientIP": "192.0.2.7", "User-Agent": "x", "request": {"method": "GET", "uri": "/a?b"}, "response": {"status": 503}, "tags": ["a", "}"] }"#;
        has(line, Field::ClientAddr, "192.0.2.7");
        has(line, Field::UserAgent, "x");
        has(line, Field::Method, "GET");
        has(line, Field::Target, "/a?b");
        has(line, Field::Status, "503");
        has(
            &format!(r#"{{{TIME},"request":"/a","status":"200"}}"#),
            Field::Target,
            "/a",
        );
        let both = r#"{"@timestamp":"2026-11-22T09:00:00Z","time_iso8601":"2026-11-22T07:25:33Z","uri":"/a","request_uri":"/a?b","status":200}"#;
        has(both, Field::Time, "2026-11-22T07:25:33Z");
        has(both, Field::Target, "/a?b");
    }

    #[test]
    fn keys_in_any_case() {
        let line = format!(
            r#"{{{TIME},"remoteAddr":"192.0.2.7","requestUri":"/a","statusCode":200,"HTTP-User-Agent":"x","bodyBytesSent":7}}"#
        );
        has(&line, Field::ClientAddr, "192.0.2.7");
        has(&line, Field::Target, "/a");
        has(&line, Field::Status, "200");
        has(&line, Field::UserAgent, "x");
        has(&line, Field::BytesSent, "7");
        let request =
            format!(r#"{{{TIME},"request":"GET /a HTTP/3.0","url":"GET /b HTTP/2","status":200}}"#);
        has(&request, Field::Request, "GET /a HTTP/3.0");
    }

    #[test]
    fn a_unit_that_the_key_does_not_tell_is_not_guessed() {
        let line = format!(r#"{{{TIME},"path":"/","status":200,"duration":15,"duration_ms":15}}"#);
        let fields = read(&line).unwrap();
        assert_eq!(fields.get(Field::Duration), None);
        assert_eq!(fields.get(Field::DurationMillis), Some("15"));
    }

    #[test]
    fn invalid_json_that_edges_write() {
        has(
            &format!(r#"{{{TIME},"uri":"/","status":009}}"#),
            Field::Status,
            "009",
        );
        has(
            &format!(r#"{{{TIME},"uri":"/","status":200,"upstream_status":-,}}"#),
            Field::UpstreamStatus,
            "-",
        );
        has(
            &format!(r#"{{{TIME},"uri":"/","upstream_status":502, 200,"status":200}}"#),
            Field::UpstreamStatus,
            "502, 200",
        );
        has(
            &format!(r#"{{{TIME},"uri":"/","request_time":,"status":200}}"#),
            Field::Status,
            "200",
        );
        has(
            &format!("{{{TIME},\"uri\":\"/\",\"user_agent\":\"a\x01\tb\",\"status\":200}}"),
            Field::UserAgent,
            "a\x01\tb",
        );
        has(
            &format!(r#"{{{TIME},"uri":"/","user_agent":"a "b" c","status":200}}"#),
            Field::UserAgent,
            r#"a "b" c"#,
        );
        has(
            &format!(r#"{{{TIME},"uri":"/\x61\u0062\ud83d\ude00\ud83d\/","status":200}}"#),
            Field::Target,
            "/ab😀\u{fffd}/",
        );
        has(
            r#"{"time":"22\/Nov\/2026:07:25:33 +0000","uri":"\/a","status":"200"}"#,
            Field::Time,
            "22/Nov/2026:07:25:33 +0000",
        );
    }

    type Writer = fn(&[u8]) -> Vec<u8>;

    /// How the products put what a client sent into JSON, by their default and with the escaping that they offer:
    /// nginx `escape=json`, `default` and `none`, httpd and H2O, HAProxy `+E`, and none at all as for HAProxy, Squid and
    /// Traffic Server without an option.
    const WRITERS: [Writer; 5] = [
        |text| {
            escaped(text, |byte| match byte {
                b'"' | b'\\' => Some(format!("\\{}", char::from(byte))),
                0..=0x1f => Some(format!("\\u{byte:04X}")),
                _ => None,
            })
        },
        |text| {
            escaped(text, |byte| match byte {
                b'"' | b'\\' | 0..=0x1f | 0x7f.. => Some(format!("\\x{byte:02X}")),
                _ => None,
            })
        },
        |text| text.to_vec(),
        |text| {
            escaped(text, |byte| match byte {
                b'"' | b'\\' => Some(format!("\\{}", char::from(byte))),
                0..=0x1f | 0x7f.. => Some(format!("\\x{byte:02x}")),
                _ => None,
            })
        },
        |text| {
            escaped(text, |byte| match byte {
                b'"' | b'\\' | b']' => Some(format!("\\{}", char::from(byte))),
                0..=0x1f | 0x7f => Some(format!("#{byte:02X}")),
                _ => None,
            })
        },
    ];

    fn escaped(text: &[u8], escape: impl Fn(u8) -> Option<String>) -> Vec<u8> {
        let each = |byte: &u8| escape(*byte).map_or_else(|| vec![*byte], String::into_bytes);
        text.iter().flat_map(each).collect()
    }

    /// What clients send, if only to see what happens.
    const ODD: [&[u8]; 16] = [
        b"x",
        b"",
        b"a \"b\" c",
        b"\"",
        b"a\\",
        b"a\\\"b\\",
        b"\x01\x02\t\x1b[0m\x7f",
        b"\xff\xfe\xc3(",
        "Gl\u{fc}ck \u{1f600}".as_bytes(),
        b"{}",
        b"a}",
        b"a\"}",
        b"a\",b",
        b"a\", \"b\"",
        b"a: [1,2]",
        b"\\u00zz \\x",
    ];

    #[test]
    fn a_client_cannot_hide_a_request_whatever_the_writer() {
        for (index, write) in WRITERS.iter().enumerate() {
            for odd in ODD {
                let agent = String::from_utf8_lossy(&write(odd)).into_owned();
                for line in [
                    format!(r#"{{{TIME},"status":009,"uri":"/a","agent":"{agent}"}}"#),
                    format!(r#"{{"agent":"{agent}",{TIME},"uri":"/a","x":-,"status":009}}"#),
                    format!(
                        r#"{{"a":{{"agent": "{agent}"}}, {TIME}, "uri": "/a", "status": "009", "n":12 }}"#
                    ),
                ] {
                    let fields =
                        read(&line).unwrap_or_else(|reason| panic!("{index}: {reason}: {line}"));
                    assert_eq!(fields.get(Field::Status), Some("009"), "{index}: {line}");
                    assert_eq!(fields.get(Field::Target), Some("/a"), "{index}: {line}");
                    assert!(fields.get(Field::Time).is_some(), "{index}: {line}");
                }
            }
        }
    }

    #[test]
    fn raw_values_come_out_as_they_were_sent() {
        for odd in ODD.iter().filter_map(|odd| std::str::from_utf8(odd).ok()) {
            // What reads as an escape is taken for one.
            if odd.contains("\\u") || odd.contains("\\\"") {
                continue;
            }
            let line = format!(r#"{{{TIME},"uri":"/","user_agent":"{odd}","status":200}}"#);
            has(&line, Field::UserAgent, odd);
        }
    }

    #[test]
    fn a_cut_line_is_what_stands_whole_before_the_cut() {
        let whole = format!(
            r#"{{{TIME},"uri":"/a","status":502,"upstream_status":"502","agent":"x \"y"}}"#
        );
        let status = whole.find(r#""upstream_status""#).unwrap();
        for len in 0..whole.len() {
            let line = &whole[..len];
            let mut spans = Spans::new();
            let mut scratch = Vec::new();
            let found = record(line.as_bytes(), &Names::new(), &mut scratch, &mut spans);
            if len < status {
                assert_eq!(
                    found.err(),
                    Some(if len == 0 {
                        Reason::UnknownLayout
                    } else {
                        Reason::LineEndsEarly
                    }),
                    "{line}"
                );
                continue;
            }
            assert!(found.is_ok() && spans.is_cut(), "{line}");
            let fields = fields(line.as_bytes(), &scratch, &spans);
            for field in [Field::Status, Field::UpstreamStatus] {
                assert!(
                    fields.get(field).is_none_or(|status| status == "502"),
                    "{line}"
                );
            }
            let agent = fields.get(Field::UserAgent);
            assert!(agent.is_none_or(|agent| agent == "x \"y"), "{line}");
        }
    }

    #[test]
    fn objects_of_an_array_with_a_line_for_each() {
        has(
            &format!(r#"{{{TIME},"uri":"/","status":200}},"#),
            Field::Status,
            "200",
        );
    }

    /// As the Elastic Common Schema nests them, and as people nest nginx's variables.
    #[test]
    fn keys_in_inner_objects() {
        let line = r#"{"@timestamp":"2026-11-11T08:28:13+01:00","source":{"ip":"192.0.2.18"},"url":{"domain":"shop.example","original":"/a?b"},"http":{"version":"HTTP/1.1","request":{"method":"GET","referrer":""},"response":{"status_code":502,"body":{"bytes":497}}},"user_agent":{"original":"bingbot/2.0"},"nginx":{"connection":2,"upstream":{"address":"10.0.0.1:80","connect_time":"0.000","header_time":"-"}}}"#;
        for (field, value) in [
            (Field::ClientAddr, "192.0.2.18"),
            (Field::Host, "shop.example"),
            (Field::Target, "/a?b"),
            (Field::Method, "GET"),
            (Field::Status, "502"),
            (Field::BytesSent, "497"),
            (Field::UserAgent, "bingbot/2.0"),
            (Field::Connection, "2"),
            (Field::UpstreamAddr, "10.0.0.1:80"),
            (Field::UpstreamHeaderTime, "-"),
        ] {
            has(line, field, value);
        }
        // What stands in another object is another thing.
        let other = r#"{"time":"2026-11-11T08:28:13Z","uri":"/a","status":200,"health":{"status":503},"geo":{"ip":"192.0.2.9"}}"#;
        assert_eq!(read(other).unwrap().get(Field::Status), Some("200"));
        assert_eq!(read(other).unwrap().get(Field::ClientAddr), None);
    }

    #[test]
    fn what_is_no_request_has_a_reason() {
        for (line, reason) in [
            (
                r#"{"time":"2026-11-22T07:25:33Z","status":200}"#,
                Reason::NotRequest,
            ),
            (
                r#"{"time":"2026-11-22T07:25:33Z","uri":"/"}"#,
                Reason::NotRequest,
            ),
            (
                r#"{"time":"2026-11-22T07:25:33Z","uri":"/","status":"ok"}"#,
                Reason::NotRequest,
            ),
            (
                r#"{"time":"2026-11-22T07:25:33Z","uri":"/","status":200,"a":{"b":{"c":{"d":{"e":{"f":1}}}}}}"#,
                Reason::NestedTooDeep,
            ),
            (
                r#"{"time":"2026-11-22T07:25:33Z","uri":"/","status":20"#,
                Reason::LineEndsEarly,
            ),
            (
                r#"{"time":"2026-11-22T07:25:33Z","uri":"/a"#,
                Reason::LineEndsEarly,
            ),
            (
                r#"{"time":"2026-11-22T07:25:33Z","uri"#,
                Reason::LineEndsEarly,
            ),
            ("{", Reason::LineEndsEarly),
            ("{}", Reason::NotRequest),
            ("{} x", Reason::BadJson),
            ("{a:1}", Reason::BadJson),
            (r#"{"a" 1}"#, Reason::BadJson),
        ] {
            assert_eq!(read(line).err(), Some(reason), "{line}");
        }
    }

    #[test]
    fn cloudflare_stamps_in_every_form_of_a_job() {
        for time in [
            "1795332333",
            "1795332333000",
            "1795332333000000000",
            r#""2026-11-22T07:25:33Z""#,
        ] {
            let line = format!(
                r#"{{"CacheCacheStatus":"dynamic","ClientIP":"192.0.2.7","ClientRequestHost":"shop.example","ClientRequestMethod":"GET","ClientRequestURI":"/a?b=1","ClientRequestUserAgent":"x \"y\"","ClientRequestPath":"/a","EdgeEndTimestamp":{time},"EdgeResponseBytes":157,"EdgeResponseStatus":522,"EdgeStartTimestamp":{time},"OriginIP":"198.51.100.7","OriginResponseStatus":0,"RequestHeaders":{{"x":"y"}},"RayID":"8f1"}}"#
            );
            for (field, value) in [
                (Field::Time, time.trim_matches('"')),
                (Field::Target, "/a?b=1"),
                (Field::Host, "shop.example"),
                (Field::UserAgent, "x \"y\""),
                (Field::Status, "522"),
                (Field::OriginStatus, "0"),
                (Field::CacheStatus, "dynamic"),
                (Field::UpstreamAddr, "198.51.100.7"),
            ] {
                has(&line, field, value);
            }
        }
    }

    #[test]
    fn no_name_is_listed_twice() {
        let names = nginx::FIELDS.len() + OTHER_NAMES.len();
        assert_eq!(Names::new().by_name.len(), names);
    }
}
