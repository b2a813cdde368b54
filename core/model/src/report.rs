//! The answer as a whole: what `report` renders.

use std::collections::BTreeMap;

use crate::{Cause, Coverage, CrawlerId, Diagnosis, Limit, Place, Problem, Scheme, Stamp, Status};

/// Sums over everything read.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Totals {
    /// Requests of any client.
    pub requests: u64,
    /// Failed.
    pub failed: u64,
    /// Proven broken under another status.
    pub hidden_failures: u64,
    /// Served after a failed attempt.
    pub saved_by_retry: u64,
    /// Clients that hung up.
    pub client_aborts: u64,
    /// Requests by crawlers, spoofed ones left out.
    pub fetches: u64,
    /// Failed fetches.
    pub fetches_failed: u64,
    /// Hung up by crawlers.
    pub fetches_aborted: u64,
    /// Every request by status.
    pub by_status: BTreeMap<Status, u64>,
    /// Failed attempts that a retry saved, by upstream: an early warning.
    pub saved_by_upstream: BTreeMap<String, u64>,
    /// Requests that a retry saved, by the cause name of their first failed attempt.
    pub saved_by_cause: BTreeMap<&'static str, u64>,
    /// Hidden failures by cause name.
    pub hidden_by_cause: BTreeMap<&'static str, u64>,
    /// Failed fetches in no incident.
    pub isolated_fetches: u64,
}

/// One crawler over everything read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CrawlerReport {
    /// Who.
    pub crawler: CrawlerId,
    /// Its fetches.
    pub fetches: u64,
    /// Failed ones.
    pub failed: u64,
    /// By status.
    pub by_status: BTreeMap<Status, u64>,
    /// Claims by identity: verified, spoofed, unverifiable, unchecked.
    pub identity: [u64; 4],
    /// Fetches on which it hung up.
    pub aborted: u64,
    /// How long it waits, where its aborts show it.
    pub patience: Option<Patience>,
    /// How it came back to what it was sent a Retry-After for.
    pub retry_after: RetryAfter,
}

/// A crawler's own limit: most of its aborts came after the same time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// The time, in milliseconds.
    pub millis: u32,
    /// Aborts at about that time.
    pub aborts: u64,
}

/// Phase of a failing robots.txt, as `ROB` facts describe it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RobotsPhase {
    /// Under 12 hours.
    Stopped,
    /// 12 hours to 30 days.
    Cached,
    /// Beyond 30 days.
    Expired,
}

impl RobotsPhase {
    /// The name in every output.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Stopped => "stopped",
            Self::Cached => "cached",
            Self::Expired => "expired",
        }
    }
}

/// A crawler whose last fetch of robots.txt failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RobotsFact {
    /// Who.
    pub crawler: CrawlerId,
    /// Host; empty where not logged.
    pub host: String,
    /// Scheme, where logged.
    pub scheme: Option<Scheme>,
    /// First failure after its last good fetch.
    pub failing_since: Stamp,
    /// Last good fetch.
    pub last_ok: Option<Stamp>,
    /// Phase at the moment of judgement.
    pub phase: RobotsPhase,
}

/// One crawler and path in the ledger. URLs that differ only in the query are counted, never shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LedgerRow {
    /// Who.
    pub crawler: CrawlerId,
    /// Host; empty where not logged.
    pub host: String,
    /// Path.
    pub path: String,
    /// URLs of that path that failed; they differ in the query.
    pub urls: u64,
    /// Of these, still owed.
    pub owed: u64,
    /// Of the owed, fetched again since and failed again.
    pub retried: u64,
    /// Failed fetches.
    pub failed: u64,
    /// First failure after the last good answer, or the first of all where it came back.
    pub first_failed: Stamp,
    /// Last failure.
    pub last_failed: Stamp,
    /// Its status.
    pub last_status: Status,
    /// First good fetch after the last failure, when all its URLs came back; `None` while any is owed.
    pub first_ok: Option<Stamp>,
}

/// How a crawler came back to URLs that it was sent a Retry-After for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct RetryAfter {
    /// Fetches that came no earlier.
    pub respected: u64,
    /// Fetches that came earlier.
    pub early: u64,
    /// URLs that were not fetched since.
    pub open: u64,
}

/// A verified crawler that the edge kept out without asking an upstream, where people got something else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Blocked {
    /// Who.
    pub crawler: CrawlerId,
    /// The answer.
    pub status: Status,
    /// Its size, where a good status of always the same few bytes gives a challenge away.
    pub bytes: Option<u32>,
    /// How often.
    pub count: u64,
    /// Of so many verified fetches, robots.txt left out.
    pub fetches: u64,
}

/// Error-log lines about an upstream that belong to no request read: they count by themselves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignReport {
    /// What they say.
    pub cause: Cause,
    /// The upstream; empty where they do not name one.
    pub upstream: String,
    /// Whether they are about requests, which no access line matched.
    pub about_request: bool,
    /// How many.
    pub count: u64,
    /// The first.
    pub first: Stamp,
    /// The last.
    pub last: Stamp,
    /// Where the first stands.
    pub place: Place,
}

/// The answer.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Report {
    /// What was read.
    pub coverage: Coverage,
    /// Sums.
    pub totals: Totals,
    /// Crawlers, most fetches first.
    pub crawlers: Vec<CrawlerReport>,
    /// Incidents explained: ongoing before ended, then by harm to search and AI crawlers.
    pub diagnoses: Vec<Diagnosis>,
    /// Paths whose last answer to a crawler was a failure.
    pub open_urls: Vec<(CrawlerId, String)>,
    /// Crawlers whose last fetch of robots.txt failed.
    pub robots: Vec<RobotsFact>,
    /// The ledger of crawler URLs that failed.
    pub ledger: Vec<LedgerRow>,
    /// Crawlers that the edge kept out, worst first.
    pub blocked: Vec<Blocked>,
    /// Error lines without a request, most first.
    pub signs: Vec<SignReport>,
    /// Limits that were hit.
    pub limits: Vec<Limit>,
    /// What could not be read.
    pub problems: Vec<Problem>,
    /// What the layouts at hand cannot show, in words.
    pub blind_spots: Vec<&'static str>,
}
