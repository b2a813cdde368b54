//! What the edge answered by itself to crawlers that are who they say, beside people: a guard against bots that keeps out
//! those that are wanted.

use std::collections::BTreeMap;

use model::{Blocked, CrawlerId, Identity, Outcome, Request, Status};
use rustc_hash::FxHashMap;

/// Bytes up to which a 200 or 202 can be a challenge in place of the page. Convention of this project.
const CHALLENGE_BYTES_MAX: u64 = 2_048;

/// Refusals and challenges below which nothing is said, and the least share of the crawler's fetches. Conventions.
const REFUSED_MIN: u64 = 10;
const REFUSED_SHARE: u64 = 5;
const CHALLENGED_MIN: u64 = 20;
const CHALLENGED_SHARE: u64 = 2;

/// How many times as often people must get another answer: a guard tells them apart, an outage does not.
const TIMES_PEOPLE: u64 = 5;

/// Who got an answer: a crawler that is verified, or people.
type Who = Option<CrawlerId>;

/// Answers without an upstream that a guard may have given.
#[derive(Clone, Debug, Default)]
pub(crate) struct Guard {
    /// By status, and by size where the size is what gives it away, else 0.
    made: FxHashMap<(Who, Status, u32), u64>,
    /// Requests of each, robots.txt left out.
    fetches: FxHashMap<CrawlerId, u64>,
    /// The same of people: nearly every line, so no entry of a table.
    people: u64,
}

impl Guard {
    pub(crate) fn record(&mut self, request: &Request<'_>) {
        let who = match request.fetch {
            Some(fetch) if fetch.claim.identity == Identity::Verified => Some(fetch.claim.crawler),
            None if request.posing.is_none() => None,
            _ => return,
        };
        if request.route.robots || request.outcome == Outcome::ClientAbort {
            return;
        }
        match who {
            Some(crawler) => *self.fetches.entry(crawler).or_default() += 1,
            None => self.people += 1,
        }
        if !request.no_upstream || request.from_cache {
            return;
        }
        let bytes = match (request.status.0, request.bytes) {
            (403 | 429 | 503, _) => 0,
            (200 | 202, Some(bytes @ 1..=CHALLENGE_BYTES_MAX)) => bytes as u32,
            _ => return,
        };
        *self.made.entry((who, request.status, bytes)).or_default() += 1;
    }

    #[expect(clippy::iter_over_hash_type, reason = "sums do not depend on order")]
    pub(crate) fn absorb(&mut self, other: Self) {
        for (key, n) in other.made {
            *self.made.entry(key).or_default() += n;
        }
        for (crawler, n) in other.fetches {
            *self.fetches.entry(crawler).or_default() += n;
        }
        self.people += other.people;
    }

    /// Crawlers that were kept out, worst first.
    pub(crate) fn blocked(&self) -> Vec<Blocked> {
        let made: BTreeMap<_, _> = self.made.iter().collect();
        let mut blocked: Vec<Blocked> = made
            .into_iter()
            .filter_map(|((who, status, bytes), n)| {
                let crawler = (*who)?;
                let fetches = self.fetches.get(&crawler).copied().unwrap_or(0);
                let same = self
                    .made
                    .get(&(None, *status, *bytes))
                    .copied()
                    .unwrap_or(0);
                let (min, share) = match bytes {
                    0 => (REFUSED_MIN, REFUSED_SHARE),
                    _ => (CHALLENGED_MIN, CHALLENGED_SHARE),
                };
                let is_often = *n >= min && n * share >= fetches;
                let is_apart = u128::from(*n) * u128::from(self.people)
                    >= u128::from(TIMES_PEOPLE) * u128::from(same) * u128::from(fetches);
                (is_often && is_apart).then_some(Blocked {
                    crawler,
                    status: *status,
                    bytes: (*bytes > 0).then_some(*bytes),
                    count: *n,
                    fetches,
                })
            })
            .collect();
        blocked.sort_by_key(|one| (std::cmp::Reverse(one.count), one.crawler, one.status));
        blocked
    }
}
