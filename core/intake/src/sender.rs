//! Whose request it was, where a proxy stands before the edge: the rightmost hop that is none of the site's own. What
//! stands further left in X-Forwarded-For came with the request, and anyone can write it.

use std::net::IpAddr;

use ipnet::IpNet;
use memchr::{memchr, memrchr};

use crate::identity::is_public;

/// Hops looked at: more are no list of hops.
const HOPS_MAX: usize = 16;

/// The site's own proxies: what they add to X-Forwarded-For is believed. Private and loopback addresses are own ones
/// without being named.
#[derive(Clone, Debug, Default)]
pub struct Proxies(Vec<IpNet>);

impl Proxies {
    /// Adds an address or a network in CIDR notation; `false` where the text is neither.
    pub fn add(&mut self, text: &str) -> bool {
        let address = || text.parse::<IpAddr>().map(IpNet::from);
        let net = text.parse::<IpNet>().or_else(|_| address());
        self.0.extend(net.as_ref().ok());
        net.is_ok()
    }

    /// Whether the operator named it.
    pub(crate) fn has(&self, address: IpAddr) -> bool {
        self.0.iter().any(|net| net.contains(&address))
    }
}

/// Whose request it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sender {
    /// This address's.
    At(IpAddr),
    /// The line does not say.
    Unknown,
    /// Somebody's behind a public proxy; the line holds the proxy's address alone.
    Hidden,
}

impl Sender {
    pub(crate) const fn address(self) -> Option<IpAddr> {
        match self {
            Self::At(address) => Some(address),
            Self::Unknown | Self::Hidden => None,
        }
    }
}

/// The sender: the peer, or where that is an own proxy (a private address, or one that `is_proxy` knows) the last of
/// those forwarded that is not. A hop that cannot be read hides what stands left of it.
pub(crate) fn sender(
    peer: Option<&[u8]>,
    forwarded: Option<&[u8]>,
    is_proxy: impl Fn(IpAddr) -> bool,
) -> Sender {
    let mut hops = hops(forwarded.unwrap_or_default()).map(|hop| hop.1);
    // Where the edge logs no peer, the last of the list is what it took for one.
    let hops = peer.into_iter().chain(std::iter::from_fn(|| hops.next()));
    let mut end = Sender::Unknown;
    for hop in hops.take(HOPS_MAX) {
        // Who comes over a socket is on the same machine (nginx writes `unix:`).
        if hop.starts_with(b"unix:") {
            continue;
        }
        let Some(address) = address(hop) else { break };
        match (is_public(address), is_proxy(address)) {
            (true, false) => return Sender::At(address),
            (true, true) => end = Sender::Hidden,
            (false, _) => {}
        }
    }
    end
}

/// The last public address of a list, as a range of it; the last one of all where none is public.
pub(crate) fn last_public(list: &[u8]) -> Option<(usize, usize)> {
    let mut hops = hops(list).take(HOPS_MAX);
    let last = hops.next()?;
    let public = std::iter::once(last)
        .chain(hops)
        .find(|(_, hop)| address(hop).is_some_and(is_public));
    let (at, hop) = public.unwrap_or(last);
    let (from, to) = host_range(hop);
    Some((at + from, at + to))
}

/// The parts of a list from right to left, without blanks and quotes, each with its place.
fn hops(list: &[u8]) -> impl Iterator<Item = (usize, &[u8])> {
    let mut left = (!list.is_empty()).then_some(list.len());
    std::iter::from_fn(move || {
        let end = left?;
        let comma = memrchr(b',', &list[..end]);
        left = comma;
        let start = comma.map_or(0, |comma| comma + 1);
        let part = &list[start..end];
        let at = start + (part.len() - part.trim_ascii_start().len());
        Some((at, part.trim_ascii()))
    })
}

/// An address as edges write it: bare, with a port, in brackets, or as RFC 7239 has it (`for="[2001:db8::1]:4711"`).
fn address(text: &[u8]) -> Option<IpAddr> {
    let text = match text.split(|byte| *byte == b';').find_map(forwarded_for) {
        Some(node) => node,
        None => text,
    };
    let (from, to) = host_range(text);
    let host = std::str::from_utf8(text.get(from..to)?).ok()?;
    // The zone of a link-local address is the machine's own matter.
    let host = host.split('%').next().unwrap_or(host);
    host.parse::<IpAddr>()
        .ok()
        .map(|address| address.to_canonical())
}

fn forwarded_for(pair: &[u8]) -> Option<&[u8]> {
    let pair = pair.trim_ascii();
    let (name, value) = pair.split_at_checked(4)?;
    name.eq_ignore_ascii_case(b"for=").then(|| {
        let value = value.strip_prefix(b"\"").unwrap_or(value);
        value.strip_suffix(b"\"").unwrap_or(value)
    })
}

/// Where the host of `host:port`, `[host]:port` or a bare address stands.
pub(crate) fn host_range(text: &[u8]) -> (usize, usize) {
    if text.first() == Some(&b'[') {
        return (1, memchr(b']', text).unwrap_or(text.len()).max(1));
    }
    match (memchr(b':', text), memrchr(b':', text)) {
        (Some(first), Some(last)) if first == last => (0, first),
        _ => (0, text.len()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    fn of(peer: &str, forwarded: &str) -> Sender {
        let mut own = Proxies::default();
        assert!(own.add("198.51.100.0/24") && own.add("2001:db8:ff::/48"));
        assert!(!own.add("198.51.100.0/33") && !own.add("proxy.example"));
        let some = |text: &str| (!text.is_empty()).then(|| text.as_bytes().to_vec());
        let (peer, forwarded) = (some(peer), some(forwarded));
        sender(peer.as_deref(), forwarded.as_deref(), |at| own.has(at))
    }

    /// Peer, list, whose it was.
    #[test]
    fn the_rightmost_hop_that_is_not_ones_own() {
        let table = [
            // A stranger says what he likes.
            ("203.0.113.9", "192.0.2.1", "203.0.113.9"),
            ("203.0.113.9", "", "203.0.113.9"),
            // Behind one proxy, a named one or one of the same network.
            ("198.51.100.7", "192.0.2.1", "192.0.2.1"),
            ("10.0.0.7", "192.0.2.1", "192.0.2.1"),
            ("unix:", "192.0.2.1", "192.0.2.1"),
            // The client wrote the first itself.
            ("198.51.100.7", "66.249.66.1, 203.0.113.9", "203.0.113.9"),
            (
                "10.0.0.7",
                "66.249.66.1, 203.0.113.9, 198.51.100.8, 10.1.1.1",
                "203.0.113.9",
            ),
            // Ports, brackets, mapped addresses, RFC 7239.
            ("10.0.0.7:443", "192.0.2.1:4711", "192.0.2.1"),
            ("::ffff:10.0.0.7", "[2001:db8:1::9]:80", "2001:db8:1::9"),
            (
                "2001:db8:ff::1",
                "for=\"[2001:db8:1::9]:4711\";proto=https",
                "2001:db8:1::9",
            ),
            (
                "10.0.0.7",
                "for=192.0.2.1, For=203.0.113.9;by=10.0.0.7",
                "203.0.113.9",
            ),
            // No peer logged: what the edge made of it.
            ("", "192.0.2.1, 10.0.0.1", "192.0.2.1"),
        ];
        for (peer, list, wanted) in table {
            assert_eq!(
                of(peer, list),
                Sender::At(wanted.parse().unwrap()),
                "{peer} {list}"
            );
        }
    }

    #[test]
    fn a_hop_that_cannot_be_read_hides_what_stands_left_of_it() {
        for (peer, list) in [
            ("-", ""),
            ("10.0.0.7", "192.0.2.1, unknown"),
            ("10.0.0.7", "192.0.2.1, "),
            ("10.0.0.7", "-"),
            ("10.0.0.7", ""),
            ("10.0.0.7", "10.0.0.8"),
        ] {
            assert_eq!(of(peer, list), Sender::Unknown, "{peer} {list}");
        }
        // A public proxy stands where the client should.
        for (peer, list) in [
            ("198.51.100.7", ""),
            ("198.51.100.7", "-"),
            ("10.0.0.7", "x, 198.51.100.7"),
        ] {
            assert_eq!(of(peer, list), Sender::Hidden, "{peer} {list}");
        }
    }

    #[test]
    fn of_a_list_in_place_of_the_client_the_last_public_one() {
        let last =
            |list: &'static str| last_public(list.as_bytes()).map(|(from, to)| &list[from..to]);
        assert_eq!(
            last("192.0.2.1, 203.0.113.9:80, 10.0.0.1"),
            Some("203.0.113.9")
        );
        assert_eq!(last("10.0.0.2, 10.0.0.1"), Some("10.0.0.1"));
        assert_eq!(last(""), None);
    }
}
