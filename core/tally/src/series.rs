//! What the judge reads: for each candidate scope, good and failed requests in time order.

use model::CrawlerId;

/// A candidate scope, by index into the tally's tables. Indexes follow the sorted names, so their order is the same
/// in every run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Key {
    /// Everything.
    Site,
    /// One host.
    Host(u32),
    /// A path prefix of one or two literal segments.
    Prefix(u32),
    /// One path.
    Url(u32),
    /// One upstream address. Its observations are attempts, not requests.
    Upstream(u32),
    /// One crawler.
    Crawler(CrawlerId),
    /// All crawlers.
    AllCrawlers,
    /// All clients that claim no crawler.
    OtherClients,
    /// `/robots.txt`.
    Robots,
}

/// Good and failed requests of one scope in one moment or slot. Where the tally kept exact times `at == until`;
/// where it kept counts the good ones are spread over the slot, and the failed ones stand at their own second.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Obs {
    /// First second, since the epoch.
    pub at: i64,
    /// Last second.
    pub until: i64,
    /// Good requests.
    pub good: u32,
    /// Failed requests, repeats left out.
    pub failed: u32,
    /// Repeats of one impatient client among the failures: counted, no evidence.
    pub repeats: u32,
}
