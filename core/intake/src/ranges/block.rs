//! Blocks of addresses: what an entry of a list means, which are refused, and sets of them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

/// Prefixes of IPv4 shorter than this are refused: no crawler has a 256th of the internet, and one slip of this kind
/// (`0.0.0.0/0`) would verify every forger.
const V4_PREFIX_MIN: u8 = 8;
/// The same of IPv6. The widest blocks that registries give to one holder are about /19.
const V6_PREFIX_MIN: u8 = 16;

/// Addresses that nobody fetches from over the internet (IANA's registries of special-purpose addresses).
const V4_NOT_PUBLIC: [Ipv4Net; 11] = [
    v4(0, 0, 0, 0, 8),
    v4(10, 0, 0, 0, 8),
    v4(100, 64, 0, 0, 10),
    v4(127, 0, 0, 0, 8),
    v4(169, 254, 0, 0, 16),
    v4(172, 16, 0, 0, 12),
    v4(192, 0, 0, 0, 24),
    v4(192, 168, 0, 0, 16),
    v4(198, 18, 0, 0, 15),
    v4(224, 0, 0, 0, 4),
    v4(240, 0, 0, 0, 4),
];

/// Addresses for documentation. In a list somebody put them on purpose, as our recordings do; in a text they are its
/// examples.
const V4_EXAMPLES: [Ipv4Net; 3] = [
    v4(192, 0, 2, 0, 24),
    v4(198, 51, 100, 0, 24),
    v4(203, 0, 113, 0, 24),
];

const fn v4(a: u8, b: u8, c: u8, d: u8, len: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), len)
}

/// All that the internet gives out of IPv6: 2000::/3.
const V6_PUBLIC: Ipv6Net = Ipv6Net::new_assert(Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3);
const V6_EXAMPLES: [Ipv6Net; 2] = [
    Ipv6Net::new_assert(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32),
    Ipv6Net::new_assert(Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20),
];

/// How surely a text that reads as an address was meant as one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trust {
    /// It stands where a list has its entries.
    Entry,
    /// It was found in a text or in JSON of unknown meaning.
    Found,
}

/// Why a text is no usable block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    NoAddress,
    TooWide,
    NotPublic,
    Example,
    Backwards,
}

impl Refusal {
    pub(super) const fn reason(self) -> &'static str {
        match self {
            Self::NoAddress => "not an address prefix",
            Self::TooWide => "wider than /8 (IPv6: /16), more than any crawler has",
            Self::NotPublic => "not a public address",
            Self::Example => "an address for documentation",
            Self::Backwards => "ends before it begins",
        }
    }
}

/// Addresses from `first` to `last`, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Block {
    pub(super) is_v4: bool,
    pub(super) has_host_bits: bool,
    first: u128,
    last: u128,
}

impl Block {
    /// `192.0.2.0/24`, `192.0.2.7` or `192.0.2.0-192.0.2.63`.
    pub(super) fn read(text: &str, trust: Trust) -> Result<Self, Refusal> {
        if let Ok(net) = text.parse::<IpNet>() {
            check_width(net)?;
            let net_trunc = net.trunc();
            check_public(net_trunc, trust)?;
            return Ok(Self {
                has_host_bits: net.addr() != net_trunc.addr(),
                ..Self::between(net_trunc.network(), net_trunc.broadcast())
            });
        }
        if let Ok(address) = text.parse::<IpAddr>() {
            check_public(IpNet::from(address), trust)?;
            return Ok(Self::between(address, address));
        }
        let (first, last) = text.split_once(['-', '–']).ok_or(Refusal::NoAddress)?;
        let ends = first.trim().parse::<IpAddr>().ok();
        let ends = ends.zip(last.trim().parse::<IpAddr>().ok());
        let (first, last) = ends
            .filter(|(first, last)| first.is_ipv4() == last.is_ipv4())
            .ok_or(Refusal::NoAddress)?;
        if last < first {
            return Err(Refusal::Backwards);
        }
        subnets(first, last).try_for_each(|net| {
            check_width(net)?;
            check_public(net, trust)
        })?;
        Ok(Self::between(first, last))
    }

    fn between(first: IpAddr, last: IpAddr) -> Self {
        Self {
            is_v4: first.is_ipv4(),
            has_host_bits: false,
            first: number(first),
            last: number(last),
        }
    }
}

fn subnets(first: IpAddr, last: IpAddr) -> Box<dyn Iterator<Item = IpNet>> {
    match (first, last) {
        (IpAddr::V4(first), IpAddr::V4(last)) => {
            Box::new(ipnet::Ipv4Subnets::new(first, last, 0).map(IpNet::V4))
        }
        (IpAddr::V6(first), IpAddr::V6(last)) => {
            Box::new(ipnet::Ipv6Subnets::new(first, last, 0).map(IpNet::V6))
        }
        _ => Box::new(std::iter::empty()),
    }
}

fn check_width(net: IpNet) -> Result<(), Refusal> {
    let min = match net {
        IpNet::V4(_) => V4_PREFIX_MIN,
        IpNet::V6(_) => V6_PREFIX_MIN,
    };
    if net.prefix_len() < min {
        return Err(Refusal::TooWide);
    }
    Ok(())
}

fn check_public(net: IpNet, trust: Trust) -> Result<(), Refusal> {
    let (is_public, is_example) = match net {
        IpNet::V4(net) => (
            !V4_NOT_PUBLIC.iter().any(|other| meets_v4(*other, net)),
            V4_EXAMPLES.iter().any(|other| meets_v4(*other, net)),
        ),
        IpNet::V6(net) => (
            V6_PUBLIC.contains(&net),
            V6_EXAMPLES
                .iter()
                .any(|other| other.contains(&net) || net.contains(other)),
        ),
    };
    match (is_public, trust) {
        (false, _) => Err(Refusal::NotPublic),
        (true, Trust::Found) if is_example => Err(Refusal::Example),
        _ => Ok(()),
    }
}

fn meets_v4(one: Ipv4Net, other: Ipv4Net) -> bool {
    one.contains(&other) || other.contains(&one)
}

fn number(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => u128::from(u32::from(address)),
        IpAddr::V6(address) => u128::from(address),
    }
}

/// A set of blocks. Once settled they are sorted and apart, so that a look-up is a binary search: it happens for every
/// fetch of a log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Blocks {
    v4: Vec<(u128, u128)>,
    v6: Vec<(u128, u128)>,
}

impl Blocks {
    pub(super) fn is_empty(&self) -> bool {
        self.v4.is_empty() && self.v6.is_empty()
    }

    /// Whether any address of the family stands in it.
    pub(super) fn covers(&self, is_v4: bool) -> bool {
        !self.family(is_v4).is_empty()
    }

    fn family(&self, is_v4: bool) -> &Vec<(u128, u128)> {
        if is_v4 { &self.v4 } else { &self.v6 }
    }

    pub(super) fn push(&mut self, block: Block) {
        let family = if block.is_v4 {
            &mut self.v4
        } else {
            &mut self.v6
        };
        family.push((block.first, block.last));
    }

    pub(super) fn extend(&mut self, other: &Self) {
        self.v4.extend(&other.v4);
        self.v6.extend(&other.v6);
        self.settle();
    }

    /// Sorts and unites; tells how many met another one.
    pub(super) fn settle(&mut self) -> usize {
        settle(&mut self.v4) + settle(&mut self.v6)
    }

    pub(super) fn contains(&self, address: IpAddr) -> bool {
        let number = number(address);
        let family = self.family(address.is_ipv4());
        let next = family.partition_point(|(first, _)| *first <= number);
        next.checked_sub(1)
            .and_then(|index| family.get(index))
            .is_some_and(|(_, last)| number <= *last)
    }

    pub(super) fn space(&self) -> (u128, u128) {
        let v4 = self.v4.iter().map(|(first, last)| last - first + 1).sum();
        let v6 = self
            .v6
            .iter()
            .map(|(first, last)| (last >> 64) - (first >> 64) + 1);
        (v4, v6.sum())
    }
}

fn settle(family: &mut Vec<(u128, u128)>) -> usize {
    family.sort_unstable();
    let mut apart: Vec<(u128, u128)> = Vec::with_capacity(family.len());
    let mut met = 0;
    for (first, last) in family.drain(..) {
        match apart.last_mut() {
            // Neighbours become one, too, so that equal sets are equal; only what is in both is double.
            Some(before) if first <= before.1.saturating_add(1) => {
                met += usize::from(first <= before.1);
                before.1 = before.1.max(last);
            }
            _ => apart.push((first, last)),
        }
    }
    *family = apart;
    met
}
