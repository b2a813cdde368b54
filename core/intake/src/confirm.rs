//! Forward-confirmed reverse names: which addresses to ask about, and what the answers come to. The rule is pure; who
//! asks is lent one address at a time and hands back what name servers said.
//!
//! An address is its operator's when its reverse name is one of the operator's and that name leads back to the address.
//! What name servers deny refutes a claim. What they do not say (silence, failure, loops, rubbish) leaves it open.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use knowledge::Crawler;
use model::{CrawlerId, Identity, Stamp};
use siphasher::sip::SipHasher13;

use crate::identity::is_public;
use crate::ranges::{RangeAnswer, Ranges};

/// Addresses asked about in one run; beyond, those with the smallest hash are kept. Ten times what the largest operators
/// crawl one site from; a scanner with a net of its own has more.
pub const ADDRESSES_MAX: usize = 16_384;
/// Reverse names of one address that are followed back. Operators give one; who wants us to ask all night gives more.
pub const NAMES_MAX: usize = 4;

/// Addresses that claim to be a crawler with a reverse name, and that no range confirms. Merging is commutative.
/// Without `Debug`, `Clone` and `Serialize`: it holds addresses.
pub struct Suspects {
    /// By a fixed hash, so that which ones are kept at the limit depends on nothing but the addresses.
    by_address: BTreeMap<(u64, IpAddr), Claims>,
    /// Claims in all, those of addresses beyond the limit included.
    claims: u64,
    addresses_max: usize,
}

/// What one address claims.
#[derive(Default)]
struct Claims {
    crawlers: BTreeSet<CrawlerId>,
    count: u64,
}

impl Default for Suspects {
    fn default() -> Self {
        Self {
            by_address: BTreeMap::new(),
            claims: 0,
            addresses_max: ADDRESSES_MAX,
        }
    }
}

impl Suspects {
    /// Adds a claim of an address that a reverse name could confirm.
    pub(crate) fn add(&mut self, crawler: CrawlerId, address: IpAddr) {
        self.claims += 1;
        let key = (fixed_hash(address), address);
        let claims = self.by_address.entry(key).or_default();
        claims.crawlers.insert(crawler);
        claims.count += 1;
        self.trim();
    }

    /// Adds everything in `other`.
    pub fn merge(&mut self, other: Self) {
        self.claims += other.claims;
        for (key, more) in other.by_address {
            let claims = self.by_address.entry(key).or_default();
            claims.crawlers.extend(more.crawlers);
            claims.count += more.count;
        }
        self.trim();
    }

    fn trim(&mut self) {
        while self.by_address.len() > self.addresses_max {
            self.by_address.pop_last();
        }
    }

    /// Each address once, in an order that is always the same.
    pub fn iter(&self) -> impl Iterator<Item = Suspect<'_>> {
        self.by_address
            .iter()
            .map(|((_, address), claims)| Suspect {
                address: *address,
                crawlers: &claims.crawlers,
            })
    }

    /// Addresses to ask about.
    pub fn len(&self) -> usize {
        self.by_address.len()
    }

    /// Whether there is nothing to ask.
    pub fn is_empty(&self) -> bool {
        self.by_address.is_empty()
    }

    /// Claims of addresses beyond the limit: nobody asks about them.
    pub fn left_out(&self) -> u64 {
        self.claims - self.by_address.values().map(|one| one.count).sum::<u64>()
    }
}

/// The same in every run, on every machine.
fn fixed_hash(address: IpAddr) -> u64 {
    let hasher = SipHasher13::new();
    match address {
        IpAddr::V4(v4) => hasher.hash(&v4.octets()),
        IpAddr::V6(v6) => hasher.hash(&v6.octets()),
    }
}

/// One address to ask about, lent.
pub struct Suspect<'a> {
    address: IpAddr,
    crawlers: &'a BTreeSet<CrawlerId>,
}

impl<'a> Suspect<'a> {
    /// The address whose reverse name is wanted.
    pub const fn address(&self) -> IpAddr {
        self.address
    }

    /// Goes on with its reverse names, as name servers gave them.
    pub fn named(self, names: Lookup<String>) -> Inquiry<'a> {
        let (names, answered) = match names {
            Lookup::Found(names) => (names, true),
            Lookup::Nothing => (Vec::new(), true),
            Lookup::NoAnswer => (Vec::new(), false),
        };
        let plain = |name: String| name.trim_end_matches('.').to_ascii_lowercase();
        Inquiry {
            suspect: self,
            names: names.into_iter().map(plain).collect(),
            answered,
            heard: BTreeMap::new(),
        }
    }
}

/// What name servers said to one question.
#[derive(Clone)]
pub enum Lookup<T> {
    /// These.
    Found(Vec<T>),
    /// That there is none.
    Nothing,
    /// Nothing that could be believed: silence, failure, refusal, a loop, rubbish.
    NoAnswer,
}

/// What was heard about one suspect so far, and what to ask next.
pub struct Inquiry<'a> {
    suspect: Suspect<'a>,
    /// Reverse names, in lower case and in order.
    names: BTreeSet<String>,
    /// Whether name servers gave them, or said that there are none.
    answered: bool,
    /// Where names lead.
    heard: BTreeMap<String, Lookup<IpAddr>>,
}

impl Inquiry<'_> {
    /// The name to follow back, if one is still of use: only those that an operator gives, and none once each claim is
    /// confirmed.
    pub fn next(&self) -> Option<&str> {
        let open = self
            .suspect
            .crawlers
            .iter()
            .map(|id| knowledge::crawler(*id))
            .filter(|crawler| self.answer(crawler) != Answer::Confirmed);
        open.flat_map(|crawler| self.accepted(crawler).take(NAMES_MAX))
            .find(|name| !self.heard.contains_key(*name))
    }

    /// Takes the addresses of a name, of the suspect's family.
    pub fn hear(&mut self, name: String, addresses: Lookup<IpAddr>) {
        self.heard.insert(name, addresses);
    }

    /// Names that this crawler's operator gives.
    fn accepted(&self, crawler: &Crawler) -> impl Iterator<Item = &str> {
        let names = self.names.iter().map(String::as_str);
        names.filter(|name| crawler.accepts_name(name))
    }

    fn answer(&self, crawler: &Crawler) -> Answer {
        let mut open = !self.answered;
        for name in self.accepted(crawler) {
            match self.heard.get(name) {
                Some(Lookup::Found(addresses)) if self.leads_back(addresses) => {
                    return Answer::Confirmed;
                }
                Some(Lookup::Found(_) | Lookup::Nothing) => {}
                // One that was not asked about, beyond the limit, may be the one.
                Some(Lookup::NoAnswer) | None => open = true,
            }
        }
        match open {
            true => Answer::Open,
            false => Answer::Refuted,
        }
    }

    fn leads_back(&self, addresses: &[IpAddr]) -> bool {
        let mut addresses = addresses.iter().map(IpAddr::to_canonical);
        addresses.any(|address| address == self.suspect.address)
    }
}

/// What name servers say of a claim.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Answer {
    /// The address has a name of the operator, and the name has the address.
    Confirmed,
    /// It has none.
    Refuted,
    /// They do not say.
    Open,
}

/// What name servers said of all suspects: an input of intake beside [`Ranges`].
#[derive(Default)]
pub struct Answers {
    by_claim: BTreeMap<(IpAddr, CrawlerId), Answer>,
    left_out: u64,
}

impl Answers {
    /// The answers to `suspects`, as far as they were asked about.
    pub fn new<'a>(suspects: &'a Suspects, heard: impl IntoIterator<Item = Inquiry<'a>>) -> Self {
        let mut by_claim = BTreeMap::new();
        for inquiry in heard {
            for id in inquiry.suspect.crawlers {
                let answer = inquiry.answer(knowledge::crawler(*id));
                by_claim.insert((inquiry.suspect.address, *id), answer);
            }
        }
        Self {
            by_claim,
            left_out: suspects.left_out(),
        }
    }

    /// Claims of addresses that were not asked about because there were too many.
    pub const fn left_out(&self) -> u64 {
        self.left_out
    }
}

/// What is known of a claim. A hit in either, ranges or names, is good evidence; a miss in the ranges alone is none
/// where names can be asked, for the two differ while an operator adds addresses.
pub(crate) fn identity(
    ranges: &Ranges,
    answers: Option<&Answers>,
    crawler: CrawlerId,
    address: Option<IpAddr>,
    at: Option<Stamp>,
) -> Identity {
    let by_ranges = ranges.identity(crawler, address, at);
    let Some(answers) = answers else {
        return by_ranges;
    };
    let known = knowledge::crawler(crawler);
    if !known.is_verifiable() {
        return Identity::Unverifiable;
    }
    if by_ranges == Identity::Verified || !known.has_rdns() {
        return by_ranges;
    }
    let answer = address.and_then(|at| answers.by_claim.get(&(at, crawler)));
    match answer {
        Some(Answer::Confirmed) => Identity::Verified,
        // A suffix that only others name may be wrong: then the ranges decide.
        Some(Answer::Refuted) if !known.rdns_is_certain() => by_ranges,
        Some(Answer::Refuted) => Identity::Spoofed,
        Some(Answer::Open) | None => Identity::Unchecked,
    }
}

/// The address to ask about, where a claim is open and an answer would tell.
pub(crate) fn suspect(
    ranges: &Ranges,
    crawler: CrawlerId,
    address: Option<IpAddr>,
) -> Option<IpAddr> {
    let at = address.filter(|at| is_public(*at))?;
    // A hit is one at any time.
    (ranges.answer(crawler, at, None) != RangeAnswer::Hit).then_some(at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    fn limited(addresses_max: usize) -> Suspects {
        Suspects {
            addresses_max,
            ..Suspects::default()
        }
    }

    /// Which addresses are kept, and what is said of the others.
    fn kept(suspects: &Suspects) -> (Vec<IpAddr>, u64) {
        let addresses = suspects.iter().map(|suspect| suspect.address());
        (addresses.collect(), suspects.left_out())
    }

    /// In any order and split: the same addresses are kept, and every claim of another one is counted.
    #[test]
    fn the_limit_depends_on_nothing_but_the_addresses() {
        const LIMIT: usize = 7;
        let claims: Vec<(CrawlerId, IpAddr)> = (0..60u32)
            .map(|n| {
                let address = Ipv4Addr::from(0xc633_6400 + n % 23);
                (CrawlerId((n % 5) as u16), IpAddr::V4(address))
            })
            .collect();
        let mut whole = limited(LIMIT);
        claims
            .iter()
            .for_each(|(crawler, at)| whole.add(*crawler, *at));
        let (addresses, left_out) = kept(&whole);
        assert_eq!(addresses.len(), LIMIT);
        let of_others = claims.iter().filter(|(_, at)| !addresses.contains(at));
        assert_eq!(left_out, of_others.count() as u64);
        for parts in 1..20 {
            let mut merged = limited(LIMIT);
            for part in (0..parts).rev() {
                let mut one = limited(LIMIT);
                let claims = claims.iter().rev().skip(part).step_by(parts);
                claims.for_each(|(crawler, at)| one.add(*crawler, *at));
                merged.merge(one);
            }
            assert_eq!(kept(&merged), (addresses.clone(), left_out), "{parts}");
        }
    }
}
