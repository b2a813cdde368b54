//! Address ranges that operators publish, and what they say about one address.
//!
//! A hit is good evidence however old the list is. A miss is evidence of forgery only where the list is whole, covers
//! the family of the address and was known to be current when the request came: lists grow, and a crawler that moved to
//! new addresses is no forger.

mod block;
mod json;
mod list;
mod page;
mod stamp;
#[cfg(test)]
mod tests;
mod text;

use std::collections::BTreeMap;
use std::net::IpAddr;

use model::{CrawlerId, Identity, Stamp};

use crate::identity::is_public;

use block::Blocks;
pub use list::{Expected, RangeLayout, RangeList, RangePlace, RangeProblem};

/// A list is stale for what came this long after it was last known to be current: 30 days. The one operator that says how
/// often its list changes (Qwant) says daily; a longer time would call a crawler on new addresses a forger, a shorter one
/// would ask for a refresh more often than once a month. Compared with the time of the request, not with a clock, so that
/// an old log beside the list of its day gives the same answer for ever.
pub const STALE_SECS: i64 = 30 * 86_400;

/// Address ranges by crawler.
#[derive(Clone, Debug, Default)]
pub struct Ranges {
    by_crawler: BTreeMap<CrawlerId, Known>,
}

/// What is known of a crawler's addresses.
#[derive(Clone, Debug, Default)]
struct Known {
    blocks: Blocks,
    v4: Standing,
    v6: Standing,
}

/// How much a miss proves in one address family.
#[derive(Clone, Copy, Debug)]
struct Standing {
    /// The oldest moment as of which one of the lists is current; `None` where none says: the user gave them.
    as_of: Option<Stamp>,
    /// Whether every list is whole.
    is_whole: bool,
}

impl Default for Standing {
    fn default() -> Self {
        Self {
            as_of: None,
            is_whole: true,
        }
    }
}

/// What the ranges say about a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RangeAnswer {
    /// No list of this crawler is there.
    NoList,
    /// The lists name no address of this family.
    FamilyNotCovered,
    /// Inside.
    Hit,
    /// Outside a list that is whole and current.
    Miss,
    /// Outside, but the list is too old for that to mean anything.
    MissOfStale,
    /// Outside, but the list may not be all.
    MissOfPart,
    /// Outside, and an address that says nothing about its sender: loopback, private.
    NotPublic,
}

impl RangeAnswer {
    /// What it makes of the claim, where nothing else was checked.
    pub const fn identity(self) -> Identity {
        match self {
            Self::Hit => Identity::Verified,
            Self::Miss => Identity::Spoofed,
            Self::NoList
            | Self::FamilyNotCovered
            | Self::MissOfStale
            | Self::MissOfPart
            | Self::NotPublic => Identity::Unchecked,
        }
    }
}

impl Ranges {
    /// Whether no range is known at all.
    pub fn is_empty(&self) -> bool {
        self.by_crawler.is_empty()
    }

    /// Adds a list for these crawlers. `fetched` is when the operator was last seen to serve it, which says more than
    /// the date inside: an operator that changes nothing for a year leaves an old date in a current list. Without it the
    /// date inside counts, and without either the list is taken as current: somebody gave it by hand.
    pub fn add(&mut self, crawlers: &[CrawlerId], list: &RangeList, fetched: Option<Stamp>) {
        if list.is_empty() {
            return;
        }
        let as_of = fetched.or(list.created);
        for crawler in crawlers {
            let known = self.by_crawler.entry(*crawler).or_default();
            known.blocks.extend(&list.blocks);
            for (standing, is_v4) in [(&mut known.v4, true), (&mut known.v6, false)] {
                if list.blocks.covers(is_v4) {
                    standing.as_of = standing.as_of.into_iter().chain(as_of).min();
                    standing.is_whole &= list.is_whole;
                }
            }
        }
    }

    /// What they say about an address that claims to be this crawler's, in a request at that time. Without a time no
    /// list is stale.
    pub fn answer(&self, crawler: CrawlerId, address: IpAddr, at: Option<Stamp>) -> RangeAnswer {
        let address = address.to_canonical();
        let Some(known) = self.by_crawler.get(&crawler) else {
            return RangeAnswer::NoList;
        };
        if known.blocks.contains(address) {
            return RangeAnswer::Hit;
        }
        if !is_public(address) {
            return RangeAnswer::NotPublic;
        }
        if !known.blocks.covers(address.is_ipv4()) {
            return RangeAnswer::FamilyNotCovered;
        }
        let standing = if address.is_ipv4() {
            known.v4
        } else {
            known.v6
        };
        let age = standing
            .as_of
            .zip(at)
            .map(|(as_of, at)| at.secs_since(as_of));
        match age {
            Some(secs) if secs > STALE_SECS => RangeAnswer::MissOfStale,
            _ if !standing.is_whole => RangeAnswer::MissOfPart,
            _ => RangeAnswer::Miss,
        }
    }

    /// Whether it is an address from which a CDN forwards requests: whoever sent them has another.
    pub(crate) fn are_of_a_cdn(&self, address: IpAddr) -> bool {
        let mut cdns = self
            .by_crawler
            .iter()
            .filter(|(id, _)| knowledge::crawler(**id).is_cdn);
        cdns.any(|(_, known)| known.blocks.contains(address))
    }

    /// Whether a claim holds. An address that cannot be read leaves it unchecked.
    pub(crate) fn identity(
        &self,
        crawler: CrawlerId,
        address: Option<IpAddr>,
        at: Option<Stamp>,
    ) -> Identity {
        if self.is_empty() {
            return Identity::Unchecked;
        }
        if !knowledge::crawler(crawler).is_verifiable() {
            return Identity::Unverifiable;
        }
        match address {
            Some(address) => self.answer(crawler, address, at).identity(),
            None => Identity::Unchecked,
        }
    }
}
