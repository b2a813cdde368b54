//! Requests that own their text, to be counted in any order.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use model::{
    Attempt, Cause, CauseSet, Claim, Confidence, CrawlerId, Edge, Fetch, Finding, Identity, Method,
    Outcome, Place, Request, Route, Scheme, Segment, Shape, Sign, SourceId, Stamp, Status,
};
use tally::Tally;

use crate::chance::Chance;
use crate::limits::START;

/// An attempt: where to, and whether it failed.
pub(crate) type Try = (String, bool);

#[derive(Clone, Debug)]
pub(crate) struct Owned {
    pub(crate) at: Stamp,
    pub(crate) place: Place,
    pub(crate) host: String,
    pub(crate) scheme: Option<Scheme>,
    pub(crate) path: String,
    pub(crate) query: u64,
    pub(crate) status: u16,
    pub(crate) outcome: Outcome,
    pub(crate) crawler: Option<CrawlerId>,
    pub(crate) attempts: Vec<Try>,
    pub(crate) repeat: bool,
    pub(crate) from_cache: bool,
    pub(crate) evidence: Option<Place>,
    pub(crate) retry_after: Option<u32>,
}

/// What is counted: mostly requests.
#[derive(Clone, Debug)]
pub(crate) enum Event {
    Request(Owned),
    Sign {
        at: Stamp,
        place: Place,
        host: String,
        upstream: String,
    },
}

pub(crate) const REFUSED: Finding = Finding {
    cause: Some(Cause::ConnectionRefused),
    also: CauseSet(0),
    confidence: Confidence::Certain,
    missing: None,
    wants_error_log: false,
    sign: None,
};

fn hash(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}

/// Words are literals, numbers are numbers.
fn route(path: &str) -> Route {
    let mut route = Route {
        robots: path == "/robots.txt",
        ..Route::default()
    };
    for word in path.split('/').skip(1).filter(|_| path != "/") {
        if usize::from(route.len) == Route::DEPTH {
            route.deeper = true;
            break;
        }
        let is_number = !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit());
        route.segments[usize::from(route.len)] = if is_number {
            Segment {
                key: Shape::Number as u64,
                shape: Shape::Number,
            }
        } else {
            Segment {
                key: hash(word),
                shape: Shape::Literal,
            }
        };
        route.len += 1;
    }
    route
}

impl Owned {
    pub(crate) fn failed(&self) -> bool {
        self.outcome == Outcome::Failed
    }

    pub(crate) fn lend(&self, each: impl FnOnce(&Request<'_>)) {
        let attempts: Vec<Attempt<'_>> = self
            .attempts
            .iter()
            .map(|(upstream, failed)| Attempt {
                upstream,
                is_group: false,
                status: Some(Status(if *failed { 502 } else { 200 })),
                millis: Some(10),
                finding: failed.then_some(REFUSED),
            })
            .collect();
        each(&Request {
            at: self.at,
            place: self.place,
            edge: Edge::Nginx,
            host: &self.host,
            scheme: self.scheme,
            method: Method::Get,
            route: route(&self.path),
            url: hash(&self.path),
            status: Status(self.status),
            bytes: Some(512),
            millis: Some((self.place.line % 3_000) as u32),
            outcome: self.outcome,
            finding: matches!(self.outcome, Outcome::Failed | Outcome::Hidden).then_some(REFUSED),
            evidence: self.evidence,
            repeat: self.repeat,
            from_cache: self.from_cache,
            no_upstream: self.attempts.is_empty(),
            retry_after: self.retry_after,
            fetch: self.crawler.map(|crawler| Fetch {
                claim: Claim {
                    crawler,
                    identity: Identity::Unchecked,
                },
                path: &self.path,
                query: self.query,
            }),
            posing: None,
            attempts: &attempts,
        });
    }
}

impl Event {
    pub(crate) const fn at(&self) -> Stamp {
        match self {
            Self::Request(request) => request.at,
            Self::Sign { at, .. } => *at,
        }
    }
}

pub(crate) fn tally(events: &[Event]) -> Tally {
    let mut tally = Tally::new();
    for event in events {
        count(&mut tally, event);
    }
    tally
}

pub(crate) fn count(tally: &mut Tally, event: &Event) {
    match event {
        Event::Request(request) => request.lend(|request| tally.record(request)),
        Event::Sign {
            at,
            place,
            host,
            upstream,
        } => tally.sign(&Sign {
            at: *at,
            place: *place,
            edge: Edge::Nginx,
            host,
            upstream,
            about_request: true,
            finding: REFUSED,
        }),
    }
}

/// What events by chance are like.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mix {
    /// Seconds from the first to the last.
    pub(crate) seconds: i64,
    /// Different words of a path.
    pub(crate) words: usize,
    pub(crate) upstreams: usize,
    pub(crate) hosts: usize,
    pub(crate) queries: usize,
    /// Of how many one fails.
    pub(crate) one_fails_in: usize,
}

pub(crate) const FEW: Mix = Mix {
    seconds: 900,
    words: 3,
    upstreams: 3,
    hosts: 2,
    queries: 3,
    one_fails_in: 3,
};

/// `n` events by chance, no two at the same place.
pub(crate) fn events(mix: Mix, n: usize, chance: &mut Chance) -> Vec<Event> {
    (0..n)
        .map(|line| event(mix, line as u64 + 1, chance))
        .collect()
}

fn event(mix: Mix, line: u64, chance: &mut Chance) -> Event {
    let at = Stamp(START * 1_000 + chance.below(mix.seconds as usize * 1_000) as i64);
    let place = Place {
        source: SourceId((line % 2) as u32),
        line,
    };
    let host = format!("h{}.example", chance.below(mix.hosts));
    let upstream = |chance: &mut Chance| format!("10.0.0.1:{}", chance.below(mix.upstreams));
    if chance.one_in(12) {
        return Event::Sign {
            at,
            place,
            host,
            upstream: upstream(chance),
        };
    }
    let outcome = match chance.below(12) {
        0 => Outcome::ClientAbort,
        1 => Outcome::Hidden,
        2 | 3 => Outcome::SavedByRetry,
        _ if chance.one_in(mix.one_fails_in) => Outcome::Failed,
        _ => Outcome::Good,
    };
    let status = match outcome {
        Outcome::Failed => [500, 502, 503][chance.below(3)],
        Outcome::ClientAbort => 499,
        Outcome::Good if chance.one_in(8) => 404,
        Outcome::Good | Outcome::SavedByRetry | Outcome::Hidden => 200,
    };
    let crawler = (!chance.one_in(3)).then(|| CrawlerId(chance.below(3) as u16));
    let attempts = match outcome {
        Outcome::Good | Outcome::ClientAbort => vec![(upstream(chance), false)],
        Outcome::SavedByRetry => vec![(upstream(chance), true), (upstream(chance), false)],
        Outcome::Failed | Outcome::Hidden => vec![(upstream(chance), true)],
    };
    Event::Request(Owned {
        at,
        place,
        host,
        scheme: [None, Some(Scheme::Http), Some(Scheme::Https)][chance.below(3)],
        path: path(mix.words, chance),
        query: chance.below(mix.queries) as u64,
        status,
        outcome,
        crawler,
        attempts,
        repeat: outcome == Outcome::Failed && crawler.is_none() && chance.one_in(3),
        from_cache: outcome == Outcome::Good && chance.one_in(10),
        evidence: chance.one_in(4).then_some(place),
        retry_after: chance.one_in(9).then_some(30),
    })
}

fn path(words: usize, chance: &mut Chance) -> String {
    if chance.one_in(8) {
        return "/robots.txt".to_owned();
    }
    let depth = chance.below(6);
    let mut path = String::new();
    for _ in 0..depth {
        let word = chance.below(words);
        // Some are numbers, and some paths end in a slash.
        path += &match word % 5 {
            4 => format!("/{word}"),
            _ => format!("/w{word}"),
        };
    }
    if path.is_empty() || chance.one_in(9) {
        path.push('/');
    }
    path
}
