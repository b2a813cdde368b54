//! A month of a site as a closed tally, without a log: five routes, six crawlers, four upstreams. Who asks for what is
//! drawn from a seed, when is even.
#![allow(clippy::unwrap_used, reason = "test code")]

use model::{
    Attempt, Claim, Edge, Fetch, Finding, Identity, Method, Outcome, Place, Request, Route,
    Segment, Shape, SourceId, Stamp, Status,
};
use tally::Tally;

pub(crate) const START: i64 = 1_790_000_000;
pub(crate) const SECONDS: i64 = 30 * 86_400;
pub(crate) const UPSTREAMS: [&str; 4] = [
    "10.0.0.1:8080",
    "10.0.0.2:8080",
    "10.0.0.3:8080",
    "10.0.0.4:8080",
];
/// First segments with how many in a hundred requests go there.
pub(crate) const ROUTES: [(&str, u64); 5] = [
    ("product", 40),
    ("category", 20),
    ("blog", 10),
    ("static", 20),
    ("api", 10),
];
const CRAWLERS: [&str; 6] = [
    "googlebot",
    "bingbot",
    "gptbot",
    "claudebot",
    "yandexbot",
    "applebot",
];

/// Chance that a request fails, by its second since [`START`], its route and its upstream.
pub(crate) type Share = fn(i64, usize, usize) -> f64;

#[allow(dead_code, reason = "not every test counts a whole month")]
/// Counts so many requests, and closes the tally at the end of the month.
pub(crate) fn tally(requests: u64, share: Share) -> Tally {
    let mut tally = Tally::new();
    each(requests, share, |request| {
        tally.record(request);
        if request.place.line % 1_000_000 == 0 {
            tally.close(Stamp::from_secs(request.at.secs() - 120));
        }
    });
    tally.close(Stamp::from_secs(START + SECONDS));
    tally
}

/// So many requests, in order.
pub(crate) fn each(requests: u64, share: Share, mut visit: impl FnMut(&Request<'_>)) {
    let claims = CRAWLERS.map(|name| Claim {
        crawler: knowledge::crawler_named(name).unwrap(),
        identity: Identity::Unchecked,
    });
    let mut dice = Dice(1);
    let mut path = String::new();
    for number in 0..requests {
        let second = (number as i128 * i128::from(SECONDS) / i128::from(requests)) as i64;
        let (first, item) = (dice.below(100), dice.below(1_000) * dice.below(10));
        let route = ROUTES
            .iter()
            .scan(first as i64, |left, (name, share)| {
                *left -= *share as i64;
                Some((*name, *left < 0))
            })
            .find(|(_, here)| *here)
            .map_or(0, |(name, _)| {
                ROUTES.iter().position(|of| of.0 == name).unwrap()
            });
        let word = ROUTES[route].0;
        path.clear();
        path.push('/');
        path.push_str(word);
        path.push_str("/i");
        path.push_str(&item.to_string());
        let upstream = dice.below(4) as usize;
        let fails = dice.part() < share(second, route, upstream);
        let crawler = (dice.below(100) < 15).then(|| claims[dice.below(6) as usize]);
        let key = |text: &str| Segment {
            key: text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
                (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
            }),
            shape: Shape::Literal,
        };
        let mut segments = [Segment::default(); Route::DEPTH];
        segments[0] = key(word);
        segments[1] = key(&path);
        let finding = fails.then(|| Finding::unknown(None, true));
        let attempts = [Attempt {
            upstream: UPSTREAMS[upstream],
            is_group: false,
            status: Some(Status(if fails { 502 } else { 200 })),
            millis: Some(20),
            finding,
        }];
        visit(&Request {
            at: Stamp::from_secs(START + second),
            place: Place {
                source: SourceId(0),
                line: number + 1,
            },
            edge: Edge::Nginx,
            host: "",
            scheme: None,
            method: Method::Get,
            route: Route {
                segments,
                len: 2,
                deeper: false,
                robots: false,
            },
            url: segments[1].key,
            status: Status(if fails { 502 } else { 200 }),
            bytes: None,
            millis: Some(20),
            outcome: if fails {
                Outcome::Failed
            } else {
                Outcome::Good
            },
            finding,
            evidence: None,
            repeat: false,
            from_cache: false,
            no_upstream: false,
            retry_after: None,
            fetch: crawler.map(|claim| Fetch {
                claim,
                path: &path,
                query: 0,
            }),
            posing: None,
            attempts: &attempts,
        });
    }
}

/// SplitMix64.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }

    fn part(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }
}
