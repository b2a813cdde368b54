//! Who a user agent claims to be, and whether its address may.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use knowledge::CrawlerMatcher;
use model::{Claim, CrawlerId, Field, Identity, Stamp};

use crate::confirm::{self, Answers};
use crate::ranges::Ranges;
use crate::secret::{Map, Table};
use crate::sender::{Proxies, Sender, sender};
use crate::visit::Visit;

/// Agents remembered while scanning a chunk; forgotten all at once, so it bounds memory and nothing else.
const MEMO_MAX: usize = 4_096;

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
    /// Claims of whose sender the log holds no address, but that of a public proxy.
    pub(crate) hidden: u64,
}

/// What shows whose an address is.
#[derive(Clone, Copy)]
pub(crate) struct Evidence<'a> {
    pub(crate) ranges: &'a Ranges,
    pub(crate) proxies: &'a Proxies,
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
            hidden: 0,
        }
    }

    /// Who sent this, at that time; without a time no list of addresses is stale.
    pub(crate) fn client(&mut self, visit: &Visit<'_>, at: Option<Stamp>) -> Client {
        let agent = visit.value(Field::UserAgent);
        let Some(crawler) = agent.and_then(|agent| self.crawler(agent)) else {
            return Client::Other;
        };
        let sender = self.sender(crawler, visit);
        self.hidden += u64::from(sender == Sender::Hidden);
        let Evidence {
            ranges,
            answers,
            verified_only,
            ..
        } = self.evidence;
        let identity = confirm::identity(ranges, answers, crawler, sender.address(), at);
        let claim = Claim { crawler, identity };
        match identity {
            Identity::Verified => Client::Crawler(claim),
            Identity::Spoofed => Client::Posing(claim),
            Identity::Unverifiable | Identity::Unchecked if verified_only => Client::Posing(claim),
            Identity::Unverifiable | Identity::Unchecked => Client::Crawler(claim),
        }
    }

    /// Who sent it, as far as the line tells. The address of a CDN that forwards requests is nobody's, but where the
    /// CDN's own checks are claimed.
    pub(crate) fn sender(&self, crawler: CrawlerId, visit: &Visit<'_>) -> Sender {
        let Evidence {
            ranges, proxies, ..
        } = self.evidence;
        let is_cdns_own = knowledge::crawler(crawler).is_cdn;
        sender(
            visit.value(Field::ClientAddr),
            visit.value(Field::ForwardedFor),
            |address| proxies.has(address) || !is_cdns_own && ranges.are_of_a_cdn(address),
        )
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
