//! The ledger of crawler URLs that failed, of robots.txt, and of the first good fetch after a failure. Resolved in
//! event time: good fetches are held as hash and stamp until the watermark passes.

use std::collections::{BTreeMap, BTreeSet};

use model::{CrawlerId, Place, Scheme, Stamp};
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
    pub(crate) failed: u64,
    /// First failure after the last good answer.
    pub(crate) first_failed: Stamp,
    pub(crate) last_failed: Stamp,
    /// First good fetch after the last failure.
    pub(crate) first_ok: Option<Stamp>,
}

impl UrlState {
    const fn failing(at: Stamp) -> Self {
        Self {
            failed: 0,
            first_failed: at,
            last_failed: at,
            first_ok: None,
        }
    }

    fn touch(&mut self, at: Stamp, failed: bool) {
        if failed {
            if self.first_ok.take().is_some() {
                self.first_failed = at;
            }
            self.failed += 1;
            self.last_failed = at;
        } else if self.first_ok.is_none() {
            self.first_ok = Some(at);
        }
    }
}

/// A path that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PathEntry {
    pub(crate) crawler: CrawlerId,
    pub(crate) host: Box<str>,
    pub(crate) path: Box<str>,
    /// Hash that decides which paths are kept; the same in every run.
    rank: u64,
    /// The path as one URL.
    pub(crate) whole: UrlState,
    /// Its URLs, told apart by the hash of the query; `None` once there were too many.
    pub(crate) urls: Option<Urls>,
}

/// The URLs of one path by the hash of the query, sorted. Most paths have one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Urls(Vec<(u64, UrlState)>);

impl Urls {
    pub(crate) const fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&u64, &UrlState)> {
        self.0.iter().map(|(query, url)| (query, url))
    }

    pub(crate) fn values(&self) -> impl Iterator<Item = &UrlState> {
        self.0.iter().map(|(_, url)| url)
    }

    /// A failed fetch makes an entry, a good one only changes what is there.
    fn touch(&mut self, touch: &Touch) {
        match self
            .0
            .binary_search_by_key(&touch.query, |(query, _)| *query)
        {
            Ok(at) => self.0[at].1.touch(touch.at, touch.failed),
            Err(at) if touch.failed => {
                if self.0.is_empty() {
                    self.0.reserve_exact(1);
                }
                let mut url = UrlState::failing(touch.at);
                url.touch(touch.at, true);
                self.0.insert(at, (touch.query, url));
            }
            Err(_) => {}
        }
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

/// The ledger.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ledger {
    held: Vec<Touch>,
    held_robots: Vec<RobotsTouch>,
    lanes: Vec<Lane>,
    lane_numbers: FxHashMap<Lane, u32>,
    named: FxHashMap<u64, Named>,
    pub(crate) paths: FxHashMap<u64, PathEntry>,
    /// Per crawler, the kept paths by rank.
    ranks: BTreeMap<CrawlerId, BTreeSet<(u64, u64)>>,
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
            self.admit(touch, lane);
        } else if !self.pending.is_empty() {
            for lane in wider(lane) {
                if let Some(is_failing @ true) = self.pending.get_mut(&lane) {
                    *is_failing = false;
                    self.returns.add(Return { at: touch.at, lane });
                }
            }
        }
        if let Some(entry) = self.paths.get_mut(&touch.path) {
            entry.whole.touch(touch.at, touch.failed);
            if let Some(urls) = &mut entry.urls {
                urls.touch(&touch);
                if urls.len() > LEDGER_QUERIES_MAX {
                    entry.urls = None;
                }
            }
        } else if touch.failed {
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
    fn admit(&mut self, touch: Touch, lane: Lane) {
        if self.paths.contains_key(&touch.path) {
            return;
        }
        let Some(named) = self.named.get(&touch.path).cloned() else {
            return;
        };
        let rank = rank(&named);
        let ranks = self.ranks.entry(lane.crawler).or_default();
        ranks.insert((rank, touch.path));
        if ranks.len() > LEDGER_PATHS_MAX {
            let Some((_, dropped)) = ranks.pop_last() else {
                return;
            };
            if let Some(entry) = self.paths.remove(&dropped) {
                *self.left_out.entry(lane.crawler).or_default() += entry.whole.failed;
            }
            if dropped == touch.path {
                return;
            }
        }
        self.paths.insert(
            touch.path,
            PathEntry {
                crawler: lane.crawler,
                host: named.host,
                path: named.path,
                rank,
                whole: UrlState::failing(touch.at),
                urls: Some(Urls::default()),
            },
        );
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
