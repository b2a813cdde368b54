//! A line that may be shown to strangers and still says the same about what failed.
//!
//! Two looks at a log: the first learns which words stand in the paths of crawlers, the second rewrites line by line.
//! What is known of a line is kept or replaced field by field; of what lies between the fields only marks, numbers and
//! the names of values stay. A line that is not understood is left out, and so is an entry of an error log that no sign
//! stands in.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::ops::Range;

use model::{Edge, Field, LogKind};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::envelope::{self, Envelopes, Opened};
use crate::error_log::{self, ErrorLine, Part};
use crate::format::{Formats, caddy};
use crate::identity::Client;
use crate::path::{Known, Target};
use crate::scan::{Intake, LINE_MAX};
use crate::visit::{Spans, Visit};

/// What is remembered from line to line, so that one client stays one.
#[derive(Default)]
pub struct Redactor {
    /// Addresses met, with their number.
    addresses: FxHashMap<IpAddr, u32>,
    /// Hashes of the words in crawlers' paths.
    words: FxHashSet<u64>,
    /// Products of which an entry was written: one at least, so that its error log still names it.
    named: FxHashSet<Edge>,
    /// Leave host names as they are.
    keep_hosts: bool,
}

impl Redactor {
    /// Remembers nothing. `keep_hosts`: leave the names of the site's hosts as they are.
    pub fn new(keep_hosts: bool) -> Self {
        Self {
            keep_hosts,
            ..Self::default()
        }
    }
}

/// Words that name no one.
const PLAIN_WORDS: [&[u8]; 7] = [
    b"robots.txt",
    b"sitemap.xml",
    b"favicon.ico",
    b".well-known",
    b"ads.txt",
    b"feed",
    b"wp-login.php",
];

/// Words with which entries of error logs introduce what they quote.
const ENTRY_LABELS: [&[u8]; 13] = [
    b"client",
    b"remote",
    b"server",
    b"request",
    b"subrequest",
    b"upstream",
    b"host",
    b"referrer",
    b"referer",
    b"for",
    b"url",
    b"ctx",
    // H2O: `in request:`.
    b"in",
];

/// How a field is treated.
enum Rule {
    /// It says nothing of a visitor.
    Keep,
    /// It is of no use to a diagnosis.
    Leave,
    /// Kept for crawlers.
    Agent,
    /// Method, target, protocol.
    Request,
    /// A path, an URL or a query of its own.
    Target,
    Query,
    Host,
    /// Only whether two are the same matters.
    Id,
    /// Addresses, or lists of them.
    Addresses,
    /// The name of a group of upstreams.
    Group,
}

/// A new field must be thought about here.
const fn rule(field: Field) -> Rule {
    match field {
        Field::RemoteUser | Field::Referer | Field::Cookie => Rule::Leave,
        Field::UserAgent => Rule::Agent,
        Field::Request => Rule::Request,
        Field::Target => Rule::Target,
        Field::Query => Rule::Query,
        Field::Host | Field::ServerName => Rule::Host,
        Field::RequestId | Field::ErrorLogId => Rule::Id,
        Field::UpstreamName => Rule::Group,
        Field::ClientAddr
        | Field::ForwardedFor
        | Field::UpstreamAddr
        | Field::UpstreamServer
        | Field::UpstreamLocalAddr
        | Field::UpstreamError
        | Field::UpstreamTlsError
        | Field::ResponseCodeDetails
        | Field::TerminationDetails
        | Field::ErrorDetail
        | Field::Via
        | Field::BackendOpen
        | Field::ProxyStatusHeader
        | Field::ServerHeader
        | Field::Hierarchy => Rule::Addresses,
        Field::Time
        | Field::Method
        | Field::Protocol
        | Field::Scheme
        | Field::Status
        | Field::BytesSent
        | Field::Duration
        | Field::DurationMillis
        | Field::DurationMicros
        | Field::DurationNanos
        | Field::UpstreamStatus
        | Field::UpstreamConnectTime
        | Field::UpstreamHeaderTime
        | Field::UpstreamResponseTime
        | Field::UpstreamBytesReceived
        | Field::UpstreamContentLength
        | Field::UpstreamResponseLength
        | Field::CacheStatus
        | Field::Connection
        | Field::ProxyStatus
        | Field::Handler
        | Field::ConnectionStatus
        | Field::RetryAfter
        | Field::TerminationState
        | Field::QueueMillis
        | Field::ConnectMillis
        | Field::ResponseMillis
        | Field::Retries
        | Field::AttemptCount
        | Field::ResponseFlags
        | Field::ConnectionOpened
        | Field::OriginStatus
        | Field::ResultCode
        | Field::FinishStatus
        | Field::ErrorCode
        | Field::Handling
        | Field::Side
        | Field::ResponseReason
        | Field::TransformedFrom
        | Field::Rule
        | Field::WatchesClient => Rule::Keep,
    }
}

impl Intake {
    /// First look at a line: which words stand in the paths of crawlers.
    pub fn learn(&self, line: &[u8], redactor: &mut Redactor) {
        if line.len() > LINE_MAX {
            return;
        }
        let mut envelopes = Envelopes::default();
        let opened = envelope::open(line);
        if !self.learn_from(opened.line, redactor)
            && let Some(within) = envelopes.open_record(&opened)
        {
            self.learn_from(within.line, redactor);
        }
    }

    /// Whether the line is a request.
    fn learn_from(&self, line: &[u8], redactor: &mut Redactor) -> bool {
        let (mut scratch, mut spans) = (Vec::new(), Spans::new());
        let found = self.formats().recognise(line, &mut scratch, &mut spans);
        if found.is_err() {
            return false;
        }
        let visit = Visit::new(line, &scratch, &spans);
        if !self.is_fetch(&visit) {
            return true;
        }
        let target = match visit.value(Field::Request) {
            Some(request) => request.split(|byte| *byte == b' ').nth(1),
            None => visit.value(Field::Target),
        };
        let path = Target::of(target.unwrap_or_default()).path;
        // As reports show it: what is personal by its shape is no word there.
        let mut text = String::new();
        let shown = Known::of(&self.secret, path).text(path, &mut text);
        let words = shown.split('/').map(str::as_bytes);
        redactor
            .words
            .extend(words.map(|word| self.secret.hash(word)));
        true
    }

    /// Second look: the line as it may be shown, appended to `out`. False where it is left out. What stands around the
    /// line names hosts and may hold anything: a header of ours that says the same takes its place.
    pub fn redact(
        &self,
        line: &[u8],
        kind: LogKind,
        redactor: &mut Redactor,
        out: &mut Vec<u8>,
    ) -> bool {
        if line.len() > LINE_MAX {
            return false;
        }
        let mut envelopes = Envelopes::default();
        let mut opened = envelope::open(line);
        let (mut scratch, mut spans) = (Vec::new(), Spans::new());
        if opened.around.depth > 0 && self.formats().is_given(line, &mut scratch, &mut spans) {
            opened = Opened::plain(line);
        }
        if self.rewrite(&opened, kind, redactor, out) {
            return true;
        }
        envelopes
            .open_record(&opened)
            .is_some_and(|within| self.rewrite(&within, kind, redactor, out))
    }

    fn rewrite(
        &self,
        opened: &Opened<'_>,
        kind: LogKind,
        redactor: &mut Redactor,
        out: &mut Vec<u8>,
    ) -> bool {
        let inner = opened.line;
        let (mut scratch, mut spans) = (Vec::new(), Spans::new());
        let mut work = Work {
            intake: self,
            redactor,
            line: inner,
            is_entry: false,
            head: 0,
            object: match inner.first() {
                Some(b'{') => 0,
                _ => inner.len(),
            },
            parts: Vec::new(),
        };
        for (_, address) in addresses(inner) {
            address
                .into_iter()
                .for_each(|address| work.redactor.number(address));
        }
        let is_entry = |work: &mut Work<'_>| {
            let Some(mut entry) = error_log::parse(inner) else {
                return false;
            };
            // What says nothing of a failure may say anything else, unless it speaks of the edge alone.
            let is_kept = self.is_telling(&entry) || error_log::is_of_the_edge_itself(&entry);
            let is_first = is_named_by_entries(entry.edge)
                && entry.part == Part::Whole
                && !work.redactor.named.contains(&entry.edge);
            if is_kept || is_first {
                work.redactor.named.insert(entry.edge);
                if !is_kept {
                    entry.words = [b"", b""];
                    let message = place(inner, entry.message).filter(|message| message.start > 0);
                    let unsaid = message.map(|range| (range, Becomes::Text(b"x".to_vec())));
                    work.parts.extend(unsaid);
                }
                work.entry(&entry);
            }
            is_kept || is_first
        };
        let is_request = |work: &mut Work<'_>, scratch: &mut Vec<u8>, spans: &mut Spans| {
            let found = self.formats().recognise(inner, scratch, spans);
            found
                .map(|_| work.request(&Visit::new(inner, scratch, spans), spans))
                .is_ok()
        };
        // A source of entries may hold requests, and the other way round.
        let understood = (kind == LogKind::Error && is_entry(&mut work))
            || is_request(&mut work, &mut scratch, &mut spans)
            || (kind != LogKind::Error && is_entry(&mut work));
        if !understood {
            return false;
        }
        let newest = self.settings.plausible.map(|(_, newest)| newest);
        opened.around.write_header(newest, out);
        work.write(out);
        true
    }

    /// The pieces of an entry's words that the product itself wrote: all that no quotation holds, and in one what a sign
    /// looks for.
    fn own_words<'line>(&self, edge: Edge, words: &'line [u8]) -> Vec<&'line [u8]> {
        let Some(quoted) = quotation(words).or_else(|| address_of_page(words)) else {
            return vec![words];
        };
        let literals = self.signs().literals_in(edge, words).into_iter();
        let inside =
            literals.filter(|literal| literal.start < quoted.end && literal.end > quoted.start);
        let around = [0..quoted.start, quoted.end..words.len()];
        let all = around.into_iter().chain(inside);
        all.filter_map(|range| words.get(range)).collect()
    }

    /// What signs look for in an entry's words.
    fn sought_words<'line>(&self, edge: Edge, words: &'line [u8]) -> Vec<&'line [u8]> {
        let literals = self.signs().literals_in(edge, words).into_iter();
        literals.filter_map(|range| words.get(range)).collect()
    }

    fn is_fetch(&self, visit: &Visit<'_>) -> bool {
        // A claim from outside a stale list keeps its path to itself: what is shown once cannot be taken back.
        let client = self.agents().client(visit, None);
        matches!(client, Client::Crawler(_))
    }
}

/// Where in the product's words a quotation begins and ends: what an application or a client said, in either quotes.
fn quotation(words: &[u8]) -> Option<Range<usize>> {
    let single = memchr::memmem::find(words, b" '").map(|at| (at + 1, b'\''));
    let double = memchr::memchr(b'"', words).map(|at| (at, b'"'));
    let (start, mark) = [single, double].into_iter().flatten().min()?;
    let end = memchr::memrchr(mark, words).filter(|end| *end > start);
    Some(start + 1..end.unwrap_or(words.len()))
}

/// Where a whole URL stands in the product's words: what a client asked for.
fn address_of_page(words: &[u8]) -> Option<Range<usize>> {
    let mark = memchr::memmem::find(words, b"://")?;
    let start = memchr::memrchr(b' ', words.get(..mark)?).map_or(0, |at| at + 1);
    let rest = words.get(mark..)?;
    let end = memchr::memchr(b' ', rest).map_or(words.len(), |at| mark + at);
    // The scheme alone ends the words that stand before an upstream.
    (end > mark + 3).then_some(start..end)
}

/// Products that an access log in a layout of several products does not name, and before whose messages stand no words
/// of the operator's: an entry that says nothing may be shown without its message.
const fn is_named_by_entries(edge: Edge) -> bool {
    matches!(
        edge,
        Edge::Nginx | Edge::Apache | Edge::Lighttpd | Edge::Nghttpx | Edge::H2o
    )
}

/// Where `part` stands in `whole`, of which it is a part.
fn place(whole: &[u8], part: &[u8]) -> Option<Range<usize>> {
    let start = (part.as_ptr() as usize).checked_sub(whole.as_ptr() as usize)?;
    let end = start.checked_add(part.len())?;
    (end <= whole.len()).then_some(start..end)
}

/// What becomes of a part of the line.
enum Becomes {
    Same,
    Text(Vec<u8>),
    /// The same, with other addresses.
    OtherAddresses,
}

/// One line being rewritten.
struct Work<'a> {
    intake: &'a Intake,
    redactor: &'a mut Redactor,
    line: &'a [u8],
    /// An entry of an error log quotes what clients sent in places that nothing marks.
    is_entry: bool,
    /// Length of what stands before an entry's message: stamp, level, process.
    head: usize,
    /// Where the line's object begins; its end where it has none.
    object: usize,
    parts: Vec<(Range<usize>, Becomes)>,
}

impl Work<'_> {
    fn request(&mut self, visit: &Visit<'_>, spans: &Spans) {
        let is_fetch = self.intake.is_fetch(visit);
        self.console();
        for field in Field::ALL {
            let (Some(range), Some(value)) = (spans.in_line(field), visit.get(field)) else {
                continue;
            };
            if matches!(value, b"" | b"-") {
                self.parts.push((range, Becomes::Same));
                continue;
            }
            let becomes = match rule(field) {
                Rule::Keep => Becomes::Same,
                Rule::Leave => Becomes::Text(b"-".to_vec()),
                Rule::Agent => Becomes::Text(self.agent(value)),
                Rule::Request => Becomes::Text(self.request_line(value, is_fetch)),
                Rule::Target => Becomes::Text(self.target(value, is_fetch)),
                Rule::Query => Becomes::Text(self.query(value)),
                Rule::Host => Becomes::Text(self.host(value)),
                Rule::Id => Becomes::Text(self.id(value)),
                Rule::Group => match memchr::memchr(b'@', value) {
                    // Traefik names routers after hosts; behind that stands who said so.
                    Some(at) => Becomes::Text([&self.id(&value[..at]), &value[at..]].concat()),
                    None => Becomes::OtherAddresses,
                },
                Rule::Addresses => Becomes::OtherAddresses,
            };
            self.parts.push((range, becomes));
        }
    }

    /// What stands before the object of a line of Caddy's console encoder.
    fn console(&mut self) {
        let Some(console) = caddy::Console::of(self.line) else {
            return;
        };
        self.object = console.object;
        for column in console.columns.into_iter().skip(1) {
            let range = place(self.line, column);
            let text = Becomes::Text(column_of_console(column));
            self.parts.extend(range.map(|range| (range, text)));
        }
    }

    fn entry(&mut self, entry: &ErrorLine<'_>) {
        self.is_entry = true;
        // In an object anything may stand before the message.
        if self.line.first() != Some(&b'{') {
            self.head = place(self.line, entry.message).map_or(0, |message| message.start);
        }
        let mut add = |part: Option<&[u8]>, becomes: Becomes| {
            let range = part.and_then(|part| place(self.line, part));
            self.parts.extend(range.map(|range| (range, becomes)));
        };
        let is_json = self.line.first() == Some(&b'{');
        for (number, words) in entry.words.into_iter().enumerate() {
            // Behind the message an object says where in the code it happened, or more in a field of any content; so
            // does Traefik.
            let parts = if (is_json || entry.edge == Edge::Traefik) && number > 0 {
                self.intake.sought_words(entry.edge, words)
            } else {
                self.intake.own_words(entry.edge, words)
            };
            for part in parts {
                add(Some(part), Becomes::OtherAddresses);
            }
        }
        add(entry.client, Becomes::OtherAddresses);
        let id = entry.log_id.map(|id| self.id(id));
        // The scheme is among the words.
        let upstream = entry.upstream.map(|url| {
            let scheme = memchr::memmem::find(url, b"://").map_or(0, |at| at + 3);
            url.get(scheme..).unwrap_or_default()
        });
        let texts = [
            (entry.log_id, id),
            (
                entry.request,
                entry.request.map(|text| self.request_line(text, false)),
            ),
            (
                entry.subrequest,
                entry.subrequest.map(|text| self.target(text, false)),
            ),
            (
                entry.path_hint,
                entry.path_hint.map(|text| self.target(text, false)),
            ),
            (entry.host, entry.host.map(|text| self.host(text))),
            (entry.server, entry.server.map(|text| self.host(text))),
            (upstream, upstream.map(|text| self.upstream(text))),
        ];
        if let Some((method, target)) = entry.asked {
            let method = place(self.line, method).map(|range| (range, Becomes::Same));
            let becomes = Becomes::Text(self.target(target, false));
            let target = place(self.line, target).map(|range| (range, becomes));
            self.parts.extend(method.into_iter().chain(target));
        }
        for (part, text) in texts {
            let range = part.and_then(|part| place(self.line, part));
            let part = range.zip(text.map(Becomes::Text));
            self.parts.extend(part);
        }
    }

    /// The crawler's name, whoever says it, and what error pages depend on.
    fn agent(&self, value: &[u8]) -> Vec<u8> {
        let chrome = match memchr::memmem::find(value, b"Chrome/") {
            Some(_) => " Chrome/1",
            None => "",
        };
        let matcher = self.intake.matcher();
        if let Some(crawler) = matcher.find(value) {
            let tokens = knowledge::crawler(crawler).tokens.iter();
            let names = tokens.flat_map(|token| {
                [
                    format!("Mozilla/5.0 (compatible; {token}{chrome})"),
                    (*token).to_owned(),
                ]
            });
            let same = |name: &String| matcher.find(name.as_bytes()) == Some(crawler);
            if let Some(name) = names.into_iter().find(same) {
                return name.into_bytes();
            }
        }
        format!("Mozilla/5.0 (redacted){chrome}").into_bytes()
    }

    fn request_line(&self, text: &[u8], is_fetch: bool) -> Vec<u8> {
        let mut words = text.splitn(2, |byte| *byte == b' ');
        let method = words.next().unwrap_or_default();
        let Some(rest) = words.next() else {
            return b"-".to_vec();
        };
        let end = memchr::memrchr(b' ', rest).filter(|at| {
            rest.get(at + 1..)
                .is_some_and(|word| word.starts_with(b"HTTP/"))
        });
        let (target, protocol) = rest.split_at(end.unwrap_or(rest.len()));
        let is_method = !method.is_empty() && method.iter().all(u8::is_ascii_uppercase);
        let method = if is_method { method } else { b"GET".as_slice() };
        [method, b" ", &self.target(target, is_fetch), protocol].concat()
    }

    /// A target: host, path word by word, query as a number.
    fn target(&self, text: &[u8], is_fetch: bool) -> Vec<u8> {
        let target = Target::of(text);
        let mut out = Vec::new();
        if let Some(host) = target.host {
            let scheme: &[u8] = if target.https == Some(true) {
                b"https://"
            } else {
                b"http://"
            };
            out.extend_from_slice(scheme);
            out.extend(self.host(host));
        }
        out.extend(self.path(target.path, is_fetch));
        if let Some(query) = target.query {
            out.push(b'?');
            out.extend(self.query(query));
        }
        out
    }

    /// A crawler's path as reports show it; of others only words that stand in crawlers' paths.
    fn path(&self, path: &[u8], is_fetch: bool) -> Vec<u8> {
        let mut text = String::new();
        if is_fetch {
            let known = Known::of(&self.intake.secret, path);
            return known.text(path, &mut text).replace("{…}", "-").into_bytes();
        }
        let words = path.split(|byte| *byte == b'/').map(|word| self.word(word));
        words.collect::<Vec<_>>().join(&b'/')
    }

    fn word(&self, word: &[u8]) -> Vec<u8> {
        // H2O cuts long paths: what is left of a word would be another one.
        if word.ends_with(b"...") {
            return b"...".to_vec();
        }
        let hash = self.intake.secret.hash(word);
        let is_known =
            word.is_empty() || PLAIN_WORDS.contains(&word) || self.redactor.words.contains(&hash);
        if is_known {
            return word.to_vec();
        }
        if word.iter().all(u8::is_ascii_digit) {
            // A number stays a number, of about the same length.
            let digits = format!("{:020}", hash);
            let len = word.len().min(18);
            return digits.as_bytes().iter().rev().take(len).copied().collect();
        }
        format!("s{:06x}", hash & 0xff_ffff).into_bytes()
    }

    /// `10.0.0.1:8080/path?query`, or an address alone.
    fn upstream(&self, text: &[u8]) -> Vec<u8> {
        let address = error_log::upstream_address(text);
        let Some(range) = place(text, address) else {
            return b"-".to_vec();
        };
        // Credentials that stand before the address are left out.
        let behind = text.get(range.end..).unwrap_or_default();
        let mut out = Vec::new();
        self.redactor.known_addresses_in(address, &mut out);
        match behind.first() {
            Some(b'/') => out.extend(self.target(behind, false)),
            // nginx puts a colon between the socket's path and the request's.
            Some(b':') => {
                out.push(b':');
                out.extend(self.target(behind.get(1..).unwrap_or_default(), false));
            }
            _ => {}
        }
        out
    }

    fn host(&self, text: &[u8]) -> Vec<u8> {
        let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || b".-_:[]".contains(byte);
        let colon = memchr::memrchr(b':', text).filter(|at| {
            let port = text.get(at + 1..).unwrap_or_default();
            !port.is_empty() && port.iter().all(u8::is_ascii_digit) && !text.ends_with(b"]")
        });
        let (name, port) = text.split_at(colon.unwrap_or(text.len()));
        let lower = name.to_ascii_lowercase();
        if self.redactor.keep_hosts && text.iter().all(is_word) && address_of(name).is_none() {
            return text.to_vec();
        }
        let hash = self.intake.secret.hash(&lower) & 0xffff_ffff;
        [format!("h{hash:08x}.example").as_bytes(), port].concat()
    }

    /// The same for the same text, with letters for letters and digits for digits: an id is known by its shape.
    fn id(&self, text: &[u8]) -> Vec<u8> {
        /// Ids are shorter.
        const LEN_MAX: usize = 64;
        let digits = self.intake.secret.hash(text).to_le_bytes();
        let one = |(byte, digit): (&u8, u8)| match byte {
            b'A'..=b'Z' => b'A' + digit % 26,
            // Hexadecimal digits stay such.
            b'a'..=b'f' => b'a' + digit % 6,
            b'g'..=b'z' => b'g' + digit % 20,
            b'0'..=b'9' => b'0' + digit % 10,
            b'-' | b'_' | b'+' | b'/' | b'@' | b':' | b'.' => *byte,
            _ => b'x',
        };
        let text = text.get(..text.len().min(LEN_MAX)).unwrap_or_default();
        text.iter()
            .zip(digits.into_iter().cycle())
            .map(one)
            .collect()
    }

    fn query(&self, text: &[u8]) -> Vec<u8> {
        format!("{:08x}", self.intake.secret.hash(text) & 0xffff_ffff).into_bytes()
    }

    /// Writes the parts, and what may stay of what lies between them.
    fn write(&mut self, out: &mut Vec<u8>) {
        let mut parts = std::mem::take(&mut self.parts);
        // The longer of two that begin together holds the other one.
        parts.sort_by_key(|(range, _)| (range.start, std::cmp::Reverse(range.end)));
        let mut at = 0;
        for (range, becomes) in parts {
            let range = match becomes {
                // Kept pieces may overlap.
                Becomes::OtherAddresses | Becomes::Same => range.start.max(at)..range.end,
                Becomes::Text(_) => range,
            };
            if range.start < at || range.is_empty() {
                continue;
            }
            self.between(at..range.start, out);
            let part = self.line.get(range.clone()).unwrap_or_default();
            match becomes {
                Becomes::Same => out.extend_from_slice(part),
                Becomes::Text(text) => out.extend(text),
                Becomes::OtherAddresses => self.redactor.addresses_in(part, out),
            }
            at = range.end;
        }
        self.between(at..self.line.len(), out);
    }

    fn between(&mut self, range: Range<usize>, out: &mut Vec<u8>) {
        let head = range.start..range.end.min(self.head);
        let rest = range.start.max(self.head)..range.end;
        let head = self.line.get(head).unwrap_or_default();
        let rest = self.line.get(rest).unwrap_or_default();
        self.redactor.addresses_in(head, out);
        let lies_in = match range.start >= self.object {
            true => LiesIn::Json,
            _ if self.is_entry => LiesIn::Entry,
            _ => LiesIn::Layout,
        };
        self.redactor
            .between(rest, lies_in, self.intake.formats(), out);
    }
}

/// A level without its colours, the access log's logger or message.
fn column_of_console(column: &[u8]) -> Vec<u8> {
    let is_mark = |byte: &u8| !byte.is_ascii_uppercase();
    let level = column.split(is_mark).find(|word| word.len() >= 4);
    if column == b"handled request" {
        column.to_vec()
    } else if column.starts_with(b"http.") {
        // Behind that stands a name of the site's own.
        let parts: Vec<&[u8]> = column.split(|byte| *byte == b'.').take(3).collect();
        parts.join(&b'.')
    } else {
        level.unwrap_or(b"x").to_vec()
    }
}

/// What a piece of a line lies in: that decides what may be told by it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum LiesIn {
    /// A line of an access log.
    Layout,
    /// An entry of an error log.
    Entry,
    /// An object.
    Json,
}

/// Words with which programs say in JSON what a line is, and stamps.
fn is_word_of_json(word: &[u8]) -> bool {
    const WORDS: [&[u8]; 13] = [
        b"info", b"error", b"warn", b"debug", b"handled", b"request", b"null", b"true", b"false",
        b"http", b"https", b"GET", b"traefik",
    ];
    let is_logger = word.starts_with(b"http.log.") || word.starts_with(b"http.handlers.");
    let digit = |at: usize| word.get(at).is_some_and(u8::is_ascii_digit);
    let is_date = (0..4).all(digit) && word.get(4) == Some(&b'-') && digit(5);
    let is_stamp = word
        .iter()
        .all(|byte| byte.is_ascii_digit() || b"-.+TZ".contains(byte))
        && (is_date || word.contains(&b'.') || word.ends_with(b"Z"));
    WORDS.contains(&word) || is_logger || is_stamp
}

impl Redactor {
    /// Appends `text` with every address replaced.
    fn addresses_in(&mut self, text: &[u8], out: &mut Vec<u8>) {
        for (_, address) in addresses(text) {
            address.into_iter().for_each(|address| self.number(address));
        }
        self.known_addresses_in(text, out);
    }

    /// The same, for addresses met before; others become one that says nothing.
    fn known_addresses_in(&self, text: &[u8], out: &mut Vec<u8>) {
        for (range, address) in addresses(text) {
            match address {
                Some(address) => out.extend(self.stand_in(address).as_bytes()),
                None => out.extend_from_slice(text.get(range).unwrap_or_default()),
            }
        }
    }

    fn number(&mut self, address: IpAddr) {
        let next = u32::try_from(self.addresses.len()).unwrap_or(u32::MAX);
        self.addresses.entry(address).or_insert(next);
    }

    /// Addresses of the nets for benchmarks and documentation: RFC 2544, RFC 3849. Those of this machine stay.
    fn stand_in(&self, address: IpAddr) -> String {
        if address.is_loopback() || address.is_unspecified() {
            return address.to_string();
        }
        let number = self.addresses.get(&address).copied().unwrap_or(0);
        match address {
            // 198.18.0.0/15 has 17 bits.
            IpAddr::V4(_) => {
                let bits = u32::from(Ipv4Addr::new(198, 18, 0, 0)) | ((number + 1) & 0x1_ffff);
                Ipv4Addr::from_bits(bits).to_string()
            }
            IpAddr::V6(_) => {
                let net = u128::from(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0));
                Ipv6Addr::from_bits(net | (u128::from(number) + 1)).to_string()
            }
        }
    }

    /// What lies between the fields: marks, short numbers and names of values stay, words do not.
    fn between(&mut self, text: &[u8], lies_in: LiesIn, formats: &Formats, out: &mut Vec<u8>) {
        let (is_json, is_entry) = (lies_in == LiesIn::Json, lies_in == LiesIn::Entry);
        /// Longer ones may be telephone numbers and the like.
        const DIGITS_MAX: usize = 6;
        let mut plain = Vec::new();
        self.addresses_in(text, &mut plain);
        let is_word =
            |byte: u8| byte.is_ascii_alphanumeric() || b"_-.%+@".contains(&byte) || byte >= 0x80;
        let mut at = 0;
        while let Some(&byte) = plain.get(at) {
            if !is_word(byte) {
                // Control characters have no place in what people paste.
                out.push(if byte.is_ascii_control() && byte != b'\t' {
                    b'.'
                } else {
                    byte
                });
                at += 1;
                continue;
            }
            let rest = plain.get(at..).unwrap_or_default();
            let len = rest.iter().take_while(|byte| is_word(**byte)).count();
            let (word, behind) = rest.split_at(len);
            let digits = word.iter().filter(|byte| byte.is_ascii_digit()).count();
            let is_number = word
                .iter()
                .all(|byte| byte.is_ascii_digit() || b".-+".contains(byte));
            let names_value = if is_json {
                matches!(behind, [b'"', b':', ..] | [b'"', b' ', b':', ..])
                    && formats.knows_key(word)
            } else if is_entry {
                ENTRY_LABELS.contains(&word) || behind.starts_with(b"\":")
            } else {
                matches!(
                    behind,
                    [b'=', ..]
                        | [b':', b' ', ..]
                        | [b'"', b':', ..]
                        | [b'"', b' ', b':', ..]
                        | [b'(', ..]
                )
            };
            // Behind an address stands its port.
            let is_port = at > 0 && plain.get(at - 1) == Some(&b':') && digits <= 5;
            let is_address = address_of(word).is_some();
            // The unit of Traefik's duration: what its layout is known by.
            let is_unit = word == b"ms";
            let is_known = is_json && is_word_of_json(word) || is_address || is_unit;
            if is_known {
                // A logger may have a name of the site's own behind what Caddy calls it.
                let parts: Vec<&[u8]> = word.split(|byte| *byte == b'.').take(3).collect();
                let is_logger = is_json && word.starts_with(b"http.");
                match is_logger {
                    true => out.extend(parts.join(&b'.')),
                    false => out.extend_from_slice(word),
                }
            } else if is_number && (is_entry && !is_port || digits > DIGITS_MAX) && digits > 0 {
                out.push(b'0');
            } else if is_number || names_value || len == 1 {
                out.extend_from_slice(word);
            } else {
                out.push(b'x');
            }
            at += len;
        }
    }
}

/// Cuts `text` into addresses and what lies between them.
fn addresses(text: &[u8]) -> impl Iterator<Item = (Range<usize>, Option<IpAddr>)> {
    let is_part = |byte: u8| byte.is_ascii_hexdigit() || matches!(byte, b'.' | b':');
    let mut at = 0;
    std::iter::from_fn(move || {
        let start = at;
        if start >= text.len() {
            return None;
        }
        let mut search = start;
        while search < text.len() {
            let rest = text.get(search..).unwrap_or_default();
            let begins = rest.first().copied().is_some_and(is_part)
                && !search
                    .checked_sub(1)
                    .and_then(|before| text.get(before))
                    .is_some_and(|byte| {
                        byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_')
                    });
            let len = rest.iter().take_while(|byte| is_part(**byte)).count();
            if !begins {
                search += len.max(1);
                continue;
            }
            if let Some((address, used)) = longest_address(rest.get(..len).unwrap_or_default())
                && !is_version(text, search)
            {
                if search > start {
                    at = search;
                    return Some((start..search, None));
                }
                at = search + used;
                return Some((search..at, Some(address)));
            }
            search += len.max(1);
        }
        at = text.len();
        Some((start..text.len(), None))
    })
}

/// The address that `text` begins with, and its length: a port may stand behind it.
fn longest_address(text: &[u8]) -> Option<(IpAddr, usize)> {
    let ends = (1..=text.len())
        .rev()
        .filter(|end| *end == text.len() || matches!(text.get(*end), Some(b':' | b'.')));
    ends.filter_map(|end| Some((address_of(text.get(..end)?)?, end)))
        .next()
}

fn address_of(text: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(text).ok()?;
    text.trim_matches(['[', ']']).parse().ok()
}

/// `Chrome/120.0.0.0` is no address; `http://192.0.2.1` is one.
fn is_version(text: &[u8], at: usize) -> bool {
    let before = text.get(..at).unwrap_or_default();
    before.ends_with(b"/") && !before.ends_with(b"//")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;
    use crate::{Formats, Ranges, Secret, Settings};

    fn redacted(kind: LogKind, lines: &[&str]) -> Vec<String> {
        let intake = Intake::new(
            Settings::default(),
            Secret::new([7; 16]),
            Ranges::default(),
            Formats::new(Vec::new()),
        );
        let mut redactor = Redactor::new(false);
        for line in lines {
            intake.learn(line.as_bytes(), &mut redactor);
        }
        let one = |line: &&str| {
            let mut out = Vec::new();
            let shown = intake.redact(line.as_bytes(), kind, &mut redactor, &mut out);
            shown.then(|| String::from_utf8(out).unwrap())
        };
        lines.iter().filter_map(one).collect()
    }

    const BOT: &str = r#"192.0.2.7 - - [22/Nov/2026:07:25:33 +0000] "GET /product/17 HTTP/1.1" 502 157 "-" "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)""#;
    const PERSON: &str = r#"203.0.113.9 - anna [22/Nov/2026:07:25:33 +0000] "GET /product/secret?name=anna HTTP/1.1" 502 559 "https://shop.example/anna" "Mozilla/5.0 Chrome/120.0.0.0" rt=0.1 user=anna"#;

    #[test]
    fn a_persons_line_keeps_what_is_known_of_crawlers_and_nothing_else() {
        let lines = redacted(LogKind::Access, &[BOT, PERSON]);
        assert!(
            lines[0].contains("GET /product/17 HTTP/1.1"),
            "{}",
            lines[0]
        );
        assert!(lines[0].contains("Googlebot"), "{}", lines[0]);
        assert!(!lines[0].contains("192.0.2.7"), "{}", lines[0]);
        for word in ["anna", "secret", "203.0.113.9", "shop.example", "120"] {
            assert!(!lines[1].contains(word), "{word}: {}", lines[1]);
        }
        for word in ["\"GET /product/s", "502 559", "rt=0.1", "Chrome/"] {
            assert!(lines[1].contains(word), "{word}: {}", lines[1]);
        }
    }

    #[test]
    fn one_client_stays_one_and_joins_its_error_line() {
        let error = r#"2026/11/22 07:25:33 [error] 7#7: *1 connect() failed (111: Connection refused) while connecting to upstream, client: 203.0.113.9, server: shop.example, request: "GET /product/secret?name=anna HTTP/1.1", upstream: "http://10.0.0.1:8080/product/secret?name=anna", host: "shop.example", referrer: "https://shop.example/anna""#;
        let lines = redacted(LogKind::Access, &[BOT, PERSON, error]);
        assert_eq!(lines.len(), 3);
        let address = lines[1].split(' ').next().unwrap();
        assert!(
            lines[2].contains(&format!("client: {address},")),
            "{}",
            lines[2]
        );
        let request = lines[1].split('"').nth(1).unwrap();
        assert!(lines[2].contains(request), "{request}: {}", lines[2]);
        assert!(lines[2].contains("connect() failed (111: Connection refused) while connecting"));
        for word in ["anna", "10.0.0.1", "shop.example", "secret"] {
            assert!(!lines[2].contains(word), "{word}: {}", lines[2]);
        }
    }

    #[test]
    fn addresses_are_told_from_versions_and_times() {
        let mut redactor = Redactor::new(false);
        let mut of = |text: &str| {
            let mut out = Vec::new();
            redactor.addresses_in(text.as_bytes(), &mut out);
            String::from_utf8(out).unwrap()
        };
        assert_eq!(of("http://192.0.2.1:80/"), "http://198.18.0.1:80/");
        assert_eq!(
            of("[2001:db8:1::9]:443, 192.0.2.1"),
            "[2001:db8::2]:443, 198.18.0.1"
        );
        assert_eq!(
            of("Chrome/120.0.0.0 07:25:33 10:00"),
            "Chrome/120.0.0.0 07:25:33 10:00"
        );
        assert_eq!(of("127.0.0.1"), "127.0.0.1");
    }

    #[test]
    fn what_is_not_understood_is_left_out() {
        assert!(redacted(LogKind::Access, &["anna said hello", ""]).is_empty());
    }
}
