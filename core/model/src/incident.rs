//! Failures that belong together.

use std::collections::BTreeMap;

use crate::{CrawlerId, Scope, Stamp, Status, Verdict};

/// Hash of site, scope and earliest failure as at first detection. Never changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IncidentId(pub u64);

/// Failed of total, with the repeats among the failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Counts {
    /// Failed.
    pub failed: u64,
    /// All of the scope and interval.
    pub total: u64,
    /// Repeats of one impatient client among the failed.
    pub repeats: u64,
}

/// One crawler in one incident.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CrawlerHit {
    /// Who.
    pub crawler: CrawlerId,
    /// Failed fetches inside scope and interval.
    pub failed: u64,
    /// Of these, from an address that is the operator's.
    pub verified: u64,
    /// All its fetches there.
    pub total: u64,
    /// First good fetch in the scope after the last of those (scope `upstream`: anywhere on the site).
    pub first_ok: Option<Stamp>,
    /// Last good fetch in the scope of all that was read.
    pub last_ok: Option<Stamp>,
    /// Last fetch of any kind in the scope.
    pub last_seen: Option<Stamp>,
    /// URLs that failed.
    pub urls_lost: u64,
    /// Of these, fetched well again since.
    pub urls_refetched: u64,
    /// Of these, still owed.
    pub urls_owed: u64,
    /// Of the owed, fetched again since and failed again.
    pub urls_retried: u64,
    /// Time from a URL's first failure to its first good fetch, over the URLs that are back; `None` where none is, or
    /// where times were not kept.
    pub time_to_return: Option<TimeToReturn>,
}

/// How long URLs took to come back, in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeToReturn {
    /// Half of them took no longer.
    pub median: i64,
    /// Nine in ten took no longer.
    pub p90: i64,
}

/// One path in one incident.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathHit {
    /// Host; empty where not logged.
    pub host: String,
    /// Path as crawlers fetched it.
    pub path: String,
    /// Failed fetches.
    pub failed: u64,
    /// By whom.
    pub crawlers: Vec<CrawlerId>,
}

/// One route in one incident, the good requests of the same route beside the failed ones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RouteHit {
    /// Host; empty where not logged.
    pub host: String,
    /// Pattern, such as `/product/{n}`.
    pub route: String,
    /// Failed requests.
    pub failed: u64,
    /// All requests.
    pub total: u64,
}

/// One upstream in one incident.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpstreamHit {
    /// Address as the edge wrote it.
    pub upstream: String,
    /// Failed attempts.
    pub failed: u64,
    /// All attempts that the log names the upstream of.
    pub total: u64,
}

/// Which stretch of time a crawler's rate is told of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RateWindow {
    /// From the incident's start to its end, or to the moment of judgement.
    During,
    /// From its end on: as long as it took, at least six hours and at most a day, as far as the log goes.
    After,
}

impl RateWindow {
    /// The name in every output.
    pub const fn name(self) -> &'static str {
        match self {
            Self::During => "during",
            Self::After => "after",
        }
    }
}

/// What a rate is compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RateBasis {
    /// The same hours of the weeks before.
    HourOfWeek,
    /// The same hours of the days before: the log is too short for weeks.
    HourOfDay,
}

impl RateBasis {
    /// The name in every output.
    pub const fn name(self) -> &'static str {
        match self {
            Self::HourOfWeek => "hour-of-week",
            Self::HourOfDay => "hour-of-day",
        }
    }
}

/// How often a crawler came, against its own baseline. Never more than "consistent with".
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CrawlRate {
    /// Who.
    pub crawler: CrawlerId,
    /// Of which stretch.
    pub window: RateWindow,
    /// Its first second.
    pub from: Stamp,
    /// Its last second.
    pub to: Stamp,
    /// Fetches in it, without what the failures themselves added: further tries, fetches that brought lost URLs back.
    pub fetches: u64,
    /// Fetches that were to be expected.
    pub expected: f64,
    /// Fetches over expected.
    pub ratio: f64,
    /// Between which the ratio lies, at 95 %.
    pub bounds: (f64, f64),
    /// What was expected, from what.
    pub basis: RateBasis,
}

/// A change of verdict or scope.
#[derive(Clone, Debug, PartialEq)]
pub struct Revision {
    /// When.
    pub at: Stamp,
    /// The verdict from then on.
    pub verdict: Verdict,
    /// Its probability.
    pub probability: f64,
    /// The scope from then on.
    pub scope: Scope,
}

/// What the log leaves possible: starts, ends and shares whose likelihood is within three nats (odds of twenty) of the
/// best. Both ends included.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bounds {
    /// When the first burst may have begun.
    pub start: (Stamp, Stamp),
    /// When the last burst may have ended; `None` while ongoing.
    pub end: Option<(Stamp, Stamp)>,
    /// Share of the scope's requests that failed while it lasted, 0 to 1; of several runs while they lasted.
    pub share: (f64, f64),
}

/// Failed requests that belong together, judged.
#[derive(Clone, Debug, PartialEq)]
pub struct Incident {
    /// Identity for good.
    pub id: IncidentId,
    /// Incidents that were withdrawn in favour of this one.
    pub supersedes: Vec<IncidentId>,
    /// First failure.
    pub start: Stamp,
    /// End; `None` while ongoing.
    pub end: Option<Stamp>,
    /// Last failure.
    pub last_failure: Stamp,
    /// How often the crawlers that it hit came meanwhile and afterwards; none where the log before it is too short.
    pub rates: Vec<CrawlRate>,
    /// How well start, end and share are known.
    pub bounds: Bounds,
    /// When a program reading line by line would first have reported it.
    pub first_detected: Stamp,
    /// What it touches.
    pub scope: Scope,
    /// Blip, persistent, ...
    pub verdict: Verdict,
    /// The chance that the incident is real and the verdict right.
    pub probability: f64,
    /// Why this verdict and this scope, in one sentence, with the rule that was used.
    pub why: String,
    /// What would change verdict or end: the nearest other answers.
    pub would_change: String,
    /// Whether the edge answered so on purpose.
    pub intended: bool,
    /// Runs of failures in it: one, or several for the repeating verdicts.
    pub runs: Vec<(Stamp, Stamp)>,
    /// Statuses as sent to clients.
    pub statuses: BTreeMap<Status, u64>,
    /// Requests of any client.
    pub requests: Counts,
    /// Fetches by crawlers.
    pub fetches: Counts,
    /// How verdict and scope changed.
    pub history: Vec<Revision>,
    /// Crawlers hit, worst first.
    pub crawlers: Vec<CrawlerHit>,
    /// Paths hit, worst first.
    pub paths: Vec<PathHit>,
    /// Routes hit, worst first.
    pub routes: Vec<RouteHit>,
    /// Upstreams, worst first.
    pub upstreams: Vec<UpstreamHit>,
}
