//! The shape of machine output, version 1. Times are RFC 3339 in UTC, ids 16 hexadecimal digits, statuses three
//! digits, crawlers the ids of the registry.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

/// Counts by status.
pub(crate) type ByStatus = BTreeMap<String, u64>;

/// Crawl diagnostics of one run.
#[derive(Serialize, JsonSchema)]
#[schemars(title = "webmasterid report, version 1")]
pub(crate) struct Report {
    /// Version of this format.
    #[schemars(range(min = 1, max = 1))]
    pub(crate) version: u32,
    pub(crate) coverage: Coverage,
    pub(crate) totals: Totals,
    /// Crawlers, most fetches first.
    pub(crate) crawlers: Vec<Crawler>,
    /// Ongoing before ended, then by harm to search and AI crawlers.
    pub(crate) incidents: Vec<Incident>,
    pub(crate) facts: Facts,
    /// What crawlers failed to get, by path.
    pub(crate) ledger: Vec<LedgerRow>,
    /// Limits that were hit.
    pub(crate) limits: Vec<Limit>,
    /// What could not be read.
    pub(crate) problems: Vec<Problem>,
    /// Error-log lines about upstreams that belong to no request read.
    /// Worst first.
    pub(crate) blocked_at_edge: Vec<Blocked>,
    pub(crate) signs: Vec<Sign>,
    /// What the layouts at hand cannot show, in words.
    pub(crate) blind_spots: Vec<String>,
}

/// What was read.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Coverage {
    pub(crate) start: Option<Time>,
    pub(crate) end: Option<Time>,
    /// The moment the judgement holds for.
    pub(crate) judged_at: Time,
    /// Stretches without any line, longer than the site's rhythm explains.
    pub(crate) gaps: Vec<Gap>,
    pub(crate) sources: Vec<Source>,
    pub(crate) joined: Joined,
}

#[derive(Serialize, JsonSchema)]
pub(crate) struct Gap {
    pub(crate) start: Time,
    pub(crate) end: Time,
}

#[derive(Serialize, JsonSchema)]
pub(crate) struct Source {
    pub(crate) path: String,
    pub(crate) edge: &'static str,
    /// Name of the layout; empty where none was recognised.
    pub(crate) format: String,
    #[schemars(extend("enum" = ["access", "error", "origin"]))]
    pub(crate) kind: &'static str,
    pub(crate) lines: u64,
    pub(crate) requests: u64,
    /// Error-log entries.
    pub(crate) entries: u64,
    /// Lines that are no records: of other programs in the stream, or headers of the file.
    pub(crate) others: u64,
    pub(crate) unparsed: u64,
    pub(crate) first: Option<Time>,
    pub(crate) last: Option<Time>,
}

/// How access and error log were joined.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Joined {
    pub(crate) failures: u64,
    pub(crate) with_error_line: u64,
    /// By a connection number or log id.
    pub(crate) exact: u64,
    /// By client, request line and time.
    pub(crate) best_match: u64,
    pub(crate) signs_unmatched: u64,
}

#[derive(Serialize, JsonSchema)]
pub(crate) struct Totals {
    pub(crate) requests: u64,
    pub(crate) failed: u64,
    pub(crate) hidden_failures: u64,
    pub(crate) saved_by_retry: u64,
    pub(crate) client_aborts: u64,
    pub(crate) fetches: u64,
    pub(crate) fetches_failed: u64,
    pub(crate) fetches_aborted: u64,
    /// Failed fetches in no incident.
    pub(crate) isolated_fetches: u64,
    /// Every request read.
    pub(crate) by_status: ByStatus,
    /// Failed attempts that a retry saved.
    pub(crate) saved_by_upstream: BTreeMap<String, u64>,
    pub(crate) hidden_by_cause: BTreeMap<String, u64>,
    /// Requests that a retry saved, by the cause of their first failed attempt.
    pub(crate) saved_by_cause: BTreeMap<String, u64>,
}

#[derive(Serialize, JsonSchema)]
pub(crate) struct Crawler {
    pub(crate) id: String,
    pub(crate) operator: String,
    #[schemars(extend("enum" = ["search", "ai", "user-triggered", "seo", "monitor", "preview", "other"]))]
    pub(crate) category: &'static str,
    pub(crate) fetches: u64,
    pub(crate) failed: u64,
    pub(crate) by_status: ByStatus,
    pub(crate) identity: IdentityCounts,
    /// Fetches on which it hung up.
    pub(crate) aborted: u64,
    /// How long it waits, where its aborts show it; null where they do not.
    pub(crate) patience_ms: Option<u32>,
    /// How it came back to what it was sent a Retry-After for.
    pub(crate) retry_after: RetryAfter,
}

#[derive(Serialize, JsonSchema)]
pub(crate) struct RetryAfter {
    /// Fetches that came no earlier.
    pub(crate) respected: u64,
    /// Fetches that came earlier.
    pub(crate) early: u64,
    /// URLs that were not fetched since.
    pub(crate) open: u64,
}

#[derive(Serialize, JsonSchema)]
pub(crate) struct TimeToReturn {
    /// Half of them took no longer.
    pub(crate) median: i64,
    /// Nine in ten took no longer.
    pub(crate) p90: i64,
}

#[derive(Serialize, JsonSchema)]
pub(crate) struct IdentityCounts {
    pub(crate) verified: u64,
    pub(crate) spoofed: u64,
    pub(crate) unverifiable: u64,
    pub(crate) unchecked: u64,
}

#[derive(Serialize, JsonSchema)]
pub(crate) struct Incident {
    /// Hash of site, scope and earliest failure as at first detection; never changes.
    pub(crate) id: Id,
    pub(crate) supersedes: Vec<Id>,
    pub(crate) start: Time,
    /// Null while ongoing.
    pub(crate) end: Option<Time>,
    pub(crate) last_failure: Time,
    pub(crate) bounds: Bounds,
    /// How often the crawlers that it hit came meanwhile and afterwards; empty where the log before it is too short.
    pub(crate) rates: Vec<CrawlRate>,
    pub(crate) first_detected: Time,
    pub(crate) scope: Scope,
    #[schemars(extend("enum" = ["overload", "recurring", "restart", "blip", "persistent", "intermittent"]))]
    pub(crate) verdict: &'static str,
    /// The chance that the incident is real and the verdict right.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub(crate) probability: f64,
    pub(crate) why: String,
    /// What would change verdict or end: the nearest other answers.
    pub(crate) would_change: String,
    /// Whether the edge answered so on purpose.
    pub(crate) intended: bool,
    #[schemars(extend("enum" = ["edge", "connection", "response", "application", "further-hop", "client", "unknown"]))]
    pub(crate) layer: &'static str,
    /// The root where it is known, else what the edge states; null where the log cannot tell.
    pub(crate) cause: Option<&'static str>,
    pub(crate) root: Option<&'static str>,
    #[schemars(extend("enum" = ["certain", "likely", "ambiguous", "unknown"]))]
    pub(crate) confidence: &'static str,
    pub(crate) alternatives: Vec<&'static str>,
    /// What the incident as a whole says of a cause that its failures leave open.
    pub(crate) cause_why: Option<String>,
    /// The field that would settle it.
    pub(crate) missing: Option<&'static str>,
    /// Whether the error log would settle it.
    pub(crate) wants_error_log: bool,
    /// Failures that only echo the root cause.
    pub(crate) echoes: u64,
    /// Failures whose own cause is the one given.
    pub(crate) supporting: u64,
    pub(crate) statuses: ByStatus,
    pub(crate) requests: RequestCounts,
    pub(crate) fetches: FetchCounts,
    pub(crate) runs: Vec<Gap>,
    pub(crate) history: Vec<Revision>,
    pub(crate) crawlers: BTreeMap<String, CrawlerHit>,
    /// Worst first.
    pub(crate) paths: Vec<PathHit>,
    /// Worst first.
    pub(crate) routes: Vec<RouteHit>,
    /// Worst first.
    pub(crate) upstreams: Vec<UpstreamHit>,
    /// Who asked how much in the minutes before; null where the log does not go far enough back.
    pub(crate) load_before: Option<LoadBefore>,
    pub(crate) risk: Vec<Risk>,
    pub(crate) advice: Vec<Advice>,
    pub(crate) evidence: Vec<Evidence>,
    /// What the operator did near the start.
    pub(crate) marks: Vec<Mark>,
}

/// What the log leaves possible, first and last: likelihood within three nats (odds of twenty) of the best.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Bounds {
    /// When the first burst may have begun.
    pub(crate) start: [Time; 2],
    /// When the last burst may have ended; null while ongoing.
    pub(crate) end: Option<[Time; 2]>,
    /// Share of the scope's requests that failed while it lasted.
    pub(crate) share: [f64; 2],
}

/// A verified crawler that the edge kept out without asking an upstream, where people got something else.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Blocked {
    pub(crate) crawler: String,
    pub(crate) status: u16,
    /// Size of the answer, where a good status of always the same few bytes gives a challenge away.
    pub(crate) bytes: Option<u32>,
    pub(crate) count: u64,
    /// Verified fetches, robots.txt left out.
    pub(crate) fetches: u64,
}

#[derive(Serialize, JsonSchema)]
pub(crate) struct LoadBefore {
    /// Length of the stretch before the start.
    pub(crate) seconds: i64,
    /// Of all clients.
    pub(crate) requests: u64,
    /// As many usually come in that time.
    pub(crate) usual: u64,
    /// Time upstream of all; null where no time is logged.
    pub(crate) seconds_upstream: Option<f64>,
    /// Most requests first.
    pub(crate) crawlers: Vec<CrawlerLoad>,
    /// The crawler whose burst came first.
    pub(crate) burst: Option<String>,
}

#[derive(Serialize, JsonSchema)]
pub(crate) struct CrawlerLoad {
    pub(crate) crawler: String,
    pub(crate) requests: u64,
    pub(crate) usual: u64,
    pub(crate) seconds_upstream: Option<f64>,
}

#[derive(Serialize, JsonSchema)]
pub(crate) struct CrawlRate {
    pub(crate) crawler: String,
    #[schemars(extend("enum" = ["during", "after"]))]
    pub(crate) window: &'static str,
    pub(crate) from: Time,
    pub(crate) to: Time,
    /// Without what the failures themselves added: further tries, fetches that brought lost URLs back.
    pub(crate) fetches: u64,
    pub(crate) expected: f64,
    /// Fetches over expected.
    pub(crate) ratio: f64,
    /// Between which the ratio lies, at 95 %.
    pub(crate) bounds: [f64; 2],
    /// The same hours of the weeks before, or of the days before.
    #[schemars(extend("enum" = ["hour-of-week", "hour-of-day"]))]
    pub(crate) basis: &'static str,
}

#[derive(Serialize, JsonSchema)]
pub(crate) struct Scope {
    #[schemars(extend("enum" = ["site", "host", "route", "url", "upstream", "crawler", "robots"]))]
    pub(crate) kind: &'static str,
    /// Prefixes for a route, else one name.
    pub(crate) value: ScopeValue,
}

#[derive(Serialize, JsonSchema)]
#[serde(untagged)]
pub(crate) enum ScopeValue {
    One(String),
    Several(Vec<String>),
}

#[derive(Serialize, JsonSchema)]
pub(crate) struct RequestCounts {
    pub(crate) failed: u64,
    pub(crate) total: u64,
    /// Repeats of one impatient client among the failed.
    pub(crate) repeats: u64,
}

#[derive(Serialize, JsonSchema)]
pub(crate) struct FetchCounts {
    pub(crate) failed: u64,
    /// Of the failed, from an address that is the crawler's operator's.
    pub(crate) verified: u64,
    pub(crate) total: u64,
}

#[derive(Serialize, JsonSchema)]
pub(crate) struct Revision {
    pub(crate) at: Time,
    pub(crate) verdict: &'static str,
    pub(crate) probability: f64,
    pub(crate) scope: Scope,
}

#[derive(Serialize, JsonSchema)]
pub(crate) struct CrawlerHit {
    pub(crate) failed: u64,
    /// Of the failed, from an address that is its operator's.
    pub(crate) verified: u64,
    pub(crate) total: u64,
    /// First good fetch after the last failure.
    pub(crate) first_ok: Option<Time>,
    pub(crate) last_ok: Option<Time>,
    pub(crate) last_seen: Option<Time>,
    pub(crate) urls_lost: u64,
    pub(crate) urls_refetched: u64,
    pub(crate) urls_owed: u64,
    /// Of the owed, fetched again since and failed again.
    pub(crate) urls_retried: u64,
    /// From the first failure of a URL to its first good fetch, over those that are back; null where none is.
    pub(crate) seconds_to_return: Option<TimeToReturn>,
}

#[derive(Serialize, JsonSchema)]
pub(crate) struct PathHit {
    pub(crate) host: String,
    pub(crate) path: String,
    pub(crate) failed: u64,
    pub(crate) crawlers: Vec<String>,
}

#[derive(Serialize, JsonSchema)]
pub(crate) struct RouteHit {
    pub(crate) host: String,
    pub(crate) route: String,
    pub(crate) failed: u64,
    pub(crate) total: u64,
}

#[derive(Serialize, JsonSchema)]
pub(crate) struct UpstreamHit {
    pub(crate) upstream: String,
    pub(crate) failed: u64,
    pub(crate) total: u64,
}

/// Error-log lines that belong to no request read.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Sign {
    pub(crate) cause: &'static str,
    pub(crate) upstream: String,
    /// Whether they are about requests, which no access line matched; else about a server or process.
    pub(crate) about_request: bool,
    pub(crate) count: u64,
    pub(crate) first: Time,
    pub(crate) last: Time,
    pub(crate) source: String,
    pub(crate) line: u64,
}

#[derive(Serialize, JsonSchema)]
pub(crate) struct Risk {
    pub(crate) fact: &'static str,
    pub(crate) says: String,
    pub(crate) since: Option<Time>,
    pub(crate) last_good: Option<Time>,
    pub(crate) due: Option<Time>,
    #[schemars(extend("enum" = ["verified", "not yet verified"]))]
    pub(crate) status: &'static str,
    pub(crate) source: &'static str,
}

#[derive(Serialize, JsonSchema)]
pub(crate) struct Advice {
    #[serde(rename = "do")]
    pub(crate) action: String,
    pub(crate) why: String,
    pub(crate) fact: Option<&'static str>,
}

#[derive(Serialize, JsonSchema)]
pub(crate) struct Evidence {
    pub(crate) source: String,
    pub(crate) line: u64,
    /// Name of the sign; null for a plain failed request.
    pub(crate) sign: Option<&'static str>,
    pub(crate) says: String,
    /// Lines that say the same, this one included.
    pub(crate) count: u64,
}

#[derive(Serialize, JsonSchema)]
pub(crate) struct Mark {
    #[schemars(extend("enum" = ["deploy", "maintenance"]))]
    pub(crate) kind: &'static str,
    pub(crate) label: String,
    pub(crate) start: Time,
    pub(crate) end: Time,
    /// Seconds from the mark to the start of the incident.
    pub(crate) seconds_before: i64,
}

/// Exact by definition.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Facts {
    /// Crawler and path whose last answer was a failure: open if any URL of that path is.
    pub(crate) open_urls: Vec<(String, String)>,
    pub(crate) robots: Vec<Robots>,
}

/// A crawler whose last fetch of robots.txt failed.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Robots {
    pub(crate) crawler: String,
    pub(crate) host: String,
    pub(crate) scheme: Option<&'static str>,
    pub(crate) failing_since: Time,
    pub(crate) last_ok: Option<Time>,
    #[schemars(extend("enum" = ["stopped", "cached", "expired"]))]
    pub(crate) phase: &'static str,
}

#[derive(Serialize, JsonSchema)]
pub(crate) struct LedgerRow {
    pub(crate) crawler: String,
    pub(crate) host: String,
    pub(crate) path: String,
    /// URLs of that path, which differ in the query.
    pub(crate) urls: u64,
    /// Of these, still owed.
    pub(crate) owed: u64,
    /// Of the owed, fetched again since and failed again.
    pub(crate) retried: u64,
    pub(crate) failed: u64,
    pub(crate) first_failed: Time,
    pub(crate) last_failed: Time,
    /// Status of the last failure.
    pub(crate) last_status: u16,
    /// Null while any URL is owed.
    pub(crate) first_ok: Option<Time>,
}

#[derive(Serialize, JsonSchema)]
pub(crate) struct Limit {
    pub(crate) name: &'static str,
    pub(crate) limit: u64,
    pub(crate) dropped: u64,
}

#[derive(Serialize, JsonSchema)]
pub(crate) struct Problem {
    pub(crate) source: String,
    /// Null where it concerns the whole source.
    pub(crate) line: Option<u64>,
    pub(crate) reason: String,
    pub(crate) count: u64,
}

/// RFC 3339, UTC.
#[derive(Serialize, JsonSchema)]
#[serde(transparent)]
pub(crate) struct Time(#[schemars(extend("format" = "date-time"))] pub(crate) String);

/// 16 hexadecimal digits.
#[derive(Serialize, JsonSchema)]
#[serde(transparent)]
pub(crate) struct Id(#[schemars(regex(pattern = "^[0-9a-f]{16}$"))] pub(crate) String);
