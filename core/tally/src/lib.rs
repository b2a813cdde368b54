//! Requests to mergeable counts and the ledger. Takes settled requests and signs, gives a tally that merges in any
//! order and closes in event time.
//!
//! Laws, each held by a property test: `merge` is commutative and associative, limits included; closing at any
//! honest sequence of watermarks equals closing once at the end.
#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

mod budget;
mod failure;
mod guard;
mod ledger;
pub mod limit;
mod load;
mod moment;
mod name;
mod series;
mod sign;
mod slot;
mod trie;
mod view;

use std::collections::BTreeMap;
use std::hash::Hasher;

use model::{CrawlerId, Outcome, Request, Sign, Stamp, Status};
use rustc_hash::{FxHashMap, FxHasher};

use failure::{Cell, FailureSlots, Record};
use guard::Guard;
use ledger::{Fetched, Lane, Ledger};
use load::Loads;
use moment::{Asked, Moments};
use name::{NONE, Names, renumber};
use sign::Signs;
use slot::{Good, Slots};
use trie::Trie;

pub use load::Load;
pub use moment::{Grain, Moment};
pub use series::{Key, Obs};
pub use view::{FailureView, LaneReturn, NodeView, PrefixView, SignView, UrlFate, UrlView, View};

/// Everything counted. One per chunk while scanning, one in the end.
#[derive(Clone, Debug)]
pub struct Tally {
    sums: Sums,
    trie: Trie,
    upstreams: Names,
    slots: Slots,
    failures: FailureSlots,
    failed: Failed,
    /// Failed attempts by upstream, saved ones included.
    failed_attempts: Moments<u32>,
    saved_by_upstream: BTreeMap<u32, u64>,
    signs: Signs,
    ledger: Ledger,
    loads: Loads,
    guard: Guard,
    span: Option<(Stamp, Stamp)>,
    /// Minutes with any line: what is missing between them are the gaps.
    minutes: FxHashMap<i64, u32>,
    /// The minute at hand and its lines, not yet among the others.
    minute: (i64, u32),
}

/// Statuses have three digits.
const STATUSES: usize = 1_000;

/// Plain sums.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Sums {
    requests: u64,
    failed: u64,
    hidden: u64,
    saved: u64,
    aborts: u64,
    fetches: u64,
    fetches_failed: u64,
    fetches_aborted: u64,
    /// By status, which has three digits.
    by_status: Vec<u64>,
    crawler_status: FxHashMap<(CrawlerId, Status), u64>,
    crawler_failed: FxHashMap<CrawlerId, u64>,
    crawler_identity: FxHashMap<CrawlerId, [u64; 4]>,
    /// Aborts by crawler and duration in tenths of a second, up to ten minutes.
    crawler_aborts: BTreeMap<(CrawlerId, u16), u64>,
    hidden_by_cause: BTreeMap<Option<model::Cause>, u64>,
    saved_by_cause: BTreeMap<Option<model::Cause>, u64>,
}

/// Failed requests over time, hidden ones left out. Each dimension by itself: where one has so many rows that its
/// moments are long, the others stay exact.
#[derive(Clone, Debug, Default)]
struct Failed {
    by_client: Moments<Option<CrawlerId>>,
    by_first: Moments<Asked>,
    /// Only of routes that have a second segment.
    by_second: Moments<Asked>,
}

impl Failed {
    fn add(&mut self, cell: &Cell, second: i64) {
        let (failed, repeats) = if cell.repeat { (0, 1) } else { (1, 0) };
        self.by_client.add(cell.crawler, second, failed, repeats);
        let asked = |segments| Asked::new(&cell.host, cell.route, segments);
        self.by_first.add(asked(1), second, failed, repeats);
        if cell.route.len > 1 {
            self.by_second.add(asked(2), second, failed, repeats);
        }
    }

    fn fit(&mut self, start: i64, end: i64) {
        self.by_client.fit(start, end);
        self.by_first.fit(start, end);
        self.by_second.fit(start, end);
    }

    fn absorb(&mut self, other: Self) {
        self.by_client.absorb(other.by_client, |client| client);
        self.by_first.absorb(other.by_first, |asked| asked);
        self.by_second.absorb(other.by_second, |asked| asked);
    }

    fn coarse(&self) -> impl Iterator<Item = Grain> {
        let routes = self.by_first.coarse().chain(self.by_second.coarse());
        self.by_client.coarse().chain(routes)
    }
}

impl Tally {
    /// Nothing counted.
    pub fn new() -> Self {
        Self {
            sums: Sums::default(),
            trie: Trie::new(),
            upstreams: Names::new(limit::UPSTREAMS_MAX),
            slots: Slots::new(),
            failures: FailureSlots::default(),
            failed: Failed::default(),
            failed_attempts: Moments::default(),
            saved_by_upstream: BTreeMap::new(),
            signs: Signs::default(),
            ledger: Ledger::default(),
            loads: Loads::default(),
            guard: Guard::default(),
            span: None,
            minutes: FxHashMap::default(),
            minute: (0, 0),
        }
    }

    /// Counts one settled request.
    pub fn record(&mut self, request: &Request<'_>) {
        self.stretch(request.at);
        self.sums.add(request);
        self.loads.record(request);
        self.guard.record(request);
        self.attempts(request);
        match request.outcome {
            Outcome::Good | Outcome::SavedByRetry => self.good(request),
            Outcome::Failed | Outcome::Hidden => self.failure(request),
            Outcome::ClientAbort => {}
        }
        self.hold(request);
    }

    /// Counts one sign without a request.
    pub fn sign(&mut self, sign: &Sign<'_>) {
        self.stretch(sign.at);
        let upstream = self.upstreams.number(sign.upstream);
        self.signs.add(sign, upstream);
    }

    /// Fetches whose order is not yet resolved.
    pub fn held(&self) -> usize {
        self.ledger.held()
    }

    /// Adds everything in `other`.
    pub fn merge(&mut self, mut other: Self) {
        self.flush_minute();
        other.flush_minute();
        if let Some((start, end)) = other.span {
            self.stretch_to(start);
            self.stretch_to(end);
        }
        if let Some((start, end)) = self.span {
            other.fit(start, end);
        }
        self.sums.absorb(&other.sums);
        let nodes = self.trie.absorb(&other.trie);
        // A host that is not entered keeps its id: another part may enter it.
        let node = |id| nodes.get(&other.trie.resolve(id)).copied().unwrap_or(id);
        let upstreams = self.upstreams.absorb(&other.upstreams);
        let upstream = |number| renumber(&upstreams, number);
        self.slots.absorb(other.slots, node, upstream);
        self.failures.absorb(other.failures, upstream);
        self.failed.absorb(other.failed);
        self.failed_attempts.absorb(other.failed_attempts, upstream);
        for (of, n) in other.saved_by_upstream {
            *self.saved_by_upstream.entry(upstream(of)).or_default() += n;
        }
        self.signs.absorb(other.signs, upstream);
        self.ledger.absorb(other.ledger);
        self.loads.absorb(other.loads);
        self.guard.absorb(other.guard);
        #[expect(clippy::iter_over_hash_type, reason = "sums do not depend on order")]
        for (minute, n) in other.minutes {
            *self.minutes.entry(minute).or_default() += n;
        }
    }

    /// Resolves what needs order, up to `watermark`: no request with an earlier stamp will come.
    pub fn close(&mut self, watermark: Stamp) {
        self.ledger.close(watermark);
    }

    /// The whole as tables in a fixed order. Call it after the last `close`.
    pub fn view(&mut self) -> View {
        self.slots.flush();
        self.loads.flush();
        self.flush_minute();
        if self.upstreams.folded {
            self.forget_upstreams();
        }
        View::of(self)
    }

    /// Above the limit upstreams are not told apart, and not those either that were counted before it was passed.
    fn forget_upstreams(&mut self) {
        self.failures.forget_upstreams();
        self.signs.forget_upstreams();
        let saved: u64 = std::mem::take(&mut self.saved_by_upstream)
            .into_values()
            .sum();
        if saved > 0 {
            self.saved_by_upstream.insert(NONE, saved);
        }
    }

    fn stretch(&mut self, at: Stamp) {
        self.stretch_to(at);
        let minute = at.secs().div_euclid(60);
        if self.minute.0 != minute {
            self.flush_minute();
            self.minute.0 = minute;
        }
        self.minute.1 += 1;
    }

    fn flush_minute(&mut self) {
        let (minute, n) = std::mem::take(&mut self.minute);
        if n > 0 {
            *self.minutes.entry(minute).or_default() += n;
        }
    }

    fn stretch_to(&mut self, at: Stamp) {
        let (start, end) = self.span.unwrap_or((at, at));
        if self.span.is_none() || at < start || at > end {
            let (start, end) = (start.min(at), end.max(at));
            self.span = Some((start, end));
            self.fit(start, end);
        }
    }

    /// Widens slots until the span fits.
    fn fit(&mut self, start: Stamp, end: Stamp) {
        self.slots.fit(start.secs(), end.secs());
        self.loads.fit(start.secs(), end.secs());
        self.failures.fit(start.secs(), end.secs());
        self.failed.fit(start.secs(), end.secs());
        self.failed_attempts.fit(start.secs(), end.secs());
    }

    fn good(&mut self, request: &Request<'_>) {
        if request.from_cache {
            return;
        }
        let path = request.fetch.map(|fetch| fetch.path);
        // Nothing of the site: scanners ask for thousands of paths and hosts that are not there.
        let routed = !matches!(request.status.0, 400..=407 | 409..=428 | 430..=498);
        let node = match (routed, path) {
            (true, path) => self.trie.enter(request.host, &request.route, path),
            (false, Some(_)) => self.trie.enter_host(request.host),
            (false, None) => trie::host_id(request.host),
        };
        let last = request.attempts.last().filter(|attempt| !attempt.is_group);
        let good = Good {
            at: request.at.secs(),
            node,
            url: request.url ^ host_hash(request.host),
            upstream: last.map_or(NONE, |attempt| self.upstreams.number(attempt.upstream)),
            crawler: request.crawler(),
            robots: request.route.robots,
            routed,
            aside: routed && request.no_upstream,
        };
        self.slots.add(good, request.millis);
    }

    fn failure(&mut self, request: &Request<'_>) {
        if let Some(fetch) = request.fetch {
            self.trie
                .enter(request.host, &request.route, Some(fetch.path));
        }
        let failed = request
            .attempts
            .iter()
            .find(|attempt| attempt.finding.is_some())
            .or(request.attempts.last())
            .filter(|attempt| !attempt.is_group);
        let record = Record {
            at: request.at,
            place: request.place,
            evidence: request.evidence,
            url: request.url ^ host_hash(request.host),
            query: request.fetch.map_or(0, |fetch| fetch.query),
            path: request.fetch.map(|fetch| fetch.path.into()),
            retry_after: request.retry_after,
            cell: Cell {
                edge: request.edge,
                host: self.failures.host(request.host),
                scheme: request.scheme,
                route: request.route,
                crawler: request.crawler(),
                verified: request
                    .fetch
                    .is_some_and(|fetch| fetch.claim.identity == model::Identity::Verified),
                upstream: failed.map_or(NONE, |attempt| self.upstreams.number(attempt.upstream)),
                status: request.status,
                finding: request.finding,
                repeat: request.repeat,
                hidden: request.outcome == Outcome::Hidden,
            },
        };
        if !record.cell.hidden {
            self.failed.add(&record.cell, request.at.secs());
        }
        self.failures.add(record);
    }

    fn attempts(&mut self, request: &Request<'_>) {
        if request.outcome == Outcome::ClientAbort {
            return;
        }
        for attempt in request.attempts {
            if attempt.is_group || attempt.upstream.is_empty() || attempt.finding.is_none() {
                continue;
            }
            let upstream = self.upstreams.number(attempt.upstream);
            self.failed_attempts.add(upstream, request.at.secs(), 1, 0);
            if request.outcome == Outcome::SavedByRetry {
                *self.saved_by_upstream.entry(upstream).or_default() += 1;
            }
        }
    }

    fn hold(&mut self, request: &Request<'_>) {
        let Some(fetch) = request.fetch else { return };
        // A guard's challenge in place of robots.txt: nothing that a crawler could go by, and no failure it saw.
        if request.route.robots && request.status.0 == 202 {
            return;
        }
        let failed = match request.outcome {
            Outcome::Good | Outcome::SavedByRetry => false,
            Outcome::Failed => true,
            // Neither a good answer nor, by its status, a failed one.
            Outcome::Hidden | Outcome::ClientAbort => return,
        };
        let key = |index: usize| {
            if index < usize::from(request.route.len) {
                trie::segment_key(request.route.segments[index])
            } else {
                0
            }
        };
        self.ledger.hold(&Fetched {
            at: request.at,
            place: request.place,
            lane: Lane {
                crawler: fetch.claim.crawler,
                host: trie::segment_key(trie::host_segment(request.host)),
                first: key(0),
                second: key(1),
            },
            host: request.host,
            scheme: request.scheme,
            path: fetch.path,
            url: request.url,
            query: fetch.query,
            robots: request.route.robots,
            failed,
            status: request.status,
            retry_after: request.retry_after,
        });
    }
}

impl Default for Tally {
    fn default() -> Self {
        Self::new()
    }
}

impl Sums {
    fn add(&mut self, request: &Request<'_>) {
        self.requests += 1;
        if self.by_status.is_empty() {
            self.by_status = vec![0; STATUSES];
        }
        if let Some(n) = self.by_status.get_mut(usize::from(request.status.0)) {
            *n += 1;
        }
        let fetch = request.fetch.is_some();
        match request.outcome {
            Outcome::Good => {}
            Outcome::SavedByRetry => {
                self.saved += 1;
                let first = request.attempts.iter().find_map(|attempt| attempt.finding);
                let cause = first.and_then(|finding| finding.cause);
                *self.saved_by_cause.entry(cause).or_default() += 1;
            }
            Outcome::Failed => {
                self.failed += 1;
                self.fetches_failed += u64::from(fetch);
            }
            Outcome::Hidden => {
                self.hidden += 1;
                let cause = request.finding.and_then(|finding| finding.cause);
                *self.hidden_by_cause.entry(cause).or_default() += 1;
            }
            Outcome::ClientAbort => {
                self.aborts += 1;
                self.fetches_aborted += u64::from(fetch);
                if let Some(fetch) = request.fetch {
                    let tenths = request.millis.map_or(0, |millis| (millis + 50) / 100);
                    let tenths = tenths.min(u32::from(limit::ABORT_TENTHS_MAX)) as u16;
                    *self
                        .crawler_aborts
                        .entry((fetch.claim.crawler, tenths))
                        .or_default() += 1;
                }
            }
        }
        if let Some(fetch) = request.fetch {
            let crawler = fetch.claim.crawler;
            self.fetches += 1;
            *self
                .crawler_status
                .entry((crawler, request.status))
                .or_default() += 1;
            self.crawler_identity.entry(crawler).or_default()[fetch.claim.identity as usize] += 1;
            if request.failed() {
                *self.crawler_failed.entry(crawler).or_default() += 1;
            }
        }
        if let Some(claim) = request.posing {
            let identities = self.crawler_identity.entry(claim.crawler).or_default();
            identities[claim.identity as usize] += 1;
        }
    }

    #[expect(clippy::iter_over_hash_type, reason = "sums do not depend on order")]
    fn absorb(&mut self, other: &Self) {
        self.requests += other.requests;
        self.failed += other.failed;
        self.hidden += other.hidden;
        self.saved += other.saved;
        self.aborts += other.aborts;
        self.fetches += other.fetches;
        self.fetches_failed += other.fetches_failed;
        self.fetches_aborted += other.fetches_aborted;
        if self.by_status.is_empty() {
            self.by_status.clone_from(&other.by_status);
        } else {
            for (sum, n) in self.by_status.iter_mut().zip(&other.by_status) {
                *sum += n;
            }
        }
        for (key, n) in &other.crawler_status {
            *self.crawler_status.entry(*key).or_default() += n;
        }
        for (key, n) in &other.crawler_failed {
            *self.crawler_failed.entry(*key).or_default() += n;
        }
        for (key, more) in &other.crawler_identity {
            let sums = self.crawler_identity.entry(*key).or_default();
            for (sum, n) in sums.iter_mut().zip(more) {
                *sum += n;
            }
        }
        for (key, n) in &other.crawler_aborts {
            *self.crawler_aborts.entry(*key).or_default() += n;
        }
        for (key, n) in &other.hidden_by_cause {
            *self.hidden_by_cause.entry(*key).or_default() += n;
        }
        for (key, n) in &other.saved_by_cause {
            *self.saved_by_cause.entry(*key).or_default() += n;
        }
    }
}

/// A hash of public text that is the same in every run.
pub(crate) fn hash(bytes: &[u8]) -> u64 {
    let mut hasher = FxHasher::default();
    hasher.write(bytes);
    hasher.finish()
}

fn host_hash(host: &str) -> u64 {
    hash(host.as_bytes()).rotate_left(23)
}
