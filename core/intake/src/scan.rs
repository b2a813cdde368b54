//! Stateless per line: bytes of a chunk to requests, and to what must wait for a neighbour.

use std::sync::Arc;

use knowledge::CrawlerMatcher;
use model::{
    Attempt, Confidence, CrawlerId, Edge, Fetch, Field, LogKind, Method, Outcome, Place, Request,
    Scheme, Sign, SourceId, Stamp, Status,
};

use crate::attribute::{
    self, Attribution, ErrorFinding, FailureStatuses, REUSED, Signs, needs_attribution,
};
use crate::confirm::{self, Answers, Suspects};
use crate::envelope::{self, Around, Envelopes, Opened, Program};
use crate::error_log::{self, ErrorLine, Level, Part};
use crate::filter::Filter;
use crate::format::{FormatRef, Formats, Moment, Reason, TimeMemo};
use crate::held::{AttemptLine, Held, HeldAttempt, HeldError, HeldFetch, HeldRequest};
use crate::identity::{Agents, Client, Evidence};
use crate::path::{Known, Target};
use crate::ranges::Ranges;
use crate::secret::Secret;
use crate::seen::{Seen, Sources};
use crate::sender::Proxies;
use crate::settle::weighs;
use crate::state::may_stand_in;
use crate::visit::{Spans, Visit};

/// Longest line that is read; a longer one is counted as not understood.
pub const LINE_MAX: usize = 65_536;

/// What is taken from a chunk. Where requests and error-log entries stand in one file, its entries are read first: they
/// tell which good requests must wait for them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Take {
    /// Everything.
    #[default]
    All,
    /// Everything, and entries may follow anywhere: a stream cannot be read twice, so every failure waits.
    Stream,
    /// Only entries, and nothing is counted.
    Entries,
    /// Everything but the entries, which are counted only.
    Requests,
}

/// Bytes that begin and end at line ends.
#[derive(Clone, Copy)]
pub struct Chunk<'a> {
    /// Where they come from.
    pub source: SourceId,
    /// Number of the first line, from 1.
    pub first_line: u64,
    /// The product known from beside the log (its error log, its configuration), where the layout does not say.
    pub edge: Edge,
    /// What the source mostly holds. Lines of the other kind are read all the same.
    pub kind: LogKind,
    /// What is taken from it.
    pub take: Take,
    /// Whether programs share it and one of them has an edge's name: then the access log of another is the origin's.
    pub names_edge: bool,
    /// Whole lines; the last one may lack its end.
    pub bytes: &'a [u8],
}

/// What the user chose.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// Statuses that count as failed; empty for 429 and 500 to 599.
    pub failures: Vec<u16>,
    /// Leave out what is earlier.
    pub since: Option<Stamp>,
    /// Leave out what is this late or later.
    pub until: Option<Stamp>,
    /// Stamps that a log of our time can have; a line with another is not understood.
    pub plausible: Option<(Stamp, Stamp)>,
    /// Minutes east of UTC of stamps that say none; UTC where it is not known.
    pub zone: Option<i32>,
    /// Only these hosts; empty for all.
    pub sites: Vec<String>,
    /// Only fetches of these crawlers; empty for all requests.
    pub crawlers: Vec<CrawlerId>,
    /// The site's own proxies, whose addresses are never a client's.
    pub proxies: Proxies,
    /// Only claims that are shown to be true are fetches; the others are requests of other clients.
    pub verified_only: bool,
}

impl Settings {
    /// A stamp in the zone that the user named, where it says none. An epoch is UTC, and so are CloudFront's stamps.
    fn placed(&self, moment: Moment, text: &[u8], edge: Edge) -> Moment {
        match (moment, self.zone) {
            ((millis, None), Some(zone)) if edge != Edge::CloudFront && text.contains(&b':') => {
                (millis - i64::from(zone) * 60_000, Some(zone))
            }
            _ => moment,
        }
    }

    /// One line with the stamp of a clock that was never set would stretch the log to decades.
    fn check(&self, at: Stamp) -> Result<(), &'static str> {
        match self.plausible {
            Some((oldest, _)) if at < oldest => Err("its time is before the year 2000"),
            Some((_, newest)) if at > newest => Err("its time lies in the future"),
            _ => Ok(()),
        }
    }
}

/// Everything that reading a line needs, shared by all threads.
pub struct Intake {
    pub(crate) settings: Settings,
    pub(crate) secret: Secret,
    failures: FailureStatuses,
    formats: Formats,
    matcher: CrawlerMatcher,
    ranges: Ranges,
    answers: Option<Answers>,
    signs: Signs,
    follow_ups: Vec<&'static str>,
}

/// What a chunk gave, besides the requests that went to the sink.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scanned {
    /// What was seen of each source.
    pub sources: Sources,
    /// What waits for a neighbour.
    pub held: Held,
}

impl Scanned {
    /// Adds everything in `other`.
    pub fn merge(&mut self, other: Self) {
        self.sources.absorb(other.sources);
        self.held.absorb(other.held);
    }
}

impl Intake {
    /// Makes everything ready. `secret` must be new in each run.
    pub fn new(settings: Settings, secret: Secret, ranges: Ranges, formats: Formats) -> Self {
        let mut failures = FailureStatuses::default();
        if !settings.failures.is_empty() {
            failures = FailureStatuses::none();
            settings
                .failures
                .iter()
                .for_each(|status| failures.insert(*status));
        }
        let rules = knowledge::signs();
        let mut follow_ups: Vec<&'static str> = rules
            .iter()
            .flat_map(|rule| rule.not_followed_by.iter().copied())
            .collect();
        follow_ups.sort_unstable();
        follow_ups.dedup();
        follow_ups.truncate(u32::BITS as usize);
        Self {
            settings,
            secret,
            failures,
            formats,
            matcher: CrawlerMatcher::new(),
            ranges,
            answers: None,
            signs: Signs::new(rules),
            follow_ups,
        }
    }

    /// Takes what name servers said of the [`Suspects`].
    pub fn with_answers(mut self, answers: Answers) -> Self {
        self.answers = Some(answers);
        self
    }

    pub(crate) const fn formats(&self) -> &Formats {
        &self.formats
    }

    pub(crate) const fn matcher(&self) -> &CrawlerMatcher {
        &self.matcher
    }

    pub(crate) const fn signs(&self) -> &Signs {
        &self.signs
    }

    pub(crate) fn agents(&self) -> Agents<'_> {
        let evidence = Evidence {
            ranges: &self.ranges,
            proxies: &self.settings.proxies,
            answers: self.answers.as_ref(),
            verified_only: self.settings.verified_only,
        };
        Agents::new(&self.matcher, evidence, self.secret.table())
    }

    /// Bits of `HeldError::follow_ups` for these literals.
    pub(crate) fn follow_up_bits(&self, literals: &[&str]) -> u32 {
        let is_set = |literal: &&str| literals.contains(literal);
        self.follow_ups
            .iter()
            .enumerate()
            .filter(|(_, literal)| is_set(literal))
            .fold(0, |bits, (n, _)| bits | 1 << n)
    }

    /// Bits of the literals that stand in an entry and that some sign must not be followed by.
    fn follow_ups_in(&self, entry: &ErrorLine<'_>) -> u32 {
        self.follow_ups
            .iter()
            .enumerate()
            .filter(|(_, literal)| {
                memchr::memmem::find(entry.message, literal.as_bytes()).is_some()
            })
            .fold(0, |bits, (n, _)| bits | 1 << n)
    }

    /// Whether an entry says something of a failure, or a line of one what the other lines need.
    pub(crate) fn is_telling(&self, entry: &ErrorLine<'_>) -> bool {
        (entry.part != Part::Whole && entry.tells())
            || self.signs.error_line(entry).is_some()
            || self.follow_ups_in(entry) != 0
    }

    /// Whether a sign without a request lies in what the user chose. Nobody can tell whose fetch it was.
    pub(crate) fn chooses(&self, sign: &Sign<'_>) -> bool {
        let settings = &self.settings;
        settings.crawlers.is_empty()
            && settings.since.is_none_or(|since| sign.at >= since)
            && settings.until.is_none_or(|until| sign.at < until)
            && (settings.sites.is_empty() || settings.sites.iter().any(|site| site == sign.host))
    }

    /// Reads a chunk. Requests that need no neighbour go to `sink` at once; the rest is held. `filter` tells which
    /// good requests the error log speaks of.
    pub fn scan(
        &self,
        chunk: Chunk<'_>,
        filter: &Filter,
        sink: &mut impl FnMut(&Request<'_>),
    ) -> Scanned {
        let mut scan = Scan::new(self, chunk, filter);
        scan.lines(sink);
        let mut scanned = Scanned {
            held: scan.held,
            ..Scanned::default()
        };
        if chunk.take != Take::Entries {
            *scanned.sources.of(chunk.source) = scan.seen;
        }
        scanned
    }

    /// Which addresses of a chunk claim a crawler that a reverse name could confirm, of those requests that the settings
    /// choose. Lines without such a claim are read up to the agent.
    pub fn suspects(&self, chunk: Chunk<'_>) -> Suspects {
        let filter = Filter::default();
        let mut scan = Scan::new(self, chunk, &filter);
        scan.suspects = Some(Suspects::default());
        scan.lines(&mut |_| {});
        scan.suspects.unwrap_or_default()
    }

    /// What a head of a source holds, and its first stamp: read before the whole, to know error logs and to rank.
    pub fn look(&self, head: &[u8], edge: Edge) -> Look {
        let chunk = Chunk {
            source: SourceId(0),
            first_line: 1,
            edge,
            kind: LogKind::Access,
            take: Take::All,
            names_edge: false,
            bytes: head,
        };
        let mut first = None;
        let scanned = self.scan(chunk, &Filter::default(), &mut |request| {
            first = first.or(Some(request.at));
        });
        let seen = scanned
            .sources
            .get(SourceId(0))
            .cloned()
            .unwrap_or_default();
        // In an outage the entries beside the requests outnumber them; an error log has none.
        let is_error_log = seen.entries > seen.requests * ENTRIES_PER_REQUEST_MAX;
        // Where an edge is named, the lines of the others are not its own.
        let is_own = |edge: Edge| seen.named == 0 || edge != Edge::Unknown;
        let of_requests = seen
            .formats
            .iter()
            .max_by_key(|((edge, _), n)| (is_own(*edge), **n))
            .map(|((edge, _), _)| *edge)
            .filter(|edge| *edge != Edge::Unknown && !is_error_log);
        let of_entries = seen.error_edges.iter().max_by_key(|(_, n)| **n);
        let of_entries = of_entries.map_or(Edge::Unknown, |(edge, _)| *edge);
        Look {
            kind: if is_error_log {
                LogKind::Error
            } else {
                LogKind::Access
            },
            edge: of_requests.unwrap_or(of_entries),
            // Elsewhere only a stranger sends a whole URL now and then.
            is_varnish_like: !is_error_log
                && seen.requests > 0
                && seen.absolute * 10 >= seen.requests * 9,
            first: seen.span.map(|(first, _)| first),
            understood: seen.requests + seen.entries,
            is_mixed: seen.requests > 0 && seen.entries > 0,
            is_wrapped: seen.wrapped > 0,
            others: seen.others,
            names_edge: seen.named > 0,
            lines: seen.lines,
        }
    }
}

/// An edge at its wordiest writes a dozen entries for a failed request; an error log may hold a line that looks like a
/// request.
const ENTRIES_PER_REQUEST_MAX: u64 = 50;

/// What the head of a source shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Look {
    /// What it mostly holds.
    pub kind: LogKind,
    /// The product, where the lines say so.
    pub edge: Edge,
    /// Whether requests stand there as varnishncsa writes them, in combined with whole URLs: a guess for where nothing
    /// names the product.
    pub is_varnish_like: bool,
    /// Smallest stamp in it.
    pub first: Option<Stamp>,
    /// Lines understood.
    pub understood: u64,
    /// Whether requests and entries of the error log stand in it side by side.
    pub is_mixed: bool,
    /// Whether lines stand in what several programs or streams may share.
    pub is_wrapped: bool,
    /// Lines of other programs.
    pub others: u64,
    /// Whether requests stand there of a program that has an edge's name.
    pub names_edge: bool,
    /// Lines, blank ones left out.
    pub lines: u64,
}

/// Buffers that are used again for every line.
struct Buffers<'a> {
    spans: &'a mut Spans,
    /// Text of values that had to be unescaped.
    scratch: &'a mut Vec<u8>,
}

/// One chunk being read.
struct Scan<'a> {
    intake: &'a Intake,
    chunk: Chunk<'a>,
    filter: &'a Filter,
    agents: Agents<'a>,
    time: TimeMemo,
    /// Text of the path at hand.
    text: String,
    /// Host at hand, in lower case.
    host: String,
    /// Layout of the last lines and how many they were: counted in runs.
    format: Option<FormatRef>,
    format_count: u64,
    zone: Option<i32>,
    zone_count: u64,
    seen: Seen,
    held: Held,
    /// Set where only they are wanted.
    suspects: Option<Suspects>,
}

impl<'a> Scan<'a> {
    fn new(intake: &'a Intake, chunk: Chunk<'a>, filter: &'a Filter) -> Self {
        Self {
            intake,
            chunk,
            filter,
            agents: intake.agents(),
            time: TimeMemo::new(),
            text: String::new(),
            host: String::new(),
            format: None,
            format_count: 0,
            zone: None,
            zone_count: 0,
            seen: Seen::default(),
            held: Held::default(),
            suspects: None,
        }
    }
}

impl Scan<'_> {
    fn lines(&mut self, sink: &mut impl FnMut(&Request<'_>)) {
        let mut spans = Spans::new();
        let mut scratch = Vec::new();
        let mut envelopes = Envelopes::default();
        let bytes = self.chunk.bytes;
        let mut start = 0;
        let mut number = self.chunk.first_line;
        while start < bytes.len() {
            let end = memchr::memchr(b'\n', &bytes[start..]).map_or(bytes.len(), |at| start + at);
            let line = bytes[start..end]
                .strip_suffix(b"\r")
                .unwrap_or(&bytes[start..end]);
            let mut buffers = Buffers {
                spans: &mut spans,
                scratch: &mut scratch,
            };
            self.line(line, number, &mut envelopes, &mut buffers, sink);
            start = end + 1;
            number += 1;
        }
        self.count_formats();
    }

    fn line(
        &mut self,
        line: &[u8],
        number: u64,
        envelopes: &mut Envelopes,
        buffers: &mut Buffers<'_>,
        sink: &mut impl FnMut(&Request<'_>),
    ) {
        if line.trim_ascii().is_empty() {
            return;
        }
        let place = Place {
            source: self.chunk.source,
            line: number,
        };
        // Some editors put a byte order mark before the first line.
        let line = match number {
            1 => line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line),
            _ => line,
        };
        self.seen.lines += 1;
        if line.len() > LINE_MAX {
            return self.unparsed(number, "line longer than the limit of 64 KiB");
        }
        let mut opened = envelope::open(line);
        // A layout that the user gave may describe the line with what stands around it.
        if opened.around.depth > 0
            && (self.intake.formats).is_given(line, buffers.scratch, buffers.spans)
        {
            opened = Opened::plain(line);
        }
        self.seen.wrapped += u64::from(opened.around.depth > 0);
        // What Docker writes holds a line: no need to look at it as a request first.
        let is_docker = opened.line.starts_with(b"{\"log\":\"");
        if is_docker
            && self
                .record(&opened, place, envelopes, buffers, sink)
                .is_ok()
        {
            return;
        }
        let Err(reason) = self.opened(&opened, place, buffers, sink) else {
            return;
        };
        if let Err((around, within)) = self.record(&opened, place, envelopes, buffers, sink) {
            self.not_understood(number, around, within.unwrap_or(reason));
        }
    }

    /// A line that stands in JSON. An error says what stood around it, and why the line within is not understood.
    fn record(
        &mut self,
        opened: &Opened<'_>,
        place: Place,
        envelopes: &mut Envelopes,
        buffers: &mut Buffers<'_>,
        sink: &mut impl FnMut(&Request<'_>),
    ) -> Result<(), (Around, Option<&'static str>)> {
        let within = envelopes.open_record(opened).ok_or((opened.around, None))?;
        self.seen.wrapped += 1;
        let around = within.around;
        self.opened(&within, place, buffers, sink)
            .map_err(|reason| (around, Some(reason)))
    }

    /// A line without what stood around it. An error where it is of no known layout: JSON around it may still be opened.
    fn opened(
        &mut self,
        opened: &Opened<'_>,
        place: Place,
        buffers: &mut Buffers<'_>,
        sink: &mut impl FnMut(&Request<'_>),
    ) -> Result<(), &'static str> {
        let Opened { line, around } = opened;
        let is_entry_first = self.chunk.kind == LogKind::Error || self.chunk.take == Take::Entries;
        if is_entry_first && self.error(line, around, place) {
            return Ok(());
        }
        // varnishncsa may write requests and attempts in one layout, whose fields tell them apart.
        if self.chunk.take == Take::Entries && self.chunk.edge != Edge::Varnish {
            return Err("no entry");
        }
        buffers.spans.clear();
        buffers.scratch.clear();
        match (self.intake.formats).recognise(line, buffers.scratch, buffers.spans) {
            Ok(mut format) => {
                self.seen.fields |= buffers.spans.carried();
                format.settle_client(line, buffers.scratch, buffers.spans);
                match (format.edge, around.program) {
                    // Counted as the edge's, each request would count twice.
                    (Edge::Unknown, Program::Other) if self.chunk.names_edge => {
                        self.seen.others += 1;
                        return Ok(());
                    }
                    (Edge::Unknown, Program::Edge(program)) => format.edge = program,
                    _ => {}
                }
                let visit = Visit::new(line, buffers.scratch, buffers.spans);
                let before = self.seen.requests;
                let visited = self.visit(&visit, format, around, place, sink);
                if around.program.edge().is_some() {
                    self.seen.named += self.seen.requests - before;
                }
                match visited {
                    Ok(()) if buffers.spans.is_cut() => {
                        self.seen.remark(place.line, Reason::CutButCounted.text());
                    }
                    Ok(()) => {}
                    Err(NO_TIME) => return Err(NO_TIME),
                    Err(reason) => self.unparsed(place.line, reason),
                }
                Ok(())
            }
            Err(_) if !is_entry_first && self.error(line, around, place) => Ok(()),
            Err(reason) => Err(reason.text()),
        }
    }

    /// A line of another program is no fault of the log. Multi-line messages go on in an error log: looking only at
    /// the kind of source keeps the line stateless.
    fn not_understood(&mut self, line: u64, around: Around, reason: &'static str) {
        if around.program == Program::Other {
            self.seen.others += 1;
        } else if around.partial {
            self.unparsed(line, Reason::PartOfLine.text());
        } else if self.chunk.kind == LogKind::Error {
            self.seen.continuations += 1;
        } else {
            self.unparsed(line, reason);
        }
    }

    fn unparsed(&mut self, line: u64, reason: &'static str) {
        self.seen.unparsed(line, reason);
    }

    fn count_formats(&mut self) {
        let seen = &mut self.seen;
        if let Some(format) = self.format.take() {
            let name = self.intake.formats.name(format).to_owned();
            *seen.formats.entry((format.edge, name)).or_default() += self.format_count;
            *seen.zones.entry(self.zone).or_default() += self.zone_count;
        }
        self.format_count = 0;
        self.zone_count = 0;
    }

    /// One request.
    fn visit(
        &mut self,
        visit: &Visit<'_>,
        format: FormatRef,
        around: &Around,
        place: Place,
        sink: &mut impl FnMut(&Request<'_>),
    ) -> Result<(), &'static str> {
        let agent = visit.value(Field::UserAgent);
        if self.suspects.is_some() && self.agents.suspicious(agent).is_none() {
            return Ok(());
        }
        let (millis, zone) = match visit.value(Field::Time) {
            Some(time) => {
                let moment = self.time.parse(time).ok_or("time is not understood")?;
                self.intake.settings.placed(moment, time, format.edge)
            }
            None => self.written(around).ok_or(NO_TIME)?,
        };
        let at = Stamp(millis);
        self.intake.settings.check(at)?;
        let status = status(visit.get(Field::Status).unwrap_or_default())?;
        let line = RequestLine::of(visit);
        let target = Target::of(line.target);
        let edge = match format.edge {
            Edge::Unknown => self.chunk.edge,
            edge if edge.may_be(self.chunk.edge) => self.chunk.edge,
            edge => edge,
        };
        if edge == Edge::Varnish && is_attempt(visit) {
            if self.suspects.is_none() {
                self.attempt(visit, millis, zone, status, &target, place);
            }
            return Ok(());
        }
        if self.chunk.take == Take::Entries {
            return Ok(());
        }
        if self.format != Some(format) || self.zone != zone {
            self.count_formats();
            self.format = Some(format);
            self.zone = zone;
        }
        self.format_count += 1;
        self.zone_count += 1;
        let seen = &mut self.seen;
        seen.requests += 1;
        let is_combined =
            visit.carries_any(&[Field::Referer]) && visit.carries_any(&[Field::UserAgent]);
        let is_absolute = format.edge == Edge::Unknown && is_combined && target.host.is_some();
        seen.absolute += u64::from(is_absolute);
        seen.stretch(at);
        let settings = &self.intake.settings;
        if settings.since.is_some_and(|since| at < since)
            || settings.until.is_some_and(|until| at >= until)
        {
            return Ok(());
        }
        set_host(&mut self.host, visit, &target);
        if !settings.sites.is_empty() && !settings.sites.contains(&self.host) {
            return Ok(());
        }
        if let Some(suspects) = &mut self.suspects {
            let claimed = self.agents.suspicious(agent);
            let is_chosen =
                |id: &CrawlerId| settings.crawlers.is_empty() || settings.crawlers.contains(id);
            if let Some(crawler) = claimed.filter(is_chosen)
                && let address = self.agents.sender(crawler, visit).address()
                && let Some(at) = confirm::suspect(&self.intake.ranges, crawler, address)
            {
                suspects.add(crawler, at);
            }
            return Ok(());
        }
        let hidden = self.agents.hidden;
        let client = self.agents.client(visit, Some(at));
        if self.agents.hidden > hidden {
            self.seen.remark(place.line, PROXIED);
        }
        if !settings.crawlers.is_empty()
            && !matches!(client, Client::Crawler(claim) if settings.crawlers.contains(&claim.crawler))
        {
            return Ok(());
        }
        self.request(
            visit,
            Parts {
                at,
                place,
                edge,
                status,
                line,
                target,
                client,
            },
            sink,
        );
        Ok(())
    }

    fn request(
        &mut self,
        visit: &Visit<'_>,
        parts: Parts<'_>,
        sink: &mut impl FnMut(&Request<'_>),
    ) {
        let secret = &self.intake.secret;
        let claim = match parts.client {
            Client::Crawler(claim) => Some(claim),
            Client::Other | Client::Posing(_) => None,
        };
        let known = Known::of(secret, parts.target.path);
        let fetch = claim.map(|claim| Fetch {
            claim,
            path: known.text(parts.target.path, &mut self.text),
            query: query(visit, &parts.target).map_or(0, |query| secret.hash(query).max(1)),
        });
        let status = parts.status;
        let attribution = needs_attribution(visit, status, &self.intake.failures).then(|| {
            self.intake
                .signs
                .access(parts.edge, visit, &self.intake.failures)
        });
        let outcome = attribution.as_ref().map_or(Outcome::Good, |found| {
            outcome(found, self.intake.failures.contains(status))
        });
        let single;
        let attempts: &[Attempt<'_>] = match &attribution {
            Some(_) => &[],
            None => match single_attempt(parts.edge, visit) {
                Some(attempt) => {
                    single = [attempt];
                    &single
                }
                None => &[],
            },
        };
        let request = Request {
            at: parts.at,
            place: parts.place,
            edge: parts.edge,
            host: &self.host,
            scheme: scheme(visit, &parts.target),
            method: parts.line.method(),
            route: known.route,
            url: known.url,
            status: Status(status),
            bytes: visit.value(Field::BytesSent).and_then(number),
            millis: duration(visit),
            outcome,
            finding: None,
            evidence: None,
            repeat: false,
            from_cache: from_cache(visit),
            no_upstream: attribute::had_no_upstream(visit),
            retry_after: visit
                .value(Field::RetryAfter)
                .and_then(number)
                .and_then(|n| n.try_into().ok()),
            fetch,
            posing: match parts.client {
                Client::Posing(claim) => Some(claim),
                Client::Other | Client::Crawler(_) => None,
            },
            attempts,
        };
        let found = match attribution {
            // Ordinary, and the error log says nothing of it: no more to do.
            None if self.filter.is_empty() => return sink(&request),
            None => {
                let by_path = self.filter.hits_path(&known.route);
                let by_key = || {
                    self.filter
                        .hits(parts.at, &Keys::of(secret, visit, &parts, known.url))
                };
                if !(by_path || self.filter.has_keys() && by_key()) {
                    return sink(&request);
                }
                Attribution::clean()
            }
            Some(found) => found,
        };
        let keys = Keys::of(secret, visit, &parts, known.url);
        let mut held = hold(&request, &found, &keys, single_attempt(parts.edge, visit));
        let is_stream = self.chunk.take == Take::Stream;
        // A line about a server may tell what its own leaves open, and so may the want of a line.
        let is_weighed = || self.filter.has_log_of(parts.edge) && weighs(parts.edge);
        let is_open = is_open(&found) && (self.filter.tells_of_servers() || is_weighed());
        held.joins = is_stream || is_open || self.filter.concerns(parts.at, &keys);
        held.may_be_twin = may_be_twin(&request, visit);
        // A fetch that no error line can speak of has nothing to wait for: only other clients repeat.
        let is_free = self.filter.is_empty()
            && !self.filter.tells_of_moments()
            && !is_stream
            && !is_open
            && !held.may_be_twin;
        if is_free && (request.fetch.is_some() || outcome != Outcome::Failed) {
            held.lend(None, false, sink);
        } else {
            self.held.push(held);
        }
    }

    /// A line of `varnishncsa -b`: one attempt on a backend, which is no request of a client.
    fn attempt(
        &mut self,
        visit: &Visit<'_>,
        millis: i64,
        zone: Option<i32>,
        status: u16,
        target: &Target<'_>,
        place: Place,
    ) {
        let reason = visit.value(Field::UpstreamError);
        let opened = visit.value(Field::BackendOpen);
        let own = visit.get(Field::Status).unwrap_or_default();
        let words: [&[u8]; 2] = match (reason, opened) {
            (Some(reason), Some(opened)) if opened.ends_with(REUSED) => [reason, REUSED],
            (Some(reason), _) => [reason, b""],
            (None, _) if status >= 500 => [b"BerespStatus ", own],
            (None, _) => [b"", b""],
        };
        let mut entry = ErrorLine::made(Edge::Varnish, millis, reason.unwrap_or_default());
        entry.zone = zone.or(Some(0));
        entry.words = words;
        entry.path_hint = Some(target.path);
        entry.host = visit.value(Field::Host).or(target.host);
        entry.status = Some(status);
        entry.upstream = opened
            .and_then(|opened| opened.split(|byte| *byte == b' ').nth(1))
            .or_else(|| reason.and_then(error_log::backend));
        self.entry(entry, &Around::NOTHING, place);
    }

    /// When the line was written, by its envelope.
    fn written(&self, around: &Around) -> Option<Moment> {
        let plausible = self.intake.settings.plausible;
        around.written.moment(plausible.map(|(_, newest)| newest))
    }

    /// One entry of an error log; false where the line is none.
    fn error(&mut self, line: &[u8], around: &Around, place: Place) -> bool {
        let Some(entry) = error_log::parse(line) else {
            return false;
        };
        if self.suspects.is_none() {
            self.entry(entry, around, place);
        }
        true
    }

    fn entry(&mut self, mut entry: ErrorLine<'_>, around: &Around, place: Place) {
        if !entry.is_timed() {
            match self.written(around) {
                Some((millis, zone)) => {
                    entry.civil_millis =
                        millis.saturating_add(i64::from(zone.unwrap_or(0)) * 60_000);
                    entry.zone = zone;
                }
                // Other lines of the entry have the stamp, or its order and its path tell.
                None if entry.part != Part::Whole || entry.path_hint.is_some() => {}
                None => return self.unparsed(place.line, NO_TIME),
            }
        }
        // Without a stamp any moment would do: none is looked at.
        let civil = Stamp(if entry.is_timed() {
            entry.civil_millis
        } else {
            0
        });
        if entry.is_timed()
            && let Err(reason) = self.intake.settings.check(civil)
        {
            return self.unparsed(place.line, reason);
        }
        let seen = &mut self.seen;
        seen.entries += 1;
        *seen.error_edges.entry(entry.edge).or_default() += 1;
        if entry.is_timed() {
            seen.stretch(civil);
        }
        let follow_ups = self.intake.follow_ups_in(&entry);
        if self.chunk.take == Take::Requests {
            return;
        }
        self.held.logs.insert(entry.edge);
        let finding = match self.intake.signs.error_line(&entry) {
            Some(finding) => finding,
            // A line that other lines need, if it says what they do not.
            None if entry.part != Part::Whole && entry.tells() => ErrorFinding::SILENT,
            None => return,
        };
        let secret = &self.intake.secret;
        let apart = |(method, target)| RequestLine { method, target };
        let request = (entry.request.map(RequestLine::parse)).or_else(|| entry.asked.map(apart));
        let line = (entry.client.zip(request))
            .map(|(client, line)| line_key(secret, client, line.method, line.target));
        let asked = request.map(|line| asked_key(secret, line.method, line.target));
        let (path, head) = path_keys(secret, entry.path_hint);
        let route = entry
            .path_hint
            .map(|path| Known::of(secret, Target::of(path).path).route);
        self.held.push_error(HeldError {
            civil,
            is_timed: entry.is_timed(),
            part: entry.part,
            zone: entry.zone,
            place,
            edge: entry.edge,
            host: entry.host.and_then(host_name).unwrap_or_default().into(),
            upstream: entry
                .upstream
                .map(|name| upstream_of(entry.edge, name))
                .unwrap_or_default()
                .into(),
            finding: Arc::new(finding),
            after_headers: is_after_headers(&entry),
            status: entry.status,
            process: entry.process,
            client: entry.client.map(|client| client_key(secret, client)),
            line,
            asked,
            path,
            head,
            route,
            ends_event: error_log::ends_event(&entry),
            attempt: AttemptLine::of(&entry),
            serial: serial(secret, entry.connection, entry.log_id),
            goes_on: entry.goes_on,
            follow_ups,
        });
    }
}

/// Neither the line nor an envelope says when.
const NO_TIME: &str = "no time";
/// A claim whose sender cannot be known.
const PROXIED: &str = "the client's address is a CDN's or a proxy's own, so this crawler is not checked: log the \
                       address it forwards for (X-Forwarded-For, CF-Connecting-IP)";
/// Whether a line of varnishncsa is about a backend rather than a client: it says so, or carries what only those have.
fn is_attempt(visit: &Visit<'_>) -> bool {
    /// Fields of records that stand only in transactions with a backend.
    const BACKENDS: [Field; 2] = [Field::UpstreamError, Field::BackendOpen];
    match visit.get(Field::Side) {
        Some(b"b") => return true,
        Some(b"c") => return false,
        _ => {}
    }
    if !visit.carries_any(&BACKENDS) {
        return false;
    }
    // What the cache did stands only in those with a client.
    let is_handled = visit.value(Field::Handling).is_some();
    BACKENDS.iter().any(|field| visit.value(*field).is_some())
        || !is_handled && visit.get(Field::Status) != Some(b"400")
}

/// Bytes of a path behind which H2O cuts it, three dots included.
const PATH_SHOWN: usize = 32;

/// Keys of a path that an error line names: the whole of it, or what is left where the line cuts it.
fn path_keys(secret: &Secret, path: Option<&[u8]>) -> (Option<u64>, Option<u64>) {
    let Some(path) = path else {
        return (None, None);
    };
    let is_cut = path.len() == PATH_SHOWN && path.ends_with(b"...") && !path.contains(&b'?');
    if is_cut {
        return (None, head_key(secret, path));
    }
    (Some(Known::of(secret, Target::of(path).path).url), None)
}

/// Hash of the begin of a path that is long enough to be cut.
fn head_key(secret: &Secret, path: &[u8]) -> Option<u64> {
    let head = path.get(..PATH_SHOWN - b"...".len())?;
    Some(secret.hash_parts(&[b"head", head]))
}

/// What was found out of a line before it becomes a request. Borrows personal data.
struct Parts<'line> {
    at: Stamp,
    place: Place,
    edge: Edge,
    status: u16,
    line: RequestLine<'line>,
    target: Target<'line>,
    client: Client,
}

/// The request line taken apart.
#[derive(Clone, Copy)]
struct RequestLine<'line> {
    method: &'line [u8],
    target: &'line [u8],
}

impl<'line> RequestLine<'line> {
    fn of(visit: &Visit<'line>) -> Self {
        if let Some(request) = visit.value(Field::Request) {
            return Self::parse(request);
        }
        Self {
            method: visit.value(Field::Method).unwrap_or_default(),
            target: visit.value(Field::Target).unwrap_or_default(),
        }
    }

    /// `METHOD target PROTOCOL`; the target may hold blanks, the protocol may be missing (HTTP/0.9).
    fn parse(request: &'line [u8]) -> Self {
        let Some(first) = memchr::memchr(b' ', request) else {
            return Self {
                method: b"",
                target: b"",
            };
        };
        let rest = &request[first + 1..];
        let end = memchr::memrchr(b' ', rest)
            .filter(|at| rest[at + 1..].starts_with(b"HTTP/"))
            .unwrap_or(rest.len());
        Self {
            method: &request[..first],
            target: &rest[..end],
        }
    }

    fn method(&self) -> Method {
        match self.method {
            b"GET" => Method::Get,
            b"HEAD" => Method::Head,
            b"POST" => Method::Post,
            _ => Method::Other,
        }
    }
}

/// Keys that tie a request to lines of the error log.
pub(crate) struct Keys {
    pub(crate) client: u64,
    pub(crate) line: u64,
    pub(crate) asked: u64,
    /// Hash of the path.
    pub(crate) url: u64,
    pub(crate) serial: Option<u64>,
    pub(crate) head: Option<u64>,
}

impl Keys {
    fn of(secret: &Secret, visit: &Visit<'_>, parts: &Parts<'_>, url: u64) -> Self {
        let client = visit.value(Field::ClientAddr).unwrap_or_default();
        let connection = visit.value(Field::Connection).and_then(number);
        Self {
            client: client_key(secret, client),
            line: line_key(secret, client, parts.line.method, parts.line.target),
            asked: asked_key(secret, parts.line.method, parts.line.target),
            url,
            serial: serial(secret, connection, visit.value(Field::ErrorLogId)),
            head: head_key(secret, parts.target.path),
        }
    }
}

fn client_key(secret: &Secret, client: &[u8]) -> u64 {
    secret.hash_parts(&[b"client", client])
}

fn line_key(secret: &Secret, client: &[u8], method: &[u8], target: &[u8]) -> u64 {
    secret.hash_parts(&[b"line", client, method, target])
}

fn asked_key(secret: &Secret, method: &[u8], target: &[u8]) -> u64 {
    secret.hash_parts(&[b"asked", method, target])
}

fn serial(secret: &Secret, connection: Option<u64>, log_id: Option<&[u8]>) -> Option<u64> {
    match (log_id, connection) {
        (Some(id), _) => Some(secret.hash_parts(&[b"id", id])),
        (None, Some(number)) => Some(secret.hash_parts(&[b"connection", &number.to_le_bytes()])),
        (None, None) => None,
    }
}

fn outcome(found: &Attribution<'_>, failed: bool) -> Outcome {
    if found.client_abort {
        Outcome::ClientAbort
    } else if failed {
        Outcome::Failed
    } else if found.hidden.is_some() {
        Outcome::Hidden
    } else if found.saved_by_retry {
        Outcome::SavedByRetry
    } else {
        Outcome::Good
    }
}

/// Whether httpd may have written two lines about it: over HTTP/2 a worker that gets no answer from the upstream logs
/// its 502, and the connection's own thread the 500 that it answers (measured, 2.4.71).
fn may_be_twin(request: &Request<'_>, visit: &Visit<'_>) -> bool {
    matches!(request.edge, Edge::Apache | Edge::Unknown)
        && matches!(request.status.0, 500 | 502)
        && visit.is_http2()
}

fn hold(
    request: &Request<'_>,
    found: &Attribution<'_>,
    keys: &Keys,
    single: Option<Attempt<'_>>,
) -> HeldRequest {
    let mut attempts: Vec<HeldAttempt> = found
        .attempts
        .iter()
        .map(|attempt| HeldAttempt {
            upstream: upstream_of(request.edge, attempt.upstream).into(),
            is_group: attempt.is_group,
            status: attempt.status.map(Status),
            millis: attempt.millis,
            finding: attempt.finding,
        })
        .collect();
    if attempts.is_empty() {
        attempts.extend(single.map(|attempt| HeldAttempt {
            upstream: attempt.upstream.into(),
            is_group: attempt.is_group,
            status: attempt.status,
            millis: attempt.millis,
            finding: attempt.finding,
        }));
    }
    HeldRequest {
        at: request.at,
        place: request.place,
        edge: request.edge,
        host: request.host.into(),
        scheme: request.scheme,
        method: request.method,
        route: request.route,
        url: request.url,
        status: request.status,
        bytes: request.bytes,
        millis: request.millis,
        outcome: request.outcome,
        finding: found.hidden.or(found.finding),
        decided_by: found.decided_by,
        from_cache: request.from_cache,
        no_upstream: request.no_upstream,
        retry_after: request.retry_after,
        fetch: request.fetch.map(|fetch| {
            Box::new(HeldFetch {
                claim: fetch.claim,
                path: fetch.path.into(),
                query: fetch.query,
            })
        }),
        posing: request.posing,
        attempts,
        client: keys.client,
        line: keys.line,
        asked: keys.asked,
        serial: keys.serial,
        head: keys.head,
        may_be_twin: false,
        joins: false,
        repeat: None,
    }
}

/// The attempt of an ordinary answer: one upstream, one good status.
fn single_attempt<'line>(edge: Edge, visit: &Visit<'line>) -> Option<Attempt<'line>> {
    // A group's name alone says of no server that it answered.
    if !visit.carries_any(&[Field::UpstreamAddr, Field::UpstreamServer]) {
        return None;
    }
    let upstream = attribute::upstream(visit)?;
    Some(Attempt {
        upstream: upstream_of(edge, upstream.name),
        is_group: upstream.is_group,
        status: visit
            .value(Field::UpstreamStatus)
            .and_then(|text| status(text).ok())
            .map(Status),
        millis: visit
            .value(Field::UpstreamResponseTime)
            .and_then(seconds_to_millis),
        finding: None,
    })
}

/// The query, which some layouts keep apart from the path.
fn query<'line>(visit: &Visit<'line>, target: &Target<'line>) -> Option<&'line [u8]> {
    let apart = || {
        let query = visit.value(Field::Query)?;
        let query = query.strip_prefix(b"?").unwrap_or(query);
        (!query.is_empty()).then_some(query)
    };
    target.query.or_else(apart)
}

/// Whether it is left open why a request failed.
fn is_open(found: &Attribution<'_>) -> bool {
    let finding = found.hidden.or(found.finding);
    finding.is_some_and(|finding| finding.confidence < Confidence::Likely || may_stand_in(&finding))
}

/// An upstream as text: an address or a group's name, never a path or a query. HAProxy's `backend/server` are names
/// of its configuration.
fn upstream_of(edge: Edge, text: &[u8]) -> &str {
    /// Longer ones are no addresses.
    const UPSTREAM_MAX: usize = 255;
    let name = match edge {
        Edge::Haproxy => text,
        _ => error_log::upstream_address(text),
    };
    std::str::from_utf8(name)
        .ok()
        .filter(|name| {
            name.len() <= UPSTREAM_MAX && name.bytes().all(|byte| byte.is_ascii_graphic())
        })
        .unwrap_or_default()
}

/// A host name: letters, digits, dots, hyphens; an address in brackets; lower case is the caller's. Anything else a
/// client may have sent is no host.
fn host_name(text: &[u8]) -> Option<&str> {
    /// RFC 1035, 2.3.4.
    const HOST_MAX: usize = 255;
    let text = std::str::from_utf8(text).ok()?;
    let host = if text.starts_with('[') {
        &text[..=text.find(']')?]
    } else {
        text.split(':').next()?
    };
    let host = host.trim_end_matches('.');
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b".-_[]:".contains(&byte);
    (!host.is_empty() && host.len() <= HOST_MAX && host.bytes().all(allowed)).then_some(host)
}

fn set_host(host: &mut String, visit: &Visit<'_>, target: &Target<'_>) {
    host.clear();
    let name = visit
        .value(Field::Host)
        .and_then(host_name)
        .or_else(|| target.host.and_then(host_name))
        .or_else(|| visit.value(Field::ServerName).and_then(host_name));
    if let Some(name) = name {
        host.push_str(name);
        host.make_ascii_lowercase();
    }
}

fn scheme(visit: &Visit<'_>, target: &Target<'_>) -> Option<Scheme> {
    let of = |https| if https { Scheme::Https } else { Scheme::Http };
    match visit.value(Field::Scheme) {
        Some(b"http") => return Some(Scheme::Http),
        Some(b"https") => return Some(Scheme::Https),
        _ => {}
    }
    let port = visit
        .value(Field::Host)
        .filter(|host| host.ends_with(b":443"));
    target.https.map(of).or(port.map(|_| Scheme::Https))
}

/// Three digits; nginx's `009` and `000` included. `-` is a request without an answer.
fn status(text: &[u8]) -> Result<u16, &'static str> {
    match text {
        [a, b, c] if text.iter().all(u8::is_ascii_digit) => {
            Ok(u16::from(a - b'0') * 100 + u16::from(b - b'0') * 10 + u16::from(c - b'0'))
        }
        // A JSON log writes numbers without leading zeros.
        [a] if a.is_ascii_digit() => Ok(u16::from(a - b'0')),
        // HAProxy's mark for a client that got no answer is -1.
        b"-" | b"-1" => Ok(0),
        _ => Err("status is not a number"),
    }
}

fn number(text: &[u8]) -> Option<u64> {
    if text.is_empty() || text.len() > 19 {
        return None;
    }
    text.iter().try_fold(0_u64, |sum, byte| {
        byte.is_ascii_digit()
            .then(|| sum.checked_mul(10)?.checked_add(u64::from(byte - b'0')))?
    })
}

/// `0.123` seconds; the last of a list.
fn seconds_to_millis(text: &[u8]) -> Option<u32> {
    let last = text.rsplit(|byte| matches!(byte, b',' | b' ')).next()?;
    let (whole, fraction) = match memchr::memchr(b'.', last) {
        Some(at) => (&last[..at], &last[at + 1..]),
        None => (last, b"".as_slice()),
    };
    let mut millis = number(whole)?.checked_mul(1_000)?;
    for (digit, weight) in fraction.iter().take(3).zip([100, 10, 1]) {
        millis += u64::from(digit.checked_sub(b'0').filter(|digit| *digit < 10)?) * weight;
    }
    millis.try_into().ok()
}

fn duration(visit: &Visit<'_>) -> Option<u32> {
    if let Some(seconds) = visit.value(Field::Duration) {
        return seconds_to_millis(seconds);
    }
    if let Some(millis) = visit.value(Field::DurationMillis).and_then(number) {
        return millis.try_into().ok();
    }
    if let Some(micros) = visit.value(Field::DurationMicros).and_then(number) {
        return (micros / 1_000).try_into().ok();
    }
    let nanos = visit.value(Field::DurationNanos).and_then(number)?;
    (nanos / 1_000_000).try_into().ok()
}

/// nginx's, CloudFront's and Cloudflare's words for an answer that no upstream was asked for, and Varnish's.
fn from_cache(visit: &Visit<'_>) -> bool {
    matches!(
        visit.value(Field::CacheStatus),
        Some(b"HIT" | b"STALE" | b"UPDATING" | b"Hit" | b"hit" | b"stale" | b"updating")
    ) || matches!(visit.value(Field::Handling), Some(b"hit" | b"streamed-hit"))
}

/// What Varnish says when a body that it was already passing on went wrong.
const IN_BODY: [&[u8]; 6] = [
    b"insufficient bytes",
    b"chunked ",
    b"eof socket fail",
    b"unzip",
    b"gzip data",
    b"Resource temporarily unavailable",
];

/// Whether the failure came after the headers were passed on, so that the client saw a good status and a short body.
/// Warnings there (more data than announced) leave the body whole.
fn is_after_headers(entry: &ErrorLine<'_>) -> bool {
    let says = |literal: &[u8]| memchr::memmem::find(entry.message, literal).is_some();
    let is_grave = entry.level >= Level::Error;
    match entry.edge {
        Edge::Nginx => is_grave && says(b"while reading upstream"),
        Edge::Lighttpd => is_grave && says(b"response already sent out"),
        Edge::Apache => is_grave && says(b"AH01110"),
        Edge::Varnish => is_grave && IN_BODY.iter().any(|text| says(text)),
        Edge::H2o => says(b"(body; ") || says(b"(chunked)"),
        Edge::Caddy => says(b"aborting with incomplete response"),
        Edge::Traefik => says(b"error during body copy") || says(b"Request has been aborted"),
        _ => false,
    }
}

/// Hash of a host name, to tell hosts apart.
pub(crate) fn host_key(host: &str) -> u64 {
    let mut hasher = rustc_hash::FxHasher::default();
    std::hash::Hasher::write(&mut hasher, host.as_bytes());
    std::hash::Hasher::finish(&hasher)
}
