//! A layout compiled from a product's own format string: literals, and values between them.
//!
//! A line has the layout if all of it can be split so. A value ends at the next literal; where the literal stands in
//! the value itself, the first split that lets the whole line match is taken, and the shapes of the values (a status
//! is a number, a list is whole) rule out most of the others.

use std::fmt;

use memchr::memchr_iter;
use model::{Edge, Field};

use super::{
    Reason, haproxy,
    json::{self, Keys},
    ncsa::{self, is_escaped},
    string::{STRING_BYTES_MAX, Syntax, apache},
    time::parse_time,
    value::Class,
};
use crate::visit::{Spans, Visit};

/// A layout that a line can be matched against.
#[derive(Clone, Debug)]
pub struct Layout {
    name: String,
    edge: Edge,
    body: Body,
    /// What follows the agent of a layout that is combined and more.
    behind_agent: Option<Tail>,
}

#[derive(Clone, Debug)]
enum Body {
    Text(Vec<Piece>),
    Json(Keys),
}

/// What is wrong with a format string, and where: byte offset from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FormatError {
    /// Byte offset in the string.
    pub at: usize,
    /// What is wrong.
    pub reason: &'static str,
}

impl fmt::Display for FormatError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "at byte {}: {}", self.at, self.reason)
    }
}

impl std::error::Error for FormatError {}

/// A variable that neither the product nor this program knows. It is skipped: a module or a `map` may define it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// Byte offset in the string.
    pub at: usize,
    /// As written.
    pub name: String,
}

/// Part of a format string.
#[derive(Clone, Debug)]
pub(super) enum Item {
    /// One byte as it stands.
    Literal(u8),
    /// A value. Of several with one field, the highest rank is read; of equal ranks, the first.
    Value {
        field: Option<Field>,
        class: Class,
        rank: u8,
    },
    /// Part of a stamp, by an example of it; empty where its format is not known.
    Stamp(String),
}

impl Item {
    pub(super) const fn literal(byte: u8) -> Self {
        Self::Literal(byte)
    }

    pub(super) const fn value(field: Option<Field>, class: Class, rank: u8) -> Self {
        Self::Value { field, class, rank }
    }

    const fn field(&self) -> Option<Field> {
        match self {
            Self::Value { field, .. } => *field,
            Self::Literal(_) | Self::Stamp(_) => None,
        }
    }
}

#[derive(Clone, Debug)]
enum Piece {
    Literal(Box<[u8]>),
    Value { field: Option<Field>, class: Class },
}

/// Pieces of one layout. Matching recurses once for each value.
const PIECES_MAX: usize = 256;

/// Splits tried for one line. The shapes of values leave a few dozen for real lines; a line made to be ambiguous must
/// not stop the reading.
const SPLITS_MAX: u32 = 4_096;

impl Layout {
    /// Whether `word` is a key of it, or a part of one.
    pub(super) fn has_key(&self, word: &[u8]) -> bool {
        matches!(&self.body, Body::Json(keys) if keys.names(word))
    }

    /// Compiles a format string, nginx's or Apache's, told apart by their variables (`$status`, `%>s`). Apache's
    /// shipped nicknames (`combined`, `vhost_combined`) are taken too.
    pub fn parse_string(name: &str, text: &str) -> Result<(Self, Vec<Warning>), FormatError> {
        let start = text.trim_start();
        if start.starts_with("log_format ") || start.starts_with("LogFormat ") {
            return Err(FormatError {
                at: 0,
                reason: "a whole directive: only its format string is wanted, without the quotes",
            });
        }
        if let Some(shipped) = apache::nickname(text.trim()) {
            let (layout, warnings) = Self::apache(name, shipped)?;
            return Ok((layout.with_edge(Edge::Unknown), warnings));
        }
        let syntax = Syntax::of_text(text).ok_or(FormatError {
            at: 0,
            reason: "neither an nginx variable (`$status`) nor an Apache directive (`%>s`)",
        })?;
        let (layout, warnings) = Self::in_syntax(name, syntax, text)?;
        let edge = syntax.edge(text);
        Ok((layout.with_edge(edge), warnings))
    }

    /// Compiles a format string of `edge`, or one whose words tell the product where that has none of its own.
    pub fn of_edge(
        name: &str,
        edge: Edge,
        text: &str,
    ) -> Result<(Self, Vec<Warning>), FormatError> {
        let (layout, warnings) = match Syntax::of_edge(edge) {
            Some(syntax) => Self::in_syntax(name, syntax, text)?,
            None => Self::parse_string(name, text)?,
        };
        Ok((layout.with_edge(edge), warnings))
    }

    /// Compiles an nginx `log_format` string, any `escape=`.
    pub fn nginx(name: &str, text: &str) -> Result<(Self, Vec<Warning>), FormatError> {
        Self::in_syntax(name, Syntax::Nginx, text)
    }

    /// Compiles an Apache `LogFormat` string.
    pub fn apache(name: &str, text: &str) -> Result<(Self, Vec<Warning>), FormatError> {
        Self::in_syntax(name, Syntax::Apache, text)
    }

    fn in_syntax(
        name: &str,
        syntax: Syntax,
        text: &str,
    ) -> Result<(Self, Vec<Warning>), FormatError> {
        check_length(text)?;
        let (items, warnings) = syntax.items(text)?;
        let layout = Self::compile(name, syntax.edge(text), text, &items)?;
        Ok((layout, warnings))
    }

    /// The same layout as another product's.
    #[must_use]
    pub fn with_edge(self, edge: Edge) -> Self {
        Self { edge, ..self }
    }

    /// Its name in every output.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The product that writes it.
    pub const fn edge(&self) -> Edge {
        self.edge
    }

    /// The fields it carries, in their order in the enum: what advice need not ask for.
    pub fn fields(&self) -> Vec<Field> {
        let has = |wanted: Field| {
            match &self.body {
            Body::Text(pieces) => pieces
                .iter()
                .any(|piece| matches!(piece, Piece::Value { field: Some(field), .. } if *field == wanted)),
            Body::Json(keys) => keys.has(wanted),
        }
        };
        Field::ALL.into_iter().filter(|field| has(*field)).collect()
    }

    /// How many pieces it has: the more, the more it says about a line that matches.
    pub(super) fn len(&self) -> usize {
        match &self.body {
            Body::Text(pieces) => pieces.len(),
            Body::Json(keys) => keys.len() * 2 + 1,
        }
    }

    /// The byte every line begins with, where there is one.
    pub(super) fn first_byte(&self) -> Option<u8> {
        match &self.body {
            Body::Text(pieces) => match pieces.first() {
                Some(Piece::Literal(text)) => text.first().copied(),
                Some(Piece::Value { .. }) | None => None,
            },
            Body::Json(_) => Some(b'{'),
        }
    }

    /// Finds the fields of `line`, which must have the layout as a whole.
    pub(super) fn find(
        &self,
        line: &[u8],
        scratch: &mut Vec<u8>,
        spans: &mut Spans,
    ) -> Result<(), Reason> {
        match &self.body {
            Body::Text(pieces) => {
                if let Some(tail) = &self.behind_agent
                    && let Some(found) = tail.find_combined(line, spans)
                {
                    return found;
                }
                spans.clear();
                find(pieces, line, 0, spans)
            }
            Body::Json(keys) => keys.find(line, scratch, spans),
        }
    }

    fn compile(name: &str, edge: Edge, text: &str, items: &[Item]) -> Result<Self, FormatError> {
        let (body, behind_agent) = if is_json(items) {
            (Body::Json(json_keys(items)?), None)
        } else {
            let pieces = pieces(items)?;
            let tail = Tail::behind_agent(text, &pieces);
            (Body::Text(pieces), tail)
        };
        let layout = Self {
            name: name.to_owned(),
            edge,
            body,
            behind_agent,
        };
        let fields = layout.fields();
        let reason = if !fields.contains(&Field::Status) {
            "the layout has no status"
        } else if !fields.contains(&Field::Time)
            && items.iter().any(|item| matches!(item, Item::Stamp(_)))
        {
            "the layout's time has a format that cannot be read"
        } else {
            // Without a time of its own: what syslog or a container runtime puts before the line may say it.
            return Ok(layout);
        };
        Err(FormatError { at: 0, reason })
    }
}

/// What follows a layout's well-known beginning: matched against the rest of a line.
#[derive(Clone, Debug)]
pub(super) struct Tail {
    pieces: Vec<Piece>,
}

/// How combined is written in format strings: nginx's, that of older
/// ingress-nginx releases, Apache's. The NCSA parser reads all of them up to the agent.
const COMBINED: [(&str, &str); 4] = [
    ("$remote_addr - $remote_user ", NGINX_COMBINED),
    (
        "$remote_addr - [$remote_addr] - $remote_user ",
        NGINX_COMBINED,
    ),
    (
        "$the_real_ip - [$the_real_ip] - $remote_user ",
        NGINX_COMBINED,
    ),
    ("%h %l %u ", APACHE_COMBINED),
];
const NGINX_COMBINED: &str =
    r#"[$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent""#;
const APACHE_COMBINED: &str = r#"%t "%r" %>s %b "%{Referer}i" "%{User-Agent}i""#;

impl Tail {
    /// The tail of a format string that is combined and more. `None` where it is not, or where the tail holds
    /// nothing but blanks, quotes and values: such a tail fits too many layouts to be told by.
    pub(super) fn of(text: &str) -> Option<Self> {
        let rest = COMBINED
            .iter()
            .find_map(|(prefix, rest)| text.strip_prefix(prefix)?.strip_prefix(rest))?;
        let (items, _) = Syntax::of_text(text)?.items(rest).ok()?;
        let telling = items.iter().any(|item| {
            matches!(item, Item::Literal(byte) if !matches!(byte, b' ' | b'"' | b'-' | b'\t'))
        });
        let pieces = pieces(&items).ok()?;
        telling.then_some(Self { pieces })
    }

    /// The tail of `pieces`, where `text` is combined and more: most layouts of most configurations are, and the
    /// NCSA parser reads the first part three times as fast as the search for a split.
    fn behind_agent(text: &str, pieces: &[Piece]) -> Option<Self> {
        let is_combined = |(prefix, rest): &(&str, &str)| {
            !prefix.contains('[')
                && text
                    .strip_prefix(prefix)
                    .is_some_and(|text| text.starts_with(rest))
        };
        COMBINED.iter().find(|known| is_combined(known))?;
        let agent = pieces.iter().position(|piece| {
            matches!(
                piece,
                Piece::Value {
                    field: Some(Field::UserAgent),
                    ..
                }
            )
        })?;
        let (first, rest) = pieces.get(agent + 1..)?.split_first()?;
        let Piece::Literal(text) = first else {
            return None;
        };
        let mut pieces = Vec::new();
        match text.strip_prefix(b"\"")? {
            [] => {}
            text => pieces.push(Piece::Literal(text.into())),
        }
        pieces.extend_from_slice(rest);
        Some(Self { pieces })
    }

    /// Finds the fields of a line that is exactly combined and this tail. `None` where only a search can decide.
    fn find_combined(&self, line: &[u8], spans: &mut Spans) -> Option<Result<(), Reason>> {
        let found = ncsa::parse(line, spans).ok()?;
        let visit = Visit::new(line, &[], spans);
        let len = |field| visit.get(field).map_or(0, <[u8]>::len);
        // The separators of combined, and nothing else between the values.
        let exact = len(Field::ClientAddr)
            + b" - ".len()
            + len(Field::RemoteUser)
            + b" [".len()
            + len(Field::Time)
            + b"] \"".len()
            + len(Field::Request)
            + b"\" ".len()
            + len(Field::Status)
            + b" ".len()
            + len(Field::BytesSent)
            + b" \"".len()
            + len(Field::Referer)
            + b"\" \"".len()
            + len(Field::UserAgent)
            + b"\"".len();
        let ident = line.get(len(Field::ClientAddr) + 1);
        if !found.combined || found.host || ident != Some(&b'-') || exact != found.tail {
            return None;
        }
        let result = find(&self.pieces, line, found.tail, spans);
        // With no more quotes than the layout has of its own there is no other split to search for.
        let decided = result.is_ok() || memchr_iter(b'"', line).count() <= self.quotes();
        decided.then_some(result)
    }

    /// The quotes of combined and of the tail.
    fn quotes(&self) -> usize {
        let own = |piece: &Piece| match piece {
            Piece::Literal(text) => memchr_iter(b'"', text).count(),
            Piece::Value { .. } => 0,
        };
        6 + self.pieces.iter().map(own).sum::<usize>()
    }

    /// Finds its fields in `line` from `start`.
    pub(super) fn find(&self, line: &[u8], start: usize, spans: &mut Spans) -> bool {
        find(&self.pieces, line, start, spans).is_ok()
    }
}

fn check_length(text: &str) -> Result<(), FormatError> {
    if text.len() > STRING_BYTES_MAX {
        return Err(FormatError {
            at: STRING_BYTES_MAX,
            reason: "the format string is too long",
        });
    }
    Ok(())
}

/// Whether the string begins `{"`.
fn is_json(items: &[Item]) -> bool {
    let mut bytes = items
        .iter()
        .filter(|item| !matches!(item, Item::Literal(b' ' | b'\t' | b'\n')));
    matches!(
        (bytes.next(), bytes.next()),
        (Some(Item::Literal(b'{')), Some(Item::Literal(b'"')))
    )
}

/// Joins literals, stamps and targets written in parts, and keeps one value for each field.
fn pieces(items: &[Item]) -> Result<Vec<Piece>, FormatError> {
    let mut pieces = Vec::new();
    let mut ranks = Vec::new();
    let mut rest = items;
    while let Some(first) = rest.first() {
        let (piece, rank, used) = match first {
            Item::Literal(_) => literal(rest),
            Item::Stamp(_) => stamp(rest),
            Item::Value { field, class, rank } => target(rest).unwrap_or((
                Piece::Value {
                    field: *field,
                    class: *class,
                },
                *rank,
                1,
            )),
        };
        pieces.push(piece);
        ranks.push(rank);
        rest = &rest[used..];
    }
    if pieces.len() > PIECES_MAX {
        return Err(FormatError {
            at: 0,
            reason: "the format string has too many variables",
        });
    }
    keep_highest(&mut pieces, &ranks);
    Ok(pieces)
}

fn literal(items: &[Item]) -> (Piece, u8, usize) {
    let bytes: Box<[u8]> = items
        .iter()
        .map_while(|item| match item {
            Item::Literal(byte) => Some(*byte),
            Item::Value { .. } | Item::Stamp(_) => None,
        })
        .collect();
    let used = bytes.len();
    (Piece::Literal(bytes), 0, used)
}

/// httpd prints a stamp with a fraction in parts: `%{%d/%b/%Y %T}t.%{msec_frac}t %{%z}t`.
fn stamp(items: &[Item]) -> (Piece, u8, usize) {
    let mut example = String::new();
    let mut pending = String::new();
    let mut used = 0;
    for (index, item) in items.iter().enumerate() {
        match item {
            Item::Stamp(part) => {
                example.push_str(&pending);
                example.push_str(part);
                pending.clear();
                used = index + 1;
            }
            Item::Literal(byte) if b" .,:TZ+-".contains(byte) => pending.push(char::from(*byte)),
            Item::Literal(_) | Item::Value { .. } => break,
        }
    }
    // Written behind the last part, since no part prints it.
    if let (true, Some(Item::Literal(b'Z'))) = (used > 0, items.get(used)) {
        example.push('Z');
        used += 1;
    }
    let (field, class, rank) = match parse_time(example.as_bytes()) {
        Some((_, Some(_))) => (Some(Field::Time), Class::Time, 2),
        Some((_, None)) => (Some(Field::Time), Class::Time, 1),
        None => (None, Class::Any, 0),
    };
    (Piece::Value { field, class }, rank, used)
}

/// A target written in parts: `$uri$is_args$args`, `$uri?$args`, `%U%q`.
fn target(items: &[Item]) -> Option<(Piece, u8, usize)> {
    if items.first()?.field() != Some(Field::Target) {
        return None;
    }
    let query = |at: usize| items.get(at).and_then(Item::field) == Some(Field::Query);
    let joined = match items.get(1)? {
        Item::Literal(b'?') | Item::Value { field: None, .. } => query(2).then_some(3),
        _ => query(1).then_some(2),
    };
    let piece = Piece::Value {
        field: Some(Field::Target),
        class: Class::Any,
    };
    joined.map(|used| (piece, 2, used))
}

/// Leaves each field to the value with the highest rank.
fn keep_highest(pieces: &mut [Piece], ranks: &[u8]) {
    let mut best: [Option<(u8, usize)>; Field::COUNT] = [None; Field::COUNT];
    for (index, (piece, rank)) in pieces.iter().zip(ranks).enumerate() {
        if let Piece::Value {
            field: Some(field), ..
        } = piece
        {
            let best = &mut best[*field as usize];
            if best.is_none_or(|(highest, _)| *rank > highest) {
                *best = Some((*rank, index));
            }
        }
    }
    for (index, piece) in pieces.iter_mut().enumerate() {
        if let Piece::Value { field, .. } = piece {
            let is_best = |of: Field| best[of as usize].is_some_and(|(_, at)| at == index);
            *field = field.filter(|of| is_best(*of));
        }
    }
}

/// The keys of a format string that prints JSON: its own text is read as JSON, with a mark for each variable.
fn json_keys(items: &[Item]) -> Result<Keys, FormatError> {
    let unreadable = FormatError {
        at: 0,
        reason: "the format string begins like JSON but is none",
    };
    let mut text = Vec::new();
    for (index, item) in items.iter().enumerate() {
        match item {
            Item::Literal(byte) => text.push(*byte),
            Item::Value { .. } | Item::Stamp(_) => {
                let mark = mark(index).ok_or(unreadable)?;
                text.extend_from_slice(mark.encode_utf8(&mut [0; 4]).as_bytes());
            }
        }
    }
    let mut keys = Vec::new();
    json::scan(
        text.trim_ascii(),
        json::Reading::Escaped,
        &mut |key, value| {
            let text = value.text(text.trim_ascii());
            let items: Vec<Item> = String::from_utf8_lossy(text)
                .chars()
                .flat_map(|c| unmark(c, items))
                .collect();
            if let Some((field, rank)) = json_value(&items).or_else(|| by_key(key, &items)) {
                keys.push((key.to_vec().into_boxed_slice(), field, rank));
            }
        },
    )
    .end
    .map_err(|_| unreadable)?;
    Ok(Keys::new(keys))
}

/// A header that was captured is what its key says.
fn by_key(key: &[u8], items: &[Item]) -> Option<(Field, u8)> {
    match items {
        [
            Item::Value {
                field: None,
                class: Class::Captured,
                ..
            },
        ] => json::Names::new().get(key),
        _ => None,
    }
}

/// First character of a plane for private use, whose characters stand for variables.
const MARK: u32 = 0xF_0000;

fn mark(index: usize) -> Option<char> {
    let index = u32::try_from(index).ok()?;
    char::from_u32(MARK.checked_add(index)?)
}

fn unmark(c: char, items: &[Item]) -> Vec<Item> {
    let index = u32::from(c).checked_sub(MARK);
    match index.and_then(|index| items.get(index as usize)) {
        Some(item) => vec![item.clone()],
        None => c.to_string().bytes().map(Item::Literal).collect(),
    }
}

/// The field that a JSON value is, if it is one: a variable alone, or a request line or URL in parts.
fn json_value(items: &[Item]) -> Option<(Field, u8)> {
    if items.iter().any(|item| matches!(item, Item::Stamp(_))) {
        let (piece, rank, used) = stamp(items);
        return match piece {
            Piece::Value {
                field: Some(field), ..
            } if used == items.len() => Some((field, rank)),
            _ => None,
        };
    }
    if let Some((_, rank, used)) = target(items) {
        return (used == items.len()).then_some((Field::Target, rank));
    }
    let fields: Vec<Field> = items.iter().filter_map(Item::field).collect();
    match (items, fields.as_slice()) {
        (
            [
                Item::Value {
                    field: Some(field),
                    rank,
                    ..
                },
            ],
            _,
        ) => Some((*field, *rank)),
        // HAProxy's `%Ts.%ms`.
        (
            [
                Item::Value {
                    field: Some(Field::Time),
                    rank,
                    ..
                },
                Item::Literal(b'.'),
                Item::Value { field: None, .. },
            ],
            _,
        ) => Some((Field::Time, *rank)),
        // httpd's %t is printed in brackets.
        (
            [
                Item::Literal(b'['),
                Item::Value { rank, .. },
                Item::Literal(b']'),
            ],
            [Field::Time],
        ) => Some((Field::Time, *rank)),
        (_, [Field::Method, Field::Target, Field::Protocol]) => Some((Field::Request, 1)),
        (_, [Field::Scheme, Field::Host, Field::Target]) => Some((Field::Target, 0)),
        _ => None,
    }
}

/// Splits `line` from `start` into `pieces` and notes the values that have a field. Backslashes before a quote
/// escape it at first; if the line cannot be split so, they are taken as they stand (nginx `escape=none`).
fn find(pieces: &[Piece], line: &[u8], start: usize, spans: &mut Spans) -> Result<(), Reason> {
    let mut splits = SPLITS_MAX;
    for escapes in [true, false] {
        let mut search = Search {
            line,
            escapes,
            splits: &mut splits,
        };
        if search.from(pieces, start, spans) {
            return Ok(());
        }
        if splits == 0 {
            return Err(Reason::TooManySplits);
        }
        if memchr::memchr(b'\\', line).is_none() {
            break;
        }
    }
    Err(Reason::UnknownLayout)
}

struct Search<'a> {
    line: &'a [u8],
    escapes: bool,
    splits: &'a mut u32,
}

impl Search<'_> {
    fn from(&mut self, pieces: &[Piece], at: usize, spans: &mut Spans) -> bool {
        match pieces {
            [] => at == self.line.len(),
            [Piece::Literal(text), rest @ ..] => {
                self.line
                    .get(at..)
                    .is_some_and(|line| line.starts_with(text))
                    && self.from(rest, at + text.len(), spans)
            }
            [Piece::Value { field, class }, rest @ ..] => {
                let end = match rest {
                    [] => self.at_end(*class, at),
                    [Piece::Literal(text)] => self.before_last(*class, at, text),
                    [Piece::Literal(text), more @ ..] => self.before(*class, at, text, more, spans),
                    [Piece::Value { .. }, ..] => self.unbounded(*class, at, rest, spans),
                };
                match (end, field, class) {
                    (Some(end), Some(field), _) => spans.set(*field, at, end),
                    (Some(end), None, Class::Captured | Class::Captures) => {
                        haproxy::captured(self.line, at, end, spans);
                    }
                    _ => {}
                }
                end.is_some()
            }
        }
    }

    /// The last value takes what is left.
    fn at_end(&mut self, class: Class, at: usize) -> Option<usize> {
        let value = self.line.get(at..)?;
        self.try_one(class, value).then_some(self.line.len())
    }

    /// The last value but for a literal.
    fn before_last(&mut self, class: Class, at: usize, text: &[u8]) -> Option<usize> {
        let value = self.line.get(at..)?.strip_suffix(text)?;
        let end = at + value.len();
        (!self.is_escaped_quote(text, at, end) && self.try_one(class, value)).then_some(end)
    }

    /// A value before the literal `text`, after which `more` must match.
    fn before(
        &mut self,
        class: Class,
        at: usize,
        text: &[u8],
        more: &[Piece],
        spans: &mut Spans,
    ) -> Option<usize> {
        let mut from = at;
        loop {
            let end = from + find_literal(self.line.get(from..)?, text)?;
            if !self.is_escaped_quote(text, at, end) {
                let value = &self.line[at..end];
                let admitted = self.try_one(class, value);
                if admitted && self.from(more, end + text.len(), spans) {
                    return Some(end);
                }
                if *self.splits == 0 || !admitted && class.ends_at_blank() && value.contains(&b' ')
                {
                    return None;
                }
            }
            from = end + 1;
        }
    }

    /// A value with another one directly behind: as long as its shape allows, then shorter.
    fn unbounded(
        &mut self,
        class: Class,
        at: usize,
        rest: &[Piece],
        spans: &mut Spans,
    ) -> Option<usize> {
        let value = self.line.get(at..)?;
        let longest = value
            .iter()
            .take_while(|byte| class.may_hold(**byte))
            .count();
        for len in (0..=longest).rev() {
            if *self.splits == 0 {
                return None;
            }
            if self.try_one(class, &value[..len]) && self.from(rest, at + len, spans) {
                return Some(at + len);
            }
        }
        None
    }

    /// Counts one split; whether the value has its shape.
    fn try_one(&mut self, class: Class, value: &[u8]) -> bool {
        *self.splits = self.splits.saturating_sub(1);
        *self.splits > 0 && class.admits(value)
    }

    fn is_escaped_quote(&self, text: &[u8], start: usize, at: usize) -> bool {
        self.escapes && text.first() == Some(&b'"') && is_escaped(self.line, start, at)
    }
}

/// Literals are short and near: making a finder for each would cost more than looking.
fn find_literal(line: &[u8], text: &[u8]) -> Option<usize> {
    let first = *text.first()?;
    memchr_iter(first, line).find(|at| line[*at..].starts_with(text))
}
