//! Who a user agent claims to be, and whether its address may.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;
use knowledge::CrawlerMatcher;
use model::{Claim, CrawlerId, Identity};

use crate::confirm::{self, Answers};
use crate::secret::{Map, Table};

/// Agents remembered while scanning a chunk; forgotten all at once, so it bounds memory and nothing else.
const MEMO_MAX: usize = 4_096;

/// Address ranges that operators publish, by crawler.
#[derive(Clone, Debug, Default)]
pub struct Ranges {
    by_crawler: BTreeMap<CrawlerId, Vec<IpNet>>,
}

/// What is wrong with a range file: a position and a reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RangeProblem {
    /// Index of the entry in `prefixes`, from 0; `None` where the whole file is not of the layout.
    pub entry: Option<usize>,
    /// What is wrong.
    pub reason: &'static str,
}

impl Ranges {
    /// Whether no range is known at all.
    pub fn is_empty(&self) -> bool {
        self.by_crawler.is_empty()
    }

    /// Adds the ranges of one file in the JSON layout of Google's files (`{"prefixes": [{"ipv4Prefix": …}, …]}`) for
    /// these crawlers. Entries that are no prefix are left out and named.
    pub fn add_json(&mut self, crawlers: &[CrawlerId], text: &str) -> Vec<RangeProblem> {
        let whole = |reason| {
            vec![RangeProblem {
                entry: None,
                reason,
            }]
        };
        let Ok(json) = serde_json::from_str::<serde_json::Value>(text) else {
            return whole("not JSON");
        };
        let Some(prefixes) = json.get("prefixes").and_then(serde_json::Value::as_array) else {
            return whole("no list named \"prefixes\"");
        };
        let mut problems = Vec::new();
        let mut nets = Vec::new();
        for (entry, prefix) in prefixes.iter().enumerate() {
            let text = prefix
                .get("ipv4Prefix")
                .or_else(|| prefix.get("ipv6Prefix"));
            match text
                .and_then(serde_json::Value::as_str)
                .map(str::parse::<IpNet>)
            {
                Some(Ok(net)) => nets.push(net.trunc()),
                Some(Err(_)) => {
                    problems.push(RangeProblem {
                        entry: Some(entry),
                        reason: "not an address prefix",
                    });
                }
                None => problems.push(RangeProblem {
                    entry: Some(entry),
                    reason: "neither ipv4Prefix nor ipv6Prefix",
                }),
            }
        }
        if nets.is_empty() {
            problems.push(RangeProblem {
                entry: None,
                reason: "no usable prefix in it",
            });
            return problems;
        }
        for crawler in crawlers {
            let all = self.by_crawler.entry(*crawler).or_default();
            all.extend(&nets);
            *all = IpNet::aggregate(all);
            all.sort_unstable();
        }
        problems
    }

    /// Whether the claim holds. An address that cannot be read, and one that says nothing about the sender (loopback,
    /// private), leave it unchecked.
    pub(crate) fn identity(&self, crawler: CrawlerId, address: Option<&[u8]>) -> Identity {
        if self.is_empty() {
            return Identity::Unchecked;
        }
        if !knowledge::crawler(crawler).is_verifiable() {
            return Identity::Unverifiable;
        }
        let Some(nets) = self.by_crawler.get(&crawler) else {
            return Identity::Unchecked;
        };
        match address_of(address) {
            Some(address) if nets.iter().any(|net| net.contains(&address)) => Identity::Verified,
            Some(address) if is_public(address) => Identity::Spoofed,
            _ => Identity::Unchecked,
        }
    }
}

/// The address that stands in a log.
pub(crate) fn address_of(text: Option<&[u8]>) -> Option<IpAddr> {
    let text = std::str::from_utf8(text?).ok()?;
    let address: IpAddr = text.trim_matches(['[', ']']).parse().ok()?;
    Some(address.to_canonical())
}

/// Whether an address says anything about its sender: loopback and private ones do not.
pub(crate) fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => {
            let shared = v4.octets()[0] == 100 && v4.octets()[1] & 0xc0 == 64;
            !(v4.is_private()
                || v4.is_loopback()
                || v4.is_link_local()
                || v4 == Ipv4Addr::UNSPECIFIED
                || shared)
        }
        IpAddr::V6(v6) => {
            !(v6.is_loopback()
                || v6.is_unique_local()
                || v6.is_unicast_link_local()
                || v6 == Ipv6Addr::UNSPECIFIED)
        }
    }
}

/// What a line's agent and address come to.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Client {
    /// No crawler is claimed.
    Other,
    /// A crawler is claimed, but the address is not its operator's, or not shown to be where only those count.
    Posing(Claim),
    /// A fetch.
    Crawler(Claim),
}

/// Remembers agents, so that the registry is searched once for each.
pub(crate) struct Agents<'a> {
    matcher: &'a CrawlerMatcher,
    evidence: Evidence<'a>,
    memo: Map<Box<[u8]>, Option<CrawlerId>>,
    last: Box<[u8]>,
    last_crawler: Option<CrawlerId>,
}

/// What shows whose an address is.
#[derive(Clone, Copy)]
pub(crate) struct Evidence<'a> {
    pub(crate) ranges: &'a Ranges,
    /// `None` where no name server was asked.
    pub(crate) answers: Option<&'a Answers>,
    /// Whether claims that nothing shows to be true are no fetches.
    pub(crate) verified_only: bool,
}

impl<'a> Agents<'a> {
    pub(crate) fn new(matcher: &'a CrawlerMatcher, evidence: Evidence<'a>, table: Table) -> Self {
        Self {
            matcher,
            evidence,
            memo: Map::with_hasher(table),
            last: Box::default(),
            last_crawler: None,
        }
    }

    /// Who sent this.
    pub(crate) fn client(&mut self, agent: Option<&[u8]>, address: Option<&[u8]>) -> Client {
        let Some(crawler) = agent.and_then(|agent| self.crawler(agent)) else {
            return Client::Other;
        };
        let Evidence {
            ranges,
            answers,
            verified_only,
        } = self.evidence;
        let identity = confirm::identity(ranges, answers, crawler, address);
        let claim = Claim { crawler, identity };
        match identity {
            Identity::Verified => Client::Crawler(claim),
            Identity::Spoofed => Client::Posing(claim),
            Identity::Unverifiable | Identity::Unchecked if verified_only => Client::Posing(claim),
            Identity::Unverifiable | Identity::Unchecked => Client::Crawler(claim),
        }
    }

    /// The crawler that this agent names, where a reverse name could confirm it.
    pub(crate) fn suspicious(&mut self, agent: Option<&[u8]>) -> Option<CrawlerId> {
        let crawler = self.crawler(agent?)?;
        knowledge::crawler(crawler).has_rdns().then_some(crawler)
    }

    fn crawler(&mut self, agent: &[u8]) -> Option<CrawlerId> {
        if *self.last == *agent {
            return self.last_crawler;
        }
        let crawler = match self.memo.get(agent) {
            Some(crawler) => return *crawler,
            None => self.matcher.find(agent),
        };
        if self.memo.len() >= MEMO_MAX {
            self.memo.clear();
        }
        self.memo.insert(agent.into(), crawler);
        self.last = agent.into();
        self.last_crawler = crawler;
        crawler
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn only_an_address_outside_the_operators_ranges_is_spoofed() {
        let googlebot = knowledge::crawler_named("googlebot").unwrap();
        let bingbot = knowledge::crawler_named("bingbot").unwrap();
        let mut ranges = Ranges::default();
        let text = r#"{"creationTime":"2026-11-01","prefixes":[{"ipv4Prefix":"192.0.2.0/27"},{"ipv6Prefix":"2001:db8:1::/64"}]}"#;
        assert_eq!(ranges.add_json(&[googlebot], text), []);
        let of = |crawler, address: &[u8]| ranges.identity(crawler, Some(address));
        assert_eq!(of(googlebot, b"192.0.2.7"), Identity::Verified);
        assert_eq!(of(googlebot, b"::ffff:192.0.2.7"), Identity::Verified);
        assert_eq!(of(googlebot, b"2001:db8:1::9"), Identity::Verified);
        assert_eq!(of(googlebot, b"203.0.113.1"), Identity::Spoofed);
        assert_eq!(of(googlebot, b"10.0.0.1"), Identity::Unchecked);
        assert_eq!(of(googlebot, b"-"), Identity::Unchecked);
        assert_eq!(of(bingbot, b"203.0.113.1"), Identity::Unchecked);
    }

    #[test]
    fn rubbish_in_a_range_file_is_named_by_entry_and_the_rest_is_used() {
        let googlebot = knowledge::crawler_named("googlebot").unwrap();
        let mut ranges = Ranges::default();
        let text =
            r#"{"prefixes":[{"ipv4Prefix":"rubbish"},{"x":1},{"ipv4Prefix":"192.0.2.0/27"}]}"#;
        let problems = ranges.add_json(&[googlebot], text);
        assert_eq!(
            problems
                .iter()
                .map(|problem| problem.entry)
                .collect::<Vec<_>>(),
            [Some(0), Some(1)]
        );
        assert!(!ranges.is_empty());
        assert_eq!(
            Ranges::default().add_json(&[googlebot], "<html>")[0].reason,
            "not JSON"
        );
    }
}
