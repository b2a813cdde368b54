//! Which layout a line has, and where its fields stand.
//!
//! Every line is looked at on its own: the answer depends on the line and on the layouts that were given, never on
//! the lines before it, so a file may be cut into chunks anywhere and may change its layout in the middle.
//!
//! Order: the user's layouts, those with more pieces first; then by the first byte. `{` is JSON; `[` is one of the
//! built-in layouts that begin so; all else is the NCSA family, and behind an agent one of the built-in tails.

mod aws_alb;
pub(crate) mod caddy;
mod cloudfront;
mod envoy;
mod free;
mod haproxy;
pub(crate) mod json;
mod layout;
mod ncsa;
mod squid;
mod string;
mod tail;
pub(crate) mod telltale;
mod time;
mod traefik;
mod traffic_server;
mod value;
mod varnish;

use std::fmt;

use model::{Edge, Field};

pub(crate) use json::unescape;
pub use layout::{FormatError, Layout, Warning};
pub(crate) use time::{Moment, TimeMemo, days, parse_time};
pub(crate) use value::is_address;

use crate::visit::{Spans, Visit};

/// The layouts that lines may have.
pub struct Formats {
    /// The user's, in the order they are tried; then the built-in ones.
    layouts: Vec<Layout>,
    users: usize,
    /// Built-in layouts that are combined and more: index of the name, and what follows the agent.
    tails: Vec<(usize, layout::Tail)>,
    /// Names and products of built-in layouts that only their tail tells.
    tail_names: Vec<(&'static str, Edge)>,
    json: json::Names,
}

/// The layout of one line. Its name: [`Formats::name`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FormatRef {
    index: u16,
    /// The product that wrote the line, where the layout tells.
    pub edge: Edge,
}

impl FormatRef {
    /// Leaves one address as the client's, where the product logs several.
    pub(crate) fn settle_client(self, line: &[u8], scratch: &[u8], spans: &mut Spans) {
        if self.edge == Edge::Envoy {
            envoy::settle_client(line, scratch, spans);
        }
    }
}

/// Why a line is not a request. Never a piece of the line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// No layout fits.
    UnknownLayout,
    /// The line stops before its last field.
    LineEndsEarly,
    /// A value in quotes is not closed.
    NoClosingQuote,
    /// Where the status should be stands something else.
    StatusNotNumber,
    /// Where the bytes should be stands something else.
    BytesNotNumber,
    /// The time cannot be read.
    TimeNotRead,
    /// It begins like JSON but cannot be read as such.
    BadJson,
    /// JSON without status and target.
    NotRequest,
    /// JSON with objects inside inner objects: not an access log that we know.
    NestedTooDeep,
    /// The line fits its layout in too many ways to try.
    TooManySplits,
    /// A container runtime cut a longer line, and this is not its last part.
    PartOfLine,
    /// JSON that ends early: counted by what stands whole before the cut.
    CutButCounted,
}

impl Reason {
    /// Every reason, in the order of the enum.
    pub const ALL: [Self; 12] = [
        Self::UnknownLayout,
        Self::LineEndsEarly,
        Self::NoClosingQuote,
        Self::StatusNotNumber,
        Self::BytesNotNumber,
        Self::TimeNotRead,
        Self::BadJson,
        Self::NotRequest,
        Self::NestedTooDeep,
        Self::TooManySplits,
        Self::PartOfLine,
        Self::CutButCounted,
    ];

    /// The text shown with the line's place.
    pub const fn text(self) -> &'static str {
        match self {
            Self::UnknownLayout => "not a known layout",
            Self::LineEndsEarly => "the line ends early",
            Self::NoClosingQuote => "no closing quote",
            Self::StatusNotNumber => "status is not a number",
            Self::BytesNotNumber => "bytes sent is not a number",
            Self::TimeNotRead => "time is not in a known form",
            Self::BadJson => "not readable as JSON",
            Self::NotRequest => "JSON without status and target",
            Self::NestedTooDeep => "JSON that is nested too deep",
            Self::TooManySplits => "too many ways to split the line",
            Self::CutButCounted => "the line ends early; counted by what stands before the cut",
            Self::PartOfLine => "part of a line that the container runtime cut",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.text())
    }
}

/// Names of what the hand-written parsers find, by index: the NCSA family, JSON without and with a product of its own,
/// then the grammars, and at last what is read by the looks of its pieces.
const NAMES: [&str; 31] = [
    "common",
    "common-extended",
    "combined",
    "combined-extended",
    "vhost-common",
    "vhost-common-extended",
    "vhost-combined",
    "vhost-combined-extended",
    "json",
    "caddy-json",
    "caddy-console",
    "traefik-json",
    "envoy-json",
    "haproxy-json",
    "cloudflare-json",
    "cloudfront-json",
    "haproxy-http",
    "haproxy-clf",
    "envoy-text",
    "traefik-common",
    "squid",
    "trafficserver-squid",
    "varnish",
    "aws-alb",
    "cloudfront",
    "trafficserver-extended",
    "squid-common",
    "squid-combined",
    "trafficserver-json",
    "squid-json",
    "free-form",
];
/// A product's own text layout: finds the fields of a line, or refuses it at once.
type Grammar = fn(&[u8], &mut Spans) -> Result<(), Reason>;

/// The products' own text layouts, with their names. Tried in this order after the NCSA family, whose lines none of
/// them takes; those that begin with a bracket are tried before it.
const GRAMMARS: [(FormatRef, Grammar); 8] = [
    (named("envoy-text", Edge::Envoy), envoy::parse),
    (named("haproxy-http", Edge::Haproxy), haproxy::parse),
    (named("traefik-common", Edge::Traefik), traefik::parse),
    (named("squid", Edge::Squid), squid::parse),
    (
        named("trafficserver-squid", Edge::TrafficServer),
        traffic_server::parse,
    ),
    (named("varnish", Edge::Varnish), varnish::parse),
    (named("aws-alb", Edge::AwsAlb), aws_alb::parse),
    (named("cloudfront", Edge::CloudFront), cloudfront::parse),
];

/// Layouts a user may give. More would make every line that fits none of them slow.
pub const USER_LAYOUTS_MAX: usize = 64;

impl Formats {
    /// The user's layouts (at most [`USER_LAYOUTS_MAX`]; further ones are left out) and the built-in ones.
    pub fn new(mut user: Vec<Layout>) -> Self {
        user.truncate(USER_LAYOUTS_MAX);
        // Stable, so that equals keep the order in which they were given.
        user.sort_by_key(|layout| std::cmp::Reverse(layout.len()));
        let mut formats = Self {
            users: user.len(),
            layouts: user,
            tails: Vec::new(),
            tail_names: Vec::new(),
            json: json::Names::new(),
        };
        for format in knowledge::formats() {
            formats.add_built_in(format);
        }
        formats
    }

    /// Whether `word` is a key of JSON that is known, or a part of one.
    pub(crate) fn knows_key(&self, word: &[u8]) -> bool {
        self.json.knows(word) || self.layouts.iter().any(|layout| layout.has_key(word))
    }

    /// The name of a layout in every output.
    pub fn name(&self, format: FormatRef) -> &str {
        let index = usize::from(format.index);
        if let Some(name) = NAMES.get(index) {
            return name;
        }
        let index = index - NAMES.len();
        match index.checked_sub(self.layouts.len()) {
            None => self.layouts[index].name(),
            Some(tail) => self.tail_names.get(tail).map_or("", |(name, _)| name),
        }
    }

    /// Finds the layout of `line` and where its fields stand. `spans` is cleared first; a span may lie in `scratch`,
    /// which is overwritten. On an error both are undefined. A line ends before its `\n`; a `\r` is ignored.
    ///
    /// The time of an NCSA line is found by its shape only: whether it exists is for [`TimeMemo::parse`] to say.
    pub(crate) fn recognise(
        &self,
        line: &[u8],
        scratch: &mut Vec<u8>,
        spans: &mut Spans,
    ) -> Result<FormatRef, Reason> {
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        spans.clear();
        if self.users > 0
            && let Some(format) = self.try_layouts(0..self.users, line, scratch, spans)
        {
            return Ok(format);
        }
        let format = self.built_in(line, scratch, spans)?;
        if format.edge == Edge::CloudFront {
            json::cloudfront::join_stamp(line, scratch, spans);
            cloudfront::decode(line, scratch, spans);
        }
        Ok(format)
    }

    /// The same of layouts that nobody gave.
    fn built_in(
        &self,
        line: &[u8],
        scratch: &mut Vec<u8>,
        spans: &mut Spans,
    ) -> Result<FormatRef, Reason> {
        match line.first() {
            None => Err(Reason::UnknownLayout),
            Some(b'{') => self.json(line, scratch, spans),
            Some(b'[') => grammar(line, spans)
                .or_else(|| self.try_layouts(self.users..self.layouts.len(), line, scratch, spans))
                .map_or_else(|| self.ncsa(line, spans), Ok)
                .or_else(|reason| self.free(line, reason, spans)),
            Some(_) if let Some(console) = caddy::Console::of(line) => {
                self.caddy_console(line, &console, scratch, spans)
            }
            Some(_) => match self.ncsa(line, spans) {
                Ok(format) => Ok(format),
                Err(reason) => grammar(line, spans)
                    .or_else(|| {
                        self.try_layouts(self.users..self.layouts.len(), line, scratch, spans)
                    })
                    .map_or_else(|| self.free(line, reason, spans), Ok),
            },
        }
    }

    /// Whether `line` as it stands has a layout that the user gave. One without a time describes no header.
    pub(crate) fn is_given(&self, line: &[u8], scratch: &mut Vec<u8>, spans: &mut Spans) -> bool {
        self.users > 0
            && self
                .try_layouts(0..self.users, line, scratch, spans)
                .is_some()
            && spans.has(Field::Time)
    }

    /// The first layout in `range` that fits.
    fn try_layouts(
        &self,
        range: std::ops::Range<usize>,
        line: &[u8],
        scratch: &mut Vec<u8>,
        spans: &mut Spans,
    ) -> Option<FormatRef> {
        for index in range {
            let layout = self.layouts.get(index)?;
            if layout
                .first_byte()
                .is_some_and(|byte| line.first() != Some(&byte))
            {
                continue;
            }
            spans.clear();
            if layout.find(line, scratch, spans).is_ok() {
                return Some(FormatRef {
                    index: (NAMES.len() + index) as u16,
                    edge: layout.edge(),
                });
            }
        }
        spans.clear();
        None
    }

    fn ncsa(&self, line: &[u8], spans: &mut Spans) -> Result<FormatRef, Reason> {
        let found = ncsa::parse(line, spans)?;
        let plain = usize::from(found.host) * 4 + usize::from(found.combined) * 2;
        if found.host_for_ident && found.combined {
            tail::parse(line, found.tail, true, spans);
            let extended = usize::from(found.tail < line.len());
            // lighttpd's default, and that of large hosters with httpd: its error log or its format string tells. What
            // docs/edges.md advises for lighttpd carries both of these keys, and no other edge's layout does.
            let is_advised = spans.has(Field::DurationMicros) && spans.has(Field::ConnectionStatus);
            let edge = if is_advised {
                Edge::Lighttpd
            } else {
                Edge::Unknown
            };
            return Ok(built_in(plain + extended, edge));
        }
        if found.tail >= line.len() {
            return Ok(built_in(plain, Edge::Unknown));
        }
        if found.combined && haproxy::clf_tail(line, found.tail, spans).is_some() {
            let visit = Visit::new(line, &[], spans);
            if visit.get(Field::Request) == Some(haproxy::CLF_TCP) {
                return Err(Reason::UnknownLayout);
            }
            return Ok(const { named("haproxy-clf", Edge::Haproxy) });
        }
        if squid::result_and_way(line, &found, spans) {
            return Ok(match found.combined {
                true => const { named("squid-combined", Edge::Squid) },
                false => const { named("squid-common", Edge::Squid) },
            });
        }
        if traffic_server::extended(line, &found, spans) {
            return Ok(const { named("trafficserver-extended", Edge::TrafficServer) });
        }
        if found.combined && !found.host {
            for (name, tail) in &self.tails {
                if tail.find(line, found.tail, spans) {
                    let index = NAMES.len() + self.layouts.len() + name;
                    return Ok(built_in(index, self.tail_names[*name].1));
                }
            }
        }
        if found.combined && !found.host && traefik::tail(line, found.tail, spans) {
            return Ok(const { named("traefik-common", Edge::Traefik) });
        }
        let edge = tail::parse(line, found.tail, found.combined, spans);
        Ok(built_in(plain + 1, edge))
    }

    /// The last try, for a line that the others refused for `reason`. One that was cut is no layout of its own.
    pub(crate) fn free(
        &self,
        line: &[u8],
        reason: Reason,
        spans: &mut Spans,
    ) -> Result<FormatRef, Reason> {
        if reason == Reason::LineEndsEarly {
            return Err(reason);
        }
        spans.clear();
        let edge = free::parse(line, &self.json, spans).map_err(|_| reason)?;
        let free = const { named("free-form", Edge::Unknown) };
        Ok(FormatRef { edge, ..free })
    }

    fn caddy_console(
        &self,
        line: &[u8],
        console: &caddy::Console<'_>,
        scratch: &mut Vec<u8>,
        spans: &mut Spans,
    ) -> Result<FormatRef, Reason> {
        if !console.is_request() {
            return Err(Reason::NotRequest);
        }
        let object = line.get(console.object..).unwrap_or_default();
        json::caddy_fields(object, &self.json, scratch, spans)?;
        spans.shift(console.object);
        spans.set(Field::Time, console.time.start, console.time.end);
        let has = |field| spans.has(field);
        if !(has(Field::Target) && has(Field::Status)) {
            return Err(Reason::NotRequest);
        }
        Ok(const { named("caddy-console", Edge::Caddy) })
    }

    fn json(
        &self,
        line: &[u8],
        scratch: &mut Vec<u8>,
        spans: &mut Spans,
    ) -> Result<FormatRef, Reason> {
        let edge = json::record(line, &self.json, scratch, spans)?;
        Ok(json::format(edge))
    }

    /// Compiles a layout from facts. What the NCSA parser reads by itself is left to it.
    fn add_built_in(&mut self, format: &'static knowledge::Format) {
        if let Some(tail) = layout::Tail::of(format.string) {
            self.tails.push((self.tail_names.len(), tail));
            self.tail_names.push((format.name, format.edge));
            return;
        }
        let is_ncsa = !format.samples.is_empty()
            && format
                .samples
                .iter()
                .all(|sample| ncsa::parse(sample.as_bytes(), &mut Spans::new()).is_ok());
        if is_ncsa {
            return;
        }
        if let Ok((layout, _)) = Layout::of_edge(format.name, format.edge, format.string) {
            self.layouts.push(layout);
        }
    }
}

/// The first grammar that takes `line`.
fn grammar(line: &[u8], spans: &mut Spans) -> Option<FormatRef> {
    GRAMMARS.into_iter().find_map(|(format, parse)| {
        spans.clear();
        parse(line, spans).ok().map(|()| format)
    })
}

/// A layout by its name in [`NAMES`]. Called where constants are made, so that it costs nothing and a wrong name does not
/// compile.
const fn named(name: &str, edge: Edge) -> FormatRef {
    let mut index = 0;
    while !is_same(NAMES[index], name) {
        index += 1;
    }
    built_in(index, edge)
}

const fn is_same(one: &str, other: &str) -> bool {
    let (one, other) = (one.as_bytes(), other.as_bytes());
    let mut at = 0;
    while at < one.len() && at < other.len() && one[at] == other[at] {
        at += 1;
    }
    at == one.len() && at == other.len()
}

const fn built_in(index: usize, edge: Edge) -> FormatRef {
    FormatRef {
        index: index as u16,
        edge,
    }
}

#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
