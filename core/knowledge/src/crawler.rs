//! The crawler registry.

use model::{Category, CrawlerId};

/// One crawler.
#[derive(Clone, Copy, Debug)]
pub struct Crawler {
    /// Name in every output: `googlebot`.
    pub id: &'static str,
    /// Who runs it.
    pub operator: &'static str,
    /// What it crawls for.
    pub category: Category,
    /// The operator's own words, shortened.
    pub purpose: &'static str,
    /// Substrings of the user agent, any case.
    pub tokens: &'static [&'static str],
    /// Substrings that rule it out, any case.
    pub not_tokens: &'static [&'static str],
    /// Suffixes that a confirmed reverse name must end in.
    pub rdns_suffixes: &'static [&'static str],
    /// Where the operator publishes its address ranges.
    pub ip_ranges: &'static [&'static str],
    /// Primary source.
    pub source: &'static str,
    /// When the source was checked; `None` prints "Data not yet verified".
    pub checked: Option<&'static str>,
}

impl Crawler {
    /// Whether the operator publishes any method to check a claim.
    pub const fn is_verifiable(&self) -> bool {
        !self.rdns_suffixes.is_empty() || !self.ip_ranges.is_empty()
    }
}

/// Every crawler; [`CrawlerId`] is the index.
pub fn crawlers() -> &'static [Crawler] {
    &[]
}

/// The crawler with that index.
pub fn crawler(id: CrawlerId) -> &'static Crawler {
    &crawlers()[id.0 as usize]
}

/// The crawler of that name, any case; one of its user-agent tokens will do.
pub fn crawler_named(name: &str) -> Option<CrawlerId> {
    let _ = name;
    None
}

/// All tokens as one automaton: matching costs the length of the agent, not of the registry.
#[derive(Debug)]
pub struct CrawlerMatcher {}

impl CrawlerMatcher {
    /// Builds the automaton.
    pub fn new() -> Self {
        Self {}
    }

    /// The crawler that this user agent names: the longest token wins, entries whose not-tokens occur are passed over.
    pub fn find(&self, agent: &[u8]) -> Option<CrawlerId> {
        let _ = agent;
        None
    }
}

impl Default for CrawlerMatcher {
    fn default() -> Self {
        Self::new()
    }
}
