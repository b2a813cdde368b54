//! The ledger of crawler URLs that failed, of robots.txt, and of the first good fetch after a failure. Resolved in
//! event time: good fetches are held as hash and stamp until the watermark passes.

use std::collections::{BTreeMap, BinaryHeap};

use model::{CrawlerId, Place, RetryAfter, Scheme, Stamp, Status};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::limit::{LANES_MAX, LEDGER_PATHS_MAX, LEDGER_QUERIES_MAX, RETURNS_MAX};

/// Where a fetch belongs: crawler, host, and the hashes of its first two path segments (0 for none).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Lane {
    pub(crate) crawler: CrawlerId,
    pub(crate) host: u64,
    pub(crate) first: u64,
    pub(crate) second: u64,
}

/// One fetch, good or failed, waiting for its place in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Touch {
    at: Stamp,
    place: Place,
    /// Hash of crawler, host and path.
    path: u64,
    query: u64,
    lane: u32,
    /// Seconds of a Retry-After that was sent; 0 for none.
    retry_after: u32,
    status: Status,
    failed: bool,
}

/// A fetch of robots.txt waiting for its place in time.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct RobotsTouch {
    at: Stamp,
    place: Place,
    key: RobotsKey,
    failed: bool,
}

/// Whose robots.txt.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct RobotsKey {
    pub(crate) crawler: CrawlerId,
    pub(crate) host: Box<str>,
    pub(crate) scheme: Option<Scheme>,
}

/// robots.txt as one crawler last saw it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(crate) struct RobotsState {
    pub(crate) last_ok: Option<Stamp>,
    pub(crate) failing_since: Option<Stamp>,
}

/// What became of one URL, or of one path whatever the query.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct UrlState {
    /// First failure after the last good answer.
    pub(crate) first_failed: Stamp,
    pub(crate) last_failed: Stamp,
    /// First good fetch after the last failure.
    pub(crate) first_ok: Option<Stamp>,
    pub(crate) failed: u32,
    /// Seconds of the Retry-After that the last failure carried, as long as nothing followed it; 0 for none.
    retry_after: u32,
    /// Status of the last failure.
    pub(crate) status: Status,
}

impl UrlState {
    const fn failing(touch: &Touch) -> Self {
        Self {
            first_failed: touch.at,
            last_failed: touch.at,
            first_ok: None,
            failed: 1,
            retry_after: touch.retry_after,
            status: touch.status,
        }
    }

    fn touch(&mut self, touch: &Touch) {
        self.retry_after = 0;
        if touch.failed {
            if self.first_ok.take().is_some() {
                self.first_failed = touch.at;
            }
            self.failed = self.failed.saturating_add(1);
            self.last_failed = touch.at;
            self.retry_after = touch.retry_after;
            self.status = touch.status;
        } else if self.is_owed() {
            self.first_ok = Some(touch.at);
        }
    }

    /// Whether this fetch came no earlier than it was asked to; `None` where it was not asked. Stamps are of whole
    /// seconds, and of the end of an answer as a rule.
    fn has_waited(&self, touch: &Touch) -> Option<bool> {
        let waited = touch.at.0 - self.last_failed.0;
        let asked = i64::from(self.retry_after) * 1_000;
        (asked > 0).then_some(waited >= asked - 1_000)
    }

    /// Whether it was fetched again since it failed, and failed again.
    pub(crate) fn is_retried(&self) -> bool {
        self.is_owed() && self.last_failed > self.first_failed
    }

    pub(crate) fn is_owed(&self) -> bool {
        self.first_ok.is_none()
    }
}

/// A path that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PathEntry {
    pub(crate) crawler: CrawlerId,
    /// Index into the ledger's hosts.
    host: u32,
    pub(crate) path: Box<str>,
    pub(crate) urls: Urls,
}

/// The URLs of one path by the hash of the query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Urls {
    /// Most paths have one.
    One(u64, UrlState),
    /// Sorted.
    Many(Vec<(u64, UrlState)>),
    /// There were too many: for good, the path is one URL.
    Folded(UrlState),
}

impl Urls {
    /// By the hash of the query; 0 where they are one.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (u64, &UrlState)> {
        let (one, many) = match self {
            Self::One(query, url) => (Some((*query, url)), [].as_slice()),
            Self::Folded(url) => (Some((0, url)), [].as_slice()),
            Self::Many(many) => (None, many.as_slice()),
        };
        one.into_iter()
            .chain(many.iter().map(|(query, url)| (*query, url)))
    }

    /// Failed fetches.
    pub(crate) fn failed(&self) -> u64 {
        self.iter().map(|(_, url)| u64::from(url.failed)).sum()
    }

    /// A failed fetch makes an entry, a good one only changes what is there. Says whether a Retry-After was respected.
    fn touch(&mut self, touch: &Touch) -> Option<bool> {
        let known = match self {
            Self::One(query, url) => (*query == touch.query).then_some(url),
            Self::Folded(url) => Some(url),
            Self::Many(many) => many
                .binary_search_by_key(&touch.query, |(query, _)| *query)
                .ok()
                .map(|at| &mut many[at].1),
        };
        if let Some(url) = known {
            let has_waited = url.has_waited(touch);
            url.touch(touch);
            return has_waited;
        }
        if touch.failed {
            self.add(touch);
        }
        None
    }

    fn add(&mut self, touch: &Touch) {
        let mut many = match self {
            Self::One(query, url) => vec![(*query, *url)],
            Self::Many(many) => std::mem::take(many),
            Self::Folded(_) => return,
        };
        let at = many.partition_point(|(query, _)| *query < touch.query);
        many.insert(at, (touch.query, UrlState::failing(touch)));
        *self = if many.len() > LEDGER_QUERIES_MAX {
            Self::Folded(folded(&many, touch))
        } else {
            Self::Many(many)
        };
    }
}

/// The URLs of a path as one, of which this is the newest failure.
fn folded(many: &[(u64, UrlState)], newest: &Touch) -> UrlState {
    let owed = many.iter().filter(|(_, url)| url.is_owed());
    let failed = many.iter().map(|(_, url)| url.failed);
    UrlState {
        first_failed: owed
            .map(|(_, url)| url.first_failed)
            .min()
            .unwrap_or(newest.at),
        failed: failed.fold(0, u32::saturating_add),
        ..UrlState::failing(newest)
    }
}

/// The names behind a failed touch.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Named {
    host: Box<str>,
    path: Box<str>,
}

/// A good fetch that was the first in its lane, or in one of the wider lanes, after a failure there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Return {
    pub(crate) at: Stamp,
    pub(crate) lane: Lane,
}

/// Seconds of which only the first return in a lane is kept. Each is a multiple of the one before.
const MOMENTS: [i64; 5] = [0, 60, 300, 3_600, 86_400];

/// First good fetches after a failure.
#[derive(Clone, Debug, Default)]
pub(crate) struct Returns {
    all: Vec<Return>,
    /// Last return of each lane; from the first coarse step on.
    last: FxHashMap<Lane, i64>,
    step: usize,
}

impl Returns {
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Return> {
        self.all.iter()
    }

    /// Length of a moment in seconds; 0 where all are kept.
    pub(crate) const fn moment(&self) -> i64 {
        MOMENTS[self.step]
    }

    /// They come in the order of events.
    fn add(&mut self, back: Return) {
        if self.step > 0 {
            let moment = back.at.secs().div_euclid(MOMENTS[self.step]);
            if self.last.insert(back.lane, moment) == Some(moment) {
                return;
            }
        }
        self.all.push(back);
        if self.all.len() > RETURNS_MAX && self.step + 1 < MOMENTS.len() {
            self.step += 1;
            self.last.clear();
            for back in std::mem::take(&mut self.all) {
                self.add(back);
            }
        }
    }
}

/// Ranks by which room for them grows: they are many, and doubling would leave half of it empty.
const RANKS_STEP: usize = 1_024;

/// The ledger.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ledger {
    held: Vec<Touch>,
    held_robots: Vec<RobotsTouch>,
    lanes: Vec<Lane>,
    lane_numbers: FxHashMap<Lane, u32>,
    named: FxHashMap<u64, Named>,
    pub(crate) paths: FxHashMap<u64, PathEntry>,
    /// Host names of the paths.
    hosts: Vec<Box<str>>,
    host_numbers: FxHashMap<Box<str>, u32>,
    /// Fetches that followed a Retry-After, by crawler; `open` is not counted here.
    retries: BTreeMap<CrawlerId, RetryAfter>,
    /// Per crawler, the kept paths, the greatest rank first.
    ranks: BTreeMap<CrawlerId, BinaryHeap<(u64, u64)>>,
    /// Failed fetches of paths that the limit left out, per crawler.
    pub(crate) left_out: BTreeMap<CrawlerId, u64>,
    pub(crate) robots: BTreeMap<RobotsKey, RobotsState>,
    pub(crate) returns: Returns,
    /// Lanes that failed, and whether there was no good fetch since.
    pending: FxHashMap<Lane, bool>,
    /// How many of them each crawler has.
    lanes_of: BTreeMap<CrawlerId, usize>,
    /// Failed fetches in lanes above the limit.
    pub(crate) lanes_left_out: u64,
    /// Up to where all is resolved.
    closed: Option<Stamp>,
    /// Fetches that came with a stamp before that.
    pub(crate) late: u64,
}

/// A fetch as the ledger wants it.
pub(crate) struct Fetched<'a> {
    pub(crate) at: Stamp,
    pub(crate) place: Place,
    pub(crate) lane: Lane,
    pub(crate) host: &'a str,
    pub(crate) scheme: Option<Scheme>,
    pub(crate) path: &'a str,
    /// Hash of the path.
    pub(crate) url: u64,
    pub(crate) query: u64,
    pub(crate) robots: bool,
    pub(crate) failed: bool,
    pub(crate) status: Status,
    /// Seconds of a Retry-After that was sent.
    pub(crate) retry_after: Option<u32>,
}

impl Ledger {
    /// Holds a fetch until its time is closed.
    pub(crate) fn hold(&mut self, fetch: &Fetched<'_>) {
        if self.closed.is_some_and(|closed| fetch.at <= closed) {
            self.late += 1;
        }
        if fetch.robots {
            self.held_robots.push(RobotsTouch {
                at: fetch.at,
                place: fetch.place,
                key: RobotsKey {
                    crawler: fetch.lane.crawler,
                    host: fetch.host.into(),
                    scheme: fetch.scheme,
                },
                failed: fetch.failed,
            });
        }
        let path = path_key(fetch);
        let lane = self.lane(fetch.lane);
        if fetch.failed {
            self.named.entry(path).or_insert_with(|| Named {
                host: fetch.host.into(),
                path: fetch.path.into(),
            });
        }
        self.held.push(Touch {
            at: fetch.at,
            place: fetch.place,
            path,
            query: fetch.query,
            lane,
            retry_after: fetch.retry_after.filter(|_| fetch.failed).unwrap_or(0),
            status: fetch.status,
            failed: fetch.failed,
        });
    }

    /// Fetches held.
    pub(crate) fn held(&self) -> usize {
        self.held.len()
    }

    fn lane(&mut self, lane: Lane) -> u32 {
        *self.lane_numbers.entry(lane).or_insert_with(|| {
            self.lanes.push(lane);
            self.lanes.len() as u32 - 1
        })
    }

    /// Unites the held fetches of two ledgers. What is closed may stand on one side only: there is one owner.
    pub(crate) fn absorb(&mut self, other: Self) {
        let (mut open, closed) = if other.closed.is_some() {
            (std::mem::take(self), other)
        } else {
            (other, std::mem::take(self))
        };
        *self = closed;
        debug_assert!(open.closed.is_none(), "one owner closes");
        let numbers: Vec<u32> = open.lanes.iter().map(|lane| self.lane(*lane)).collect();
        if let Some(closed) = self.closed {
            self.late += open.held.iter().filter(|touch| touch.at <= closed).count() as u64;
        }
        for touch in &mut open.held {
            touch.lane = numbers[touch.lane as usize];
        }
        self.held.append(&mut open.held);
        self.held_robots.append(&mut open.held_robots);
        self.named.extend(open.named);
        self.late += open.late;
    }

    /// Resolves everything up to `watermark`, in the order of (stamp, source, line).
    pub(crate) fn close(&mut self, watermark: Stamp) {
        let (mut now, later): (Vec<_>, Vec<_>) = std::mem::take(&mut self.held)
            .into_iter()
            .partition(|touch| touch.at <= watermark);
        self.held = later;
        now.sort_unstable();
        for touch in now {
            self.resolve(touch);
        }
        let (mut robots, later): (Vec<_>, Vec<_>) = std::mem::take(&mut self.held_robots)
            .into_iter()
            .partition(|touch| touch.at <= watermark);
        self.held_robots = later;
        robots.sort_unstable();
        for touch in robots {
            let state = self.robots.entry(touch.key).or_default();
            if touch.failed {
                state.failing_since.get_or_insert(touch.at);
            } else {
                *state = RobotsState {
                    last_ok: Some(touch.at),
                    failing_since: None,
                };
            }
        }
        self.closed = self.closed.max(Some(watermark));
        let held: FxHashSet<u64> = self.held.iter().map(|touch| touch.path).collect();
        self.named.retain(|path, _| held.contains(path));
        self.renumber_lanes();
    }

    /// Forgets the lanes that no held fetch needs.
    fn renumber_lanes(&mut self) {
        let old = std::mem::take(&mut self.lanes);
        self.lane_numbers = FxHashMap::default();
        let mut held = std::mem::take(&mut self.held);
        for touch in &mut held {
            touch.lane = self.lane(old[touch.lane as usize]);
        }
        self.held = held;
    }

    fn resolve(&mut self, touch: Touch) {
        let lane = self.lanes[touch.lane as usize];
        if touch.failed {
            self.fail(lane);
        } else if !self.pending.is_empty() {
            for lane in wider(lane) {
                if let Some(is_failing @ true) = self.pending.get_mut(&lane) {
                    *is_failing = false;
                    self.returns.add(Return { at: touch.at, lane });
                }
            }
        }
        if let Some(entry) = self.paths.get_mut(&touch.path) {
            if let Some(has_waited) = entry.urls.touch(&touch) {
                let retries = self.retries.entry(lane.crawler).or_default();
                *(if has_waited {
                    &mut retries.respected
                } else {
                    &mut retries.early
                }) += 1;
            }
        } else if touch.failed && !self.admit(&touch, lane) {
            *self.left_out.entry(lane.crawler).or_default() += 1;
        }
    }

    /// Notes a failure in the lane and the wider ones. Fetches are resolved in the order of events, so the first lanes
    /// are the same however they came; lanes without a prefix are few.
    fn fail(&mut self, lane: Lane) {
        for lane in wider(lane) {
            if let Some(is_failing) = self.pending.get_mut(&lane) {
                *is_failing = true;
                continue;
            }
            let lanes = self.lanes_of.entry(lane.crawler).or_default();
            if *lanes >= LANES_MAX && lane.first != 0 {
                self.lanes_left_out += 1;
                return;
            }
            *lanes += 1;
            self.pending.insert(lane, true);
        }
    }

    /// Makes an entry for a path that fails for the first time, if its rank is among the smallest of its crawler.
    /// A path among the smallest at the end was so at its first failure, so its state is complete.
    fn admit(&mut self, touch: &Touch, lane: Lane) -> bool {
        let Some(named) = self.named.get(&touch.path).cloned() else {
            return false;
        };
        let ranks = self.ranks.entry(lane.crawler).or_default();
        if ranks.len() == ranks.capacity() {
            ranks.reserve_exact(RANKS_STEP);
        }
        ranks.push((rank(&named), touch.path));
        if ranks.len() > LEDGER_PATHS_MAX {
            let Some((_, dropped)) = ranks.pop() else {
                return false;
            };
            if let Some(entry) = self.paths.remove(&dropped) {
                *self.left_out.entry(lane.crawler).or_default() += entry.urls.failed();
            }
            if dropped == touch.path {
                return false;
            }
        }
        let host = self.host_number(named.host);
        self.paths.insert(
            touch.path,
            PathEntry {
                crawler: lane.crawler,
                host,
                path: named.path,
                urls: Urls::One(touch.query, UrlState::failing(touch)),
            },
        );
        true
    }

    fn host_number(&mut self, host: Box<str>) -> u32 {
        if let Some(number) = self.host_numbers.get(&host) {
            return *number;
        }
        let number = self.hosts.len() as u32;
        self.hosts.push(host.clone());
        self.host_numbers.insert(host, number);
        number
    }

    /// Name of a path's host.
    pub(crate) fn host(&self, entry: &PathEntry) -> &str {
        self.hosts.get(entry.host as usize).map_or("", |host| host)
    }

    /// How each crawler that was sent a Retry-After came back.
    pub(crate) fn retry_after(&self) -> BTreeMap<CrawlerId, RetryAfter> {
        let mut all = self.retries.clone();
        #[expect(clippy::iter_over_hash_type, reason = "summed")]
        for entry in self.paths.values() {
            let open = entry.urls.iter().filter(|(_, url)| url.retry_after > 0);
            let open = open.count() as u64;
            if open > 0 {
                all.entry(entry.crawler).or_default().open += open;
            }
        }
        all
    }
}

/// The lane and the wider ones around it: crawler; crawler and host; and first segment; and second.
fn wider(lane: Lane) -> [Lane; 4] {
    [
        Lane {
            host: 0,
            first: 0,
            second: 0,
            ..lane
        },
        Lane {
            first: 0,
            second: 0,
            ..lane
        },
        Lane { second: 0, ..lane },
        lane,
    ]
}

fn path_key(fetch: &Fetched<'_>) -> u64 {
    fetch.url
        ^ fetch.lane.host.rotate_left(17)
        ^ u64::from(fetch.lane.crawler.0).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

/// The same in every run: no secret goes in. robots.txt is never left out.
fn rank(named: &Named) -> u64 {
    if &*named.path == "/robots.txt" {
        return 0;
    }
    crate::hash(named.host.as_bytes()).rotate_left(31) ^ crate::hash(named.path.as_bytes())
}
